"""The real engine, shared by real processes: found, started, held, killed, repaired, let go."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest

from models import process, supervise
from models.errors import BackendError, Refused, Unreachable
from models.launch import Engine, EngineOptions
from models.process import Place
from models.version import VERSION
from models.wire import CompletionRequest, Piece, Sampling

pytestmark = pytest.mark.e2e

LONG = 120.0  # Seconds; only a test that is going to fail waits for so long.
LONG_ANSWER = 1500  # Tokens; takes long enough to be interrupted.
PROMPT = "def fibonacci(n):\n    if n < 2:\n        return "
SUFFIX = "\n\nprint(fibonacci(10))\n"

WINDOW = """
import asyncio, sys
from models.launch import Engine, EngineOptions

async def main():
    engine = Engine(EngineOptions(model=sys.argv[1], linger_s=5.0))
    print((await (await engine.backend()).health()).pid, flush=True)
    await asyncio.to_thread(sys.stdin.read)  # Until the editor goes away.
    await engine.close()

asyncio.run(main())
"""
FOREGROUND = """
import sys
from models.launch import EngineOptions, start_engine_foreground
start_engine_foreground(EngineOptions(model=sys.argv[1], linger_s=0))
"""


@pytest.fixture
async def place(hearth_home: Path) -> AsyncIterator[Place]:
    """A home of our own, which no engine outlives."""
    place = process.place()
    yield place
    for it in supervise.engines(place):
        it.kill()


@pytest.fixture
def model(tiny_model: Path) -> str:
    """A real GGUF, small enough to be loaded in no time."""
    return str(tiny_model)


@asynccontextmanager
async def holding(place: Place, model: str) -> AsyncIterator[Engine]:
    engine = Engine(EngineOptions(model=model, linger_s=3.0), place=place)
    try:
        yield engine
    finally:
        await engine.close()


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(LONG):
        while not condition():  # noqa: ASYNC110 - what is waited for happens in another process
            await asyncio.sleep(0.05)


async def pid(engine: Engine) -> int:
    return (await (await engine.backend()).health()).pid


def request(model: str, tokens: int = 8) -> CompletionRequest:
    sampling = Sampling(max_tokens=tokens, logprobs=True)
    return CompletionRequest(model=model, prompt=PROMPT, suffix=SUFFIX, sampling=sampling)


async def ask(engine: Engine, model: str) -> list[Piece]:
    return [it async for it in (await engine.backend()).complete(request(model))]


async def window(model: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(sys.executable, "-c", WINDOW, model, stdin=-1, stdout=-1)


async def pid_seen_by(it: asyncio.subprocess.Process) -> int:
    assert it.stdout
    return int(await it.stdout.readline())


@pytest.mark.parametrize("loads", [True, False])
async def test_a_model_is_loaded_before_anybody_asks(place: Place, model: str, loads: bool) -> None:
    """If whoever starts the engine says so; else it waits for a question."""
    async with holding(place, model) as engine:
        engine.loads = loads
        backend = await engine.backend()
        if loads:
            async with asyncio.timeout(LONG):
                while (await backend.health()).state != "ready":  # noqa: ASYNC110 - in another process
                    await asyncio.sleep(0.05)
            assert "".join(it.text for it in await ask(engine, model))
        else:
            await asyncio.sleep(0.3)
            assert (await backend.health()).state == "idle"
        assert (await backend.health()).loads == int(loads)


async def test_a_damaged_model_loaded_at_once_harms_nothing(place: Place, tmp_path: Path) -> None:
    """It is said where it is always said: when somebody asks."""
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"GGUF" + bytes(200))
    async with holding(place, str(broken)) as engine:
        engine.loads = True
        with pytest.raises(BackendError, match="broken"):
            await engine.backend()


async def test_ten_processes_share_one_engine_and_leave_none(place: Place, model: str) -> None:
    """Ten windows opened at once; half are closed, half crash, and the engine goes after the last."""
    windows = await asyncio.gather(*(window(model) for _ in range(10)))
    (engine,) = set(await asyncio.gather(*map(pid_seen_by, windows)))
    assert [it.pid for it in supervise.engines(place)] == [engine]
    for it in windows[:5]:
        assert it.stdin
        it.stdin.close()
    for it in windows[5:]:
        it.kill()
    assert [await it.wait() for it in windows[:5]] == [0] * 5
    await asyncio.gather(*(it.wait() for it in windows[5:]))
    await until(lambda: not psutil.pid_exists(engine) or not supervise.engines(place))
    assert not place.socket.exists()


async def test_a_completion_comes_back(place: Place, model: str) -> None:
    """Request and answer, end to end; the engine says that the model is loaded."""
    async with holding(place, model) as engine:
        pieces = await ask(engine, model)
        health = await engine.health()
    assert pieces[-1].finish
    assert pieces[-1].usage
    assert 0 < pieces[-1].usage.completion_tokens
    assert all(it <= 0 for piece in pieces for it in piece.logprobs)
    assert health
    assert (health.state, health.version) == ("ready", VERSION)


async def test_over_loopback_with_a_token(place: Place, model: str) -> None:
    """The way of systems without Unix sockets; the files are the user's alone."""
    place = process.place(tcp=True)
    async with holding(place, model) as engine:
        assert (await ask(engine, model))[-1].finish
        assert (place.token.stat().st_mode & 0o777, place.port.stat().st_mode & 0o777) == (0o600, 0o600)
        async with holding(place, model) as other:
            assert await pid(other) == await pid(engine)
    await until(lambda: not supervise.engines(place))
    assert not place.port.exists()


