"""Pure: tests put behind those that a file has, with the imports that they need."""

from __future__ import annotations

from collections.abc import Sequence

from chat.edits_lines import compare, edits, split
from chat.edits_types import Edit, LineEdit, Source


def apply_lines(lines: Sequence[str], changes: Sequence[LineEdit]) -> list[str]:
    """Lines with some of them changed."""
    found = list(lines)
    for it in sorted(changes, key=lambda it: (it.first, it.last), reverse=True):
        found[it.first : it.last] = it.texts
    return found


def as_edits(source: Source, new: Sequence[str], says: str) -> tuple[Edit, ...]:
    """What makes these lines of a file."""
    lines = split(source.text)
    return edits(source, lines, compare(lines.texts, new, says=says))


def trimmed(lines: Sequence[str]) -> list[str]:
    """Without blank lines at the end."""
    found = list(lines)
    while found and not found[-1].strip():
        found.pop()
    return found
