"""An HTTP proxy on a loopback port: it knows one tunnel, and notes who asked for which."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field


@dataclass(slots=True)
class Proxy:
    """What came through, in plain text: the heads alone, all else is encrypted."""

    port: int = 0
    heads: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@asynccontextmanager
async def proxying(port: int, status: str = "200 OK") -> AsyncIterator[Proxy]:
    """A proxy whose every tunnel leads to this port, whatever host it is asked for."""
    proxy = Proxy()
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        proxy.heads.append((await reader.readuntil(b"\r\n\r\n")).decode())
        writer.write(f"HTTP/1.1 {status}\r\n\r\n".encode())
        if not status.startswith("200"):
            writer.close()
            return
        there, back = await asyncio.open_connection("127.0.0.1", port)
        for one, other in ((reader, back), (there, writer)):
            task = asyncio.create_task(_pass_on(one, other))
            tasks.add(task)
            task.add_done_callback(tasks.discard)

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with listening:
        proxy.port = listening.sockets[0].getsockname()[1]
        yield proxy
    for task in list(tasks):
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        with suppress(ConnectionError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
    finally:
        writer.close()
