"""The project memory of one connection: told of every change at once, asked in a thread, built by a process.

The event loop only marks what has changed and waits, briefly, for answers. What is known lives in
``lsp_server/project.py``, in one thread of its own: bringing it up to date and asking it take some
milliseconds, and importing it takes a tenth of a second, which is paid after the editor has been greeted.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from completion.recall import NOTHING, Recalled
from completion.spot import Spot
from completion.trigger import Trigger
from lsp_server.builder import Builder, Limits
from lsp_server.documents import Document
from lsp_server.marks import DocumentState, Mark
from lsp_server.protocol import MemoryState, MemoryStatus
from lsp_server.settings import Settings

if TYPE_CHECKING:  # It imports numpy.
    from lsp_server.project import Library, Summary, Touched

logger = logging.getLogger(__name__)

T = TypeVar("T")

PATIENCE_SECONDS = 0.2
"""A request that the memory cannot answer in this time goes on without it: the thread is still reading."""
ASKED_PATIENCE_SECONDS = 1.0
"""The same for a request that was made by hand."""
LOOK_SECONDS = 1.0
"""How often at most somebody looks whether another window's builder has finished something."""
START_SECONDS = 1.0
"""The first build waits this long: the editor, the engine and the first keys come first."""
RESCAN_SECONDS = 300.0
"""How often the folders are walked while somebody types, where the editor does not watch files for us."""


