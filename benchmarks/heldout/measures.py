"""Pure: what is right, how near it is, how reliable a chance is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import pairwise
from statistics import fmean

BINS = (0.0, 0.05, 0.15, 0.3, 0.5, 0.7, 1.0)
"""Of chances. Few are high, so the low ones are told apart more finely."""


def is_exact(kind: str, said: str, wanted: str) -> bool:
    """Right to the last character; a whole line counts without its indentation, which editors adjust."""
    return said.strip() == wanted.strip() if kind == "whole_line" else said == wanted


def similarity(said: str, wanted: str) -> float:
    """Edit similarity, 0 to 1."""
    return SequenceMatcher(None, said, wanted, autojunk=False).ratio()


def share(number: int, of: int, count: int) -> int:
    """How many of ``count`` places fall to one of so many projects; all together have ``count``."""
    return (number + 1) * count // of - number * count // of


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """The lines that are said to be right with about the same chance."""

    low: float
    high: float
    count: int
    said: float
    """Their mean chance,"""
    right: float
    """and the share that is right."""


def bins(rows: Sequence[tuple[float, bool]], borders: Sequence[float] = BINS) -> Iterator[Bin]:
    """The bins that are not empty, of (chance, whether it was right). A chance of 1 is in the last one."""
    for low, high in pairwise(borders):
        part = [it for it in rows if low <= it[0] and (it[0] < high or high == borders[-1])]
        if part:
            said, right = fmean(it for it, _ in part), fmean(it for _, it in part)
            yield Bin(low=low, high=high, count=len(part), said=said, right=right)


def calibration_error(rows: Sequence[tuple[float, bool]], borders: Sequence[float] = BINS) -> float:
    """The mean distance between what a bin said and what was right, weighted by how many it has."""
    return sum(abs(it.said - it.right) * it.count for it in bins(rows, borders)) / max(len(rows), 1)
