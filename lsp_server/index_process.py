"""One folder's index as a process of its own: asked and told in lines of JSON, started again when it dies.

It holds all that is heavy: grammars, vectors, the store. It ends when its standard input closes, which is
when we close it, and when we end, however that happens.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from models import process

logger = logging.getLogger(__name__)

START_SECONDS = 1.5
"""The editor, the engine and the first keys come first; a question does not wait for this."""
MOST_SECONDS = 6.0
"""The longest that it waits for an engine that is being started, or for the first suggestion."""
POLL_SECONDS = 0.1
FAILURES = 5
FAILURES_SECONDS = 60.0
"""After so many deaths in so long it is not started again, and why is said."""
PAUSES_SECONDS = (0.0, 0.5, 1.0, 2.0)
"""When to start again after the first, second… of them."""
END_SECONDS = 1.0
"""How long it may take to end by itself when its input has closed."""
DRAIN_SECONDS = 1.0
"""How long one text is waited for until it is on its way."""
LONGEST_ANSWER = 64_000_000  # Bytes in one line: a thousand hits, each as large as a file may be.
MOST_WAITING = 16_000_000  # Bytes that it has yet to read. It reads at once, unless it hangs.
CAUSE = re.compile(rb"^([A-Za-z_][\w.]*(?:Error|Exception|Interrupt|Exit))\b", re.MULTILINE)

Json = Mapping[str, Any]


class NoAnswer(Exception):
    """Why there is no answer: one sentence."""


class _Died(Exception):
    """The process ended while somebody waited."""


class Service:
    """The process of one folder. Lives on the event loop."""

    def __init__(
        self,
        command: list[str],
        cwd: Path,
        greet: Callable[[Service], Awaitable[None]],
        on_event: Callable[[Json], None],
        is_busy: Callable[[], bool] = lambda: False,
    ) -> None:
        """``greet`` tells each new process what it has to know; ``on_event`` hears what it says unasked.

        While ``is_busy`` says that somebody waits for something else, it is not started yet.
        """
        self.problem = ""
        """Why it is not started any more: one sentence, or empty."""
        self._command = command
        self._cwd = cwd
        self._greet = greet
        self._on_event = on_event
        self._is_busy = is_busy
        self._process: asyncio.subprocess.Process | None = None
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._number = 0
        self._wanted = asyncio.Event()
        self._up = asyncio.Event()
        self._said_last = b""
        self._is_ending = False
        self._task = asyncio.create_task(self._run())

    @property
    def pid(self) -> int | None:
        """The process that runs now."""
        return self._process.pid if self._process else None

    async def ask(self, method: str, params: Json, seconds: float) -> Any:
        """The answer; raises ``NoAnswer``. A process that dies meanwhile is asked again in its successor."""
        if self.problem:
            raise NoAnswer(self.problem)
        self._wanted.set()
        try:
            async with asyncio.timeout(seconds):
                for _ in range(FAILURES):
                    await self._up.wait()
                    with suppress(_Died):
                        return await self._answer(method, params)
        except TimeoutError:
            logger.info("index busy method=%s seconds=%.1f", method, seconds)
            raise NoAnswer("The index is busy and did not answer in time.") from None
        raise NoAnswer(self.problem or "The index's process has ended.")

    def tell(self, method: str, params: Json | None = None) -> None:
        """Something that needs no answer. A process that does not run is told all it needs when it starts."""
        self._send({"method": method, "params": params or {}})

    async def drain(self) -> None:
        """Wait until what was told is on its way: texts for a process that hangs must not pile up here."""
        if self._process is not None and self._process.stdin is not None:
            with suppress(OSError, TimeoutError):
                async with asyncio.timeout(DRAIN_SECONDS):
                    await self._process.stdin.drain()

    def again(self) -> None:
        """Start it, also after too many failures."""
        if self.problem:
            self.problem = ""
            self._up.clear()
        self._wanted.set()

    def cancel(self) -> None:
        """End; what is asked gets no answer."""
        if not self._is_ending:  # Once: a second time would not let it end in good order.
            self._is_ending = True
            self._task.cancel()

    async def close(self) -> None:
        """End, and wait for the process to be gone."""
        self.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _is_wanted_within(self, seconds: float) -> bool:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._wanted.wait()
        return self._wanted.is_set()

    async def _run(self) -> None:
        latest = time.monotonic() + MOST_SECONDS
        is_wanted = await self._is_wanted_within(START_SECONDS)
        while not is_wanted and self._is_busy() and time.monotonic() < latest:
            is_wanted = await self._is_wanted_within(POLL_SECONDS)
        deaths: list[float] = []
        while True:
            cause = await self._serve()
            now = time.monotonic()
            deaths = [*(it for it in deaths if now - it < FAILURES_SECONDS), now]
            logger.warning("index ended cause=%s times=%d", cause, len(deaths))
            if len(deaths) < FAILURES:
                await asyncio.sleep(PAUSES_SECONDS[min(len(deaths), len(PAUSES_SECONDS)) - 1])
                continue
            self.problem = f"The index is off: its process ended {FAILURES} times in a minute ({cause})."
            self._wanted.clear()
            self._up.set()  # Whoever waits is told.
            self._on_event({"event": "problem", "says": self.problem})
            await self._wanted.wait()
            deaths = []

    async def _serve(self) -> str:
        """Run the process until it ends; why it did, in a few words."""
        self._said_last = b""
        reading: asyncio.Task[None] | None = None
        code: int | None = None
        try:
            running = self._process = await asyncio.create_subprocess_exec(
                *self._command,
                cwd=self._cwd,
                env=process.environment(),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                limit=LONGEST_ANSWER,
            )
            reading = asyncio.create_task(self._read_errors(running))
            await self._greet(self)
            self._up.set()
            assert running.stdout is not None
            async for line in running.stdout:
                self._hear(line)
            code = await running.wait()
        except (OSError, ValueError) as exc:  # It cannot be started; it says lines without an end.
            return type(exc).__name__
        finally:
            self._up.clear()
            await self._end(reading)
        causes = CAUSE.findall(self._said_last)
        return causes[-1].decode("ascii", "replace") if causes else f"exit code {code}"

    async def _answer(self, method: str, params: Json) -> Any:
        if self.problem:
            raise NoAnswer(self.problem)
        self._number += 1
        number = self._number
        waiting = self._waiting[number] = asyncio.get_running_loop().create_future()
        self._send({"id": number, "method": method, "params": params})
        try:
            return await waiting
        finally:
            if self._waiting.pop(number, None) is not None and waiting.cancelled():
                self.tell("cancel", {"id": number})

    def _hear(self, line: bytes) -> None:
        try:
            said = json.loads(line)
        except (ValueError, RecursionError):
            said = None
        if not isinstance(said, dict):
            logger.warning("index said nonsense bytes=%d", len(line))
        elif "event" in said:
            self._on_event(said)
        else:
            waiting = self._waiting.get(said["id"]) if isinstance(said.get("id"), int) else None
            if waiting is not None and not waiting.done():
                if "error" in said:
                    waiting.set_exception(NoAnswer(str(said["error"])))
                else:
                    waiting.set_result(said.get("result"))

    def _send(self, said: Json) -> None:
        running = self._process
        if running is None or running.stdin is None or running.stdin.is_closing():
            return
        if MOST_WAITING < running.stdin.transport.get_write_buffer_size():
            logger.warning("index hangs")
            self._kill()
            return
        line = json.dumps(said, ensure_ascii=True, separators=(",", ":")) + "\n"
        running.stdin.write(line.encode("ascii"))

    async def _read_errors(self, running: asyncio.subprocess.Process) -> None:
        """Keep the end of what it says on standard error: it names what it died of."""
        assert running.stderr is not None
        while data := await running.stderr.read(4096):
            self._said_last = (self._said_last + data)[-4096:]

    async def _end(self, reading: asyncio.Task[None] | None) -> None:
        """Whatever has happened, the process is gone after this, and nobody waits for it."""
        running = self._process
        if running is not None:
            assert running.stdin is not None
            running.stdin.close()
            try:
                async with asyncio.timeout(END_SECONDS):
                    await running.wait()
            except TimeoutError:
                self._kill()
                await running.wait()
            with suppress(TimeoutError, ValueError):  # What it has started may still hold its pipes.
                async with asyncio.timeout(END_SECONDS):
                    await self._read_out(running, reading)
        self._process = None
        waiting, self._waiting = self._waiting, {}
        for it in waiting.values():
            if not it.done():
                it.set_exception(_Died())

    async def _read_out(
        self, running: asyncio.subprocess.Process, reading: asyncio.Task[None] | None
    ) -> None:
        """Read its pipes to their ends, by which they are closed."""
        assert running.stdout is not None
        while await running.stdout.read(1 << 16):
            pass
        if reading is not None:
            await reading

    def _kill(self) -> None:
        if self._process is not None and self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.kill()


def command(folder: str, cache: Path, options: Json) -> list[str]:
    """The command line of a folder's service."""
    return [
        *(sys.executable, "-P", "-m", "codeindex", "serve"),
        *("--root", folder, "--cache", str(cache), "--options", json.dumps(options)),
    ]
