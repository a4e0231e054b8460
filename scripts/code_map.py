"""Write docs/code-map.md: every module with the first sentence of its docstring.

``python -m scripts.code_map`` prints it, ``--write`` puts it into the page. A test holds the two together.
"""

from __future__ import annotations

import ast
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "code-map.md"
BEGIN, END = "<!-- code map: written by `make docs` -->", "<!-- end of the code map -->"
PACKAGES = ("models", "models/engine", "codeindex", "completion", "chat", "lsp_server")
CLOSED = (
    "models/train",
    "completion/postprocess",
)  # One line for the whole folder: its modules are of a kind.


def lines(root: Path) -> list[str]:
    """The map of the tree: a heading per package, a line per module."""
    found = []
    for package in PACKAGES:
        folder = root / package
        found.append(f"**`{package}/`** {sentence(folder / '__init__.py')}")
        for path in sorted(folder.rglob("*.py")):
            inner = path.parent.relative_to(root).as_posix()
            name = path.relative_to(folder).as_posix()
            if _owner(path, root) != package or name == "__init__.py":
                continue
            if inner in CLOSED and path.name != "__init__.py":
                continue
            found.append(f"- `{name.removesuffix('__init__.py')}` {sentence(path)}")
        found.append("")
    return found[:-1]


def sentence(path: Path) -> str:
    """The first line of a module's docstring."""
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return docstring.partition("\n")[0]


def in_page(page: str) -> list[str]:
    """The map that stands in the page."""
    return page.partition(BEGIN)[2].partition(END)[0].strip("\n").splitlines()


def written(page: str, root: Path) -> str:
    """The page with the current map."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise SystemExit(f"{PAGE.name} has no place for the code map ({BEGIN} … {END}).")
    return before + begin + "\n\n" + "\n".join(lines(root)) + "\n\n" + end + after


def main() -> None:
    if sys.argv[1:] == ["--write"]:
        PAGE.write_text(written(PAGE.read_text(encoding="utf-8"), ROOT), encoding="utf-8")
    else:
        print("\n".join(lines(ROOT)))


def _owner(path: Path, root: Path) -> str:
    """The innermost package of the list that a module belongs to."""
    name = path.relative_to(root).as_posix()
    return max((it for it in PACKAGES if name.startswith(it + "/")), key=len)


if __name__ == "__main__":
    main()
