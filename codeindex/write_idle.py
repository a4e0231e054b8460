"""What the writer does when nothing changes: vectors, a little at a time, and what nobody needs any more."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from codeindex.build import Site
from codeindex.embed_card import batch_of, model_of, read_card
from codeindex.embed_idle import embed_by
from codeindex.embed_memory import give_back
from codeindex.store import Reader, StoreError, open_reader
from models.errors import ModelError

logger = logging.getLogger(__name__)

EMBED_S = 10.0
"""After so long it looks anew what lacks a vector; it stops at once if something else is to be done."""
COLLECT_AFTER_S = 20.0
COLLECT_EVERY_S = 600.0


class Idle:
    """The work that waits for a quiet moment. For the thread that owns the site."""

    def __init__(self, site: Site, model: str, processors: int, say: Callable[[str], None]) -> None:
        self._site = site
        self._say = say
        self._reader: Reader | None = None
        self._embedded = -1
        """The generation in which everything had its vector."""
        self._asked_siblings = False
        self._collected = time.monotonic() - COLLECT_EVERY_S
        """Not yet: what a first build has left in pieces is put together soon."""
        self._card = self._model = None
        if model:
            try:
                self._card = read_card(Path(model))
                self._model = model_of(Path(model), self._card, processors)
                site.prepare(self._model)
            except ModelError as problem:
                say(str(problem))

    def wants(self) -> bool:
        """Whether there is something to do at once."""
        return self._model is not None and self._embedded != self._site.writer.generation()

    def embed(self, first: Sequence[str], pause: Callable[[], bool]) -> int:
        """Embed for a moment; how many texts it were. What the model cannot do is said, once."""
        card, model = self._card, self._model
        if card is None or model is None:
            return 0
        began = time.monotonic()
        reader = self._current()
        if reader is None:
            return 0
        siblings = [] if self._asked_siblings else siblings_of(self._site.root, self._site.folder)
        self._asked_siblings = True
        try:
            done = embed_by(
                lambda portions: self._site.embed(model, portions),
                reader,
                self._site.writer,
                card.identity,
                batch_of(card),
                budget_seconds=EMBED_S,
                pause=pause,
                first=first,
                siblings=siblings,
            )
        except ModelError as problem:
            self._say(str(problem))
            self._model = None
            return 0
        finally:
            for it in siblings:
                it.close()
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
        self.close()
        self._site.writer.rest()
        give_back()

    def close(self) -> None:
        """Let go of the index."""
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    def _current(self) -> Reader | None:
        if self._reader is None or not self._reader.is_current():
            self.close()
            self._reader = open_reader(self._site.folder, lean=True)
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
