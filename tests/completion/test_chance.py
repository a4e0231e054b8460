"""How likely a model's line is right: from its probabilities and the memory's, with its card's weights."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from completion.chance import NAMES, chance, features
from models import registry

LOGPROBS = st.lists(st.floats(-20.0, 0.0), max_size=12)
SHARES = st.floats(0.0, 1.0)


@given(LOGPROBS, st.floats(-20.0, 0.0), SHARES, st.none() | SHARES, st.lists(st.floats(-5, 5), max_size=9))
def test_it_is_always_a_probability(
    logprobs: list[float], end: float, memory: float, found: float | None, numbers: list[float]
) -> None:
    """Whatever is said, and whatever a card holds: strictly between 0 and 1, one number for each name."""
    values = features(logprobs, end, memory=memory, found=found)
    assert len(values) == len(NAMES)
    assert all(map(math.isfinite, values))
    assert 0.0 < chance(dict(zip(NAMES, numbers, strict=False)), values) < 1.0


def test_what_the_features_are() -> None:
    """The line's own probability, its mean and least token, and what the memory has to say."""
    told = dict(zip(NAMES, features([-0.1, -2.0], -0.5, memory=0.4, found=0.3), strict=True))
    assert math.isclose(told["line"], -2.1)
    assert told["end"] == -0.5
    assert math.isclose(math.exp(told["least"]), math.exp(-2.0) + 0.005)
    assert told["mean"] > told["least"]
    assert (told["one"], told["found"]) == (1.0, 1.0)
    unknown = dict(zip(NAMES, features([-0.1], 0.0, memory=0.0, found=None), strict=True))
    assert (unknown["found"], unknown["found_chance"]) == (0.0, math.log(0.005))


def test_the_bundled_models_weights() -> None:
    """Its card names no other features, a surer line is likelier, and so is one that the memory knows."""
    weights = registry.starter().chance
    assert set(weights) <= set(NAMES)

    def of(logprobs: list[float], found: float | None = None) -> float:
        return chance(weights, features(logprobs, -0.1, memory=0.3, found=found))

    assert of([-3.0, -3.0]) < of([-1.0, -1.0]) < of([-0.05, -0.05])
    assert of([-1.0, -1.0]) < of([-1.0, -1.0], found=0.3)
