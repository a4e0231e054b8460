"""Build llama.cpp's own server for the benchmarks: the version of llama.cpp that Hearth's engine uses.

    python -m scripts.build_llama_server [--jobs 2]

Its source is in the source package of llama-cpp-python, which pip fetches from where it fetches everything.
The binary is kept in the cache folder, and its path is printed; needs CMake, Ninja or make, and some minutes.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from models import paths

ROOT = Path(__file__).parent.parent
PACKAGE = "llama-cpp-python"
BUILD_BACKEND = ("scikit-build-core", "flit-core")  # Its metadata is made before pip hands the source out.
OPTIONS = (
    *("-DCMAKE_BUILD_TYPE=Release", "-DGGML_NATIVE=ON", "-DBUILD_SHARED_LIBS=OFF", "-DLLAMA_OPENSSL=OFF"),
    *("-DLLAMA_BUILD_TESTS=OFF", "-DLLAMA_BUILD_EXAMPLES=OFF", "-DLLAMA_BUILD_APP=OFF"),
    *("-DLLAMA_BUILD_UI=OFF", "-DLLAMA_USE_PREBUILT_UI=OFF"),  # The second one would be fetched.
)


def version() -> str:
    """The version that Hearth is tested with."""
    pins = (ROOT / "constraints.txt").read_text("utf-8")
    found = re.search(rf"^{PACKAGE}==(\S+)$", pins, re.MULTILINE)
    if found is None:
        raise SystemExit(f"constraints.txt does not pin {PACKAGE}.")
    return found[1]


def binary() -> Path:
    """Where it is kept."""
    return paths.cache_dir() / "benchmarks" / f"llama-server-{version()}"


def build(jobs: int) -> Path:
    """Fetch and compile it, unless it is there. Raises CalledProcessError, whose output was shown."""
    target = binary()
    if target.is_file():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = _source(folder)
        made = folder / "build"
        subprocess.run(["cmake", "-S", source, "-B", made, *OPTIONS], check=True, stdout=sys.stderr)
        compile_ = ["cmake", "--build", str(made), "--target", "llama-server", "--parallel", str(jobs)]
        subprocess.run(compile_, check=True, stdout=sys.stderr)
        part = target.with_suffix(".part")
        part.write_bytes((made / "bin" / "llama-server").read_bytes())
        part.chmod(0o755)
        part.replace(target)
    return target


def _source(folder: Path) -> Path:
    """llama.cpp's source, out of the package's."""
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    backend = folder / "backend"
    subprocess.run([*pip, "install", "--target", str(backend), *BUILD_BACKEND], check=True)
    fetch = ["download", "--no-deps", "--no-binary", ":all:", "--no-build-isolation", "--dest", str(folder)]
    subprocess.run(
        [*pip, *fetch, f"{PACKAGE}=={version()}"],
        check=True,
        env={**os.environ, "PYTHONPATH": str(backend)},
    )
    archive = next(folder.glob("*.tar.gz"))
    with tarfile.open(archive) as it:
        it.extractall(folder, filter="data")
    return folder / archive.name.removesuffix(".tar.gz") / "vendor" / "llama.cpp"


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    try:
        print(build(parser.parse_args().jobs))
    except (subprocess.CalledProcessError, FileNotFoundError) as exc:
        print(f"llama-server could not be built: {exc}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
