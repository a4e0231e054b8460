"""A language client of its own over stdio: it writes what an editor writes, and notes when answers arrive."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import re
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.keystrokes.traces import Key
from lsp_server.convert import units_in
from lsp_server.frames import Frames, frame

LANGUAGES = {".py": "python", ".js": "javascript", ".ts": "typescript", ".go": "go", ".rs": "rust", ".c": "c"}
CAPABILITIES = {
    "general": {"positionEncodings": ["utf-16"]},
    "textDocument": {"inlineCompletion": {"dynamicRegistration": False}},
}
ANSWERED_ABOUT = re.compile(r"\bcomplete (\w+=.*)")
LOG_VALUE = re.compile(r"(\w+)=(\S*)")
READ_BYTES = 64 * 1024
LONGEST_LINE = 2**20
GOODBYE_SECONDS = 10.0


class Ended(RuntimeError):
    """Nobody is there to answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What came back for a request, and when."""

    at: float
    """``time.perf_counter()`` of its arrival."""
    result: Any
    """``None`` also for an error: overtaken, or cancelled."""

    @property
    def text(self) -> str:
        """The text that is shown; empty if nothing is."""
        return str(self.result[0]["insertText"]) if self.result else ""

    @property
    def replaced(self) -> int:
        """How many units behind the cursor the text takes the place of."""
        if not self.result:
            return 0
        where = self.result[0]["range"]
        return int(where["end"]["character"]) - int(where["start"]["character"])


class Client:
    """One editor with one document, connected to one `hearth lsp`."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.log: list[Mapping[str, str]] = []
        """What the server said about each answer, by key, oldest first."""
        self.text = ""
        self._uri = ""
        self._version = 0
        self._ids = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Reply]] = {}
        self._readers = (asyncio.create_task(self._read()), asyncio.create_task(self._read_log()))

    @classmethod
    async def start(cls, home: Path, root: Path, settings: Mapping[str, Any]) -> Client:
        """Start the server and say what an editor says first."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "lsp_server.cli", "lsp"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=LONGEST_LINE,
            env={**os.environ, "HEARTH_HOME": str(home)},
        )
        client = cls(process)
        folder = {"uri": root.as_uri(), "name": root.name}
        await client.request(
            "initialize",
            {
                "processId": os.getpid(),
                "rootUri": root.as_uri(),
                "capabilities": CAPABILITIES,
                "workspaceFolders": [folder],
                "initializationOptions": {"logLevel": "info", **settings},
            },
        )
        client.notify("initialized", {})
        return client

    def open(self, path: Path, text: str) -> None:
        """Open a document, instead of the one that was open."""
        if self._uri:
            self.notify("textDocument/didClose", {"textDocument": {"uri": self._uri}})
        self._uri, self._version, self.text = path.as_uri(), 1, text
        language = LANGUAGES.get(path.suffix, "plaintext")
        item = {"uri": self._uri, "languageId": language, "version": 1, "text": text}
        self.notify("textDocument/didOpen", {"textDocument": item})

    def press(self, key: Key) -> None:
        """Tell of an edit; a key that only moves the cursor changes nothing."""
        if not key.insert and not key.remove:
            return
        where = {"start": self.position(key.at), "end": self.position(key.at + key.remove)}
        self.text = self.text[: key.at] + key.insert + self.text[key.at + key.remove :]
        self._version += 1
        document = {"uri": self._uri, "version": self._version}
        changes = [{"range": where, "text": key.insert}]
        self.notify("textDocument/didChange", {"textDocument": document, "contentChanges": changes})

    def ask(self, cursor: int, *, explicit: bool = False) -> tuple[int, asyncio.Future[Reply]]:
        """Ask for ghost text: the request's number, and its reply to come."""
        return self._send(
            "textDocument/inlineCompletion",
            {
                "textDocument": {"uri": self._uri},
                "position": self.position(cursor),
                "context": {"triggerKind": 1 if explicit else 2},
            },
        )

    def cancel(self, number: int) -> None:
        """Say that nobody waits for this request any more."""
        self.notify("$/cancelRequest", {"id": number})

    def hint(self, cursor: int) -> None:
        """Say where the cursor is, as Hearth's editors do."""
        self.notify("hearth/cursor", {"textDocument": {"uri": self._uri}, "position": self.position(cursor)})

    async def request(self, method: str, params: Any) -> Reply:
        """Ask, and wait for the reply."""
        return await self._send(method, params)[1]

    def notify(self, method: str, params: Any) -> None:
        """Say something that has no answer."""
        self._write({"jsonrpc": "2.0", "method": method, "params": params})

    def position(self, at: int) -> dict[str, int]:
        """A place of the document in the protocol's units."""
        start = self.text.rfind("\n", 0, at) + 1
        return {
            "line": self.text.count("\n", 0, at),
            "character": units_in(self.text[start:at], "utf-16"),
        }

    async def close(self) -> None:
        """Say goodbye, as an editor does."""
        if self.process.returncode is None:
            try:
                async with asyncio.timeout(GOODBYE_SECONDS):
                    await self.request("shutdown", None)
                    self.notify("exit", None)
                    await self.process.wait()
            except (TimeoutError, Ended, ConnectionError):
                with suppress(ProcessLookupError):
                    self.process.kill()
                await self.process.wait()
        await asyncio.gather(*self._readers)

    def _send(self, method: str, params: Any) -> tuple[int, asyncio.Future[Reply]]:
        if self._readers[0].done():
            raise Ended("The language server has ended.")
        number = next(self._ids)
        reply: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._waiting[number] = reply
        self._write({"jsonrpc": "2.0", "id": number, "method": method, "params": params})
        return number, reply

    def _write(self, message: Mapping[str, Any]) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(frame(message))

    async def _read(self) -> None:
        assert self.process.stdout is not None
        frames = Frames()
        while data := await self.process.stdout.read(READ_BYTES):
            frames.feed(data)
            while (body := frames.take()) is not None:
                at = time.perf_counter()
                self._take(json.loads(body), at)
        gone = Ended("The language server has ended.")
        for reply in self._waiting.values():
            if not reply.done():
                reply.set_exception(gone)

    def _take(self, message: Mapping[str, Any], at: float) -> None:
        if "method" in message:
            if "id" in message:  # The server asks; this editor has nothing to say.
                self._write({"jsonrpc": "2.0", "id": message["id"], "result": None})
            return
        reply = self._waiting.pop(message["id"], None)
        if reply is not None and not reply.done():
            reply.set_result(Reply(at=at, result=message.get("result")))

    async def _read_log(self) -> None:
        assert self.process.stderr is not None
        async for line in self.process.stderr:
            found = ANSWERED_ABOUT.search(line.decode("utf-8", "replace"))
            if found:
                self.log.append(dict(LOG_VALUE.findall(found[1])))
            elif b" E " in line or b"Traceback" in line:
                sys.stderr.buffer.write(b"hearth: " + line)
