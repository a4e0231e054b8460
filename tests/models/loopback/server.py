"""A server on a loopback port, with TLS or without, that sends the bytes a test tells it to."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

Answer = bytes | Callable[[asyncio.StreamWriter], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Request:
    """What one request said."""

    line: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(slots=True)
class Server:
    """A server that answers in the order it was told to."""

    port: int = 0
    scheme: str = "http"
    requests: list[Request] = field(default_factory=list)
    connections: int = 0
    open: int = 0
    hung_up: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"


@asynccontextmanager
async def serving(
    *answers: Answer, tls: ssl.SSLContext | None = None, closes: bool = False
) -> AsyncIterator[Server]:
    """A server that gives these answers, one per request; with ``closes`` it hangs up behind each.

    An answer that is a function writes by itself, and then only the other side ends the connection.
    """
    left = list(answers)
    server = Server(scheme="https" if tls else "http")

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server.connections += 1
        server.open += 1
        try:
            while left:
                server.requests.append(await _request(reader))
                answer = left.pop(0)
                if isinstance(answer, bytes):
                    writer.write(answer)
                    await writer.drain()
                    if closes:
                        break
                else:
                    await answer(writer)
                    try:
                        await reader.read(1)
                    finally:
                        server.hung_up.set()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            server.open -= 1
            writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    async with listening:
        server.port = listening.sockets[0].getsockname()[1]
        yield server


async def _request(reader: asyncio.StreamReader) -> Request:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (it.partition(":") for it in head[1:] if it)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Request(head[0].rsplit(" ", 1)[0], headers, body)


STREAM = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n"
    b"cache-control: no-cache\r\ntransfer-encoding: chunked\r\n\r\n"
)
END = b"0\r\n\r\n"


def chunk(data: bytes) -> bytes:
    """One chunk of a chunked body."""
    return b"%x\r\n%s\r\n" % (len(data), data)


def event(value: Any, name: str = "") -> bytes:
    """One server-sent event."""
    head = f"event: {name}\n".encode() if name else b""
    data = value if isinstance(value, bytes) else json.dumps(value, ensure_ascii=False).encode()
    return head + b"data: " + data + b"\n\n"


def stream(*events: bytes, ends: bool = True) -> bytes:
    """A streamed answer, one chunk per event; one that does not end is cut off."""
    return STREAM + b"".join(map(chunk, events)) + (END if ends else b"")


def plain(status: int, body: Any, **headers: str) -> bytes:
    """An answer in one piece; underscores in the names of headers stand for dashes."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    fields = {"content_type": "application/json", "content_length": str(len(data))} | headers
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in fields.items())
    return f"HTTP/1.1 {status} X\r\n{lines}\r\n".encode() + data


async def silence(_writer: asyncio.StreamWriter) -> None:
    """Take the question and say nothing."""


def begins(*parts: bytes) -> Callable[[asyncio.StreamWriter], Awaitable[None]]:
    """Send these parts of a stream, and then nothing more."""

    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(STREAM + b"".join(map(chunk, parts)))
        await writer.drain()

    return answer
