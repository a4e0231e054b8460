"""The vectors of a workspace in memory, to be searched: the one home of faiss. SQLite has the truth.

Exact search: 100,000 vectors are compared in milliseconds, and what is deleted is gone, which graphs of
neighbors cannot promise. Stored is half a byte for each number, compared are 16-bit floats; filling it from
SQLite takes a fraction of a second, and there is no file of it.

Before a vector is stored it is turned, and so is every question: their angles stay. Then its numbers are
spread like chance, whatever the model, and sixteen steps say nearly as much of them as 256 would: those that
Lloyd and Max found for such numbers. What turns is a Hadamard matrix with other signs.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from codeindex.embed_memory import give_back
from codeindex.embed_pool import Floats, unit

Ids = NDArray[np.int64]
Ranges = NDArray[np.int64]
Codes = NDArray[np.uint8]
Block = tuple[Ids, Codes, int]
"""Ids, a row of bytes for each, and how many rows did not fit."""

NO_RANGES: Ranges = np.zeros((0, 2), np.int64)
VALUE_BYTES = 2
STEPS = np.array([0.128, 0.388, 0.657, 0.942, 1.256, 1.618, 2.069, 2.733], np.float32)
"""What a number of a turned vector is taken for, in parts of their root mean square; below zero the same."""
LEVELS = np.concatenate([-STEPS[::-1], STEPS])
BORDERS = (LEVELS[1:] + LEVELS[:-1]) / 2
PAIRS = np.stack(np.broadcast_arrays(LEVELS[:, None], LEVELS[None]), axis=-1).reshape(-1, 2)
"""The two numbers of each byte."""
TURNED_TOGETHER = 256  # Numbers, at most: more of them turn no better, and take longer.
MANY = 10_000  # Rows that came, after which there is memory to give back.
BLOCK = 4_096  # Rows that are looked at together: two megabytes.
SHOWN = 5  # Ids that a complaint names.


class Source(Protocol):
    """A store, as it is followed: ``StoredVectors``. Within one, no id is ever used for another chunk."""

    def generation(self) -> int:
        """Raised by every commit."""

    def ranges(self) -> Ranges:
        """Of all chunks, with and without vectors: the first id of some in a row, and how many they are."""

    def vectors(self, model: str, chunks: Collection[int] | None = None) -> Iterator[tuple[int, bytes]]:
        """The chunks that have one, or those among these, with its bytes."""


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
        self._source: Source | None = None
        self._bytes = dimensions * VALUE_BYTES
        self._faiss: Any = faiss
        self._refreshing = threading.Lock()
        self._moving = threading.Lock()  # A search in an array that moves would read what is not there.
        self._flat: Any = faiss.IndexScalarQuantizer(
            dimensions, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT
        )
        self._index: Any = faiss.IndexIDMap(self._flat)
        self._ranges: Ranges = NO_RANGES
        """Of the store, when it was last looked at."""
        self._waiting: Ids = NO_RANGES[:, 0]
        """Chunks that had no vector then."""
        self._moved = 0

    def __len__(self) -> int:
        """How many vectors there are."""
        return int(self._index.ntotal)

    def refresh(self, source: Source) -> Change:
        """Become what the store has, if that has changed: add what is new, remove what is gone.

        Another store than the last time is compared byte by byte: there, an id may be another chunk.
        """
        generation = source.generation()  # First: what is committed meanwhile is for the next time.
        if source is self._source and generation == self.generation:
            return Change(added=0, removed=0, unfit=0)
        with self._refreshing:
            change = self._follow(source) if source is self._source else self._begin(source)
            self._source, self.generation = source, generation
        self._moved += change.added
        if MANY < self._moved and not len(self._waiting):
            self._moved = 0
            give_back()
        return change

    def search(
        self, vector: Floats, limit: int, allowed: Collection[int] | Ids | None = None
    ) -> list[tuple[int, float]]:
        """The nearest chunks with their cosines, the nearest first; among the ``allowed`` ones, if given."""
        limit = min(limit, len(self))
        if limit < 1 or (allowed is not None and not len(allowed)):
            return []
        asked = np.ascontiguousarray(turned(np.asarray(vector, np.float32).reshape(1, -1)))
        params = None
        if allowed is not None:
            params = self._faiss.SearchParameters(sel=self._faiss.IDSelectorBitmap(_bits(allowed)))
        with self._moving:
            self._faiss.omp_set_num_threads(1)  # It counts for the thread that asks, so each time.
            cosines, ids = self._index.search(asked, limit, params=params)
        found = zip(ids[0].tolist(), cosines[0].tolist(), strict=True)
        return [(chunk, cosine) for chunk, cosine in found if 0 <= chunk]

    def check(self, source: Source) -> list[str]:
        """What is not as the store has it, in sentences; nothing, if the store stood still meanwhile."""
        with self._refreshing:
            known, codes = self._ids().tolist(), self._codes()
            places = {it: place for place, it in enumerate(known)}
            stored, other = set(), []
            for ids, rows, _ in _blocks(source.vectors(self.model), self.dimensions):
                for chunk, row in zip(ids.tolist(), rows, strict=True):
                    stored.add(chunk)
                    if chunk in places and (codes[places[chunk]] != row).any():
                        other.append(chunk)
        said = (
            ("have two vectors in memory", [it for it, count in Counter(known).items() if 1 < count]),
            ("are in the store and not in memory", stored - places.keys()),
            ("are in memory and not in the store", places.keys() - stored),
            ("have another vector in memory than in the store", other),
        )
        return [f"{len(it)} chunks {what}: {sorted(it)[:SHOWN]}." for what, it in said if it]

    def _follow(self, source: Source) -> Change:
        """A few files' chunks, of however many: the cost of a look is that of what has changed."""
        there = source.ranges()
        gone, new = ids_in(_rows_without(self._ranges, there)), ids_in(_rows_without(there, self._ranges))
        wanted = np.concatenate((np.setdiff1d(self._waiting, gone, assume_unique=True), new))
        blocks = list(_blocks(source.vectors(self.model, wanted.tolist()), self.dimensions))
        added = [ids for ids, _, _ in blocks]
        removed = self._change(gone, blocks)
        self._ranges = there
        self._waiting = np.setdiff1d(wanted, np.concatenate([*added, NO_RANGES[:, 0]]), assume_unique=True)
        return Change(added=sum(map(len, added)), removed=removed, unfit=sum(it[2] for it in blocks))

    def _begin(self, source: Source) -> Change:
        """Another store: what is the same in it stays."""
        blocks = _blocks(source.vectors(self.model), self.dimensions)
        if len(self):
            change = self._become(blocks)
        else:
            added = unfit = 0
            for it in blocks:  # None of them is held while the next one is read.
                self._change(NO_RANGES[:, 0], [it])
                added, unfit = added + len(it[0]), unfit + it[2]
            change = Change(added=added, removed=0, unfit=unfit)
        self._ranges = source.ranges()  # Last: what came meanwhile waits, what went meanwhile goes.
        known, there = self._ids(), ids_in(self._ranges)
        self._waiting = np.setdiff1d(there, known, assume_unique=True)
        self._change(np.setdiff1d(known, there, assume_unique=True), [])
        return change

    def _become(self, blocks: Iterable[Block]) -> Change:
        known, codes = self._ids(), self._codes()
        order = np.argsort(known)
        sorted_ids = known[order]
        stays = np.zeros(len(known), bool)
        new: list[Block] = []
        for ids, data, unfit in blocks:
            at = np.minimum(np.searchsorted(sorted_ids, ids), len(known) - 1)
            places = order[at]
            same = (sorted_ids[at] == ids) & (codes[places] == data).all(axis=1)
            stays[places[same]] = True
            new.append((ids[~same], data[~same], unfit))
        removed = self._change(known[~stays], new)
        return Change(added=sum(len(it[0]) for it in new), removed=removed, unfit=sum(it[2] for it in new))

    def _change(self, gone: Ids, new: Iterable[Block]) -> int:
        """Remove, then add; how many of the ones that were to go were there."""
        before = len(self)
        with self._moving:
            if len(gone) and before:
                self._index.remove_ids(gone)
            removed = before - len(self)
            for ids, data, _ in new:
                if len(ids):
                    self._index.add_sa_codes(data, ids)
        return removed

    def _ids(self) -> Ids:
        found: Ids = self._faiss.vector_to_array(self._index.id_map)
        return found

    def _codes(self) -> Codes:
        """The index's own memory, valid until it is changed."""
        if not len(self):
            return np.zeros((0, self._bytes), np.uint8)
        found: Any = self._faiss.rev_swig_ptr(self._flat.codes.data(), self._flat.codes.size())
        codes: Codes = found.reshape(len(self), -1)
        return codes


