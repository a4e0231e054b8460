"""The wheel carries the five packages and the starter model, works by itself, and brings nothing else."""

from __future__ import annotations

import configparser
import email
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from models.version import VERSION
from tests.rules import OUTSIDE, PACKAGES

ROOT = Path(__file__).resolve().parent.parent
BIGGEST_MB = 25  # Small enough to be fetched without a thought, on any line.
INFO = f"hearth_assistant-{VERSION}.dist-info"
UNWANTED = (*OUTSIDE, "editors", "docs", "models/train/results", ".ci", ".github")

HOME_OF_EACH = """
import importlib, pathlib, sys
sys.path.insert(0, sys.argv[1])
for name in sys.argv[2:]:
    print(name, pathlib.Path(importlib.import_module(name).__file__).is_relative_to(sys.argv[1]))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built as an installer builds it."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def names(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        assert archive.testzip() is None
        return archive.namelist()


@pytest.fixture(scope="module")
def unpacked(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def test_only_our_packages_are_at_the_top(names: list[str]) -> None:
    """A tool's environment gets five plain names from us, and not one more."""
    assert {it.split("/")[0] for it in names} == {*PACKAGES, INFO}


def test_nothing_unwanted_is_inside(names: list[str]) -> None:
    """Tests, benchmarks, editors and training results stay in the repository."""
    assert [it for it in names if it.startswith(tuple(f"{name}/" for name in UNWANTED))] == []
    assert [it for it in names if "__pycache__" in it or it.endswith((".pyc", ".log"))] == []


@pytest.mark.parametrize("package", PACKAGES)
def test_every_module_is_inside(package: str, names: list[str]) -> None:
    """What runs from the checkout runs from the wheel."""
    ours = {it.relative_to(ROOT).as_posix() for it in (ROOT / package).rglob("*.py")}
    assert {it for it in ours if "train/results" not in it} <= set(names)


def test_the_starter_model_is_inside(wheel: Path) -> None:
    """Ghost text works the moment it is installed, so the model comes along, whole, with its card."""
    starter = ROOT / "models" / "starter"
    with zipfile.ZipFile(wheel) as archive:
        for path in starter.rglob("*"):
            name = path.relative_to(ROOT).as_posix()
            if path.is_file() and path.suffix in (".gguf", ".md", ".toml", ".json", ".onnx", ""):
                assert archive.getinfo(name).file_size == path.stat().st_size
        assert any(it.startswith("models/starter/") and it.endswith(".gguf") for it in archive.namelist())


def test_the_wheel_is_small(wheel: Path) -> None:
    """A wheel that grew by tens of megabytes carries something by mistake."""
    assert wheel.stat().st_size < BIGGEST_MB * 1_000_000


def test_the_command_is_declared(wheel: Path) -> None:
    """`hearth` is what people type."""
    with zipfile.ZipFile(wheel) as archive:
        parser = configparser.ConfigParser()
        parser.read_string(archive.read(f"{INFO}/entry_points.txt").decode())
    assert dict(parser["console_scripts"]) == {"hearth": "lsp_server.cli:main"}


def test_the_description_says_who_may_use_it(wheel: Path) -> None:
    """License, Python versions and the README travel with the wheel."""
    with zipfile.ZipFile(wheel) as archive:
        metadata = email.message_from_bytes(archive.read(f"{INFO}/METADATA"))
        texts = {it for it in archive.namelist() if it.startswith(f"{INFO}/licenses/")}
    assert metadata["License-Expression"] == "Apache-2.0"
    assert set(metadata["Requires-Python"].split(",")) == {">=3.11", "<3.14"}
    assert f"{INFO}/licenses/LICENSE" in texts
    assert f"{INFO}/licenses/models/starter/NOTICE" in texts


def test_it_imports_from_the_wheel_alone(unpacked: Path) -> None:
    """No module reaches back into the checkout."""
    command = [sys.executable, "-P", "-c", HOME_OF_EACH, str(unpacked), "lsp_server.cli", *PACKAGES]
    done = subprocess.run(command, cwd=unpacked.parent, capture_output=True, text=True, check=False)
    assert done.stdout.splitlines() == [f"{it} True" for it in ("lsp_server.cli", *PACKAGES)], done.stderr


def test_it_runs_from_the_wheel_alone(unpacked: Path) -> None:
    """The command answers from the unpacked wheel, in a folder that has nothing to do with it."""
    command = [sys.executable, "-P", "-m", "lsp_server.cli", "--version"]
    environment = {**os.environ, "PYTHONPATH": str(unpacked)}
    done = subprocess.run(
        command, cwd=unpacked.parent, env=environment, capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == f"hearth {VERSION}", done.stderr