class ProjectMemory:
    """What one connection, or one command, remembers of the user's code."""

    def __init__(self, cache: Path, *, builds: bool = True) -> None:
        self.on_change: Callable[[], None] = lambda: None
        """The status may be different now."""
        self.is_watched = False
        """Whether the editor tells which files change."""
        self._cache = cache
        self._builds = builds
        self._limits: Limits | None = Limits()
        """``None``: switched off."""
        self._folders: tuple[str, ...] | None = None
        """``None`` before the start."""
        self._documents: Iterable[Document] = ()
        self._saved: dict[str, int | None] = {}
        """The version of each open document that was saved last, by URI."""
        self._lock = threading.Lock()
        self._marks: dict[str, Mark] = {}
        self._worker: ThreadPoolExecutor | None = None
        self._library: Library | None = None
        self._summary: Summary | None = None
        self._builders: dict[str, Builder] = {}
        self._looked = self._rescanned = 0.0
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def status(self) -> MemoryStatus:
        """How it is now."""
        if self._limits is None:
            return MemoryStatus(state="off")
        known = self._summary
        files, megabytes = (known.files, known.bytes / 1e6) if known else (0, 0.0)
        built = known.built if known else frozenset[str]()
        builders = self._builders.items()
        building = any(folder not in built and not it.has_run for folder, it in builders)
        state: MemoryState = "building" if building else "ready" if files else "empty"
        return MemoryStatus(
            state=state,
            files=files,
            megabytes=megabytes,
            progress=min((it.progress for it in self._builders.values() if it.progress), default=0.0),
        )

    def configure(self, settings: Settings) -> bool:
        """Use these settings from now on; whether that means to forget what is known."""
        limits = Limits.of(settings) if settings.memory_enabled else None
        if limits == self._limits:
            return False
        self._limits = limits
        self._begin()
        return True

    def start(self, folders: Iterable[str], documents: Iterable[Document]) -> None:
        """Remember these folders and what is open, in the background; again when the folders change."""
        self._documents = documents
        wanted = tuple(dict.fromkeys(folders))
        if wanted != self._folders:
            self._folders = wanted
            self._begin()

    def opened(self, document: Document) -> None:
        """The editor has it, and what it has is what counts."""
        self._saved.pop(document.uri, None)
        self._mark(document, "open")

    def changed(self, document: Document) -> None:
        """It was edited."""
        self._mark(document, "open")

    def saved(self, document: Document) -> None:
        """The file is the same as the document now."""
        self._saved[document.uri] = document.version
        self.files_changed([document.uri])

    def closed(self, document: Document) -> None:
        """The file counts again; what was saved stays until it has been read from there."""
        is_saved = document.uri in self._saved and self._saved.pop(document.uri) == document.version
        self._mark(document, "saved" if is_saved else "closed")

    def files_changed(self, changed: Sequence[str], deleted: Sequence[str] = ()) -> None:
        """Files have changed on disk; those that were deleted are forgotten before the next question."""
        if self._library is not None:
            work = partial(self._library.files_changed, changed, deleted)
            self._keep(self._follow(self._in_thread(work)))

    async def recall(self, uri: str, spot: Spot, trigger: Trigger) -> Recalled:
        """What is remembered for a spot of this document; nothing if it takes too long to find out."""
        library = self._library
        if library is None:
            return NOTHING
        self._rescan(library)
        patience = ASKED_PATIENCE_SECONDS if trigger.explicit else PATIENCE_SECONDS
        try:
            async with asyncio.timeout(patience):
                return await self._in_thread(partial(self._answer, library, uri, spot, trigger))
        except TimeoutError:
            logger.info("memory busy patience=%.1f", patience)
        except Exception:  # Ghost text goes on without a memory.
            logger.exception("memory bug")
        return NOTHING

    async def read_now(self, seconds: float) -> int:
        """Wait until what is known has been taken in, and read folders that nobody has read, for so long.

        How many files that was; they are kept in memory alone. For commands, which have the time.
        """
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)
        library = self._library
        read = await self._in_thread(partial(library.read, seconds)) if library else 0
        if library:
            await self._look_now(library)
        return read

    async def close(self) -> None:
        """Stop everything; builders end at once."""
        builders = list(self._builders.values())
        self._folders = None
        self._begin()
        await asyncio.gather(*(it.close() for it in builders))

    def _mark(self, document: Document, state: DocumentState) -> None:
        if self._worker is not None:  # At the start all open documents are marked.
            with self._lock:
                self._marks[document.uri] = Mark(document=document, state=state)

    def _begin(self) -> None:
        """Forget everything, at once, and start anew, if that is wanted."""
        for task in self._tasks:
            task.cancel()
        for builder in self._builders.values():
            builder.cancel()
        if self._worker is not None:
            self._worker.shutdown(wait=False)  # What is queued is answered from what was.
        self._worker, self._library, self._summary, self._builders = None, None, None, {}
        if self._limits is not None and self._folders is not None:
            self._worker = ThreadPoolExecutor(1, thread_name_prefix="memory")
            with self._lock:
                self._marks = {}
            self._mark_all()
            self._keep(self._load(self._worker, self._folders, self._limits))
        self.on_change()

    def _mark_all(self) -> None:
        for document in self._documents:
            self._mark(document, "open")

    async def _load(self, worker: ThreadPoolExecutor, folders: tuple[str, ...], limits: Limits) -> None:
        """Import what is needed, read what is on disk, and have the rest built."""
        library = await self._in_thread(partial(_library, folders, self._cache, limits))
        if worker is not self._worker:
            return
        self._library = library
        self._builders = {
            it: Builder(it, self._cache, limits, partial(self._look, library))
            for it in (library.folders if self._builds else ())
        }
        for builder in self._builders.values():
            builder.ask(START_SECONDS)
        await self._look_now(library)

    async def _follow(self, changes: Awaitable[Touched]) -> None:
        """Do what follows from changed files."""
        touched = await changes
        for folder in touched.folders:
            if folder in self._builders:
                self._builders[folder].ask()
        if touched.rules:  # What belongs may be different now.
            self._mark_all()

    def _look(self, library: Library) -> None:
        """A builder has something to tell: what it has committed is used from now on."""
        if library is self._library:
            self._keep(self._look_now(library))

    async def _look_now(self, library: Library) -> None:
        summary = await self._in_thread(partial(self._summarize, library))
        if library is self._library:
            self._summary = summary
            self.on_change()

    def _rescan(self, library: Library) -> None:
        """Look for what nobody tells us about, for as long as somebody types."""
        now = time.monotonic()
        if LOOK_SECONDS <= now - self._looked:
            self._looked = now
            self._look(library)
        if not self.is_watched and RESCAN_SECONDS <= now - self._rescanned:
            self._rescanned = now
            for builder in self._builders.values():
                builder.ask()

    def _answer(self, library: Library, uri: str, spot: Spot, trigger: Trigger) -> Recalled:
        """In the thread: take in what has changed, then ask."""
        self._take_in(library)
        return library.recall(uri, spot, trigger)

    def _summarize(self, library: Library) -> Summary:
        """In the thread: see how much there is now."""
        self._take_in(library)
        return library.look()

    def _take_in(self, library: Library) -> None:
        if library is not self._library:
            return  # What has changed since is for its successor.
        with self._lock:
            marks, self._marks = self._marks, {}
        library.update(marks.values())

    def _in_thread(self, work: Callable[[], T]) -> Awaitable[T]:
        """Have it done in its turn, from now on."""
        assert self._worker is not None
        return asyncio.get_running_loop().run_in_executor(self._worker, work)

    def _keep(self, work: Coroutine[Any, Any, None]) -> None:
        """Do it in the background; nobody waits."""
        task = asyncio.get_running_loop().create_task(_fenced(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _fenced(work: Coroutine[Any, Any, None]) -> None:
    try:
        await work
    except Exception:
        logger.exception("memory bug")


def _library(folders: tuple[str, ...], cache: Path, limits: Limits) -> Library:
    """In the thread: importing it takes a while."""
    from lsp_server.project import Library

    return Library(folders, cache, dependencies=0 < limits.dependencies)
