"""Exchanges with one model server over HTTP: connections, time limits, the key, and failures as sentences.

No redirect is ever followed, and nothing about a server on this machine goes through a proxy.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import aclosing, asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar, cast

import httpx

from models import answers, errors
from models.spec import BackendSpec
from models.transport import Transport, is_tls, transport_to
from models.version import VERSION

if TYPE_CHECKING:
    from models.keys import Secret

logger = logging.getLogger(__name__)

T = TypeVar("T")

Before = Callable[[str, bytes], None]
"""Is told the address and the very bytes of a request before they are sent; what it raises stops them."""

WRITE_SECONDS = 10.0  # A prompt is small; a peer that does not take it for so long is gone.
ERROR_SECONDS = 5.0  # The body of an error comes with its head, or it is not worth waiting for.
REST_SECONDS = 0.2  # What follows the last event is a few bytes; waiting for them saves the connection.
MAX_IDLE = 4  # A window rarely asks for more at the same time: typing, chat, status.
MAX_SHORT_BYTES = 1024 * 1024  # More than any error message or list of models that somebody would read.


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long to wait for a server, in seconds; ``None``: as long as it takes."""

    connect_s: float
    first_s: float | None = None
    """Until the first event of an answer."""
    silence_s: float | None = None
    """Between two events of an answer."""


ENGINE = Limits(connect_s=2.0)  # On this machine it takes milliseconds; while it loads, others wait for us.
# A model may come from a sleeping disk first, and a long prompt takes a laptop's processor minutes to read.
LOCAL = Limits(connect_s=2.0, first_s=600.0, silence_s=120.0)
# Models that think say nothing meanwhile; the connection goes through proxies and a handshake.
REMOTE = Limits(connect_s=10.0, first_s=300.0, silence_s=120.0)


def limits_of(spec: BackendSpec) -> Limits:
    """How long to wait for this server, unless somebody says otherwise."""
    if spec.dialect == "hearth":
        return ENGINE
    return LOCAL if spec.is_local else REMOTE


