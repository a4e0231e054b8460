"""Drafts from what stands in the prompt already: found, exact, counted apart, and given up in time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.engine import window
from models.engine.draft import LONGEST, MATCHES, PROBE_EVERY, SURENESS, Draft, DraftSize
from models.engine.window import LONGEST_MATCH, SHORTEST, Window
from models.registry import STARTER_FILE
from tests.models.engine.driver import Driver, same, working
from tests.models.engine.test_drafting import drafting, evaluations

CODE = Path(window.__file__).read_text("utf-8")
AGAIN = "".join(f"    self.total_{it} = compute(self.first_{it}, self.second)\n" for it in "abcabcabc")


@pytest.fixture(scope="module")
def starter() -> Iterator[Driver]:
    """The bundled model: it repeats what it sees, as models do."""
    with working(STARTER_FILE) as driver:
        yield driver


def by_hand(tokens: list[int], limit: int) -> tuple[tuple[int, ...], int]:
    best, at = 0, 0
    for end in range(1, len(tokens)):
        length = 0
        while length < min(end, LONGEST_MATCH) and tokens[end - 1 - length] == tokens[-1 - length]:
            length += 1
        if best <= length:
            best, at = length, end
    return (tuple(tokens[at : at + limit]), best) if SHORTEST <= best else ((), 0)


TOKENS = st.lists(st.integers(0, 3), max_size=40)


@given(TOKENS, st.integers(1, 20))
def test_the_longest_and_last_match_is_found(tokens: list[int], limit: int) -> None:
    """The same as going through all places."""
    assert Window(tokens, 0).follows(limit) == by_hand(tokens, limit)


@given(TOKENS, st.lists(st.lists(st.integers(0, 3), max_size=5), max_size=6))
def test_it_keeps_up(tokens: list[int], changes: list[list[int]]) -> None:
    """Tokens come, one or several at a time."""
    found = Window(tokens, 40)
    for more in changes:
        tokens = tokens + more
        found.now(tokens)
        assert found.follows(5) == by_hand(tokens, 5)


@pytest.mark.parametrize("size", [1, 4, LONGEST])
@pytest.mark.parametrize("suffix", [None, "\n    return self\n"])
def test_an_answer_is_the_same_with_drafts_from_the_window(
    starter: Driver, size: int, suffix: str | None
) -> None:
    """And takes fewer evaluations where the model repeats what is there."""
    with drafting(0):
        expected = starter.ask(AGAIN, suffix=suffix, max_tokens=24, logprobs=True).wait()
    with drafting(size), evaluations() as seen:
        asked = starter.ask(AGAIN, suffix=suffix, max_tokens=24, logprobs=True).wait()
    assert asked.text == expected.text
    assert len(asked.logprobs) == len(expected.logprobs)
    chosen = asked.usage.completion_tokens + (asked.pieces[-1].finish == "stop")  # The end is chosen, too.
    assert asked.usage.accepted_tokens == chosen - len(seen)
    if suffix is None:
        assert 0 < asked.usage.accepted_tokens


def test_special_tokens_are_not_drafted(starter: Driver) -> None:
    """Behind the prefix's end stands the suffix: that is no text."""
    with drafting(LONGEST):
        asked = starter.ask("x = 1\n", suffix="x = 1\n", middle="x = 1", max_tokens=8).wait()
    assert asked.error is None


def test_candidates_come_first(tiny_model: Path) -> None:
    """They know what they are for; the window helps where they are silent. Both are counted."""
    text = "abcabcabc = [1, 2, 3]\n" * 4
    with working(tiny_model) as driver, drafting(4):
        asked = driver.ask("abcabc", max_tokens=40, candidates=[(text, 1.0)], memory_weight=0.9).wait()
        driver.ask("x", max_tokens=0).wait()
        metrics = driver.worker.metrics
        assert asked.text == text[:40]
        assert metrics.window_drafted_tokens == 0 < metrics.drafted_tokens
        more = driver.ask("abcabcabcabc", max_tokens=20, logprobs=True).wait()
        driver.ask("x", max_tokens=0).wait()
        assert metrics.window_drafted_tokens == more.usage.drafted_tokens
    with working(tiny_model) as driver, drafting(0):
        same(more, driver.ask("abcabcabcabc", max_tokens=20, logprobs=True))


def test_what_never_comes_true_is_given_up() -> None:
    """By the length of its match, apart from candidates: these still count as before."""
    size = DraftSize()
    short, long, candidate = (
        Draft(tokens=(1, 2, 3), match=2),
        Draft(tokens=(1, 2, 3), match=9),
        Draft(tokens=(1, 2, 3), weight=0.9),
    )
    assert size.size(short)
    for _ in range(20):
        size = size.judged(short, 1, 0)
    assert size.size(short) == 0
    assert size.size(long)
    assert size.size(candidate)
    for _ in range(PROBE_EVERY):
        size = size.passed(short)
    assert size.size(short)


@pytest.mark.parametrize(("match", "place"), [(2, 0), (3, 1), (4, 1), (5, 2), (12, 2), (99, 2)])
def test_matches_are_counted_by_their_length(match: int, place: int) -> None:
    """Behind those of the candidates."""
    told = DraftSize().judged(Draft(tokens=(1,), match=match), 1, 1)
    changed = [at for at, it in enumerate(told.by_weight) if it != DraftSize().by_weight[at]]
    assert changed == [SURENESS + place]
    assert len(told.by_weight) == SURENESS + len(MATCHES)
