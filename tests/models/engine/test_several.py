"""Several answers to one prompt: different ones, from one prefill, each as if it had been asked for alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from models.engine import several
from models.engine.llama import Llama, Status
from models.registry import STARTER_FILE
from tests.models.engine.driver import LONG, NOISE, PROMPTS, Asked, Driver, on_evaluation, same, working

CODE = Path(several.__file__).read_text("utf-8")


@pytest.fixture(scope="module")
def starter() -> Iterator[Driver]:
    """The bundled model: it has more than one thing to say."""
    with working(STARTER_FILE) as driver:
        yield driver


def ends(asked: Asked) -> list[tuple[int, str | None]]:
    return [(it.choice, it.finish) for it in asked.pieces if it.finish is not None]


@pytest.mark.parametrize("heal", [False, True])
@pytest.mark.parametrize("place", [700, 1500, 2300])
def test_three_different_answers_from_one_prefill(starter: Driver, place: int, heal: bool) -> None:
    """The first is the greedy one; each of the others goes on greedily behind its own first token."""
    prompt = CODE[place - 600 : place]
    alone = starter.ask(prompt, max_tokens=12, heal=heal, logprobs=True).wait()
    asked = starter.ask(prompt, max_tokens=12, heal=heal, logprobs=True, choices=3).wait()
    assert len(asked.texts) == len({it.strip() for it in asked.texts}) == 3
    assert [it.choice for it in asked.pieces][:3] == [0, 1, 2]
    assert all(it.strip() for it in asked.texts)
    assert sorted(choice for choice, _ in ends(asked)) == [0, 1, 2]
    assert asked.texts[0] == alone.text
    first = [number for it in asked.pieces if it.choice == 0 for number in it.logprobs]
    assert first == pytest.approx(alone.logprobs, abs=8 * NOISE)
    assert asked.usage.prompt_tokens - asked.usage.cached_tokens <= 1
    assert asked.usage.completion_tokens <= sum(len(it.logprobs) for it in asked.pieces)


def test_the_likeliest_first_tokens_come_first(starter: Driver) -> None:
    """In the order of what the model thinks of them."""
    asked = starter.ask(CODE[:900], max_tokens=6, logprobs=True, choices=3).wait()
    firsts = [next(it.logprobs[0] for it in asked.pieces if it.choice == at) for at in range(3)]
    assert firsts == sorted(firsts, reverse=True)


def test_one_batch_serves_all(starter: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the first token there is one evaluation for each further one of all three."""
    batches: list[int] = []
    real = Llama.evaluate_together

    def evaluate(self: Llama, rows: list[tuple[int, int, int]]) -> Status:
        batches.append(len(rows))
        return real(self, rows)

    monkeypatch.setattr(Llama, "evaluate_together", evaluate)
    asked = starter.ask(CODE[:900], max_tokens=8, choices=3, logprobs=True).wait()
    lengths = [sum(len(it.logprobs) for it in asked.pieces if it.choice == at) for at in range(3)]
    assert len(batches) in (max(lengths) - 1, max(lengths))
    assert sum(batches) <= sum(lengths)


def test_each_answer_stops_by_itself(starter: Driver) -> None:
    """A stop string in one of them ends that one."""
    plain = starter.ask(CODE[:900], max_tokens=12, choices=3).texts
    stop = plain[1][3:6]
    asked = starter.ask(CODE[:900], max_tokens=12, choices=3, stop=(stop,))
    assert asked.texts == [it.split(stop)[0] for it in plain]
    assert dict(ends(asked))[1] == "stop"


@pytest.mark.parametrize("max_tokens", [0, 1, 2])
def test_few_tokens_each(starter: Driver, max_tokens: int) -> None:
    """Of nothing there is one kind."""
    asked = starter.ask(CODE[:900], max_tokens=max_tokens, choices=3).wait()
    assert len(asked.texts) == (3 if max_tokens else 1)
    assert {finish for _, finish in ends(asked)} == {"length"}


