"""Speak the OpenAI dialect to one model server: JSON out, server-sent events in.

Every stream is an async generator. Closing it, or cancelling the task that reads it, closes the connection;
that is the cancel message, and the engine stops within one decode step.
"""

from __future__ import annotations

import asyncio
import json
import logging
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping
from contextlib import aclosing, asynccontextmanager, contextmanager
from dataclasses import replace
from functools import cache, partial
from typing import Any, cast

import httpx

from models import answers, errors
from models.connection import Connection
from models.spec import BackendSpec
from models.wire import ChatRequest, CompletionRequest, Health, Piece, chat_json, completion_json

logger = logging.getLogger(__name__)

CONNECT_SECONDS = 2.0  # On this machine it takes milliseconds, over the network less than a second.
WRITE_SECONDS = 10.0  # A prompt is small; a peer that does not take it for so long is gone.
HEALTH_SECONDS = 2.0  # The engine answers from its event loop, which never waits for the model.
EVENT_SECONDS = 20.0  # The engine says something at least every 5 s; four silent turns mean that it hangs.
REST_SECONDS = 0.2  # What follows the last event is a few bytes; waiting for them saves the connection.
KEEP_SECONDS = 4.0  # Less than the 5 s after which uvicorn and llama-server close an idle connection.
MAX_IDLE = 4  # A window rarely asks for more at the same time: typing, chat, status.
MAX_ERROR_BYTES = 64 * 1024  # More than any error message, less than a web page that would take time to read.


