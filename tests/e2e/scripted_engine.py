"""A scripted engine behind a real socket: what a server process finds where the user's engine would be.

It serves HTTP by hand, a few lines of it, and hands each request to the ``Script`` of ``tests/harness.py``.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from dataclasses import asdict, replace
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from models.version import VERSION
from models.wire import Health
from tests.harness import Answer, Script

HEALTH = Health(
    version=VERSION, pid=os.getpid(), executable=sys.executable, state="ready", model="scripted", loads=1
)


class ScriptedEngine:
    """An engine at ``home``'s socket that answers from a script."""

    def __init__(self, home: Path, *answers: str | Answer) -> None:
        self.script = Script(*answers)
        self.health = HEALTH
        self.leases = 0
        """How many hold it now."""
        self.loads = 0
        """How often a model was asked for before it was needed."""
        self._socket = home / "run" / "engine.sock"
        self._said = asyncio.Condition()
        self._connections: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._socket.parent.mkdir(mode=0o700, exist_ok=True)
        self._server = await asyncio.start_unix_server(self._connected, path=self._socket)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.die()

    async def die(self) -> None:
        """Be gone, as after ``kill -9``: every connection breaks and nobody listens any more."""
        self._server.close()
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        self._socket.unlink(missing_ok=True)

    async def say(self, **changes: object) -> None:
        """Tell all who hold the engine that its health has changed."""
        async with self._said:
            self.health = replace(self.health, **changes)  # type: ignore[arg-type]  # the dataclass checks names
            self._said.notify_all()

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            method, path, _ = head.split(" ", 2)
            lengths = [it for it in head.lower().split("\r\n") if it.startswith("content-length:")]
            body = await reader.readexactly(int(lengths[0].split(":")[1])) if lengths else b""
            answering = asyncio.create_task(self._answer(method, path, body, writer))
            leaving = asyncio.create_task(reader.read(1))  # The client closes: that is its cancel.
            done, rest = await asyncio.wait({answering, leaving}, return_when=asyncio.FIRST_COMPLETED)
            for task in rest:
                task.cancel()
            await asyncio.gather(*done, *rest, return_exceptions=True)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def _answer(self, method: str, path: str, body: bytes, writer: asyncio.StreamWriter) -> None:
        if path == "/health":
            await _say(writer, 200, asdict(self.health))
        elif path == "/hearth/events":
            await self._hold(writer)
        elif path == "/hearth/shutdown":
            await _say(writer, 202, {})
        else:
            request = httpx.Request(method, f"http://scripted{path}", content=body)
            asked = json.loads(body)
            is_load = asked["max_tokens"] == 0 and asked["hearth"]["priority"] != "prefill"
            script = Script("") if is_load else self.script
            self.loads += is_load
            response = await script.handle_async_request(request)
            try:
                writer.write(_head(response.status_code, response.headers["content-type"]))
                assert isinstance(response.stream, httpx.AsyncByteStream)
                async for chunk in response.stream:
                    await _send(writer, chunk)
                await _send(writer, b"")
            except httpx.RemoteProtocolError:
                pass  # The script says that the connection breaks here.
            finally:
                await response.aclose()

    async def _hold(self, writer: asyncio.StreamWriter) -> None:
        self.leases += 1
        try:
            writer.write(_head(200, "text/event-stream"))
            async with self._said:
                while True:
                    await _send(writer, b"data: " + json.dumps(asdict(self.health)).encode() + b"\n\n")
                    await self._said.wait()
        finally:
            self.leases -= 1


async def _say(writer: asyncio.StreamWriter, status: int, value: object) -> None:
    writer.write(_head(status, "application/json"))
    await _send(writer, json.dumps(value).encode())
    await _send(writer, b"")


async def _send(writer: asyncio.StreamWriter, chunk: bytes) -> None:
    """One piece of a response; the empty one ends it, and without it the connection has broken."""
    writer.write(b"%x\r\n%b\r\n" % (len(chunk), chunk))
    await writer.drain()


def _head(status: int, kind: str) -> bytes:
    head = f"HTTP/1.1 {status} OK\r\ncontent-type: {kind}\r\nconnection: close\r\n"
    return f"{head}transfer-encoding: chunked\r\n\r\n".encode()
