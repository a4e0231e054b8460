"""The ways to answer a keystroke that are compared: Hearth, the same engine unanchored, bare steps, peers."""

from __future__ import annotations

import asyncio
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from benchmarks.keystrokes.child import Child
from benchmarks.keystrokes.client import Client, Reply
from benchmarks.keystrokes.engine import (
    EngineView,
    cpu_seconds,
    difference,
    own_engine,
    resident_mb,
    until_calm,
)
from benchmarks.keystrokes.measured import Sample, evaluated_for, source_of
from benchmarks.keystrokes.traces import Key, Passage, pressed
from completion.config import CHARACTERS_PER_TOKEN
from lsp_server.resolve import PREFIX_TOKENS, SUFFIX_TOKENS
from models.backend import Backend
from models.wire import CompletionRequest, Sampling, Usage

START_STEP = 32  # Lines. A window that begins at such a line begins there for many keystrokes.
ABOUT = 0.1  # Attention to a tenth more context is a hundredth of a step.
LOG_SECONDS = 0.5  # What the server says on standard error is there within milliseconds.


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What all ways have in common."""

    model: Path
    tokens: int
    """The longest answer."""
    context: int
    threads: int
    """0 lets each way choose what it would choose by itself."""
    memory: bool
    """Whether Hearth's project memory is on."""

    def settings(self, **more: Any) -> dict[str, Any]:
        """Hearth's settings. Every suggestion counts, however unsure: noise is never sure."""
        return {
            "model": str(self.model),
            "completion.maxTokens": self.tokens,
            "completion.confidence": 0.0,
            "completion.deadlineMs": 60_000,
            "memory.enabled": self.memory,
            "engine.contextTokens": self.context,
            "engine.threads": self.threads,
            **more,
        }


class Way(ABC):
    """One way of answering keystrokes. It follows the document and is asked after each key."""

    name: str

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self.text = ""
        self.processes: dict[str, psutil.Process] = {}
        """What it consists of, by name; their memory and processor time are its cost."""

    @abstractmethod
    async def start(self) -> None:
        """Start what it needs."""

    @abstractmethod
    async def answer(self, cursor: int) -> Sample | None:
        """What a suggestion here costs; ``None`` where this way cannot tell."""

    @abstractmethod
    async def close(self) -> None:
        """End what was started."""

    async def open(self, passage: Passage) -> None:
        """Begin a document."""
        self.text = passage.text

    async def press(self, key: Key) -> Sample | None:
        """One key, and its answer if the editor asks for one."""
        self.text = pressed(self.text, key)
        return await self.answer(key.cursor) if key.asks else None

    async def hint(self, cursor: int) -> None:  # noqa: B027  # most ways cannot be told
        """The cursor has moved."""

    async def calm(self) -> None:
        """Wait until it does nothing any more."""
        await until_calm(list(self.processes.values()))

    @property
    def cpu_s(self) -> float:
        """Processor seconds up to now."""
        return cpu_seconds(list(self.processes.values()))

    @property
    def memory_mb(self) -> dict[str, float]:
        """Resident memory of its processes."""
        return {name: round(resident_mb(it), 1) for name, it in self.processes.items()}


class Hearth(Way):
    """The product: `hearth lsp` over stdio, and the engine it starts."""

    name = "Hearth"

    def __init__(self, setup: Setup, root: Path, settings: Mapping[str, Any] | None = None) -> None:
        super().__init__(setup)
        self._root = root
        self._settings = setup.settings(**(settings or {}))
        self._home = tempfile.TemporaryDirectory(prefix="hk-", ignore_cleanup_errors=True)
        self.view = EngineView(Path(self._home.name) / "run" / "engine.sock")
        self.client: Client
        self.reply: Reply | None = None
        """The newest answer."""

    async def start(self) -> None:
        """Start the server; the engine starts with it."""
        self.client = await Client.start(Path(self._home.name), self._root, self._settings)
        self.processes["server"] = psutil.Process(self.client.process.pid)

    async def open(self, passage: Passage) -> None:
        """Open the document, as an editor does, and let it warm up."""
        await super().open(passage)
        self.client.open(self._root / passage.path, passage.text)
        if "engine" not in self.processes:
            self.processes["engine"] = await self.view.until_there()
            await self.view.until_loaded()

    async def press(self, key: Key) -> Sample | None:
        """One key as the editor sends it: the change and the question, right after each other."""
        if not key.asks:
            self.client.press(key)
            self.text = self.client.text
            return None
        return await self.measured(key, key.cursor)

    async def answer(self, cursor: int) -> Sample | None:
        """Ask again where the cursor is."""
        return await self.measured(None, cursor)

    async def measured(self, key: Key | None, cursor: int) -> Sample:
        """Press and ask, with the engine's counters read before and after."""
        before = await self.view.counters()
        self.client.log.clear()
        sent = time.perf_counter()
        if key is not None:
            self.client.press(key)
            self.text = self.client.text
        self.reply = await self.client.ask(cursor)[1]
        after = await self.view.counters()
        said = await self._said(before, after)
        prompt, new = evaluated_for(said, before, after)
        produced = int(difference(before, after, "completion_tokens"))
        return Sample(
            ms=(self.reply.at - sent) * 1000,
            source=source_of(said, new),
            shown=bool(self.reply.text),
            first_ms=float(said["first_ms"]) if said and "first_ms" in said else None,
            prompt=prompt,
            new=new,
            produced=produced or None,
        )

    async def hint(self, cursor: int) -> None:
        """Say so, as Hearth's editors do."""
        self.client.hint(cursor)

    async def close(self) -> None:
        """Close the editor, end the engine."""
        await self.client.close()
        await self.view.end()
        self._home.cleanup()

    async def evaluated(self) -> int:
        """All prompt tokens evaluated up to now, whatever for."""
        now = await self.view.counters()
        return int(now.get("prompt_tokens", 0) - now.get("cached_tokens", 0))

    async def _said(
        self, before: Mapping[str, float], after: Mapping[str, float]
    ) -> Mapping[str, str] | None:
        """What the server logged about the answer; nothing where its rules said that nobody is asked."""
        worked = any(0 < difference(before, after, it) for it in ("requests", "cancelled"))
        assert self.reply is not None
        limit = time.perf_counter() + (LOG_SECONDS if worked or self.reply.text else 0.0)
        while not self.client.log and time.perf_counter() < limit:  # noqa: ASYNC110  # another process writes
            await asyncio.sleep(0.001)
        return self.client.log[-1] if self.client.log else None


