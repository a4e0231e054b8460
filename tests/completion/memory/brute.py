"""A project memory that finds the nearest places by sorting all of them: slow, short, and surely right."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from codeindex.memory.coded import CONTEXT_BYTES, coded, coded_context
from completion.memory.evidence import Source

AFTER_BYTES = 400
BETWEEN = b"\0"


class Place(NamedTuple):
    """One place, as prediction sees it."""

    matched: int
    source: int
    distance: int
    after: bytes
    path: str
    line: int


class Part:
    """Some documents that count alike, with their places in the order of what stands before them."""

    def __init__(self, source: Source, texts: Mapping[str, str]) -> None:
        self.source = source
        self.text = b""
        places: list[tuple[bytes, str, int, int]] = []
        for path, text in texts.items():
            start, stop = len(self.text) + 1, len(self.text) + 1 + len(coded(text))
            self.text += BETWEEN + coded(text)
            places += ((self.text[:it][::-1], path, it, stop) for it in range(start, stop + 1))
        self.places = sorted(places)


class Brute:
    """Satisfies ``completion.memory.evidence.Memory``; lines are counted from 1."""

    def __init__(self, *parts: tuple[Source, Mapping[str, str]]) -> None:
        """The source of a part is ``OPEN``, ``PROJECT``, ``DEPENDENCY`` or ``STANDARD_LIBRARY``."""
        self._parts = [Part(source, texts) for source, texts in parts]

    @staticmethod
    def context(before: str) -> bytes:
        return coded_context(before)

    def near(self, context: bytes, *, path: str, line: int, limit: int) -> Sequence[Place]:
        key = context[-CONTEXT_BYTES:].rpartition(BETWEEN)[2][::-1]
        found = [it for part in self._parts for it in _nearest(part, key, path, line, limit)]
        return sorted(found, key=lambda it: -it.matched)

    @staticmethod
    def where(occurrence: Place) -> tuple[str, int]:
        return occurrence.path, occurrence.line


def _nearest(part: Part, key: bytes, path: str, line: int, limit: int) -> list[Place]:
    found: list[Place] = []
    keys: list[bytes] = []
    for before, of, end, stop in part.places:
        at = before.partition(BETWEEN)[0].count(b"\n") + 1
        if (of, at) == (path, line):
            continue
        source, distance = part.source, -1
        if of == path:
            source, distance = Source.ABOVE if at < line else Source.BELOW, abs(at - line)
        elif source is Source.PROJECT and of.rpartition("/")[0] == path.rpartition("/")[0]:
            source = Source.FOLDER
        after = part.text[end : min(end + AFTER_BYTES, stop)]
        found.append(Place(_agreement(before, key), source, distance, after, of, at))
        keys.append(before)
    point = bisect_left(keys, key)
    near = slice(max(0, point - limit), point + limit)
    # Something must agree; where there is nothing to agree with, only the beginnings of documents do.
    return [
        it
        for it, before in zip(found[near], keys[near], strict=True)
        if (it.matched if key else before.startswith(BETWEEN))
    ]


def _agreement(one: bytes, other: bytes) -> int:
    for matched, (a, b) in enumerate(zip(one, other, strict=False)):
        if a != b:
            return matched
    return min(len(one), len(other))
