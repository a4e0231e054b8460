"""`python -m models.engine`: arguments, lock, socket, serve, end when unused."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import os
import secrets
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import filelock

from models import registry
from models.engine.job import Job
from models.engine.lifetime import GRACE_S, Lifetime
from models.engine.worker import EngineConfig, Worker
from models.errors import ModelError
from models.gguf_header import read_header
from models.spec import ModelSpec
from models.wire import CompletionRequest, Health, Sampling

if TYPE_CHECKING:
    from models.engine.serving import Serving

logger = logging.getLogger("models.engine")

EXIT_OK, EXIT_BUG, EXIT_USAGE, EXIT_MODEL = 0, 1, 2, 3
MAX_SECONDS = 1e7  # A third of a year, and less than any timer's limit.
BACKLOG = 64  # Connections that may wait: many windows starting at once.


def main() -> int:
    """Serve until unused. Returns the exit code."""
    arguments = _arguments()
    logging.basicConfig(
        stream=sys.stderr,
        level=arguments.log_level.upper(),
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
    )
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    try:
        with _lock(arguments.lock):
            return _serve(arguments)
    except filelock.Timeout:
        logger.info("another engine holds the lock")
        return EXIT_OK
    except ModelError as exc:
        sys.stderr.write(f"hearth engine: {exc}\n")
        return EXIT_MODEL
    except OSError as exc:
        sys.stderr.write(f"hearth engine: cannot serve: {exc}\n")
        return EXIT_BUG


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="hearth engine", description="Serve models to Hearth's other parts."
    )
    parser.add_argument(
        "--model", default=registry.STARTER, help="name or path of the model asked for by default"
    )
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--socket", type=Path, help="Unix socket to listen on (mode 0600)")
    where.add_argument(
        "--port", type=_whole(0, 65535), help="loopback TCP port to listen on; 0 picks a free one"
    )
    parser.add_argument(
        "--token-file", type=Path, help="with --port: where to write the token clients must bring"
    )
    parser.add_argument("--port-file", type=Path, help="with --port: where to write the port")
    parser.add_argument("--lock", type=Path, help="file to hold locked while running; if it is taken, exit 0")
    parser.add_argument(
        "--idle-unload", type=_seconds, default=600.0, metavar="SECONDS", help="free unused models"
    )
    parser.add_argument(
        "--load", action="store_true", help="load the model at once, not when it is asked for"
    )
    parser.add_argument("--keep-loaded", action="store_true", help="never free a model for being unused")
    parser.add_argument(
        "--linger", type=_seconds, default=60.0, metavar="SECONDS", help="end when unused; 0 stays"
    )
    parser.add_argument(
        "--context", type=_whole(1, 1 << 24), default=None, metavar="TOKENS", help="context memory per model"
    )
    parser.add_argument(
        "--threads",
        type=_whole(1, 512),
        default=None,
        help="default: physical cores, half of them on battery",
    )
    parser.add_argument(
        "--memory",
        type=_whole(1, 1 << 24),
        default=None,
        metavar="MB",
        help="for all models together; default: 60 %% of what the machine has",
    )
    parser.add_argument("--log-level", default="info", choices=("debug", "info", "warning", "error"))
    arguments = parser.parse_args()
    if arguments.port is not None and arguments.token_file is None:
        parser.error("--port needs --token-file: other users of this machine can reach a port")
    return arguments


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 <= value <= MAX_SECONDS:
        raise argparse.ArgumentTypeError(f"must be from 0 to {MAX_SECONDS:g} seconds")
    return value


def _whole(low: int, high: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        value = int(text)
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"must be from {low} to {high}")
        return value

    return number


def _lock(path: Path | None) -> contextlib.AbstractContextManager[object]:
    return contextlib.nullcontext() if path is None else filelock.FileLock(path, timeout=0)


def _serve(arguments: argparse.Namespace) -> int:
    spec = registry.find(arguments.model)
    read_header(spec.path)  # A file that is no model is said now, not at the first request.
    config = EngineConfig(
        model=spec,
        idle_unload=0.0 if arguments.keep_loaded else arguments.idle_unload,
        context_tokens=arguments.context,
        threads=arguments.threads,
        memory=None if arguments.memory is None else arguments.memory * 2**20,
    )
    listener, token = _listen(arguments)
    try:
        asyncio.run(_run(config, listener, token, arguments.linger, load=arguments.load))
    finally:
        listener.close()
        for path in (arguments.socket, arguments.port_file, arguments.token_file):
            if path is not None:
                path.unlink(missing_ok=True)
    return EXIT_OK


async def _run(
    config: EngineConfig, listener: socket.socket, token: str | None, linger: float, *, load: bool
) -> None:
    serving: Serving

    def end() -> None:
        serving.end()
        loop.call_later(GRACE_S, worker.end)

    loop = asyncio.get_running_loop()
    worker = Worker(config, lambda health: lifetime.tell(health))
    first: Health = worker.health
    lifetime = Lifetime(first, linger, end)
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):
            loop.add_signal_handler(number, lifetime.end, "signal")
    worker.start()
    if load:
        worker.submit(_nothing(config.model))
    watching = asyncio.create_task(lifetime.run())
    try:
        from models.engine.serving import Serving  # Now: the model is loaded meanwhile, and needs no Python.

        serving = Serving(worker, lifetime, config.model, token)
        await serving.run(listener)
    finally:
        watching.cancel()
        await asyncio.to_thread(worker.stop)


def _nothing(model: ModelSpec) -> Job:
    """A request for no text: its model is loaded. What goes wrong is in the health."""
    request = CompletionRequest(
        model=model.name, prompt="", sampling=Sampling(max_tokens=0), priority="background"
    )
    return Job(request=request, spec=model, on_piece=lambda _: None, on_error=lambda _: None)


def _listen(arguments: argparse.Namespace) -> tuple[socket.socket, str | None]:
    """The listening socket, and the token if it is one that other users can reach."""
    if arguments.socket is not None:
        if arguments.socket.is_socket():
            arguments.socket.unlink()  # We hold the lock: whoever made it is gone.
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        before = os.umask(0o177)
        try:
            listener.bind(str(arguments.socket))
        finally:
            os.umask(before)
        listener.listen(BACKLOG)
        return listener, None
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", arguments.port))
    listener.listen(BACKLOG)
    token = secrets.token_urlsafe(32)
    _write_private(arguments.token_file, token)
    if arguments.port_file is not None:
        _write_private(arguments.port_file, str(listener.getsockname()[1]))
    return listener, token


def _write_private(path: Path, text: str) -> None:
    """Write a file that only the user can read, complete or not at all."""
    draft = path.with_suffix(f"{path.suffix}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    draft.replace(path)


if __name__ == "__main__":
    sys.exit(main())
