"""Find the places in one segment whose preceding text agrees longest with a context."""

from __future__ import annotations

import mmap
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from codeindex.memory.coded import CONTEXT_BYTES
from codeindex.memory.segment import Bytes, Run, Segment

REACH = (1, 4, 64)
"""How far we look, in limits, until enough of the nearest places count. 2,048 places on a side take 50 µs."""

Places = npt.NDArray[np.int32]
Counted = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Counts = Callable[[Places], Mask]
"""Which of these places count."""


class Found(NamedTuple):
    """Places and, for each, how many bytes before it agree with the context."""

    places: Places
    matched: Counted


def nearest(segment: Segment, context: bytes, limit: int, counts: Counts | None) -> Found:
    """The places around where a context would stand, which agree longest: at most ``limit`` on each side.

    Of a segment with several runs, the best of them all.
    """
    key = context[::-1]
    found = [_around(segment, run, key, limit, counts) for run in segment.runs]
    places = found[0] if len(found) == 1 else np.concatenate(found)
    matched = agreement(segment, places, np.frombuffer(context, np.uint8))
    if 2 * limit < len(places):
        best = np.argsort(-matched, kind="stable")[: 2 * limit]
        return Found(places[best], matched[best])
    return Found(places, matched)


def insertion(text: bytes | mmap.mmap, run: Run, key: bytes) -> int:
    """How many places of the run stand before where the key would: ``bisect_left``, on the mapped bytes."""
    ends, base, width = run.numbers, run.base, len(key)
    low, high = 0, len(ends)
    while low < high:
        middle = (low + high) >> 1
        end = ends[middle] + base
        if text[end - width : end][::-1] < key:
            low = middle + 1
        else:
            high = middle
    return low


def _around(segment: Segment, run: Run, key: bytes, limit: int, counts: Counts | None) -> Places:
    point = insertion(segment.text, run, key)
    for reach in (it * limit for it in REACH):
        first = max(0, point - reach)
        places = run.ends[first : point + reach] + run.base
        if counts is None:
            return places
        kept = counts(places)
        below, above = places[: point - first], places[point - first :]
        kept_below, kept_above = below[kept[: len(below)]], above[kept[len(below) :]]
        short = len(kept_below) < limit and reach <= len(below)
        if not (short or (len(kept_above) < limit and reach <= len(above))):
            break
    return np.concatenate((kept_below[-limit:], kept_above[:limit]))


def agreement(segment: Segment, places: Places, context: Bytes) -> Counted:
    """For each place, how many bytes before it agree with the end of the context."""
    width = len(context)
    if not width:
        return np.zeros(len(places), np.int64)
    windows = segment.windows
    start = places - CONTEXT_BYTES
    try:
        before = windows[start]
    except IndexError:  # A damaged file's places may be anywhere: then they agree with something else.
        before = windows[np.clip(start, 0, len(windows) - 1)]
    same = np.zeros((len(places), width + 1), np.bool_)  # The last column is never the same.
    np.equal(before[:, : -width - 1 : -1], context[::-1], out=same[:, :width])
    matched: Counted = same.argmin(1)
    return matched
