"""Pure: text as the project memory compares it: indentation as steps in and out, no trailing blanks, UTF-8.

Two places that say the same at different depths have the same coded text before them: they find each other.
One line of text is one line of coded text; line numbers stay what they are.
"""

from __future__ import annotations

import re

CONTEXT_BYTES = 80
"""What is compared before a place. Longer agreements are all the same: it is the same piece of code."""
DEEPER = "\x01"
"""In place of the blanks at the start of a line that stands one level deeper than the last."""
OUT = "\x02"
"""As many as the levels that end before this line."""
BETWEEN = b"\0"
"""Stands between two documents and nowhere else."""
TAB = 4  # Columns. Widths are only compared with each other, so any one number does.
BLANKS = " \t\r\f\v"
UNSAFE = re.compile(r"[\x00-\x08]")  # Would pass for our own marks.


def coded(text: str) -> bytes:
    """The whole text, coded."""
    return encoded("\n".join(code_lines(safe(text).split("\n"), [0])))


def coded_context(before: str) -> bytes:
    """The end of ``before`` as ``coded`` writes it when the line goes on at the cursor.

    Not more than is ever compared: the last ``CONTEXT_BYTES`` bytes, which may begin within a character.
    """
    start, enough = len(before), CONTEXT_BYTES + 1
    while 0 < start:
        newline = before.rfind("\n", 0, max(0, start - 1))
        enough -= len(safe(before[newline + 1 : start]).strip(BLANKS + "\n")) + 1
        start = newline + 1
        if enough <= 0:
            break
    *above, current = safe(before[start:]).split("\n")
    levels = _levels(before, start)
    lines = code_lines(above, levels)
    rest = current.lstrip(BLANKS)
    lines.append(_step(levels, _width(current[: len(current) - len(rest)])) + rest)
    return encoded("\n".join(lines))[-CONTEXT_BYTES:]


def code_lines(lines: list[str], levels: list[int]) -> list[str]:
    """Each line coded, given the open ``levels``, which are changed to those that are open afterwards."""
    found = []
    for line in lines:
        body = line.strip(BLANKS)
        if not body:
            found.append("")
            continue
        width = 0
        if line[0] in BLANKS:
            blanks = line[: len(line) - len(line.lstrip(BLANKS))]
            width = _width(blanks) if blanks.strip(" ") else len(blanks)
        found.append(body if width == levels[-1] else _step(levels, width) + body)
    return found


def safe(text: str) -> str:
    """The text without characters that mean something in coded text."""
    return UNSAFE.sub(" ", text)


def encoded(text: str) -> bytes:
    """UTF-8; halves of characters, which an editor may send, become question marks."""
    return text.encode("utf-8", "replace")


def _step(levels: list[int], width: int) -> str:
    """The mark for a line that begins in this column; the levels are those after it."""
    if levels[-1] < width:
        levels.append(width)
        return DEEPER
    ended = 0
    while width < levels[-1]:
        levels.pop()
        ended += 1
    if levels[-1] < width:
        levels.append(width)
    return OUT * ended


def _width(blanks: str) -> int:
    column = 0
    for blank in blanks:
        if blank == "\t":
            column += TAB - column % TAB
        else:
            column += blank == " "
    return column


def _levels(text: str, end: int) -> list[int]:
    """The levels that are open after ``text[:end]``, whole lines: found from below, mostly in a few lines.

    A level is open if no later line begins further left. So the lines that count are those further left than
    all below them, and the first one at the left margin ends the search.
    """
    found: list[int] = []
    least = -1  # nothing seen yet
    while 0 < end:
        start = text.rfind("\n", 0, end - 1) + 1
        line = safe(text[start : end - 1])
        body = line.lstrip(BLANKS)
        if body:
            width = _width(line[: len(line) - len(body)])
            if least < 0 or width < least:
                least = width
                found.append(width)
            if not width:
                break
        end = start
    return found[::-1] if found and not found[-1] else [0, *found[::-1]]
