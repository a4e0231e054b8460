"""HTTP routes of the engine: JSON in, JSON or SSE out. A closed connection is a cancel."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import logging
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from models import registry
from models.engine import dialect
from models.engine.calling import Calling
from models.engine.generate import BadRequest, TooLong
from models.engine.job import Job, Unavailable
from models.engine.lifetime import Lifetime
from models.engine.metrics import prometheus
from models.engine.telling import Telling, joined
from models.engine.worker import Worker
from models.errors import ModelError
from models.spec import ModelSpec
from models.wire import ChatRequest, CompletionRequest, Piece, Usage

logger = logging.getLogger(__name__)

MAX_BODY = 4 * 2**20  # Bytes. Far above any prompt that fits a context; reading it holds the loop for 20 ms.
PROBLEM = "The engine met a problem; its log says more."
GONE = 499  # The status of an answer that nobody reads.

Answer = asyncio.Queue[Piece | Exception]


def build(worker: Worker, lifetime: Lifetime, default: ModelSpec, token: str | None) -> Starlette:
    """The application. With a ``token``, every request must bring it as a bearer token."""
    routes = _Routes(worker, lifetime, default)
    app = Starlette(
        routes=[
            Route("/health", routes.health),
            Route("/metrics", routes.metrics),
            Route("/v1/models", routes.models),
            Route("/v1/completions", routes.completions, methods=["POST"]),
            Route("/v1/chat/completions", routes.chat, methods=["POST"]),
            Route("/hearth/events", routes.events),
            Route("/hearth/typing", routes.typing, methods=["POST"]),
            Route("/hearth/shutdown", routes.shutdown, methods=["POST"]),
        ],
        exception_handlers={HTTPException: _http_error, ClientDisconnect: _gone_early, Exception: _bug},
    )
    return app if token is None else _guarded(app, token)


def _guarded(app: Starlette, token: str) -> Starlette:
    from models.engine.guard import BearerGuard

    app.add_middleware(BearerGuard, token=token)
    return app


class _Routes:
    """What the routes share: the worker and the reasons to stay alive."""

    def __init__(self, worker: Worker, lifetime: Lifetime, default: ModelSpec) -> None:
        self._worker = worker
        self._lifetime = lifetime
        self._default = default
        self._numbers = itertools.count(1)

    async def health(self, _request: Request) -> Response:
        return _Json(asdict(self._lifetime.health))

    async def metrics(self, _request: Request) -> Response:
        return PlainTextResponse(prometheus(self._worker.metrics, self._lifetime.health))

    async def models(self, _request: Request) -> Response:
        names = dict.fromkeys((self._default.name, registry.STARTER))
        return _Json({"object": "list", "data": [{"id": it, "object": "model"} for it in names]})

    async def typing(self, _request: Request) -> Response:
        self._worker.typed()
        return _Json({"status": "noted"})

    async def shutdown(self, _request: Request) -> Response:
        self._lifetime.end("asked to")
        return _Json({"status": "ending"}, status_code=202)

    async def events(self, _request: Request) -> Response:
        return StreamingResponse(self._events(), media_type="text/event-stream")

    async def _events(self) -> AsyncIterator[bytes]:
        async with contextlib.aclosing(self._lifetime.watch()) as changes:
            async for health in changes:
                yield _event(asdict(health))

    async def completions(self, request: Request) -> Response:
        return await self._answer(
            request, dialect.completion_request, dialect.completion_chunk, dialect.completion_whole, "cmpl"
        )

    async def chat(self, request: Request) -> Response:
        return await self._answer(
            request, dialect.chat_request, dialect.chat_chunk, dialect.chat_whole, "chatcmpl"
        )

    async def _answer(
        self,
        request: Request,
        read: Callable[[object, str], CompletionRequest | ChatRequest],
        chunk: Callable[..., dict[str, Any]],
        whole: Callable[..., dict[str, Any]],
        prefix: str,
    ) -> Response:
        """Queue the request and send what comes back, whole or in pieces."""
        try:
            body = await _json(request)
            asked = read(body, self._default.name)
            spec = await self._spec(asked.model)
        except dialect.BadBody as exc:
            return _error(str(exc), "invalid_request_error", 400)
        except ModelError as exc:
            return _error(str(exc), "not_found_error", 404)
        frame = {"id": f"{prefix}-{next(self._numbers)}", "created": int(time.time()), "model": spec.name}
        answer: Answer = asyncio.Queue()
        telling = Telling(_across(answer))
        on_piece = telling.piece
        if isinstance(asked, ChatRequest) and asked.tools:
            on_piece = Calling(telling.piece, asked.tools, str(frame["id"])).piece
        job = Job(request=asked, spec=spec, on_piece=on_piece, on_error=telling.error)
        self._worker.submit(job)
        logprobs = asked.sampling.logprobs
        if dialect.wants_stream(body):
            return await self._streamed(request, job, answer, lambda it: chunk(it, frame, logprobs=logprobs))
        return await self._collected(
            request, job, answer, lambda them, usage: whole(them, usage, frame, logprobs=logprobs)
        )

    async def _spec(self, name: str) -> ModelSpec:
        """The model that is asked for. A file may lie on a disk that sleeps, so others do not wait for it."""
        if name == self._default.name:
            return self._default
        return await asyncio.to_thread(registry.find, name)

    async def _streamed(
        self, request: Request, job: Job, answer: Answer, form: Callable[[Piece], Mapping[str, Any]]
    ) -> Response:
        """Answer with events. What fails before the first one still gets a proper status."""
        first = await self._first(request, job, answer)
        if isinstance(first, Exception):
            return _failure(first)

        async def events() -> AsyncIterator[bytes]:
            piece: Piece | Exception = first
            ended = 0
            while not isinstance(piece, Exception):
                yield _event(form(piece))
                ended += piece.finish is not None
                if ended == job.choices:
                    yield b"data: [DONE]\n\n"
                    return
                piece = await answer.get()
            yield _event(dialect.error_json(_sentence(piece), "server_error", _status(piece)))

        return _Stream(events(), self._lifetime.request(), lambda: self._worker.cancel(job))

    async def _collected(
        self,
        request: Request,
        job: Job,
        answer: Answer,
        form: Callable[[Sequence[Piece], Usage | None], Mapping[str, Any]],
    ) -> Response:
        piece = await self._first(request, job, answer)
        pieces: dict[int, list[Piece]] = {}
        ended = 0
        with self._lifetime.request():
            while not isinstance(piece, Exception):
                pieces.setdefault(piece.choice, []).append(piece)
                ended += piece.finish is not None
                if ended == job.choices:
                    return _Json(form([joined(pieces[it]) for it in sorted(pieces)], piece.usage))
                piece = await self._first(request, job, answer)
        return _failure(piece)

    async def _first(self, request: Request, job: Job, answer: Answer) -> Piece | Exception:
        """The next piece, unless the client goes away first: then the job is cancelled."""
        with self._lifetime.request():
            getting = asyncio.ensure_future(answer.get())
            leaving = asyncio.ensure_future(_gone(request))
            try:
                await asyncio.wait((getting, leaving), return_when=asyncio.FIRST_COMPLETED)
                if getting.done():
                    return getting.result()
                self._worker.cancel(job)
                return ModelError("The client went away.")
            except asyncio.CancelledError:
                self._worker.cancel(job)
                raise
            finally:
                getting.cancel()
                leaving.cancel()


class _Json(JSONResponse):
    """JSON in ASCII: a file's name or a client's text may hold what has no UTF-8 form."""

    def render(self, content: Any) -> bytes:
        return json.dumps(content, separators=(",", ":")).encode()


class _Stream(StreamingResponse):
    """Server-sent events of one answer. However they end, even before they begin, ``on_end`` is called."""

    def __init__(
        self,
        events: AsyncIterator[bytes],
        held: contextlib.AbstractContextManager[None],
        on_end: Callable[[], None],
    ) -> None:
        super().__init__(events, media_type="text/event-stream")
        self._held = held
        self._on_end = on_end

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            with self._held:
                await super().__call__(scope, receive, send)
        finally:
            self._on_end()


async def _gone(request: Request) -> None:
    """Return when the client has closed the connection."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _across(answer: Answer) -> Callable[[Piece | Exception], None]:
    """A way from the worker's thread into the queue of this loop; silent once the loop is closed."""
    loop = asyncio.get_running_loop()

    def put(item: Piece | Exception) -> None:
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(answer.put_nowait, item)

    return put


