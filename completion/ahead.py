"""One piece of work for the place where the user may be next: it rests a moment first, and gives way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from typing import Any

REST_SECONDS = 0.15
"""Longer than the pause between two keys of a fast typist, and shorter than it takes to read a suggestion."""


class Ahead:
    """What is done ahead of being asked for; lives on the event loop."""

    def __init__(self) -> None:
        self._place: Hashable = None
        self._task: asyncio.Task[None] | None = None

    @property
    def is_busy(self) -> bool:
        """Whether it is at work, or about to be."""
        return self._task is not None and not self._task.done()

    def start(self, place: Hashable, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Work on a place in a moment; what is done for the same place goes on, and other work is stopped."""
        if place == self._place:
            return
        self.stop()
        self._place = place
        self._task = asyncio.create_task(_rested(work))

    def stop(self) -> None:
        """The user is somewhere else."""
        if self._task:
            self._task.cancel()
        self._place = self._task = None


async def _rested(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    await asyncio.sleep(REST_SECONDS)
    await work()
