"""Which sequence of the KV serves a prompt, and which one is given up: plain lists in, a choice out."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.engine.slots import Choice, Slot, choose_slot, common_prefix, evict, too_many


def slots(*held: str, busy: str = "") -> list[Slot]:
    """Sequences that hold these letters, used one after the other; ``busy`` are numbers."""
    return [
        Slot(sequence=at, tokens=list(map(ord, text)), busy=str(at) in busy, used=at)
        for at, text in enumerate(held)
    ]


def choose(prompt: str, *held: str, busy: str = "") -> Choice | None:
    return choose_slot(slots(*held, busy=busy), list(map(ord, prompt)))


LONG = "abcdefghijklmnopqrstuvwxyz"


@pytest.mark.parametrize(
    ("prompt", "held", "busy", "expected"),
    [
        ("abc", ("", ""), "", Choice(sequence=1, keep=0)),
        ("abc", ("abc", ""), "", Choice(sequence=0, keep=2)),
        ("abcd", ("abc", ""), "", Choice(sequence=0, keep=3)),
        ("abX", ("abc", ""), "", Choice(sequence=0, keep=2)),
        ("xyz", ("abc", ""), "", Choice(sequence=1, keep=0)),
        ("xyz", ("abc", "def"), "", Choice(sequence=0, keep=0)),
        ("abc", ("abc", "", "abc"), "", Choice(sequence=2, keep=2)),
        # More than half of what it holds would be lost: the start is copied, the sequence stays.
        (LONG[:20] + "!", (LONG * 2, ""), "", Choice(sequence=1, keep=20, source=0)),
        # Too little to be worth another sequence.
        (LONG[:9] + "!", (LONG, ""), "", Choice(sequence=1, keep=0)),
        # A sequence in use can be copied from, never used.
        (LONG, (LONG, "", ""), "0", Choice(sequence=1, keep=25, source=0)),
        (LONG, (LONG, "abc", "xyz"), "0", Choice(sequence=1, keep=25, source=0)),
        ("abc", ("abc", "x"), "0", Choice(sequence=1, keep=0)),
        ("abc", ("abc", "x"), "01", None),
        ("a", ("a",), "", Choice(sequence=0, keep=0)),
    ],
)
def test_the_choice(prompt: str, held: tuple[str, ...], busy: str, expected: Choice | None) -> None:
    """The longest common start wins, unless keeping both is worth more."""
    assert choose(prompt, *held, busy=busy) == expected


@given(
    prompt=st.text("ab", min_size=1, max_size=60),
    held=st.lists(st.text("ab", max_size=60), min_size=1, max_size=5),
    data=st.data(),
)
def test_a_choice_is_always_sound(prompt: str, held: list[str], data: st.DataObject) -> None:
    """Never one in use, never the whole prompt, never more than is really shared."""
    busy = "".join(data.draw(st.sets(st.sampled_from([str(it) for it in range(len(held))]))))
    choice = choose(prompt, *held, busy=busy)
    if len(busy) == len(held):
        assert choice is None
        return
    assert choice is not None
    assert str(choice.sequence) not in busy
    assert 0 <= choice.keep < len(prompt)
    origin = choice.sequence if choice.source is None else choice.source
    assert held[origin][: choice.keep] == prompt[: choice.keep]
    assert choice.source != choice.sequence


@given(left=st.text("ab"), right=st.text("ab"), shared=st.text("ab", max_size=200))
def test_common_prefix(left: str, right: str, shared: str) -> None:
    """The same as counting by hand, but in some slices."""
    one, other = shared + left, shared + right
    expected = next((at for at, (x, y) in enumerate(zip(one, other, strict=False)) if x != y), None)
    expected = min(len(one), len(other)) if expected is None else expected
    assert common_prefix(list(map(ord, one)), list(map(ord, other))) == expected


@pytest.mark.parametrize(
    ("held", "busy", "keep", "expected"),
    [
        (("a", "b", "c"), "", 2, 0),
        (("a", "b", "c"), "0", 2, 1),
        (("", "b", "c"), "", 2, 1),
        (("a", "", ""), "", 0, None),
        (("a", "b"), "01", 0, None),
    ],
)
def test_what_is_forgotten_first(held: tuple[str, ...], busy: str, keep: int, expected: int | None) -> None:
    """The longest unused one that holds something and that nobody needs."""
    assert evict(slots(*held, busy=busy), keep) == expected


@pytest.mark.parametrize(
    ("prompt", "held", "expected"),
    [
        # Even where all of it stays useful: typing goes on from it.
        (LONG, (LONG[:20], "", ""), Choice(sequence=1, keep=20, source=0)),
        ("abc", ("abc", "x"), Choice(sequence=1, keep=0)),
        ("abX", ("abc", ""), Choice(sequence=1, keep=0)),
        (LONG, (LONG[:20],), None),
    ],
)
def test_a_guarded_slot_is_shared_at_most(
    prompt: str, held: tuple[str, ...], expected: Choice | None
) -> None:
    """What is evaluated ahead finds another place for it, or none."""
    guarded = [replace(it, guarded=it.sequence == 0) for it in slots(*held)]
    assert choose_slot(guarded, list(map(ord, prompt)), spare=True) == expected
    assert evict(guarded[:1], 9, spare=True) is None
    assert evict(guarded[:1], 9) == 0


def test_the_whole_prompt_is_kept_where_its_scores_are_known() -> None:
    """Then nothing of it is evaluated again."""
    assert choose_slot(slots("abc", ""), [97, 98, 99], again=False) == Choice(sequence=0, keep=3)


def test_what_typing_used_is_given_up_last() -> None:
    """And what background work left first, however fresh it is."""
    mixed = [replace(it, guarded=it.sequence == 0, lesser=it.sequence == 3) for it in slots(*"abcd")]
    assert evict(mixed, 9) == 3
    assert evict(mixed[:3], 9) == 1
    assert choose_slot(mixed, [120, 121]) == Choice(sequence=3, keep=0)


def test_idle_sequences_beyond_their_room_are_forgotten() -> None:
    """The least missed first; what is in use, was used a moment ago or by typing last stays."""
    held = slots("a" * 30, "b" * 30, "c" * 30, "d" * 30, "e" * 30, busy="4")
    assert too_many(held, 120) == []
    assert too_many(held, 90) == [0]
    assert too_many(held, 30) == [2, 1, 0]
    assert too_many([replace(it, recent=it.sequence < 2) for it in held], 30) == [2]
    assert too_many([replace(it, guarded=it.sequence == 0) for it in held], 0) == [3, 2, 1]


def test_cells_that_two_share_count_once() -> None:
    """Anchors of one document have most of it in common."""
    held = slots("a" * 50, "a" * 50 + "x", "a" * 50 + "y", "z" * 9, busy="2")
    assert too_many(held, 12) == []
    assert too_many(held, 8) == [3]