async def _json(request: Request) -> object:
    data = bytearray()
    async for part in request.stream():
        data += part
        if MAX_BODY < len(data):
            raise dialect.BadBody(f"The request is larger than {MAX_BODY // 2**20} MB.")
    try:
        value: object = json.loads(bytes(data))
    except (ValueError, RecursionError) as exc:
        raise dialect.BadBody("The request is not JSON.") from exc
    return value


def _event(body: Mapping[str, Any]) -> bytes:
    return b"data: " + json.dumps(body, separators=(",", ":")).encode() + b"\n\n"


def _failure(exc: Exception) -> Response:
    status = _status(exc)
    kind = "invalid_request_error" if status in (400, 413) else "server_error"
    kind = "model_error" if status == 422 else kind
    return _error(_sentence(exc), kind, status)


def _status(exc: Exception) -> int:
    if isinstance(exc, TooLong):
        return 413
    if isinstance(exc, BadRequest):
        return 400
    if isinstance(exc, Unavailable):
        return 503
    return 422 if isinstance(exc, ModelError) else 500


def _sentence(exc: Exception) -> str:
    return str(exc) if isinstance(exc, ModelError) else PROBLEM


def _error(message: str, kind: str, status: int) -> Response:
    return _Json(dialect.error_json(message, kind, status), status_code=status)


async def _http_error(_request: Request, exc: Exception) -> Response:
    assert isinstance(exc, HTTPException)
    return _error(f"{exc.detail}.", "invalid_request_error", exc.status_code)


async def _gone_early(_request: Request, _exc: Exception) -> Response:
    return Response(status_code=GONE)


async def _bug(_request: Request, _exc: Exception) -> Response:
    return _error(PROBLEM, "server_error", 500)
