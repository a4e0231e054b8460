"""Find the user's one engine, or start it: however many ask at the same moment, one engine is the result.

Whoever finds no engine takes ``start.lock``, looks again, and only then starts one. The engine holds
``engine.lock`` for life, so a second one, whoever started it, ends by itself. Nothing alive is removed, and
what is dead needs no removing: its locks went with it, and the next engine replaces its socket.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import filelock
import psutil

from models import process
from models.advice import EXIT_MODEL, REINSTALL, advice, obstacle, should_restart
from models.backend import Backend
from models.errors import BackendError, Broken, ModelError, Refused, Unreachable
from models.process import Child, EngineOptions, Place
from models.spec import BackendSpec
from models.version import VERSION
from models.wire import Health

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.03  # An engine is up within a second or so; nobody notices this much more.
LOCK_SECONDS = 0.05
START_SECONDS = 60.0  # A cold disk on a slow machine; the model itself is loaded later.
PATIENCE_SECONDS = 10.0  # How long an engine that holds the lock may be silent: it starts, or it ends.
END_SECONDS = 5.0  # An engine ends within one decode step; after this long it is not going to.
ROUNDS = 3  # An engine may end just as we look; three times in a row is no coincidence.


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """An engine that answers."""

    backend: Backend
    health: Health
    child: Child | None = None
    """Its process, if it is ours."""


async def connect(place: Place, options: EngineOptions) -> Running:
    """The user's engine, started if there is none; raises ``BackendError`` with advice."""
    if found := await find(place):
        return found
    async with _held(place.start_lock):
        return await find(place) or await _start(place, options)


async def find(place: Place) -> Running | None:
    """The user's engine, if it runs and is no older than we are."""
    found = await look(place)
    if found and should_restart(installed_version(), found.health.version):
        await found.backend.close()
        return None
    return found


async def look(place: Place) -> Running | None:
    """Whatever engine answers at this place."""
    spec = _spec(place)
    if spec is None:
        return None
    backend = Backend(spec)
    try:
        return Running(backend=backend, health=await backend.health())
    except BackendError as exc:
        logger.debug("no engine cause=%s", exc)
        await backend.close()
        return None
    except asyncio.CancelledError:
        await backend.close()
        raise


def installed_version() -> str:
    """The version on disk, which we would start; not ours after an upgrade under a running editor."""
    with suppress(OSError):
        text = Path(__file__).with_name("version.py").read_text("utf-8")
        if found := re.search(r'^VERSION = "(.+)"$', text, re.MULTILINE):
            return found[1]
    return VERSION


def engines(place: Place) -> list[psutil.Process]:
    """The processes that are the engine of this place, or want to be."""
    return [it for it in psutil.process_iter() if _is_engine(it, place)]


async def _start(place: Place, options: EngineOptions) -> Running:
    """Start an engine; the caller holds ``start.lock``."""
    for _ in range(ROUNDS):
        await _retire(place)
        if found := await ready(place, _spawn(place, options)):
            return found
        if found := await _await_other(place):
            return found
    raise Unreachable("Another engine starts and ends again and again; end it, and try again.")


async def _retire(place: Place) -> None:
    """End an engine that is older than we are."""
    found = await look(place)
    if found is None:
        return
    try:
        if should_restart(installed_version(), found.health.version):
            logger.info("engine replaced theirs=%s ours=%s", found.health.version, installed_version())
            with suppress(BackendError):
                await found.backend.shutdown()
            await _end(place, END_SECONDS)
    finally:
        await found.backend.close()


def _spawn(place: Place, options: EngineOptions) -> Child:
    try:
        return Child(place, options)
    except ModelError as exc:
        raise Refused(str(exc)) from exc
    except OSError as exc:
        missing = isinstance(exc, FileNotFoundError) and f"The installation has moved or gone: {REINSTALL}."
        raise Broken(missing or obstacle([str(exc)]) or f"The engine cannot be started: {exc}.") from exc


async def ready(place: Place, child: Child) -> Running | None:
    """Wait until the engine answers that was just started; ``None`` if it ended because there is another.

    Raises ``BackendError`` with advice when it ended otherwise. The caller holds ``start.lock``.
    """
    started = time.monotonic()
    deadline = started + START_SECONDS
    while time.monotonic() < deadline:
        code = child.code
        if found := await look(place):
            ours = found.health.pid == child.pid
            logger.info("engine started pid=%d ms=%d", child.pid, 1000 * (time.monotonic() - started))
            return Running(backend=found.backend, health=found.health, child=child if ours else None)
        if code == 0:
            return None
        if code is not None:
            error = Refused if code == EXIT_MODEL else Broken
            raise error(advice(code, process.log_tail(place)))
        await asyncio.sleep(POLL_SECONDS)
    child.end()
    raise Unreachable(f"The engine did not start within {START_SECONDS:.0f} seconds; see {place.log}.")


async def _await_other(place: Place) -> Running | None:
    """Another engine holds the lock but is silent: it starts, ends or hangs. A hanging one is ended."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if found := await find(place):
            return found
        if _is_free(place.lock):
            return None
        await asyncio.sleep(POLL_SECONDS)
    logger.warning("engine hangs")
    await _end(place, 0.0)
    return None


async def _end(place: Place, grace: float) -> None:
    """Wait until no engine holds the lock; after ``grace`` seconds ask it to end, then make it."""
    for signal_it in (None, psutil.Process.terminate, psutil.Process.kill):
        if signal_it:
            for it in await asyncio.to_thread(engines, place):
                with suppress(psutil.Error):
                    signal_it(it)
        deadline = time.monotonic() + (END_SECONDS if signal_it else grace)
        while not _is_free(place.lock):
            if deadline < time.monotonic():
                break
            await asyncio.sleep(POLL_SECONDS)
        else:
            return


def _is_free(lock: Path) -> bool:
    """Whether nobody holds this lock. For the moment of asking we hold it, so ask only where that is rare."""
    with suppress(filelock.Timeout), filelock.FileLock(lock, timeout=0):
        return True
    return False


def _is_engine(it: psutil.Process, place: Place) -> bool:
    """Whether this process is an engine for this place; its id alone may be another's by now."""
    with suppress(psutil.Error):
        words = it.cmdline()
        return process.MODULE in words and str(place.lock) in words and it.status() != psutil.STATUS_ZOMBIE
    return False


def _spec(place: Place) -> BackendSpec | None:
    """The address of the engine; ``None`` when it has none yet."""
    if not place.tcp:
        return BackendSpec(model="", socket=place.socket) if place.socket.exists() else None
    try:
        port = int(place.port.read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return BackendSpec(model="", url=f"http://127.0.0.1:{port}", token_file=place.token)


@asynccontextmanager
async def _held(path: Path) -> AsyncIterator[None]:
    """Hold a lock. Waiting for it leaves the event loop free, and a cancelled wait leaves nothing behind."""
    lock = filelock.FileLock(path)
    deadline = time.monotonic() + START_SECONDS + PATIENCE_SECONDS
    while True:
        try:
            lock.acquire(blocking=False)
            break
        except filelock.Timeout as exc:
            if deadline < time.monotonic():
                raise Unreachable("Another program has been starting the engine for too long.") from exc
        await asyncio.sleep(LOCK_SECONDS)
    try:
        yield
    finally:
        lock.release()
