"""From the first byte to the last: the server is there at once, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from lsp_server.frames import Frames, frame
from lsp_server.greeting import result
from tests.e2e.editor import CLIENTS, until
from tests.e2e.scripted_engine import ScriptedEngine

pytestmark = pytest.mark.e2e

SECRET = "swordfish_4711"
ENDINGS = {
    "it says exit in good order": 0,
    "it says exit without shutdown": 1,
    "it closes the pipe": 1,
    "its process ends": 1,
    "it speaks something else": 1,
}


def secrets() -> Iterator[bytes]:
    """The user's code in messages that are right, wrong, and no messages at all."""
    document = {"uri": f"file:///{SECRET}.py", "languageId": "python", "version": 1, "text": SECRET}
    wrong = {"textDocument": {"uri": 5}, "contentChanges": [{"text": SECRET}]}
    for method, params in (
        ("textDocument/didOpen", {"textDocument": document}),
        ("textDocument/didChange", wrong),
        ("textDocument/didChange", {"textDocument": {"uri": "x:", "version": 1}, **wrong, "text": SECRET}),
        ("hearth/unknown", {"text": SECRET}),
    ):
        yield frame({"jsonrpc": "2.0", "method": method, "params": params})
    yield b"Content-Length: %d\r\n\r\n%b" % (len(SECRET), SECRET.encode())


@asynccontextmanager
async def server(home: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """A `hearth lsp` without a client."""
    (home / "m.gguf").write_bytes(b"GGUF")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "lsp_server.cli", "lsp", "--model", str(home / "m.gguf")),
        env={**os.environ, "HEARTH_HOME": str(home)},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


async def ask(process: asyncio.subprocess.Process, method: str, params: Any) -> Any:
    """Send a request and read up to its answer."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(frame({"jsonrpc": "2.0", "id": method, "method": method, "params": params}))
    frames = Frames()
    while True:
        while (body := frames.take()) is None:
            data = await process.stdout.read(1)
            assert data, "the server has gone"
            frames.feed(data)
        message = json.loads(body)
        if message.get("id") == method and "method" not in message:
            return message.get("result", message.get("error"))


async def test_initialize_is_answered_before_anything_else_is_loaded(hearth_home: Path) -> None:
    """The answer needs neither the protocol library nor a model, so nobody waits for them."""
    code = (
        "import sys, lsp_server.cli, lsp_server.greeting;"
        "heavy = {'lsprotocol', 'pygls', 'typer', 'rich', 'httpx', 'numpy', 'asyncio', 'logging'};"
        "sys.exit(', '.join(sorted(heavy & set(sys.modules))) or 0)"
    )
    loading = await asyncio.create_subprocess_exec(
        sys.executable, "-P", "-c", code, stderr=asyncio.subprocess.PIPE
    )
    assert (await loading.communicate())[1] == b""
    async with server(hearth_home) as process:
        early = await ask(process, "textDocument/inlineCompletion", {})
        assert early["code"] == -32002
        params = {**json.loads((CLIENTS / "neovim.json").read_text()), "processId": None, "rootUri": None}
        assert await ask(process, "initialize", params) == result(params)


@pytest.mark.parametrize("how", ENDINGS)
async def test_the_server_leaves_when_the_editor_does(hearth_home: Path, how: str) -> None:
    """Whatever the way: the engine is given back, the exit code is right, and the log holds no code."""
    parent = await asyncio.create_subprocess_exec("sleep", "600")
    async with ScriptedEngine(hearth_home) as engine, server(hearth_home) as process:
        assert process.stdin is not None
        assert process.stderr is not None
        await ask(process, "initialize", {"processId": parent.pid, "rootUri": None, "capabilities": {}})
        process.stdin.write(frame({"jsonrpc": "2.0", "method": "initialized", "params": {}}))
        await until(lambda: engine.leases == 1)
        for message in secrets():
            process.stdin.write(message)
        if how == "it says exit in good order":
            assert await ask(process, "shutdown", None) is None
            assert (await ask(process, "hearth/status", None))["code"] == -32600
        if how.startswith("it says exit"):
            process.stdin.write(frame({"jsonrpc": "2.0", "method": "exit"}))
        elif how == "it closes the pipe":
            process.stdin.close()
        elif how == "its process ends":
            parent.kill()
        else:
            process.stdin.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert await process.wait() == ENDINGS[how]
        await until(lambda: engine.leases == 0)
        log = await process.stderr.read()
        assert b"Traceback" not in log
        assert SECRET.encode() not in log
    with contextlib.suppress(ProcessLookupError):
        parent.kill()
    await parent.wait()
