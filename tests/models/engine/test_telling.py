"""What is told of an answer, and when."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.engine.telling import BUNDLE_S, Telling
from models.errors import ModelError
from models.wire import Finish, Piece

Told = list[Piece | Exception]


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.time = 100.0

    def __call__(self) -> float:
        return self.time


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def told() -> Told:
    return []


@pytest.fixture
def telling(told: Told, clock: Clock) -> Telling:
    return Telling(told.append, clock)


def said(text: str, finish: Finish | None = None, choice: int = 0) -> Piece:
    return Piece(text=text, logprobs=(-0.5,), finish=finish, choice=choice)


def test_the_first_piece_is_told_at_once(telling: Telling, told: Told) -> None:
    """Whoever waits for the first word does not wait for the second."""
    telling.piece(said("a"))
    assert told == [said("a")]


def test_what_comes_together_is_told_together(telling: Telling, told: Told) -> None:
    """One bundle, with all its probabilities, and the end is not held back."""
    for piece in (said("a"), said("b"), said("c"), said("d", "stop")):
        telling.piece(piece)
    assert told == [said("a"), Piece(text="bcd", logprobs=(-0.5, -0.5, -0.5), finish="stop")]


def test_a_slow_model_is_told_piece_by_piece(telling: Telling, told: Told, clock: Clock) -> None:
    """Nothing is held back where each piece takes longer than a bundle."""
    for text in "abc":
        telling.piece(said(text))
        clock.time += BUNDLE_S
    assert told == [said("a"), said("b"), said("c")]


def test_an_error_comes_behind_what_was_said(telling: Telling, told: Told) -> None:
    """Nothing of the answer is lost to it."""
    telling.piece(said("a"))
    telling.piece(said("b"))
    telling.error(problem := ModelError("no"))
    assert told == [said("a"), said("b"), problem]


def test_an_error_comes_alone_where_nothing_was_said(telling: Telling, told: Told) -> None:
    """As when the model cannot be loaded."""
    telling.error(problem := ModelError("no"))
    assert told == [problem]


PIECES = st.lists(st.tuples(st.text(max_size=3), st.integers(0, 2), st.floats(0, 0.1)), max_size=20)


@given(pieces=PIECES)
def test_nothing_is_lost_or_mixed(pieces: list[tuple[str, int, float]]) -> None:
    """Each answer's text and probabilities arrive in order, whatever is bundled, and all by its end."""
    told: Told = []
    clock = Clock()
    telling = Telling(told.append, clock)
    for text, choice, later in pieces:
        telling.piece(said(text, choice=choice))
        clock.time += later
    for choice in range(3):
        telling.piece(said("", "stop", choice))
    for choice in range(3):
        mine = [it for it in told if isinstance(it, Piece) and it.choice == choice]
        sent = [text for text, number, _ in pieces if number == choice]
        assert "".join(it.text for it in mine) == "".join(sent)
        assert sum(len(it.logprobs) for it in mine) == len(sent) + 1
        assert [it.finish for it in mine if it.finish] == ["stop"]
