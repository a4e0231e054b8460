"""Measure what other work in the engine costs somebody who types, and how soon a cancelled answer lets go.

    python -m benchmarks.turns [--model FILE.gguf] [--keys 60] [--cancels 200] [--json]

One prompt is in memory, as while somebody types; each key adds a character to its middle and asks for eight
tokens. In turns, key by key, the engine has nothing else to do, is in the middle of reading another prompt
ahead, of a chat's answer, or of a batch job. What a key takes more than the same key without other work is
what that work adds; "nothing" is the same measure with no other work, and says how much of it is chance.
Without a model it makes one of Qwen2.5-Coder-0.5B's shape once, in the cache folder.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median, quantiles

from benchmarks import shape_model
from benchmarks.asking import ask, cancel, submit
from models.engine.worker import EngineConfig, Worker, default_threads
from models.spec import ModelSpec
from models.wire import ChatMessage, ChatRequest, CompletionRequest, Sampling

CONTEXT = 8192
WINDOW = 4_000  # Characters before the cursor, and half as many behind it.
TYPED = "def resolve(self, name: str, default: object = None, *, strict: bool = False) -> object:\n    "
TOKENS = 8
LONG = 400  # Tokens: longer than any key.
OTHERS = ("nothing", "prefill", "chat", "background")
SOURCE = "\n".join(it.read_text("utf-8") for it in sorted(Path(__file__).parent.glob("*.py")))


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Milliseconds."""

    p50: float
    p90: float
    p99: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What was measured, in milliseconds."""

    model: str
    threads: int
    keys: int
    alone: Spread
    """A whole answer of eight tokens, with nothing else to do."""
    beside: dict[str, Spread]
    """The same, in the middle of other work."""
    added: dict[str, Spread]
    """What a key took more than the same key alone, just before or after."""
    waited: dict[str, Spread]
    """From asking until the engine began with it, which is what other work can delay."""
    cancel: Spread
    cancel_max: float


def measure(model: Path, *, keys: int, cancels: int) -> Report:
    """All numbers for one model file."""
    threads = default_threads()
    spec = ModelSpec(name=model.stem, path=model, title="")
    config = EngineConfig(model=spec, idle_unload=0.0, context_tokens=CONTEXT, threads=threads)
    worker = Worker(config, lambda _: None)
    worker.start()
    rng = random.Random(1)
    ask(worker, spec, _key(0))
    times: dict[str, list[float]] = {it: [] for it in ("alone", *OTHERS)}
    added: dict[str, list[float]] = {it: [] for it in OTHERS}
    waited: dict[str, list[float]] = {it: [] for it in OTHERS}
    for number in range(keys):
        key = _key(1 + number % (len(TYPED) - 1))
        ask(worker, spec, _key(number % (len(TYPED) - 1)))
        for other in rng.sample(OTHERS, len(OTHERS)):
            alone, _ = _timed(worker, spec, key)
            busy = None if other == "nothing" else submit(worker, spec, _other(other, rng))
            time.sleep(rng.uniform(0.05, 0.25))
            beside, queued = _timed(worker, spec, key)
            if busy is not None and not busy.over.is_set():
                cancel(worker, busy)
            times["alone"].append(alone)
            times[other].append(beside)
            added[other].append(beside - alone)
            waited[other].append(queued)
    cancelled = []
    for number in range(cancels):
        asked = submit(worker, spec, _other(("prefill", "chat")[number % 2], rng))
        time.sleep(rng.uniform(0.02, 0.4))
        if not asked.over.is_set():
            cancelled.append(cancel(worker, asked))
    worker.stop()
    return Report(
        model=model.name,
        threads=threads,
        keys=keys,
        alone=_spread(times.pop("alone")),
        beside={it: _spread(took) for it, took in times.items()},
        added={it: _spread(took) for it, took in added.items()},
        waited={it: _spread(took) for it, took in waited.items()},
        cancel=_spread(cancelled),
        cancel_max=round(max(cancelled), 1),
    )


def _key(typed: int) -> CompletionRequest:
    """What is asked after so many characters, without healing and early ends: the same work for each."""
    return CompletionRequest(
        model="",
        prompt=SOURCE[:WINDOW],
        suffix=SOURCE[WINDOW : WINDOW + WINDOW // 2],
        middle=TYPED[:typed],
        sampling=Sampling(max_tokens=TOKENS, logprobs=True),
    )


def _other(kind: str, rng: random.Random) -> CompletionRequest | ChatRequest:
    """Work that takes longer than a key, with a text that is not in memory."""
    at = rng.randrange(len(SOURCE) - 2 * WINDOW)
    text = SOURCE[at : at + WINDOW]
    if kind == "prefill":
        return CompletionRequest(
            model="", prompt=text, suffix="\n", sampling=Sampling(max_tokens=0), priority="prefill"
        )
    if kind == "chat":
        said = (ChatMessage(role="user", content=text[: WINDOW // 8]),)
        return ChatRequest(model="", messages=said, sampling=Sampling(max_tokens=LONG))
    sampling = Sampling(max_tokens=LONG)
    return CompletionRequest(model="", prompt=text[: WINDOW // 8], sampling=sampling, priority="background")


def _timed(worker: Worker, spec: ModelSpec, key: CompletionRequest) -> tuple[float, float]:
    """Milliseconds until the whole answer is there, and until the engine began with it."""
    started = time.perf_counter()
    usage = ask(worker, spec, key)
    return (time.perf_counter() - started) * 1000, usage.queue_ms


def _spread(values: Sequence[float]) -> Spread:
    cuts = quantiles(values, n=100, method="inclusive")
    return Spread(p50=round(median(values), 1), p90=round(cuts[89], 1), p99=round(cuts[98], 1))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", type=Path)
    parser.add_argument("--keys", type=int, default=60, help="times each kind of other work")
    parser.add_argument("--cancels", type=int, default=200)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    model = (arguments.model or shape_model.kept("Q4_K_M")).resolve()
    report = measure(model, keys=arguments.keys, cancels=arguments.cancels)
    if arguments.json:
        print(json.dumps(asdict(report), indent=2))
        return
    print(f"{report.model}, {report.threads} threads; milliseconds, p50 / p90 / p99 of {report.keys}")
    print(f"a key alone                    {_row(report.alone)}")
    for it in OTHERS:
        print(f"in the middle of {it:13} {_row(report.beside[it])}")
        print(f"  more than alone              {_row(report.added[it])}")
        print(f"  until the engine began       {_row(report.waited[it])}")
    print(f"a cancel, until it is free     {_row(report.cancel)}   most {report.cancel_max}")


def _row(it: Spread) -> str:
    return f"{it.p50:7.1f} {it.p90:7.1f} {it.p99:7.1f}"


if __name__ == "__main__":
    main()
