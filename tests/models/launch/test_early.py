"""The engine is started before what speaks to it is imported, where there can be none; else nothing is."""

from __future__ import annotations

import asyncio
from pathlib import Path

import filelock
import pytest

from models import process, supervise
from models.early import begin
from models.errors import BackendError
from models.launch import Engine, EngineOptions
from models.process import Place
from tests.models.launch.windows import OPTIONS, holding, pid, started, until


async def test_where_there_is_none_it_is_started(place: Place) -> None:
    """Others wait until it answers, or their own would be in its way."""
    early = begin(place, OPTIONS)
    assert early is not None
    with pytest.raises(filelock.Timeout), filelock.FileLock(place.start_lock, timeout=0):
        pass
    found = await supervise.ready(place, early.child)
    early.release()
    assert found is not None
    assert found.health.pid == early.child.pid
    await found.backend.close()
    with filelock.FileLock(place.start_lock, timeout=0):
        pass


async def test_where_one_runs_none_is_started(place: Place) -> None:
    """Whoever has an address is asked."""
    async with holding(place) as engine:
        await engine.backend()
        assert begin(place, OPTIONS) is None
    assert started(place) == 1


def test_where_one_is_being_started_none_is(place: Place) -> None:
    """It is waited for."""
    with filelock.FileLock(place.start_lock, timeout=0):
        assert begin(place, OPTIONS) is None
    assert not supervise.engines(place)


@pytest.mark.parametrize("trouble", ["model", "interpreter"])
async def test_what_cannot_be_started_is_said_by_who_looks_closer(
    place: Place, monkeypatch: pytest.MonkeyPatch, trouble: str
) -> None:
    """The lock is given back, and the sentence is the usual one."""
    options = OPTIONS
    if trouble == "model":
        options = EngineOptions(model="/no/such/model.gguf")
    else:
        monkeypatch.setattr(process, "command", lambda *_: ["/no/such/python"])
    assert begin(place, options) is None
    engine = Engine(options, place=place)
    with pytest.raises(BackendError):
        await engine.backend()
    await engine.close()
    with filelock.FileLock(place.start_lock, timeout=0):
        pass


async def test_an_address_that_was_left_behind(place: Place) -> None:
    """After a crash: nothing is started early, and one is all the same."""
    place.folder.mkdir(parents=True, exist_ok=True)
    place.socket.touch()
    assert begin(place, OPTIONS) is None
    async with holding(place) as engine:
        assert await pid(engine)


async def test_of_two_in_the_same_moment_one_stays(place: Place) -> None:
    """One that was started by hand meanwhile: whichever came first is used, and the other ends by itself."""
    process.Child(place, OPTIONS)
    async with holding(place) as engine:
        used = await pid(engine)
        await until(lambda: [it.pid for it in supervise.engines(place)] == [used])
    await until(lambda: not supervise.engines(place))


async def test_who_is_cancelled_gives_the_lock_back(place: Place) -> None:
    """The engine that was begun is there for the next."""
    engine = Engine(OPTIONS, place=place)
    asking = asyncio.create_task(engine.backend())
    await asyncio.sleep(0)
    await engine.close()
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    with filelock.FileLock(place.start_lock, timeout=5):
        pass
    async with holding(place) as other:
        assert await pid(other)


@pytest.mark.parametrize("load", [True, False])
def test_the_command_line_says_whether_to_load(place: Place, load: bool) -> None:
    """Who starts an engine to ask it has its model loaded at once."""
    options = EngineOptions(model=str(Path(__file__)), load=load)
    assert ("--load" in process.command(place, options)) is load
