"""Coded text: what it looks like, and that a cursor's context is the same bytes as the text's own."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codeindex.memory.coded import CONTEXT_BYTES, code_lines, coded, coded_context, encoded, safe

CASES = {
    "levels": ("if a:\n    b\n    c\nd", b"if a:\n\x01b\nc\n\x02d"),
    "two levels out": ("a\n  b\n    c\nd", b"a\n\x01b\n\x01c\n\x02\x02d"),
    "half way out, as nobody should": ("a\n        b\n    c\nd", b"a\n\x01b\n\x02c\n\x02d"),
    "blank lines stay, their blanks do not": ("a\n   \n\n  b", b"a\n\n\n\x01b"),
    "trailing blanks": ("a  \t\n", b"a\n"),
    "a tab is as deep as four blanks": ("a\n\tb\n    c", b"a\n\x01b\nc"),
    "a carriage return": ("a\r\n  b\r\n", b"a\n\x01b\n"),
    "our own marks in a text": ("a\x00b\x01c\x02", b"a b c"),
    "more than ASCII": ("é\n  ü", "é\n\x01ü".encode()),
    "half a character": ("a\ud800b", b"a?b"),
    "nothing": ("", b""),
}

LINES = st.lists(st.text("a b\tcé\r\x01\f", max_size=12), max_size=12)


@pytest.mark.parametrize(("text", "expected"), CASES.values(), ids=CASES)
def test_coded(text: str, expected: bytes) -> None:
    """Indentation becomes steps, and nothing else of a line is lost."""
    assert coded(text) == expected


def test_a_line_of_blanks_is_as_deep_as_it_is() -> None:
    """After an editor has indented a new line, the context says that we are one level deeper."""
    assert coded_context("if a:\n    ") == b"if a:\n\x01"
    assert coded_context("if a:\n    b\n") == b"if a:\n\x01b\n\x02"
    assert coded_context("") == b""


def test_a_long_context_is_cut() -> None:
    """What is never compared is not looked at, however deep the levels above begin."""
    above = "class A:\n  def f():\n" + "    call(1)\n" * 500
    assert coded_context(above + "    x = ") == coded(above + "    x = 1")[:-1][-CONTEXT_BYTES:]
    assert coded_context("a" * 10_000) == b"a" * CONTEXT_BYTES


@settings(deadline=None)
@given(LINES, st.data())
def test_a_context_is_what_stands_before_the_place(lines: list[str], data: st.DataObject) -> None:
    """The place before any character that is not blank is found by exactly its context."""
    text = "\n".join(lines)
    visible = [it for it, character in enumerate(safe(text)) if character not in " \t\r\f\v\n"]
    if not visible:
        return
    place = data.draw(st.sampled_from(visible))
    before, rest = text[:place], encoded(safe(text[place:].partition("\n")[0]).rstrip(" \t\r\f\v"))
    whole_line = coded(before + text[place:].partition("\n")[0])
    assert coded_context(before) == whole_line[: len(whole_line) - len(rest)][-CONTEXT_BYTES:]


@settings(deadline=None)
@given(LINES, st.integers(0, 12))
def test_lines_can_be_coded_in_pieces(lines: list[str], cut: int) -> None:
    """A piece needs only the levels that are open where it begins."""
    levels = [0]
    pieces = code_lines(lines[:cut], levels) + code_lines(lines[cut:], levels)
    assert pieces == code_lines(lines, [0])


@settings(deadline=None)
@given(LINES)
def test_line_numbers_stay(lines: list[str]) -> None:
    """A line of coded text is the same line of the text."""
    text = "\n".join(lines)
    assert coded(text).count(b"\n") == text.count("\n")
