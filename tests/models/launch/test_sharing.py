"""Find, start, share, lose and replace an engine; a small process stands in for the real one."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from pathlib import Path

import psutil
import pytest

from models import process, supervise
from models.errors import Unreachable
from models.launch import Engine, EngineOptions
from models.process import Place
from models.version import VERSION
from models.wire import Health
from tests.models.launch.windows import LONG, OPTIONS, REQUEST, holding, is_held, pid, started, until


async def test_the_first_starts_it_and_the_others_share_it(place: Place) -> None:
    """Ten at the same moment, one process."""
    patient = EngineOptions(linger_s=LONG)  # On a busy machine the tests' own is over before all have come.
    engines = [Engine(patient, place=place) for _ in range(10)]
    pids = await asyncio.gather(*map(pid, engines))
    assert len(set(pids)) == 1
    assert started(place) == 1
    for it in engines:
        await it.close()


async def test_it_ends_when_the_last_one_lets_go(place: Place) -> None:
    """No orphan stays behind, and no zombie."""
    async with holding(place) as one:
        async with holding(place) as other:
            await asyncio.gather(one.backend(), other.backend())
        await asyncio.sleep(2 * OPTIONS.linger_s)
        assert len(supervise.engines(place)) == 1, "one is still holding it"
        engine = await pid(one)
    await until(lambda: not supervise.engines(place))
    await until(lambda: not psutil.pid_exists(engine))


async def test_health_never_starts_one(place: Place) -> None:
    """A question about the engine is not a reason to have one."""
    async with holding(place) as engine:
        assert await engine.health() is None
        assert not (place.folder / "started").exists()
        await engine.backend()
        async with holding(place) as other:
            assert await other.health() == await engine.health()


async def test_over_loopback_with_a_token(tmp_path: Path, place: Place) -> None:
    """The way of systems without Unix sockets."""
    place = process.place(tcp=True)
    async with holding(place) as engine, holding(place) as other:
        assert await pid(engine) == await pid(other)
        place.token.write_text("wrong")
        async with holding(place) as stranger:
            assert await stranger.health() is None


async def test_an_engine_that_ends_as_we_find_it(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody had held it for a while; that is no failure, and there is another at once."""
    monkeypatch.setenv("HEARTH_FAKE", "fade")
    fading = process.Child(place, EngineOptions(linger_s=LONG))
    await until(place.socket.exists)
    monkeypatch.delenv("HEARTH_FAKE")
    async with holding(place) as engine:
        assert await pid(engine) != fading.pid
        assert engine._failures == ()
        os.kill(await pid(engine), signal.SIGKILL)
        await until(lambda: engine._failures)


async def test_every_change_is_told(place: Place) -> None:
    """The status line of an editor lives from it; a listener that fails does no harm."""
    told: list[Health] = []

    def listen(health: Health) -> None:
        told.append(health)
        raise ValueError("a bug of the listener")

    engine = Engine(OPTIONS, listen, place=place)
    await engine.backend()
    assert [it.state for it in told] == ["idle"]
    os.kill(told[0].pid, signal.SIGKILL)
    await until(lambda: told[-1].state == "failed")
    assert "killed" in told[-1].problem
    await engine.close()


@pytest.mark.parametrize("tcp", [False, True])
async def test_a_killed_engine_is_noticed_and_the_next_call_works(place: Place, tcp: bool) -> None:
    """`kill -9` in the middle of a request: one error, then a new engine."""
    async with holding(process.place(tcp=tcp)) as engine:
        backend = await engine.backend()
        first = (await backend.health()).pid
        stream = backend.complete(REQUEST)
        assert (await anext(stream)).text == "one"
        os.kill(first, signal.SIGKILL)
        with pytest.raises(Unreachable):
            await anext(stream)
        backend = await engine.backend()
        assert [it.text async for it in backend.complete(REQUEST)] == ["one", ""]
        assert (await backend.health()).pid != first


async def test_everyone_moves_to_the_same_new_engine(place: Place) -> None:
    """After a death, too, there is exactly one."""
    engines = [Engine(OPTIONS, place=place) for _ in range(5)]
    (first,) = set(await asyncio.gather(*map(pid, engines)))
    os.kill(first, signal.SIGKILL)
    await until(lambda: all(it._running is None for it in engines))
    (second,) = set(await asyncio.gather(*map(pid, engines)))
    assert second != first
    assert started(place) == 2
    for it in engines:
        await it.close()


