"""One small file for every language, and what is read from it, written so that a person can check it."""

from __future__ import annotations

import textwrap
from pathlib import Path

from codeindex.parse import parse
from codeindex.types import Parsed

FILES = Path(__file__).parent


def outline(parsed: Parsed) -> str:
    """Symbols with their lines, heads and documentation; imports; what every symbol uses."""
    lines = ["degraded"] if parsed.degraded else []
    for it in parsed.symbols:
        name = f"{it.scope}.{it.name}" if it.scope else it.name
        lines.append(f"{it.first_line}-{it.last_line} {it.kind} {name} @{it.line}:{it.column}")
        lines += [f"    {it.signature}"] + ([f"    -- {it.doc}"] if it.doc else [])
    for found in parsed.imports:
        names = ", ".join(found.names)
        lines.append(f"{found.line} import {found.module}" + (f": {names}" if names else ""))
    used: dict[int | None, list[str]] = {}
    for use in parsed.references:
        used.setdefault(use.symbol, []).append(use.name + ("()" if use.is_call else ""))
    for owner, names_used in used.items():
        where = "the file" if owner is None else parsed.symbols[owner].name
        words = f"{where} uses {' '.join(names_used)}"
        lines += textwrap.wrap(words, 100, subsequent_indent="    ", break_long_words=False)
    return "\n".join(lines) + "\n"


def check(language: str, expected: str) -> None:
    """The outline of the language's file is the one expected."""
    text = (FILES / f"{language}.txt").read_text(encoding="utf-8")
    assert outline(parse(text, language)) == expected
