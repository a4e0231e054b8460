"""Find, start, share, lose and repair an engine; a small process stands in for the real one."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import filelock
import psutil
import pytest

from models import process, registry, supervise
from models.errors import BackendError, Broken, Refused, Unreachable
from models.launch import Engine, EngineOptions
from models.process import Place
from models.version import VERSION
from models.wire import CompletionRequest, Health

OPTIONS = EngineOptions(linger_s=0.2)
REQUEST = CompletionRequest(model="m", prompt="a")
LONG = 60.0  # Seconds; only a test that is going to fail waits for so long.


@pytest.fixture
def place(hearth_home: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """A home of our own, and the stand-in as the engine."""
    monkeypatch.setattr(process, "MODULE", "tests.models.fake_engine")
    monkeypatch.setattr(registry, "STARTER_FILE", Path(__file__))  # Any file: the stand-in does not read it.
    return process.place()


@pytest.fixture(autouse=True)
async def nothing_stays(place: Place) -> AsyncIterator[None]:
    """No engine outlives its test."""
    yield
    for it in supervise.engines(place):
        it.kill()


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


async def test_the_first_starts_it_and_the_others_share_it(place: Place) -> None:
    """Ten at the same moment, one process."""
    engines = [Engine(OPTIONS, place=place) for _ in range(10)]
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
        "import filelock, sys; filelock.FileLock(sys.argv[1]).acquire(); print(flush=True); sys.stdin.read()"
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
    await until(lambda: (place.folder / "started").exists() and _is_held(place.lock))
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
    await until(lambda: _is_held(place.lock))
    async with holding(place) as engine:
        waiting = asyncio.create_task(pid(engine))
        await until(lambda: started(place) == 2)
        (place.folder / "go").touch()
        assert await waiting == slow.pid


def _is_held(lock: Path) -> bool:
    return not supervise._is_free(lock)


@pytest.mark.parametrize(
    ("fake", "error", "sentence"),
    [
        ("exit=3;say=hearth engine: x.gguf is cut short.", Refused, "x.gguf is cut short."),
        ("exit=1;say=MemoryError", Broken, "ran out of memory"),
        ("exit=1;say=ZeroDivisionError: oh", Broken, "exit code 1: ZeroDivisionError: oh"),
        (f"signal={int(signal.SIGILL)}", Broken, "built for another processor"),
    ],
)
async def test_an_engine_that_does_not_start_says_why(
    place: Place, monkeypatch: pytest.MonkeyPatch, fake: str, error: type[BackendError], sentence: str
) -> None:
    """Its exit code and last lines become one sentence."""
    monkeypatch.setenv("HEARTH_FAKE", fake)
    async with holding(place) as engine:
        with pytest.raises(error, match=sentence):
            await engine.backend()
    assert not _is_held(place.start_lock)


async def test_five_failures_in_a_minute_stop_it(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """And a minute later it is tried again."""
    now = 0.0
    monkeypatch.setenv("HEARTH_FAKE", "exit=1;say=MemoryError")
    engine = Engine(OPTIONS, place=place, clock=lambda: now)
    for _ in range(5):
        with pytest.raises(Broken, match=r"^The engine ran out of memory"):
            await engine.backend()
    with pytest.raises(Broken, match=r"left alone for a minute\. The engine ran out of memory"):
        await engine.backend()
    assert started(place) == 5
    now = 60.0
    monkeypatch.delenv("HEARTH_FAKE")
    assert await pid(engine)
    await engine.close()


async def test_deaths_count_as_failures(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """A request that kills every engine must not keep the machine busy starting more."""
    monkeypatch.setenv("HEARTH_FAKE", "die")
    async with holding(place) as engine:
        for _ in range(5):
            backend = await engine.backend()
            stream = backend.complete(REQUEST)
            await anext(stream)
            with pytest.raises(Unreachable):
                await anext(stream)
            await until(lambda: engine._running is None)
        with pytest.raises(Broken, match="left alone for a minute"):
            await engine.backend()
        assert started(place) == 5


async def test_a_missing_model_is_said_before_anything_starts(place: Place) -> None:
    """The registry knows what there is."""
    async with holding(place, EngineOptions(model="nonesuch")) as engine:
        with pytest.raises(Refused, match="nonesuch"):
            await engine.backend()
    assert not (place.folder / "started").exists()


async def test_an_interpreter_that_is_gone(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment was removed or moved under a running editor."""
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    async with holding(place) as engine:
        with pytest.raises(Broken, match="moved or gone"):
            await engine.backend()


async def test_a_cancelled_caller_does_not_stop_the_start(place: Place) -> None:
    """Each keystroke cancels the one before; the engine has to come up all the same."""
    async with holding(place) as engine:
        for _ in range(5):
            asking = asyncio.create_task(engine.backend())
            await asyncio.sleep(0.01)
            asking.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asking
        assert await pid(engine)
        assert started(place) == 1


@pytest.mark.parametrize("moment", ["waiting for the lock", "starting"])
async def test_closing_in_the_middle_leaves_nothing_held(
    place: Place, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """The next one finds the way free, and no engine stays."""
    lock = filelock.FileLock(place.start_lock)
    monkeypatch.setenv("HEARTH_FAKE", "slow")
    async with holding(place) as engine:
        if moment == "waiting for the lock":
            lock.acquire()
        asking = asyncio.create_task(engine.backend())
        await until(lambda: _is_held(place.start_lock))
        if moment == "starting":
            await until(lambda: supervise.engines(place))
    with pytest.raises(Unreachable, match="closing"):
        await asking
    lock.release()
    assert not _is_held(place.start_lock)
    (place.folder / "go").touch()
    async with holding(place) as engine:
        assert await pid(engine)
    await until(lambda: not supervise.engines(place))


async def test_after_closing_nothing_is_started(place: Place) -> None:
    """A late request of a window that is going away."""
    async with holding(place) as engine:
        pass
    with pytest.raises(Unreachable, match="closing"):
        await engine.backend()


async def test_a_project_cannot_shadow_our_modules(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Editors run us in the user's project, which may well have a folder `models`."""
    project = tmp_path / "project"
    for name in ("models", "tests", "asyncio"):
        (project / name).mkdir(parents=True)
        (project / name / "__init__.py").write_text("raise SystemExit('shadowed')")
    monkeypatch.chdir(project)
    monkeypatch.setenv("PYTHONPATH", str(project))
    monkeypatch.setenv("PYTHONSTARTUP", "nonsense")
    async with holding(place) as engine:
        assert await pid(engine)


async def test_the_log_starts_anew_with_each_engine(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """It never grows for longer than one engine lives; the one before is kept for a look."""
    async with holding(place) as engine:
        for say in ("first", "second", "third"):
            monkeypatch.setenv("HEARTH_FAKE", f"exit=1;say={say}")
            with pytest.raises(Broken, match=say):
                await engine.backend()
    assert process.log_tail(place) == ["third"]
    assert place.log.with_suffix(".log.1").read_text().strip() == "second"


async def test_no_room_for_files_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: Place
) -> None:
    """A home that is a file, or is not ours."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("HEARTH_HOME", str(tmp_path / "file"))
    engine = Engine(OPTIONS)
    with pytest.raises(Unreachable, match="files have no place"):
        await engine.backend()
    assert await engine.health() is None
    await engine.close()
