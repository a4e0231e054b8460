"""Pure: what a documentation shall say, part by part, and where the parts that it lacks belong in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One part: of a parameter, of what is returned, of an error."""

    rank: int
    """Parts stand in the order of their ranks."""
    key: str
    """What it is about: a parameter's name; empty where there is only one of its rank."""
    lines: tuple[str, ...]
    """Without the comment's marks and without the indentation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class There:
    """A part that is there already: its first line, and the one behind its last."""

    rank: int
    key: str
    first: int
    end: int


def missing(wanted: Sequence[Item], there: Sequence[There]) -> tuple[Item, ...]:
    """The parts that are not there; of what there is only one of, any is enough."""
    known = {(it.rank, it.key) for it in there}
    return tuple(it for it in wanted if (it.rank, it.key) not in known)


def places(wanted: Sequence[Item], there: Sequence[There], end: int) -> list[tuple[int, list[Item], bool]]:
    """Where to put the parts that are missing: a line, the parts, and whether they are the first.

    Behind the nearest part that comes before it in the right order, else before the first that comes after
    it, else at ``end``.
    """
    order = {(it.rank, it.key): at for at, it in enumerate(wanted)}
    found: dict[int, tuple[list[Item], bool]] = {}
    for item in missing(wanted, there):
        own = order[item.rank, item.key]
        before = [it for it in there if _order(it, order) < (item.rank, own)]
        after = [it for it in there if (item.rank, own) < _order(it, order)]
        if before:
            at = max(before, key=lambda it: (_order(it, order), it.first)).end
        elif after:
            at = min(it.first for it in after)
        else:
            at = end
        found.setdefault(at, ([], not there))[0].append(item)
    return [(at, items, alone) for at, (items, alone) in sorted(found.items())]


def _order(it: There, order: dict[tuple[int, str], int]) -> tuple[int, int]:
    """One that is not wanted, as it has another name, stands before those of its rank."""
    return it.rank, order.get((it.rank, it.key), -1)
