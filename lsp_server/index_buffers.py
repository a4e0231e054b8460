"""Tell the index which open documents differ from their files: a moment after the last key, and only then.

An unsaved text is searched instead of its file. It is told when typing pauses, and before every question,
not with every key; it is put together and compared with the file in a thread.

One file may be open as several documents, through links. Of their unsaved texts the one written last counts;
the file does when none of them is unsaved, or none is open any more.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress

from lsp_server import convert
from lsp_server.documents import Document

logger = logging.getLogger(__name__)

QUIET_SECONDS = 0.5
"""Longer than between two keys, and than a suggestion takes: whoever types needs the processor for that."""
LATEST_SECONDS = 3.0
"""Who types on and on is told of this late. Whoever asks the index is never behind: it is told first."""

Place = tuple[str, str]
"""A folder, and a path in it."""
Tell = Callable[[str, str, str | None], Awaitable[None]]
"""A folder, a path in it, and the unsaved text, or None where the file counts."""


class Buffers:
    """What the index was told of the open documents. Lives on the event loop."""

    def __init__(self, places: Callable[[str], Iterable[Place]], tell: Tell) -> None:
        """``places``: the folders that a document's URI is in, each with its path there."""
        self.most_characters = 1_000_000
        """A larger file does not belong to the index, and neither does its buffer."""
        self._places = places
        self._tell = tell
        self._open: dict[str, Document] = {}
        """Those that are open, by URI; the one written last is the last."""
        self._marked: set[str] = set()
        """The URIs of those to look at."""
        self._told: dict[Place, int] = {}
        """What was told of each place: a hash of the text."""
        self._turns: dict[str, int] = {}
        """Counts what has happened to each document: what was read before that is not told after it."""
        self._first = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._flushing = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()

    def changed(self, document: Document) -> None:
        """It is another text now, or was opened: it may differ from its file."""
        self._turn(document.uri)
        self._open.pop(document.uri, None)
        self._open[document.uri] = document
        self._mark(document.uri)

    def saved(self, uri: str) -> list[Place]:
        """Its places for which a buffer had been told, and which are files again."""
        self._turn(uri)
        self._marked.discard(uri)
        return self._files_again(uri)

    def closed(self, uri: str) -> list[Place]:
        """The same when it is closed; where it is open as another document, that one is looked at."""
        self._open.pop(uri, None)
        return self.saved(uri)

    def forget(self, folder: str, documents: Iterable[Document]) -> None:
        """A new process of this folder knows nothing: what is open is told to it again."""
        self._told = {place: it for place, it in self._told.items() if place[0] != folder}
        every = {it.uri: it for it in documents}
        self._open = {uri: it for uri, it in every.items() if uri not in self._open} | self._open
        self._marked |= every.keys()

    async def flush(self) -> None:
        """Tell what there is to tell, now."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        async with self._flushing:
            marked, self._marked = self._marked, set()
            if marked:
                await self._look(marked, dict(self._turns))

    def close(self) -> None:
        """Tell nothing any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for it in self._tasks:
            it.cancel()
        self._open, self._marked, self._told = {}, set(), {}

    async def _look(self, marked: Collection[str], turns: Mapping[str, int]) -> None:
        """Tell what counts now at each place of those marked."""
        at: dict[Place, list[Document]] = {}
        for document in reversed(self._open.values()):
            for place in self._places(document.uri):
                at.setdefault(place, []).append(document)
        texts: dict[str, str | None] = {}
        for place, documents in at.items():
            if all(it.uri not in marked for it in documents):
                continue
            text = await self._unsaved(documents, texts)
            if any(turns.get(it.uri) != self._turns.get(it.uri) for it in documents):
                continue  # One has been saved, closed or changed meanwhile: that is told instead.
            if text is None:
                if self._told.pop(place, None) is not None:
                    await self._tell(*place, None)
            elif self._told.get(place) != hash(text):
                self._told[place] = hash(text)
                await self._tell(*place, text)

    async def _unsaved(self, documents: Iterable[Document], texts: dict[str, str | None]) -> str | None:
        """The first text that differs from the file; ``texts`` are those that have been compared."""
        for it in documents:
            if it.uri not in texts:
                path, lines = convert.file_path(it.uri), tuple(it.lines)
                texts[it.uri] = await asyncio.to_thread(unsaved, path, lines, self.most_characters)
            if (text := texts[it.uri]) is not None:
                return text
        return None

    def _files_again(self, uri: str) -> list[Place]:
        found = []
        for place in self._places(uri):
            others = [it for it in self._open if it != uri and place in self._places(it)]
            if others:
                self._mark(others[-1])
            elif self._told.pop(place, None) is not None:
                found.append(place)
        return found

    def _mark(self, uri: str) -> None:
        """Look at it in a moment."""
        self._marked.add(uri)
        now = asyncio.get_running_loop().time()
        if self._timer is None:
            self._first = now
        else:
            self._timer.cancel()
        at = min(now + QUIET_SECONDS, self._first + LATEST_SECONDS)
        self._timer = asyncio.get_running_loop().call_at(at, self._due)

    def _due(self) -> None:
        self._timer = None
        task = asyncio.get_running_loop().create_task(self._fenced())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _fenced(self) -> None:
        try:
            await self.flush()
        except Exception:
            logger.exception("index buffers bug")

    def _turn(self, uri: str) -> None:
        self._turns[uri] = self._turns.get(uri, 0) + 1


def unsaved(path: str, lines: Sequence[str], most: int) -> str | None:
    """In the thread: a document's text with LF line ends; None if it is its file's, or too large."""
    text = _with_lf("".join(lines))
    if most < len(text):
        return None
    with suppress(OSError, ValueError):
        if os.path.getsize(path) <= 4 * most + len(lines):
            with open(path, "rb") as file:
                if _with_lf(file.read().decode("utf-8-sig")) == text.removeprefix("\ufeff"):
                    return None
    return text


def _with_lf(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")
