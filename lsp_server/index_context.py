"""Code of other files for the prompt: what the names here stand for, and what looks alike; fetched ahead.

The index is asked when a document is opened or saved and when the cursor rests in it, in the background. What
it says is offered to the next prompt that is put together anew; nobody waits for it.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from codeindex.types import Hit
from completion.context import PIECE_LINES, Recent, blocks, names_in, piece, told
from lsp_server import convert
from lsp_server.context import Context
from lsp_server.documents import Document
from lsp_server.index import Index
from lsp_server.index_items import uri_of

logger = logging.getLogger(__name__)

REST_SECONDS = 0.3
"""A cursor on its way asks nothing."""
ABOVE_LINES = 30
BELOW_LINES = 10
"""So much around the cursor is what is being written."""
IMPORT_LINES = 400
"""Imports stand further up."""
MOST_NAMES = 100
DEFINITIONS = 16
SIMILAR = 6
"""Hits. A prompt has room for some ten pieces of all kinds."""
LARGEST_FILE = 4_000_000  # Bytes.
IMPORT = re.compile(r"\s*(?:(?:from|import|use|using|require|#?\s*include|export\b.*\bfrom)\b|.*\brequire\()")
COMMENT = re.compile(r"\s*(?:#(?!\s*define)|//|/\*|\*|--|\"\"\"|@)")


class Around:
    """What the index has said beside the open documents. Lives on the event loop."""

    def __init__(self, index: Index, context: Context) -> None:
        self._index = index
        self._context = context
        self._asked: dict[str, tuple[tuple[str, ...], int]] = {}
        """The names asked for last in each document, and of which state of the index."""
        self._alike: dict[str, int] = {}
        """Where in it similar code was asked for last: that takes the index's process a tenth of a second."""
        self._early: dict[str, tuple[Document, int]] = {}
        """Where somebody was before there was an index."""
        self._files: dict[str, str] = {}
        """Where the files are whose pieces were offered, by what prompts call them."""
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def look(self, document: Document, line: int, *, saved: bool = False) -> None:
        """Somebody may write at this line soon; of several in a row the last one counts."""
        uri = document.uri
        if saved:
            self._alike.pop(uri, None)
        if uri in self._tasks:
            self._tasks[uri].cancel()
        task = self._tasks[uri] = asyncio.get_running_loop().create_task(self._fetch(document, line))
        task.add_done_callback(lambda it: self._tasks.pop(uri) if self._tasks.get(uri) is it else None)

    def index_changed(self) -> None:
        """Those who came too early are answered now."""
        for uri, (document, line) in tuple(self._early.items()):
            if self._index.generation(uri) is not None:
                del self._early[uri]
                self.look(document, line)

    def forget(self, uri: str) -> None:
        """The document was closed."""
        self._asked.pop(uri, None)
        self._alike.pop(uri, None)
        self._early.pop(uri, None)
        if uri in self._tasks:
            self._tasks[uri].cancel()

    def begin_anew(self) -> None:
        """What was fetched has been withdrawn: everything is asked again."""
        self._asked.clear()
        self._alike.clear()

    def close(self) -> None:
        """Fetch nothing any more."""
        for it in tuple(self._tasks.values()):
            it.cancel()

    async def settled(self) -> None:
        """Wait for what is being fetched. For tests, which have the time."""
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def _fetch(self, document: Document, line: int) -> None:
        await asyncio.sleep(REST_SECONDS)
        try:
            await self._fetch_now(document, line)
        except Exception:
            logger.exception("index context bug")

    async def _fetch_now(self, document: Document, line: int) -> None:
        uri = document.uri
        generation = self._index.generation(uri)
        if generation is None:
            self._early[uri] = document, line
            return
        names, place = names_wanted(document.lines, line), line // ABOVE_LINES
        is_new, is_elsewhere = self._asked.get(uri) != (names, generation), self._alike.get(uri) != place
        if not is_new and not is_elsewhere:
            return
        found: list[Recent] = []
        if is_new:
            params: dict[str, Any] = {"names": list(names), "limit": DEFINITIONS}
            folder, hits = await self._index.hits(uri, "definitions", params)
            found += self._pieces(folder, uri, hits, heads=True)
            self._asked[uri] = names, generation
        if is_elsewhere:
            params = {"text": text_around(document.lines, line), "limit": SIMILAR}
            folder, hits = await self._index.hits(uri, "similar", params)
            found += self._pieces(folder, uri, hits, heads=False)
            self._alike[uri] = place
        offered = self._context.offered(uri)
        gone = await asyncio.to_thread(missing, offered, self._files)
        self._context.offer(uri, found, gone)

    def _pieces(self, folder: str, own: str, hits: Sequence[Hit], *, heads: bool) -> Iterator[Recent]:
        for it in hits:
            uri = uri_of(folder, it.path)
            path = self._context.path(uri)
            if path != self._context.path(own):
                self._files[path] = convert.file_path(uri)
                yield from pieces_of(it, path, heads=heads)


def names_wanted(lines: Sequence[str], line: int) -> tuple[str, ...]:
    """The names to ask for: imported ones that are used here, others used here, other imports."""
    imported = names_in("\n".join(import_lines(lines[:IMPORT_LINES])))
    near = names_in(text_around(lines, line))
    order = [*sorted(near & imported), *sorted(near - imported), *sorted(imported - near)]
    return tuple(order[:MOST_NAMES])


def import_lines(lines: Sequence[str]) -> Iterator[str]:
    """Lines that take something from another file, with those of an open bracket below them."""
    depth = 0
    for line in lines:
        if 0 < depth or IMPORT.match(line):
            depth = max(depth + sum(map(line.count, "({[")) - sum(map(line.count, ")}]")), 0)
            yield line


def text_around(lines: Sequence[str], line: int) -> str:
    """What is being written there."""
    return "".join(lines[max(line - ABOVE_LINES, 0) : line + BELOW_LINES])


def pieces_of(hit: Hit, path: str, *, heads: bool) -> Iterator[Recent]:
    """The head of a definition, or all of what looks alike, in pieces as a prompt has them."""
    lines = hit.text.split("\n")
    first = _head(lines, hit.name)
    cuts = [(first, min(first + PIECE_LINES, len(lines)))] if heads else blocks(lines)
    for cut in cuts:
        found = piece(path, lines, *cut)
        if found is not None:
            yield found


def missing(offered: Sequence[Recent], files: Mapping[str, str]) -> frozenset[tuple[str, str]]:
    """In the thread: those of the pieces offered before that their files do not say any more."""
    said: dict[str, frozenset[str]] = {}
    for path in {it.path for it in offered}:
        try:
            with open(files.get(path, ""), "rb") as file:
                said[path] = frozenset(told(file.read(LARGEST_FILE).decode("utf-8", "replace")))
        except OSError:
            said[path] = frozenset()
    return frozenset((it.path, it.text) for it in offered if not said[it.path].issuperset(it.lines))


def _head(lines: Sequence[str], name: str) -> int:
    """Where a definition begins, below the comment that says what it is."""
    named = re.compile(rf"(?<!\w){re.escape(name)}(?!\w)") if name else None
    for at, line in enumerate(lines):
        if named and named.search(line) and not COMMENT.match(line):
            return at
    return 0
