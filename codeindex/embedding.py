"""Pure: what of a chunk is embedded, under which hash, and which chunks come first."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Protocol

HASH_BYTES = 8  # Of two of a million texts, the same hash would be a chance of one in forty million.


class Headed(Protocol):
    """What is known of a chunk beside its lines: a ``Chunk`` as parsed, a ``ChunkRow`` as stored."""

    @property
    def scope(self) -> str:
        """The names around it, joined by dots."""

    @property
    def signature(self) -> str:
        """The head of the symbol that it is, or is a part of."""

    @property
    def doc(self) -> str:
        """The first paragraph of that symbol's documentation."""


def embedded_text(chunk: Headed, text: str) -> str:
    """A header without the path, then ``text``: the chunk's own lines, not its whole file.

    The path is left out, so that a renamed file keeps its vectors. What of the header already stands in the
    lines is left out, too: a model reads a few hundred tokens, and none of them should be read twice.
    """
    header = [it for it in (chunk.signature, chunk.doc) if it and not _says(text, it)]
    if chunk.scope:
        header.insert(0, chunk.scope)
    return "\n".join((*header, text.strip("\n")))


def _says(text: str, head: str) -> bool:
    """Whether it is in the text, however it is broken into lines there."""
    folded = " ".join(head.split())
    # Mostly it stands there as it is; only what does not is worth folding a whole text for.
    return folded in text or folded in " ".join(text.split())


def embedded_hash(text: str) -> bytes:
    """Under which a vector is kept: 8 bytes, of what ``embedded_text`` gave."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=HASH_BYTES).digest()


def own_lines(text: str, first_line: int, last_line: int) -> str:
    """The lines from first to last, 1-based and inclusive, of a file's text with LF line ends."""
    return "\n".join(text.split("\n")[first_line - 1 : last_line])


def in_order(missing: Sequence[tuple[bytes, int]], first: Iterable[bytes]) -> list[tuple[bytes, int]]:
    """What lacks a vector (hash, chunk): those ``first``, in their order, then the others in theirs."""
    ranks = {it: rank for rank, it in enumerate(dict.fromkeys(first))}
    return sorted(missing, key=lambda it: ranks.get(it[0], len(ranks)))
