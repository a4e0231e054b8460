"""A test double at the process boundary: it speaks the engine's protocol and misbehaves when told to.

``HEARTH_FAKE`` tells it, in words with ``;`` between them: ``version=9.9.9``, ``exit=3``, ``signal=9``,
``say=TEXT`` (on stderr before that), ``hang`` (holds the lock and is silent), ``slow`` (is silent until there
is a file ``go`` beside the lock), ``deaf`` (ignores the wish to end and SIGTERM), ``die`` (in mid-answer),
``fade`` (is well at first, but ends when somebody wants to hold it).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import secrets
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import filelock
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from models.version import VERSION
from models.wire import Health

FAKE = dict(it.partition("=")[::2] for it in os.environ.get("HEARTH_FAKE", "").split(";") if it)


def main() -> int:
    arguments = _arguments()
    with (arguments.lock.parent / "started").open("a") as started:
        started.write(f"{os.getpid()}\n")
    if "exit" in FAKE or "signal" in FAKE:
        sys.stderr.write(FAKE.get("say", "") + "\n")
        sys.stderr.flush()
        if "signal" in FAKE:
            os.kill(os.getpid(), int(FAKE["signal"]))
        return int(FAKE["exit"])
    try:
        with filelock.FileLock(arguments.lock, timeout=0):
            while "hang" in FAKE or ("slow" in FAKE and not (arguments.lock.parent / "go").exists()):
                time.sleep(0.01)
            asyncio.run(_serve(arguments))
    except filelock.Timeout:
        return 0
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    for name in ("--model", "--idle-unload", "--context", "--threads", "--log-level"):
        parser.add_argument(name)
    parser.add_argument("--keep-loaded", action="store_true")
    parser.add_argument("--linger", type=float)
    parser.add_argument("--port", type=int)
    for name in ("--socket", "--lock", "--port-file", "--token-file"):
        parser.add_argument(name, type=Path)
    return parser.parse_args()


async def _serve(arguments: argparse.Namespace) -> None:
    health = Health(
        version=FAKE.get("version", VERSION),
        pid=os.getpid(),
        executable=sys.executable,
        state="idle",
        model=arguments.model,
    )
    if arguments.socket:
        arguments.socket.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(arguments.socket))
        listener.listen()
        fake = FakeEngine(health, arguments.linger, "")
    else:
        fake = FakeEngine(health, arguments.linger, secrets.token_hex())
        listener = socket.create_server(("127.0.0.1", 0))
        arguments.token_file.write_text(fake.token)
        arguments.port_file.write_text(str(listener.getsockname()[1]))
    if "deaf" in FAKE:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    ending = asyncio.create_task(fake.end_when_unused())
    await fake.server._serve(sockets=[listener])
    ending.cancel()


class FakeEngine:
    """The routes of the engine, with nothing behind them."""

    def __init__(self, health: Health, linger: float, token: str) -> None:
        self.token = token
        self._health = health
        self._linger = linger
        self._clients = 0
        self._quiet_since = time.monotonic()
        routes = [
            Route("/health", self.health),
            Route("/hearth/events", self.events),
            Route("/v1/completions", self.completions, methods=["POST"]),
            Route("/hearth/shutdown", self.shutdown, methods=["POST"]),
        ]
        app = Starlette(routes=routes)
        self.server = uvicorn.Server(
            uvicorn.Config(app, log_config=None, lifespan="off", timeout_graceful_shutdown=1)
        )

    async def end_when_unused(self) -> None:
        while self._clients or time.monotonic() < self._quiet_since + self._linger:  # noqa: ASYNC110 - a clock
            await asyncio.sleep(0.02)
        self.server.should_exit = True

    async def health(self, request: Request) -> Response:
        if self.token and request.headers.get("authorization") != f"Bearer {self.token}":
            return JSONResponse({"error": {"message": "No token."}}, 401)
        return JSONResponse(asdict(self._health))

    async def events(self, request: Request) -> Response:
        return StreamingResponse(self._events(), media_type="text/event-stream")

    async def _events(self) -> AsyncIterator[str]:
        self._clients += 1
        self.server.should_exit |= "fade" in FAKE
        try:
            while not self.server.should_exit:
                yield _event(asdict(self._health) | {"clients": self._clients})
                await asyncio.sleep(0.1)
        finally:
            self._clients -= 1
            self._quiet_since = time.monotonic()

    async def completions(self, request: Request) -> Response:
        await request.body()
        return StreamingResponse(self._pieces(), media_type="text/event-stream")

    async def _pieces(self) -> AsyncIterator[str]:
        yield _event({"choices": [{"text": "one", "finish_reason": None}]})
        await asyncio.sleep(0.1)
        if "die" in FAKE:
            os.kill(os.getpid(), signal.SIGKILL)
        yield _event({"choices": [{"text": "", "finish_reason": "stop"}]})
        yield "data: [DONE]\n\n"

    async def shutdown(self, request: Request) -> Response:
        self.server.should_exit = "deaf" not in FAKE
        return JSONResponse({}, 202)


def _event(value: dict[str, Any]) -> str:
    return f"data: {json.dumps(value)}\n\n"


if __name__ == "__main__":
    sys.exit(main())
