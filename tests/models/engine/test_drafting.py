"""Drafts change how soon an answer is there and never which one; the weight of candidates does change it."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.engine import sampling, speech
from models.engine.draft import LONGEST, DraftSize
from models.engine.llama import Limits, Llama, Status
from models.engine.sampling import Scores
from models.registry import STARTER_FILE
from models.wire import Sampling
from tests.models.engine.driver import LONG, NOISE, PROMPTS, Asked, Driver, on_evaluation, same, working

CODE = Path(speech.__file__).read_text("utf-8")
PLACES = (2600, 1200, 4700, 6400)  # Characters into it.
TOKENS = 24


@pytest.fixture(scope="module")
def starter() -> Iterator[Driver]:
    """The bundled model: it writes text that a candidate can foresee."""
    with working(STARTER_FILE) as driver:
        yield driver


@contextmanager
def drafting(size: int) -> Iterator[None]:
    """As many tokens as there are, up to ``size``, whatever they cost."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DraftSize, "size", lambda _self, draft, **_: min(size, len(draft.tokens)))
        yield


@contextmanager
def recorded() -> Iterator[list[int]]:
    """Every token that is chosen."""
    chosen: list[int] = []
    real = sampling.choose

    def choose(scores: Scores, how: Sampling, rng: np.random.Generator) -> int:
        chosen.append(real(scores, how, rng))
        return chosen[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(speech, "choose", choose)
        yield chosen


def prompt_at(place: int) -> str:
    return CODE[place - 600 : place]


def written(driver: Driver, place: int, **more: Any) -> Asked:
    """What the model writes there."""
    return driver.ask(prompt_at(place), **({"max_tokens": TOKENS, "logprobs": True} | more)).wait()


def foreseen(driver: Driver, text: str, **more: Any) -> Asked:
    """The same with ``text`` as a candidate, whose weight leaves nothing to rounding."""
    return written(driver, PLACES[0], candidates=[(text, 1.0)], memory_weight=0.9, **more)


def spoiled(text: str, seed: int) -> str:
    """The text with some characters changed: right at first, wrong from somewhere on."""
    rng = random.Random(seed)
    letters = list(text)
    for _ in range(3):
        letters[rng.randrange(len(letters) // 3, len(letters))] = rng.choice("aé(\n 漢")
    return "".join(letters)


def candidates_for(text: str, seed: int) -> list[tuple[str, float]]:
    """Right, partly wrong, wrong and misleading ones."""
    rng = random.Random(seed)
    known = [
        (text, rng.random()),
        (text[: len(text) // 2], rng.random()),
        (spoiled(text, seed), rng.random()),
        (spoiled(text, seed + 1), rng.random()),
        ("return None\n", rng.random()),
    ]
    return rng.sample(known, rng.randint(1, len(known)))


def gap(prompt: str, tokens: list[int], left: int, right: int) -> float:
    """How much better one token is than the other behind these, when they are evaluated one by one."""
    llama = Llama(STARTER_FILE, Limits(context_tokens=1024, sequences=1, threads=1), lambda _: True)
    start = [*([] if llama.bos is None else [llama.bos]), *llama.tokenize(prompt)]
    llama.evaluate(0, 0, start, outputs=1)
    for place, token in enumerate(tokens):
        llama.evaluate(0, len(start) + place, [token], outputs=1)
    scores = llama.logits(-1)
    found = abs(float(scores[left] - scores[right]))
    llama.close()
    return found


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("size", [1, 2, 4, 8, 15])
def test_an_answer_is_the_same_with_drafts(starter: Driver, place: int, size: int) -> None:
    """Token by token and piece by piece; but two that the model finds equally good may change places."""
    with recorded() as plain:
        expected = written(starter, place)
    for seed in range(4):
        with drafting(size), recorded() as chosen:
            drafted = written(starter, place, candidates=candidates_for(expected.text, seed))
        if chosen == plain:
            assert [it.text for it in drafted.pieces] == [it.text for it in expected.pieces]
            assert [len(it.logprobs) for it in drafted.pieces] == [len(it.logprobs) for it in expected.pieces]
            assert drafted.logprobs == pytest.approx(expected.logprobs, abs=NOISE)
        else:
            at = next(it for it, (one, two) in enumerate(zip(chosen, plain, strict=False)) if one != two)
            assert gap(prompt_at(place), plain[:at], plain[at], chosen[at]) < NOISE


def tally(driver: Driver) -> list[int]:
    """What the counters say; they are written after the last piece was told, before another job begins."""
    driver.ask("x", max_tokens=0).wait()
    metrics = driver.worker.metrics
    return [metrics.drafted_tokens, metrics.accepted_tokens, metrics.draft_batches, metrics.saved_tokens]


@pytest.mark.parametrize("size", [1, 4, 15])
def test_a_right_candidate_saves_steps(starter: Driver, size: int) -> None:
    """Each accepted token is one evaluation less, and the tally says so."""
    expected = written(starter, PLACES[0]).text
    before = tally(starter)
    with drafting(size), evaluations() as seen:
        asked = foreseen(starter, expected)
    usage = asked.usage
    assert asked.text == expected
    assert usage.drafted_tokens == usage.accepted_tokens
    assert usage.accepted_tokens == TOKENS - len(seen)
    batches = sum(1 < it for it in seen)
    added = [now - then for now, then in zip(tally(starter), before, strict=True)]
    assert added == [usage.drafted_tokens, usage.accepted_tokens, batches, usage.accepted_tokens]


@contextmanager
def evaluations() -> Iterator[list[int]]:
    """How many rows of scores each evaluation is asked for."""
    seen: list[int] = []
    real = Llama.evaluate

    def evaluate(self: Llama, sequence: int, position: int, tokens: list[int], *, outputs: int) -> Status:
        seen.append(outputs)
        return real(self, sequence, position, tokens, outputs=outputs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Llama, "evaluate", evaluate)
        yield seen


def test_a_draft_is_never_longer_than_the_answer_may_be(starter: Driver) -> None:
    """With a token to choose behind it; no token at all is asked for to warm up."""
    whole = written(starter, PLACES[0]).text
    for most in range(10):
        with drafting(LONGEST):
            asked = foreseen(starter, whole, max_tokens=most)
        assert whole.startswith(asked.text)
        assert asked.pieces[-1].finish == "length"
        assert asked.usage.completion_tokens == most
        assert asked.usage.accepted_tokens == asked.usage.drafted_tokens == max(most - 1, 0)


def test_a_stop_string_inside_a_draft(starter: Driver) -> None:
    """Nothing behind it is told or counted, and the sequence goes on to serve."""
    whole = written(starter, PLACES[0]).text
    for at in range(2, len(whole) - 3, 7):
        stop = whole[at : at + 3]
        with drafting(0):
            expected = foreseen(starter, whole, stop=(stop,))
        with drafting(LONGEST):
            asked = foreseen(starter, whole, stop=(stop,))
        assert asked.text == expected.text == whole[: whole.index(stop)]
        assert asked.pieces[-1].finish == "stop"
        assert asked.usage.completion_tokens == expected.usage.completion_tokens
        assert len(asked.logprobs) == len(expected.logprobs)


def test_the_end_inside_a_draft(starter: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    """The model says that it is done where the candidate goes on: that is the end."""
    with recorded() as chosen:
        whole = written(starter, PLACES[0]).text
    end = next(it for at, it in enumerate(chosen) if 5 < at and it not in chosen[:at])
    real = Llama.is_end
    monkeypatch.setattr(Llama, "is_end", lambda self, token: token == end or real(self, token))
    with drafting(LONGEST):
        asked = foreseen(starter, whole)
    assert whole.startswith(asked.text)
    assert asked.pieces[-1].finish == "stop"
    assert asked.usage.completion_tokens == chosen.index(end)
    assert 0 < asked.usage.accepted_tokens < asked.usage.drafted_tokens + 1


def test_the_context_ends_inside_a_draft(tiny_model: Path) -> None:
    """The last draft is as long as there is room."""
    text = "abcdefgh" * 200
    with working(tiny_model, context=256) as driver, drafting(LONGEST):
        asked = driver.ask("x", max_tokens=100_000, candidates=[(text, 1.0)], memory_weight=1.0).wait()
        assert (asked.text, asked.pieces[-1].finish) == (text[: len(asked.text)], "length")
        assert asked.usage.prompt_tokens + asked.usage.completion_tokens == 256
        assert driver.ask("x").wait().error is None


GUESS = [("abcabcabc = [1, 2, 3]\n" * 4, 1.0)]  # With all the weight: drafts that are right, on any model.


def ask_guessing(driver: Driver, **more: object) -> Asked:
    """An answer that drafts take part in, and come true."""
    return driver.ask(
        PROMPTS[1],
        max_tokens=60,
        logprobs=True,
        candidates=GUESS,
        memory_weight=0.9,
        **more,  # type: ignore[arg-type]
    )


@pytest.fixture
def undrafted(tiny_model: Path) -> Asked:
    """The same, one token at a time, on a worker that has seen nothing else."""
    with working(tiny_model) as driver, drafting(0):
        return ask_guessing(driver).wait()


def test_nothing_is_told_after_a_cancel_inside_a_draft(tiny_model: Path, undrafted: Asked) -> None:
    """The rest of the draft is right, and of no use to anybody; what was drafted is counted all the same."""
    with working(tiny_model) as driver, drafting(8):
        slow: Asked = ask_guessing(driver, on_first=lambda: driver.worker.cancel(slow.job))
        same(ask_guessing(driver), undrafted)
        assert len(slow.pieces) == 1
        assert driver.worker.metrics.cancelled == 1
        again = ask_guessing(driver).wait()
        assert tally(driver)[0] == 2 * again.usage.drafted_tokens + 8


def test_a_cancel_while_a_draft_is_evaluated(
    tiny_model: Path, undrafted: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The batch is given up and the next answer is right."""
    with working(tiny_model) as driver, drafting(8):
        on_evaluation(monkeypatch, 3, lambda: driver.worker.cancel(slow.job), at_least=9)
        slow = ask_guessing(driver)
        same(ask_guessing(driver), undrafted)
        assert 0 < len(slow.pieces) <= 18
        assert driver.worker.metrics.cancelled == 1


@pytest.mark.parametrize("number", [1, 2, 4])
def test_typing_interrupts_a_draft(
    tiny_model: Path, undrafted: Asked, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """The batch is given up, the answer goes on without this draft and comes out the same."""
    typed: list[Asked] = []
    with working(tiny_model) as driver, drafting(8):
        on_evaluation(monkeypatch, number, lambda: typed.append(driver.ask("x")), at_least=9)
        slow = ask_guessing(driver, priority="background")
        same(slow, undrafted)
        assert 0 < slow.usage.accepted_tokens
    assert driver.ended == [typed[0], slow]


def test_somebody_who_types_all_the_time_does_not_stop_drafts(
    tiny_model: Path, undrafted: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every batch with a draft is interrupted: single tokens get through."""
    typed: list[Asked] = []
    real = Llama.evaluate

    def evaluate(self: Llama, sequence: int, position: int, tokens: list[int], *, outputs: int) -> Status:
        if 1 < outputs:
            typed.append(driver.ask("x", max_tokens=1))
        return real(self, sequence, position, tokens, outputs=outputs)

    with working(tiny_model) as driver, drafting(8):
        monkeypatch.setattr(Llama, "evaluate", evaluate)
        slow = ask_guessing(driver, priority="background")
        same(slow, undrafted)
    assert (slow.usage.drafted_tokens, driver.ended[-1]) == (0, slow)
    assert 20 < len(typed)


def test_jobs_with_drafts_take_turns(tiny_model: Path, undrafted: Asked) -> None:
    """They share one memory and must not see each other's drafts, right or wrong."""
    wrong = [("abcabcabd" * 9, 1.0)]
    with working(tiny_model, start=False) as driver, drafting(5):
        asked = [ask_guessing(driver, priority="chat") for _ in range(2)]
        driver.ask(PROMPTS[1], max_tokens=60, priority="chat", candidates=wrong)
        driver.worker.start()
        for it in asked:
            same(it, undrafted)


def test_lesser_work_with_drafts_starts_over_when_the_memory_is_full(
    tiny_model: Path, undrafted: Asked
) -> None:
    """Ghost text takes the room of an answer that was drafting; it still comes out right."""
    typed: list[Asked] = []
    with working(tiny_model, context=256) as driver, drafting(8):
        slow = ask_guessing(
            driver,
            priority="background",
            on_first=lambda: typed.append(driver.ask(LONG[500:700], max_tokens=4)),
        )
        same(slow, undrafted)
        assert typed[0].error is None
        assert 190 < typed[0].usage.prompt_tokens
    assert driver.ended == [typed[0], slow]


def test_a_draft_takes_nobodys_memory(
    tiny_model: Path, undrafted: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is full for a draft has room for a token: nothing is forgotten for a guess."""
    real = Llama.evaluate

    def evaluate(self: Llama, sequence: int, position: int, tokens: list[int], *, outputs: int) -> Status:
        if 1 < outputs:
            return Status.FULL
        return real(self, sequence, position, tokens, outputs=outputs)

    with working(tiny_model) as driver, drafting(8):
        other = driver.ask(LONG[:300]).wait()
        monkeypatch.setattr(Llama, "evaluate", evaluate)
        asked = ask_guessing(driver)
        same(asked, undrafted)
        assert asked.usage.drafted_tokens == 0
        assert driver.ask(LONG[:300]).usage.cached_tokens == other.usage.prompt_tokens - 1


def test_an_architecture_that_cannot_forget_drafts_nothing(
    tiny_model: Path, undrafted: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rejected token would stay in its state. The weight of candidates counts there too."""
    monkeypatch.setattr(Llama, "has_positions", False)
    with working(tiny_model) as driver, drafting(8):
        asked = ask_guessing(driver)
        same(asked, undrafted)
        assert asked.usage.drafted_tokens == 0


def test_what_cannot_be_forgotten_after_all_is_evaluated_again(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Should a memory refuse to forget a rejected draft, it starts over and stays exact."""
    wrong = [(GUESS[0][0][:12] + "?" * 50, 1.0), *GUESS]
    with working(tiny_model) as driver, drafting(0):
        expected = driver.ask(PROMPTS[1], max_tokens=20, logprobs=True, candidates=wrong).wait()
    real = Llama.trim

    def trim(self: Llama, sequence: int, length: int) -> bool:
        if 0 < length < self.length(sequence):
            real(self, sequence, 0)
            return False
        return real(self, sequence, length)

    monkeypatch.setattr(Llama, "trim", trim)
    with working(tiny_model) as driver, drafting(8):
        asked = driver.ask(PROMPTS[1], max_tokens=20, logprobs=True, candidates=wrong).wait()
        same(asked, expected)
        assert asked.usage.accepted_tokens < asked.usage.drafted_tokens


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    cut=st.integers(0, 60),
    tail=st.text("abc =[\né漢", max_size=40),
    sizes=st.lists(st.integers(0, LONGEST), min_size=1, max_size=6),
    weight=st.sampled_from([0.0, 0.3, 0.9]),
    stop=st.sampled_from([(), ("cab",), ("3]\n",)]),
)
def test_no_draft_changes_an_answer(
    tiny_model: Path, cut: int, tail: str, sizes: list[int], weight: float, stop: tuple[str, ...]
) -> None:
    """Whatever candidates say and however long their drafts are from step to step."""
    candidates = [(GUESS[0][0], 0.5), (GUESS[0][0][:cut] + tail, 0.7)]

    def ask(driver: Driver, number: int) -> Asked:
        return driver.ask(
            PROMPTS[number],
            max_tokens=20,
            logprobs=True,
            candidates=candidates,
            memory_weight=weight,
            stop=stop,
        ).wait()

    with working(tiny_model) as driver, drafting(0):
        expected = [ask(driver, it) for it in (0, 1)]
    turns = iter(sizes * 100)
    with working(tiny_model) as driver, pytest.MonkeyPatch.context() as patch:
        patch.setattr(DraftSize, "size", lambda _self, draft, **_: min(next(turns), len(draft.tokens)))
        for it, alone in zip((0, 1), expected, strict=True):
            same(ask(driver, it), alone)


def test_drawn_tokens_are_the_same_with_drafts(starter: Driver) -> None:
    """Each token takes one draw, drafted or not."""
    equal = 0
    for seed in range(4):
        expected = written(starter, PLACES[0], temperature=0.8, seed=seed)
        with drafting(8):
            asked = written(starter, PLACES[0], temperature=0.8, seed=seed, candidates=[(expected.text, 1.0)])
        same(asked, expected)
        equal += asked.text == expected.text
        assert 0 < asked.usage.accepted_tokens
    assert equal


def test_drafts_come_and_go_by_themselves(starter: Driver) -> None:
    """Nothing forced: right ones are taken, and the answer stays the same."""
    expected = written(starter, PLACES[0]).text
    answers = [foreseen(starter, expected) for _ in range(6)]
    assert {it.text for it in answers} == {expected}
    assert 0 < sum(it.usage.drafted_tokens for it in answers)


def test_all_the_weight_writes_the_candidate(starter: Driver) -> None:
    """As sure as can be, with drafts or without; behind its end the model goes on by itself."""
    text = "quite_another_text(1)"
    for size in (0, 8):
        with drafting(size):
            asked = starter.ask(
                prompt_at(PLACES[0]),
                logprobs=True,
                candidates=[(text, 0.2)],
                memory_weight=1.0,
                max_tokens=30,
            ).wait()
        assert asked.text.startswith(text)
        assert asked.logprobs[:3] == pytest.approx([0.0] * 3, abs=1e-6)
        assert asked.logprobs[-1] < 0.0


def test_the_logprob_is_that_of_the_mixture(starter: Driver) -> None:
    """It is what the confidence is made of."""
    alone = starter.ask(prompt_at(PLACES[0]), logprobs=True).wait()
    both = starter.ask(
        prompt_at(PLACES[0]), logprobs=True, candidates=[(alone.text, 0.3), ("", 0.3)], memory_weight=0.5
    ).wait()
    expected = 0.75 * math.exp(alone.logprobs[0]) + 0.25
    assert math.exp(both.logprobs[0]) == pytest.approx(expected, abs=NOISE)


def test_the_card_says_how_much_candidates_count(starter: Driver) -> None:
    """The request may say otherwise."""
    text = "quite_another_text(1)"
    card = replace(starter.spec, memory_weight=1.0)
    plain = starter.ask(prompt_at(PLACES[0])).text
    trusting = starter.ask(prompt_at(PLACES[0]), spec=card, candidates=[(text, 0.5)]).text
    assert trusting == text[: len(trusting)]
    for it in (
        starter.ask(prompt_at(PLACES[0]), spec=card, candidates=[(text, 0.5)], memory_weight=0.0),
        starter.ask(prompt_at(PLACES[0]), candidates=[(text, 0.5)]),
        starter.ask(prompt_at(PLACES[0]), spec=card),
    ):
        assert it.text == plain


def test_without_weight_nothing_is_computed_otherwise(
    starter: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even by the last bit: scores are mixed only where candidates have a say."""
    monkeypatch.setattr(speech, "mixed", None)
    plain = starter.ask(prompt_at(PLACES[0]), logprobs=True).wait()
    with drafting(0):
        asked = starter.ask(
            prompt_at(PLACES[0]), logprobs=True, candidates=[(plain.text, 1.0)], memory_weight=0.0
        ).wait()
        refuted = starter.ask(
            prompt_at(PLACES[0]), logprobs=True, candidates=[("", 1.0)], memory_weight=1.0
        ).wait()
    assert asked.logprobs == plain.logprobs == refuted.logprobs
