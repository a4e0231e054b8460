"""A client of the index's service, for benchmarks and tests: the real process, asked over its pipes."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import psutil

from codeindex.lease import holder
from codeindex.store import store_folder

ROOT = Path(__file__).resolve().parent.parent
PATIENCE_S = 60.0
Json = Mapping[str, Any]


class NoAnswer(Exception):
    """The sentence that came instead."""


class Client:
    """A service that we started."""

    def __init__(self, root: Path, cache: Path, options: Json | None = None) -> None:
        self.root = root
        self.cache = cache
        self.events: list[Json] = []
        self._answers: dict[Any, Json] = {}
        self.counts: dict[Any, int] = {}
        """How many answers each id got."""
        self._numbers = itertools.count(1)
        self._changed = threading.Condition()
        self.is_over = False
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-P", "-m", "codeindex", "serve", "--root", str(root)),
                *("--cache", str(cache), "--options", json.dumps(options or {})),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=root.parent,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def __enter__(self) -> Client:
        """End it in the end."""
        return self

    def __exit__(self, *_: object) -> None:
        """End it."""
        self.close()

    def close(self) -> None:
        """Close its standard input, and see it end."""
        if self.process.stdin is not None and not self.process.stdin.closed:
            try:
                self.process.stdin.close()
            except OSError:
                self.process.kill()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._thread.join(5)
        if self.process.stdout is not None:
            self.process.stdout.close()

    def write(self, line: bytes) -> None:
        """Write bytes as they are."""
        assert self.process.stdin is not None
        self.process.stdin.write(line)
        self.process.stdin.flush()

    def tell(self, method: str, **params: Any) -> None:
        """Send a notification."""
        self.write(json.dumps({"method": method, "params": params}).encode() + b"\n")

    def send(self, method: str, **params: Any) -> int:
        """Send a request; its id."""
        number = next(self._numbers)
        self.write(json.dumps({"id": number, "method": method, "params": params}).encode() + b"\n")
        return number

    def wait_for(self, number: Any, seconds: float = PATIENCE_S) -> Any:
        """The result that comes for an id. Raises NoAnswer with the error, TimeoutError."""
        with self._changed:
            if not self._changed.wait_for(lambda: number in self._answers or self.is_over, seconds):
                raise TimeoutError
            said = self._answers.get(number)
        if said is None or "error" in said:
            raise NoAnswer(said["error"] if said else "The service has ended.")
        return said["result"]

    def ask(self, method: str, **params: Any) -> Any:
        """Ask, and wait for the result."""
        return self.wait_for(self.send(method, **params))

    def hits(self, query: str, **params: Any) -> list[Json]:
        """The hits of a search."""
        found: list[Json] = self.ask("search", query=query, **params)["hits"]
        return found

    def event(self, fits: Callable[[Json], bool], seconds: float = PATIENCE_S) -> Json:
        """The first event, since the start, that fits. Raises TimeoutError."""
        with self._changed:
            if not self._changed.wait_for(lambda: any(map(fits, self.events)), seconds):
                raise TimeoutError
            return next(filter(fits, self.events))

    def until(self, fits: Callable[[], bool], seconds: float = PATIENCE_S, every: float = 0.02) -> float:
        """Ask again and again; after how many seconds it was so. Raises TimeoutError."""
        began = time.monotonic()
        while not fits():
            if began + seconds < time.monotonic():
                raise TimeoutError
            time.sleep(every)
        return time.monotonic() - began

    def until_ready(self, seconds: float = PATIENCE_S) -> Json:
        """Wait until everything is indexed; the status."""
        self.until(lambda: self.ask("status")["state"] == "ready", seconds)
        found: Json = self.ask("status")
        return found

    def writer(self) -> int | None:
        """The process that holds the lease of the workspace, whosever it is."""
        found = holder(store_folder(self.root, self.cache))
        return found.pid if found and found.pid else None

    def kill(self) -> None:
        """End the service at once, as a crash would."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            said = json.loads(line)
            with self._changed:
                if "event" in said:
                    self.events.append(said)
                else:
                    self._answers[said["id"]] = said
                    self.counts[said["id"]] = self.counts.get(said["id"], 0) + 1
                self._changed.notify_all()
        with self._changed:
            self.is_over = True
            self._changed.notify_all()


def megabytes(pid: int, *, private: bool = False) -> float:
    """What a process holds in memory now; ``private``: without what it has mapped from files."""
    found = psutil.Process(pid).memory_full_info() if private else psutil.Process(pid).memory_info()
    return float(found.uss if private else found.rss) / 1e6
