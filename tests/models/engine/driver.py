"""A real worker, asked without HTTP: what was answered, in which order, at which cost."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from models.engine.job import Job
from models.engine.llama import Llama, Status
from models.engine.worker import EngineConfig, Worker
from models.spec import ModelSpec
from models.wire import (
    Candidate,
    ChatMessage,
    ChatRequest,
    CompletionRequest,
    Health,
    Piece,
    Priority,
    Sampling,
    Usage,
)

LONG = "".join(f"v{n} = compute({n * 7})\n" for n in range(80))  # About 1,700 tokens.
PROMPTS = ("def f(x):\n", "class A:\n    pass\n", "import os\n\n\n", "x = [1, 2]\nfor i in x:\n")
NOISE = 0.05  # A token missing or one too many changes scores by ten times as much.
PATIENCE_S = 60.0  # Far above what anything here takes: only a worker that hangs is this slow.


@dataclass(slots=True, eq=False)
class Asked:
    """A request in the worker's hands and what has come back."""

    job: Job
    pieces: list[Piece] = field(default_factory=list)
    error: Exception | None = None
    over: threading.Event = field(default_factory=threading.Event)
    on_first: Callable[[], None] | None = None
    """Called on the worker's thread with the first piece."""

    def wait(self) -> Asked:
        assert self.over.wait(PATIENCE_S), "the worker hangs"
        return self

    @property
    def text(self) -> str:
        """The whole answer; fails if there is none."""
        self.wait()
        assert self.error is None, self.error
        return "".join(it.text for it in self.pieces)

    @property
    def texts(self) -> list[str]:
        """The answers, where several were asked for."""
        self.wait()
        assert self.error is None, self.error
        return ["".join(it.text for it in self.pieces if it.choice == at) for at in range(self.job.choices)]

    @property
    def usage(self) -> Usage:
        self.wait()
        assert self.error is None, self.error
        usage = self.pieces[-1].usage
        assert usage is not None
        return usage

    @property
    def logprobs(self) -> list[float]:
        return [number for it in self.pieces for number in it.logprobs]

    def on_piece(self, piece: Piece) -> None:
        assert not self.over.is_set(), "a piece after the end"
        self.pieces.append(piece)
        if self.on_first and len(self.pieces) == 1:
            self.on_first()
        if sum(it.finish is not None for it in self.pieces) == self.job.choices:
            self.over.set()

    def on_error(self, exc: Exception) -> None:
        assert not self.over.is_set(), "an error after the end"
        self.error = exc
        self.over.set()


@dataclass(slots=True)
class Driver:
    """One worker and how to ask it."""

    worker: Worker
    spec: ModelSpec
    told: list[Health] = field(repr=False)
    ended: list[Asked] = field(default_factory=list, repr=False)

    def ask(
        self,
        prompt: str = "def f(x):\n    return x",
        *,
        suffix: str | None = None,
        max_tokens: int = 8,
        priority: Priority = "typing",
        stop: tuple[str, ...] = (),
        logprobs: bool = False,
        middle: str = "",
        temperature: float = 0.0,
        seed: int | None = None,
        spec: ModelSpec | None = None,
        on_first: Callable[[], None] | None = None,
        candidates: Sequence[tuple[str, float]] = (),
        memory_weight: float | None = None,
        heal: bool = False,
        choices: int = 1,
        least_probability: float = 0.0,
    ) -> Asked:
        """Queue a completion; ``candidates`` are texts and their weights."""
        sampling = Sampling(
            max_tokens=max_tokens, stop=stop, logprobs=logprobs, temperature=temperature, seed=seed
        )
        request = CompletionRequest(
            model="m",
            prompt=prompt,
            suffix=suffix,
            middle=middle,
            candidates=tuple(Candidate(text=text, weight=weight) for text, weight in candidates),
            memory_weight=memory_weight,
            heal=heal,
            choices=choices,
            least_probability=least_probability,
            sampling=sampling,
            priority=priority,
        )
        return self._submit(request, spec, on_first)

    def chat(self, *contents: str, max_tokens: int = 8) -> Asked:
        """Queue a conversation of the user's."""
        messages = tuple(ChatMessage(role="user", content=it) for it in contents)
        request = ChatRequest(model="m", messages=messages, sampling=Sampling(max_tokens=max_tokens))
        return self._submit(request, None, None)

    def _submit(
        self,
        request: CompletionRequest | ChatRequest,
        spec: ModelSpec | None,
        on_first: Callable[[], None] | None,
    ) -> Asked:
        job = Job(request=request, spec=spec or self.spec, on_piece=lambda _: None, on_error=lambda _: None)
        asked = Asked(job, on_first=on_first)

        def piece(it: Piece) -> None:
            asked.on_piece(it)
            if asked.over.is_set():
                self.ended.append(asked)

        job.on_piece, job.on_error = piece, asked.on_error
        self.worker.submit(job)
        return asked

    @property
    def states(self) -> list[str]:
        """The states that were told, each once in a row."""
        states = [it.state for it in self.told]
        return [it for index, it in enumerate(states) if index == 0 or states[index - 1] != it]


def spec_of(path: Path) -> ModelSpec:
    return ModelSpec(name=path.stem, path=path, title="")


@contextmanager
def working(
    model: Path,
    *,
    context: int | None = None,
    idle_unload: float = 0.0,
    start: bool = True,
    memory: int | None = None,
) -> Iterator[Driver]:
    """A worker for ``model``, ended at the end. Without ``start`` the test starts it, when all is queued."""
    told: list[Health] = []
    config = EngineConfig(
        model=spec_of(model), idle_unload=idle_unload, context_tokens=context, threads=1, memory=memory
    )
    worker = Worker(config, told.append)
    if start:
        worker.start()
    yield Driver(worker, spec_of(model), told)
    worker.stop()


def answer_alone(model: Path, ask: Callable[[Driver], Asked], *, context: int | None = None) -> Asked:
    """What a worker that has seen nothing else answers."""
    with working(model, context=context) as driver:
        return ask(driver).wait()


def on_evaluation(
    monkeypatch: pytest.MonkeyPatch, number: int, act: Callable[[], None], *, at_least: int = 1
) -> None:
    """Call ``act`` on the worker's thread, before the ``number``-th evaluation of ``at_least`` tokens."""
    real = Llama.evaluate
    seen = 0

    def evaluate(self: Llama, sequence: int, position: int, tokens: list[int], *, outputs: int) -> Status:
        nonlocal seen
        seen += at_least <= len(tokens)
        if at_least <= len(tokens) and seen == number:
            act()
        return real(self, sequence, position, tokens, outputs=outputs)

    monkeypatch.setattr(Llama, "evaluate", evaluate)


def same(left: Asked, right: Asked) -> None:
    """Two ways to the same answer.

    One token at a time is not computed by the same instructions as many at once, so scores differ by some
    thousandths; where two tokens are that close, the better one may change, and what follows with it.
    """
    assert (left.wait().error, right.wait().error) == (None, None)
    assert left.logprobs[:1] == pytest.approx(right.logprobs[:1], abs=NOISE)
    if left.text == right.text:
        assert left.logprobs == pytest.approx(right.logprobs, abs=NOISE)
