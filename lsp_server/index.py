"""The code index of one connection: a process per folder, told of every change, asked with patience.

Nothing here waits for anything but answers, and for those only so long: where there is none, there is a
sentence that says why. All that is heavy is in the processes (``lsp_server/index_process.py``).
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from codeindex.protocol import State, Status, status_in
from codeindex.types import Hit, SymbolRow
from lsp_server import convert
from lsp_server.documents import Document
from lsp_server.index_answers import hits_in, symbols_in
from lsp_server.index_buffers import Buffers
from lsp_server.index_process import Json, NoAnswer, Service, command
from lsp_server.protocol import IndexState, IndexStatus
from lsp_server.settings import Settings
from models import registry

logger = logging.getLogger(__name__)

SEARCH_SECONDS = 3.0
"""Somebody looks at an empty list meanwhile; longer than starting the process takes."""
SYMBOL_SECONDS = 2.0
"""Editors ask for symbols with every key of a name."""
SNIPPET_SECONDS = 5.0
"""Nobody waits for these."""
OPENING_SECONDS = 0.1
"""An editor opens a session's worth of documents at its start, and tells of each."""
KILOBYTE = 1_000
BUNDLED_EMBEDDER = Path(registry.__file__).parent / "starter" / "embedder"
"""Where the model that compares meanings stands, in versions that bring one along."""
OFF = "The index is switched off (hearth.index.enabled)."
NO_FOLDER = "No folder is open."
ORDER: tuple[IndexState, ...] = ("failed", "building", "paused", "ready", "empty")
"""Of several folders the one tells how it is that has the most to tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What was found in the workspace, each with the folder that it is in."""

    hits: tuple[tuple[str, Hit], ...] = ()
    symbols: tuple[tuple[str, SymbolRow], ...] = ()
    problem: str = ""
    """Why there is nothing, or not all: one sentence, or empty."""


