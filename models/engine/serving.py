"""Answer at the socket until it is time to end: what uvicorn does, with our own signals."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator

import uvicorn

from models.engine import app
from models.engine.lifetime import GRACE_S, Lifetime
from models.engine.worker import Worker
from models.spec import ModelSpec


class Serving:
    """The engine's routes behind a socket."""

    def __init__(self, worker: Worker, lifetime: Lifetime, model: ModelSpec, token: str | None) -> None:
        """``token`` is what callers must bring, where other users can reach the socket."""
        self._server = _Server(
            uvicorn.Config(
                app.build(worker, lifetime, model, token),
                log_config=None,
                access_log=False,
                lifespan="off",
                timeout_graceful_shutdown=GRACE_S + 3,
                timeout_keep_alive=75,
            )
        )

    async def run(self, listener: socket.socket) -> None:
        """Until ``end``."""
        await self._server.serve(sockets=[listener])

    def end(self) -> None:
        """Finish what has begun and return from ``run``."""
        self._server.should_exit = True


class _Server(uvicorn.Server):
    """Leaves the signals to us: ours end the leases as well, which would hold the server for seconds."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
