"""Share the user's one engine: find or start it, hold it, notice its death, know when to stop trying."""

from __future__ import annotations

import asyncio
import logging
import os
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, suppress
from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING, NoReturn

from models import process
from models.advice import advice, recent, should_stop
from models.early import begin
from models.errors import BackendError, Broken, Unreachable
from models.process import EngineOptions, Place
from models.wire import Health

if TYPE_CHECKING:  # httpx takes a quarter of a second to import, while an editor waits for `initialize`.
    from models.backend import Backend
    from models.supervise import Running

__all__ = ["Engine", "EngineOptions", "start_engine_foreground"]

logger = logging.getLogger(__name__)

CLOSING = "Hearth is closing."
FIRST_EVENT_SECONDS = 5.0  # A living engine confirms the lease at once.
ENDING_SECONDS = 0.1  # How long an engine that is going to end may still answer.
TRIES = 5
BURIAL_SECONDS = 1.0  # A connection closes a moment before the process's exit code is known.


class Engine:
    """The hold of one process on the shared engine.

    While it is held, the engine lives. ``on_health`` hears of every change, on the event loop; of its death
    as a health that is ``failed``.
    """

    def __init__(
        self,
        options: EngineOptions,
        on_health: Callable[[Health], None] | None = None,
        *,
        place: Place | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._options = options
        self.loads = False
        """Whether an engine that is started loads its model at once."""
        self._on_health = on_health
        self._place = place
        self._clock = clock
        self._running: Running | None = None
        self._lease: asyncio.Task[None] | None = None
        self._joining: asyncio.Task[Backend] | None = None
        self._failures: tuple[float, ...] = ()
        self._problem = ""
        self._closed = False

    async def backend(self) -> Backend:
        """The engine, found or started; raises ``BackendError`` with advice.

        A task of its own finds it: a caller that is cancelled, as happens at every keystroke, stops waiting
        but does not stop the start.
        """
        if self._running and not self._running.backend.suspect:
            return self._running.backend
        if self._closed:
            raise Unreachable(CLOSING)
        if self._joining is None or self._joining.done():
            self._joining = asyncio.create_task(self._join())
            self._joining.add_done_callback(_take_note)
        try:
            return await asyncio.shield(self._joining)
        except asyncio.CancelledError as exc:
            task = asyncio.current_task()
            if self._closed and task and not task.cancelling():
                raise Unreachable(CLOSING) from exc
            raise

    async def health(self) -> Health | None:
        """What the engine says now; ``None`` when none answers. Never starts one."""
        if self._running:
            with suppress(BackendError):
                return await self._running.backend.health()
        await _import_supervise()
        from models import supervise

        try:
            found = await supervise.look(self._where())
        except OSError as exc:
            logger.warning("engine has no place cause=%s", exc)
            return None
        if found is None:
            return None
        await found.backend.close()
        return found.health

    async def close(self) -> None:
        """Let go of the engine; it ends by itself when nobody else holds it."""
        self._closed = True
        for task in (self._joining, self._lease):  # In this order: joining makes the lease.
            if task:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
        running, self._running = self._running, None
        if running:
            await running.backend.close()

    async def _join(self) -> Backend:
        """Find or start the engine and take the lease on it."""
        if self._running:
            with suppress(BackendError):
                await self._running.backend.health()
                return self._running.backend
            self._lost(self._running)
        if should_stop(self._failures, self._clock()):
            raise Broken(f"The engine failed too often and is left alone for a minute. {self._problem}")
        try:
            for attempt in range(TRIES):
                running = await self._found(is_first=attempt == 0)
                if await self._take_lease(running):
                    return running.backend
                await asyncio.sleep(ENDING_SECONDS)  # It ended, unused, between our two questions.
            raise Unreachable("The engine ends as soon as it is found.")
        except BackendError as exc:
            self._failed(str(exc))
            raise
        except OSError as exc:
            self._failed(f"The engine's files have no place: {exc}.")
            raise Unreachable(self._problem) from exc

    async def _found(self, *, is_first: bool) -> Running:
        """An engine that answers. The first time it is started before what speaks to it is imported."""
        place, options = self._where(), replace(self._options, load=self.loads)
        early = begin(place, options) if is_first else None
        try:
            await _import_supervise()
            from models import supervise

            found = await supervise.ready(place, early.child) if early else None
        finally:
            if early:
                early.release()
        return found or await supervise.connect(place, options)

    async def _take_lease(self, running: Running) -> bool:
        """Hold the engine from now on, if it is still there to confirm it."""
        events = running.backend.events()
        try:
            async with asyncio.timeout(FIRST_EVENT_SECONDS):
                first = await anext(events)
        except BaseException as exc:
            await events.aclose()
            await running.backend.close()
            if isinstance(exc, Unreachable | StopAsyncIteration | TimeoutError):
                logger.debug("no lease cause=%r", exc)
                return False
            raise
        self._running = running
        self._lease = asyncio.create_task(self._hold(running, events))
        self._tell(first)
        return True

    async def _hold(self, running: Running, events: AsyncGenerator[Health, None]) -> None:
        """Read the engine's events until it goes or we do."""
        health = running.health
        try:
            async with aclosing(events):
                async for health in events:
                    self._tell(health)
        except BackendError as exc:
            logger.debug("lease broken cause=%s", exc)
            await self._bury(running, health)
        else:
            logger.info("engine ended pid=%d", health.pid)
            if self._running is running:
                self._running = None
                self._tell(replace(health, state="idle", progress=0.0, clients=0))
        await running.backend.close()

    async def _bury(self, running: Running, health: Health) -> None:
        """Find out why it died, and tell."""
        self._lost(running)
        code = await _exit_code(running)
        self._problem = advice(code, process.log_tail(self._where()))
        logger.warning("engine lost pid=%d code=%s why=%s", health.pid, code, self._problem)
        if self._running is None:
            self._tell(replace(health, state="failed", problem=self._problem, clients=0))

    def _lost(self, running: Running) -> None:
        """Forget an engine that is gone; the next ``backend()`` finds another."""
        if self._running is running:
            self._running = None
            self._failed(advice(None, process.log_tail(self._where())))

    def _failed(self, problem: str) -> None:
        now = self._clock()
        self._failures = (*recent(self._failures, now), now)
        self._problem = problem

    def _tell(self, health: Health) -> None:
        if self._on_health is None:
            return
        try:
            self._on_health(health)
        except Exception:
            logger.exception("on_health bug")

    def _where(self) -> Place:
        self._place = self._place or process.place()
        return self._place


def start_engine_foreground(options: EngineOptions) -> NoReturn:
    """Become the engine, with this terminal as its log; for ``hearth engine``. Raises ``ModelError``."""
    place = process.place()
    command, environment = process.command(place, options), process.environment()
    os.chdir(place.folder)
    if sys.platform == "win32":  # There, exec returns to the shell before the new program has ended.
        raise SystemExit(subprocess.call(command, env=environment))
    os.execve(command[0], command, environment)


async def _import_supervise() -> None:
    """Import what takes long in a thread, so that the event loop goes on."""
    await asyncio.to_thread(import_module, "models.supervise")


async def _exit_code(running: Running) -> int | None:
    """The exit code of an engine we started, once it is known."""
    if running.child is None:
        return None
    with suppress(TimeoutError):
        async with asyncio.timeout(BURIAL_SECONDS):
            while running.child.code is None:  # noqa: ASYNC110 - a thread sets it
                await asyncio.sleep(0.01)
    return running.child.code


def _take_note(task: asyncio.Task[Backend]) -> None:
    """Look at a failure that nobody waits for any more, or asyncio complains that nobody did."""
    if not task.cancelled() and task.exception():
        logger.debug("engine not reached cause=%s", task.exception())
