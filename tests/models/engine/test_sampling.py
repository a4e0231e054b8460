"""The next token from its scores."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.engine.sampling import choose, logprob, mixed
from models.errors import ModelError
from models.wire import Sampling

SCORES = np.array([0.0, 3.0, 1.0, 2.0, -5.0], dtype=np.float32)


def drawn(**settings: float) -> set[int]:
    """The tokens that 300 draws come to."""
    rng = np.random.default_rng(0)
    sampling = Sampling(**{"temperature": 5.0, "top_k": 0, "top_p": 1.0} | settings)  # type: ignore[arg-type]
    return set(Counter(choose(SCORES, sampling, rng) for _ in range(300)))


@pytest.mark.parametrize(
    ("settings", "tokens"),
    [
        ({"temperature": 0.0}, {1}),
        ({"temperature": 1e-12}, {1}),
        ({"temperature": 1e-3}, {1}),
        ({}, {0, 1, 2, 3, 4}),
        ({"top_k": 1}, {1}),
        ({"top_k": 3}, {1, 2, 3}),
        ({"top_k": 99}, {0, 1, 2, 3, 4}),
        ({"top_p": 0.0}, {1}),
        ({"top_p": 0.5, "temperature": 1.0}, {1}),
        ({"top_p": 0.8, "temperature": 1.0}, {1, 3}),
    ],
)
def test_what_may_be_drawn(settings: dict[str, float], tokens: set[int]) -> None:
    """Greedy at temperature 0; within top-k, then within top-p, otherwise."""
    assert drawn(**settings) == tokens


def test_a_seed_repeats_the_draws() -> None:
    """And another one does not."""

    def draws(seed: int) -> list[int]:
        rng = np.random.default_rng(seed)
        return [choose(SCORES, Sampling(temperature=2.0), rng) for _ in range(20)]

    assert draws(1) == draws(1)
    assert draws(1) != draws(2)


@given(st.lists(st.floats(-50, 50, width=32), min_size=1, max_size=50), st.data())
def test_the_logprob_is_the_log_softmax(values: list[float], data: st.DataObject) -> None:
    """The model's own probability, whatever the sampling."""
    scores = np.array(values, dtype=np.float32)
    token = data.draw(st.integers(0, len(values) - 1))
    exact = scores.astype(np.float64)
    expected = exact[token] - exact.max() - np.log(np.exp(exact - exact.max()).sum())
    before = scores.copy()
    assert logprob(scores, token) == pytest.approx(float(expected), abs=1e-4)
    assert (scores == before).all()


@pytest.mark.parametrize("temperature", [0.0, 1.0])
@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_scores_that_are_no_numbers(temperature: float, bad: float) -> None:
    """A file damaged in its weights: said, not drawn from."""
    scores = np.array([0.0, bad, 1.0], dtype=np.float32)
    with pytest.raises(ModelError, match="damaged"):
        choose(scores, Sampling(temperature=temperature), np.random.default_rng(0))


VALUES = st.lists(st.floats(-30, 30, width=32), min_size=3, max_size=30)


@given(VALUES, st.lists(st.floats(0, 0.3), min_size=3, max_size=3), st.floats(0, 1))
def test_a_mixture_is_the_weighted_sum_of_both(
    values: list[float], masses: list[float], weight: float
) -> None:
    """What the other one does not know is left to the model; scores come out as log-probabilities."""
    scores = np.array(values, dtype=np.float32)
    before = scores.copy()
    exact = np.exp(scores.astype(np.float64) - max(values))
    expected = exact / exact.sum() * (1 - weight * sum(masses))
    expected[:3] += weight * np.array(masses)
    found = mixed(scores, dict(enumerate(masses)), weight)
    assert np.exp(found) == pytest.approx(expected, abs=1e-5)
    assert logprob(found, 0) == pytest.approx(float(found[0]), abs=1e-4)
    assert (scores == before).all()


def test_all_weight_leaves_the_model_nothing() -> None:
    """Only what the other one knows can be drawn then, at any temperature."""
    found = mixed(SCORES, {4: 0.75, 2: 0.25}, 1.0)
    assert choose(found, Sampling(), np.random.default_rng(0)) == 4
    rng = np.random.default_rng(0)
    assert {choose(found, Sampling(temperature=2.0), rng) for _ in range(99)} == {2, 4}


def test_top_k_and_top_p_choose_from_the_mixture() -> None:
    """A token that the model alone would never draw is among the best ones."""
    found = mixed(SCORES, {4: 1.0}, 0.6)
    rng = np.random.default_rng(0)
    sampling = Sampling(temperature=1.0, top_k=2, top_p=1.0)
    assert {choose(found, sampling, rng) for _ in range(99)} == {4, 1}


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_mixture_with_what_are_no_numbers_is_none(bad: float) -> None:
    """Candidates do not hide that the file is damaged."""
    found = mixed(np.array([0.0, bad, 1.0], dtype=np.float32), {0: 1.0}, 0.5)
    with pytest.raises(ModelError, match="damaged"):
        choose(found, Sampling(), np.random.default_rng(0))
