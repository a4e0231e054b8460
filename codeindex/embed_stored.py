"""What the store has of a model's vectors: all of them, those of some chunks, those of some hashes.

Chunks' ids are never used again in a store, and those of one content are in a row; so what has come and gone
since the last look is known from the contents alone, without reading a vector.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Asked(Protocol):
    """Of the store's reader, what is needed here."""

    def generation(self) -> int:
        """Raised by every commit."""

    def chunk_ranges(self) -> list[tuple[int, int]]:
        """The first chunk of each content that a file has, and how many follow."""

    def vectors(self, model: str) -> Iterator[tuple[int, bytes]]:
        """The chunks that have a vector, with its bytes."""

    def vectors_of_chunks(self, model: str, chunks: Collection[int]) -> Iterator[tuple[int, bytes]]:
        """Those of these chunks that have a vector."""

    def vectors_of_hashes(self, model: str, hashes: Collection[bytes]) -> Iterator[tuple[bytes, bytes]]:
        """Those that there are under these hashes."""


class StoredVectors:
    """A reader's vectors, as ``Vectors`` follows them."""

    def __init__(self, reader: Asked) -> None:
        """For the thread that asks the reader."""
        self.reader = reader

    def generation(self) -> int:
        """Raised by every commit."""
        return self.reader.generation()

    def ranges(self) -> NDArray[np.int64]:
        """Of all chunks that a file has, with and without vectors: the first of a content, and how many."""
        return np.array(self.reader.chunk_ranges(), np.int64).reshape(-1, 2)

    def vectors(self, model: str, chunks: Collection[int] | None = None) -> Iterator[tuple[int, bytes]]:
        """Of all chunks that have one, or of those among these."""
        if chunks is None:
            return self.reader.vectors(model)
        return self.reader.vectors_of_chunks(model, chunks)

    def of_hashes(self, model: str, hashes: Collection[bytes]) -> Iterator[tuple[bytes, bytes]]:
        """Those that there are of texts with these hashes, whether a file still has them or not."""
        return self.reader.vectors_of_hashes(model, hashes)
