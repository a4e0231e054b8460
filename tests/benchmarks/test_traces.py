"""Traces: the keys lead to the file that was to be typed, whatever the editor does by itself."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from benchmarks.keystrokes.traces import (
    Habits,
    Passage,
    change_typed,
    holes,
    jumps,
    lines_typed,
    middle_lines,
    place_of,
    pressed,
    rhythm,
    segments,
    typing,
    with_holes,
)

CODE = st.text(alphabet="ab (){}[]\n\t:é😀", max_size=60)
HABITS = st.builds(Habits, auto_indent=st.booleans(), auto_close=st.booleans())
FILE = "".join(
    f"def function_{number}(argument):\n    return argument + {number}\n\n" for number in range(200)
)


def played(passage: Passage) -> str:
    """The document after all keys; the cursor is inside of it after each."""
    text = passage.text
    for key in passage.keys:
        text = pressed(text, key)
        assert 0 <= key.cursor <= len(text)
    return text


@given(before=CODE, body=CODE, after=CODE, habits=HABITS)
def test_typing_leads_to_the_text(before: str, body: str, after: str, habits: Habits) -> None:
    """However brackets and indentation come about, what stands there in the end is what was to be typed."""
    keys = tuple(typing(before, body, after, habits))
    assert played(Passage(path="a", text=before + after, keys=keys)) == before + body + after


@given(old=CODE, new=CODE, habits=HABITS)
def test_a_change_leads_to_the_new_text(old: str, new: str, habits: Habits) -> None:
    """A commit's lines, removed and typed, give the file as it was committed."""
    assert played(change_typed("a", old, new, habits)) == new


def test_lines_of_code_near_the_middle() -> None:
    """Prose, blank lines and lists of calls are left aside; a short file is taken whole."""
    code = "if a:\nb = f(c)\nwhile d:\ne()\nfor f in g:\n"
    text = "prose\n" * 20 + code + "\n" * 20 + "a()\n" * 10
    assert middle_lines(text, 5) == (21, 25)
    assert middle_lines("a\nb\n", 14) == (1, 2)


def test_every_character_is_a_key() -> None:
    """Without habits of the editor, typing is one key for each character, each with a question."""
    passage = lines_typed("a", "one\ntwo\nthree\nfour\n", 2, 3, Habits())
    assert passage.text == "one\n\nfour\n"
    assert [it.insert for it in passage.keys] == list("two\nthree")
    assert all(it.asks for it in passage.keys)
    assert played(passage) == "one\ntwo\nthree\nfour\n"


def test_closers_come_by_themselves_and_are_typed_over() -> None:
    """An opener brings its closer; typing that closer moves the cursor and changes nothing."""
    keys = tuple(typing("", "f(a)", "\n", Habits(auto_close=True)))
    assert [(it.insert, it.cursor) for it in keys] == [("f", 1), ("()", 2), ("a", 3), ("", 4)]


def test_enter_brings_the_indentation() -> None:
    """The blanks of the line above need no keys; those that are too many are taken back."""
    keys = tuple(typing("    ", "a\n    b\nc", "\n", Habits(auto_indent=True)))
    assert [(it.insert, it.remove) for it in keys] == [
        ("a", 0),
        ("\n    ", 0),
        ("b", 0),
        ("\n    ", 0),
        ("", 4),
        ("c", 0),
    ]


def test_the_last_line_may_have_no_break() -> None:
    """Typing to the very end of a file that does not end with a line break adds none."""
    passage = lines_typed("a", "one\ntwo", 2, 2, Habits())
    assert (passage.text, played(passage)) == ("one\n", "one\ntwo")


def test_jumps_fill_their_holes() -> None:
    """Each jump types the character that is missing there, whatever was typed at other places before."""
    made = holes(FILE, 6, seed=3, keep_off=(100, 120))
    assert len(made) == 6
    assert not any(60 < it.line < 160 for it in made)
    passage = jumps("a", FILE, made)
    assert passage.text == with_holes(FILE, made) != FILE
    text = passage.text
    for hole, key in zip(made, passage.keys, strict=True):
        assert key.at == place_of(text, hole)
        text = pressed(text, key)
        line = text.split("\n")[hole.line]
        assert line == FILE.split("\n")[hole.line][: hole.column + 1]


def test_the_same_seed_jumps_to_the_same_places() -> None:
    """A trace can be played again."""
    assert holes(FILE, 8, seed=1) == holes(FILE, 8, seed=1) != holes(FILE, 8, seed=2)
    assert rhythm(5, 0.14, 0.5, 1) == rhythm(5, 0.14, 0.5, 1) != rhythm(5, 0.14, 0.5, 2)


def test_a_short_file_has_fewer_places() -> None:
    """Where there is no room for so many jumps, there are fewer, each in a line of its own."""
    made = holes("a_long_line_of_code = 1\n" * 3, 10, seed=1)
    assert sorted(it.line for it in made) == [0, 1, 2]


def test_rhythm_is_around_its_median() -> None:
    """Half of the gaps are shorter than the median, and none is negative."""
    gaps = sorted(rhythm(1001, 0.14, 0.5, 1))
    assert 0.0 < gaps[0]
    assert 0.13 < gaps[500] < 0.15


@given(count=st.integers(1, 200), rounds=st.integers(1, 50))
def test_segments_are_all_of_it(count: int, rounds: int) -> None:
    """Every key is played once, in order, and no turn is empty."""
    parts = segments(count, rounds)
    assert [it for part in parts for it in part] == list(range(count))
    assert all(parts)
