"""One running request per document: the newest one wins and the older one is cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class Superseded(Exception):
    """A newer request for the same document has started; nobody waits for this answer any more."""


class Latest:
    """The running requests, by key; lives on the event loop."""

    def __init__(self) -> None:
        self._running: dict[str, asyncio.Task[Any]] = {}

    async def run(self, key: str, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """The result of ``work``, after cancelling what still runs for ``key``.

        Raises ``Superseded`` when a newer request took over, and ``CancelledError`` only when the caller
        itself is cancelled; then ``work`` has been cancelled first.
        """
        if older := self._running.get(key):
            older.cancel()
        task = asyncio.create_task(work())
        self._running[key] = task
        try:
            result = await task
        except asyncio.CancelledError:
            caller = asyncio.current_task()
            if self._running.get(key) is task or (caller and caller.cancelling()):
                raise
            raise Superseded from None
        else:
            if self._running.get(key) is not task:  # It was done when the newer one came to cancel it.
                raise Superseded
            return result
        finally:
            if self._running.get(key) is task:
                del self._running[key]