def test_nothing_is_left_of_them(tiny_model: Path) -> None:
    """Their sequences are free and empty, and the next answers are right."""
    with working(tiny_model) as driver:
        expected = driver.ask(PROMPTS[1], max_tokens=8, logprobs=True).wait()
        for _ in range(4):
            assert len(driver.ask(PROMPTS[1], max_tokens=8, choices=3).texts) == 3
        same(driver.ask(PROMPTS[1], max_tokens=8, logprobs=True), expected)


def test_fewer_answers_where_there_is_no_sequence(tiny_model: Path) -> None:
    """Other work has them: what can be given is given."""
    typed: list[Asked] = []

    def type_now() -> None:
        if not typed:
            typed.append(driver.ask(PROMPTS[0], choices=3))

    with working(tiny_model) as driver:
        slow = [
            driver.ask(f"{it} = {it}", max_tokens=40, priority="chat", choices=3, on_first=type_now)
            for it in range(3)
        ]
        assert all(1 <= len(it.texts) <= 3 for it in slow)
        assert 1 <= len(typed[0].texts) <= 3
        assert driver.ask("x").wait().error is None


def test_typing_interrupts_them(tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They go on behind it, to the answers they would have come to."""
    typed: list[Asked] = []
    real = Llama.evaluate_together

    def evaluate(self: Llama, rows: list[tuple[int, int, int]]) -> Status:
        if not typed:
            typed.append(driver.ask(PROMPTS[0]))
        return real(self, rows)

    with working(tiny_model) as driver:
        expected = driver.ask(PROMPTS[1], max_tokens=20, priority="chat", choices=3).texts
        monkeypatch.setattr(Llama, "evaluate_together", evaluate)
        slow = driver.ask(PROMPTS[1], max_tokens=20, priority="chat", choices=3)
        assert slow.texts == expected
    assert driver.ended[-2:] == [typed[0], slow]


def test_they_are_cancelled_together(tiny_model: Path) -> None:
    """Nothing is told afterwards, and all sequences are free."""
    with working(tiny_model) as driver:
        slow = driver.ask(
            PROMPTS[1], max_tokens=400, choices=3, on_first=lambda: driver.worker.cancel(slow.job)
        )
        assert len(driver.ask(PROMPTS[1], max_tokens=8, choices=3).texts) == 3
        assert len(slow.pieces) <= 3
        assert driver.worker.metrics.cancelled == 1


def test_a_memory_too_small_for_all_ends_some_early(tiny_model: Path) -> None:
    """The greedy answer goes on to its end."""
    with working(tiny_model, context=256) as driver:
        alone = driver.ask(LONG[:220], max_tokens=30).text
        asked = driver.ask(LONG[:220], max_tokens=30, choices=3)
        assert asked.texts[0] == alone
        assert dict(ends(asked))[0] == "length"
        assert driver.ask("x").wait().error is None


def test_a_failed_evaluation_frees_all(tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One answer fails, the next is given."""
    with monkeypatch.context() as patch, working(tiny_model) as driver:
        patch.setattr(Llama, "evaluate_together", lambda *_: 1 / 0)
        assert isinstance(driver.ask(choices=3).wait().error, ZeroDivisionError)
        patch.undo()
        assert len(driver.ask(choices=3).texts) == 3


def test_one_answer_where_nothing_can_be_shared(tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An architecture with one state has no prompt to share."""
    monkeypatch.setattr(Llama, "share", lambda *_: False)
    with working(tiny_model) as driver:
        alone = driver.ask().text
        assert driver.ask(choices=3).texts == [alone]


def test_an_interrupted_first_evaluation(tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Several answers are prefilled like one."""
    typed: list[Asked] = []
    with working(tiny_model) as driver:
        on_evaluation(monkeypatch, 2, lambda: typed.append(driver.ask("x")), at_least=400)
        assert len(driver.ask(LONG, priority="chat", choices=3).texts) == 3
    assert typed[0].wait().error is None
