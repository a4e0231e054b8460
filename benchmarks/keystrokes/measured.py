"""Pure: what one keystroke cost, and what many of them say together."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Source = Literal["cache", "anchor", "memory", "cold", "untold", "none", "peer"]
"""``cache``: of what was shown before; ``anchor``: the prompt was in memory already; ``cold``: it was not;
``untold``: nobody tells, as the model was stopped once it had said enough, or something that was read ahead
ended just then; ``none``: the rules said that this is no moment to suggest; ``peer``: another program."""
ASKED: tuple[Source, ...] = ("anchor", "cold", "untold", "peer")
"""Those for which a model had to answer."""

NEW_AT_MOST = 32  # Newly evaluated tokens up to which a prompt counts as being in memory: a line's worth.


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One keystroke. What nobody told is ``None``."""

    ms: float
    """From the key to the complete answer."""
    source: Source
    shown: bool
    """Whether there was any text."""
    first_ms: float | None = None
    """From asking the model to its first text."""
    prompt: int | None = None
    """Tokens of the prompt."""
    new: int | None = None
    """Those of them that had to be evaluated."""
    produced: int | None = None
    """Tokens of the answer."""
    in_time: bool = True
    """Whether the answer came before the next key."""


@dataclass(slots=True, kw_only=True)
class Played:
    """What one way did."""

    samples: list[Sample] = field(default_factory=list)
    first: list[Sample] = field(default_factory=list)
    """The first key of each document: kept apart, for nothing of it was read before."""
    cpu_s: float = 0.0
    """Of its processes, for all these keys, and for what they did afterwards by themselves."""
    memory_mb: dict[str, float] = field(default_factory=dict)
    evaluated: int | None = None
    """All prompt tokens that were evaluated, also in the background."""


@dataclass(slots=True, kw_only=True)
class Followed:
    """Keys that agree with what is shown, and what comes after a suggestion was accepted."""

    typed: list[Sample] = field(default_factory=list)
    accepted: list[Sample] = field(default_factory=list)
    silent: int = 0
    """Places at which nothing was shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Percentiles by nearest rank, and how many values they are of."""

    count: int
    p50: float
    p90: float
    p95: float
    p99: float
    most: float

    def short(self, digits: int = 0) -> str:
        """As a table shows it."""
        return " / ".join(f"{it:.{digits}f}" for it in (self.p50, self.p90, self.p99))


def spread(values: Iterable[float]) -> Spread | None:
    """The percentiles of some values; ``None`` if there are none."""
    ordered = sorted(values)
    if not ordered:
        return None
    p50, p90, p95, p99 = (ordered[_rank(len(ordered), it)] for it in (50, 90, 95, 99))
    return Spread(count=len(ordered), p50=p50, p90=p90, p95=p95, p99=p99, most=ordered[-1])


def source_of(said: Mapping[str, str] | None, new: int | None) -> Source:
    """Where an answer came from, by what the server logged about it and the engine's counters."""
    if said is None:
        return "none"
    if said.get("cached") == "1":
        return "cache"
    if said.get("source") == "memory":
        return "memory"
    if new is None:
        return "untold"
    return "anchor" if new <= NEW_AT_MOST else "cold"


def evaluated_for(
    said: Mapping[str, str] | None, before: Mapping[str, float], after: Mapping[str, float]
) -> tuple[int | None, int | None]:
    """Tokens of an answer's prompt, and those of them that were new, by the engine's counters around it.

    The server's own word comes first, where it logs them. An answer that was dropped before its end is not
    counted by the engine. Where another one ended in between, as what is read ahead does, the two are told as
    one: that is good enough for few tokens, and says nothing about many.
    """
    if said is not None and {"prompt", "new"} <= said.keys():
        return int(said["prompt"]), int(said["new"])
    prompt, cached, answers = (
        int(after.get(it, 0.0) - before.get(it, 0.0)) for it in ("prompt_tokens", "cached_tokens", "requests")
    )
    if not prompt:
        return None, None
    if answers == 1:
        return prompt, prompt - cached
    return None, prompt - cached if prompt - cached <= NEW_AT_MOST else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """One way of answering, over all its keystrokes."""

    keys: int
    asked: int
    """For how many the model had to answer."""
    shown: int
    in_time: float
    """The share of keystrokes whose answer came before the next key."""
    sources: Mapping[str, int]
    ms: Spread | None
    """Of the keystrokes for which the model was asked."""
    full_ms: Spread | None
    """Of those for which it said as many tokens as it may."""
    any_ms: Spread | None
    """Of all keystrokes."""
    cache_ms: Spread | None
    first_ms: Spread | None
    new: Spread | None
    prompt: Spread | None

    def json(self) -> dict[str, Any]:
        """For programs."""
        return {name: _json(getattr(self, name)) for name in self.__slots__}


def summary(samples: Sequence[Sample], tokens: int) -> Summary:
    """What these samples say; ``tokens`` is as much as an answer may be long."""
    asked = [it for it in samples if it.source in ASKED]
    return Summary(
        keys=len(samples),
        asked=len(asked),
        shown=sum(it.shown for it in samples),
        in_time=sum(it.in_time for it in samples) / len(samples) if samples else 0.0,
        sources=dict(Counter(it.source for it in samples)),
        ms=spread(it.ms for it in asked),
        full_ms=spread(it.ms for it in asked if it.produced == tokens),
        any_ms=spread(it.ms for it in samples),
        cache_ms=spread(it.ms for it in samples if it.source == "cache"),
        first_ms=spread(it.first_ms for it in asked if it.first_ms is not None),
        new=spread(it.new for it in asked if it.new is not None),
        prompt=spread(it.prompt for it in asked if it.prompt is not None),
    )


def _rank(count: int, percent: int) -> int:
    return max(0, math.ceil(count * percent / 100) - 1)


def _json(value: Any) -> Any:
    if isinstance(value, Spread):
        return {name: round(float(getattr(value, name)), 3) for name in value.__slots__}
    return round(value, 4) if isinstance(value, float) else value
