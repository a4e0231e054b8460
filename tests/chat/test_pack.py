"""Context is packed within its budget: several files, nothing twice, numbers that stay."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chat.pack import Packed, pack
from chat.types import Piece, PieceKind, Place
from models.estimate import tokens

COUNTS: dict[str, Callable[[str], int]] = {
    "estimate": tokens,
    "characters": len,
    "words": lambda it: len(it.split()),
    "bytes and a beginning": lambda it: 3 + len(it.encode()),
    "generous": lambda it: tokens(it) // 3,
    "by lines": lambda it: it.count("\n") * 7,
    "uneven": lambda it: sum(map(ord, it)) % 50,
}
LINES = st.text(st.sampled_from("ab _(){}:.\t0é☃"), max_size=30)
SOURCES = {name: [f"def {name}_{n}(value):  # line {n} of {name}" for n in range(1, 61)] for name in "abc"}


def code(name: str, first: int, last: int, score: float, **more: Any) -> Piece:
    """Some lines of one of the files."""
    place = Place(path=f"src/{name}.py", first_line=first, last_line=last)
    return Piece(place=place, text="\n".join(SOURCES[name][first - 1 : last]), score=score, **more)


@st.composite
def placed(draw: st.DrawFn) -> Piece:
    """A piece of one of three files, as it is there."""
    first = draw(st.integers(1, 60))
    last = draw(st.integers(first, min(60, first + 30)))
    signature = draw(st.sampled_from(["", "def a_1(value):", "class Other:"]))
    doc = draw(st.sampled_from(["", "What it does."]))
    return code(
        draw(st.sampled_from("abc")), first, last, draw(st.floats(0, 2)), signature=signature, doc=doc
    )


@st.composite
def unplaced(draw: st.DrawFn) -> Piece:
    """A piece of no file, of any text."""
    kinds: tuple[PieceKind, ...] = ("diff", "problem", "note", "outline", "document")
    kind = draw(st.sampled_from(kinds))
    text = "\n".join(draw(st.lists(LINES, max_size=12)))
    return Piece(place=None, text=text, title=draw(LINES), kind=kind, score=draw(st.floats(0, 2)))


PIECES = st.lists(placed() | unplaced(), max_size=12)
BUDGETS = st.sampled_from([0, 1, 50, 200, 500, 1000, 5000]) | st.integers(-5, 3000)


@given(PIECES, BUDGETS, st.sampled_from(sorted(COUNTS)), st.sampled_from(["", "value of line 7", "☃"]))
@settings(max_examples=80, deadline=None)
def test_it_is_never_longer_than_its_budget(
    pieces: list[Piece], budget: int, name: str, question: str
) -> None:
    """Whatever the pieces, the budget and the tokenizer: what is counted fits, and is what was counted."""
    calls = []

    def count(text: str) -> int:
        calls.append(text)
        return COUNTS[name](text)

    found = pack(pieces, budget_tokens=budget, count=count, question=question)
    assert found.tokens <= max(0, budget)
    assert not found.text or (COUNTS[name](found.text) == found.tokens and found.text.endswith("\n"))
    assert len(calls) <= len(pieces) + 4


@given(PIECES, st.integers(0, 2000))
@settings(max_examples=40, deadline=None)
def test_each_number_stands_above_its_lines(pieces: list[Piece], budget: int) -> None:
    """A number is in the text once, with its place; every line under it is a line of that place, or cut."""
    found = pack(pieces, budget_tokens=budget, count=tokens, question="line 7")
    headers = re.findall(r"^\[(\d+)\] (\S+):(\d+)(?:-(\d+))?(?: |$)", found.text, re.M)
    assert {int(number): (path, int(a), int(b or a)) for number, path, a, b in headers} == {
        number: (it.path, it.first_line, it.last_line) for number, it in found.numbers.items()
    }
    assert [int(it[0]) for it in headers] == list(range(1, len(headers) + 1))
    for number, place in found.numbers.items():
        name = place.path.removeprefix("src/").removesuffix(".py")
        lines = SOURCES[name][place.first_line - 1 : place.last_line]
        if number not in found.parts:
            assert "\n".join(lines) in found.text


@given(PIECES, st.integers(100, 3000), st.integers(100, 3000))
@settings(max_examples=40, deadline=None)
def test_nothing_comes_twice(pieces: list[Piece], first: int, second: int) -> None:
    """A line shown whole stands once in all turns, and a number never changes its place."""
    one = pack(pieces, budget_tokens=first, count=tokens)
    two = pack(pieces, budget_tokens=second, count=tokens, given=one.numbers, parts=one.parts)
    assert one.numbers.items() <= two.numbers.items()
    whole = [place for number, place in two.numbers.items() if number not in two.parts]
    spans = [(it.path, line) for it in whole for line in range(it.first_line, it.last_line + 1)]
    assert len(spans) == len(set(spans))


@given(st.lists(placed() | unplaced(), max_size=8, unique_by=repr), st.randoms(use_true_random=False))
@settings(max_examples=40, deadline=None)
def test_the_order_given_does_not_matter(pieces: list[Piece], chance: object) -> None:
    """The same pieces make the same block, so that a prompt can be found in a cache again."""
    shuffled = list(pieces)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    one, two = (pack(it, budget_tokens=400, count=tokens) for it in (pieces, shuffled))
    assert (one.text, one.numbers) == (two.text, two.numbers)


def test_several_files_are_there_with_little_room() -> None:
    """In 400 tokens there is more than the first of five long pieces; the best has the most lines."""
    long = {f"f{n}": [f"    step_{n}_{it} = compute(value, {it})" for it in range(40)] for n in range(5)}
    pieces = [
        Piece(
            place=Place(path=f"{name}.py", first_line=1, last_line=41),
            text="\n".join([f"def {name}(value):", *lines]),
            signature=f"def {name}(value)",
            score=1 - number / 10,
        )
        for number, (name, lines) in enumerate(long.items())
    ]
    found = pack(pieces, budget_tokens=400, count=tokens)
    assert {it.path for it in found.numbers.values()} == {f"f{n}.py" for n in range(5)}
    assert found.text.count("step_0_") == max(found.text.count(f"step_{n}_") for n in range(5))


def test_the_lines_that_the_question_is_about_are_kept() -> None:
    """Of a piece that is too long, its head and the lines that share rare words with the question."""
    lines = [
        "def handle(request):",
        *(f"    prepare(request, {n})" for n in range(80)),
        "    retry_later(429)",
    ]
    piece = Piece(
        place=Place(path="a.py", first_line=1, last_line=len(lines)),
        text="\n".join(lines),
        signature="def handle(request)",
        score=0.9,
    )
    found = pack([piece], budget_tokens=150, count=tokens, question="when does it retry?")
    assert "def handle(request):\n" in found.text
    assert "retry_later(429)" in found.text
    assert "..." in found.text
    assert found.parts == {1}


def test_a_huge_piece_is_never_whole() -> None:
    """Of many thousand lines the first are looked at, and the number is of a part."""
    text = "\n".join(f"line {it}" for it in range(5_000))
    piece = Piece(place=Place(path="log.txt", first_line=1, last_line=5_000), text=text, score=0.9)
    found = pack([piece], budget_tokens=100_000, count=tokens)
    assert found.parts == {1}
    assert found.text.endswith("...\n")


def test_neighbors_are_one() -> None:
    """Two pieces that follow each other in a file stand under one number."""
    found = pack([code("a", 1, 10, 0.5), code("a", 11, 20, 0.9)], budget_tokens=3000, count=tokens)
    assert dict(found.numbers) == {1: Place(path="src/a.py", first_line=1, last_line=20)}
    assert found.text == "[1] src/a.py:1-20\n" + "\n".join(SOURCES["a"][:20]) + "\n"


def test_what_was_asked_for_by_name_comes_first() -> None:
    """A piece that was mentioned gets its room before what was merely found."""
    mentioned = code("b", 1, 20, 2.0, title="b")
    found = pack([code("a", 1, 60, 0.9), mentioned], budget_tokens=700, count=tokens)
    assert found.text.startswith("[1] src/b.py:1-20 b\n")
    assert mentioned.text in found.text


def test_a_part_may_come_again_whole() -> None:
    """What was cut in one turn is shown whole in a later one with more room, under its number."""
    piece = code("a", 1, 60, 0.9)
    one = pack([piece], budget_tokens=150, count=tokens)
    assert one.parts == {1}
    two = pack(
        [piece, code("b", 1, 2, 0.1)], budget_tokens=3000, count=tokens, given=one.numbers, parts=one.parts
    )
    assert two.text.startswith(f"[1] src/a.py:1-60\n{piece.text}\n\n[2] ")
    assert not two.parts
    three = pack([piece], budget_tokens=3000, count=tokens, given=two.numbers, parts=two.parts)
    assert (three.text, three.tokens, three.left_out) == ("", 0, ())


def test_what_is_in_no_file_has_a_title_and_no_number() -> None:
    """A diff and a note are told apart by their first line, and cannot be cited."""
    note = Piece(place=None, text="Tests run with make check.", kind="note")
    found = pack(
        [note, replace(note, text="-a\n+b", kind="diff", title="src/a.py", score=0.4)],
        budget_tokens=99,
        count=tokens,
    )
    assert found.text == "Changes: src/a.py\n-a\n+b\n\nNote\nTests run with make check.\n"
    assert found.numbers == {}


def test_no_room_is_no_error() -> None:
    """Without room everything is left out, and the numbers of before are still there."""
    given = {3: Place(path="x.py", first_line=1, last_line=2)}
    piece = code("a", 1, 20, 0.9)
    for budget in (-1, 0, 1):
        found = pack([piece], budget_tokens=budget, count=tokens, given=given)
        assert found == Packed(text="", numbers=given, left_out=(piece,), tokens=0)


@pytest.mark.parametrize("budget", [50, 60, 80])
def test_a_small_budget_holds_something(budget: int) -> None:
    """One line of the best piece, with where it stands, fits into very little."""
    piece = code("a", 1, 60, 0.9, signature="def a_1(value):")
    found = pack([piece], budget_tokens=budget, count=tokens)
    assert found.text.startswith("[1] src/a.py:1-60\ndef a_1(value):")
