"""What the store has of a model's vectors: all of them, those of some chunks, those of some hashes.

Chunks' ids are never used again in a store, and those of one content are in a row; so what has come and gone
since the last look is known from the contents alone, without reading a vector.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import islice
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

AT_ONCE = 500  # SQLite takes at least 999 parameters.
PAGE = 4_096  # Rows: two megabytes.


class Asked(Protocol):
    """Of the store's reader, what is needed here."""

    def generation(self) -> int:
        """Raised by every commit."""

    def rows(self, sql: str, *values: Any) -> list[Any]:
        """What a question gives."""


class StoredVectors:
    """A reader's vectors, as ``Vectors`` follows them."""

    def __init__(self, reader: Asked) -> None:
        """For the thread that asks the reader."""
        self.reader = reader

    def generation(self) -> int:
        """Raised by every commit."""
        return self.reader.generation()

    def chunk_ids(self) -> NDArray[np.int64]:
        """Of all chunks that a file has, with and without vectors."""
        rows = self.reader.rows("SELECT first_chunk, chunks FROM content WHERE unused_since IS NULL")
        if not rows:
            return np.zeros(0, np.int64)
        first, count = np.array(rows, np.int64).T
        return np.repeat(first - np.cumsum(count) + count, count) + np.arange(count.sum())

    def vectors(self, model: str, chunks: Collection[int] | None = None) -> Iterator[tuple[int, bytes]]:
        """Of all chunks that have one, or of those among these."""
        if chunks is None:
            yield from self._all(model)
            return
        for some in _portions(chunks):
            yield from self.reader.rows(
                "SELECT chunk.id, data FROM chunk JOIN vector ON vector.hash = chunk.hash"
                f" AND model = (SELECT id FROM model WHERE name = ?) WHERE chunk.id IN ({_marks(some)})",
                model,
                *some,
            )

    def _all(self, model: str) -> Iterator[tuple[int, bytes]]:
        """In the order of the hashes, which is how they lie: looking each up takes far longer."""
        of_hash: dict[bytes, list[int]] = {}
        for chunk, digest in self.reader.rows(
            "SELECT chunk.id, chunk.hash FROM content JOIN chunk ON first_chunk <= chunk.id"
            " AND chunk.id < first_chunk + chunks WHERE unused_since IS NULL"
        ):
            of_hash.setdefault(digest, []).append(chunk)
        last = b""
        while rows := self.reader.rows(
            "SELECT hash, data FROM vector WHERE model = (SELECT id FROM model WHERE name = ?)"
            " AND ? < hash ORDER BY hash LIMIT ?",
            model,
            last,
            PAGE,
        ):
            for digest, data in rows:
                for chunk in of_hash.get(digest, ()):
                    yield chunk, data
            last = rows[-1][0]

    def of_hashes(self, model: str, hashes: Collection[bytes]) -> Iterator[tuple[bytes, bytes]]:
        """Those that there are of texts with these hashes, whether a file still has them or not."""
        for some in _portions(hashes):
            yield from self.reader.rows(
                "SELECT hash, data FROM vector WHERE model = (SELECT id FROM model WHERE name = ?)"
                f" AND hash IN ({_marks(some)})",
                model,
                *some,
            )


def _portions(values: Collection[Any]) -> Iterator[Sequence[Any]]:
    source = iter(values)
    while some := list(islice(source, AT_ONCE)):
        yield some


def _marks(values: Sequence[Any]) -> str:
    return ", ".join("?" * len(values))
