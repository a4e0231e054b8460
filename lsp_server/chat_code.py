"""`make_code`: the workspace's code as chat asks for it, from its indexes, open documents and files.

One implementation for the server, whose indexes are processes, and the command line, whose index is in its
own process (``lsp_server/commands/coded.py``). What is open counts as it is on screen. A file is read only
where ``codeindex/walk.py`` says that it belongs: no secret, nothing ignored, nothing outside of the folders,
also not through links.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from chat.code import Call, Line, Lines, Occurrence, Symbol
from chat.types import Problem
from codeindex.protocol import options_in, symbol_in
from codeindex.types import Hit, SymbolRow
from lsp_server import convert
from lsp_server.chat_paths import Roots, roots_of
from lsp_server.chat_values import call_of, import_of, line_of, occurrence_of, symbol_of
from lsp_server.index import NO_FOLDER, OFF, Index, options_of
from lsp_server.index_answers import hits_in, values_in

if TYPE_CHECKING:
    from codeindex.config import WalkConfig
    from lsp_server.documents import Document
    from lsp_server.settings import Settings
    from lsp_server.wiring import Workbench

logger = logging.getLogger(__name__)

QUICK_SECONDS = 3.0
SLOW_SECONDS = 10.0
"""For what looks into many files."""
LONGEST_QUERY = 4_000  # Characters: of a pasted log more says nothing new.
MOST_OF_A_NAME = 50  # Definitions.
LOOKED_AT = 100
"""Calls that are looked for at least: with fewer the index gives up sooner, and of a common name too soon."""
TOO_MANY = "The name stands in too many files to find all its places."

Json = Mapping[str, Any]
Answers = list[tuple[str, Any]]
"""What each folder has said."""


class Asks(Protocol):
    """Whoever holds the folders' indexes."""

    async def ask(
        self, method: str, params: Json, seconds: float, folders: Sequence[str] = ()
    ) -> tuple[Answers, str]:
        """What folders answer, and in a sentence why one does not."""
        ...

    def trouble(self) -> str:
        """Why answers may be missing or incomplete: one sentence, or empty."""
        ...


class OfServer:
    """The indexes of one connection."""

    def __init__(self, index: Index) -> None:
        self._index = index

    async def ask(
        self, method: str, params: Json, seconds: float, folders: Sequence[str] = ()
    ) -> tuple[Answers, str]:
        """The folders' processes answer."""
        return await self._index.ask(method, params, seconds, folders)

    def trouble(self) -> str:
        """As its status says."""
        status = self._index.status
        if status.state == "off":
            return OFF
        if not self._index.folders:
            return NO_FOLDER
        if status.problem:
            return status.problem
        if self._index.is_first_build or (status.state == "empty" and status.progress < 1):
            return f"The code is still being indexed ({status.progress:.0%}): answers may be incomplete."
        return ""


def make_code(
    workbench: Workbench,
    documents: Iterable[Document],
    roots: Callable[[], Iterable[str]],
    problems: Callable[[], Iterable[Problem]],
    asks: Asks | None = None,
) -> WorkspaceCode:
    """The code of these folders, which are paths on disk; ``asks`` are the workbench's indexes if not given.

    ``documents``, ``roots`` and ``problems`` are looked at with every question: they may change.
    """
    return WorkspaceCode(
        asks or OfServer(workbench.index), documents, roots, problems, lambda: workbench.settings
    )


