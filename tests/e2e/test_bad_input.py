"""Whatever an editor sends: one answer to every request, and the next request works."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types as lsp

from lsp_server.frames import frame
from tests.e2e.editor import URI, Editor, editor, texts, until
from tests.e2e.scripted_engine import ScriptedEngine

pytestmark = pytest.mark.e2e

FAR = 2**31 - 1
DOCUMENTS = {
    "file:///project/binary.py": "\0\1\2‸\0ELF",
    "file:///project/empty.py": "‸",
    "file:///project/crlf.py": "def f():\r\n    return ‸\r\n",
    "file:///project/mixed.py": "a\rb\n\r\nc‸\r",
    "file:///project/tabs.go": "func f() {\n\t‸\n}\n",
    "file:///project/emoji.py": "x = '👩‍👩‍👧e\u0301‸'\n",
    "file:///project/long.js": "x" * 1_000_000 + "(‸)",
    "file:///project/many.py": "x = 1\n" * 100_000 + "y = ‸",
    "file:///project/deleted.py": "def add(‸",
    "untitled:Untitled-1": "def add(‸",
    "git:/project/x.py?%7B%22ref%22%7D": "def add(‸",
    "vscode-notebook-cell:/project/n.ipynb#W0sZmlsZQ%3D%3D": "def add(‸",
    "not a uri at all": "def add(‸",
    "": "def add(‸",
}


async def test_documents_of_every_kind(hearth_home: Path) -> None:
    """Binary, empty, huge, deleted, no file at all; all line endings; positions outside the document."""
    answers = ["a"] * (2 * len(DOCUMENTS))
    async with ScriptedEngine(hearth_home, *answers), editor(hearth_home) as it:
        for uri, marked in DOCUMENTS.items():
            at = it.open(marked, uri=uri)
            assert isinstance(await it.ask(at, uri=uri), list), uri
            assert isinstance(await it.ask(at, uri=uri, explicit=True), list), uri
            outside = [lsp.Position(FAR, 0), lsp.Position(at.line, FAR), lsp.Position(FAR, FAR)]
            assert isinstance(await it.ask(outside[0], uri=uri), list), uri
            assert isinstance(await it.ask(outside[2], uri=uri, explicit=True), list), uri
            it.insert(outside[0], "\n", 2, uri=uri)
            it.client.text_document_did_close(
                lsp.DidCloseTextDocumentParams(text_document=lsp.TextDocumentIdentifier(uri=uri))
            )
            assert await it.ask(at, uri=uri) is None, uri


async def _send(it: Editor, message: dict[str, Any] | bytes) -> Any:
    """Send a message as it is; its answer, if it asks for one."""
    answer: Future[Any] = Future()
    if isinstance(message, dict) and "id" in message:
        it.client.protocol._request_futures[message["id"]] = answer
    assert it.client.protocol.writer is not None
    it.client.protocol.writer.write(message if isinstance(message, bytes) else frame(message))
    if not (isinstance(message, dict) and "id" in message):
        return None
    try:
        return await asyncio.wrap_future(answer)
    except Exception as exc:
        return getattr(exc, "code", exc)


async def test_messages_of_every_kind(hearth_home: Path) -> None:
    """Broken JSON is passed over; a request that makes no sense gets an error; and then all is as before."""
    ask = {"jsonrpc": "2.0", "method": "textDocument/inlineCompletion"}
    place = {"textDocument": {"uri": URI}, "context": {"triggerKind": 2}}
    negative = {"line": -1, "character": 0}
    run = {"jsonrpc": "2.0", "method": "workspace/executeCommand"}
    change = {"jsonrpc": "2.0", "method": "textDocument/didChange"}
    body = b'{"jsonrpc": "2.0", "id"'
    async with ScriptedEngine(hearth_home, "a, b):"), editor(hearth_home) as it:
        at = it.open("def add(‸\n")
        await _send(it, b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
        await _send(it, b"content-length:2\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n[]")
        await _send(it, {"jsonrpc": "1.0", "method": "x"})
        nowhere = {"textDocument": {"uri": "nowhere:", "version": 1}, "contentChanges": []}
        await _send(it, {**change, "params": nowhere})
        await _send(it, {**change, "params": {"textDocument": {"uri": URI}}})
        await _send(it, {"jsonrpc": "2.0", "method": "$/cancelRequest", "params": {"id": "nobody"}})
        await _send(it, {"jsonrpc": "2.0", "method": "$/somethingNew", "params": {"x": 1}})
        outcomes = {
            "negative": await _send(it, {**ask, "id": "a", "params": {**place, "position": negative}}),
            "no position": await _send(it, {**ask, "id": "b", "params": place}),
            "no params": await _send(it, {**ask, "id": "c"}),
            "unknown": await _send(it, {"jsonrpc": "2.0", "id": "d", "method": "no/such"}),
            "initialize": await _send(
                it, {"jsonrpc": "2.0", "id": "e", "method": "initialize", "params": {}}
            ),
            "command": await _send(it, {**run, "id": "f", "params": {"command": "no"}}),
        }
        assert outcomes == {
            "negative": -32602,
            "no position": -32602,
            "no params": -32602,
            "unknown": -32601,
            "initialize": -32600,
            "command": -32602,
        }
        assert texts(await it.ask(at)) == ["a, b):"]
        assert it.client.messages == []


async def until_disabled(it: Editor, at: lsp.Position) -> None:
    """Ask until nothing is suggested any more: the server asks for the settings first."""
    while await it.ask(at, explicit=True) != []:  # noqa: ASYNC110  # another process decides
        await asyncio.sleep(0.01)


async def test_settings_of_wrong_types(hearth_home: Path) -> None:
    """Each is said once, the defaults are used, and ghost text works; better ones are used at once."""
    (hearth_home / "config").mkdir()
    (hearth_home / "config" / "settings.json").write_text('{"completion": {"maxLines": "many"}}')
    wrong = {"completion": {"maxTokens": "a lot", "pauseMs": None}, "engine": 5}
    async with (
        ScriptedEngine(hearth_home, "a, b):") as engine,
        editor(hearth_home, "vscode", options={"hearth": wrong}) as it,
    ):
        at = it.open("def add(‸\n")
        assert texts(await it.ask(at)) == ["a, b):"]
        said = [message.message for message in it.client.messages]
        assert [next(key for key in ("maxLines", "maxTokens", "engine") if key in it) for it in said] == [
            "maxLines",
            "maxTokens",
            "engine",
        ]
        it.client.set_configuration({"hearth": {"completion": {"enabled": False}}})
        it.client.workspace_did_change_configuration(lsp.DidChangeConfigurationParams(settings=None))
        await until_disabled(it, at)
        assert await it.ask(at, explicit=True) == []
        assert len(it.client.messages) == 3
        assert len(engine.script.requests) == 1


async def test_a_model_that_is_not_there(hearth_home: Path) -> None:
    """The status says so in one sentence; requests are answered with nothing."""
    async with editor(hearth_home, "neovim", "--model", "no-such-model") as it:
        await until(lambda: it.statuses and it.statuses[-1].problem)
        assert it.statuses[-1].state == "failed"
        assert "no-such-model" in it.statuses[-1].problem
        assert await it.ask(it.open("def add(‸\n")) == []
