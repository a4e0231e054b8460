"""Pure: places in a document, in lines, followed through the edits that come after them.

Lines are counted from 0 and ranges are half open. Nothing here holds a text: a region names lines, and what
they say is read from the document when somebody asks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

NEAR_LINES = 3
"""Edits this close to each other are one region: nobody thinks of them apart."""
REGION_LINES = 12
"""A region is cut to this much around its last edit: more would leave a prompt no room for anything else."""
TYPED_LINES = 80
"""An edit that brings more was not typed: a paste of a file, a formatter, a branch that was switched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LineEdit:
    """The lines ``line`` to ``line + removed`` became ``line`` to ``line + inserted``, ends included."""

    line: int
    removed: int
    """How many line breaks went."""
    inserted: int
    """How many came."""

    @property
    def old_end(self) -> int:
        """Behind the last line that it touched, as lines were counted before."""
        return self.line + self.removed + 1

    @property
    def new_end(self) -> int:
        """The same as they are counted afterwards."""
        return self.line + self.inserted + 1

    @property
    def shift(self) -> int:
        """How far everything behind it moves."""
        return self.inserted - self.removed


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """Lines that were edited not long ago."""

    first: int
    last: int
    when: int
    """Of the last edit; larger is later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """All edits since some moment as one: old lines ``first`` to ``old_last`` are now up to ``new_last``."""

    first: int
    old_last: int
    new_last: int

    def moved(self, first: int, last: int) -> tuple[int, int] | None:
        """Where the old lines ``first`` to ``last`` are now; ``None`` if an edit touched them."""
        if last <= self.first:
            return first, last
        if first < self.old_last:
            return None
        shift = self.new_last - self.old_last
        return first + shift, last + shift


def follow(regions: Sequence[Region], edit: LineEdit, when: int) -> tuple[Region, ...]:
    """The regions after an edit, with its own among them; in the order of their lines, apart from each other.

    Regions it touches or comes close to become one with it. What was not typed only moves the others.
    """
    typed = edit.inserted < TYPED_LINES
    margin = NEAR_LINES if typed else 0
    first, last = edit.line, edit.new_end
    kept = []
    for it in regions:
        if it.last + margin <= edit.line:
            kept.append(it)
        elif edit.old_end + margin <= it.first:
            kept.append(replace(it, first=it.first + edit.shift, last=it.last + edit.shift))
        else:
            first = min(first, it.first)
            last = max(last, it.last + edit.shift)
    if typed:
        first, last = _around(edit, first, last)
        kept.append(Region(first=first, last=last, when=when))
    return tuple(sorted(kept, key=lambda it: it.first))


def _around(edit: LineEdit, first: int, last: int) -> tuple[int, int]:
    """At most ``REGION_LINES`` lines of a region, those at the edit's last line among them."""
    if last - first <= REGION_LINES:
        return first, last
    start = min(max(edit.new_end - 1 - REGION_LINES // 2, first), last - REGION_LINES)
    return start, start + REGION_LINES


def drifted(drift: Drift | None, edit: LineEdit) -> Drift:
    """One more edit since that moment."""
    if drift is None:
        return Drift(first=edit.line, old_last=edit.old_end, new_last=edit.new_end)
    last = max(drift.new_last, edit.old_end)
    return Drift(
        first=min(drift.first, edit.line),
        old_last=last - drift.new_last + drift.old_last,
        new_last=last + edit.shift,
    )


def edit_between(old: Sequence[str], new: Sequence[str]) -> LineEdit | None:
    """What has changed between two versions of a whole document, as one edit; ``None`` if nothing has."""
    shorter = min(len(old), len(new))
    head = next((at for at in range(shorter) if old[at] != new[at]), shorter)
    if head == len(old) == len(new):
        return None
    head = min(head, shorter - 1)  # An edit touches a line: the last one, where lines were added at the end.
    tail = next((at for at in range(shorter - head - 1) if old[-1 - at] != new[-1 - at]), shorter - head - 1)
    return LineEdit(line=head, removed=len(old) - head - tail - 1, inserted=len(new) - head - tail - 1)
