"""Documents, and all places in them sorted by what stands before: a suffix array of the text read backwards.

``text[:ends[i]]`` is what stands before the i-th place, read from its end. So the places whose preceding text
agrees longest with a given context lie next to each other, around the point where that context would stand.

Sorting is libdivsufsort's, called through ctypes: it runs without the interpreter's lock, at some 11 MB/s.
"""

from __future__ import annotations

import mmap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from pydivsufsort import divsufsort

from codeindex.memory.coded import BETWEEN, CONTEXT_BYTES

PAD = CONTEXT_BYTES
"""Bytes before the first document, so that there is always something to compare. The last of them is 0."""
LARGEST = 2**31 - 4096
"""Bytes of text in one segment: positions are 32 bits, and we look a little beyond them."""

Bytes = npt.NDArray[np.uint8]
Positions = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A document as it goes into a segment."""

    path: str
    text: bytes
    """Coded."""
    size: int = 0
    """Of the file, in bytes; with the time, this tells whether the file has changed."""
    mtime_ns: int = 0
    first_line: int = 1
    """The number of the text's first line, where it is a part of a document."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A document within a segment."""

    path: str
    start: int
    stop: int
    size: int
    mtime_ns: int
    first_line: int = 1


class Run:
    """Sorted places of a segment, or of a part of it; ``base`` is to be added to each."""

    __slots__ = ("base", "ends", "numbers")

    def __init__(self, ends: Positions, base: int = 0) -> None:
        self.ends = ends
        self.base = base
        self.numbers = ends.data
        """The same as ``ends``, as Python's own numbers: faster one by one."""


class Segment:
    """Immutable: coded documents and their sorted places. Safe to read from any thread.

    Mostly there is one run of places. A document that is being edited has one for each of its blocks, so
    that only the block with the change is sorted again.
    """

    def __init__(
        self,
        text: bytes | mmap.mmap,
        runs: Sequence[Run],
        documents: Sequence[Document],
        *,
        text_size: int | None = None,
    ) -> None:
        """``text_size``: how much of ``text`` is text, where more follows it in the same file."""
        self.text = text
        self.text_size = len(text) if text_size is None else text_size
        self.runs = runs
        self.documents = documents
        self.size = sum(len(it.ends) for it in runs)
        self._newlines: dict[int, Positions] = {}

    @cached_property
    def array(self) -> Bytes:
        """The text as numbers, without a copy."""
        return np.frombuffer(self.text, np.uint8, self.text_size)

    @cached_property
    def windows(self) -> Bytes:
        """``windows[n]`` is the bytes from n to n + ``CONTEXT_BYTES``, without a copy."""
        shape = (max(0, self.text_size - CONTEXT_BYTES + 1), CONTEXT_BYTES)
        return np.ndarray(shape, np.uint8, self.text, 0, (1, 1))

    @cached_property
    def paths(self) -> Sequence[str]:
        """The path of each document."""
        return [it.path for it in self.documents]

    @cached_property
    def starts(self) -> Positions:
        """Where each document begins."""
        return np.array([it.start for it in self.documents], np.int32)

    @cached_property
    def stops(self) -> Positions:
        """Where each document ends."""
        return np.array([it.stop for it in self.documents], np.int32)

    @cached_property
    def numbers(self) -> Mapping[str, int]:
        """The number of each document by its path."""
        return {it.path: number for number, it in enumerate(self.documents)}

    @cached_property
    def folders(self) -> tuple[Mapping[str, int], Positions]:
        """A number for each folder, and the folder's number for each document."""
        known: dict[str, int] = {}
        of = [known.setdefault(it.path.rpartition("/")[0], len(known)) for it in self.documents]
        return known, np.array(of, np.int32)

    def newlines(self, number: int) -> Positions:
        """Where the lines of a document end; found at the first question for it, then kept."""
        found = self._newlines.get(number)
        if found is None:
            it = self.documents[number]
            found = newlines_in(self.array, it.start, it.stop)
            self._newlines[number] = found
        return found

    def coded(self, number: int) -> bytes:
        """A document's own text."""
        it = self.documents[number]
        return bytes(self.text[it.start : it.stop])


def build_segment(documents: Sequence[Written]) -> Segment:
    """Sort the places of these documents; together they are at most ``LARGEST`` bytes, one more for each."""
    text, placed = joined(documents)
    # The shortest beginnings of the text are nothing but padding: they come first, and are no places.
    ends = sorted_ends(text)[PAD - 1 :] if documents else np.zeros(0, np.int32)
    return Segment(text, (Run(ends),), placed)


def joined(documents: Sequence[Written]) -> tuple[bytes, tuple[Document, ...]]:
    """One text of many, and where each is in it."""
    text = b"\0" * PAD + BETWEEN.join(it.text for it in documents)
    if LARGEST < len(text):
        raise ValueError(f"A segment holds {LARGEST} bytes, not {len(text)}.")
    placed = []
    start = PAD
    for it in documents:
        stop = start + len(it.text)
        placed.append(
            Document(
                path=it.path,
                start=start,
                stop=stop,
                size=it.size,
                mtime_ns=it.mtime_ns,
                first_line=it.first_line,
            )
        )
        start = stop + len(BETWEEN)
    return text, tuple(placed)


def sorted_ends(text: bytes) -> Positions:
    """The numbers 1 … len(text), sorted by ``text[:n]`` read backwards."""
    found: Positions = divsufsort(text[::-1]).view(np.int32)
    return np.subtract(len(text), found, out=found)


def newlines_in(array: Bytes, start: int, stop: int) -> Positions:
    """The positions of the line ends between two positions."""
    return (np.flatnonzero(array[start:stop] == ord("\n")) + start).astype(np.int32)
