"""Tell the index which open documents differ from their files: a moment after the last key, and only then.

An unsaved text is searched instead of its file. While somebody types, that is said at most a few times a
second, and the text is put together and compared with the file in a thread.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress

from lsp_server import convert
from lsp_server.documents import Document

logger = logging.getLogger(__name__)

QUIET_SECONDS = 0.1
"""Longer than between two keys of one word."""
LATEST_SECONDS = 0.4
"""Who types on and on is searched this late."""

Tell = Callable[[str, str, str | None], Awaitable[None]]
"""A folder, a path in it, and the unsaved text, or None where the file counts."""


class Buffers:
    """What the index was told of the open documents. Lives on the event loop."""

    def __init__(self, places: Callable[[str], Iterable[tuple[str, str]]], tell: Tell) -> None:
        """``places``: the folders that a document's URI is in, each with its path there."""
        self.most_characters = 1_000_000
        """A larger file does not belong to the index, and neither does its buffer."""
        self._places = places
        self._tell = tell
        self._marked: dict[str, Document] = {}
        self._told: dict[tuple[str, str], int] = {}
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
        self._marked[document.uri] = document
        now = asyncio.get_running_loop().time()
        if self._timer is None:
            self._first = now
        else:
            self._timer.cancel()
        at = min(now + QUIET_SECONDS, self._first + LATEST_SECONDS)
        self._timer = asyncio.get_running_loop().call_at(at, self._due)

    def is_file(self, uri: str) -> list[tuple[str, str]]:
        """It was saved or closed: its places for which a buffer had been told, and which are files again."""
        self._turn(uri)
        self._marked.pop(uri, None)
        return [it for it in self._places(uri) if self._told.pop(it, None) is not None]

    def forget(self, folder: str, documents: Iterable[Document]) -> None:
        """A new process of this folder knows nothing: what is open is told to it again."""
        self._told = {place: it for place, it in self._told.items() if place[0] != folder}
        self._marked = {it.uri: it for it in documents} | self._marked

    async def flush(self) -> None:
        """Tell what there is to tell, now."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        async with self._flushing:
            marked, self._marked = self._marked, {}
            for uri, document in marked.items():
                places = list(self._places(uri))
                if places:
                    await self._look(document, places)

    def close(self) -> None:
        """Tell nothing any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for it in self._tasks:
            it.cancel()
        self._marked, self._told = {}, {}

    async def _look(self, document: Document, places: Sequence[tuple[str, str]]) -> None:
        turn = self._turns.get(document.uri)
        lines = tuple(document.lines)
        path = convert.file_path(document.uri)
        text = await asyncio.to_thread(unsaved, path, lines, self.most_characters)
        if turn != self._turns.get(document.uri):
            return  # It has been saved, closed or changed meanwhile: that is told instead.
        for place in places:
            if text is None:
                if self._told.pop(place, None) is not None:
                    await self._tell(*place, None)
            elif self._told.get(place) != hash(text):
                self._told[place] = hash(text)
                await self._tell(*place, text)

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
