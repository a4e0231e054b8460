"""The worker on a real model: turns, cancellation, memory; and that none of it ever changes an answer."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.engine.evaluate import SMALLEST_PIECE
from models.engine.llama import Llama, Status
from models.wire import Priority
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


def test_the_same_prompt_twice_evaluates_one_token(tiny_model: Path) -> None:
    """Everything but the last token, whose scores the answer starts from, is still there."""
    with working(tiny_model) as driver:
        first = driver.ask(LONG, logprobs=True).wait()
        again = driver.ask(LONG, logprobs=True).wait()
    assert first.usage.cached_tokens == 0
    assert again.usage.cached_tokens == first.usage.prompt_tokens - 1
    same(again, first)


def test_typing_on_evaluates_only_what_was_typed(tiny_model: Path) -> None:
    """The middle grows behind an unchanged prefix and suffix."""
    suffix = "\n" + LONG[:400]
    with working(tiny_model) as driver:
        for typed in ("", "r", "re", "ret", "retu"):
            last = driver.ask("def f(x):\n    ", suffix=suffix, middle=typed, logprobs=True).wait()
    assert last.usage.prompt_tokens - last.usage.cached_tokens == 1
    ask = lambda it: it.ask("def f(x):\n    ", suffix=suffix, middle="retu", logprobs=True)  # noqa: E731
    same(last, answer_alone(tiny_model, ask))


edits = st.lists(
    st.tuples(st.floats(0, 1), st.integers(0, 12), st.text("ab(\n é", max_size=4)), min_size=1, max_size=8
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    edits=edits, suffix=st.sampled_from([None, "\n", "\n" + LONG[:90]]), context=st.sampled_from([256, 8192])
)
def test_reuse_never_changes_an_answer(
    tiny_model: Path, edits: list[tuple[float, int, str]], suffix: str | None, context: int
) -> None:
    """Whatever was asked before, in whatever order, with room for all or with sequences being forgotten."""
    text = LONG[:220]
    texts = []
    for place, removed, added in edits:
        at = int(place * len(text))
        text = text[:at] + added + text[at + removed :]
        texts.append(text)
    with working(tiny_model, context=context) as driver:
        reused = [driver.ask(it, suffix=suffix, max_tokens=3, logprobs=True).wait() for it in texts][-1]
    fresh = answer_alone(
        tiny_model, lambda it: it.ask(texts[-1], suffix=suffix, max_tokens=3, logprobs=True), context=context
    )
    same(reused, fresh)


def test_jobs_take_turns_and_answer_as_if_alone(tiny_model: Path) -> None:
    """Interleaved decode steps share one memory and must not see each other's tokens."""

    def ask(prompt: str) -> Callable[[Driver], Asked]:
        return lambda it: it.ask(prompt, max_tokens=24, logprobs=True)

    alone = [answer_alone(tiny_model, ask(it)) for it in PROMPTS]
    with working(tiny_model, start=False) as driver:
        priorities: tuple[Priority, ...] = ("chat", "background", "chat", "background")
        late = [
            driver.ask(it, max_tokens=24, priority=priority, logprobs=True)
            for it, priority in zip(PROMPTS, priorities, strict=True)
        ]
        typing = [ask(it)(driver) for it in PROMPTS]
        driver.worker.start()
        for asked, expected in zip([*late, *typing], [*alone, *alone], strict=True):
            same(asked, expected)
    assert driver.ended[:4] == typing, "ghost text goes first, in the order it was asked for"
    assert set(driver.ended[4:6]) == {late[0], late[2]}, "then what somebody waits for"


@pytest.mark.parametrize("priority", ["background", "chat"])
def test_typing_interrupts_a_prefill(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch, priority: Priority
) -> None:
    """The prefill stops where it is and goes on later, to the answer it would have come to."""
    expected = answer_alone(tiny_model, lambda it: it.ask(LONG, logprobs=True))
    typed: list[Asked] = []
    with working(tiny_model) as driver:
        on_evaluation(monkeypatch, 2, lambda: typed.append(driver.ask(PROMPTS[0])), at_least=400)
        slow = driver.ask(LONG, priority=priority, logprobs=True)
        same(slow, expected)
    assert driver.ended == [typed[0], slow]


