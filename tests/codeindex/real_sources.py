"""Real code to be indexed in tests: this repository's own small files in many languages, and typing in them.

What a real parser makes of them is not known beforehand; what must hold of an index holds all the same.
"""

from __future__ import annotations

import random
import re
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
PLACES = (
    "codeindex/l*.py",
    "codeindex/f*.py",
    "codeindex/store/*.py",
    "scripts/demo_files/*",
    "editors/neovim/lua/hearth/*.lua",
    "docs/s*.md",
    "tests/e2e/clients/*.json",
    "pyproject.toml",
    "scripts/*.sh",
)
LONGEST = 7_000  # Characters.
SOURCES = tuple(
    (path.suffix, text)
    for place in PLACES
    for path in sorted(REPOSITORY.glob(place))
    if path.is_file() and len(text := path.read_text(encoding="utf-8")) <= LONGEST
)
WORDS = ("path", "return", "text", "self", "number", "call")
"""What stands in most of them."""


def source(chance: random.Random, suffix: str = "") -> tuple[str, str]:
    """A file's suffix and its text, of this language if one is asked for."""
    return chance.choice([it for it in SOURCES if suffix in ("", it[0])] or SOURCES)


def typed(text: str, chance: random.Random) -> str:
    """A text after somebody has worked on it; it may well be broken in the middle of a word."""
    lines = text.split("\n")
    start = chance.randrange(len(lines))
    end = start + chance.randrange(1, 12)
    match chance.choice(["cut", "double", "rename", "break", "other", "indent"]):
        case "cut":
            return "\n".join(lines[:start] + lines[end:])
        case "double":
            return "\n".join(lines[:end] + lines[start:])
        case "rename":
            names = sorted(set(re.findall(r"[a-z_]{4,}", text))) or ["x"]
            return re.sub(rf"\b{chance.choice(names)}\b", f"renamed_{chance.randrange(9)}", text)
        case "break":
            return text[: chance.randrange(len(text) + 1)]
        case "indent":
            return "\n".join(lines[:start] + [f"  {it}" for it in lines[start:end]] + lines[end:])
    return text + "\n" + source(chance)[1][: chance.randrange(LONGEST)]
