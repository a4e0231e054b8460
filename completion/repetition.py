"""Pure: find where a text starts to repeat itself or what already stands in the document."""

from __future__ import annotations

import re
from collections.abc import Sequence

SAME_LINE_TIMES = 3  # Twice the same line happens in real code; three times in a row is a model in a loop.
LONGEST_CYCLE = 6  # Lines; two rounds of a longer one are more than a suggestion has.
RUNAWAY = re.compile(r"(\S(?:.{1,23}?))\1{7,}")
"""The same 2 to 24 characters eight times in a row: no code, but what a small model does when it is lost."""
ONE_CHARACTER = re.compile(r"(.)\1*")
MEANINGFUL_CHARACTERS = 3  # `}` and `i` stand twice for good reasons; `foo` hardly.

COMMON_CHARACTERS = 5  # `try:`, `pass` and `break` start or end many blocks that are not the same.
LONG = 8  # A ruler of dashes that long is a line of its own; closing brackets are never that many.


def says_something(line: str) -> bool:
    """Whether a line has enough in it that its repetition means something."""
    return MEANINGFUL_CHARACTERS <= sum(it.isalnum() for it in line) or LONG <= len(line.strip())


def is_common(line: str) -> bool:
    """Whether a line is so short that another one like it may well be another one."""
    return sum(it.isalnum() for it in line) <= COMMON_CHARACTERS and len(line.strip()) < LONG


def is_again(line: str, other: str) -> bool:
    """Whether two lines are the same, indentation included, and say something."""
    return line.rstrip() == other.rstrip() and says_something(line)


def loop_start(lines: Sequence[str]) -> int | None:
    """The index from which the last lines only repeat; ``None`` while they do not. No line is blank."""
    times = SAME_LINE_TIMES
    if times <= len(lines) and says_something(lines[-1]) and len(set(lines[-times:])) == 1:
        return len(lines) - times + 1
    for length in range(2, min(LONGEST_CYCLE, len(lines) // 2) + 1):
        last = lines[-length:]
        if last == lines[-2 * length : -length] and 1 < len({it for it in last if says_something(it)}):
            return len(lines) - length
    return None


def runs_in_circles(line: str) -> bool:
    """Whether a line repeats a few characters over and over; a ruler of one character does not count."""
    found = RUNAWAY.search(line)
    return found is not None and ONE_CHARACTER.fullmatch(found.group(1)) is None
