"""What the writer does when nothing changes: vectors, a little at a time, and what nobody needs any more."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from codeindex.build import Site
from codeindex.store import Reader, StoreError, open_reader
from models.errors import ModelError

if TYPE_CHECKING:  # Only who has a model pays for what runs it.
    from codeindex.embed import Embedder

logger = logging.getLogger(__name__)

EMBED_S = 10.0
"""After so long it looks anew what lacks a vector; it stops at once if something else is to be done."""
COLLECT_AFTER_S = 20.0
COLLECT_EVERY_S = 600.0


class Idle:
    """The work that waits for a quiet moment. For the thread that owns the site."""

    def __init__(self, site: Site, model: str, threads: int, say: Callable[[str], None]) -> None:
        self._site = site
        self._model = model
        self._threads = threads
        self._say = say
        self._embedder: Embedder | None = None
        self._reader: Reader | None = None
        self._embedded = -1
        """The generation in which everything had its vector."""
        self._asked_siblings = False
        self._collected = time.monotonic() - COLLECT_EVERY_S
        """Not yet: what a first build has left in pieces is put together soon."""

    def wants(self) -> bool:
        """Whether there is something to do at once."""
        return bool(self._model) and self._embedded != self._site.writer.generation()

    def embed(self, first: Sequence[str], pause: Callable[[], bool]) -> int:
        """Embed for a moment; how many texts it were. What the model cannot do is said, once."""
        from codeindex.embed_idle import embed_some

        began = time.monotonic()
        try:
            embedder = self._opened()
            reader = self._current()
            if reader is None:
                return 0
            siblings = [] if self._asked_siblings else siblings_of(self._site.root, self._site.folder)
            self._asked_siblings = True
            try:
                done = embed_some(
                    reader,
                    self._site.writer,
                    embedder,
                    budget_seconds=EMBED_S,
                    pause=pause,
                    first=first,
                    siblings=siblings,
                )
            finally:
                for it in siblings:
                    it.close()
        except ModelError as problem:
            self._say(str(problem))
            self._model = ""
            return 0
        if not done and not pause() and time.monotonic() < began + EMBED_S:
            self._embedded = self._site.writer.generation()
        return done

    def collect(self, quiet_s: float, stop: Callable[[], bool]) -> None:
        """Take away what nobody needs any more, now and then, after some quiet."""
        now = time.monotonic()
        if COLLECT_AFTER_S <= quiet_s and self._collected + COLLECT_EVERY_S <= now:
            count = self._site.collect(stop=stop)
            self._collected = time.monotonic()
            logger.debug("collected contents=%d seconds=%.2f", count, self._collected - now)
            self.rest()  # Everything was turned over once.

    def rest(self) -> None:
        """Keep no more than the next save needs."""
        from codeindex.embed_memory import give_back

        if self._embedder is not None:
            self._embedder.rest()
        self.close()
        self._site.writer.rest()
        give_back()

    def close(self) -> None:
        """Let go of the index."""
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    def _opened(self) -> Embedder:
        from codeindex.embed import open_embedder

        if self._embedder is None:
            self._embedder = open_embedder(Path(self._model), threads=self._threads)
        return self._embedder

    def _current(self) -> Reader | None:
        if self._reader is None or not self._reader.is_current():
            self.close()
            self._reader = open_reader(self._site.folder)
        return self._reader


def siblings_of(root: Path, folder: Path) -> list[Reader]:
    """The indexes of other worktrees of the same repository; whoever asks closes them."""
    ours = common_folder(root)
    found: list[Reader] = []
    if ours is None:
        return found
    for it in sorted(folder.parent.iterdir()):
        reader = open_reader(it) if it != folder else None
        if reader is None:
            continue
        try:
            other = reader.noted("root")
            if other and common_folder(Path(other)) == ours:
                found.append(reader)
                continue
        except StoreError:
            logger.debug("sibling unreadable")
        reader.close()
    return found


def common_folder(root: Path) -> str | None:
    """Where git keeps what all worktrees of a folder's repository share; None if it is not one."""
    place = root / ".git"
    try:
        if place.is_dir():
            return os.path.realpath(place)
        said = place.read_text(encoding="utf-8", errors="surrogateescape")
        own = root / said.removeprefix("gitdir:").strip()
        common = own / "commondir"
        shared = (
            common.read_text(encoding="utf-8", errors="surrogateescape").strip() if common.is_file() else ""
        )
        return os.path.realpath(own / shared)
    except OSError:
        return None
