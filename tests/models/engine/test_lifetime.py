"""Why the engine stays: leases and requests; and that everybody hears the news."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import replace

import pytest

from models.engine import lifetime as lifetime_module
from models.engine.lifetime import Lifetime
from models.wire import Health

HEALTH = Health(version="1", pid=1, executable="python", state="idle", model="m")
SOON = 0.02  # Seconds of linger: short, and nothing here depends on how short.


async def test_without_anybody_it_ends() -> None:
    """After the linger, once."""
    ends: list[str] = []
    lifetime = Lifetime(HEALTH, SOON, lambda: ends.append("end"))
    await lifetime.run()
    lifetime.end("again")
    assert ends == ["end"]


async def test_a_lease_or_a_request_keeps_it() -> None:
    """For as long as they last."""
    lifetime = Lifetime(HEALTH, SOON, lambda: None)
    running = asyncio.create_task(lifetime.run())
    async with aclosing(lifetime.watch()) as events:
        await anext(events)
        assert lifetime.health.clients == 1
        await asyncio.sleep(5 * SOON)
        assert not running.done()
        with lifetime.request():
            await events.aclose()
            await asyncio.sleep(5 * SOON)
            assert (running.done(), lifetime.health.clients) == (False, 0)
    await running


async def test_without_a_linger_it_stays() -> None:
    """Started by hand, it ends by hand."""
    lifetime = Lifetime(HEALTH, 0.0, lambda: None)
    running = asyncio.create_task(lifetime.run())
    await asyncio.sleep(SOON)
    assert not running.done()
    lifetime.end("asked")
    await running


async def test_every_watcher_hears_every_state() -> None:
    """The last word is never lost, and the end ends the streams."""
    lifetime = Lifetime(HEALTH, 0.0, lambda: None)
    async with aclosing(lifetime.watch()) as one, aclosing(lifetime.watch()) as other:
        assert (await anext(one)).state == "idle"
        assert (await anext(other)).clients == 2
        await asyncio.to_thread(lifetime.tell, replace(HEALTH, state="loading"))
        await asyncio.to_thread(lifetime.tell, replace(HEALTH, state="ready"))
        for watcher in (one, other):
            state = ""
            while state != "ready":
                state = (await anext(watcher)).state
        lifetime.end("test")
        for watcher in (one, other):
            left = [it async for it in watcher]
            assert len(left) <= 1


async def test_silence_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client can tell a quiet engine from a dead one."""
    monkeypatch.setattr(lifetime_module, "HEARTBEAT", SOON)
    lifetime = Lifetime(HEALTH, 0.0, lambda: None)
    async with aclosing(lifetime.watch()) as events:
        assert [await anext(events) for _ in range(3)] == [replace(HEALTH, clients=1)] * 3


def test_news_after_the_end_is_dropped() -> None:
    """The worker's thread may outlive the loop by a moment."""

    async def make() -> Lifetime:
        return Lifetime(HEALTH, 0.0, lambda: None)

    asyncio.run(make()).tell(HEALTH)
