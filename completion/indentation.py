"""Pure: how deep a line stands, how deep the next one may stand, and how to write that in blanks."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

from completion.brackets import code_of, join, lex
from completion.languages import CLOSERS, opens_block

if TYPE_CHECKING:
    from completion.spot import Spot

TAB_COLUMNS = 4  # Any width will do, as long as a tab is as deep as one level of most files.
LEVELS = (2, 3, 4, 8)  # Columns that people use for one level; other steps are alignment.
CONTINUES = re.compile(r"[=+\-*/%&|^<>?,.\\]$")
"""A line that ends so goes on in the next one, which may stand deeper."""
BLANK_LINES = re.compile(r"(?:[^\S\n]*\n)*")
INDENTED = re.compile(r"^([ \t]*)[^ \t\n]", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstLine:
    """The first line of a suggestion for a blank line: how deep the model put it, how deep it belongs."""

    body: str
    """The suggestion from its first visible character on."""
    given: int
    wanted: int


def leading(line: str) -> str:
    """The blanks at the start of a line."""
    return line[: len(line) - len(line.lstrip(" \t"))]


def width(line: str) -> int:
    """How many columns the line is indented."""
    blanks = leading(line)
    return len(blanks) + blanks.count("\t") * (TAB_COLUMNS - 1)


@lru_cache(maxsize=4)  # The clean-up steps of one suggestion ask several times.
def unit_of(text: str, language: str) -> str:
    """The blanks of one level, judged by the lines of a text; empty when they do not tell."""
    blanks = INDENTED.findall(text)
    tabs = sum(it.startswith("\t") for it in blanks)
    spaces = sum(it.startswith("  ") for it in blanks)
    steps = Counter(len(it) - len(above) for above, it in pairwise(["", *blanks]))
    if spaces < tabs or (not spaces and language in ("go", "makefile")):
        return "\t"
    if not spaces:
        return ""
    return " " * max(LEVELS, key=lambda it: (steps[it], it == 4))


def unit_width(unit: str) -> int:
    """How many columns one level is."""
    return TAB_COLUMNS if unit == "\t" else len(unit) or TAB_COLUMNS


def blanks_of(columns: int, unit: str) -> str:
    """So many columns, written the way the document does."""
    if unit == "\t":
        return "\t" * (columns // TAB_COLUMNS) + " " * (columns % TAB_COLUMNS)
    return " " * columns


def first_line(text: str, spot: Spot) -> FirstLine:
    """Where the suggestion's first line stands and should stand, for a cursor on a blank line.

    A model may continue behind the typed blanks, write all blanks of the line again, or leave the line blank
    and go on below; all three mean the same line to the user.
    """
    typed = spot.line_before
    skipped = BLANK_LINES.match(text)
    start = skipped.end() if skipped else 0
    body = text[start:].lstrip(" \t")
    own = leading(text[start:])
    given = width(own) if start else width(typed + own)
    if spot.facts.indents_freely:
        return FirstLine(body=body, given=given, wanted=max(given, width(typed)))
    least, most = _bounds(spot, body[:1] in tuple(CLOSERS))
    return FirstLine(body=body, given=given, wanted=max(min(max(given, least), most), width(typed)))


@lru_cache(maxsize=4)  # The stop rules ask again for every piece that the model says.
def _bounds(spot: Spot, closing: bool) -> tuple[int, int]:
    """The shallowest and deepest place for the cursor's line, by the line above."""
    above = spot.lines_above
    if not above:
        return 0, 0
    code, here = code_of(above[0], spot.facts), width(_statement_start(above, spot))
    typed = width(spot.line_before)
    deeper = typed if here < typed and not spot.unit else here + unit_width(spot.unit)
    if not opens_block(code, spot.facts):
        return 0, deeper if CONTINUES.search(code) else here
    surely = code.endswith(("(", "[", "{")) or spot.facts.by_indentation
    is_fresh = typed in (0, here)  # Elsewhere somebody has put the cursor on purpose.
    return (here if closing else deeper) if surely and is_fresh else 0, deeper


def _statement_start(above: list[str], spot: Spot) -> str:
    """The line on which what the line above ends has begun, as with a signature that takes several lines."""
    lexed = lex("", spot.facts)
    for line in above:
        lexed = join(lex(line, spot.facts), lexed)
        if not lexed.closes:
            return line
    return above[0]
