"""What candidates say about the next token, and how many of their tokens are worth a batch."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.engine.draft import (
    LONGEST,
    PROBE_EVERY,
    SURENESS,
    WINDOW_BYTES,
    Continuations,
    Draft,
    DraftSize,
    continuations,
)
from models.engine.llama import N_OUTPUTS
from models.wire import Candidate


class Words:
    """Tokens 0 to 255 are bytes; those behind them are words, of which the longest that fits is taken."""

    def __init__(self, *words: str) -> None:
        self.words = [it.encode() for it in words]

    def tokenize(self, text: str, *, goes_on: bool = False) -> Sequence[int]:
        assert goes_on, "some vocabularies would put a blank before it"
        data, tokens = text.encode(), []
        while data:
            fitting = [it for it in self.words if data.startswith(it)]
            word = max(fitting, key=len, default=data[:1])
            tokens.append(256 + self.words.index(word) if fitting else data[0])
            data = data[len(word) :]
        return tokens

    def piece(self, token: int) -> bytes:
        return bytes([token]) if token < 256 else self.words[token - 256]


WORDS = Words("return", "re", " x", "é")
RETURN, RE, X, E_ACUTE = range(256, 260)


def at_cursor(*candidates: tuple[str, float]) -> Continuations:
    return continuations([Candidate(text=text, weight=weight) for text, weight in candidates], WORDS)


def after(state: Continuations, *tokens: int) -> Continuations:
    for token in tokens:
        state = state.after(token, WORDS)
    return state


def test_weights_are_shares_of_all_weight() -> None:
    """Those that expect the same token add up."""
    state = at_cursor(("return x", 0.3), ("return y", 0.1), (" x", 0.4))
    assert state.next_tokens() == pytest.approx({RETURN: 0.5, X: 0.5})


def test_the_influence_fades_as_candidates_are_refuted() -> None:
    """What disagrees drops out for good; its share is not given to the others."""
    state = after(at_cursor(("return x", 0.3), ("return\n", 0.1), (" x", 0.4)), RETURN)
    assert state.next_tokens() == pytest.approx({X: 0.375, ord("\n"): 0.125})
    assert after(state, X).next_tokens() == {}, "and at its end a candidate knows nothing more"
    assert after(state, ord("?")).left == ()


def test_an_empty_candidate_stands_for_not_knowing() -> None:
    """So a memory that is unsure can say so."""
    assert at_cursor(("return", 0.25), ("", 0.75)).next_tokens() == {RETURN: 0.25}


def test_without_weight_a_candidate_is_only_a_draft() -> None:
    """It costs no division by zero either."""
    state = at_cursor(("return", 0.0))
    assert (state.next_tokens(), state.draft(9)) == ({}, Draft(tokens=(RETURN,), weight=0.0))
    assert continuations([], WORDS) == Continuations()


def test_the_same_text_in_other_tokens_still_agrees() -> None:
    """The model may say `re`, `t`, `u`: the candidate is cut anew from where the bytes stand."""
    state = at_cursor(("return x", 1.0))
    assert after(state, RE).draft(9).tokens == (*b"turn", X)
    assert after(state, RE, *b"turn").draft(9).tokens == (X,)
    assert after(state, *b"return").draft(9).tokens == (X,)
    assert after(state, RE, ord("f")).left == ()


def test_a_token_longer_than_the_candidate_ends_it() -> None:
    """It has said all it had to say, or was wrong."""
    assert after(at_cursor(("ret", 1.0)), RETURN).left == ()


def test_inside_a_character_a_candidate_waits() -> None:
    """The tokenizer cannot cut there; behind the character the candidate goes on."""
    first, second = "é".encode()
    waiting = after(at_cursor(("é x", 1.0)), first)
    assert (waiting.next_tokens(), waiting.draft(9)) == ({}, Draft())
    assert after(waiting, second).draft(9).tokens == (X,)
    assert after(waiting, first).left == ()


def test_a_draft_follows_most_of_the_weight() -> None:
    """Two that begin alike are likelier to be right than the heaviest one alone; then the heavier of them."""
    state = at_cursor((" xa", 0.3), (" xbc", 0.31), ("return", 0.35))
    assert state.draft(9).tokens == (X, ord("b"), ord("c"))
    assert state.draft(9).weight == pytest.approx(0.61)
    assert state.draft(2).tokens == (X, ord("b"))


def test_what_the_vocabulary_cannot_say_ends_a_draft() -> None:
    """Tokens that stand for other bytes than the text's would never be chosen for it."""

    class Lossy(Words):
        def piece(self, token: int) -> bytes:
            return b"" if token == ord("?") else super().piece(token)

    state = continuations([Candidate(text="a?b", weight=1.0)], Lossy())
    assert state.draft(9).tokens == (ord("a"),)


