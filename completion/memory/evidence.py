r"""What the project memory tells: places whose preceding text agrees with ours, and what follows there.

The memory itself is built elsewhere and handed in; here is only what prediction needs to know of it. Its
text is *coded*: a line's leading blanks are one ``\x01`` (a level deeper than the line before), ``\x02`` for
each level up, or nothing; lines end in ``\n``, documents in ``\0``.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import Any, Protocol

CONTEXT_BYTES = 80
"""So much of what stands before a place is compared: longer agreements are copies anyway."""
DEEPER = b"\x01"
UP = b"\x02"


class Source(IntEnum):
    """Where an occurrence stands, nearest first."""

    ABOVE = 0
    """In this document, above the cursor's line."""
    BELOW = 1
    EDITED = 2
    """In another document that was edited a short while ago."""
    OPEN = 3
    """In another open document."""
    FOLDER = 4
    """In another file of the same folder."""
    PROJECT = 5
    DEPENDENCY = 6
    STANDARD_LIBRARY = 7


class Occurrence(Protocol):
    """One place in the user's code."""

    @property
    def matched(self) -> int:
        """How many bytes before it are the same as before the cursor; at most ``CONTEXT_BYTES``."""

    @property
    def source(self) -> int:
        """A ``Source``."""

    @property
    def distance(self) -> int:
        """Lines from the cursor's, for places in this document; otherwise -1."""

    @property
    def after(self) -> bytes:
        """Some hundred bytes of what follows, coded; never beyond its document."""


class Memory(Protocol):
    """The user's code at one moment; immutable, and quick to ask."""

    def context(self, before: str) -> bytes:
        """The end of the text before a cursor, coded."""

    def near(self, context: bytes, *, path: str, line: int, limit: int) -> Sequence[Occurrence]:
        """The places that agree longest with ``context``: about ``2 * limit`` of each part of the memory.

        ``path`` and ``line`` (from 1) say where the cursor is: what stands on that line is no evidence.
        """

    def where(self, occurrence: Any) -> tuple[str, int]:
        """The file and the line (from 1) of one of its occurrences."""
