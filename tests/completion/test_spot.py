"""From any text and any offset to a spot."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from completion import Spot, spot_at
from completion.spot import LOOK_CHARACTERS, accepted, on_next_line
from tests.completion.fixtures import CONFIG, spot_of

TEXT = st.text(st.one_of(st.characters(), st.sampled_from("\r\n\t ()[]{}\"'`#/*\\\0e\u0301\u200d👩🏽")))


def look(text: str, offset: int, language: str = "python") -> Spot:
    return spot_at(text, offset, path="p", language=language, config=CONFIG)


@given(TEXT, st.integers(-10, 300), st.sampled_from(["python", "typescript", "rust", "markdown", "?"]))
@example("a\r\nb", 2, "python")
def test_any_offset_in_any_text(text: str, offset: int, language: str) -> None:
    """A spot has all of a short text, with line breaks as the model knows them, wherever the cursor is."""
    spot = look(text, offset, language)
    assert spot.before + spot.after == text.replace("\r\n", "\n").replace("\r", "\n")
    assert (spot.line_before + spot.line_after) in (spot.before + spot.after).split("\n")
    assert spot.line_before.startswith(spot.indent)
    assert spot.before.endswith(spot.line_before)
    assert spot.whole


@given(st.text("ab\n", max_size=200), st.data())
def test_there_and_back(text: str, data: st.DataObject) -> None:
    """A document with CRLF has the same spots as one with LF, but for the line ending."""
    offset = data.draw(st.integers(0, len(text)))
    before, after = text[:offset].replace("\n", "\r\n"), text[offset:].replace("\n", "\r\n")
    unix, dos = look(text, offset), look(before + after, len(before))
    assert (dos.before, dos.after) == (unix.before, unix.after)
    if "\n" in text:
        assert (unix.line_ending, dos.line_ending) == ("\n", "\r\n")
    assert (unix.before + unix.after).replace("\n", dos.line_ending) == before + after


def test_an_offset_between_cr_and_lf_is_before_both() -> None:
    """Half a line break is no place to write."""
    assert (look("a\r\nb", 2).before, look("a\r\nb", 2).after) == ("a", "\nb")


@pytest.mark.parametrize(
    ("text", "offset", "ending"),
    [
        ("ab", 1, "\n"),
        ("a\r\nb\nc", 4, "\r\n"),
        ("a\nb\r\nc", 3, "\n"),
        ("ab\r\n", 1, "\r\n"),
        ("a\rb", 2, "\r"),
    ],
)
def test_the_nearest_line_break_counts(text: str, offset: int, ending: str) -> None:
    """A file of mixed line breaks gets what stands around the cursor."""
    assert look(text, offset).line_ending == ending


def test_a_hundred_thousand_lines() -> None:
    """The neighborhood is cut out of a large file, in whole lines."""
    lines = [f"line_{number} = {number}\n" for number in range(100_000)]
    text = "".join(lines)
    spot = look(text, len("".join(lines[:50_000])))
    assert spot.before.startswith("line_")
    assert spot.after.startswith("line_50000 = 50000\n")
    assert spot.before.splitlines()[0] == f"line_{spot.first_line} = {spot.first_line}"
    assert spot.before.endswith("line_49999 = 49999\n")
    assert spot.after.endswith("\n")
    assert not spot.whole
    assert len(spot.before) + len(spot.after) <= 4 * LOOK_CHARACTERS


def test_one_line_of_a_megabyte() -> None:
    """A minified file is cut inside its line."""
    spot = look("(x)," * 250_000, 500_002)
    assert "\n" not in spot.before + spot.after
    assert spot.before.endswith("(x),(x")
    assert spot.after.startswith("),(x)")
    assert len(spot.before) + len(spot.after) <= 4 * LOOK_CHARACTERS


@pytest.mark.parametrize("piece", ["e\u0301", "👩🏽", "👩\u200d👧", "ü", "\r\n"])
def test_long_lines_are_not_cut_inside_a_character(piece: str) -> None:
    """Half a character means nothing to a model."""
    for shift in range(len(piece)):
        spot = look("x" * shift + piece * 100_000, shift + 50_000 * len(piece))
        start, end = spot.before[0], spot.after[-1]
        assert not unicodedata.combining(start)
        assert start != "\u200d"
        assert not 0x1F3FB <= ord(start) <= 0x1F3FF
        assert end in (piece[-1], "\n")


def test_text_of_brackets_alone_is_bounded_work() -> None:
    """Nothing here takes the square of the number of brackets."""
    spot = look("(" * 500_000 + ")" * 500_000, 500_000)
    assert spot.owed.strip(")") == ""
    assert look("([{" * 100_000, 300_000).owed.startswith("}])}])")


@pytest.mark.parametrize(
    ("document", "owed"),
    [
        ("foo(‸", ")"),
        ("foo(‸)", ""),
        ("foo(bar(‸)", ")"),
        ("foo(a,\n    bar(‸\n)", ")"),
        ("x = {'a': [1, (2‸\n", ")]}"),
        ("x = {'a': [1, (2‸]}\n", ")"),
        ("print(')' + ‸", ")"),
        ("x = (  # :)\n‸", ")"),
        ('x = f("""\n(((\n"""‸', ")"),
        ("foo(‸]\n", ")"),
        ("a)‸", ""),
    ],
)
def test_what_the_document_owes(document: str, owed: str) -> None:
    """Closers of later lines count; those in strings and comments do not."""
    assert spot_of(document).owed == owed


def test_what_a_long_document_owes() -> None:
    """Braces opened further up are closed behind what was read; a bracket of this statement is not."""
    rest = "\n".join(["  call(x);"] * 5_000)
    assert spot_of("class A {\n  call(‸\n" + rest, "typescript").owed == ")"
    assert spot_of("class A {\n  call({\n    a: 1,\n    ‸\n" + rest, "typescript").owed == ""
    assert spot_of("call(a,\n    b‸\n" + rest, "typescript").owed == ")"


@pytest.mark.parametrize(
    ("document", "unit"),
    [
        ("def f():\n    ‸\n    x\n", "    "),
        ("def f():\n  x\n  if x:\n    y\n‸", "  "),
        ("class A:\n\tdef f(self):\n\t\tx\n‸", "\t"),
        ("x = 1\n‸", ""),
        ("‸", ""),
        ("def f(a,\n      b):\n    x\n    if x:\n        y‸", "    "),
        ("/**\n * Two.\n */\nint f() {\n\tx;\n}\n‸", "\t"),
    ],
)
def test_the_unit_of_indentation(document: str, unit: str) -> None:
    """The neighborhood says it; alignment and comments do not."""
    assert spot_of(document).unit == unit


def test_the_lines_around() -> None:
    """Blank lines are skipped, nearest first."""
    spot = spot_of("one\n\n  two\n \nthr‸ee\n\n\nfour\nfive\n")
    assert spot.lines_above == ["  two", "one"]
    assert spot.lines_below == ["four", "five"]
    assert (spot.line_before, spot.line_after, spot.line_above) == ("thr", "ee", " ")
    assert spot_of("a\n‸").lines_above == ["a"]
    assert spot_of("‸").lines_above == []
    assert spot_of("‸").line_above == ""


@pytest.mark.parametrize(
    ("document", "text", "replaced", "expected"),
    [
        ("x = ‸\ny\n", "1", 0, "x = 1‸\ny\n"),
        ("f(‸)\ny\n", "a) + g(b)", 1, "f(a) + g(b)‸\ny\n"),
        ("if x:\n    ‸\n", "y()\n    z(", 0, "if x:\n    y()\n    z(‸\n"),
    ],
)
def test_the_spot_behind_what_was_accepted(document: str, text: str, replaced: int, expected: str) -> None:
    """The same as the editor will ask about when it has put the text in."""
    assert accepted(spot_of(document), text, replaced) == spot_of(expected)


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ("if x:\n    y()‸\nz\n", "if x:\n    y()\n    ‸\nz\n"),
        ("if x:\n    if y:‸\n        z()\n", "if x:\n    if y:\n        ‸\n        z()\n"),
        ("x = 1‸\n", "x = 1\n‸\n"),
    ],
)
def test_the_spot_on_the_next_line(document: str, expected: str) -> None:
    """As deep as editors put it."""
    later = on_next_line(spot_of(document))
    wanted = spot_of(expected)
    assert (later.before, later.after, later.owed) == (wanted.before, wanted.after, wanted.owed)
