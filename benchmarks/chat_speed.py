"""Measure what chat adds around a model: choosing who answers, taking out secrets, applying its edits.

    python -m benchmarks.chat_speed [--rounds 20000] [--json]

The router decides about requests of all tasks and sizes, drawn from a fixed seed, for users with no model,
one here, one elsewhere, and both. Secrets are looked for in this project's own source, as a prompt of 6,000
tokens. The edits are the canned answers of the tests (``tests/chat/golden/edits``): how many become the very
change that they should, how many are refused as they should, and how many of those applied still parse.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import quantiles
from typing import TypeVar, get_args

from chat.edits import Edit, Refusal, apply
from chat.redact import redact
from chat.router import Places, Policy, Request, Server, decide, next_after
from chat.types import Task
from codeindex.syntax import faults
from models.spec import BackendSpec, Prices
from tests.chat.edits_golden import cases, documents, outcome, rates

T = TypeVar("T")

ROOT = Path(__file__).resolve().parent.parent
SEED = 7
PROMPT_CHARACTERS = 6_000 * 4  # Of code, a token has about four.
PROMPTS = 20

HERE = Server(spec=BackendSpec(model="m", name="here", url="http://127.0.0.1:1", context_tokens=8192))
THERE = Server(
    spec=BackendSpec(
        model="m", name="there", url="https://api.example.com", prices=Prices(input=3, output=15)
    ),
    is_own=True,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """How long something took, so many times."""

    times: int
    p50: float
    p95: float
    p99: float
    most: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """What became of the canned answers."""

    answers: int
    as_wanted: int
    applied: int
    """Of those that are to be applied."""
    to_apply: int
    refused: int
    """Of those that are to be refused."""
    to_refuse: int
    still_parse: int
    """Of those applied to documents that parsed: how many parse afterwards."""
    parsed: int
    ms: Spread


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All of it."""

    decision_us: Spread
    fallback_us: Spread
    redaction_ms: Spread
    edits: Applied


def measure(rounds: int = 20_000) -> Report:
    """Everything that this file measures."""
    decision, fallback = router(rounds)
    return Report(decision_us=decision, fallback_us=fallback, redaction_ms=redaction(), edits=edits())


def router(rounds: int) -> tuple[Spread, Spread]:
    """Microseconds to decide who answers, and who is next when that one fails."""
    draw = random.Random(SEED)
    asked = []
    for _ in range(rounds):
        request = Request(
            task=draw.choice(get_args(Task)),
            tokens_in=draw.randrange(50, 20_000),
            choice=draw.choice(("", "", "", "local", "cloud", "here", "nobody")),
            is_deep=draw.random() < 0.3,
        )
        places = Places(servers=draw.choice(((), (HERE,), (THERE,), (HERE, THERE))))
        policy = Policy(cloud_allowed=draw.random() < 0.5, preference=draw.choice(("local", "cloud")))
        asked.append((request, places, policy))
    decisions = []
    took = _timed(asked, lambda it: decisions.append(decide(*it)))
    again = _timed(decisions, lambda it: next_after(it, "unreachable"))
    return _spread(took, 1e6), _spread(again, 1e6)


def redaction() -> Spread:
    """Milliseconds to take the secrets out of a prompt of source code."""
    text = "\n".join(it.read_text("utf-8") for it in sorted((ROOT / "lsp_server").rglob("*.py")))
    prompts = [text[it * PROMPT_CHARACTERS :][:PROMPT_CHARACTERS] for it in range(PROMPTS)]
    redact(prompts[0])  # The detectors are made with the first one.
    return _spread(_timed([it for it in prompts if it], lambda it: redact(it)), 1e3)


def edits() -> Applied:
    """What becomes of the canned answers, and how long it takes to find out."""
    given = cases()
    took = _timed(given, lambda it: outcome(it, faults))
    found = rates(faults, given)
    parsed = still = 0
    for case in given:
        placed = outcome(case, faults)
        if isinstance(placed, Refusal):
            continue
        for before, after in _texts(case, placed):
            parsed += not before
            still += not before and not after
    wanted = [it for it in given if "refused" not in it]
    return Applied(
        answers=len(given),
        as_wanted=sum(it.applied + it.refused for it in found),
        applied=sum(it.applied for it in found),
        to_apply=len(wanted),
        refused=sum(it.refused for it in found),
        to_refuse=len(given) - len(wanted),
        still_parse=still,
        parsed=parsed,
        ms=_spread(took, 1e3),
    )


def _texts(case: dict[str, object], placed: Sequence[Edit]) -> Iterable[tuple[int, int]]:
    """The faults of each document that is changed, before and after."""
    for path, source in documents(case).items():
        own = [it for it in placed if it.path == path]
        before = faults(source.text, source.language)
        after = faults(apply(source.text, own), source.language)
        if own and before is not None and after is not None:
            yield before, after


def _timed(values: Iterable[T], work: Callable[[T], object]) -> list[float]:
    took = []
    for it in values:
        start = time.perf_counter()
        work(it)
        took.append(time.perf_counter() - start)
    return took


def _spread(took: Sequence[float], scale: float) -> Spread:
    parts = quantiles(took, n=100, method="inclusive")
    return Spread(
        times=len(took),
        p50=round(parts[49] * scale, 2),
        p95=round(parts[94] * scale, 2),
        p99=round(parts[98] * scale, 2),
        most=round(max(took) * scale, 2),
    )


def markdown(report: Report) -> str:
    """The tables for docs/benchmarks.md."""
    rows = (
        ("who answers, µs", report.decision_us),
        ("who is next, µs", report.fallback_us),
        ("secrets out of 6,000 tokens, ms", report.redaction_ms),
        ("an answer to edits, ms", report.edits.ms),
    )
    lines = ["| what | times | p50 | p95 | p99 | most |", "|---|---:|---:|---:|---:|---:|"]
    lines += [f"| {name} | {it.times:,} | {it.p50} | {it.p95} | {it.p99} | {it.most} |" for name, it in rows]
    done = report.edits
    lines += ["", "| canned answers | |", "|---|---:|"]
    lines += [f"| become the very change or refusal that they should | {done.as_wanted} of {done.answers} |"]
    lines += [f"| applied, of those that can be | {done.applied} of {done.to_apply} |"]
    lines += [f"| refused, of those that must be | {done.refused} of {done.to_refuse} |"]
    lines += [f"| documents that parsed and still parse | {done.still_parse} of {done.parsed} |"]
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=20_000, help="Decisions of the router.")
    parser.add_argument("--json", action="store_true", help="Print JSON.")
    given = parser.parse_args(arguments)
    if given.rounds < 2:
        parser.error("--rounds: two at least, for there is no distribution of one.")
    report = measure(given.rounds)
    print(json.dumps(asdict(report), indent=2) if given.json else markdown(report))
    return 0


if __name__ == "__main__":
    sys.exit(main())
