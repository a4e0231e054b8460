"""Pure: which closing brackets the document still lacks at the cursor."""

from __future__ import annotations

from dataclasses import dataclass

from completion.brackets import Lexed, Mark
from completion.indentation import width
from completion.languages import CLOSER_OF, CLOSERS

NESTED = 100  # Brackets; nobody nests deeper, and looking at more would take the square of their number.


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A bracket above the cursor that nothing closes there, as its closer, with its line's indentation."""

    closer: str
    depth: int
    on_cursor_line: bool


def owed(before: str, lexed_before: Lexed, after: str, lexed_after: Lexed, *, whole: bool) -> str:
    """The closers that the document still lacks at the cursor, innermost first.

    A closer that starts its line closes nothing that stands deeper than itself: with that, the brace that
    ends the function is not taken for the one that is missing on the cursor's line.

    When the document goes on behind what was read (not ``whole``), a brace that was opened above the cursor's
    line is taken to be closed there, and so is all around it: a closer too many is worse than one too few.
    """
    waiting = _placed(before, lexed_before)
    lacking = ""
    for mark in lexed_after.closes:
        depth = _depth_at_line_start(after, mark)
        while waiting and depth is not None and depth < waiting[-1].depth:
            lacking += waiting.pop().closer
        if mark.text not in {it.closer for it in waiting[-NESTED:]}:
            continue
        while (innermost := waiting.pop().closer) != mark.text:
            lacking += innermost
    for it in reversed(waiting):
        if it.closer == "}" and not it.on_cursor_line and not whole:
            break
        lacking += it.closer
    return lacking


def _placed(text: str, lexed: Lexed) -> list[Placed]:
    placed = []
    line_start, line_end, depth = 0, -1, 0
    for mark in lexed.opens:
        if line_end < mark.at:
            line_start = text.rfind("\n", 0, mark.at) + 1
            line_end = text.find("\n", mark.at) if "\n" in text[mark.at :] else len(text)
            depth = width(text[line_start:line_end])
        is_last = line_end == len(text)
        placed.append(Placed(closer=CLOSER_OF[mark.text], depth=depth, on_cursor_line=is_last))
    return placed


def _depth_at_line_start(text: str, mark: Mark) -> int | None:
    """The closer's indentation, if nothing but closers stands before it on its line."""
    line_start = text.rfind("\n", 0, mark.at) + 1
    head = text[line_start : mark.at]
    return width(head) if line_start and not head.strip(CLOSERS + " \t") else None
