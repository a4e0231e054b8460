"""Give the chunks their vectors, a little at a time: what is on screen first, and nothing twice.

A vector belongs to the hash of its text, so a renamed file, another branch or an undone change costs nothing,
and what another worktree of the repository has computed is copied.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import Protocol

from codeindex.embed_job import Embedded, Embeds, Portion, Rows, embedded
from codeindex.embed_job import Reads as ReadsTexts
from codeindex.embedding import in_order

MOST = 200_000  # Of what is missing, looked at in one go: 30 MB.
RECENT_FILES = 100
FIRST_BATCH = 4
BATCH_SECONDS = 0.1  # Two of them are under way at a time: so long waits who wants the processor back.
COMMIT_ROWS = 4_096
COMMIT_SECONDS = 1.0  # What is lost when the power goes, and how often searchers have to look again.

Hands = Callable[[Iterator[Portion]], Iterator[Embedded]]
"""Who embeds: takes portions one by one, as it needs them, and gives what comes of each, in any order."""


class Reads(ReadsTexts, Protocol):
    """Of the store's reader, what is needed here."""

    def missing_vectors(self, model: str, limit: int) -> list[tuple[bytes, int]]:
        """Hashes without a vector, each with a chunk that has it."""

    def latest(self, count: int) -> list[str]:
        """The files that changed last."""

    def hashes_of(self, path: str) -> list[bytes]:
        """What is embedded of a file."""


class Sibling(Protocol):
    """Of another store's reader, what is needed here."""

    def vectors_of_hashes(self, model: str, hashes: Collection[bytes]) -> Iterator[tuple[bytes, bytes]]:
        """Those that there are under these hashes."""


class Writes(Protocol):
    """Of the store's writer, what is needed here."""

    def put_vectors(self, model: str, rows: Rows) -> object:
        """Keep vectors by the hashes of their texts."""


def embed_some(
    reader: Reads,
    writer: Writes,
    embedder: Embeds,
    *,
    budget_seconds: float,
    pause: Callable[[], bool],
    first: Sequence[str] = (),
    siblings: Iterable[Sibling] = (),
) -> int:
    """Give chunks their vectors, with an embedder of our own; see ``embed_by``."""

    def hands(portions: Iterator[Portion]) -> Iterator[Embedded]:
        return (embedded(reader, embedder, it) for it in portions)

    return embed_by(
        hands,
        reader,
        writer,
        embedder.model,
        embedder.batch,
        budget_seconds=budget_seconds,
        pause=pause,
        first=first,
        siblings=siblings,
    )


def embed_by(
    hands: Hands,
    reader: Reads,
    writer: Writes,
    model: str,
    batch: int,
    *,
    budget_seconds: float,
    pause: Callable[[], bool],
    first: Sequence[str] = (),
    siblings: Iterable[Sibling] = (),
) -> int:
    """Give chunks their vectors until all have one, the time is over or ``pause`` says so; how many it were.

    ``first`` are paths: the open files. Files changed lately come next. What was done is kept in any case,
    and the next call goes on from there. ``siblings`` are the stores of other worktrees. ``batch`` texts are
    embedded at once, at most.
    """
    end = time.monotonic() + budget_seconds
    done = copy_vectors(reader, writer, model, siblings)
    missing = reader.missing_vectors(model, MOST)
    if not missing or pause():
        return done
    # The chunks of a save are all embedded together: then there is no need to ask which come first.
    queue = in_order(missing, _wanted(reader, first)) if FIRST_BATCH < len(missing) else missing
    pages = _Pages(writer, model)
    pace = _Pace(batch)
    try:
        for it in hands(pace.portions(queue, lambda: time.monotonic() < end and not pause())):
            pages.put(it.rows)
            pace.heard(it)
    finally:
        pages.flush()
    return done + pages.count


def copy_vectors(reader: Reads, writer: Writes, model: str, siblings: Iterable[Sibling]) -> int:
    """Take the vectors that other worktrees' stores have of the same texts; how many it were."""
    pages = _Pages(writer, model)
    for sibling in siblings:
        wanted = [it for it, _ in reader.missing_vectors(model, MOST)]
        for found in sibling.vectors_of_hashes(model, wanted):
            pages.put([found])
        pages.flush()
    return pages.count


def _wanted(reader: Reads, first: Sequence[str]) -> Iterator[bytes]:
    for path in dict.fromkeys([*first, *reader.latest(RECENT_FILES)]):
        yield from reader.hashes_of(path)


class _Pace:
    """Parts a queue into portions that each take about as long as somebody may have to wait."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._size = FIRST_BATCH

    def portions(self, queue: Portion, goes_on: Callable[[], bool]) -> Iterator[Portion]:
        place = 0
        while place < len(queue) and goes_on():
            some = queue[place : place + self._size]
            place += len(some)
            yield some

    def heard(self, it: Embedded) -> None:
        if it.rows:
            size = len(it.rows) * BATCH_SECONDS / max(it.seconds, 1e-6)
            self._size = int(min(max(size, 1), self._size * 4, self._most))


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