def test_somebody_who_types_all_the_time_does_not_stop_a_prefill(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each key interrupts it and only a small piece fits between two of them: it still comes to its end."""
    expected = answer_alone(tiny_model, lambda it: it.ask(LONG[:700], logprobs=True))
    real = Llama.evaluate
    typed: list[Asked] = []

    def evaluate(self: Llama, sequence: int, position: int, tokens: list[int], *, outputs: int) -> Status:
        if SMALLEST_PIECE < len(tokens):
            typed.append(driver.ask("x", max_tokens=1))
        return real(self, sequence, position, tokens, outputs=outputs)

    with working(tiny_model) as driver:
        monkeypatch.setattr(Llama, "evaluate", evaluate)
        slow = driver.ask(LONG[:700], priority="background", logprobs=True)
        same(slow, expected)
    assert 20 < len(typed)
    assert driver.ended[-1] is slow


def test_typing_interrupts_a_decode(tiny_model: Path) -> None:
    """Between two steps of another answer."""
    expected = answer_alone(tiny_model, lambda it: it.ask(PROMPTS[1], max_tokens=60, logprobs=True))
    typed: list[Asked] = []
    with working(tiny_model) as driver:
        slow = driver.ask(
            PROMPTS[1],
            max_tokens=60,
            priority="background",
            logprobs=True,
            on_first=lambda: typed.append(driver.ask(PROMPTS[0])),
        )
        same(slow, expected)
    assert driver.ended == [typed[0], slow]


def test_more_urgent_work_is_never_locked_out(tiny_model: Path) -> None:
    """Whatever has begun already, a place is kept for chat and one for ghost text."""
    with working(tiny_model) as driver:
        chat: list[Asked] = []
        many = [
            driver.ask(
                f"{it} = {it}",
                max_tokens=40,
                priority="background",
                on_first=lambda: chat.append(driver.ask("y", priority="chat")),
            )
            for it in range(7)
        ]
        for it in many:
            it.wait()
        for it in chat:
            it.wait()
    assert len(driver.ended) == 14


def test_many_jobs_of_one_kind_are_all_answered(tiny_model: Path) -> None:
    """More jobs than sequences wait for their turn."""
    rng = random.Random(1)
    with working(tiny_model) as driver:
        asked = [
            driver.ask(PROMPTS[it % 4], priority=rng.choice(["typing", "chat", "background"]))
            for it in range(24)
        ]
        texts = [it.text for it in asked]
    assert len(set(texts)) == len({texts[it] for it in range(4)})
    assert [it == texts[at % 4] for at, it in enumerate(texts)] == [True] * 24


def test_cancel_in_a_prefill_frees_the_sequence(tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The work stops, nobody is told, what was evaluated is kept and the next answer is right."""
    expected = answer_alone(tiny_model, lambda it: it.ask(LONG, logprobs=True))
    with working(tiny_model) as driver:
        on_evaluation(monkeypatch, 3, lambda: driver.worker.cancel(slow.job), at_least=400)
        slow = driver.ask(LONG)
        short = driver.ask(PROMPTS[0]).wait()
        assert short.error is None
        assert (slow.pieces, slow.over.is_set()) == ([], False)
        assert driver.worker.metrics.cancelled == 1
        again = driver.ask(LONG, logprobs=True)
        same(again, expected)
        assert 512 <= again.usage.cached_tokens < again.usage.prompt_tokens


def test_cancel_in_a_decode_frees_the_sequence(tiny_model: Path) -> None:
    """Within one step: nothing comes after the piece at which it was cancelled."""
    expected = answer_alone(tiny_model, lambda it: it.ask(PROMPTS[1], max_tokens=9, logprobs=True))
    with working(tiny_model) as driver:
        slow = driver.ask(PROMPTS[1], max_tokens=500, on_first=lambda: driver.worker.cancel(slow.job))
        same(driver.ask(PROMPTS[1], max_tokens=9, logprobs=True), expected)
        assert len(slow.pieces) == 1
        assert driver.worker.metrics.cancelled == 1


def test_cancel_before_its_turn_costs_nothing(tiny_model: Path) -> None:
    """A job nobody waits for any more never begins."""
    with working(tiny_model, start=False) as driver:
        gone = driver.ask(LONG)
        driver.worker.cancel(gone.job)
        driver.worker.start()
        driver.ask(PROMPTS[0]).wait()
    assert gone.pieces == []
    assert driver.worker.metrics.prompt_tokens < 20
    assert driver.worker.metrics.cancelled == 1


def test_cancel_and_submit_from_many_threads(tiny_model: Path) -> None:
    """Every job ends in exactly one way, and the worker is well afterwards."""
    with working(tiny_model) as driver:

        def storm(seed: int) -> None:
            rng = random.Random(seed)
            for _ in range(12):
                asked = driver.ask(
                    LONG[: rng.randrange(900)],
                    max_tokens=rng.randrange(12),
                    priority=rng.choice(["typing", "chat", "background"]),
                )
                if rng.random() < 0.5:
                    driver.worker.cancel(asked.job)
                else:
                    assert asked.wait().error is None

        threads = [threading.Thread(target=storm, args=(seed,)) for seed in range(6)]
        for it in threads:
            it.start()
        for it in threads:
            it.join()
        last = driver.ask(PROMPTS[0], logprobs=True).wait()
        metrics = driver.worker.metrics
        assert metrics.requests + metrics.cancelled == 6 * 12 + 1
    same(last, answer_alone(tiny_model, lambda it: it.ask(PROMPTS[0], logprobs=True)))


def test_a_full_memory_forgets_what_nobody_uses(tiny_model: Path) -> None:
    """Sequences that only remember give way, the longest unused one first."""
    with working(tiny_model, context=512) as driver:
        for at in range(6):
            driver.ask(f"# {at}\n" + LONG[at * 30 : at * 30 + 380], max_tokens=4).wait()
        expected = answer_alone(tiny_model, lambda it: it.ask(LONG[:450], logprobs=True), context=512)
        same(driver.ask(LONG[:450], logprobs=True), expected)


def test_a_full_memory_makes_lesser_work_start_over(tiny_model: Path) -> None:
    """Ghost text takes the room of a background answer, which still comes out right."""
    expected = answer_alone(
        tiny_model, lambda it: it.ask(LONG[:400], max_tokens=30, logprobs=True), context=512
    )
    typed: list[Asked] = []
    with working(tiny_model, context=512) as driver:
        slow = driver.ask(
            LONG[:400],
            max_tokens=30,
            priority="background",
            logprobs=True,
            on_first=lambda: typed.append(driver.ask(LONG[500:900])),
        )
        same(slow, expected)
        assert typed[0].error is None
    assert driver.ended == [typed[0], slow]


def test_a_full_memory_lets_equals_finish_one_after_the_other(tiny_model: Path) -> None:
    """Three conversations that do not fit together are all answered."""
    prompts = [LONG[at : at + 400] for at in (0, 400, 800)]

    def ask(prompt: str) -> Callable[[Driver], Asked]:
        return lambda it: it.ask(prompt, max_tokens=20, priority="chat", logprobs=True)

    expected = [answer_alone(tiny_model, ask(it), context=512) for it in prompts]
    with working(tiny_model, context=512, start=False) as driver:
        asked = [ask(it)(driver) for it in prompts]
        driver.worker.start()
        for it, alone in zip(asked, expected, strict=True):
            same(it, alone)
    assert driver.ended[0] == asked[0], "the oldest one never gives way"
