"""Measure what drafts bring: tokens per second with and without candidates, by how often these are right.

    python -m benchmarks.drafts [--model FILE.gguf] [--tokens 16] [--rounds 40] [--json]

The model computes everything but is made to say what really follows in a piece of code; candidates say the
same, each next token with the stated probability, until they are wrong. Each answer is given with and without
them, in turns, from a prompt that is in memory already, as while somebody types. So both see the same
machine, and the ratio of the two is what to look at.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median, quantiles

import numpy as np

from benchmarks import shape_model
from benchmarks.asking import ask
from models.engine import sampling, speech
from models.engine.draft import KNOTS
from models.engine.llama import Limits, Llama, Status
from models.engine.sampling import Scores
from models.engine.window import Window
from models.engine.worker import EngineConfig, Worker, default_threads
from models.registry import STARTER_FILE
from models.spec import ModelSpec
from models.wire import Candidate, CompletionRequest, Sampling, Usage

QUALITIES = (0.0, 0.5, 0.8, 1.0)
CONTEXT = 2048
PROMPT_CHARS = 1200  # A window around a cursor.
PROMPT_TOKENS = 450  # At most: the smallest model takes 512, with the answer.
REPEATS = 7  # Of each batch size; their median is told.
WEIGHT = 0.5  # Of every candidate: the engine has to find out by itself how good they are.
CODE = Path(shape_model.__file__).read_text("utf-8") + Path(__file__).read_text("utf-8")


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """The middle of what was measured, and where all but a tenth on each side lies."""

    p10: float
    p50: float
    p90: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What candidates of one quality bring."""

    quality: float
    plain_tokens_per_s: Spread
    drafted_tokens_per_s: Spread
    speedup: Spread
    """Of one answer with candidates and the same one without, right after each other."""
    accepted: float
    """The share of drafted tokens that were right."""
    sizes: dict[int, int]
    """How many evaluations carried a draft of this size."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All of one model."""

    model: str
    threads: int
    tokens: int
    rounds: int
    batch_ms: dict[int, float]
    """What a batch of so many tokens costs here."""
    rows: list[Row]


