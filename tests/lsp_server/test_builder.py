"""A folder's builder: one at a time, again after a crash, and gone when we are."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from lsp_server import builder
from lsp_server.builder import Builder, Limits

DONE = 'print(\'{"step": "project", "generation": 1}\'); print(\'{"outcome": "done"}\')'
BUSY = 'print(\'{"outcome": "busy"}\')'
CRASH = "import os; os.kill(os.getpid(), 9)"
NONSENSE = "print('no json'); print('[]'); print('{}')"
HANGS = "import time; time.sleep(600)"


class Folder:
    """A folder whose builds are scripts: the first one's turn, then the next one's."""

    def __init__(self, path: Path, monkeypatch: pytest.MonkeyPatch, *scripts: str) -> None:
        (path / "scripts").write_text(json.dumps(scripts))
        runs = (
            "import json, pathlib; path = pathlib.Path('scripts'); scripts = json.loads(path.read_text());"
            "path.write_text(json.dumps(scripts[1:])); exec(scripts[0])"
        )
        monkeypatch.setattr(builder, "command", lambda *given: [sys.executable, "-c", runs])
        self.path = path
        self.news = asyncio.Event()
        self.builder = Builder(path.as_posix(), path, Limits(), self.news.set)

    @property
    def left(self) -> int:
        """How many scripts have not been run."""
        return len(json.loads((self.path / "scripts").read_text()))

    async def until_done(self) -> None:
        """Wait for the end of a build that was no other's."""
        while not self.builder.has_run:
            self.news.clear()
            await self.news.wait()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing rests."""
    for name in ("SETTLE_SECONDS", "REST", "BUSY_SECONDS"):
        monkeypatch.setattr(builder, name, 0.0)
    monkeypatch.setattr(builder, "FAILURE_SECONDS", (0.0,))


async def test_what_is_asked_while_it_runs_is_one_more_build(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A checkout of a thousand files is one build."""
    it = Folder(tmp_path, monkeypatch, DONE, DONE)
    for _ in range(1000):
        it.builder.ask(0.0)
    await it.until_done()
    assert it.left == 1
    await it.builder.close()


async def test_crashes_and_nonsense_are_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A crash is one line in the log; what makes no sense is no reason to fall over."""
    it = Folder(tmp_path, monkeypatch, NONSENSE, CRASH, CRASH, HANGS)
    it.builder.ask(0.0)
    await it.until_done()
    it.builder.ask(0.0)
    while len(caplog.records) < 2 or it.builder.pid is None:  # noqa: ASYNC110  # other processes
        await asyncio.sleep(0.01)
    assert [line.getMessage() for line in caplog.records] == ["memory not built code=-9"] * 2
    await it.builder.close()


async def test_another_windows_builder_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever finds the lock taken has built nothing, and looks again later."""
    it = Folder(tmp_path, monkeypatch, BUSY, BUSY, DONE)
    it.builder.ask(0.0)
    await it.until_done()
    assert it.left == 0
    await it.builder.close()


async def test_closing_ends_a_build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Switched off or at the end: nothing goes on reading."""
    it = Folder(tmp_path, monkeypatch, HANGS)
    it.builder.ask(0.0)
    while it.builder.pid is None:  # noqa: ASYNC110  # it is being started
        await asyncio.sleep(0.01)
    running = psutil.Process(it.builder.pid)
    await it.builder.close()
    psutil.wait_procs([running])
    assert not running.is_running()


def test_the_limits_are_those_of_the_settings() -> None:
    """In bytes, as the builder takes them; without dependencies it takes none."""
    given = builder.command("/project", Path("/cache"), Limits(project=2, dependencies=0))
    assert given[given.index("--project-bytes") + 1] == "2000000"
    assert given[given.index("--dependency-bytes") + 1] == "0"


def test_a_leash_ends_when_it_is_let_go() -> None:
    """However the server ends, even killed: the pipe closes, and the process with it."""
    command = [sys.executable, "-P", "-m", "lsp_server.leash", "timeit", "-n", "1", HANGS]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait() == 1


def test_a_leash_is_no_hindrance() -> None:
    """The module runs with its arguments, and its exit code is the process's."""
    command = [sys.executable, "-P", "-m", "lsp_server.leash", "json.tool", "--no-such-option"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.wait() == 2
        assert process.stderr is not None
        assert b"no-such-option" in process.stderr.read()