def test_a_long_candidate_is_cut_window_by_window() -> None:
    """To the end, whatever its length, and also where a window ends inside a character."""
    text = "é漢y" * WINDOW_BYTES
    state, said = at_cursor((text, 1.0)), b""
    while tokens := state.draft(LONGEST).tokens:
        assert len(tokens) <= LONGEST
        said += b"".join(map(WORDS.piece, tokens))
        state = after(state, *tokens)
    assert said.decode() == text


TEXTS = st.text("re x\né", max_size=8)


@given(st.lists(st.tuples(TEXTS, st.floats(0, 1)), max_size=5), st.lists(st.integers(256, 259), max_size=4))
def test_exactly_those_that_agree_are_left(candidates: list[tuple[str, float]], tokens: list[int]) -> None:
    """By their bytes; and a draft is always something that a candidate says."""
    said = b"".join(map(WORDS.piece, tokens))
    state = after(at_cursor(*candidates), *tokens)
    rests = [it.encode()[len(said) :] for it, _ in candidates if it.encode().startswith(said)]
    assert [it.rest for it in state.left] == [it for it in rests if it]
    draft = b"".join(map(WORDS.piece, state.draft(LONGEST).tokens))
    assert not draft or any(it.startswith(draft) for it in rests)
    assert sum(state.next_tokens().values()) <= 1.0 + 1e-9


LONG = Draft(tokens=tuple(range(LONGEST)), weight=0.9)
Q4_0 = (
    12.4,
    17.0,
    20.0,
    34.0,
    57.0,
)  # Milliseconds of batches of 1, 2, 4, 8, 16 tokens of a 0.5B model.
Q4_K_M = (17.0, 36.0, 45.0, 63.0, 89.0)


def knowing(costs: Sequence[float]) -> DraftSize:
    """With the costs of the kept sizes known."""
    ratios = tuple(it / costs[0] for it in costs)
    return DraftSize(single=costs[0], ratios=ratios, seen=(9.0,) * 5)


def sized(costs: tuple[float, ...], accepted: float, *, drafts: int = 60) -> DraftSize:
    """After so many drafts of which this share was right at every place, one after the other."""
    size = knowing(costs)
    for number in range(drafts):
        right = 0
        while right < LONGEST and (number * 7 + right * 3) % 10 < accepted * 10:
            right += 1
        size = size.judged(LONG, min(right + 1, LONGEST), right)
    return size


def test_a_draft_fits_into_one_call() -> None:
    """Each of its tokens, and the one before it, needs a row of logits."""
    assert LONGEST == N_OUTPUTS - 1


@pytest.mark.parametrize("costs", [Q4_0, Q4_K_M])
def test_right_drafts_are_long(costs: tuple[float, ...]) -> None:
    """Sixteen tokens for the price of five."""
    assert sized(costs, 1.0).size(LONG) == LONGEST


@pytest.mark.parametrize("costs", [Q4_0, Q4_K_M])
def test_wrong_drafts_are_not_made(costs: tuple[float, ...]) -> None:
    """They cost and bring nothing."""
    assert sized(costs, 0.0).size(LONG) == 0


def test_the_cost_of_a_batch_decides() -> None:
    """Half right: short drafts pay where a batch is cheap, none where two tokens cost as two steps do."""
    assert 0 < sized(Q4_0, 0.5).size(LONG) < 8
    assert sized(Q4_K_M, 0.5).size(LONG) == 0


def test_where_more_tokens_cost_the_same_every_draft_is_whole() -> None:
    """As on a processor that waits for memory all the time."""
    assert sized((10.0,) * 5, 0.5).size(LONG) == LONGEST


@given(
    st.lists(st.floats(0.1, 50), min_size=5, max_size=5).map(sorted),
    st.lists(st.tuples(st.integers(0, LONGEST), st.booleans()), max_size=20),
    st.integers(0, 20),
)
def test_the_size_gives_the_most_tokens_per_millisecond(
    costs: list[float], judgements: list[tuple[int, bool]], there: int
) -> None:
    """Among all sizes up to what there is."""
    size = knowing(costs)
    for right, ended in judgements:
        size = size.judged(LONG, right if ended else min(right + 1, LONGEST), right)
    draft = Draft(tokens=tuple(range(there)), weight=0.9)
    longest = min(there, LONGEST)
    expected = size.by_weight[SURENESS - 1].expected(longest)
    speeds = [tokens / size.cost(1 + at) for at, tokens in enumerate(expected)]
    chosen = size.size(draft)
    assert chosen <= longest
    assert speeds[chosen] == pytest.approx(max(speeds))


def test_behind_a_prompt_a_draft_costs_only_what_it_adds() -> None:
    """The tokens of the prompt are evaluated anyway; a size that pays by itself pays there too."""
    size = sized(Q4_K_M, 0.7)
    assert size.size(LONG) == 0
    assert 0 < size.size(LONG, pending=8)


