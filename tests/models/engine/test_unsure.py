"""An answer that nobody would be shown ends early."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path

import pytest

from models.engine import speech
from models.engine.speech import JUDGED
from models.registry import STARTER_FILE
from tests.models.engine.driver import Asked, Driver, working

CODE = Path(speech.__file__).read_text("utf-8")
PLACES = (700, 1500, 2300, 3100, 3900)


@pytest.fixture(scope="module")
def starter() -> Iterator[Driver]:
    """The bundled model: it is more sure at some places than at others."""
    with working(STARTER_FILE) as driver:
        yield driver


def asked_at(driver: Driver, place: int, least: float) -> Asked:
    prompt = CODE[place - 600 : place]
    return driver.ask(prompt, max_tokens=24, logprobs=True, least_probability=least).wait()


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("least", [0.1, 0.3, 0.5, 0.9])
def test_it_ends_with_the_token_that_makes_it_unlikely(starter: Driver, place: int, least: float) -> None:
    """The geometric mean of all so far, of four at least; what was said up to there is told."""
    whole = asked_at(starter, place, 0.0)
    means = [math.exp(total / count) for count, total in enumerate(accumulate(whole.logprobs), 1)]
    unlikely = [count for count, mean in enumerate(means, 1) if JUDGED <= count and mean < least]
    asked = asked_at(starter, place, least)
    assert whole.text.startswith(asked.text)
    if unlikely and unlikely[0] < whole.usage.completion_tokens:
        assert asked.pieces[-1].finish == "unsure"
        assert asked.usage.completion_tokens == unlikely[0] == len(asked.logprobs)
    else:
        assert (asked.text, asked.pieces[-1].finish) == (whole.text, whole.pieces[-1].finish)


def test_some_are_unsure_and_some_are_not(starter: Driver) -> None:
    """So the test above looks at both."""
    finishes = {asked_at(starter, it, least).pieces[-1].finish for it in PLACES for least in (0.1, 0.9)}
    assert {"unsure"} < finishes


def test_each_of_several_answers_is_judged_by_itself(starter: Driver) -> None:
    """The first may be likely and the others not."""
    asked = starter.ask(CODE[100:700], max_tokens=24, choices=3, least_probability=0.5)
    plain = starter.ask(CODE[100:700], max_tokens=24, choices=3)
    assert all(long.startswith(short) for long, short in zip(plain.texts, asked.texts, strict=True))
    assert asked.usage.completion_tokens < plain.usage.completion_tokens
