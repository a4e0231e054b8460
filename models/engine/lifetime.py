"""Why the engine is still here: programs that hold a lease, requests that run. None left: it ends."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from dataclasses import replace

from models.wire import Health

logger = logging.getLogger(__name__)

GRACE_S = 2  # How long answers that have begun may go on once the engine was asked to end.
HEARTBEAT = 5.0  # Seconds between events when nothing changes: shows a client that it still has its lease.


class Lifetime:
    """Lives on the event loop; ``tell`` is the only way in for another thread.

    ``linger`` is how many seconds the engine stays without a client or a request; 0 stays for ever.
    """

    def __init__(self, health: Health, linger: float, on_end: Callable[[], None]) -> None:
        self._health = health
        self._linger = linger
        self._on_end = on_end
        self._loop = asyncio.get_running_loop()
        self._watchers: set[asyncio.Event] = set()
        self._requests = 0
        self._quiet_since = time.monotonic()
        self._ended = False

    @property
    def health(self) -> Health:
        return replace(self._health, clients=len(self._watchers))

    def tell(self, health: Health) -> None:
        """Take the worker's news, from its thread."""
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._changed, health)

    def _changed(self, health: Health) -> None:
        self._health = health
        for watcher in self._watchers:
            watcher.set()

    async def watch(self) -> AsyncGenerator[Health, None]:
        """The health now, at every change, and every few seconds. Counts as a client while it runs."""
        changed = asyncio.Event()
        self._watchers.add(changed)
        try:
            while not self._ended:
                changed.clear()
                yield self.health
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(changed.wait(), HEARTBEAT)
        finally:
            self._watchers.discard(changed)
            self._quiet_since = time.monotonic()

    @contextlib.contextmanager
    def request(self) -> Iterator[None]:
        """A request is being answered."""
        self._requests += 1
        try:
            yield
        finally:
            self._requests -= 1
            self._quiet_since = time.monotonic()

    async def run(self) -> None:
        """Return when nobody has needed the engine for ``linger`` seconds, or when it was asked to end."""
        while not self._ended:
            if self._watchers or self._requests or not self._linger:
                await asyncio.sleep(min(self._linger or 1.0, 1.0))
                continue
            left = self._quiet_since + self._linger - time.monotonic()
            if left <= 0:
                self.end("nobody needs it")
            else:
                await asyncio.sleep(min(left, 1.0))

    def end(self, reason: str) -> None:
        """Stop serving soon."""
        if not self._ended:
            logger.info("end reason=%r", reason)
            self._ended = True
            for watcher in self._watchers:
                watcher.set()
            self._on_end()
