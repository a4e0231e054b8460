"""Between an editor's documents and the paths of chat, also for a document that is in no folder."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from chat.code import Code
from chat.edits_types import NewFile
from chat.types import Problem
from codeindex.types import SymbolRow
from lsp_server import convert
from lsp_server.chat_code import make_code
from lsp_server.chat_paths import Roots, roots_of
from lsp_server.documents import Document
from lsp_server.workspace_edit import Now

if TYPE_CHECKING:
    from chat.act_types import Outcome
    from lsp_server.server import Assistant

FEW_LINES = 100  # that tell how lines end
FEW_BYTES = 8_192


class Places:
    """The paths and documents of one connection, as they are now."""

    def __init__(self, ls: Assistant) -> None:
        self._ls = ls

    @property
    def roots(self) -> Roots:
        """The folders that are open."""
        return roots_of(self.folders)

    @property
    def folders(self) -> list[str]:
        """Where they are on disk."""
        return [convert.file_path(it) for it in self._ls.roots if it.startswith("file:")]

    def path_of(self, uri: str) -> str:
        """What chat calls a document: its path from the root, or all of what names it if it is in none."""
        if not uri.startswith("file:"):
            return uri
        full = convert.file_path(uri)
        for folder in sorted(self.roots.folders, key=len, reverse=True):
            if full.startswith(f"{folder.rstrip('/')}/"):
                return self.roots.shown(folder, full[len(folder.rstrip("/")) + 1 :])
        return full

    def uri_of(self, path: str) -> str:
        """The URI by which the editor knows a path: its own spelling, where it has the document open."""
        if convert.is_uri(path):
            return path
        found = None if path.startswith("/") else self.roots.found(path)
        full = f"{found[0].rstrip('/')}/{found[1]}" if found else path
        for it in self._ls.documents:
            if it.uri.startswith("file:") and convert.file_path(it.uri) == full:
                return it.uri
        return PurePosixPath(full).as_uri() if full.startswith("/") else full

    def document(self, path: str) -> Document | None:
        """The document of a path, if it is open."""
        return self._ls.documents.get(self.uri_of(path))

    def line_end(self, path: str) -> str:
        """How the lines of a document end, or of a file that is not open."""
        document = self.document(path)
        if document is not None:
            return "\r\n" if any(it.endswith("\r\n") for it in document.lines[:FEW_LINES]) else "\n"
        try:
            with open(convert.file_path(self.uri_of(path)), "rb") as file:
                return "\r\n" if b"\r\n" in file.read(FEW_BYTES) else "\n"
        except (OSError, ValueError):
            return "\n"

    def is_inside(self, uri: str) -> bool:
        """Whether the document is a file of a folder that is open."""
        return uri.startswith("file:") and not self.path_of(uri).startswith("/")

    def code(self, asked: Document) -> Code:
        """The workspace's code; of a document that is in no folder, its text as well."""
        ls = self._ls
        code = make_code(ls.workbench, ls.documents, lambda: self.folders, self.problems)
        if self.is_inside(asked.uri):
            return code
        return WithDocument(code, self.path_of(asked.uri), lambda: ls.documents.get(asked.uri))

    async def now(self, outcome: Outcome, code: Code) -> dict[str, Now]:
        """What the documents are that an outcome is about to change."""
        paths = {it.path for it in (*outcome.edits, *outcome.unsure)} | {it.path for it in outcome.files}
        found: dict[str, Now] = {}
        for path in sorted(paths):
            found[path] = Now(text=await code.text(path), version=await code.version(path))
        for it in outcome.files:
            if found[it.path].text is None and self._is_there(it):
                found[it.path] = Now(text="", version=None)  # Something that chat does not read.
        return found

    def _is_there(self, file: NewFile) -> bool:
        return os.path.lexists(convert.file_path(self.uri_of(file.path)))

    def problems(self) -> Iterator[Problem]:
        """The diagnostics that the editor has told of, as far as they still hold."""

        def version(uri: str) -> int | None:
            document = self._ls.documents.get(uri)
            return document.version if document else None

        return self._ls.problems.now(version, self.path_of)


class WithDocument:
    """The workspace's code and one document that is in no folder: a file alone, or one without a name."""

    def __init__(self, code: Code, path: str, document: Callable[[], Document | None]) -> None:
        self._code = code
        self._path = path
        self._document = document

    def __getattr__(self, name: str) -> Any:
        return getattr(self._code, name)

    async def text(self, path: str) -> str | None:
        """The document as it is on screen, with LF line ends."""
        if path != self._path:
            return await self._code.text(path)
        document = self._document()
        return document.text.replace("\r\n", "\n").replace("\r", "\n") if document else None

    async def version(self, path: str) -> int | None:
        """The document's."""
        document = self._document() if path == self._path else None
        return document.version if document else await self._code.version(path)

    async def outline(self, path: str) -> tuple[SymbolRow, ...]:
        """Nobody has looked into the document."""
        return () if path == self._path else await self._code.outline(path)