async def test_the_socket_is_the_users_alone(place: Place, model: str) -> None:
    """Other users of the machine can neither see nor reach it."""
    async with holding(place, model) as engine:
        await engine.backend()
        assert place.socket.stat().st_mode & 0o777 == 0o600
        assert place.folder.stat().st_mode & 0o777 == 0o700


async def test_killed_in_the_middle_of_requests(place: Place, model: str) -> None:
    """One error each; the next call starts another engine, and the same question gets its answer."""
    async with holding(place, model) as engine:
        before = await ask(engine, model)
        first = await pid(engine)
        backend = await engine.backend()
        streams = [backend.complete(request(model, LONG_ANSWER)) for _ in range(4)]
        await anext(streams[0])
        reading = [asyncio.create_task(_read(it)) for it in streams]  # One after the other.
        await asyncio.sleep(0)
        os.kill(first, signal.SIGSTOP)  # It can no longer finish by itself, but the first ones may have.
        waiting = asyncio.create_task(ask(engine, model))
        await asyncio.sleep(0.1)
        os.kill(first, signal.SIGKILL)
        with pytest.raises(Unreachable):
            await waiting
        ended = await asyncio.gather(*reading, return_exceptions=True)
        assert isinstance(ended[-1], Unreachable)
        assert all(it is None or isinstance(it, Unreachable) for it in ended)
        assert _said(await ask(engine, model)) == _said(before)
        assert await pid(engine) != first


def _said(pieces: Sequence[Piece]) -> str:
    """However it was cut into pieces: that depends on when they came."""
    return "".join(it.text for it in pieces)


async def _read(stream: AsyncIterator[Piece]) -> None:
    async for _ in stream:
        pass


async def test_a_closed_stream_frees_the_engine(place: Place, model: str) -> None:
    """The one model is there for the next question at once, not after a thousand tokens."""
    async with holding(place, model) as engine:
        stream = (await engine.backend()).complete(request(model, LONG_ANSWER))
        await anext(stream)
        await stream.aclose()
        pieces = await ask(engine, model)
        assert pieces[-1].finish


async def test_a_stale_socket_and_stale_locks_are_no_obstacle(place: Place, model: str) -> None:
    """They are what a crash or a power cut leaves behind."""
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(place.socket))
    place.lock.write_text("4711")
    place.start_lock.write_text("4711")
    async with holding(place, model) as engine:
        assert await pid(engine)


async def test_an_older_version_is_replaced(
    place: Place, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stand-in of an older version runs; the real one takes its place, and its window moves over."""
    monkeypatch.setenv("HEARTH_FAKE", "version=0.0.1")
    monkeypatch.setattr(process, "MODULE", "tests.models.launch.fake_engine")
    async with holding(place, model) as old:
        before = await pid(old)
        monkeypatch.undo()
        monkeypatch.setenv("HEARTH_HOME", str(place.folder.parent))
        async with holding(place, model) as new:
            assert (await ask(new, model))[-1].finish
            assert await pid(old) == await pid(new) != before


async def test_an_engine_by_hand_is_found(place: Place, model: str) -> None:
    """`hearth engine` in a terminal serves everybody, and goes when told."""
    by_hand = await asyncio.create_subprocess_exec(sys.executable, "-c", FOREGROUND, model, stderr=-3)
    await until(place.socket.exists)
    async with holding(place, model) as engine:
        assert await pid(engine) == by_hand.pid
        by_hand.terminate()
        assert await by_hand.wait() == 0
        assert await pid(engine) != by_hand.pid


async def test_a_broken_model_is_one_sentence_five_times_then_rest(place: Place, hearth_home: Path) -> None:
    """A download that was cut short: no traceback, no endless starting."""
    short = hearth_home / "short.gguf"
    short.write_bytes(b"GGUF\x03")
    async with holding(place, str(short)) as engine:
        for n in range(6):
            with pytest.raises(BackendError, match=r"short\.gguf") as caught:
                await engine.backend()
            assert isinstance(caught.value, Refused) == (n < 5)
    assert "left alone for a minute" in str(caught.value)


async def test_a_project_cannot_shadow_the_engine(
    place: Place, model: str, hearth_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Editors run us in the user's project, which may well have a folder `models`."""
    for name in ("models", "starlette", "asyncio"):
        (hearth_home / "project" / name).mkdir(parents=True)
        (hearth_home / "project" / name / "__init__.py").write_text("raise SystemExit('shadowed')")
    monkeypatch.chdir(hearth_home / "project")
    monkeypatch.setenv("PYTHONPATH", str(hearth_home / "project"))
    async with holding(place, model) as engine:
        assert (await ask(engine, model))[-1].finish
