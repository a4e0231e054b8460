"""A real engine process, and a plain HTTP client for it."""

from __future__ import annotations

import json
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import httpx

from models.backend import Backend
from models.spec import BackendSpec
from tests.conftest import HOME

ROOT = Path(__file__).parents[3]
PATIENCE_S = 60.0


@dataclass(slots=True)
class Process:
    """A running engine on a Unix socket."""

    folder: Path
    process: subprocess.Popen[str]

    @property
    def socket(self) -> Path:
        return self.folder / "engine.sock"

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()

    def client(self) -> httpx.Client:
        transport = httpx.HTTPTransport(uds=str(self.socket))
        return httpx.Client(base_url="http://engine", transport=transport, timeout=PATIENCE_S)

    @contextmanager
    def connected(self) -> Iterator[HTTPConnection]:
        """A connection that is made already: whatever ends the engine, who opened this end closes it."""
        connection = HTTPConnection("engine", timeout=PATIENCE_S)
        with socket.socket(socket.AF_UNIX) as channel, closing(connection):
            channel.settimeout(PATIENCE_S)
            channel.connect(str(self.socket))
            connection.sock, connection.auto_open = channel, 0
            yield connection

    def backend(self, model: str = "tiny") -> Backend:
        return Backend(BackendSpec(model=model, socket=self.socket))

    def metric(self, name: str) -> float:
        with self.client() as client:
            found = re.search(rf"^hearth_{name} (\S+)$", client.get("/metrics").text, re.MULTILINE)
        assert found, f"no metric hearth_{name}"
        return float(found[1])

    def finished(self) -> float:
        """How many requests are done with, answered or not."""
        return self.metric("requests_total") + self.metric("cancelled_total")

    def wait_for(self, number: Callable[[], float], value: float) -> None:
        """Wait until a number has grown to ``value``."""
        end = time.monotonic() + PATIENCE_S
        while number() < value:
            assert time.monotonic() < end, f"it stays at {number()}"
            time.sleep(0.01)

    def end(self) -> int:
        """Ask it to end as a system does, and give its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE_S)


def command(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-P", "-E", "-m", "models.engine", *map(str, arguments)]


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the engine to its end."""
    return subprocess.run(
        command(*arguments), cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )


@contextmanager
def engine(model: Path | str, *arguments: str, folder: Path | None = None) -> Iterator[Process]:
    """An engine that serves, in a folder of its own or a given one; ended at the end, whatever it does."""
    home = folder or Path(tempfile.mkdtemp(prefix="e-", dir=HOME))
    wanted = ("--model", model, "--socket", home / "engine.sock", "--lock", home / "lock", *arguments)
    with (home / "log").open("w") as log:
        process = subprocess.Popen(command(*wanted), cwd=ROOT, stdout=log, stderr=log, text=True)
    it = Process(home, process)
    try:
        wait_until_it_serves(it)
        yield it
    finally:
        process.kill()
        process.wait()
        if folder is None:
            shutil.rmtree(home)


def wait_until_it_serves(it: Process) -> None:
    end = time.monotonic() + PATIENCE_S
    while not answers(it.socket):
        assert it.process.poll() is None, it.log
        assert time.monotonic() < end, it.log
        time.sleep(0.02)


def answers(path: Path) -> bool:
    """Whether somebody listens at a Unix socket."""
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(path)) == 0


def events(response: httpx.Response) -> list[Any]:
    """The events of a finished stream; its shape is checked."""
    assert response.headers["content-type"].startswith("text/event-stream")
    lines = response.text.split("\n\n")
    assert lines[-1] == ""
    assert all(it.startswith("data: ") and "\n" not in it for it in lines[:-1])
    return [it if it == "[DONE]" else json.loads(it) for it in (line[6:] for line in lines[:-1])]