class Exchange:
    """The connections to one server. What fails inside ``failures()`` is what ``models.errors`` lists."""

    def __init__(
        self,
        spec: BackendSpec,
        transport: Transport | None = None,
        limits: Limits | None = None,
    ) -> None:
        self.spec = spec
        self.suspect = False
        """Whether a connection has failed since somebody set this back."""
        self.limits = limits or limits_of(spec)
        nameless = "the engine" if spec.socket else f"the model server at {_shown(spec.url)}"
        self._name = spec.name or nameless
        self._token = ""
        self._key: Secret | None = None
        self._is_key_known = spec.key is None
        self._given = transport
        self._idle: list[Transport] = []
        self._busy: set[Transport] = set()

    async def events(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None,
        limits: Limits,
        before: Before | None = None,
    ) -> AsyncGenerator[Mapping[str, Any], None]:
        """Each event as a JSON object, up to the one that says so or the end of the stream."""
        until = None if limits.first_s is None else asyncio.get_running_loop().time() + limits.first_s
        async with self._response(method, path, body, limits.connect_s, until, before) as response:
            if not response.headers.get("content-type", "").startswith("text/event-stream"):
                yield await self._instead_of_a_stream(response)
                return
            reader = answers.SseReader()
            async with aclosing(_chunks(response)) as chunks:
                while (chunk := await _next(chunks, until)) is not None:
                    for data in reader.feed(chunk):
                        if data == b"[DONE]":
                            await _read_the_rest(chunks)
                            return
                        event = self._event(data)
                        yield event
                        if event.get("type") == "message_stop":  # Anthropic's word for the end.
                            await _read_the_rest(chunks)
                            return
                        if limits.silence_s is not None:
                            until = asyncio.get_running_loop().time() + limits.silence_s
            for data in reader.rest():
                yield self._event(data)
            if reader.in_the_middle:
                raise answers.Nonsense("half an event")

    async def short(self, method: str, path: str, seconds: float) -> Mapping[str, Any]:
        """The JSON object of an answer that takes no time."""
        async with (
            asyncio.timeout(seconds),
            self._response(method, path, None, self.limits.connect_s) as response,
        ):
            return answers.json_object(await _head(response))

    async def close(self) -> None:
        """Close every connection; a stream that is still read ends with ``Unreachable``."""
        left = [*self._idle, *self._busy]
        self._idle.clear()
        await asyncio.gather(*(it.aclose() for it in left))

    @contextmanager
    def failures(self) -> Iterator[None]:
        """Turn whatever fails inside the block into one sentence, with its cause behind it."""
        try:
            yield
        except (httpx.TransportError, TimeoutError) as exc:
            self.suspect = True
            is_early = isinstance(exc, httpx.ConnectError | httpx.ConnectTimeout) and not is_tls(exc)
            passes = is_early and not self.spec.is_local
            raise errors.Unreachable(self._broken_connection(exc), passes=passes) from self._cause(exc)
        except httpx.InvalidURL as exc:
            raise errors.Unreachable(
                f"{_shown(self.spec.url)} is not the address of a model server."
            ) from exc
        except answers.Reported as exc:
            if (
                exc.status == 401
            ):  # The next question looks for the key again: the keyring may have a new one.
                self._is_key_known = self.spec.key is None
            raise self._refusal(exc) from self._cause(exc)
        except answers.Nonsense as exc:
            raise errors.Broken(self.says(f"sent an answer that makes no sense: {exc}.")) from self._cause(
                exc
            )

    def says(self, predicate: str) -> str:
        """A sentence about this server."""
        return f"{self._name[0].upper()}{self._name[1:]} {predicate}"

    @asynccontextmanager
    async def _response(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None,
        connect_s: float,
        until: float | None = None,
        before: Before | None = None,
    ) -> AsyncIterator[httpx.Response]:
        """A response whose status is good. Leaving the block early closes its connection."""
        if not self._is_key_known:
            await self._find_key()
        request = httpx.Request(
            method,
            _address(self.spec, path),
            headers=self._request_headers(),
            # Half of a surrogate pair, which an editor can send, has no UTF-8 form.
            content=b"" if body is None else json.dumps(body, ensure_ascii=False).encode("utf-8", "replace"),
            extensions={
                "timeout": {"connect": connect_s, "write": WRITE_SECONDS, "read": None, "pool": None}
            },
        )
        if before:
            before(str(request.url), request.content)
        async with self._connection() as connection:
            asking = connection.handle_async_request(request)
            response = await (asking if until is None else _by(until, asking))
            async with aclosing(response):
                if not response.is_success:
                    raise await self._reported(response)
                yield response

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Transport]:
        """A connection for one request: kept for the next one if all went well, closed if not.

        A pool of httpx's loses connections, and leaves them open, when a task is cancelled while it keeps its
        books; and every keystroke cancels a task. So a transport serves one request at a time.
        """
        transport = self._given or (self._idle.pop() if self._idle else transport_to(self.spec))
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

    async def _find_key(self) -> None:
        """Have the key, once; it goes over an encrypted line, or stays on this machine."""
        assert self.spec.key
        from models.keys import find

        key = await find(self.spec.key, self._name)
        if key and not self.spec.is_local and not self.spec.url.lower().startswith("https://"):
            raise errors.NoKey(
                f"A key is not sent to {self._name} without encryption; its address needs https."
            )
        self._key, self._is_key_known = key, True

    def _request_headers(self) -> dict[str, str]:
        """The headers of every request; the token is read once, from a file that only the user can read."""
        headers = {"content-type": "application/json", "accept-encoding": "identity"}
        if self.spec.dialect != "hearth":
            headers["user-agent"] = f"hearth/{VERSION}"
        if self.spec.dialect == "anthropic":
            headers["anthropic-version"] = "2023-06-01"
        if self.spec.token_file and not self._token:
            try:
                self._token = self.spec.token_file.read_text("utf-8").strip()
            except (OSError, UnicodeError) as exc:
                raise errors.Unreachable(f"Cannot read the token for {self._name}.") from exc
        if self._token:
            headers["authorization"] = f"Bearer {self._token}"
        elif self._key and self.spec.dialect == "anthropic":
            headers["x-api-key"] = self._key.reveal()
        elif self._key:
            headers["authorization"] = f"Bearer {self._key.reveal()}"
        return headers

    def _event(self, data: bytes) -> Mapping[str, Any]:
        event = answers.json_object(data)
        if event.get("error") or event.get("object") == "error":
            raise (answers.event_error(event) if self.spec.dialect == "hearth" else self._fault(0, event))
        return event

    async def _instead_of_a_stream(self, response: httpx.Response) -> Mapping[str, Any]:
        """A whole answer from a server that does not stream; some report an error with a good status."""
        if self.spec.dialect != "hearth" and "json" in response.headers.get("content-type", ""):
            async with asyncio.timeout(self.limits.first_s):
                event = self._event(await _head(response))
            if isinstance(event.get("choices"), list):
                return event
        raise answers.Nonsense("not a stream of events")

    async def _reported(self, response: httpx.Response) -> answers.Reported:
        """What a response says that is no answer."""
        body = b""
        try:
            async with asyncio.timeout(ERROR_SECONDS):
                body = await _head(response)
        except (TimeoutError, httpx.TransportError) as exc:
            logger.debug("error without a body cause=%s", type(exc).__name__)
        if self.spec.dialect == "hearth":
            return answers.Reported(response.status_code, answers.message_in(body))
        from models.retry import retry_after

        return self._fault(response.status_code, body, retry_after(response.headers, time.time()))

    def _fault(
        self, status: int, said: bytes | Mapping[str, Any], wait_s: float | None = None
    ) -> answers.Reported:
        """What another server reports, without our key, should it repeat that."""
        hidden = self._key.hide_in if self._key else str
        return cast(answers.Reported, _faults().reported(status, said, hidden, wait_s))

    def _broken_connection(self, exc: Exception) -> str:
        if isinstance(exc, httpx.ProxyError):
            return f"The proxy that the environment names does not lead to {self._name}."
        if is_tls(exc):
            return (
                f"The certificate of {self._name} cannot be trusted;"
                " where a company signs its own, SSL_CERT_FILE names them."
            )
        if isinstance(exc, httpx.ConnectError | httpx.ConnectTimeout):
            return f"Nobody answers at {self.spec.socket or _shown(self.spec.url)}."
        if isinstance(exc, httpx.UnsupportedProtocol):
            return f"{_shown(self.spec.url)} is not the address of a model server."
        if isinstance(exc, httpx.TimeoutException | TimeoutError):
            return self.says("has stopped answering.")
        return f"The connection to {self._name} broke."

    def _refusal(self, exc: answers.Reported) -> errors.BackendError:
        if self.spec.dialect != "hearth":
            source = self.spec.key
            place = (source.variable or "the system's keyring") if source and self._key else ""
            error = _faults().error(exc, self._name, self.spec.model, place)
            return cast(errors.BackendError, error)
        kind: type[errors.BackendError] = errors.Broken
        if exc.status in (429, 503):
            kind = errors.Overloaded
        elif exc.status == 413:
            kind = errors.TooLong
        elif 400 <= exc.status < 500:
            kind = errors.Refused
        return kind(exc.message or self.says(f"answered {exc.status}."))

    def _cause(self, exc: Exception) -> Exception:
        """The cause for the log, without the frames of a library, whose variables may hold the key."""
        it: BaseException | None = exc if self._key else None
        while it is not None:
            it.__traceback__ = None
            it = it.__cause__ or it.__context__
        return exc