class Index:
    """What one connection knows of its folders' indexes. Lives on the event loop."""

    def __init__(self, cache: Path) -> None:
        self.on_change: Callable[[], None] = lambda: None
        """The status may be different now."""
        self.on_problem: Callable[[str], None] = lambda sentence: None
        """Something that the user should know, once."""
        self.is_busy: Callable[[], bool] = lambda: False
        """Whether somebody waits for something that is more urgent than to begin with an index."""
        self.workspace_symbols = True
        self._cache = cache
        self._options: Json | None = options_of(Settings())
        """What the processes are started with; ``None``: switched off."""
        self._folders: tuple[str, ...] | None = None
        """``None`` before the start."""
        self._documents: Iterable[Document] = ()
        self._real: dict[str, str] = {}
        """Of the folders and of what is open: where it really is, as the index has it under that path."""
        self._services: dict[str, Service] = {}
        self._states: dict[str, Status] = {}
        self._complete: set[str] = set()
        """Folders that have been ready once: what is read later is no first time."""
        self._is_paused = False
        self._opening: asyncio.TimerHandle | None = None
        self._buffers = Buffers(self._places, self._tell_buffer)

    @property
    def status(self) -> IndexStatus:
        """How it is now, of all folders together."""
        if self._options is None:
            return IndexStatus(state="off")
        states = [self._state(it) for it in self._services]
        if not states:
            return IndexStatus()
        known: set[str] = {it.state.value for it in states}
        left = [it.seconds_left for it in states if it.seconds_left is not None]
        return IndexStatus(
            state=next((it for it in ORDER if it in known), "off"),
            files=sum(it.files for it in states),
            chunks=sum(it.chunks for it in states),
            symbols=sum(it.symbols for it in states),
            vectors=sum(it.vectors for it in states),
            progress=min(it.progress for it in states),
            seconds_left=max(left, default=None),
            problem=next((it.problem for it in states if it.problem), ""),
        )

    @property
    def is_first_build(self) -> bool:
        """Whether a folder is being read that has never been read to its end."""
        return any(
            it.state is State.BUILDING and folder not in self._complete for folder, it in self._states.items()
        )

    @property
    def folders(self) -> Mapping[str, Status]:
        """How each folder's index is."""
        return {it: self._state(it) for it in self._services}

    def configure(self, settings: Settings) -> bool:
        """Use these settings from now on; whether that means to forget what was found."""
        self.workspace_symbols = settings.index_workspace_symbols
        options = options_of(settings)
        if options == self._options:
            return False
        self._options = options
        self._begin()
        return True

    def start(self, folders: Iterable[str], documents: Iterable[Document]) -> None:
        """Index these folders, and what is open, in the background; again when the folders change."""
        self._documents = documents
        wanted = tuple(dict.fromkeys(it.rstrip("/") or "/" for it in folders if os.path.isdir(it)))
        if wanted != self._folders:
            self._folders = wanted
            self._begin()

    def opened(self, document: Document) -> None:
        """The editor has it, and what it has is what counts."""
        self._real.pop(convert.file_path(document.uri), None)  # A link may have been made anew.
        if self._services:
            self._buffers.changed(document)
            self._tell_open()

    def changed(self, document: Document) -> None:
        """It was edited."""
        if self._services:
            self._buffers.changed(document)

    def saved(self, document: Document) -> None:
        """The file is the same as the document now; if it is not, that is seen a moment later."""
        if self._services:
            self._are_files(self._buffers.saved(document.uri))
            self._tell_paths("saved", [document.uri])
            self._buffers.changed(document)

    def closed(self, document: Document) -> None:
        """The file counts again, unless it is open as another document."""
        if self._services:
            self._are_files(self._buffers.closed(document.uri))
            self._tell_open()
        self._real.pop(convert.file_path(document.uri), None)

    def files_changed(self, uris: Sequence[str]) -> None:
        """Files have come, changed or gone on disk."""
        self._tell_paths("changed", uris)

    def pause(self) -> None:
        """Read nothing until ``resume``; what is known is still found."""
        self._is_paused = True
        for it in self._services.values():
            it.tell("pause")

    def resume(self) -> None:
        """Read again what has changed, and start again what had been given up."""
        self._is_paused = False
        for it in self._services.values():
            it.again()
            it.tell("resume")

    def rescan(self) -> None:
        """Look at every file again."""
        for it in self._services.values():
            it.again()
            it.tell("rescan")

    async def search(self, params: Json, within: str = "") -> Found:
        """The best hits of all folders, or of those that the document ``within`` is in."""
        folders = [folder for folder, _ in self._places(within)] if within else list(self._services)
        answers, problem = await self._ask_all(folders, "search", params, SEARCH_SECONDS)
        found = [(folder, it) for folder, said in answers for it in hits_in(said)]
        found.sort(key=lambda it: -it[1].score)
        return Found(hits=tuple(found[: params["limit"]]), problem=problem)

    async def symbols(self, query: str, limit: int) -> Found:
        """Definitions whose names begin with, contain or abbreviate what is typed, in all folders."""
        params = {"query": query, "limit": limit}
        answers, problem = await self._ask_all(list(self._services), "symbols", params, SYMBOL_SECONDS)
        found = [(folder, it) for folder, said in answers for it in symbols_in(said)]
        return Found(symbols=tuple(found[:limit]), problem=problem)

    async def ask(
        self, method: str, params: Json, seconds: float, folders: Sequence[str] = ()
    ) -> tuple[list[tuple[str, Any]], str]:
        """What folders answer to a question of ``codeindex.protocol_asks``: all of them, or those named.

        Beside it why one of them does not, in a sentence; a folder that is not indexed is one of those.
        """
        asked = [it for it in folders if it in self._services] if folders else list(self._services)
        return await self._ask_all(asked, method, params, seconds)

    async def hits(self, uri: str, method: str, params: Json) -> tuple[str, tuple[Hit, ...]]:
        """What a document's own folder says to ``definitions`` or ``similar``, and which folder that is."""
        folder, path = next(iter(self._places(uri)), ("", ""))
        if not folder:
            return "", ()
        answers, _ = await self._ask_all([folder], method, {**params, "path": path}, SNIPPET_SECONDS)
        return folder, tuple(it for _, said in answers for it in hits_in(said))

    def generation(self, uri: str) -> int | None:
        """Which state of its folder's index a document would be told of; None if there is none to ask."""
        folder, _ = next(iter(self._places(uri)), ("", ""))
        known = self._states.get(folder)
        return known.generation if known is not None and known.files else None

    async def close(self) -> None:
        """Stop everything; the processes end at once."""
        services = list(self._services.values())
        self._folders = None
        self._begin()
        await asyncio.gather(*(it.close() for it in services))

    def _begin(self) -> None:
        """Forget everything, and start anew, if that is wanted."""
        for service in self._services.values():
            service.cancel()
        self._buffers.close()
        if self._opening is not None:
            self._opening.cancel()
            self._opening = None
        self._services, self._states, self._complete, self._real = {}, {}, set(), {}
        if self._options is not None:
            self._buffers.most_characters = self._options["config"]["max_bytes"]
            self._services = {it: self._service(it, self._options) for it in self._folders or ()}
        self.on_change()

    def _service(self, folder: str, options: Json) -> Service:
        async def greet(service: Service) -> None:
            await self._greet(folder, service)

        def hear(said: Json) -> None:
            if folder in self._services:
                self._hear(folder, said)

        return Service(command(folder, self._cache, options), self._cache, greet, hear, self._is_held)

    def _is_held(self) -> bool:
        return self.is_busy()

    async def _greet(self, folder: str, service: Service) -> None:
        """Tell a new process what is open and what is not saved, before it is asked anything."""
        try:
            if self._is_paused:
                service.tell("pause")
            service.tell("open", {"paths": self._open_in(folder)})
            self._buffers.forget(folder, self._documents)
            await self._buffers.flush()
        except Exception:
            logger.exception("index bug")

    def _hear(self, folder: str, said: Json) -> None:
        if said.get("event") == "problem":
            self.on_problem(str(said.get("says", "")))
        elif said.get("event") == "status":
            try:
                self._states[folder] = status_in(said)
            except (TypeError, ValueError):
                logger.warning("index status makes no sense")
                return
            if self._states[folder].state is State.READY:
                self._complete.add(folder)
        self.on_change()

    def _state(self, folder: str) -> Status:
        problem = self._services[folder].problem
        known = self._states.get(folder, Status(progress=0.0))
        return replace(known, state=State.FAILED, problem=problem) if problem else known

    async def _ask_all(
        self, folders: Sequence[str], method: str, params: Json, seconds: float
    ) -> tuple[list[tuple[str, Any]], str]:
        """What each folder answers, and why one of them does not."""
        if not folders:
            return [], OFF if self._options is None else NO_FOLDER
        services = [self._services[it] for it in folders]
        try:
            async with asyncio.timeout(seconds):
                await self._buffers.flush()
        except TimeoutError:
            logger.info("index buffers late")
        said = await asyncio.gather(
            *(it.ask(method, params, seconds) for it in services), return_exceptions=True
        )
        for it in said:
            if isinstance(it, BaseException) and not isinstance(it, NoAnswer):
                raise it
        problem = next((str(it) for it in said if isinstance(it, NoAnswer)), "")
        pairs = zip(folders, said, strict=True)
        return [(folder, it) for folder, it in pairs if not isinstance(it, BaseException)], problem

    def _places(self, uri: str, *, is_open: bool = True) -> Iterator[tuple[str, str]]:
        """The folders that a file is in, the innermost first, each with its path there.

        What is open may be open through a link: there, its path is the one that the index has read it by.
        """
        if not uri.startswith("file:"):
            return
        path = convert.file_path(uri)
        for folder in sorted(self._services, key=len, reverse=True):
            real = _below(self._really(folder), self._really(path)) if is_open else ""
            if inside := real or _below(folder, path):
                yield folder, inside

    def _really(self, path: str) -> str:
        if path not in self._real:
            self._real[path] = os.path.realpath(path)
        return self._real[path]

    def _open_in(self, folder: str) -> list[str]:
        every = (place for it in self._documents for place in self._places(it.uri))
        return [path for home, path in every if home == folder]

    def _tell_open(self) -> None:
        """Soon, and once for many documents."""
        if self._opening is None:
            self._opening = asyncio.get_running_loop().call_later(OPENING_SECONDS, self._tell_open_now)

    def _tell_open_now(self) -> None:
        self._opening = None
        for folder, service in self._services.items():
            service.tell("open", {"paths": self._open_in(folder)})

    def _tell_paths(self, method: str, uris: Sequence[str]) -> None:
        paths: dict[str, list[str]] = {}
        for uri in uris:
            for folder, path in self._places(uri, is_open=method == "saved"):
                paths.setdefault(folder, []).append(path)
        for folder, changed in paths.items():
            self._services[folder].tell(method, {"paths": changed})

    def _are_files(self, places: Iterable[tuple[str, str]]) -> None:
        for folder, path in places:
            self._services[folder].tell("buffer", {"path": path, "text": None})

    async def _tell_buffer(self, folder: str, path: str, text: str | None) -> None:
        service = self._services.get(folder)
        if service is not None:
            service.tell("buffer", {"path": path, "text": text})
            await service.drain()


def _below(folder: str, path: str) -> str:
    """The path from a folder; empty if it is not in it."""
    inside = folder.rstrip("/") + "/"
    return path[len(inside) :] if path.startswith(inside) else ""


def options_of(settings: Settings) -> Json | None:
    """What of ``codeindex.protocol.Options`` the user decides; ``None`` where there is to be no index."""
    if not settings.index_enabled:
        return None
    embedder = "" if settings.index_embeddings == "off" else settings.index_embeddings
    if embedder == "auto":
        embedder = str(BUNDLED_EMBEDDER) if (BUNDLED_EMBEDDER / "model.json").is_file() else ""
    config: dict[str, Any] = {"max_bytes": KILOBYTE * settings.index_max_file_kilobytes}
    if settings.index_include:
        config["include"] = list(settings.index_include)
    reranker = "" if settings.index_reranker == "off" else settings.index_reranker
    models = {"embedder": os.path.expanduser(embedder), "reranker": os.path.expanduser(reranker)}
    return {"config": config, **models}
