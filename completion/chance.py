"""Pure: how likely a model's line is exactly right, from its own probabilities and what the memory says.

A logistic regression whose weights stand in the model's card, by the names of its features; they are learned
from held-out code (``python -m benchmarks.chance``). So the model's lines and the memory's can be compared,
and one threshold decides for both what is worth showing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

NAMES = (
    "one",
    "line",
    "end",
    "mean",
    "least",
    "tokens",
    "memory",
    "found",
    "found_chance",
)
"""In this order: 1; the log-probability of the line, and of what ends it; the logarithms of the mean and the
least probability of its tokens, of their number plus one, of the chance of the memory's best line; whether
the memory knows this line as well, and the logarithm of the chance that it gives to it."""
SMALLEST = 0.005  # A chance below this is none.
SHARE = 0.999  # Of certainty: nothing is certain.


def features(
    logprobs: Sequence[float], end: float, *, memory: float, found: float | None
) -> tuple[float, ...]:
    """In the order of ``NAMES``, for a line whose tokens have these log-probabilities (nats).

    ``end`` is the log-probability of the token behind them, 0 if there is none; ``memory`` the chance of the
    memory's best line; ``found`` the one that it gives to this very line, ``None`` if it does not know it.
    """
    shares = [math.exp(min(it, 0.0)) for it in logprobs] or [1.0]
    return (
        1.0,
        math.fsum(min(it, 0.0) for it in logprobs),
        min(end, 0.0),
        _log(math.fsum(shares) / len(shares)),
        _log(min(shares)),
        math.log1p(len(logprobs)),
        _log(memory),
        float(found is not None),
        _log(found or 0.0),
    )


def chance(weights: Mapping[str, float], values: Sequence[float]) -> float:
    """The probability that the line is exactly right; a weight that is missing counts as 0."""
    score = math.fsum(weights.get(name, 0.0) * value for name, value in zip(NAMES, values, strict=True))
    return SHARE / (1 + math.exp(-max(-30.0, min(30.0, score))))


def _log(share: float) -> float:
    return math.log(max(share, 0.0) + SMALLEST)
