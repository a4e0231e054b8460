"""A document in blocks, so that a keystroke sorts one of them again and not the whole document.

Where a block ends is decided by the lines around that place, not by counting from the top: an edit moves the
borders near it and no others. Cutting and coding depend on nothing but the text: a document that was edited a
thousand times has the same blocks as one that was just opened.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from codeindex.memory.coded import CONTEXT_BYTES, code_lines, encoded, safe
from codeindex.memory.segment import Bytes, Positions, sorted_ends

SMALLEST = 16_384
"""Bytes in a block, more or less: this many are sorted in a millisecond or two, on one core."""
BLOCKS = 12
"""About as many blocks as a long document has: each costs 10 µs per question."""
NEWLINE = ord("\n")


class Key(NamedTuple):
    """All that a block's coded text and the order of its places depend on."""

    raw: bytes
    levels: tuple[int, ...]
    """The levels of indentation that are open where it begins."""
    lead: bytes
    """The end of the coded text before it; zeros before the first block."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Block:
    """A part of a document, coded, its places sorted."""

    text: bytes
    """Coded, with the line break after it."""
    ends: Positions
    """Counted from the beginning of the lead."""
    levels: tuple[int, ...]
    """The levels of indentation that are open after it."""


def blocks(text: str, known: Mapping[Key, Block]) -> list[tuple[Key, Block]]:
    """The document's blocks in their order; those that are known already are not made again."""
    found: list[tuple[Key, Block]] = []
    levels: tuple[int, ...] = (0,)
    lead = bytes(CONTEXT_BYTES)
    for raw in cut(encoded(safe(text))):
        key = Key(raw, levels, lead)
        block = known.get(key) or _block(key, first=not found)
        found.append((key, block))
        levels = block.levels
        lead = (lead + block.text)[-CONTEXT_BYTES:]
    return found


def cut(raw: bytes) -> list[bytes]:
    """The text in pieces of whole lines: half to one and a half times as long as wanted if lines allow it.

    Of the line ends in reach, the one with the least hash of the lines around: mostly one and the same.
    """
    size = SMALLEST
    while 2 * size <= len(raw) // BLOCKS:
        size *= 2
    if len(raw) < 2 * size:
        return [raw]
    array = np.frombuffer(raw, np.uint8)
    ends = np.flatnonzero(array == NEWLINE) + 1
    hashes = _hashes(array, ends)
    pieces = []
    start = 0
    while 2 * size <= len(raw) - start:
        first, last = ends.searchsorted((start + size // 2, start + size + size // 2)).tolist()
        if first == len(ends):
            break
        best = first + int(hashes[first:last].argmin()) if first < last else first
        stop = int(ends[best])
        pieces.append(raw[start:stop])
        start = stop
    return [*pieces, raw[start:]] if start < len(raw) else pieces


def _hashes(array: Bytes, ends: npt.NDArray[np.intp]) -> npt.NDArray[np.uint32]:
    """A number for each line end, from the lengths of three lines and the bytes around: cheap, not unique."""
    lengths = np.diff(ends, prepend=0).astype(np.uint32)
    own = ((lengths << 8) + array[ends - np.minimum(2, ends)]).astype(np.uint32)
    mixed = own * np.uint32(2654435761)
    mixed[1:] ^= own[:-1] * np.uint32(2246822519)
    mixed[2:] ^= own[:-2] * np.uint32(3266489917)
    mixed ^= mixed >> np.uint32(15)
    return mixed


def _block(key: Key, *, first: bool) -> Block:
    levels = list(key.levels)
    text = encoded("\n".join(code_lines(key.raw.decode().split("\n"), levels)))
    ends = sorted_ends(key.lead + text)
    ends = ends[(CONTEXT_BYTES if first else CONTEXT_BYTES + 1) <= ends]
    return Block(text=text, ends=ends, levels=tuple(levels))
