"""The worker on a real model: turns, cancellation, memory; and that none of it ever changes an answer."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.engine.generate import SMALLEST_PIECE, BadRequest
from models.engine.job import Unavailable
from models.engine.llama import Llama, Status
from models.errors import ModelError
from models.wire import Priority
from tests.models.engine.driver import Asked, Driver, answer_alone, on_evaluation, working

LONG = "".join(f"v{n} = compute({n * 7})\n" for n in range(80))  # About 1,700 tokens.
NOISE = 0.05  # A token missing or one too many changes scores by ten times as much.
PROMPTS = ("def f(x):\n", "class A:\n    pass\n", "import os\n\n\n", "x = [1, 2]\nfor i in x:\n")


def same(left: Asked, right: Asked) -> None:
    """Two ways to the same answer.

    One token at a time is not computed by the same instructions as many at once, so scores differ by some
    thousandths; where two tokens are that close, the better one may change, and what follows with it.
    """
    assert (left.wait().error, right.wait().error) == (None, None)
    assert left.logprobs[:1] == pytest.approx(right.logprobs[:1], abs=NOISE)
    if left.text == right.text:
        assert left.logprobs == pytest.approx(right.logprobs, abs=NOISE)


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
        assert isinstance(refused.error, BadRequest)
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
