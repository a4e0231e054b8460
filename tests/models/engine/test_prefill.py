"""Work ahead of time: for a question that is expected, never at the cost of the one that is asked."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from models.engine import loaded
from models.engine.job import Unavailable
from tests.models.engine.driver import (
    LONG,
    PROMPTS,
    Asked,
    Driver,
    answer_alone,
    on_evaluation,
    same,
    working,
)

SUFFIX = "\n" + LONG[:300]


def prefill(driver: Driver, prompt: str, suffix: str | None = SUFFIX) -> Asked:
    return driver.ask(prompt, suffix=suffix, max_tokens=0, priority="prefill", heal=True).wait()


def test_what_was_evaluated_ahead_is_there(tiny_model: Path) -> None:
    """The first letter typed behind it evaluates nothing but itself."""
    with working(tiny_model) as driver:
        ahead = prefill(driver, LONG[:300])
        assert (ahead.text, ahead.pieces[-1].finish) == ("", "length")
        typed = driver.ask(LONG[:300], suffix=SUFFIX, heal=True, logprobs=True).wait()
        assert typed.usage.cached_tokens == typed.usage.prompt_tokens == ahead.usage.prompt_tokens
        more = driver.ask(LONG[:300], suffix=SUFFIX, middle="r", heal=True).wait()
        assert more.usage.prompt_tokens - more.usage.cached_tokens <= 1
    same(
        typed,
        answer_alone(tiny_model, lambda it: it.ask(LONG[:300], suffix=SUFFIX, heal=True, logprobs=True)),
    )


@pytest.mark.parametrize("shared", [0, 40, 250])
def test_it_leaves_what_typing_uses(tiny_model: Path, shared: int) -> None:
    """However much the two have in common: what they share is shared, nothing is cut."""
    with working(tiny_model) as driver:
        typed = driver.ask(LONG[:300], suffix=SUFFIX).wait()
        ahead = prefill(driver, LONG[:shared] + "class A:\n" + LONG[400:600])
        assert shared <= ahead.usage.cached_tokens < shared + 12
        again = driver.ask(LONG[:300], suffix=SUFFIX).wait()
    assert again.usage.cached_tokens == typed.usage.prompt_tokens - 1


def test_two_anchors_of_one_document_and_one_of_another_fit(tiny_model: Path) -> None:
    """Typing goes on in the first, the next one is prepared, and one more waits in another document."""
    other, first, second = (LONG[at : at + 250] for at in (900, 0, 30))
    with working(tiny_model, context=2048) as driver:
        driver.ask(other, suffix=SUFFIX).wait()
        driver.ask(first, suffix=SUFFIX).wait()
        prefill(driver, second)
        for prompt in (second, first, other):
            usage = driver.ask(prompt, suffix=SUFFIX).usage
            assert usage.prompt_tokens - usage.cached_tokens <= 1


def test_where_there_is_no_room_it_fails_and_costs_nothing(tiny_model: Path) -> None:
    """One sentence for who asked ahead; who types notices nothing."""
    with working(tiny_model, context=512) as driver:
        typed = driver.ask(LONG[:300]).wait()
        ahead = driver.ask(LONG[500:850], max_tokens=0, priority="prefill").wait()
        assert isinstance(ahead.error, Unavailable)
        again = driver.ask(LONG[:300]).wait()
        assert again.usage.cached_tokens == typed.usage.prompt_tokens - 1
        assert driver.ask(LONG[500:850], priority="background").wait().error is None


@pytest.mark.parametrize("priority", ["typing", "chat"])
def test_it_gives_way(tiny_model: Path, monkeypatch: pytest.MonkeyPatch, priority: str) -> None:
    """Inside its evaluation; what was finished of it stays, and it comes to its end later."""
    urgent: list[Asked] = []
    with working(tiny_model) as driver:
        on_evaluation(
            monkeypatch,
            2,
            lambda: urgent.append(driver.ask(PROMPTS[0], priority=priority)),  # type: ignore[arg-type]
            at_least=400,
        )
        ahead = driver.ask(LONG, max_tokens=0, priority="prefill", heal=True).wait()
        assert driver.ended == [urgent[0], ahead]
        usage = driver.ask(LONG, heal=True).usage
        assert usage.cached_tokens == usage.prompt_tokens


def test_what_is_urgent_goes_first(tiny_model: Path) -> None:
    """In this order, whatever was asked first."""
    with working(tiny_model, start=False) as driver:
        asked = [
            driver.ask(f"{name} = ", priority=name) for name in ("background", "prefill", "chat", "typing")
        ]
        driver.worker.start()
        for it in asked:
            it.wait()
    assert driver.ended == asked[::-1]


def test_a_cancelled_one_is_not_lost(tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The user moved on; what was evaluated serves if they come back."""
    with working(tiny_model) as driver:
        on_evaluation(monkeypatch, 3, lambda: driver.worker.cancel(ahead.job), at_least=400)
        ahead = driver.ask(LONG, max_tokens=0, priority="prefill")
        assert driver.ask(PROMPTS[0], priority="background").wait().error is None
        assert 512 <= driver.ask(LONG).usage.cached_tokens


def test_typing_and_looking_ahead_by_turns(tiny_model: Path) -> None:
    """Each suggestion is followed by a look at the state behind it: neither makes the other start over."""
    text = LONG[:400]
    with working(tiny_model) as driver:
        costs = []
        for at in range(40, 240, 5):
            typed = driver.ask(text[:40], suffix=SUFFIX, middle=text[40:at], heal=True).usage
            costs.append(typed.prompt_tokens - typed.cached_tokens)
            ahead = text[40 : at + 12]
            driver.ask(
                text[:40], suffix=SUFFIX, middle=ahead, priority="prefill", max_tokens=4, heal=True
            ).wait()
    assert max(costs[1:]) <= 6
    assert all(one <= 6 for one, _ in pairwise(costs[1:]))


def test_what_nobody_asks_about_any_more_is_forgotten(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As soon as somebody waits for an answer; not for work in the background."""
    monkeypatch.setattr(loaded, "IDLE_CELLS", 250)
    monkeypatch.setattr(loaded, "RECENT_SECONDS", 0.0)
    with working(tiny_model) as driver:
        for at in (0, 300, 600):
            driver.ask(LONG[at : at + 200], priority="background").wait()
        held = driver.worker._models[tiny_model].held
        assert sum(map(len, held)) > 600
        driver.ask("y").wait()
        assert 200 <= sum(map(len, held)) < 300
        assert driver.ask(LONG[600:800], priority="chat").usage.cached_tokens > 190