def packed(vectors: Floats) -> list[bytes]:
    """As they are stored: turned, two numbers in a byte; their length is lost. Of zeros, zeros."""
    found = turned(np.asarray(vectors, np.float32))
    size = np.sqrt(np.square(found).mean(axis=1, keepdims=True))
    found /= np.where(size, size, 1)
    steps: Codes = np.zeros(found.shape, np.uint8)
    for it in BORDERS:  # A tenth of the time that a search takes.
        steps += it < found
    steps[~size.any(axis=1)] = 0  # No other vector has nothing but the lowest step.
    if len(steps.T) % 2:
        steps = np.pad(steps, ((0, 0), (0, 1)))
    rows = steps[:, 0::2] << 4 | steps[:, 1::2]
    return [it.tobytes() for it in rows]


def unpacked(rows: Codes, dimensions: int) -> Codes:
    """As they are compared: 16-bit floats of unit length, turned. ``rows`` are packed ones, a line each."""
    vectors = PAIRS[rows].reshape(len(rows), 2 * rows.shape[1])[:, :dimensions]
    vectors = vectors * rows.any(axis=1, keepdims=True)
    codes: Codes = unit(vectors).astype("<f2").view(np.uint8)
    return codes


def turned(vectors: Floats) -> Floats:
    """The same from other axes: each number becomes a sum of many, and no angle is another one."""
    width = vectors.shape[-1]
    turn = _turn(width)
    found: Floats = (vectors.reshape(-1, len(turn)) @ turn).reshape(vectors.shape)
    return found


