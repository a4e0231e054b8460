"""How long to pause before asking again: pure numbers, no clock."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.retry import Patience, pause, retry_after

PATIENCE = Patience(chance=lambda: 0.0)
NOW = 784111777.0  # Sun, 06 Nov 1994 08:49:37 GMT


def waits(patience: Patience, asked_s: float | None = None) -> list[float]:
    """All pauses until it gives up."""
    found: list[float] = []
    while (seconds := pause(patience, len(found) + 1, sum(found), asked_s)) is not None:
        found.append(seconds)
    return found


def test_pauses_grow() -> None:
    """A server that is busy is not helped by being asked at once."""
    assert waits(Patience(tries=5, chance=lambda: 1.0)) == [0.5, 1.0, 2.0, 4.0]
    assert waits(Patience(tries=5, chance=lambda: 0.0)) == [0.25, 0.5, 1.0, 2.0]


@given(
    st.integers(1, 50),
    st.floats(0.001, 10.0),
    st.floats(0.0, 100.0),
    st.floats(0.0, 1.0),
    st.none() | st.floats(0.0, 1e9),
)
def test_it_always_ends(tries: int, first: float, total: float, chance: float, asked: float | None) -> None:
    """Never more tries, never more time, and never sooner than asked."""
    patience = Patience(tries=tries, first_s=first, total_s=total, chance=lambda: chance)
    found = waits(patience, asked)
    assert len(found) < tries
    assert sum(found) <= total
    assert all(one <= two for one, two in pairwise(found))
    assert asked is None or all(asked <= it for it in found)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "2"}, 2.0),
        ({"retry-after": " 0.5 "}, 0.5),
        ({"retry-after": "0"}, 0.0),
        ({"retry-after-ms": "1500", "retry-after": "2"}, 1.5),
        ({"retry-after-ms": "x", "retry-after": "2"}, 2.0),
        ({"retry-after": "Sun, 06 Nov 1994 08:49:47 GMT"}, 10.0),
        ({"retry-after": "Sun, 06 Nov 1994 08:49:27 GMT"}, 0.0),
        ({"retry-after": "Sunday, 06-Nov-94 08:49:47 GMT"}, 10.0),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "1e400"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": ""}, None),
        ({"retry-after": "Sun, 99 Nov 99999999 08:49:47 GMT"}, None),
    ],
)
def test_retry_after_in_all_its_forms(headers: dict[str, str], seconds: float | None) -> None:
    """Seconds, milliseconds, three forms of a date; nonsense is as if it were not there."""
    assert retry_after(headers, NOW) == seconds
