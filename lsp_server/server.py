"""`Assistant`: what the handlers of one connection share."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import Any

from lsprotocol import types as lsp
from pygls.lsp.server import LanguageServer
from pygls.protocol import LanguageServerProtocol, default_converter

from chat.recipes import Book
from lsp_server import convert, wiring
from lsp_server.chats import Chats
from lsp_server.convert import Encoding
from lsp_server.dismissals import Dismissals
from lsp_server.documents import Documents
from lsp_server.index_bar import Bar
from lsp_server.reporter import Reporter
from lsp_server.running import Runs
from lsp_server.seen_problems import SeenProblems
from lsp_server.wiring import Workbench
from models import paths
from models.errors import BackendError, ModelError
from models.version import VERSION

logger = logging.getLogger(__name__)

SETTLE_SECONDS = 5.0  # Longer than an editor may take to say its settings.

HINT_SECONDS = 0.1  # A cursor on its way somewhere passes many lines, and opening a project many documents.

OWN_DOCUMENTS = (
    lsp.TEXT_DOCUMENT_DID_OPEN,
    lsp.TEXT_DOCUMENT_DID_CHANGE,
    lsp.TEXT_DOCUMENT_DID_CLOSE,
)
"""What the library would do itself, but breaking lines at form feeds and copying the file on every change."""


class Protocol(LanguageServerProtocol):
    """The library's protocol, with documents of our own and one answer already given."""

    answered: Any = None
    """The id of the request that was answered before this protocol was there."""

    @property
    def is_shut_down(self) -> bool:
        """Whether the client has asked to shut down: only `exit` may follow."""
        return self._shutdown

    def _register_builtin_features(self) -> None:
        super()._register_builtin_features()  # type: ignore[no-untyped-call]  # the library has no types here
        for method in OWN_DOCUMENTS:
            self.fm.builtin_features.pop(method)

    def _send_response(
        self, msg_id: Any, result: Any | None = None, error: lsp.ResponseError | None = None
    ) -> None:
        if self.answered is not None and msg_id == self.answered:
            self.answered = None
            return
        super()._send_response(msg_id, result, error)


class Assistant(LanguageServer):
    """One editor's connection: its documents, and the workbench that answers its questions."""

    protocol: Protocol

    def __init__(self, workbench: Workbench) -> None:
        super().__init__("hearth", VERSION, protocol_cls=Protocol, converter_factory=default_converter)
        self.documents = Documents()
        self.initial_settings: dict[str, Any] = {}
        """What the editor said in `initialize`."""
        self.settled = asyncio.Event()
        """Set when the settings are known, and with them the model."""
        self.dismissals = Dismissals()
        self.problems = SeenProblems()
        self.recipes = Book(paths.config_dir())
        self.runs = Runs(self)
        self.chats = Chats(self)
        self.cursors: dict[str, lsp.Position] = {}
        """Where the cursor was last in each document that is open or was."""
        self._hint: asyncio.TimerHandle | None = None
        self._background: set[asyncio.Task[None]] = set()
        self.workbench = workbench
        self.reporter = Reporter(self)
        self.bar = Bar(self)
        workbench.on_health = self.reporter.health
        workbench.memory.on_change = self.reporter.changed
        workbench.index.on_change = self._index_changed
        workbench.index.on_problem = self.reporter.warn

    @property
    def encoding(self) -> Encoding:
        """The client's unit for columns, as agreed in `initialize`."""
        return convert.named(self.workspace.position_encoding)

    @property
    def roots(self) -> tuple[str, ...]:
        """The workspace folders' URIs."""
        return tuple(it.uri for it in self.workspace.folders.values())

    async def until_settled(self) -> None:
        """Wait for the editor's settings; a client that never sends `initialized` waits not for ever."""
        if self.settled.is_set():
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(SETTLE_SECONDS):
                await self.settled.wait()

    def remember(self) -> None:
        """Begin to remember and to index the workspace's folders, or go on with other folders."""
        folders = [convert.file_path(it) for it in self.roots if it.startswith("file:")]
        self.workbench.memory.start(folders, self.documents)
        self.workbench.index.start(folders, self.documents)

    def warm(self) -> None:
        """Find or start the engine in the background, and load its model once a document is open.

        What fails is said in the status.
        """
        if self.settled.is_set():
            task = asyncio.create_task(self._warm())
            self._background.add(task)
            task.add_done_callback(self._background.discard)

    def hint(self, uri: str, position: lsp.Position | None = None) -> None:
        """Somebody may type in this document soon: here, or where they were last, or at its start.

        Of several hints in a row the last one counts.
        """
        if position is not None:
            self.cursors[uri] = position
        if self._hint:
            self._hint.cancel()
        self._hint = asyncio.get_running_loop().call_later(HINT_SECONDS, self._follow_hint, uri)

    def _index_changed(self) -> None:
        self.reporter.changed()
        self.bar.index_changed()
        self.workbench.around.index_changed()

    def _follow_hint(self, uri: str) -> None:
        document = self.documents.get(uri)
        if document is None:
            return
        if not self.settled.is_set():  # The settings may name another model.
            self.hint(uri)
            return
        at = self.cursors.get(uri, lsp.Position(line=0, character=0))
        found = document.locate(at, self.encoding) or (0, 0)
        path = convert.path_of(uri, self.roots)
        self.workbench.around.look(document, found[0])
        try:
            wiring.hint(
                self.workbench, document.window(*found), path=path, language=document.language, document=uri
            )
        except Exception:
            logger.exception("hint not followed: bug")

    async def _warm(self) -> None:
        try:
            await self.workbench.warm(load=0 < len(self.documents))
        except (BackendError, ModelError) as exc:
            logger.warning("engine not warm: %s", exc)
            self.reporter.problem(str(exc))
        except Exception:
            logger.exception("engine not warm: bug")

    def report_server_error(self, error: Exception, source: Any) -> None:
        """Log what the library could not handle; a popup would help nobody."""
        logger.error("in=protocol error=%s", type(error).__name__)