@lru_cache
def _turn(width: int) -> Floats:
    """A Hadamard matrix, as large as the width can be parted into, with signs that are like no model's."""
    size = min(width & -width, TURNED_TOGETHER)
    found = np.ones((1, 1), np.float32)
    while len(found) < size:
        found = np.block([[found, found], [found, -found]])
    places = np.arange(size)
    parity = np.zeros(size, np.int64)  # Of neighboring ones in the places' bits: Rudin and Shapiro.
    for bit in range(size.bit_length()):
        parity ^= (places >> bit) & (places >> bit + 1) & 1
    signed: Floats = (found * (1 - 2 * parity)[:, None] / np.sqrt(size)).astype(np.float32)
    return signed


def ids_in(ranges: Ranges) -> Ids:
    """All of them, one by one."""
    first, count = ranges.T
    found: Ids = np.repeat(first - np.cumsum(count) + count, count) + np.arange(count.sum())
    return found


def _rows_without(ranges: Ranges, others: Ranges) -> Ranges:
    """Those that are not among the others."""
    theirs = set(map(tuple, others.tolist()))
    return np.array([it for it in map(tuple, ranges.tolist()) if it not in theirs], np.int64).reshape(-1, 2)


def _bits(allowed: Collection[int] | Ids) -> Codes:
    """A bit for each id: what is asked for every vector must be cheap to look up."""
    ids = np.asarray(allowed if isinstance(allowed, np.ndarray) else list(allowed), np.int64)
    said = np.zeros(int(ids.max()) + 1, bool)
    said[ids] = True
    return np.packbits(said, bitorder="little")


def _blocks(rows: Iterable[tuple[int, bytes]], dimensions: int) -> Iterator[Block]:
    source, size = iter(rows), (dimensions + 1) // 2
    while block := list(islice(source, BLOCK)):
        fit = [it for it in block if len(it[1]) == size]
        ids = np.fromiter((it[0] for it in fit), np.int64, len(fit))
        data = np.frombuffer(b"".join(it[1] for it in fit), np.uint8).reshape(len(fit), size)
        yield ids, unpacked(data, dimensions), len(block) - len(fit)
