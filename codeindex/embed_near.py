"""Search by meaning: a question -> the chunks with the nearest vectors."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Collection
from pathlib import Path

from codeindex.embed import Embedder, open_embedder
from codeindex.embed_pool import Floats, unit
from codeindex.embed_stored import Asked, StoredVectors
from codeindex.vectors import Vectors

QUESTIONS = 128  # That are remembered: a question is asked again with every letter of a filter.
LONGEST_QUESTION = 20_000  # Characters.
RESTS = 9  # Times as long as the last look took, before the next,
QUICK_S = 0.2  # unless that was no longer: what was saved is to be found, and commits come once a second.


class ByMeaning:
    """An embedder and the vectors that it made. Any thread may call."""

    def __init__(self, embedder: Embedder, vectors: Vectors) -> None:
        """Both of the same model."""
        assert vectors.model == embedder.model, "vectors of another model are not comparable"
        self.vectors = vectors
        self._embedder = embedder
        self._stored: StoredVectors | None = None
        self._rest_until = 0.0
        self._lock = threading.Lock()
        self._known: OrderedDict[str, Floats] = OrderedDict()

    def near(self, query: str, limit: int, allowed: Collection[int] | None = None) -> list[tuple[int, float]]:
        """The nearest chunks with their cosines, the nearest first. ``ModelError`` if the model fails."""
        if not len(self.vectors) or not query.strip():
            return []
        return self.vectors.search(self._vector(query[:LONGEST_QUESTION]), limit, allowed)

    def refresh(self, reader: Asked) -> bool:
        """Take in what was committed since; whether there was a look. Call it as often as is convenient.

        While a large code base gets its first vectors, a look takes long: a tenth of the time at most.
        """
        if time.monotonic() < self._rest_until:
            return False
        is_first = self._stored is None or self._stored.reader is not reader
        if self._stored is None or is_first:
            self._stored = StoredVectors(reader)
        started = time.monotonic()
        self.vectors.refresh(self._stored)
        took = time.monotonic() - started
        if QUICK_S < took and not is_first:  # All there is has been read: that is not so soon again.
            self._rest_until = started + took + RESTS * took
        return True

    def _vector(self, query: str) -> Floats:
        with self._lock:  # An embedder works for one at a time.
            found = self._known.pop(query, None)
            if found is None:
                found = unit(self._embedder.query(query))
            self._known[query] = found
            while QUESTIONS < len(self._known):
                self._known.popitem(last=False)
        return found


def by_meaning(folder: Path, reader: Asked, *, threads: int = 1) -> ByMeaning:
    """The model in this folder with what the store has of it; ``ModelError`` says why there is none."""
    embedder = open_embedder(folder, threads=threads)
    meaning = ByMeaning(embedder, Vectors(embedder.model, embedder.dimensions))
    meaning.refresh(reader)
    return meaning