class Unanchored(Way):
    """The same engine, asked with all text before the cursor, then the text after it: no middle."""

    name = "same engine, unanchored"

    def __init__(self, setup: Setup) -> None:
        super().__init__(setup)
        self._stack = AsyncExitStack()
        self._backend: Backend

    async def start(self) -> None:
        """Start an engine of its own."""
        setup = self.setup
        engine = own_engine(setup.model, setup.context, setup.threads)
        self._backend, self.processes["engine"] = await self._stack.enter_async_context(engine)
        await self.answer(0)

    async def answer(self, cursor: int) -> Sample | None:
        """One plain request."""
        before, after = window(self.text, cursor)
        request = CompletionRequest(
            model=self.setup.model.stem,
            prompt=before,
            suffix=after,
            sampling=Sampling(max_tokens=self.setup.tokens, logprobs=True),
        )
        started = time.perf_counter()
        first, text, usage = 0.0, "", Usage(prompt_tokens=0, cached_tokens=0, completion_tokens=0)
        async with aclosing(self._backend.complete(request)) as pieces:
            async for piece in pieces:
                first = first or time.perf_counter()
                text += piece.text
                usage = piece.usage or usage
        ended = time.perf_counter()
        return Sample(
            ms=(ended - started) * 1000,
            source="peer",
            shown=bool(text.strip()),
            first_ms=(first - started) * 1000,
            prompt=usage.prompt_tokens,
            new=usage.prompt_tokens - usage.cached_tokens,
            produced=usage.completion_tokens,
        )

    async def close(self) -> None:
        """End the engine."""
        await self._stack.aclose()


class PythonPeer(Way):
    """llama-cpp-python's `create_completion(prompt, suffix)`, in a process of its own."""

    name = "llama-cpp-python"

    def __init__(self, setup: Setup) -> None:
        super().__init__(setup)
        wanted = (str(setup.model), str(setup.context), str(setup.threads))
        self._child = Child("benchmarks.keystrokes.python_peer", *wanted)

    async def start(self) -> None:
        """Start the process and have the model answer once."""
        self.processes["python"] = await self._child.start()
        await self.answer(0)

    async def answer(self, cursor: int) -> Sample | None:
        """One completion."""
        before, after = window(self.text, cursor)
        said = await self._child.ask({"prompt": before, "suffix": after, "tokens": self.setup.tokens})
        return Sample(
            ms=said["ms"],
            source="peer",
            shown=bool(said["text"].strip()),
            first_ms=said["first_ms"],
            new=said["new"],
            produced=said["produced"],
        )

    async def close(self) -> None:
        """End the process."""
        await self._child.close()


class BareSteps(Way):
    """One decode step more than an answer has tokens, behind as many tokens of context, and nothing else."""

    def __init__(self, setup: Setup) -> None:
        super().__init__(setup)
        self.name = f"{setup.tokens + 1} bare decode steps"
        self._length = 0
        wanted = (str(setup.model), str(setup.context), str(setup.threads))
        self._child = Child("benchmarks.keystrokes.bare", *wanted)

    async def start(self) -> None:
        """Start the process."""
        self.processes["python"] = await self._child.start()

    def adapt(self, tokens: int) -> None:
        """Have about as much context as Hearth had; a small difference is not worth reading it again."""
        if self._length * ABOUT < abs(tokens - self._length):
            self._length = tokens

    async def answer(self, cursor: int) -> Sample | None:
        """The steps, wherever the cursor is."""
        if not self._length:
            return None
        steps = self.setup.tokens + 1
        said = await self._child.ask({"context": self._length, "steps": steps})
        return Sample(ms=said["ms"], source="peer", shown=False, new=1, produced=self.setup.tokens)

    async def close(self) -> None:
        """End the process."""
        await self._child.close()


def window(text: str, cursor: int) -> tuple[str, str]:
    """As much text before and after the cursor as Hearth looks at, in whole lines.

    It begins at a line whose number is a multiple of a step, so that it begins there for a while: a window
    that moves with every line would evaluate everything again with every line.
    """
    start, line = 0, 0
    earliest = cursor - PREFIX_TOKENS * CHARACTERS_PER_TOKEN
    while start < earliest or line % START_STEP:
        end = text.find("\n", start, cursor) + 1
        if not end:
            break
        start, line = end, line + 1
    after = text[cursor : cursor + SUFFIX_TOKENS * CHARACTERS_PER_TOKEN]
    whole = after.rfind("\n") + 1
    return text[start:cursor], after[: whole or len(after)]


def newest_prompt(samples: Sequence[Sample]) -> int:
    """How long Hearth's prompt was last; 0 if nobody told."""
    return next((it.prompt for it in reversed(samples) if it.prompt), 0)
