"""An engine that does not start, dies again and again, or is let go at a bad moment."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

import filelock
import pytest

from models import process, supervise
from models.errors import BackendError, Broken, Refused, Unreachable
from models.launch import Engine, EngineOptions
from models.process import Place
from tests.models.launch.windows import OPTIONS, REQUEST, holding, is_held, pid, started, until


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
    assert not is_held(place.start_lock)


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
        await until(lambda: is_held(place.start_lock))
        if moment == "starting":
            await until(lambda: supervise.engines(place))
    with pytest.raises(Unreachable, match="closing"):
        await asking
    lock.release()
    assert not is_held(place.start_lock)
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