async def test_a_stale_socket_and_stale_locks_are_no_obstacle(place: Place) -> None:
    """They are what a crash or a power cut leaves behind."""
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(place.socket))
    place.lock.write_text("4711")
    place.start_lock.write_text("4711")
    async with holding(place) as engine:
        assert await pid(engine)


@pytest.mark.parametrize("left", ["", "no port", "99999999", "1"])
async def test_a_stale_port_file_is_no_obstacle(place: Place, left: str) -> None:
    """Whatever stands in it."""
    place = process.place(tcp=True)
    place.port.write_text(left)
    async with holding(place) as engine:
        assert await pid(engine)


async def test_a_starter_that_dies_frees_the_way(place: Place) -> None:
    """The lock goes with the process, however it ends."""
    code = (
        "import filelock, sys; lock = filelock.FileLock(sys.argv[1]); lock.acquire(); "
        "print(flush=True); sys.stdin.read()"
    )
    other = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, str(place.start_lock), stdin=-1, stdout=-1
    )
    assert other.stdout
    await other.stdout.readline()
    async with holding(place) as engine:
        waiting = asyncio.create_task(pid(engine))
        await asyncio.sleep(3 * supervise.LOCK_SECONDS)
        assert not waiting.done()
        other.kill()
        await other.wait()
        assert await waiting


async def test_an_older_engine_is_replaced(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """After an upgrade the first new window starts the new engine, and the old windows move over to it."""
    monkeypatch.setenv("HEARTH_FAKE", "version=0.0.1")
    async with holding(place) as old:
        await old.backend()
        monkeypatch.delenv("HEARTH_FAKE")
        async with holding(place) as new:
            assert (await (await new.backend()).health()).version == VERSION
            assert await pid(old) == await pid(new)
            assert len(supervise.engines(place)) == 1


async def test_an_older_engine_that_will_not_end_is_made_to(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is asked, then told, then killed; only after that its successor starts."""
    monkeypatch.setattr(supervise, "END_SECONDS", 0.1)
    monkeypatch.setenv("HEARTH_FAKE", "version=0.0.1;deaf")
    async with holding(place) as old:
        deaf = await pid(old)
        monkeypatch.delenv("HEARTH_FAKE")
        async with holding(place) as new:
            assert await pid(new) != deaf
            assert len(supervise.engines(place)) == 1


async def test_being_replaced_is_no_failure(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """The old window's status goes back to idle; there is nothing to be alarmed about."""
    told: list[Health] = []
    monkeypatch.setenv("HEARTH_FAKE", "version=0.0.1")
    old = Engine(OPTIONS, told.append, place=place)
    await old.backend()
    monkeypatch.delenv("HEARTH_FAKE")
    async with holding(place) as new:
        await new.backend()
        await until(lambda: old._running is None)
        assert await pid(new) == await pid(old)
    assert {it.state for it in told} == {"idle"}
    assert old._failures == ()
    await old.close()


async def test_a_newer_engine_is_left_alone(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """An old window serves itself from it."""
    monkeypatch.setenv("HEARTH_FAKE", "version=99.0")
    async with holding(place) as new:
        await new.backend()
        monkeypatch.delenv("HEARTH_FAKE")
        async with holding(place) as old:
            assert await pid(old) == await pid(new)


async def test_a_hanging_engine_is_replaced(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """It holds the lock and answers nobody."""
    monkeypatch.setattr(supervise, "PATIENCE_SECONDS", 0.3)
    monkeypatch.setattr(supervise, "END_SECONDS", 0.5)
    monkeypatch.setenv("HEARTH_FAKE", "hang")
    hanging = process.Child(place, OPTIONS)
    await until(lambda: (place.folder / "started").exists() and is_held(place.lock))
    monkeypatch.delenv("HEARTH_FAKE")
    async with holding(place) as engine:
        assert await pid(engine) != hanging.pid
    await until(lambda: hanging.code is not None)


async def test_an_engine_that_is_just_starting_is_waited_for(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody ran `hearth engine` by hand a moment ago."""
    monkeypatch.setenv("HEARTH_FAKE", "slow")
    slow = process.Child(place, OPTIONS)
    await until(lambda: is_held(place.lock))
    async with holding(place) as engine:
        waiting = asyncio.create_task(pid(engine))
        await until(lambda: started(place) == 2)
        (place.folder / "go").touch()
        assert await waiting == slow.pid