def _address(spec: BackendSpec, path: str) -> str:
    """Where to ask. The version in the path belongs to the address for some servers, to the path for us."""
    url = spec.url.rstrip("/")
    if spec.dialect == "hearth":
        return url + path
    has_path = "/" in url.partition("://")[2]
    return url + (
        path.removeprefix("/v1") if has_path and (spec.dialect == "openai" or url.endswith("/v1")) else path
    )


def _shown(url: str) -> str:
    """An address without the name and password that somebody may have put into it."""
    scheme, mark, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}{mark}{host.rpartition('@')[2]}{slash}{path}"


def _faults() -> Any:
    from models import faults  # For when something fails; the path of a keystroke needs none of it.

    return faults


def _chunks(response: httpx.Response) -> AsyncGenerator[bytes, None]:
    """The bytes as they arrive, without httpx's decoders: we ask for none."""
    assert isinstance(response.stream, httpx.AsyncByteStream)
    return cast(AsyncGenerator[bytes, None], aiter(response.stream))


async def _next(chunks: AsyncGenerator[bytes, None], until: float | None) -> bytes | None:
    """The next bytes; ``None`` at the end. On the path of a keystroke a clock that nobody needs is felt."""
    try:
        return await (anext(chunks) if until is None else _by(until, anext(chunks)))
    except StopAsyncIteration:
        return None


async def _by(until: float, awaited: Awaitable[T]) -> T:
    async with asyncio.timeout_at(until):
        return await awaited


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
            if len(head) > MAX_SHORT_BYTES:
                break
    return head
