"""What a vote weighs is what was learned: the quick sum and the features that it is learned from agree."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from codeindex.memory.occurrence import Occurrence
from completion.memory import coefficients
from completion.memory.evidence import Source
from completion.memory.question import Question, pieces_within
from completion.memory.weigh import NAMES, features, votes

CONTEXT = b"total = sum("
QUESTION = Question(
    context=CONTEXT,
    typed=CONTEXT,
    partial=0,
    pieces=pieces_within(CONTEXT),
    above=(),
    line_below=b"return total / count",
    names=frozenset(),
    path="a",
    line=3,
)


@pytest.mark.parametrize("source", list(Source))
@pytest.mark.parametrize("distance", [-1, 0, 1, 40])
@pytest.mark.parametrize(
    "below",
    [b"", b"\n", b"return total / count\n", b"\x02return total / many\n", b"pass\n", b"cut off"],
)
@pytest.mark.parametrize("wanted", [b"", QUESTION.line_below])
def test_the_weight_is_the_features_times_what_was_learned(
    source: Source, distance: int, below: bytes, wanted: bytes
) -> None:
    """For every kind of place."""
    question = replace(QUESTION, line_below=wanted)
    place = Occurrence(
        matched=9,
        source=source,
        distance=distance,
        after=b"values)\n" + below,
        path="b",
        origin=(0, 0),
    )
    (vote,) = votes(question, [place])
    values = dict(zip(NAMES, features(question, place), strict=True))
    expected = sum(it * values[name] for name, it in zip(NAMES, coefficients.WEIGHTS, strict=True))
    assert vote.weight == pytest.approx(math.exp(expected))
    assert (vote.same_below, vote.like_below) == (values["same_below"] > 0, values["like_below"] > 0)
