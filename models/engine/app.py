"""HTTP routes of the engine: JSON in, JSON or SSE out. A closed connection is a cancel."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import logging
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import asdict
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from models import registry
from models.engine import dialect
from models.engine.generate import BadRequest
from models.engine.job import Job
from models.engine.lifetime import Lifetime
from models.engine.metrics import prometheus
from models.engine.worker import Worker
from models.errors import ModelError
from models.spec import ModelSpec
from models.wire import ChatRequest, CompletionRequest, Piece

logger = logging.getLogger(__name__)

MAX_BODY = 16 * 2**20  # Bytes. Far above any prompt that fits a context.

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
            Route("/hearth/shutdown", routes.shutdown, methods=["POST"]),
        ],
        exception_handlers={HTTPException: _http_error},
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
        return JSONResponse(asdict(self._lifetime.health))

    async def metrics(self, _request: Request) -> Response:
        return PlainTextResponse(prometheus(self._worker.metrics, self._lifetime.health))

    async def models(self, _request: Request) -> Response:
        names = dict.fromkeys((self._default.name, registry.STARTER))
        return JSONResponse({"object": "list", "data": [{"id": it, "object": "model"} for it in names]})

    async def shutdown(self, _request: Request) -> Response:
        self._lifetime.end("asked to")
        return JSONResponse({"status": "ending"}, status_code=202)

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
            spec = self._default if asked.model == self._default.name else registry.find(asked.model)
        except dialect.BadBody as exc:
            return _error(str(exc), "invalid_request_error", 400)
        except ModelError as exc:
            return _error(str(exc), "not_found_error", 404)
        frame = {"id": f"{prefix}-{next(self._numbers)}", "created": int(time.time()), "model": spec.name}
        answer: Answer = asyncio.Queue()
        job = Job(request=asked, spec=spec, on_piece=_across(answer), on_error=_across(answer))
        self._worker.submit(job)
        logprobs = asked.sampling.logprobs
        if dialect.wants_stream(body):
            return await self._streamed(request, job, answer, lambda it: chunk(it, frame, logprobs=logprobs))
        return await self._collected(
            request, job, answer, lambda text, it: whole(text, it, frame, logprobs=logprobs)
        )

    async def _streamed(
        self, request: Request, job: Job, answer: Answer, form: Callable[[Piece], Mapping[str, Any]]
    ) -> Response:
        """Answer with events. What fails before the first one still gets a proper status."""
        first = await self._first(request, job, answer)
        if isinstance(first, Exception):
            return _failure(first)

        async def events() -> AsyncIterator[bytes]:
            with self._lifetime.request():
                piece: Piece | Exception = first
                try:
                    while not isinstance(piece, Exception):
                        yield _event(form(piece))
                        if piece.finish is not None:
                            yield b"data: [DONE]\n\n"
                            return
                        piece = await answer.get()
                    yield _event(dialect.error_json(_sentence(piece), "server_error", 500))
                finally:
                    self._worker.cancel(job)

        return StreamingResponse(events(), media_type="text/event-stream")

    async def _collected(
        self, request: Request, job: Job, answer: Answer, form: Callable[[str, Piece], Mapping[str, Any]]
    ) -> Response:
        piece = await self._first(request, job, answer)
        texts: list[str] = []
        logprobs: list[float] = []
        with self._lifetime.request():
            while not isinstance(piece, Exception):
                texts.append(piece.text)
                logprobs += piece.logprobs
                if piece.finish is not None:
                    last = Piece(text="", logprobs=tuple(logprobs), finish=piece.finish, usage=piece.usage)
                    return JSONResponse(form("".join(texts), last))
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
    except ValueError as exc:
        raise dialect.BadBody("The request is not JSON.") from exc
    return value


def _event(body: Mapping[str, Any]) -> bytes:
    return b"data: " + json.dumps(body, separators=(",", ":")).encode() + b"\n\n"


def _failure(exc: Exception) -> Response:
    if isinstance(exc, BadRequest):
        return _error(str(exc), "invalid_request_error", 400)
    if isinstance(exc, ModelError):
        return _error(str(exc), "model_error", 422)
    return _error(_sentence(exc), "server_error", 500)


def _sentence(exc: Exception) -> str:
    return str(exc) if isinstance(exc, ModelError) else "The engine met a problem; its log says more."


def _error(message: str, kind: str, status: int) -> Response:
    return JSONResponse(dialect.error_json(message, kind, status), status_code=status)


async def _http_error(_request: Request, exc: Exception) -> Response:
    status = exc.status_code if isinstance(exc, HTTPException) else 500
    return _error(exc.detail if isinstance(exc, HTTPException) else "error", "invalid_request_error", status)