class WorkspaceCode:
    """``chat.code.Code`` of a workspace. Lives on the event loop; what reads files does so in threads."""

    def __init__(
        self,
        asks: Asks,
        documents: Iterable[Document],
        roots: Callable[[], Iterable[str]],
        problems: Callable[[], Iterable[Problem]],
        settings: Callable[[], Settings],
    ) -> None:
        """See ``make_code``."""
        self._asks = asks
        self._documents = documents
        self._folders = roots
        self._problems = problems
        self._settings = settings
        self._late = ""
        """Why the last question had no whole answer; said once."""
        self._real: dict[str, str] = {}

    async def search(self, query: str, *, limit: int = 20, paths: tuple[str, ...] = ()) -> tuple[Hit, ...]:
        """The best hits of all folders."""
        roots = self._roots()
        wanted: dict[str, list[str]] = {it: [] for it in roots.folders}
        for pattern in paths:
            for folder, inside in roots.within(pattern):
                wanted[folder].append(inside or "*")
        asked = [it for it in roots.folders if wanted[it] or not paths]
        params = {"query": query[:LONGEST_QUERY], "limit": limit}
        said = await asyncio.gather(
            *(self._ask("search", {**params, "paths": wanted[it]}, QUICK_SECONDS, [it]) for it in asked)
        )
        found = [
            replace(hit, path=roots.shown(folder, hit.path))
            for answers in said
            for folder, one in answers
            for hit in hits_in(one)
            if roots.is_owner(folder, hit.path)
        ]
        return tuple(sorted(found, key=lambda it: -it.score)[:limit])

    async def definitions(
        self, names: tuple[str, ...], *, path: str = "", limit: int = 10
    ) -> tuple[Hit, ...]:
        """What they mean in the file; those that mean nothing there, wherever they are defined."""
        roots = self._roots()
        found: list[Hit] = []
        place = roots.found(path)
        if place is not None:
            params = {"names": list(names), "path": place[1], "limit": limit}
            answers = await self._ask("definitions", params, QUICK_SECONDS, [place[0]])
            for folder, said in answers:
                found += [replace(it, path=roots.shown(folder, it.path)) for it in hits_in(said)]
        known = {it.name for it in found}
        for name in dict.fromkeys(names):
            if limit <= len(found):
                break
            if name.replace("::", ".").rpartition(".")[2] not in known:
                rows = await self.symbols(name, limit=MOST_OF_A_NAME)
                exact = [it for it in rows if it.row.name == name.replace("::", ".").rpartition(".")[2]]
                exact.sort(key=lambda it: it.path != path)
                found += [hit for it in exact[: limit - len(found)] if (hit := await self._as_hit(it))]
        return tuple(found[:limit])

    async def symbols(self, query: str, *, limit: int = 20) -> tuple[Symbol, ...]:
        """Of all folders, those first whose names are what is typed."""
        roots = self._roots()
        answers = await self._ask("symbols", {"query": query[:LONGEST_QUERY], "limit": limit}, QUICK_SECONDS)
        typed = query.strip().replace("::", ".").rstrip("(").rpartition(".")[2]
        found = [
            symbol_of(row, roots.shown(folder, row.paths[0]))
            for folder, said in answers
            for row in values_in(said, "symbols", symbol_in)
            if roots.is_owner(folder, row.paths[0])
        ]
        if 1 < len(roots.folders):
            found.sort(key=lambda it: (it.row.name != typed, it.row.name.lower() != typed.lower()))
        return tuple(found[:limit])

    async def callers(self, name: str, *, path: str = "", line: int = 0, limit: int = 50) -> tuple[Call, ...]:
        """By the graph; without a name, the lines of other files that import this one."""
        if not name:
            return await self._imports(path, "used", limit)
        return await self._calls("callers", name, path, line, limit)

    async def callees(self, name: str, *, path: str = "", line: int = 0, limit: int = 50) -> tuple[Call, ...]:
        """By the graph; without a name, the lines in which the file imports others, or somebody's module."""
        if not name:
            return await self._imports(path, "uses", limit)
        return await self._calls("callees", name, path, line, limit)

    async def occurrences(self, name: str, *, path: str, line: int) -> tuple[Occurrence, ...]:
        """All of them or none: who renames must not miss one."""
        roots = self._roots()
        place = roots.found(path)
        if place is None:
            return ()
        params = {"name": name, "path": place[1], "line": line}
        found: list[Occurrence] = []
        for folder, said in await self._ask("occurrences", params, SLOW_SECONDS, [place[0]]):
            if said.get("unread"):
                self._late = TOO_MANY
                return ()
            found += values_in(said, "occurrences", lambda it, at=folder: occurrence_of(it, name, roots, at))  # type: ignore[misc]
        return tuple(found)

    async def lines(
        self, pattern: str, *, words: tuple[str, ...] = (), paths: tuple[str, ...] = (), limit: int = 200
    ) -> Lines:
        """Of all folders."""
        roots = self._roots()
        found: list[Line] = []
        more = 0
        for folder in roots.folders:
            inside = [it or "*" for path in paths for home, it in roots.within(path) if home == folder]
            if paths and not inside:
                continue
            params = {"pattern": pattern, "words": list(words), "paths": inside, "limit": limit}
            for _, said in await self._ask("lines", params, SLOW_SECONDS, [folder]):
                lines = values_in(said, "lines", lambda it, at=folder: line_of(it, roots, at))  # type: ignore[misc]
                found += [it for it in lines if roots.is_owner(folder, (roots.found(it.path) or ("", ""))[1])]
                more += said.get("more", 0)
        return Lines(lines=tuple(found[:limit]), more=more + max(0, len(found) - limit))

    async def outline(self, path: str) -> tuple[SymbolRow, ...]:
        """Of the text on screen, else of the file."""
        place = self._roots().found(path)
        if place is None:
            return ()
        answers = await self._ask("outline", {"path": place[1]}, QUICK_SECONDS, [place[0]])
        rows = (row for _, said in answers for row in values_in(said, "symbols", symbol_in))
        return tuple(replace(it, paths=(path,)) for it in rows)

    async def overview(self, tokens: int, focus: tuple[str, ...] = ()) -> str:
        """Of each folder, with an equal share of the tokens."""
        roots = self._roots()
        if not roots.folders:
            return ""
        share = max(1, tokens // len(roots.folders))
        parts = []
        for name, folder in roots.named:
            inside = [it for path in focus for home, it in roots.within(path) if home == folder]
            for _, said in await self._ask("map", {"tokens": share, "focus": inside}, SLOW_SECONDS, [folder]):
                text = said.get("text", "") if isinstance(said, Mapping) else ""
                parts.append(f"{name}/\n{text}" if name and text else text)
        return "\n".join(it for it in parts if it)

    async def text(self, path: str) -> str | None:
        """With LF line ends."""
        place = self._roots().found(path)
        if place is None:
            return None
        document = self._document(*place)
        lines = None if document is None else tuple(document.lines)
        return await asyncio.to_thread(_read, *place, self._config(), lines)

    async def version(self, path: str) -> int | None:
        """Of the document as it is open."""
        place = self._roots().found(path)
        document = self._document(*place) if place else None
        return document.version if document is not None else None

    async def files(self, pattern: str = "", *, limit: int = 1000) -> tuple[str, ...]:
        """Of all folders, by what their indexes have."""
        roots = self._roots()
        found: list[str] = []
        for folder, inside in roots.within(pattern):
            asked = {"pattern": inside, "limit": limit}
            for _, said in await self._ask("files", asked, QUICK_SECONDS, [folder]):
                paths = [it for it in said.get("files", ()) if isinstance(it, str)]
                found += [roots.shown(folder, it) for it in paths if roots.is_owner(folder, it)]
        return tuple(sorted(found)[:limit])

    async def diff(self) -> str:
        """Of each folder that git works in."""
        from lsp_server.chat_diff import changes  # Late: few ask for it.

        config = self._config()
        parts = [
            await asyncio.to_thread(changes, folder, config, f"{name}/" if name else "")
            for name, folder in self._roots().named
        ]
        return "".join(parts)

    async def problems(self, path: str = "") -> tuple[Problem, ...]:
        """As the editor says them."""
        return tuple(it for it in self._problems() if not path or it.path == path)

    async def faults(self, text: str, language: str) -> int | None:
        """Any folder's index has all grammars."""
        folders = self._roots().folders[:1]
        params = {"text": text, "language": language}
        answers = await self._ask("faults", params, SLOW_SECONDS, folders) if folders else []
        found = next((said.get("faults") for _, said in answers if isinstance(said, Mapping)), None)
        return found if type(found) is int else None

    async def problem(self) -> str:
        """How the index is; else why the last question had no whole answer, once."""
        late, self._late = self._late, ""
        return self._asks.trouble() or late

    def roots(self) -> tuple[Path, ...]:
        """The workspace's folders, for documents that the index does not read."""
        return tuple(Path(it) for it in self._folders())

    async def _ask(self, method: str, params: Json, seconds: float, folders: Sequence[str] = ()) -> Answers:
        answers, problem = await self._asks.ask(method, params, seconds, folders or self._roots().folders)
        if problem:
            self._late = problem
        return [(folder, it) for folder, it in answers if isinstance(it, Mapping)]

    async def _calls(self, method: str, name: str, path: str, line: int, limit: int) -> tuple[Call, ...]:
        roots = self._roots()
        place = roots.found(path)
        if path and place is None:
            return ()
        most = max(limit, LOOKED_AT)
        params = {"name": name, "limit": most, "line": line, "path": place[1] if place else ""}
        is_out = method == "callees"
        found: list[Call] = []
        for folder, said in await self._ask(method, params, SLOW_SECONDS, [place[0]] if place else ()):
            self._late = said.get("partly") or self._late
            found += values_in(said, "edges", lambda it, at=folder: call_of(it, roots, at, is_out=is_out))  # type: ignore[misc]
        return tuple(found[:limit])

    async def _imports(self, path: str, key: str, limit: int) -> tuple[Call, ...]:
        roots = self._roots()
        place = roots.found(path)
        if place is None:
            return ()
        found: list[Call] = []
        params = {"path": place[1], "limit": limit}
        for folder, said in await self._ask("imports", params, SLOW_SECONDS, [place[0]]):
            found += values_in(said, key, lambda it, at=folder: import_of(it, roots, at))  # type: ignore[misc]
        return tuple(found[:limit])

    async def _as_hit(self, it: Symbol) -> Hit | None:
        text = await self.text(it.path)
        lines = text.split("\n")[it.row.first_line - 1 : it.row.last_line] if text else []
        if not lines or it.row.name not in "\n".join(lines):
            return None
        return Hit(
            path=it.path,
            first_line=it.row.first_line,
            last_line=it.row.first_line + len(lines) - 1,
            text="\n".join(lines),
            score=1.0,
            language=it.row.language,
            kind=it.row.kind,
            name=it.row.name,
            scope=it.row.scope,
            signature=it.row.signature,
            doc=it.row.doc,
            unsaved=False,
        )

    def _roots(self) -> Roots:
        return roots_of(self._folders())

    def _config(self) -> WalkConfig:
        said = options_of(replace(self._settings(), index_enabled=True))
        return options_in(said or {})[0].config

    def _document(self, folder: str, path: str) -> Document | None:
        """The document of a file, also if it is open through a link; of several the one opened last."""
        full = os.path.normpath(os.path.join(folder, path))
        found = None
        for it in self._documents:
            if it.uri.startswith("file:"):
                here = os.path.normpath(convert.file_path(it.uri))
                if here == full or self._really(here) == self._really(full):
                    found = it
        return found

    def _really(self, path: str) -> str:
        if path not in self._real:
            if MOST_OF_A_NAME * 100 <= len(self._real):
                self._real.clear()
            self._real[path] = os.path.realpath(path)
        return self._real[path]


def _read(folder: str, path: str, config: WalkConfig, lines: Sequence[str] | None) -> str | None:
    """In a thread: a file's text, or what is on screen of it, if it belongs."""
    from codeindex.walk import belongs  # Late: its rules for patterns take a while.

    try:
        text = None if lines is None else "".join(lines).replace("\r\n", "\n").replace("\r", "\n")
        return belongs(Path(folder), Path(folder) / path, config, text=text).text
    except (OSError, ValueError) as problem:
        logger.info("file not read cause=%s", type(problem).__name__)
        return None
