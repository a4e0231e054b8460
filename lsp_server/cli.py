"""`hearth`: the command line.

`hearth lsp` goes its own way: an editor is waiting, and the command line library takes longer to import than
the answer to its first request takes to write.
"""

from __future__ import annotations

import sys
from importlib.machinery import PathFinder
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGES = ("models", "completion", "codeindex", "chat")

OK, FAILED, USAGE, NO_MODEL, INTERRUPTED = 0, 1, 2, 3, 130


def main() -> None:
    """Run the command that was typed, and exit."""
    shadowed = put_ours_first()
    try:
        code = _lsp(sys.argv[2:]) if sys.argv[1:2] == ["lsp"] else None
        if code is None:
            from lsp_server.commands import run

            code = run(shadowed)
    except KeyboardInterrupt:
        code = INTERRUPTED
    sys.exit(code)


def put_ours_first() -> list[str]:
    """Our packages' names are plain words: where others would be found, our root goes first.

    The names that something else would have taken.
    """
    shadowed = [name for name in PACKAGES if _is_foreign(name)]
    if shadowed:
        sys.path.insert(0, str(ROOT))
        sys.path_importer_cache.clear()
        for name in shadowed:  # Whatever has been imported under the name is not ours.
            sys.modules.pop(name, None)
    return shadowed


def _is_foreign(name: str) -> bool:
    spec = PathFinder.find_spec(name, sys.path)
    return spec is None or spec.origin is None or Path(spec.origin).parent.parent != ROOT


def _lsp(arguments: list[str]) -> int | None:
    """Serve an editor; ``None`` if this needs the whole command line (help, a mistake, a terminal)."""
    model: str | None = None
    rest = [it for it in arguments if it != "--stdio"]  # Some clients add it to every command.
    if rest[:1] == ["--model"] and len(rest) == 2:
        model, rest = rest[1], []
    elif len(rest) == 1 and rest[0].startswith("--model="):
        model, rest = rest[0].removeprefix("--model="), []
    if rest or sys.stdin is None or sys.stdin.isatty():
        return None
    from lsp_server.greeting import serve

    return serve(model)


if __name__ == "__main__":
    main()
