"""One HTTP/1.1 connection to a server on this machine or in this network, over asyncio's own streams.

An httpx transport like any other, made for the path of every keystroke: less work per request, and closing it
is one plain call that a cancelled task cannot leave undone. TLS is left to httpx's own transport.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping

import h11
import httpx

READ_BYTES = 65536

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Connection(httpx.AsyncBaseTransport):
    """One connection, made when it is needed, kept while answers end in good order; one request at a time."""

    def __init__(self, connect: Callable[[], Awaitable[Streams]], keep_seconds: float) -> None:
        self._connect = connect
        self._keep_seconds = keep_seconds
        self._idle_since = 0.0
        self._streams: Streams | None = None
        self._http = h11.Connection(h11.CLIENT)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request and return when the head of the response is there.

        A server may close an idle connection just as it is used again: then, once, another is made.
        """
        limits = request.extensions.get("timeout", {})
        try:
            is_new = await self._ready(limits.get("connect"))
            try:
                return await self._exchange(request, limits)
            except (httpx.NetworkError, httpx.RemoteProtocolError):
                if is_new:
                    raise
            self.abort()
            await self._ready(limits.get("connect"))
            return await self._exchange(request, limits)
        except BaseException:
            self.abort()
            raise

    async def _exchange(self, request: httpx.Request, limits: Mapping[str, float | None]) -> httpx.Response:
        await self._send(request, limits.get("write"))
        while not isinstance(event := await self._next(limits.get("read")), h11.Response):
            pass  # "100 Continue" and the like.
        return httpx.Response(
            event.status_code,
            headers=list(event.headers.raw_items()),
            stream=_Body(self, limits.get("read")),
        )

    async def aclose(self) -> None:
        """Close it now."""
        self.abort()

    def abort(self) -> None:
        """Close it now; the peer sees that nobody listens any more."""
        if self._streams:
            self._streams[1].transport.abort()
            self._streams = None

    def end_of_response(self) -> None:
        """Keep the connection if request and response are both complete, else close it."""
        if self._http.our_state is h11.DONE and self._http.their_state is h11.DONE:
            self._http.start_next_cycle()
            self._idle_since = time.monotonic()
        else:
            self.abort()

    async def body(self, silence: float | None) -> AsyncGenerator[bytes, None]:
        """The body as it arrives."""
        while isinstance(event := await self._next(silence), h11.Data):
            yield bytes(event.data)

    async def _ready(self, seconds: float | None) -> bool:
        """Have a connection; whether it is a new one."""
        if self._streams:
            reader, writer = self._streams
            fresh = time.monotonic() - self._idle_since < self._keep_seconds
            if fresh and not reader.at_eof() and not writer.is_closing():
                return False
            self.abort()
        self._http = h11.Connection(h11.CLIENT)
        try:
            async with asyncio.timeout(seconds):
                self._streams = await self._connect()
        except TimeoutError as exc:
            raise httpx.ConnectTimeout("no connection in time") from exc
        except OSError as exc:
            raise httpx.ConnectError(str(exc)) from exc
        return True

    async def _send(self, request: httpx.Request, seconds: float | None) -> None:
        assert self._streams
        try:
            self._streams[1].write(self._bytes_of(request))  # Kept in no variable: they may hold a key.
            async with asyncio.timeout(seconds):
                await self._streams[1].drain()
        except TimeoutError as exc:
            raise httpx.WriteTimeout("the request was not taken in time") from exc
        except OSError as exc:
            raise httpx.WriteError(str(exc)) from exc
        except h11.LocalProtocolError as exc:
            raise httpx.LocalProtocolError(str(exc)) from exc

    def _bytes_of(self, request: httpx.Request) -> bytes:
        head = h11.Request(method=request.method, target=request.url.raw_path, headers=request.headers.raw)
        data = [self._http.send(head), self._http.send(h11.Data(data=request.content))]
        data.append(self._http.send(h11.EndOfMessage()))
        return b"".join(it for it in data if it)

    async def _next(self, silence: float | None) -> object:
        """The next event of the response."""
        if self._streams is None:
            raise httpx.ReadError("the connection was closed")
        reader = self._streams[0]
        try:
            while (event := self._http.next_event()) is h11.NEED_DATA:
                async with asyncio.timeout(silence):
                    self._http.receive_data(await reader.read(READ_BYTES))
        except TimeoutError as exc:
            raise httpx.ReadTimeout("nothing came in time") from exc
        except OSError as exc:
            raise httpx.ReadError(str(exc)) from exc
        except h11.RemoteProtocolError as exc:
            raise httpx.RemoteProtocolError(str(exc)) from exc
        if isinstance(event, h11.ConnectionClosed):
            raise httpx.RemoteProtocolError("the server closed the connection without an answer")
        return event


class _Body(httpx.AsyncByteStream):
    def __init__(self, connection: Connection, silence: float | None) -> None:
        self._connection = connection
        self._silence = silence

    def __aiter__(self) -> AsyncGenerator[bytes, None]:
        return self._connection.body(self._silence)

    async def aclose(self) -> None:
        self._connection.end_of_response()