def test_sure_drafts_and_guesses_are_counted_apart() -> None:
    """Guesses that fail do not stop the sure ones."""
    guess = replace(LONG, weight=0.1)
    size = sized(Q4_0, 1.0)
    for _ in range(30):
        size = size.judged(guess, 1, 0)
    assert (size.size(LONG), size.size(guess)) == (LONGEST, 0)


def test_now_and_then_it_is_tried_again() -> None:
    """Another file may be another matter: after some chances not taken, one is; then it waits again."""
    size = sized(Q4_0, 0.0)
    for _ in range(PROBE_EVERY):
        assert size.size(LONG) == 0
        size = size.passed(LONG)
    assert 0 < size.size(LONG)
    assert size.judged(LONG, 1, 0).size(LONG) == 0


def test_drafts_come_back_when_they_are_right_again() -> None:
    """A few that are right outweigh many old ones that were wrong."""
    size = sized(Q4_0, 0.0)
    for _ in range(12):
        size = size.judged(LONG, LONGEST, LONGEST)
    assert 4 < size.size(LONG)


def test_nothing_to_draft_is_nothing() -> None:
    """Also when it is time to try again."""
    size = DraftSize()
    for _ in range(PROBE_EVERY):
        size = size.passed(Draft())
    assert size.size(Draft()) == 0


def test_costs_follow_what_is_measured() -> None:
    """The first measurement sets the scale, whatever its size; each size then finds its own ratio."""
    assert DraftSize().measured(1, 12.4).single == pytest.approx(12.4)
    size = DraftSize().measured(16, 49.0)
    assert size.single == pytest.approx(10.0)
    for _ in range(40):
        for tokens, ms in zip((1, 2, 4, 8, 16), Q4_K_M, strict=True):
            size = size.measured(tokens, ms)
    assert size.single == pytest.approx(17.0, rel=0.01)
    assert [it * size.single for it in size.ratios] == pytest.approx(Q4_K_M, rel=0.01)
    assert size.cost(3) == pytest.approx((36 + 45) / 2 / 17, rel=0.01)
    assert size.cost(24) == pytest.approx((89 + 26) / 17, rel=0.01)


def test_a_busy_machine_changes_no_ratio() -> None:
    """When all takes three times as long, the same drafts pay."""
    size = knowing(Q4_0)
    for _ in range(20):
        size = size.measured(1, 3 * 12.4)
    assert size.single == pytest.approx(3 * 12.4, rel=0.02)
    assert size.measured(8, 3 * 34.0).cost(8) == pytest.approx(34 / 12.4, rel=0.02)


def test_one_interrupted_batch_changes_little() -> None:
    """The machine did something else for a moment."""
    size = knowing(Q4_0)
    assert size.measured(8, 5000.0).cost(8) < 1.2 * size.cost(8)
    assert size.measured(1, 5000.0).single < 1.2 * size.single
    assert size.measured(8, 0.0) == size.measured(64, 9.0) == size


def test_sizes_between_the_kept_ones_teach_both() -> None:
    """Six tokens say something about four and about eight, and nothing about two."""
    size = knowing(Q4_0)
    for _ in range(200):
        size = size.measured(6, 40.0)
    assert size.cost(6) * 12.4 == pytest.approx(40.0, rel=0.01)
    assert (size.cost(2), size.cost(16)) == pytest.approx((17 / 12.4, 57 / 12.4))


@pytest.mark.parametrize("costs", [Q4_0, Q4_K_M], ids=["Q4_0", "Q4_K_M"])
@pytest.mark.parametrize(
    ("chance", "least"), [(0.0, 0.97), (0.3, 0.97), (0.5, 0.97), (0.8, 0.99), (1.0, 2.5)]
)
def test_drafts_bring_more_than_they_cost(costs: tuple[float, ...], chance: float, least: float) -> None:
    """Three hundred answers of 16 tokens, by the clock of noisy batches: what is learned pays, all in all."""
    rng = random.Random(3)
    truth, size, spent = knowing(costs), DraftSize(), 0.0
    for _ in range(300):
        right, said = 0, 0
        while right < 16 and rng.random() < chance:
            right += 1
        while said < 16:
            draft = Draft(tokens=tuple(range(min(LONGEST, 15 - said))) if said <= right else (), weight=0.5)
            drafted = size.size(draft)
            ms = truth.cost(1 + drafted) * costs[0] * rng.lognormvariate(0, 0.2)
            spent, size = spent + ms, size.measured(1 + drafted, ms)
            accepted = max(min(drafted, right - said), 0)
            if drafted:
                size = size.judged(draft, min(accepted + 1, drafted), accepted)
            elif draft.tokens:
                size = size.passed(draft)
            said += 1 + accepted
    assert least * spent < 300 * 16 * costs[0] * 1.02
