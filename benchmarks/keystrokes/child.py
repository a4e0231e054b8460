"""A process of our own that answers lines of JSON with lines of JSON: peers run apart from what measures."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

import psutil

LONGEST_LINE = 2**24


class Child:
    """One such process, by the name of its module."""

    def __init__(self, module: str, *arguments: str) -> None:
        self._command = (sys.executable, "-P", "-m", module, *arguments)
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> psutil.Process:
        """Start it, and wait until it is ready."""
        self._process = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=LONGEST_LINE,
        )
        await self._line()
        return psutil.Process(self._process.pid)

    async def ask(self, question: Mapping[str, Any]) -> Any:
        """One question, one answer."""
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(question).encode() + b"\n")
        return await self._line()

    async def close(self) -> None:
        """End it by closing its input."""
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
            await self._process.wait()

    async def _line(self) -> Any:
        assert self._process is not None
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self._command[3]} has ended.")
        return json.loads(line)


class Answers(Protocol):
    """What a child does."""

    def answer(self, question: Mapping[str, Any]) -> Any: ...


def serve(kind: Callable[[Path, int, int], Answers], description: str | None) -> None:
    """In the child: load the model, say that it is ready, then answer until the input ends."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("model", type=Path)
    parser.add_argument("context", type=int)
    parser.add_argument("threads", type=int)
    arguments = parser.parse_args()
    answer = kind(arguments.model, arguments.context, arguments.threads).answer
    print(json.dumps("ready"), flush=True)
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))), flush=True)
