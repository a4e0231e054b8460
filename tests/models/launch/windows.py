"""What the tests of one shared engine do: hold it as a window does, wait, look."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from models import supervise
from models.launch import Engine, EngineOptions
from models.process import Place
from models.wire import CompletionRequest

OPTIONS = EngineOptions(linger_s=0.2)
REQUEST = CompletionRequest(model="m", prompt="a")
LONG = 60.0  # Seconds; only a test that is going to fail waits for so long.


@asynccontextmanager
async def holding(place: Place, options: EngineOptions = OPTIONS) -> AsyncIterator[Engine]:
    """One window's hold on the engine."""
    engine = Engine(options, place=place)
    try:
        yield engine
    finally:
        await engine.close()


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(LONG):
        while not condition():  # noqa: ASYNC110 - what is waited for happens in another process
            await asyncio.sleep(0.02)


def started(place: Place) -> int:
    """How many engine processes were ever started here."""
    return len((place.folder / "started").read_text().split())


async def pid(engine: Engine) -> int:
    return (await (await engine.backend()).health()).pid


def is_held(lock: Path) -> bool:
    return not supervise._is_free(lock)
