"""`make bench`: list the benchmarks, and run the quick ones; with a name, run that one.

python -m benchmarks                      list all, run the quick ones
python -m benchmarks engine --help        one of them, with its own options
"""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

from models.registry import STARTER_FILE

FOLDER = Path(__file__).parent
QUICK = {
    # The bundled model takes a second; one of 0.5B's shape is made and measured in some minutes, by name.
    "drafts": ("--rounds", "12"),
    "keystrokes": (
        *("--model", "starter", "--keys", "80", "--rounds", "4", "--jumps", "4", "--follow", "4"),
        *("--peers", "bare,unanchored"),
    ),
    "memory_index": ("--project-mb", "2", "--dependencies-mb", "8", "--peer-mb", "1"),
    "engine": ("--model", str(STARTER_FILE), "--prompt-tokens", "300", "--rounds", "2", "--cancels", "5"),
}


def main(arguments: list[str]) -> int:
    """The exit code: that of the benchmark which failed, if one did."""
    known = benchmarks()
    if arguments and arguments[0] in known:
        return run(*arguments)
    print(__doc__ if arguments else "Benchmarks: python -m benchmarks NAME [OPTIONS]")
    for name, line in known.items():
        print(f"  {name:12} {line}")
    if arguments:
        return 0 if arguments[0] in ("-h", "--help") else 2
    codes = []
    for name, options in QUICK.items():
        print(f"\n{name} {' '.join(options)}", flush=True)
        codes.append(run(name, *options))
    return max(codes)


def benchmarks() -> dict[str, str]:
    """Name and first line of every benchmark."""
    found = {}
    files = {it.stem: it for it in FOLDER.glob("[!_]*.py")}
    files |= {it.parent.name: it for it in FOLDER.glob("*/__main__.py")}
    for name, path in sorted(files.items()):
        found[name] = (ast.get_docstring(ast.parse(path.read_text("utf-8"))) or "").partition("\n")[0]
    return found


def run(name: str, *options: str) -> int:
    """Run one in a process of its own: each starts from the same state."""
    return subprocess.call([sys.executable, "-m", f"benchmarks.{name}", *options])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
