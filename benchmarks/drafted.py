"""Measure what drafts bring on held-out code: the same answers with and without them, from one prompt each.

    python -m benchmarks.drafted [--model FILE.gguf] [--places 200] [--languages python] [--json]

At random places of projects that nothing was trained on, the model writes the rest of the line, greedily,
from a prompt that is in memory already, as while somebody types. In turns it drafts nothing, what stood in
the window before, what the project memory expects, or both, as in the product. Two engines that differ in
nothing else take turns, so that the one without drafts learns nothing from the others. A draft changes the
time and not the text, but for rounding: a batch adds up in another order. How often that shows is told.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import fmean, median, quantiles

from benchmarks.asking import submit
from benchmarks.heldout.answers import TRIGGER, open_config, spot_of
from benchmarks.memory import asked
from completion.anchoring import fim_request
from completion.recall import recall
from models import registry
from models.engine.window import Window
from models.engine.worker import EngineConfig, Worker, default_threads
from models.registry import STARTER_FILE
from models.spec import ModelSpec
from models.wire import CompletionRequest, Piece, Usage

CONTEXT = 768  # Tokens, for a model that was trained with more: reading the prompt is not what is measured.
WAYS = ("nothing", "window", "memory", "both")
RESAMPLES = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One answer in one way."""

    text: str
    ms: float
    usage: Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One way of drafting, against none at the same places."""

    way: str
    drafted: int
    accepted: int
    per_verification: float
    """Tokens that one evaluation gave, on average; without drafts it is one."""
    gain: float
    """All answers' time without drafts, divided by their time with them."""
    gain_low: float
    gain_high: float
    """95 %, by bootstrap over places."""
    p10: float
    p50: float
    p90: float
    """Of the same ratio, answer by answer."""
    same: float
    """The share of answers whose text is the same as without: batches round a little differently."""


def measure(model: Path, *, places: int, languages: Sequence[str], seed: int) -> list[Row]:
    """All ways, with one model file."""
    spec = registry.find(registry.STARTER) if model == STARTER_FILE else registry.find(str(model))
    requests = list(_requests(spec, places, languages, seed))
    workers = {way: _worker(spec) for way in WAYS}
    rng = random.Random(seed)
    told: dict[str, list[Told]] = {way: [] for way in WAYS}
    for number, request in enumerate(requests):
        for way in rng.sample(WAYS, len(WAYS)):
            told[way].append(_told(workers[way], spec, request, way))
        if sys.stderr.isatty():
            print(f"\r{number + 1} of {len(requests)}", end="", file=sys.stderr)
    for worker in workers.values():
        worker.stop()
    return [_row(way, told["nothing"], told[way]) for way in WAYS]


def _requests(
    spec: ModelSpec, places: int, languages: Sequence[str], seed: int
) -> Iterator[CompletionRequest]:
    config = open_config(spec, CONTEXT if spec.name != registry.STARTER else None)
    for it in asked("heldout", languages, places, seed):
        spot = spot_of(it, config)
        known = recall(it.memory, it.cut.path, spot, TRIGGER)
        request = fim_request(spot, TRIGGER, config, spec.name)
        yield replace(request, candidates=known.candidates, least_probability=0.0, memory_weight=0.0)


def _worker(spec: ModelSpec) -> Worker:
    context = None if spec.name == registry.STARTER else CONTEXT
    worker = Worker(
        EngineConfig(model=spec, idle_unload=0.0, context_tokens=context, threads=default_threads()),
        lambda _: None,
    )
    worker.start()
    return worker


def _told(worker: Worker, spec: ModelSpec, request: CompletionRequest, way: str) -> Told:
    """The prompt first, then the answer, whose time counts."""
    if way in ("nothing", "window"):
        request = replace(request, candidates=())
    silent = replace(request, sampling=replace(request.sampling, max_tokens=0), candidates=())
    with _window(way in ("window", "both")):
        _ = submit(worker, spec, silent).usage
        asked_for = submit(worker, spec, request)
        usage = asked_for.usage
    return Told(text=_text(asked_for.pieces), ms=usage.prompt_ms + usage.decode_ms, usage=usage)


@contextmanager
def _window(is_asked: bool) -> Iterator[None]:
    """Whether what stood in the window before is drafted."""
    real = Window.follows
    if not is_asked:
        Window.follows = lambda *_: ((), 0)  # type: ignore[method-assign]
    yield
    Window.follows = real  # type: ignore[method-assign]


def _text(pieces: Sequence[Piece]) -> str:
    return "".join(it.text for it in pieces)


def _row(way: str, without: Sequence[Told], told: Sequence[Told]) -> Row:
    ratios = sorted(old.ms / new.ms for old, new in zip(without, told, strict=True))
    drafted = sum(it.usage.drafted_tokens for it in told)
    accepted = sum(it.usage.accepted_tokens for it in told)
    produced = sum(it.usage.completion_tokens for it in told)
    rng = random.Random(0)
    pairs = list(zip(without, told, strict=True))
    gains = sorted(_gain(rng.choices(pairs, k=len(pairs))) for _ in range(RESAMPLES))
    tenths = quantiles(ratios, n=10)
    return Row(
        way=way,
        drafted=drafted,
        accepted=accepted,
        per_verification=round(produced / max(produced - accepted, 1), 2),
        gain=round(_gain(pairs), 3),
        gain_low=round(gains[RESAMPLES // 40], 3),
        gain_high=round(gains[-RESAMPLES // 40], 3),
        p10=round(tenths[0], 2),
        p50=round(median(ratios), 2),
        p90=round(tenths[-1], 2),
        same=round(fmean(old.text == new.text for old, new in pairs), 3),
    )


def _gain(pairs: Sequence[tuple[Told, Told]]) -> float:
    return sum(old.ms for old, _ in pairs) / sum(new.ms for _, new in pairs)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", type=Path, default=STARTER_FILE)
    parser.add_argument("--places", type=int, default=200)
    parser.add_argument("--languages", default="python")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    model = arguments.model.resolve()
    languages = arguments.languages.split(",")
    rows = measure(model, places=arguments.places, languages=languages, seed=arguments.seed)
    if arguments.json:
        print(json.dumps([asdict(it) for it in rows], indent=2))
        return
    print(f"{model.name}, {default_threads()} threads, {arguments.places} places")
    print("drafts of   accepted / drafted  tokens per evaluation  gain (95 %)            p10  p50  p90  same")
    for it in rows:
        print(
            f"{it.way:10} {it.accepted:9} / {it.drafted:<8} {it.per_verification:15.2f}"
            f"{it.gain:16.3f} ({it.gain_low:.3f} to {it.gain_high:.3f})"
            f"{it.p10:9.2f} {it.p50:.2f} {it.p90:.2f} {it.same:6.1%}"
        )


if __name__ == "__main__":
    main()
