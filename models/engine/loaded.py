"""A model in memory: what its sequences hold, who uses them, what its work costs, and one job's costs."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path

from models.engine.draft import DraftSize
from models.engine.job import RANK, Job
from models.engine.llama import Llama
from models.engine.sampling import Scores
from models.engine.slots import Slot, too_many, worth
from models.spec import ModelSpec
from models.wire import Usage

KNOWN_SCORES = 4  # Prompts: of each document that is typed in by turns. 0.6 MB each for a large vocabulary.

IDLE_CELLS = (
    3072  # Of KV. 6,000 make a decode step 16 % slower; so many are three prompts that may come again.
)
RECENT_SECONDS = 60.0  # Who is between two documents, or two suggestions, comes back to both.

Stamp = tuple[int, int, int]
"""What tells one version of a file from another: its identity, size and time."""


@dataclass(slots=True, kw_only=True)
class Loaded:
    """A model in memory and what its sequences hold."""

    spec: ModelSpec
    llama: Llama
    stamp: Stamp | None
    size: int
    """Bytes of memory it takes."""
    threads: int
    """That its evaluations may use now."""
    minded: float = field(default_factory=time.monotonic)
    """When ``threads`` was last looked at."""
    held: list[list[int]]
    """Tokens in the KV, per sequence."""
    busy: dict[int, Job] = field(default_factory=dict)
    """Who uses a sequence now."""
    ended: int = 0
    """How many jobs have given their sequence back."""
    used: list[int] = field(default_factory=list)
    clock: int = 0
    last_used: float = field(default_factory=time.monotonic)
    scores: deque[tuple[list[int], Scores]] = field(default_factory=lambda: deque(maxlen=KNOWN_SCORES))
    """Prompts, and what the model says behind them."""
    touched: list[float] = field(default_factory=list)
    """When each sequence was last taken."""
    rank: list[int] = field(default_factory=list)
    """How urgent the last job on each sequence was."""
    draft_size: DraftSize = field(default_factory=DraftSize)
    """What batches of this model have cost on this machine, and how often drafts were right."""

    @property
    def context(self) -> int:
        """Tokens one request may take, prompt and answer together."""
        trained = self.llama.trained_context or self.llama.limits.context_tokens
        return min(trained, self.llama.limits.context_tokens)

    def slots(self) -> list[Slot]:
        now = time.monotonic()
        return [
            Slot(
                sequence=index,
                tokens=tokens,
                busy=index in self.busy,
                used=self.used[index],
                lesser=self.rank[index] == RANK["background"],
                recent=now - self.touched[index] < RECENT_SECONDS,
                guarded=index == self.typed,
            )
            for index, tokens in enumerate(self.held)
        ]

    @property
    def typed(self) -> int | None:
        """The sequence that ghost text used last."""
        typed = [at for at, rank in enumerate(self.rank) if self.held[at] and rank == RANK["typing"]]
        return max(typed, key=self.used.__getitem__, default=None)

    def take(self, sequence: int, job: Job) -> None:
        """``job`` uses ``sequence`` now."""
        self.busy[sequence] = job
        self.clock += 1
        self.used[sequence] = self.clock
        self.rank[sequence] = job.rank
        self.touched[sequence] = time.monotonic()

    def forget_idle(self) -> None:
        """Somebody waits: what nobody asked about for a while must not slow the answer down."""
        for sequence in too_many(self.slots(), IDLE_CELLS):
            self.cut(sequence, 0)

    def free_sequences(self, job: Job) -> list[int]:
        """Sequences that ``job`` may take beside its own, the least missed first.

        None that ghost text used last, and always one is left for what is more urgent.
        """
        slots = [it for it in self.slots() if not it.busy and not it.guarded]
        slots.sort(key=worth)
        return [it.sequence for it in slots[: max(len(slots) - min(job.rank, 1), 0)]]

    def known_scores(self, prompt: list[int]) -> Scores | None:
        """The scores behind ``prompt``, if it was evaluated lately."""
        return next((scores for tokens, scores in self.scores if tokens == prompt), None)

    def know_scores(self, prompt: list[int], scores: Scores) -> None:
        """Keep the scores behind ``prompt``: while a word is typed, all of it stands behind the same one."""
        self.scores.appendleft((prompt, scores.copy()))

    def measured(self, rows: int, ms: float) -> None:
        """What a batch has cost; with fewer threads than usual it tells nothing about the usual."""
        if self.llama.limits.threads == self.threads:
            self.draft_size = self.draft_size.measured(rows, ms)

    def cut(self, sequence: int, length: int) -> None:
        """Forget what follows ``length`` tokens; all of it where the architecture cannot forget a part."""
        kept = length if self.llama.trim(sequence, length) else 0
        del self.held[sequence][kept:]


@dataclass(slots=True, kw_only=True)
class Clock:
    """Where the milliseconds of one job went, and what they brought."""

    queue_ms: float = 0.0
    prompt_ms: float = 0.0
    decode_ms: float = 0.0
    cached: int = 0
    prompt: int = 0
    produced: int = 0
    at_once: int = 0
    """Tokens of the answer that came from the evaluation of the prompt: one, or more with a draft."""
    drafted: int = 0
    accepted: int = 0
    window_drafted: int = 0
    window_accepted: int = 0
    """Those of them that came from the window."""
    draft_batches: int = 0
    saved: int = 0
    """Choices made without an evaluation of their own."""
    decoding: bool = False
    """Whether the prompt is evaluated and the answer has begun."""
    started: float = field(default_factory=time.perf_counter)

    def start(self) -> None:
        """It is this job's turn."""
        self.started = time.perf_counter()

    def lap(self) -> None:
        """Book the time since the last call."""
        now = time.perf_counter()
        ms, self.started = (now - self.started) * 1000, now
        if self.decoding:
            self.decode_ms += ms
        else:
            self.prompt_ms += ms

    def answers(self) -> None:
        """The evaluation that just ended gives scores to choose from; what follows is decoding."""
        self.lap()
        self.decoding = True

    def chose(self, choices: int) -> None:
        """So many choices were made from one evaluation."""
        self.saved += max(choices - 1, 0)
        self.at_once = self.at_once or self.produced

    def drafted_batch(self, drafted: int, accepted: int, *, window: bool) -> None:
        """One evaluation carried a draft: from candidates, or from the ``window``."""
        self.draft_batches += 1
        if window:
            self.window_drafted += drafted
            self.window_accepted += accepted
        self.drafted += drafted
        self.accepted += accepted

    def usage(self, load_ms: float) -> Usage:
        """What the answer has cost up to now; said with each piece, for a caller may close the stream."""
        self.lap()
        return Usage(
            prompt_tokens=self.prompt,
            cached_tokens=self.cached,
            completion_tokens=self.produced,
            drafted_tokens=self.drafted,
            accepted_tokens=self.accepted,
            queue_ms=self.queue_ms,
            load_ms=load_ms,
            prompt_ms=self.prompt_ms,
            decode_ms=self.decode_ms,
        )


def stamp_of(path: Path, otherwise: Stamp | None) -> Stamp | None:
    """Which file is at ``path`` now; ``otherwise`` where there is none."""
    try:
        status = path.stat()
    except OSError:
        return otherwise
    return status.st_ino, status.st_size, status.st_mtime_ns
