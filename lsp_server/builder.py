"""Have one folder's memory built by a process of its own, after changes, one at a time, while we live.

The process reads the folder, and writes what it has read where all windows find it. Which of several windows'
builders does the work is decided by a lock: the others leave, and try again later.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from lsp_server.settings import Settings
from models import process

logger = logging.getLogger(__name__)

SETTLE_SECONDS = 2.0
"""Changes of this long are read at once: a save often comes with others, a checkout with thousands."""
REST = 5.0
LONGEST_REST_SECONDS = 10.0
"""After a build nothing is built for so many times as long, up to a limit: some folders never rest."""
BUSY_SECONDS = 5.0
"""When to try again while another window's builder is at work."""
FAILURE_SECONDS = (5.0, 30.0, 120.0, 600.0)
"""When to try again after a builder died: once, twice, three times in a row, more often."""
STEPS = {"project": 0.3, "compact": 0.4, "standard": 0.6, "dependencies": 0.8}
"""About how much is done after a step. How much there is to do is known when it is done."""
MEGABYTE = 1_000_000
DEFAULTS = Settings()


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much to remember, in megabytes of text."""

    project: int = DEFAULTS.memory_project_megabytes
    dependencies: int = DEFAULTS.memory_dependency_megabytes
    """0: nothing of them."""

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The user's choice."""
        wanted = settings.memory_dependency_megabytes if settings.memory_dependencies else 0
        return cls(project=settings.memory_project_megabytes, dependencies=wanted)

    @property
    def project_bytes(self) -> int:
        """The same in bytes."""
        return self.project * MEGABYTE

    @property
    def dependency_bytes(self) -> int:
        """The same in bytes."""
        return self.dependencies * MEGABYTE


class Builder:
    """The builds of one folder. Lives on the event loop."""

    def __init__(self, folder: str, cache: Path, limits: Limits, on_news: Callable[[], None]) -> None:
        self.has_run = False
        """Whether a build has ended, well or not."""
        self.progress = 0.0
        """About how much of the build that runs is done, 0 to 1; 0 if none runs."""
        self._command = command(folder, cache, limits)
        self._cache = cache
        self._on_news = on_news
        self._process: asyncio.subprocess.Process | None = None
        self._wanted = asyncio.Event()
        self._delay = SETTLE_SECONDS
        self._failures = 0
        self._task = asyncio.create_task(self._run())

    @property
    def pid(self) -> int | None:
        """The process that builds now."""
        return self._process.pid if self._process else None

    def ask(self, delay: float = SETTLE_SECONDS) -> None:
        """Build soon; what is asked until then, or while a build runs, is one more build."""
        if not self._wanted.is_set():
            self._delay = delay
            self._wanted.set()

    def cancel(self) -> None:
        """End at once; nothing is left half done."""
        self._task.cancel()
        self._kill()

    async def close(self) -> None:
        """Stop, and wait for the process to be gone."""
        self.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            await self._wanted.wait()
            await asyncio.sleep(self._delay)
            self._wanted.clear()
            began = time.monotonic()
            outcome = await self._build()
            await asyncio.sleep(self._pause(outcome, time.monotonic() - began))

    def _pause(self, outcome: str, took: float) -> float:
        """How long to rest after a build."""
        if outcome == "busy":
            self.ask(0.0)
            return BUSY_SECONDS
        self.has_run = True
        self._on_news()
        if outcome == "done":
            self._failures = 0
            return min(REST * took, LONGEST_REST_SECONDS)
        pause = FAILURE_SECONDS[min(self._failures, len(FAILURE_SECONDS) - 1)]
        self._failures += 1
        self.ask(0.0)
        return pause

    async def _build(self) -> str:
        """Run the process: ``done``, ``busy`` (another one has the lock) or ``failed``."""
        self.progress = 0.0
        busy = False
        try:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                cwd=self._cache,
                env=process.environment(),
                stdin=asyncio.subprocess.PIPE,  # It ends when this closes, however we end.
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
            )
            assert self._process.stdout is not None
            async for said in self._process.stdout:
                busy = self._hear(said) or busy
            code = await self._process.wait()
        except (OSError, ValueError) as exc:
            logger.warning("memory not built cause=%s", type(exc).__name__)
            return "failed"
        finally:
            await self._end()
        if code != 0:
            logger.warning("memory not built code=%d", code)
            return "failed"
        return "busy" if busy else "done"

    def _hear(self, said: bytes) -> bool:
        """Take in a line of progress; whether it says that another process does the work."""
        try:
            news = json.loads(said)
        except ValueError:
            return False
        if not isinstance(news, dict):
            return False
        self.progress = STEPS.get(str(news.get("step")), self.progress)
        self._on_news()
        return news.get("outcome") == "busy"

    async def _end(self) -> None:
        """Whatever has happened, the process is gone after this, and its pipes are closed."""
        self._kill()
        running, self._process, self.progress = self._process, None, 0.0
        if running is not None:
            assert running.stdin is not None
            running.stdin.close()
            await running.wait()

    def _kill(self) -> None:
        if self._process is not None and self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.kill()


def command(folder: str, cache: Path, limits: Limits) -> list[str]:
    """The command line of a build, on a leash: it ends when we do, however that happens."""
    return [
        *(sys.executable, "-P", "-m", "lsp_server.leash", "codeindex.memory", "sync"),
        *("--root", folder, "--cache", str(cache)),
        *("--project-bytes", str(limits.project_bytes)),
        *("--dependency-bytes", str(limits.dependency_bytes)),
    ]
