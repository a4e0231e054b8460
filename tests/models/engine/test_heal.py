"""Token healing: what is typed already is never contradicted, and half a word is as good as a whole one."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.engine import heal, speech
from models.engine.draft import Continuations
from models.engine.heal import MOST_HELD, Spelling, held_back
from models.engine.llama import Limits, Llama
from models.engine.sampling import Scores
from models.registry import STARTER_FILE
from tests.models.engine.driver import LONG, Driver, same, working

CODE = Path(speech.__file__).read_text("utf-8")
ODD = 'def grüße(x):\r\n    s = "漢字 😀é"\r\n\treturn  s + x_1\r\n\r\nclass Ünder_2(Base):\r\n    pass\r\n'


@pytest.fixture(scope="module")
def starter() -> Iterator[Driver]:
    """The bundled model: its vocabulary has words, halves of words and indentations."""
    with working(STARTER_FILE) as driver:
        yield driver


@pytest.fixture(scope="module")
def llama() -> Iterator[Llama]:
    """The same model to look things up in."""
    found = Llama(STARTER_FILE, Limits(context_tokens=512, sequences=1, threads=1), lambda _: True)
    yield found
    found.close()


@contextmanager
def written_bytes(llama: Llama) -> Iterator[list[bytes]]:
    """What each answer's tokens spell, held-back ones included; ways that were taken back are left out."""
    answers: list[bytes] = []
    pieces: list[bytes] = []
    real = speech.Speech.choose
    begun: list[speech.Speech] = []

    def choose(self: speech.Speech, scores: Scores) -> int:
        if not begun or begun[-1] is not self:
            begun.append(self)
            pieces.clear()
            answers.append(b"")
        token = real(self, scores)
        del pieces[len(pieces) - self.back :]
        pieces.append(llama.piece(token))
        answers[-1] = b"".join(pieces)
        return token

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(speech.Speech, "choose", choose)
        yield answers


def held_bytes(llama: Llama, text: str) -> bytes:
    """What the engine holds back at the end of ``text``."""
    tokens = llama.tokenize(text, goes_on=True)
    return held_back(tokens, llama.spelling, partial(llama.tokenize, goes_on=True))[1]


TEXTS = st.sampled_from([CODE[:2500], ODD * 3, LONG[:500]])


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    text=TEXTS,
    start=st.floats(0, 1),
    size=st.integers(1, 160),
    suffix=st.sampled_from([None, "\n", "\n    return x\n"]),
    in_middle=st.booleans(),
    temperature=st.sampled_from([0.0, 0.0, 1.5]),
    candidate=st.sampled_from(["", "()", "漢", "x = 1\n"]),
    weight=st.sampled_from([0.0, 0.9]),
)
def test_nothing_contradicts_what_was_typed(
    starter: Driver,
    llama: Llama,
    text: str,
    start: float,
    size: int,
    suffix: str | None,
    in_middle: bool,
    temperature: float,
    candidate: str,
    weight: float,
) -> None:
    """Wherever the cut is: the answer begins with the held-back bytes, and what is told is what follows."""
    at = int(start * (len(text) - size))
    typed = text[at : at + size]
    prompt, middle = (text[:at], typed) if in_middle else (text[:at] + typed, "")
    if suffix is None:
        prompt, middle = prompt + middle, ""
    with written_bytes(llama) as answers:
        asked = starter.ask(
            prompt[-300:],
            suffix=suffix,
            middle=middle,
            heal=True,
            max_tokens=6,
            logprobs=True,
            temperature=temperature,
            seed=1,
            candidates=[(candidate, 0.8), ("", 0.2)],
            memory_weight=weight,
        ).wait()
    seam = middle or prompt[-300:]
    held = held_bytes(llama, seam)
    assert seam.encode().endswith(held)
    assert len(answers) == 1
    assert answers[0].startswith(held) or asked.pieces[-1].finish == "stop"
    assert answers[0][len(held) :].decode("utf-8", "replace").startswith(asked.text)
    assert len(asked.logprobs) == asked.usage.completion_tokens <= 6


