"""A model server that sends the bytes a test tells it to, over a real Unix socket."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from models.backend import Backend
from models.spec import BackendSpec
from models.wire import Usage, usage_json

USAGE = Usage(prompt_tokens=4, cached_tokens=3, completion_tokens=2, prompt_ms=1.5)
STREAM = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
END = b"0\r\n\r\n"
DONE = b"data: [DONE]\n\n"


@dataclass(slots=True)
class Peer:
    """A server on a Unix socket that sends the bytes it is told to."""

    socket: Path
    requests: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    connections: int = 0
    open: int = 0
    hung_up: asyncio.Event = field(default_factory=asyncio.Event)

    def backend(self, token_file: Path | None = None) -> Backend:
        return Backend(BackendSpec(model="m", socket=self.socket, token_file=token_file))


Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def serving(*answers: bytes | Answer, hangs_up: bool = False) -> AsyncIterator[Peer]:
    """A peer that gives these answers, one per request; it closes the connection after the last, or each."""
    left = list(answers)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer.connections += 1
        peer.open += 1
        try:
            while left:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
                headers = {k.lower(): v.strip() for k, _, v in (it.partition(":") for it in head[1:] if it)}
                body = await reader.readexactly(int(headers.get("content-length", "0")))
                peer.requests.append((head[0].rsplit(" ", 1)[0], headers, body))
                answer = left.pop(0)
                if isinstance(answer, bytes):
                    writer.write(answer)
                    await writer.drain()
                    if hangs_up:
                        break
                else:
                    await answer(writer)
                    try:
                        await reader.read(1)  # The answer never ends; only the other side hangs up.
                    finally:
                        peer.hung_up.set()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            peer.open -= 1
            writer.close()

    with tempfile.TemporaryDirectory() as folder:  # Short: a socket's path holds about 100 bytes.
        peer = Peer(Path(folder) / "s")
        server = await asyncio.start_unix_server(serve, peer.socket)
        async with server:
            yield peer


def sse(*events: dict[str, Any] | bytes) -> bytes:
    """A whole streamed answer, one HTTP chunk per event."""
    return STREAM + b"".join(map(chunk, events)) + END


def chunk(event: dict[str, Any] | bytes) -> bytes:
    data = event if isinstance(event, bytes) else b"data: " + json.dumps(event).encode() + b"\n\n"
    return b"%x\r\n%s\r\n" % (len(data), data)


def text(value: str, finish: str | None = None, **more: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "text": value, "logprobs": None, "finish_reason": finish}], **more}


def plain(status: int, body: bytes | dict[str, Any]) -> bytes:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return b"HTTP/1.1 %d X\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (
        status,
        len(data),
        data,
    )


GOOD = sse(text("b"), text("", "stop", usage=usage_json(USAGE)), DONE)
"""A whole answer: the text ``b``."""