class Backend:
    """One model server. Its methods raise only what ``models.errors`` lists."""

    def __init__(self, spec: BackendSpec, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self.spec = spec
        self.suspect = False
        """Whether a connection has failed since the server last answered ``health()``."""
        self._name = "the engine" if spec.socket else f"the model server at {spec.url}"
        self._headers: dict[str, str] = {}
        self._given = transport
        self._idle: list[httpx.AsyncBaseTransport] = []
        self._busy: set[httpx.AsyncBaseTransport] = set()

    def complete(self, request: CompletionRequest) -> AsyncGenerator[Piece, None]:
        """Stream the continuation of a prompt; ``aclose()`` cancels."""
        body = completion_json(request, stream=True)
        return self._pieces("/v1/completions", body, answers.completion_piece)

    def chat(self, request: ChatRequest) -> AsyncGenerator[Piece, None]:
        """Stream the answer to a conversation; ``aclose()`` cancels."""
        return self._pieces("/v1/chat/completions", chat_json(request, stream=True), answers.chat_piece)

    async def health(self) -> Health:
        """What the engine says about itself, within two seconds."""
        with self._failures():
            health = answers.health_value(await self._short("GET", "/health"))
        self.suspect = False
        return health

    async def events(self) -> AsyncGenerator[Health, None]:
        """Hold the engine: it lives while somebody reads this, and says here what changes.

        Ends when the engine ends in good order; any other end is ``Unreachable``.
        """
        with self._failures():
            async with aclosing(self._events("GET", "/hearth/events", None, EVENT_SECONDS)) as events:
                async for event in events:
                    yield answers.health_value(event)

    async def typing(self) -> None:
        """Say that somebody types, and needs no answer: the engine leaves a processor to the editor."""
        with self._failures():
            await self._short("POST", "/hearth/typing")

    async def shutdown(self) -> None:
        """Ask the engine to finish what it does and exit."""
        with self._failures():
            await self._short("POST", "/hearth/shutdown")

    async def close(self) -> None:
        """Close every connection; a stream that is still read ends with ``Unreachable``."""
        left = [*self._idle, *self._busy]
        self._idle.clear()
        await asyncio.gather(*(it.aclose() for it in left))

    async def _pieces(
        self, path: str, body: Mapping[str, Any], piece_of: Callable[[Mapping[str, Any]], Piece]
    ) -> AsyncGenerator[Piece, None]:
        last: dict[int, Piece] = {}  # Each choice's piece with ``finish``, until its usage is known.
        finished: set[int] = set()
        with self._failures():
            async with aclosing(self._events("POST", path, body, None)) as events:
                async for event in events:
                    piece = piece_of(event)
                    if piece.choice in finished:
                        last = {at: replace(it, usage=it.usage or piece.usage) for at, it in last.items()}
                        continue
                    if piece.finish:
                        finished.add(piece.choice)
                    if piece.finish and not piece.usage:
                        last[piece.choice] = piece
                    elif piece.finish or piece.text:
                        yield piece
        for held in last.values():
            yield held
        if not finished:
            raise errors.Broken(self._says("stopped in the middle of its answer."))

    async def _events(
        self, method: str, path: str, body: Mapping[str, Any] | None, silence: float | None
    ) -> AsyncGenerator[Mapping[str, Any], None]:
        """Each event as a JSON object, up to ``[DONE]`` or the end of the stream."""
        async with self._response(method, path, body, silence) as response:
            if not response.headers.get("content-type", "").startswith("text/event-stream"):
                raise answers.Nonsense("not a stream of events")
            reader = answers.SseReader()
            async with aclosing(_chunks(response)) as chunks:
                async for chunk in chunks:
                    for data in reader.feed(chunk):
                        if data == b"[DONE]":
                            await _read_the_rest(chunks)
                            return
                        yield answers.event_object(data)
            if reader.in_the_middle:
                raise answers.Nonsense("half an event")

    async def _short(self, method: str, path: str) -> Mapping[str, Any]:
        """The JSON object of an answer that takes no time."""
        async with asyncio.timeout(HEALTH_SECONDS), self._response(method, path, None, None) as response:
            return answers.json_object(await _head(response))

    @asynccontextmanager
    async def _response(
        self, method: str, path: str, body: Mapping[str, Any] | None, silence: float | None
    ) -> AsyncIterator[httpx.Response]:
        """A response whose status is good. Leaving the block early closes its connection."""
        timeout = {"connect": CONNECT_SECONDS, "write": WRITE_SECONDS, "read": silence, "pool": None}
        request = httpx.Request(
            method,
            self.spec.url.rstrip("/") + path,
            headers=self._request_headers(),
            # Half of a surrogate pair, which an editor can send, has no UTF-8 form.
            content=b"" if body is None else json.dumps(body, ensure_ascii=False).encode("utf-8", "replace"),
            extensions={"timeout": timeout},
        )
        async with self._connection() as connection:
            response = await connection.handle_async_request(request)
            async with aclosing(response):
                if not response.is_success:
                    raise answers.Reported(response.status_code, _message(await _head(response)))
                yield response

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[httpx.AsyncBaseTransport]:
        """A connection for one request: kept for the next one if all went well, closed if not.

        A pool of httpx's loses connections, and leaves them open, when a task is cancelled while it keeps its
        books; and every keystroke cancels a task. So a transport serves one request at a time.
        """
        transport = self._given or (self._idle.pop() if self._idle else _transport(self.spec))
        self._busy.add(transport)
        went_well = False
        try:
            yield transport
            went_well = True
        finally:
            self._busy.discard(transport)
            if went_well and len(self._idle) < MAX_IDLE and transport is not self._given:
                self._idle.append(transport)
            else:
                await asyncio.shield(transport.aclose())

    def _request_headers(self) -> dict[str, str]:
        """The headers of every request; the token is read once, from a file that only the user can read."""
        if not self._headers:
            headers = {"content-type": "application/json", "accept-encoding": "identity"}
            if self.spec.token_file:
                try:
                    headers["authorization"] = f"Bearer {self.spec.token_file.read_text('utf-8').strip()}"
                except (OSError, UnicodeError) as exc:
                    raise errors.Unreachable(f"Cannot read the token for {self._name}.") from exc
            self._headers = headers
        return self._headers

    @contextmanager
    def _failures(self) -> Iterator[None]:
        """Turn whatever fails inside the block into one sentence, with its cause behind it."""
        try:
            yield
        except (httpx.TransportError, TimeoutError) as exc:
            self.suspect = True
            raise errors.Unreachable(self._broken_connection(exc)) from exc
        except httpx.InvalidURL as exc:
            raise errors.Unreachable(f"{self.spec.url} is not the address of a model server.") from exc
        except answers.Reported as exc:
            raise self._refusal(exc) from exc
        except answers.Nonsense as exc:
            raise errors.Broken(self._says(f"sent an answer that makes no sense: {exc}.")) from exc

    def _broken_connection(self, exc: Exception) -> str:
        if isinstance(exc, httpx.ConnectError | httpx.ConnectTimeout):
            return f"Nobody answers at {self.spec.socket or self.spec.url}."
        if isinstance(exc, httpx.UnsupportedProtocol):
            return f"{self.spec.url} is not the address of a model server."
        if isinstance(exc, httpx.TimeoutException | TimeoutError):
            return self._says("has stopped answering.")
        return f"The connection to {self._name} broke."

    def _refusal(self, exc: answers.Reported) -> errors.BackendError:
        status = exc.status
        kind: type[errors.BackendError] = errors.Broken
        if status in (429, 503):
            kind = errors.Overloaded
        elif 400 <= status < 500:
            kind = errors.Refused
        return kind(exc.message or self._says(f"answered {status}."))

    def _says(self, predicate: str) -> str:
        return f"{self._name[0].upper()}{self._name[1:]} {predicate}"


def _transport(spec: BackendSpec) -> httpx.AsyncBaseTransport:
    """A transport for one request at a time."""
    url = httpx.URL(spec.url)
    if spec.socket:
        return Connection(partial(asyncio.open_unix_connection, spec.socket), KEEP_SECONDS)
    if url.scheme == "http":
        return Connection(partial(asyncio.open_connection, url.host, url.port or 80), KEEP_SECONDS)
    if url.scheme == "https":
        return httpx.AsyncHTTPTransport(verify=_tls(), limits=httpx.Limits(keepalive_expiry=KEEP_SECONDS))
    raise httpx.UnsupportedProtocol(spec.url)


@cache
def _tls() -> ssl.SSLContext:
    return httpx.create_ssl_context()  # Takes 20 ms: it loads certificates.


def _chunks(response: httpx.Response) -> AsyncGenerator[bytes, None]:
    """The bytes as they arrive, without httpx's decoders: we ask for none."""
    assert isinstance(response.stream, httpx.AsyncByteStream)
    return cast(AsyncGenerator[bytes, None], aiter(response.stream))


async def _read_the_rest(chunks: AsyncGenerator[bytes, None]) -> None:
    """Read to the end of a finished answer, so that the connection can carry the next one."""
    try:
        async with asyncio.timeout(REST_SECONDS):
            async for _ in chunks:
                pass
    except (TimeoutError, httpx.TransportError) as exc:
        logger.debug("connection not reused cause=%s", type(exc).__name__)


async def _head(response: httpx.Response) -> bytes:
    """The body of a short answer, or the start of one that is not."""
    head = b""
    async with aclosing(_chunks(response)) as chunks:
        async for chunk in chunks:
            head += chunk
            if len(head) > MAX_ERROR_BYTES:
                break
    return head


def _message(body: bytes) -> str:
    try:
        return answers.error_message(answers.json_object(body))
    except answers.Nonsense:
        return ""