class Author:
    """Chooses, and then says what is in its script: the cost is real, the text is known."""

    def __init__(self) -> None:
        self.script: Iterator[int] = iter(())

    def choose(self, scores: Scores, how: Sampling, rng: np.random.Generator) -> int:
        sampling.choose(scores, how, rng)
        return next(self.script)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A spot in the code and what follows it."""

    prompt: str
    follows: tuple[int, ...]
    pieces: tuple[bytes, ...]


def measure(model: Path, *, tokens: int, rounds: int, qualities: Sequence[float]) -> Report:
    """All numbers for one model file."""
    threads = default_threads()
    llama = Llama(model, Limits(context_tokens=CONTEXT, sequences=1, threads=threads), lambda _: True)
    places = list(_places(llama, tokens, rounds))
    batch_ms = _batches(llama)
    llama.close()
    author = Author()
    rows = []
    with _patched(author) as sizes:
        for quality in qualities:
            rows.append(_row(model, threads, places, quality, author, sizes))
    return Report(
        model=model.name, threads=threads, tokens=tokens, rounds=rounds, batch_ms=batch_ms, rows=rows
    )


def _places(llama: Llama, tokens: int, rounds: int) -> Iterator[Place]:
    rng = random.Random(1)
    while rounds:
        at = rng.randrange(PROMPT_CHARS, len(CODE) - 40 * tokens)
        follows = llama.tokenize(CODE[at : at + 40 * tokens], goes_on=True)[:tokens]
        prompt = CODE[at - PROMPT_CHARS : at]
        if PROMPT_TOKENS < len(llama.tokenize(prompt)):
            prompt = prompt[-PROMPT_TOKENS:]  # No character takes more than a token here.
        if len(follows) == tokens:
            pieces = tuple(llama.piece(it) for it in follows)
            yield Place(prompt=prompt, follows=tuple(follows), pieces=pieces)
            rounds -= 1


def _batches(llama: Llama) -> dict[int, float]:
    """The median cost of each size, every token with its scores."""
    llama.evaluate(0, 0, llama.tokenize(CODE[:PROMPT_CHARS])[:400], outputs=1)
    start = llama.length(0)
    tokens = llama.tokenize(CODE[PROMPT_CHARS : 3 * PROMPT_CHARS], goes_on=True)
    found: dict[int, list[float]] = {it: [] for it in KNOTS}
    for _ in range(REPEATS):
        for size, times in found.items():
            started = time.perf_counter()
            llama.evaluate(0, start, tokens[:size], outputs=size)
            llama.logits(-1)
            times.append((time.perf_counter() - started) * 1000)
            llama.trim(0, start)
    return {size: round(median(times), 2) for size, times in found.items()}


@contextmanager
def _patched(author: Author) -> Iterator[Counter[int]]:
    """Let the author choose, and count the drafts by size."""
    sizes: Counter[int] = Counter()
    real = Llama.evaluate

    def evaluate(self: Llama, sequence: int, position: int, tokens: Sequence[int], *, outputs: int) -> Status:
        sizes[outputs - 1] += 1
        return real(self, sequence, position, tokens, outputs=outputs)

    vars(speech)["choose"] = author.choose
    window = Window.follows
    Window.follows = lambda *_: ((), 0)  # type: ignore[method-assign]  # here candidates are measured
    Llama.evaluate = evaluate  # type: ignore[method-assign]
    yield sizes
    vars(speech)["choose"] = sampling.choose
    Window.follows = window  # type: ignore[method-assign]
    Llama.evaluate = real  # type: ignore[method-assign]


def _row(
    model: Path,
    threads: int,
    places: Sequence[Place],
    quality: float,
    author: Author,
    sizes: Counter[int],
) -> Row:
    """Every place with and without a candidate, on an engine that has learned nothing yet."""
    spec = ModelSpec(name=model.stem, path=model, title="")
    worker = Worker(
        EngineConfig(model=spec, idle_unload=0.0, context_tokens=CONTEXT, threads=threads), lambda _: None
    )
    worker.start()
    rng = random.Random(2)
    plain: list[float] = []
    drafted: list[float] = []
    usages: list[Usage] = []
    counted: Counter[int] = Counter()
    for number, place in enumerate(places):
        candidate = Candidate(text=_candidate(place, quality, rng), weight=WEIGHT)
        _ask(worker, spec, author, place, (), 0)
        for with_candidate in (False, True) if number % 2 else (True, False):
            sizes.clear()
            candidates = (candidate,) if with_candidate else ()
            usage = _ask(worker, spec, author, place, candidates, len(place.follows))
            speed = usage.completion_tokens * 1000 / (usage.prompt_ms + usage.decode_ms)
            (drafted if with_candidate else plain).append(speed)
            if with_candidate:
                usages.append(usage)
                counted += sizes
    worker.stop()
    total = sum(it.drafted_tokens for it in usages)
    return Row(
        quality=quality,
        plain_tokens_per_s=_spread(plain),
        drafted_tokens_per_s=_spread(drafted),
        speedup=_spread([new / old for new, old in zip(drafted, plain, strict=True)]),
        accepted=round(sum(it.accepted_tokens for it in usages) / total, 3) if total else 0.0,
        sizes=dict(sorted(counted.items())),
    )


def _candidate(place: Place, quality: float, rng: random.Random) -> str:
    """What follows, each token with this probability; from the first wrong one on, other code."""
    right = 0
    while right < len(place.pieces) and rng.random() < quality:
        right += 1
    text = b"".join(place.pieces[:right]).decode("utf-8", "ignore")
    if right == len(place.pieces):
        return text
    at = rng.randrange(len(CODE) - 200)
    return text + ("#" if place.pieces[right][:1] != b"#" else "(") + CODE[at : at + 100]


def _ask(
    worker: Worker,
    spec: ModelSpec,
    author: Author,
    place: Place,
    candidates: tuple[Candidate, ...],
    tokens: int,
) -> Usage:
    """What one answer cost."""
    author.script = iter(place.follows)
    request = CompletionRequest(
        model="",
        prompt=place.prompt,
        candidates=candidates,
        sampling=Sampling(max_tokens=tokens, logprobs=True),
    )
    return ask(worker, spec, request)


def _spread(values: Sequence[float]) -> Spread:
    tenths = quantiles(values, n=10)
    return Spread(p10=round(tenths[0], 2), p50=round(median(values), 2), p90=round(tenths[-1], 2))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", type=Path, default=STARTER_FILE)
    parser.add_argument("--tokens", type=int, default=16, help="tokens of each answer")
    parser.add_argument("--rounds", type=int, default=40, help="answers per quality")
    parser.add_argument("--quality", type=float, action="append", help="may be repeated")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    report = measure(
        arguments.model.resolve(),
        tokens=arguments.tokens,
        rounds=arguments.rounds,
        qualities=arguments.quality or QUALITIES,
    )
    if arguments.json:
        print(json.dumps(asdict(report), indent=2))
        return
    costs = "  ".join(f"{size}: {ms}" for size, ms in report.batch_ms.items())
    print(f"{report.model}, {report.threads} threads, {report.rounds} answers of {report.tokens} tokens each")
    print(f"milliseconds per batch of    {costs}")
    print("right   tokens/s plain      tokens/s drafted    speedup p10 p50 p90   accepted  draft sizes")
    for it in report.rows:
        plain, drafted, gain = it.plain_tokens_per_s, it.drafted_tokens_per_s, it.speedup
        sizes = " ".join(f"{size}x{count}" for size, count in it.sizes.items())
        print(
            f"{it.quality:<6} {plain.p50:7.1f} ({plain.p10:.0f}-{plain.p90:.0f}) {drafted.p50:11.1f}"
            f" ({drafted.p10:.0f}-{drafted.p90:.0f}) {gain.p10:12.2f} {gain.p50:.2f} {gain.p90:.2f}"
            f" {it.accepted:11.0%}  {sizes}"
        )


if __name__ == "__main__":
    main()
