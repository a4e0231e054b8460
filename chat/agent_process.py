"""A process of the user's that speaks in lines: started with little, bounded in what it says, and killed."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

logger = logging.getLogger(__name__)

LONGEST_LINE = 4_000_000  # Bytes: more than any answer that a model could read.
MOST_BYTES = 64_000_000
"""That one process may say in all: one that floods is ended."""
MOST_LINES = 20_000
WRITE_SECONDS = 10.0
END_SECONDS = 1.0
"""How long it may take to end by itself when its input has closed, and again when it is asked to."""
# What a program needs to find its files and to speak; nothing that could be a key.
KEPT = ("HOME", "LANG", "LC_ALL", "LC_CTYPE", "LOGNAME", "TMPDIR", "TZ", "USER", "SYSTEMROOT")


def environment(own: Mapping[str, str]) -> dict[str, str]:
    """What it is started with: little of ours, and what the user's settings add.

    A path that depends on the folder it is started in could lead into a repository, so it is left out.
    """
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    folders = os.environ.get("PATH", os.defpath).split(os.pathsep)
    kept["PATH"] = os.pathsep.join(it for it in folders if os.path.isabs(it))
    return kept | dict(own)


class Spoken:
    """One running process. Everything of it is on one event loop."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._heard = 0
        self._lines = 0

    @classmethod
    async def start(cls, command: Sequence[str], own: Mapping[str, str], folder: Path) -> Spoken:
        """Start it in a group of its own. Raises ``OSError`` or ``ValueError`` where that cannot be."""
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=folder,
            env=environment(own),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,  # It may show what it was given.
            limit=LONGEST_LINE,
            start_new_session=True,
        )
        return cls(process)

    async def line(self) -> bytes | None:
        """The next line; ``None`` when it has ended, or has said more than anybody wants to hear."""
        assert self._process.stdout
        try:
            line = await self._process.stdout.readline()
        except (ValueError, ConnectionError):  # A line without an end.
            logger.warning("agent process floods")
            return None
        self._heard += len(line)
        self._lines += 1
        if MOST_BYTES < self._heard or MOST_LINES < self._lines:
            logger.warning("agent process floods bytes=%d lines=%d", self._heard, self._lines)
            return None
        return line or None

    async def say(self, line: bytes) -> None:
        """Write a line. Raises ``OSError`` or ``TimeoutError`` where nobody reads it."""
        assert self._process.stdin
        self._process.stdin.write(line + b"\n")
        async with asyncio.timeout(WRITE_SECONDS):
            await self._process.stdin.drain()

    async def close(self) -> None:
        """End it and all that it has started: it is asked first, and then nobody asks."""
        assert self._process.stdin
        self._process.stdin.close()
        if not await self._has_ended():
            self._signal(signal.SIGTERM)
            await self._has_ended()
        self._signal(signal.SIGKILL)  # Also what it has left behind in its group.
        await self._process.wait()
        transport = getattr(self._process, "_transport", None)
        if transport is not None:  # Whoever has inherited its pipes would keep them open for us.
            transport.close()

    async def _has_ended(self) -> bool:
        """Whether it ends in a while. Not its ``wait``: that waits for its pipes, too."""
        for _ in range(int(END_SECONDS / 0.02)):
            if self._process.returncode is not None:
                return True
            await asyncio.sleep(0.02)
        return False

    def _signal(self, number: int) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)