def test_half_a_word_gives_the_same_as_none_of_it(starter: Driver, llama: Llama) -> None:
    """The model's own words, typed up to any letter: mostly it goes on as it would have."""
    agreed = asked = 0
    for place in (700, 1300, 1900, 2600):
        prompt = CODE[place - 600 : place]
        prompt = prompt[: prompt.rindex("\n") + 1]
        whole = starter.ask(prompt, suffix="\n", max_tokens=20).text
        for cut in range(1, len(whole) - 12):
            said = starter.ask(prompt, suffix="\n", middle=whole[:cut], max_tokens=4, heal=True).wait()
            agreed += whole[cut:].startswith(said.text)
            asked += 1
    assert 0.7 * asked <= agreed


def test_without_healing_half_a_word_is_worse(starter: Driver) -> None:
    """The reason for all this: fewer of the model's own words are found again."""
    agreed = {True: 0, False: 0}
    for place in (1300, 2600):
        prompt = CODE[place - 600 : place]
        prompt = prompt[: prompt.rindex("\n") + 1]
        whole = starter.ask(prompt, suffix="\n", max_tokens=20).text
        for cut in range(1, len(whole) - 12):
            for heals in agreed:
                asked = starter.ask(prompt, suffix="\n", middle=whole[:cut], max_tokens=4, heal=heals)
                agreed[heals] += whole[cut:].startswith(asked.text)
    assert agreed[False] < agreed[True]


def test_typing_inside_a_word_evaluates_no_prompt(starter: Driver) -> None:
    """What stands before the word is evaluated already, and what the model says behind it is known."""
    prompt, word = CODE[:900] + "\n    ", "answer"
    for cut in range(2, len(word)):
        usage = starter.ask(prompt, suffix="\n", middle=f"x = {word[:cut]}", heal=True).usage
    assert usage.prompt_tokens == usage.cached_tokens
    first = starter.ask(prompt, suffix="\n", middle=f"x = {word}", heal=True, logprobs=True).wait()
    with working(STARTER_FILE) as fresh:
        same(first, fresh.ask(prompt, suffix="\n", middle=f"x = {word}", heal=True, logprobs=True))


def test_typing_and_deleting_answers_as_if_alone(tiny_model: Path) -> None:
    """Whatever is in memory from other cuts of the same line; here all pairs with ``!`` are tokens."""
    rng = random.Random(4)
    line = "!a!b!!x = !!!y! !z!(!)"
    with working(tiny_model) as driver:
        for cut in [rng.randrange(len(line)) for _ in range(24)]:
            asked = driver.ask(LONG[:200], suffix="\n", middle=line[:cut], heal=True, logprobs=True)
            with working(tiny_model) as fresh:
                same(asked, fresh.ask(LONG[:200], suffix="\n", middle=line[:cut], heal=True, logprobs=True))


def test_a_stop_string_never_ends_what_was_typed(starter: Driver) -> None:
    """Held-back text is not part of the answer: only what is new can hold a stop string."""
    prompt, typed = CODE[:600] + "\n", "    retu"
    plain = starter.ask(prompt, suffix="\n", middle=typed, heal=True).text
    asked = starter.ask(prompt, suffix="\n", middle=typed, heal=True, stop=("retu", "etur", "    r"))
    assert asked.text == plain
    assert plain


def test_a_candidate_goes_on_behind_what_was_typed(starter: Driver) -> None:
    """It starts at the cursor, inside a word; with all the weight it is written as it stands."""
    for typed, rest in (("x = retu", "rned_value(1)"), ("    ", "quite_other()"), ("a = grü", "ße漢 + 1")):
        asked = starter.ask(
            CODE[:600] + "\n",
            suffix="\n",
            middle=typed,
            heal=True,
            max_tokens=40,
            candidates=[(rest, 1.0)],
            memory_weight=1.0,
        )
        assert asked.text.startswith(rest)


def test_the_starters_line_ends_stay_and_its_indentations_hold_a_blank(llama: Llama) -> None:
    """The rule as it is meant: a prompt that ends with its line is as it was."""
    for text in ("x = 1\n", "if x:\n", "if x:\r\n", "\n", "\n\n", "é\n", ""):
        assert held_bytes(llama, text) == b""
    for indented in ("if x:\n    ", "    ", "\n" + " " * 40, "if x:\n\t\t"):
        assert held_bytes(llama, indented) == indented[-1:].encode()
    assert held_bytes(llama, "    retu").endswith(b"retu")


