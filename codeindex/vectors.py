"""The vectors of a workspace in memory, to be searched: the one home of faiss. SQLite has the truth.

Exact search: 100,000 vectors are compared in milliseconds, and what is deleted is gone, which graphs of
neighbors cannot promise. What is compared are the bytes that are stored, 16-bit floats, not a copy of them in
another shape; so filling it from SQLite takes a fraction of a second, and there is no file of it.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from codeindex.embed_pool import Floats

Ids = NDArray[np.int64]
Codes = NDArray[np.uint8]

VALUE_BYTES = 2
BLOCK = 4_096  # Rows that are looked at together: two megabytes.
SHOWN = 5  # Ids that a complaint names.


class Stored(Protocol):
    """Of the store's reader, what is needed here."""

    def generation(self) -> int:
        """Raised by every commit."""

    def vectors(self, model: str) -> Iterator[tuple[int, bytes]]:
        """The chunks that have one, with its bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a refresh has done."""

    added: int
    removed: int
    unfit: int
    """Rows that are not as long as this model's vectors: left out."""


class Vectors:
    """Vectors of unit length by the ids of their chunks. Any thread may call."""

    def __init__(self, model: str, dimensions: int) -> None:
        """Empty; ``refresh`` fills it."""
        import faiss  # Only where somebody searches by meaning: it takes a moment and 30 MB.

        self.model = model
        self.dimensions = dimensions
        self.generation = 0
        """Of the store, when it was last looked at."""
        self._faiss: Any = faiss
        self._refreshing = threading.Lock()
        self._moving = threading.Lock()  # A search in an array that moves would read what is not there.
        self._flat: Any = faiss.IndexScalarQuantizer(
            dimensions, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT
        )
        self._index: Any = faiss.IndexIDMap2(self._flat)

    def __len__(self) -> int:
        """How many vectors there are."""
        return int(self._index.ntotal)

    def refresh(self, reader: Stored) -> Change:
        """Become what the store has, if that has changed: add what is new, remove what is gone."""
        generation = reader.generation()  # First: what is committed meanwhile is for the next time.
        if generation == self.generation:
            return Change(added=0, removed=0, unfit=0)
        with self._refreshing:
            change = self._patch(reader.vectors(self.model))
            self.generation = generation
        return change

    def search(
        self, vector: Floats, limit: int, allowed: Collection[int] | Ids | None = None
    ) -> list[tuple[int, float]]:
        """The nearest chunks with their cosines, the nearest first; among the ``allowed`` ones, if given."""
        limit = min(limit, len(self))
        if limit < 1 or (allowed is not None and not len(allowed)):
            return []
        asked = np.ascontiguousarray(vector, np.float32).reshape(1, -1)
        params = None
        if allowed is not None:
            among = np.fromiter(allowed, np.int64, len(allowed))
            params = self._faiss.SearchParameters(sel=self._faiss.IDSelectorBatch(among))
        with self._moving:
            self._faiss.omp_set_num_threads(1)  # It counts for the thread that asks, so each time.
            cosines, ids = self._index.search(asked, limit, params=params)
        found = zip(ids[0].tolist(), cosines[0].tolist(), strict=True)
        return [(chunk, cosine) for chunk, cosine in found if 0 <= chunk]

    def check(self, reader: Stored) -> list[str]:
        """What is not as the store has it, in sentences; nothing, if the store stood still meanwhile."""
        with self._refreshing:
            known, codes = self._ids().tolist(), self._codes()
            places = {it: place for place, it in enumerate(known)}
            stored, other = set(), []
            for chunk, data in reader.vectors(self.model):
                stored.add(chunk)
                if chunk in places and codes[places[chunk]].tobytes() != data:
                    other.append(chunk)
        said = (
            ("have two vectors in memory", [it for it, count in Counter(known).items() if 1 < count]),
            ("are in the store and not in memory", stored - places.keys()),
            ("are in memory and not in the store", places.keys() - stored),
            ("have another vector in memory than in the store", other),
        )
        return [f"{len(it)} chunks {what}: {sorted(it)[:SHOWN]}." for what, it in said if it]

    def _patch(self, rows: Iterable[tuple[int, bytes]]) -> Change:
        """Ids are used again when chunks are deleted, so it is the bytes that say what is still the same."""
        known, codes = self._ids(), self._codes()
        order = np.argsort(known)
        sorted_ids = known[order]
        stays = np.zeros(len(known), bool)
        new_ids: list[Ids] = []
        new_codes: list[Codes] = []
        unfit = 0
        for block in _blocks(rows):
            fit = [it for it in block if len(it[1]) == self.dimensions * VALUE_BYTES]
            unfit += len(block) - len(fit)
            ids = np.fromiter((it[0] for it in fit), np.int64, len(fit))
            data = np.frombuffer(b"".join(it[1] for it in fit), np.uint8).reshape(len(fit), -1)
            is_new = np.ones(len(fit), bool)
            if len(known) and len(fit):
                at = np.minimum(np.searchsorted(sorted_ids, ids), len(known) - 1)
                places = order[at]
                same = (sorted_ids[at] == ids) & (codes[places] == data).all(axis=1)
                stays[places[same]] = True
                is_new = ~same
            new_ids.append(ids[is_new])
            new_codes.append(data[is_new])
        gone = known[~stays]
        with self._moving:
            if len(gone):
                self._index.remove_ids(gone)
            for some, data in zip(new_ids, new_codes, strict=True):
                if len(some):
                    self._index.add_sa_codes(data, some)
            self._index.construct_rev_map()
        return Change(added=sum(map(len, new_ids)), removed=len(gone), unfit=unfit)

    def _ids(self) -> Ids:
        found: Ids = self._faiss.vector_to_array(self._index.id_map)
        return found

    def _codes(self) -> Codes:
        """The index's own memory, valid until it is changed."""
        if not len(self):
            return np.zeros((0, self.dimensions * VALUE_BYTES), np.uint8)
        found: Any = self._faiss.rev_swig_ptr(self._flat.codes.data(), self._flat.codes.size())
        codes: Codes = found.reshape(len(self), -1)
        return codes


def packed(vectors: Floats) -> list[bytes]:
    """As they are stored and searched: 16-bit floats."""
    return [it.tobytes() for it in vectors.astype("<f2")]


def _blocks(rows: Iterable[tuple[int, bytes]]) -> Iterator[list[tuple[int, bytes]]]:
    source = iter(rows)
    while block := list(islice(source, BLOCK)):
        yield block
