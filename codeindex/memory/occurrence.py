"""Pure: one place in the memory whose preceding text agrees with what stands before the cursor."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

AFTER_BYTES = 400


class Source(IntEnum):
    """Where an occurrence was found, nearest first."""

    ABOVE = 0
    """The same document, in a line before the cursor's."""
    BELOW = 1
    """The same document, in a line after the cursor's."""
    EDITED = 2
    """Another document, one of those that were edited last."""
    BUFFER = 3
    """Another document that is open, or was saved a moment ago."""
    FOLDER = 4
    """A file of the project, in the same folder."""
    PROJECT = 5
    DEPENDENCY = 6
    STANDARD = 7
    """The standard library."""


class Occurrence(NamedTuple):
    """A place, and what stands around it there.

    ``after`` is coded text, in bytes: its last character may be cut.
    """

    matched: int
    """Bytes before the place that agree with the context."""
    source: int
    """A ``Source``; a plain number, because sixty of these are made for every segment of every question."""
    distance: int
    """Lines from the cursor in the same document, else -1."""
    after: bytes
    """At most ``AFTER_BYTES`` after it, all of its document; empty at the end of the document."""
    path: str
    """Of its document: relative to the project's root, or absolute when it lies outside."""
    origin: tuple[int, int]
    """The layer of the snapshot it is from and its position there: ``Snapshot.where`` makes a line of it."""
