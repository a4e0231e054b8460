"""One running request per document."""

from __future__ import annotations

import asyncio

import pytest

from completion.latest import Latest, Superseded


class Work:
    """Something that takes until it is told to end, and remembers what became of it."""

    def __init__(self, result: str = "done") -> None:
        self.result = result
        self.may_end = asyncio.Event()
        self.has_started = asyncio.Event()
        self.state = "new"

    async def __call__(self) -> str:
        self.has_started.set()
        try:
            await self.may_end.wait()
        except asyncio.CancelledError:
            self.state = "cancelled"
            raise
        self.state = "done"
        return self.result


async def start(latest: Latest, key: str, work: Work) -> asyncio.Task[str]:
    task = asyncio.create_task(latest.run(key, work))
    await work.has_started.wait()
    return task


async def test_the_newest_wins() -> None:
    """The older work is cancelled, and its caller learns why."""
    latest, old, new = Latest(), Work(), Work("new")
    first, second = await start(latest, "a", old), await start(latest, "a", new)
    with pytest.raises(Superseded):
        await first
    assert old.state == "cancelled"
    new.may_end.set()
    assert await second == "new"


async def test_other_documents_go_on() -> None:
    """A window has many documents."""
    latest, one, two = Latest(), Work("one"), Work("two")
    first, second = await start(latest, "a", one), await start(latest, "b", two)
    one.may_end.set()
    two.may_end.set()
    assert (await first, await second) == ("one", "two")


async def test_a_cancelled_caller_cancels_the_work() -> None:
    """The editor's cancel reaches the engine, and is not taken for a newer request."""
    latest, work = Latest(), Work()
    task = await start(latest, "a", work)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert work.state == "cancelled"


async def test_a_caller_cancelled_and_overtaken() -> None:
    """Both at once is a cancel: nobody waits for the answer."""
    latest, old, new = Latest(), Work(), Work()
    first = await start(latest, "a", old)
    first.cancel()
    second = await start(latest, "a", new)
    with pytest.raises(asyncio.CancelledError):
        await first
    new.may_end.set()
    assert await second == "done"


async def test_work_that_is_done_when_it_is_overtaken() -> None:
    """Its answer is for an older question, and is not given."""
    latest, old, new = Latest(), Work(), Work()
    first = await start(latest, "a", old)
    old.may_end.set()
    second = asyncio.create_task(latest.run("a", new))
    new.may_end.set()
    with pytest.raises(Superseded):
        await first
    assert await second == "done"


async def test_a_failure_is_the_callers_and_leaves_nothing_behind() -> None:
    """The next request starts afresh."""

    async def fail() -> str:
        raise ValueError("no")

    latest, work = Latest(), Work()
    with pytest.raises(ValueError, match="no"):
        await latest.run("a", fail)
    task = await start(latest, "a", work)
    work.may_end.set()
    assert await task == "done"
