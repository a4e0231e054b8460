"""All that the memory knows at one moment: the layers, and the one question that is asked of them.

Immutable; when anything changes a new one is made, which costs little: layers are shared, not copied. Lines
are counted from 1 everywhere. Any thread may ask.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from itertools import repeat
from operator import itemgetter

import numpy as np

from codeindex.memory.coded import BETWEEN, CONTEXT_BYTES, coded_context
from codeindex.memory.nearest import Counts, Found, Mask, Places, nearest
from codeindex.memory.occurrence import AFTER_BYTES, Occurrence, Source
from codeindex.memory.segment import Segment

ON_DISK = frozenset({Source.PROJECT, Source.DEPENDENCY, Source.STANDARD})


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Layer:
    """A segment, and how it counts."""

    segment: Segment
    source: Source
    """``BUFFER``, ``PROJECT``, ``DEPENDENCY`` or ``STANDARD``; the finer ones follow from the question."""
    dead: frozenset[int] = field(default=frozenset())
    """Numbers of documents that are not there any more."""
    edited: frozenset[int] = field(default=frozenset())
    """Numbers of documents that were edited last."""
    private: bool = False
    """Whether its documents say something to themselves alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stats:
    """How much there is, for a status page."""

    layers: int
    documents: int
    bytes: int
    """Of coded text."""


class Snapshot:
    """What is handed to completion."""

    def __init__(self, layers: Iterable[Layer], *, hidden: frozenset[str] = frozenset()) -> None:
        """``hidden``: paths whose version on disk does not count, because an open buffer is newer."""
        self.layers = tuple(it for it in layers if it.segment.size)
        self._dead = [_dead(it, hidden) for it in self.layers]

    @staticmethod
    def context(before: str) -> bytes:
        """What to ask with, for a cursor after this text."""
        return coded_context(before)

    def near(self, context: bytes, *, path: str, line: int, limit: int = 32) -> list[Occurrence]:
        """The places that agree longest with the context, best first; at most 2 × ``limit`` of each layer.

        ``path`` and ``line`` are where the cursor stands. Its own line is left out: it would agree best, and
        what follows there is what is being written. With an empty context, the beginnings of documents.
        """
        wanted = context[-CONTEXT_BYTES:].rpartition(BETWEEN)[2]
        found: list[Occurrence] = []
        for number, layer in enumerate(self.layers):
            here = layer.segment.numbers.get(path)
            dead = self._dead[number]
            if layer.private:
                if here is None or (dead is not None and dead[here]):
                    continue
                dead = np.arange(len(layer.segment.documents)) != here
            elif here is not None and dead is not None and dead[here]:
                here = None
            counts = _counts(layer, dead, here, line)
            places, matched = nearest(layer.segment, wanted, limit, counts)
            # Something must agree. Where there is nothing to agree with, only beginnings of documents do.
            agrees = 0 < matched if wanted else np.isin(places, layer.segment.starts)
            if not agrees.all():
                places, matched = places[agrees], matched[agrees]
            found += _occurrences(layer, number, Found(places, matched), path=path, here=here, line=line)
        found.sort(key=itemgetter(0), reverse=True)
        return found

    def where(self, occurrence: Occurrence) -> tuple[str, int]:
        """The path and the line of an occurrence of this snapshot."""
        number, place = occurrence.origin
        layer = self.layers[number]
        segment = layer.segment
        document = segment.documents[int(np.searchsorted(segment.starts, place, "right")) - 1]
        newlines = np.count_nonzero(segment.array[document.start : place] == ord("\n"))
        return document.path, document.first_line + int(newlines)

    def stats(self) -> Stats:
        """How much there is."""
        living = {
            path
            for it in self.layers
            for number, path in enumerate(it.segment.paths)
            if number not in it.dead
        }
        return Stats(
            layers=len(self.layers), documents=len(living), bytes=sum(it.segment.size for it in self.layers)
        )


def _dead(layer: Layer, hidden: frozenset[str]) -> Mask | None:
    """For each document, whether it does not count; None if all do."""
    numbers = set(layer.dead)
    if layer.source in ON_DISK:
        known = layer.segment.numbers
        numbers.update(known[it] for it in hidden if it in known)
    if not numbers:
        return None
    dead = np.zeros(len(layer.segment.documents), np.bool_)
    dead[list(numbers)] = True
    return dead


def _counts(layer: Layer, dead: Mask | None, here: int | None, line: int) -> Counts | None:
    """Which places count: not those of dead documents, not those on the cursor's own line."""
    segment = layer.segment
    span = _span(layer, here, line) if here is not None else None
    if dead is None and span is None:
        return None

    def counts(places: Places) -> Mask:
        kept = np.ones(len(places), np.bool_)
        if dead is not None:
            kept = ~dead[np.searchsorted(segment.starts, places, "right") - 1]
        if span is not None:
            kept &= (places < span[0]) | (span[1] < places)
        return kept

    return counts


def _span(layer: Layer, here: int, line: int) -> tuple[int, int] | None:
    """Where the cursor's line begins and ends in the text; None if that part of the document is not here."""
    document = layer.segment.documents[here]
    newlines = layer.segment.newlines(here)
    number = line - document.first_line
    if number < 0 or len(newlines) < number:
        return None
    start = int(newlines[number - 1]) + 1 if number else document.start
    return start, int(newlines[number]) if number < len(newlines) else document.stop


def _occurrences(
    layer: Layer, number: int, found: Found, *, path: str, here: int | None, line: int
) -> list[Occurrence]:
    segment = layer.segment
    places, matched = found
    count = len(places)
    documents = segment.starts.searchsorted(places, "right") - 1
    source = np.full(count, int(layer.source))
    distance: Iterable[int] = repeat(-1, count)
    if layer.source is Source.PROJECT:
        known, folders = segment.folders
        source[folders[documents] == known.get(path.rpartition("/")[0], -1)] = Source.FOLDER
    if layer.edited:
        source[np.isin(documents, list(layer.edited))] = Source.EDITED
    if here is not None:
        own = documents == here
        apart = segment.newlines(here).searchsorted(places) + (segment.documents[here].first_line - line)
        source = np.where(own, np.where(apart < 0, Source.ABOVE, Source.BELOW), source)
        distance = np.where(own, np.abs(apart), -1).tolist()
    text, paths, ends = segment.text, segment.paths, places.tolist()
    last = np.minimum(places + AFTER_BYTES, segment.stops[documents]).tolist()
    after = [text[end:stop] for end, stop in zip(ends, last, strict=True)]
    of = [paths[it] for it in documents.tolist()]
    rows = zip(matched.tolist(), source.tolist(), distance, after, of, zip(repeat(number), ends), strict=True)
    return list(map(_occurrence, rows))


_occurrence: Callable[[tuple[object, ...]], Occurrence] = partial(tuple.__new__, Occurrence)
"""As ``Occurrence._make``, without its check: hundreds are made for every question."""
