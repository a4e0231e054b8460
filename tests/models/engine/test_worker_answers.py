"""What the worker makes of odd requests, and that one failure is one failed answer."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from models.engine.generate import TooLong
from models.engine.job import Unavailable
from models.engine.llama import Llama
from models.errors import ModelError
from tests.models.engine.driver import (
    LONG,
    PROMPTS,
    answer_alone,
    on_evaluation,
    same,
    working,
)


@pytest.mark.parametrize(("max_tokens", "produced"), [(0, 0), (1, 1), (2, 2)])
def test_few_tokens(tiny_model: Path, max_tokens: int, produced: int) -> None:
    """No token at all evaluates the prompt, which warms it up."""
    with working(tiny_model) as driver:
        asked = driver.ask("x = ", max_tokens=max_tokens).wait()
        assert asked.usage.completion_tokens == produced
        assert asked.pieces[-1].finish == "length"
        assert driver.ask("x = ").usage.cached_tokens == asked.usage.prompt_tokens - 1


def test_an_answer_ends_where_the_context_ends(tiny_model: Path) -> None:
    """A long answer stops at the context's end instead of failing."""
    with working(tiny_model, context=256) as driver:
        asked = driver.ask("x", max_tokens=100_000, temperature=8.0, seed=3).wait()
        assert asked.usage.prompt_tokens + asked.usage.completion_tokens <= 256
        assert driver.ask("x").wait().error is None


def test_a_prompt_longer_than_the_context(tiny_model: Path) -> None:
    """Without a suffix it is refused with both numbers; with one its far ends are cut."""
    with working(tiny_model, context=256) as driver:
        refused = driver.ask(LONG).wait()
        assert isinstance(refused.error, TooLong)
        assert str(refused.error).startswith("The prompt has ")
        assert str(refused.error).endswith(" tokens; tiny takes 255.")
        cut = driver.ask(LONG * 20, suffix=LONG * 20).wait()
        assert cut.usage.prompt_tokens < 256
        assert driver.ask("x").wait().error is None


@pytest.mark.parametrize("suffix", [None, "", "\n"])
def test_an_empty_prompt_is_answered(tiny_model: Path, suffix: str | None) -> None:
    """An empty file is where many begin."""
    with working(tiny_model) as driver:
        assert driver.ask("", suffix=suffix).usage.completion_tokens <= 8


@pytest.mark.parametrize(
    "prompt",
    [
        "\0",
        "\ud800",
        "\r\n\t",
        "e\u0301\u200d😀",
        "<|fim_middle|><|im_end|>",
        "a" * 30_000,
        " " * 30_000,
        "é" * 9000,
    ],
    ids=["nul", "half a pair", "blanks", "combining", "special", "one word", "one blank", "accents"],
)
def test_any_text_is_a_prompt(tiny_model: Path, prompt: str) -> None:
    """What editors and files hold."""
    with working(tiny_model) as driver:
        assert driver.ask(prompt, suffix=prompt).usage.prompt_tokens < 2048


def test_stop_strings_end_the_answer(tiny_model: Path) -> None:
    """The answer is what comes before; the sequence goes on to serve."""
    with working(tiny_model) as driver:
        whole = driver.ask("x = ", max_tokens=12).text
        asked = driver.ask("x = ", max_tokens=12, stop=(whole[3:5],)).wait()
        assert asked.text == whole[: whole.index(whole[3:5])]
        assert asked.pieces[-1].finish == "stop"
        assert driver.ask("x = ", max_tokens=12).text == whole


def test_a_seed_repeats_an_answer(tiny_model: Path) -> None:
    """Also when the prompt is in memory already."""
    with working(tiny_model) as driver:
        texts = [driver.ask("x", max_tokens=16, temperature=1.0, seed=seed).text for seed in (1, 2, 1, 2)]
    assert texts[:2] == texts[2:]
    assert texts[0] != texts[1]


def test_a_conversation_is_answered_and_its_start_is_kept(tiny_model: Path) -> None:
    """The file's own template; the second question evaluates only what is new."""
    with working(tiny_model) as driver:
        first = driver.chat("Why is that?" * 4).wait()
        second = driver.chat("Why is that?" * 4, "Because.").wait()
        assert first.usage.prompt_tokens - 20 < second.usage.cached_tokens
        assert second.error is None


def test_a_failed_evaluation_ends_one_job(tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its sequence is free and empty again; the next answer is right."""
    expected = answer_alone(tiny_model, lambda it: it.ask(logprobs=True))

    def fail() -> None:
        raise ModelError("It broke.")

    with working(tiny_model) as driver:
        on_evaluation(monkeypatch, 2, fail)
        broken = driver.ask().wait()
        assert str(broken.error) == "It broke."
        for _ in range(5):
            same(driver.ask(logprobs=True), expected)


@pytest.mark.parametrize("exception", [RuntimeError, MemoryError, ZeroDivisionError])
def test_a_bug_ends_one_job(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch, exception: type[Exception]
) -> None:
    """The thread that owns the models survives whatever happens in a step."""

    def fail() -> None:
        raise exception

    with working(tiny_model) as driver:
        on_evaluation(monkeypatch, 1, fail)
        assert isinstance(driver.ask().wait().error, exception)
        assert driver.ask().wait().error is None


def test_a_bug_beside_the_jobs_ends_them_all_but_not_the_worker(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Models are freed, the next request loads again."""
    with working(tiny_model) as driver:
        driver.ask().wait()
        with monkeypatch.context() as patch:
            patch.setattr(driver.worker, "_is_outdated", None)
            patch.setattr(driver.worker, "_finished", None)
            assert isinstance(driver.ask().wait().error, TypeError)
        assert driver.ask().wait().error is None


def test_stopping_answers_everybody(tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the middle of a prefill, in the queue and after the end: one sentence each."""
    with working(tiny_model) as driver:
        stopper = threading.Thread(target=driver.worker.stop)
        on_evaluation(monkeypatch, 2, stopper.start, at_least=400)
        asked = [driver.ask(LONG) for _ in range(6)]
        asked.append(driver.ask(priority="background"))
        for it in asked:
            assert isinstance(it.wait().error, Unavailable)
        stopper.join()
        late = driver.ask().wait()
        assert (type(late.error), str(late.error)) == (Unavailable, "The engine is shutting down.")


def test_scores_that_are_no_numbers_are_said(tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Weights damaged on disk give NaN; the user is told to fetch the file again."""
    real = Llama.logits
    monkeypatch.setattr(Llama, "logits", lambda self, index: real(self, index) * float("nan"))
    with working(tiny_model) as driver:
        said = str(driver.ask().wait().error)
    assert said == "The model computes no numbers: its file is damaged; fetch it again."


def test_an_architecture_that_cannot_forget_is_still_exact(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """State-space models keep one state, not positions: nothing is cut or shared, everything is evaluated."""
    expected = [answer_alone(tiny_model, lambda it, p=p: it.ask(p, logprobs=True)) for p in PROMPTS]  # type: ignore[misc]
    real = Llama.trim

    def trim(self: Llama, sequence: int, length: int) -> bool:
        if 0 < length < self.length(sequence):
            real(self, sequence, 0)
            return False
        return real(self, sequence, length)

    monkeypatch.setattr(Llama, "trim", trim)
    monkeypatch.setattr(Llama, "share", lambda *_: False)
    with working(tiny_model) as driver:
        for _ in range(3):
            for prompt, alone in zip(PROMPTS, expected, strict=True):
                same(driver.ask(prompt, logprobs=True), alone)