PIECES = st.lists(st.binary(min_size=1, max_size=4) | st.text("ab", max_size=4).map(str.encode), max_size=30)


@given(pieces=PIECES, data=st.binary(min_size=1, max_size=4) | st.text("ab", min_size=1).map(str.encode))
def test_looking_tokens_up_by_their_bytes(pieces: list[bytes], data: bytes) -> None:
    """The same as going through all of them."""
    spelling = Spelling(pieces)
    begin = {it for it, piece in enumerate(pieces) if piece.startswith(data)}
    assert set(spelling.beginning_with(data).tolist()) == begin
    assert set(spelling.spelled(data).tolist()) == {it for it in begin if pieces[it] == data}
    part_of = {it for it, piece in enumerate(pieces) if piece and data.startswith(piece)}
    agreeing = spelling.agreeing_with(data).tolist()
    assert set(agreeing) == begin | part_of
    assert len(agreeing) == len(set(agreeing))
    assert spelling.can_grow(data) == any(len(data) < len(pieces[it]) for it in begin)


@given(pieces=PIECES.filter(bool), picks=st.lists(st.integers(0, 99), max_size=8))
def test_what_is_held_back_is_little_and_no_line_break(pieces: list[bytes], picks: list[int]) -> None:
    """At most four tokens, and together they are the start of a longer one."""
    tokens = [it % len(pieces) for it in picks]
    spelling = Spelling(pieces)
    stay, data = held_back(tokens, spelling, lambda _: ())
    held = tokens[len(stay) :]
    assert stay == tokens[: len(stay)]
    assert len(held) <= MOST_HELD
    assert data == b"".join(pieces[it] for it in held)
    assert not any(pieces[it].endswith((b"\n", b"\r")) for it in held)
    assert not held or spelling.can_grow(data)


def choose(seam: heal.Seam, *scores: float) -> heal.Way:
    """The likeliest token that agrees, judged; ``scores`` are the model's, by token."""
    own = np.array(scores, dtype=np.float32)
    offered = seam.offered(own)
    way = heal.Way(token=int(offered.argmax()), offered=offered, memory=Continuations())
    return seam.judged(way, own, greedy=True)


def test_a_way_that_leads_astray_is_taken_back() -> None:
    """The model meant something else by ``re``: of the ways that agree, the likelier one is taken."""
    pieces = (b"re", b"return", b"tu", b"ad", b"x")
    seam = heal.Seam(spelling=Spelling(pieces), rest=b"retu")
    assert (choose(seam, 3.0, 2.0, 0.0, 0.0, 9.0).token, seam.rest, seam.consumed) == (0, b"tu", 2)
    taken = choose(seam, 0.0, 0.0, -5.0, 9.0, 0.0)
    assert (taken.token, taken.back, seam.rest, seam.consumed) == (1, 1, b"", 4)


def test_a_way_in_parts_is_kept_where_the_model_agrees() -> None:
    """Its own next choice is what was typed: this is how it writes the word."""
    pieces = (b"re", b"return", b"tu", b"ad", b"x")
    seam = heal.Seam(spelling=Spelling(pieces), rest=b"retu")
    choose(seam, 3.0, 2.0, 0.0, 0.0, 9.0)
    taken = choose(seam, 0.0, 0.0, 9.0, 2.0, 0.0)
    assert (taken.token, taken.back, seam.rest, seam.consumed) == (2, 0, b"", 2)
    assert (choose(seam, 0.0, 0.0, 0.0, 0.0, 1.0).token, seam.consumed) == (4, 0)


def test_where_nothing_agrees_the_last_whole_way_is_taken() -> None:
    """A vocabulary without all bytes can end up there."""
    seam = heal.Seam(spelling=Spelling((b"re", b"retux", b"z")), rest=b"retu")
    choose(seam, 3.0, 1.0, 0.0)
    taken = choose(seam, 1.0, 2.0, 3.0)
    assert (taken.token, taken.back, seam.consumed) == (1, 1, 4)
