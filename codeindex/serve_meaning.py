"""Search by meaning in the service: models and vectors, loaded and kept up to date in a thread of their own.

Until they are there, and if they cannot be had, questions are answered by words alone.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from codeindex.protocol import Options
from codeindex.search_rerank import Reranking
from codeindex.store import Reader, StoreError, open_reader
from models.errors import ModelError

if TYPE_CHECKING:  # Only who has a model pays for what runs it.
    from codeindex.embed_near import ByMeaning

logger = logging.getLogger(__name__)

LOOK_S = 0.3  # At what other windows' writers have done; our own says so.


class Meaning:
    """What the models know, as far as it is loaded. Any thread may ask."""

    def __init__(self, folder: Path, options: Options, say: Callable[[str], None]) -> None:
        """Nothing is loaded, and no thread started, where no model is asked for."""
        self.model = ""
        """Its name, as soon as it can be asked."""
        self._folder = folder
        self._options = options
        self._say = say
        self._near: ByMeaning | None = None
        self._reranking: Reranking | None = None
        self._reader: Reader | None = None
        self._ended = threading.Event()
        self._news = threading.Event()
        if options.embedder or options.reranker:
            threading.Thread(target=self._run, name="meaning", daemon=True).start()

    def dense(self) -> Careful | None:
        """Whoever knows which chunks mean nearly the same; None if nobody does yet."""
        near, reader = self._near, self._reader
        return (
            Careful(near, self._fail)
            if near is not None and reader is not None and reader.is_current()
            else None
        )

    def reranking(self) -> Reranking | None:
        """Whoever puts the first hits in better order; None if nobody does, or not yet. For one thread."""
        return self._reranking

    def look(self) -> None:
        """Something was written: there may be new vectors."""
        self._news.set()

    def close(self) -> None:
        """Load nothing more."""
        self._ended.set()
        self._news.set()

    def _run(self) -> None:
        for load in (self._load_embedder, self._load_reranker):
            try:
                load()
            except ModelError as problem:
                self._say(str(problem))
        while not self._ended.is_set():
            self._news.wait(LOOK_S)
            self._news.clear()
            try:
                self._refresh()
            except StoreError:
                logger.debug("vectors not read")  # The next look is at what is there then.

    def _load_reranker(self) -> None:
        from codeindex.embed import open_reranker

        if self._options.reranker:
            reranker = open_reranker(Path(self._options.reranker), threads=self._options.threads)
            self._reranking = Reranking(reranker, lambda problem: self._say(str(problem)))

    def _load_embedder(self) -> None:
        from codeindex.embed import open_embedder
        from codeindex.embed_near import ByMeaning
        from codeindex.vectors import Vectors

        if self._options.embedder:
            embedder = open_embedder(Path(self._options.embedder), threads=self._options.threads)
            self._near = ByMeaning(embedder, Vectors(embedder.model, embedder.dimensions))
            self.model = embedder.card.name

    def _refresh(self) -> None:
        if self._near is None:
            return
        if self._reader is None or not self._reader.is_current():
            if self._reader is not None:
                self._reader.close()
            self._reader = open_reader(self._folder)
        if self._reader is not None:
            self._near.refresh(self._reader)

    def _fail(self, problem: ModelError) -> None:
        """Go on without."""
        self._near, self.model = None, ""
        self._say(str(problem))


class Careful:
    """Asks a model that may fail: then there is nothing near."""

    def __init__(self, near: ByMeaning, fail: Callable[[ModelError], None]) -> None:
        self._near = near
        self._fail = fail

    def near(self, query: str, limit: int) -> list[tuple[int, float]]:
        """Ids of chunks and their cosines, best first."""
        try:
            return self._near.near(query, limit)
        except ModelError as problem:
            self._fail(problem)
            return []
