"""Measure what a chat's answer costs somebody who types, where another model of the same engine writes it.

    python -m benchmarks.chat_beside_typing [--typing FILE.gguf] [--chats FILE.gguf] [--keys 80] [--json]

One model completes: each key adds a character to the middle of a prompt that is in memory, and asks for
eight tokens, without healing and early ends, so that each is the same work. Another one chats. In turns, key
by key, the chat is silent, reads its question, or writes its answer; for every key the same key alone is
measured just before, so that what is added is not what the machine did meanwhile. Last, the answer's own
speed: alone, and while keys are pressed four times a second. Without files it takes the bundled model for
typing, and for the chat one of Qwen2.5-Coder-0.5B's shape, which it makes once.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks import shape_model
from benchmarks.asking import Asked, ask, cancel, submit
from benchmarks.turns import CONTEXT, SOURCE, TYPED, WINDOW, Spread, _key, _row, _spread, _timed
from models import registry
from models.engine.worker import EngineConfig, Worker, default_threads
from models.spec import ModelSpec
from models.wire import ChatMessage, ChatRequest, Sampling

STATES = ("silent", "reading", "writing")
QUESTION = 6_000  # Characters: some 1,500 tokens, as a question with its context has.
ANSWER = 2_000  # Tokens: longer than any key.
SPEED_SECONDS = 6.0
KEY_SECONDS = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What was measured, in milliseconds."""

    typing: str
    chats: str
    threads: int
    keys: int
    alone: Spread
    beside: dict[str, Spread]
    """A whole answer of eight tokens, by what the chat did."""
    added: dict[str, Spread]
    """More than the same key alone."""
    waited: dict[str, Spread]
    """Until the engine began with the key."""
    tokens_per_second: float
    """Of the chat's answer, with nobody typing."""
    tokens_per_second_typing: float
    """The same with four keys a second."""


def measure(typing: ModelSpec, chats: ModelSpec, *, keys: int) -> Report:
    """All numbers for two model files."""
    threads = default_threads()
    config = EngineConfig(model=typing, idle_unload=0.0, context_tokens=CONTEXT, threads=threads)
    worker = Worker(config, lambda _: None)
    worker.start()
    rng = random.Random(1)
    ask(worker, typing, _key(0))
    cancel(worker, _writing(worker, chats, rng))
    alone: list[float] = []
    beside: dict[str, list[float]] = {it: [] for it in STATES}
    added: dict[str, list[float]] = {it: [] for it in STATES}
    waited: dict[str, list[float]] = {it: [] for it in STATES}
    for number in range(keys):
        key = _key(1 + number % (len(TYPED) - 1))
        ask(worker, typing, _key(number % (len(TYPED) - 1)))
        for state in rng.sample(STATES, len(STATES)):
            before, _ = _timed(worker, typing, key)
            busy = None if state == "silent" else _chat(worker, chats, state, rng)
            time.sleep(rng.uniform(0.05, 0.25))
            took, queued = _timed(worker, typing, key)
            if busy is not None and not busy.over.is_set():
                cancel(worker, busy)
            alone.append(before)
            beside[state].append(took)
            added[state].append(took - before)
            waited[state].append(queued)
    speeds = [_speed(worker, chats, typing, rng, is_typing=it) for it in (False, True)]
    worker.stop()
    return Report(
        typing=typing.path.name,
        chats=chats.path.name,
        threads=threads,
        keys=keys,
        alone=_spread(alone),
        beside={it: _spread(took) for it, took in beside.items()},
        added={it: _spread(took) for it, took in added.items()},
        waited={it: _spread(took) for it, took in waited.items()},
        tokens_per_second=speeds[0],
        tokens_per_second_typing=speeds[1],
    )


def _chat(worker: Worker, chats: ModelSpec, state: str, rng: random.Random) -> Asked:
    return _writing(worker, chats, rng) if state == "writing" else _reading(worker, chats, rng, QUESTION)


def _reading(worker: Worker, chats: ModelSpec, rng: random.Random, size: int) -> Asked:
    """A question on its way, with a text that is not in memory."""
    at = rng.randrange(len(SOURCE) - size)
    said = (ChatMessage(role="user", content=SOURCE[at : at + size]),)
    return submit(worker, chats, ChatRequest(model="", messages=said, sampling=Sampling(max_tokens=ANSWER)))


def _writing(worker: Worker, chats: ModelSpec, rng: random.Random) -> Asked:
    """An answer that has begun."""
    asked = _reading(worker, chats, rng, WINDOW // 16)
    asked.begun.wait()
    return asked


def _speed(
    worker: Worker, chats: ModelSpec, typing: ModelSpec, rng: random.Random, *, is_typing: bool
) -> float:
    """Tokens a second of an answer."""
    asked = _writing(worker, chats, rng)
    said, started = len(asked.pieces), time.perf_counter()
    number = 0
    while time.perf_counter() - started < SPEED_SECONDS and not asked.over.is_set():
        if is_typing:
            ask(worker, typing, _key(1 + number % (len(TYPED) - 1)))
            number += 1
        time.sleep(max(0.0, started + number * KEY_SECONDS - time.perf_counter()) if is_typing else 0.05)
    seconds = time.perf_counter() - started
    usage = asked.pieces[-1].usage
    first = asked.pieces[said - 1].usage
    cancel(worker, asked)
    assert usage
    assert first
    return round((usage.completion_tokens - first.completion_tokens) / seconds, 1)


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--typing", type=Path)
    parser.add_argument("--chats", type=Path)
    parser.add_argument("--keys", type=int, default=80, help="of each kind")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args(arguments)
    typing = registry.find(str(asked.typing) if asked.typing else registry.STARTER)
    chats = registry.find(str((asked.chats or shape_model.kept("Q4_K_M")).resolve()))
    report = measure(typing, chats, keys=asked.keys)
    if asked.json:
        print(json.dumps(asdict(report), indent=2))
        return 0
    print(
        f"{report.typing} beside {report.chats}, {report.threads} threads; p50 / p90 / p99 of {report.keys}"
    )
    print(f"a key alone                {_row(report.alone)}")
    for it in STATES:
        print(f"the chat is {it:14} {_row(report.beside[it])}")
        print(f"  more than alone          {_row(report.added[it])}")
        print(f"  until the engine began   {_row(report.waited[it])}")
    print(f"the answer alone           {report.tokens_per_second:7.1f} tokens a second")
    print(f"while keys are pressed     {report.tokens_per_second_typing:7.1f} tokens a second")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
