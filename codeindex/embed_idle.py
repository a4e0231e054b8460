"""Give the chunks their vectors, a little at a time: what is on screen first, and nothing twice.

A vector belongs to the hash of its text, so a renamed file, another branch or an undone change costs nothing,
and what another worktree of the repository has computed is copied.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from codeindex.embed_pool import unit
from codeindex.embed_stored import Asked, StoredVectors
from codeindex.embedding import embedded_text, in_order
from codeindex.types import ChunkRow, FileRow
from codeindex.vectors import packed

MOST = 200_000  # Of what is missing, looked at in one go: 30 MB.
RECENT_FILES = 100
FIRST_BATCH = 4
BATCH_SECONDS = 0.2  # The longest that somebody waits who wants the processor back.
COMMIT_ROWS = 4_096
COMMIT_SECONDS = 1.0  # What is lost when the power goes, and how often searchers have to look again.


class Reads(Protocol):
    """Of the store's reader, what is needed here."""

    def missing_vectors(self, model: str, limit: int) -> list[tuple[bytes, int]]:
        """Hashes without a vector, each with a chunk that has it."""

    def chunks(self, ids: Collection[int]) -> Mapping[int, ChunkRow]:
        """These chunks, as far as they are there."""

    def chunks_of(self, path: str) -> Sequence[ChunkRow]:
        """A file's chunks."""

    def files(self) -> Iterator[FileRow]:
        """All files."""

    def text(self, content: int) -> str:
        """A content's text; KeyError if it is gone."""


class Writes(Protocol):
    """Of the store's writer, what is needed here."""

    def put_vectors(self, model: str, rows: Sequence[tuple[bytes, bytes]]) -> object:
        """Keep vectors by the hashes of their texts."""


class Embeds(Protocol):
    """Of an embedder, what is needed here."""

    @property
    def model(self) -> str:
        """Under which name its vectors are stored."""

    @property
    def batch(self) -> int:
        """How many texts it takes at once, at most."""

    def documents(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """A row for each."""


def embed_some(
    reader: Reads,
    writer: Writes,
    embedder: Embeds,
    *,
    budget_seconds: float,
    pause: Callable[[], bool],
    first: Sequence[str] = (),
    siblings: Iterable[Asked] = (),
) -> int:
    """Give chunks their vectors until all have one, the time is over or ``pause`` says so; how many it were.

    ``first`` are paths: the open files. Files changed lately come next. What was done is kept in any case,
    and the next call goes on from there. ``siblings`` are the stores of other worktrees.
    """
    end = time.monotonic() + budget_seconds
    done = copy_vectors(reader, writer, embedder.model, siblings)
    missing = reader.missing_vectors(embedder.model, MOST)
    if not missing or pause():
        return done
    # The chunks of a save are all embedded together: then there is no need to ask which come first.
    queue = in_order(missing, _wanted(reader, first)) if FIRST_BATCH < len(missing) else missing
    pages = _Pages(writer, embedder.model)
    place, size = 0, FIRST_BATCH
    try:
        while place < len(queue) and time.monotonic() < end and not pause():
            started = time.monotonic()
            some = queue[place : place + size]
            texts = texts_of(reader, some)
            rows = packed(unit(embedder.documents(list(texts.values()))))
            pages.put(zip(texts, rows, strict=True))
            place += len(some)
            took = max(time.monotonic() - started, 1e-6)
            size = int(min(max(size * BATCH_SECONDS / took, 1), size * 4, embedder.batch))
    finally:
        pages.flush()
    return done + pages.count


def copy_vectors(reader: Reads, writer: Writes, model: str, siblings: Iterable[Asked]) -> int:
    """Take the vectors that other worktrees' stores have of the same texts; how many it were."""
    pages = _Pages(writer, model)
    for sibling in siblings:
        wanted = [it for it, _ in reader.missing_vectors(model, MOST)]
        for found in StoredVectors(sibling).of_hashes(model, wanted):
            pages.put([found])
        pages.flush()
    return pages.count


def texts_of(reader: Reads, some: Sequence[tuple[bytes, int]]) -> dict[bytes, str]:
    """What is embedded, by its hash; without what is gone meanwhile."""
    found = {}
    contents: dict[int, list[str]] = {}
    for row in reader.chunks([chunk for _, chunk in some]).values():
        if row.content not in contents:
            try:
                contents[row.content] = reader.text(row.content).split("\n")
            except KeyError:  # Taken away since we asked.
                continue
        lines = contents[row.content][row.first_line - 1 : row.last_line]
        found[row.hash] = embedded_text(row, "\n".join(lines))
    return {it: found[it] for it, _ in some if it in found}


def _wanted(reader: Reads, first: Sequence[str]) -> Iterator[bytes]:
    recent = sorted(((it.mtime_ns, it.path) for it in reader.files()), reverse=True)[:RECENT_FILES]
    for path in dict.fromkeys([*first, *(it for _, it in recent)]):
        yield from (it.hash for it in reader.chunks_of(path))


class _Pages:
    """Rows on their way to the store, some thousands or a second's at a time."""

    def __init__(self, writer: Writes, model: str) -> None:
        self.count = 0
        self._writer = writer
        self._model = model
        self._rows: list[tuple[bytes, bytes]] = []
        self._last = time.monotonic()

    def put(self, rows: Iterable[tuple[bytes, bytes]]) -> None:
        self._rows += rows
        if COMMIT_ROWS <= len(self._rows) or self._last + COMMIT_SECONDS < time.monotonic():
            self.flush()

    def flush(self) -> None:
        rows, self._rows = self._rows, []
        if rows:
            self._writer.put_vectors(self._model, rows)
            self.count += len(rows)
        self._last = time.monotonic()
