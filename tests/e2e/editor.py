"""An editor as the tests drive it: a real server process, and the habits of a real client.

The capabilities in ``clients/`` are what each client says in `initialize`: Neovim 0.12.4 and VS Code 1.139.1
(as code-server) ask for UTF-8 and UTF-16; lsp-mode 10 for UTF-32, with an inline completion capability of
null.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from lsprotocol import types as lsp
from lsprotocol.converters import get_converter
from pytest_lsp import LanguageClient, make_test_lsp_client

from lsp_server.convert import named, units_in
from lsp_server.documents import Document
from tests.e2e.watching import Watch

MARK = "‸"
CLIENTS = Path(__file__).parent / "clients"
URI = "file:///project/sample.py"
TURNS = 2000
TURN_SECONDS = 0.01


class Editor:
    """One client connected to one server."""

    def __init__(self, client: LanguageClient, started: lsp.InitializeResult) -> None:
        self.client = client
        self.capabilities = started.capabilities
        self.encoding = named(started.capabilities.position_encoding)
        self.statuses: list[Any] = []
        """Every `hearth/status` notification, oldest first."""

    def open(self, marked: str, uri: str = URI, language: str = "python") -> lsp.Position:
        """Open a document; the position of the mark, in this client's units."""
        text = marked.replace(MARK, "")
        item = lsp.TextDocumentItem(uri=uri, language_id=language, version=1, text=text)
        self.client.text_document_did_open(lsp.DidOpenTextDocumentParams(text_document=item))
        return self.position(marked)

    def position(self, marked: str) -> lsp.Position:
        """Where the mark is."""
        before = marked.partition(MARK)[0]
        line = before[before.rfind("\n") + 1 :]
        return lsp.Position(before.count("\n"), units_in(line, self.encoding))

    def insert(self, at: lsp.Position, text: str, version: int, uri: str = URI) -> lsp.Position:
        """Type some text of one line; where the cursor is then."""
        change = lsp.TextDocumentContentChangePartial(range=lsp.Range(at, at), text=text)
        document = lsp.VersionedTextDocumentIdentifier(uri=uri, version=version)
        params = lsp.DidChangeTextDocumentParams(text_document=document, content_changes=[change])
        self.client.text_document_did_change(params)
        return lsp.Position(at.line, at.character + units_in(text, self.encoding))

    def ask(
        self,
        at: lsp.Position,
        *,
        uri: str = URI,
        explicit: bool = False,
        selected: lsp.SelectedCompletionInfo | None = None,
        message_id: str | None = None,
    ) -> asyncio.Task[Any]:
        """Ask for ghost text; the request is on its way when this returns to the loop."""
        kind = lsp.InlineCompletionTriggerKind
        context = lsp.InlineCompletionContext(
            trigger_kind=kind.Invoked if explicit else kind.Automatic, selected_completion_info=selected
        )
        document = lsp.TextDocumentIdentifier(uri=uri)
        params = lsp.InlineCompletionParams(context=context, text_document=document, position=at)
        method = lsp.TEXT_DOCUMENT_INLINE_COMPLETION
        request = self.client.protocol.send_request_async(method, params, msg_id=message_id)
        return asyncio.ensure_future(request)

    def accepted(self, marked: str, item: lsp.InlineCompletionItem) -> str:
        """The document after accepting an item, as an editor of this encoding would have it."""
        assert item.range is not None
        document = Document(URI, "python", 1, marked.replace(MARK, ""))
        change = lsp.TextDocumentContentChangePartial(range=item.range, text=str(item.insert_text))
        document.apply([change], 2, self.encoding)
        return document.text

    async def command(self, name: str, *arguments: Any) -> Any:
        """Run a command of the server."""
        params = lsp.ExecuteCommandParams(command=name, arguments=list(arguments))
        return await self.client.workspace_execute_command_async(params)

    async def status(self) -> Any:
        """Ask how the engine is."""
        return await self.client.protocol.send_request_async("hearth/status", {})


@asynccontextmanager
async def editor(
    home: Path,
    client_name: str = "neovim",
    *arguments: str,
    options: Any = None,
    root: Path | None = None,
    watch: Watch | None = None,
) -> AsyncIterator[Editor]:
    """A client connected to a `hearth lsp` of its own, and the end of both; ``root`` is its workspace."""
    model = home / "scripted.gguf"
    model.write_bytes(b"GGUF")
    client = make_test_lsp_client()
    dump = json.loads((CLIENTS / f"{client_name}.json").read_text())
    params = get_converter().structure(
        {**dump, "processId": os.getpid(), "rootUri": None}, lsp.InitializeParams
    )
    params.initialization_options = options
    folder = root.as_uri() if root else "file:///project"
    params.workspace_folders = [lsp.WorkspaceFolder(uri=folder, name="project")]
    statuses: list[Any] = []
    client.feature("hearth/status")(lambda status: statuses.append(status))
    command = [sys.executable, "-P", "-m", "lsp_server.cli", "lsp", "--model", str(model), *arguments]
    environment = {**os.environ, "HEARTH_HOME": str(home)}
    if watch is not None:
        command, environment = watch.command(*command), watch.environment(environment)
    await client.start_io(*command, env=environment)
    try:
        it = Editor(client, await client.initialize_session(params))
        it.statuses = statuses
        yield it
        await client.shutdown_session()
    finally:
        server = client._server
        if server is not None and server.returncode is None:
            server.kill()
        await client.stop()


async def until(condition: Any) -> None:
    """Wait for what another process is about to do."""
    for _ in range(TURNS):
        if condition():
            return
        await asyncio.sleep(TURN_SECONDS)
    raise AssertionError("it never happened")


def texts(items: Any) -> list[str]:
    """What the items would insert."""
    return [it.insert_text for it in items]
