"""How much may be read before a first answer follows from what reading and writing have cost."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from completion.pace import (
    ANSWER_TOKENS,
    FASTEST,
    FIRST_SECONDS,
    LEAST_TOKENS,
    MOST_TOKENS,
    SLOWEST,
    SLOWEST_WRITER,
    Pace,
)
from models.wire import Usage

COST = Usage(prompt_tokens=100, cached_tokens=0, completion_tokens=9, prompt_ms=200.0, decode_ms=100.0)
COUNTS = st.integers(0, 10**6)
TIMES = st.floats(0, 1e9)


def test_reading_and_writing_fit_into_the_time() -> None:
    """Whoever reads and writes as fast as is known is done in the time that a first answer has."""
    pace = Pace(reads=400.0, writes=40.0)
    assert pace.first_tokens / pace.reads + ANSWER_TOKENS / pace.writes == pytest.approx(FIRST_SECONDS)


@pytest.mark.parametrize(
    ("faster", "slower"),
    [
        (Pace(reads=2000.0), Pace(reads=500.0)),
        (Pace(reads=1000.0, writes=100.0), Pace(reads=1000.0, writes=30.0)),
    ],
)
def test_who_is_faster_reads_more(faster: Pace, slower: Pace) -> None:
    """Whether it is faster at reading, or at writing, which leaves more of the time for reading."""
    assert slower.first_tokens < faster.first_tokens


def test_one_answer_moves_it_half_the_way() -> None:
    """Machines get slower and faster within a minute; one answer may have been bad luck."""
    learned = Pace(reads=300.0, writes=50.0).learned(COST)
    assert (learned.reads, learned.writes) == (400.0, 65.0)


def test_a_slow_writer_is_given_less_to_read() -> None:
    """Slower than what is taken for granted at first, too."""
    slow = replace(COST, decode_ms=8 * 1000 / 25)
    assert Pace().learned(slow).writes == pytest.approx((50.0 + 25.0) / 2)
    assert Pace(reads=400.0, writes=25.0).first_tokens < Pace(reads=400.0, writes=50.0).first_tokens


@pytest.mark.parametrize(
    "cost",
    [
        replace(COST, cached_tokens=90, completion_tokens=2),
        replace(COST, prompt_ms=0.0, decode_ms=0.0),
        Usage(prompt_tokens=0, cached_tokens=0, completion_tokens=0),
    ],
)
def test_what_tells_nothing_changes_nothing(cost: Usage) -> None:
    """A few tokens, or a server that does not say how long they took."""
    assert Pace().learned(cost) == Pace()


@given(st.lists(st.tuples(COUNTS, COUNTS, COUNTS, TIMES, TIMES), max_size=8))
def test_whatever_a_server_says_it_stays_sensible(costs: list[tuple[int, int, int, float, float]]) -> None:
    """Never too little to say anything, never more than there is; nonsense does no harm."""
    pace = Pace()
    for prompt, cached, said, prompt_ms, decode_ms in costs:
        cost = Usage(
            prompt_tokens=prompt,
            cached_tokens=cached,
            completion_tokens=said,
            prompt_ms=prompt_ms,
            decode_ms=decode_ms,
        )
        pace = pace.learned(cost)
        assert SLOWEST <= pace.reads <= FASTEST
        assert SLOWEST_WRITER <= pace.writes <= FASTEST
        assert LEAST_TOKENS <= pace.first_tokens <= MOST_TOKENS
