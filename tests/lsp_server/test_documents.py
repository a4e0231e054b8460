"""Documents follow the editor: line breaks as LSP has them, changes as they come, whatever they are."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lsprotocol import types as lsp

from lsp_server.convert import units_in
from lsp_server.documents import WINDOW_CHARACTERS, WINDOW_LINES, WINDOW_STEP, Document, split_lines

END = 2**31 - 1


def document(text: str) -> Document:
    return Document("file:///x.py", "python", 1, text)


def change(start: tuple[int, int], end: tuple[int, int], text: str) -> lsp.TextDocumentContentChangePartial:
    where = lsp.Range(lsp.Position(*start), lsp.Position(*end))
    return lsp.TextDocumentContentChangePartial(range=where, text=text)


def after(text: str, *changes: lsp.TextDocumentContentChangeEvent) -> str:
    it = document(text)
    it.apply(changes, 2, "utf-16")
    assert it.lines == split_lines(it.text)
    assert it.version == 2
    return it.text


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", [""]),
        ("a", ["a"]),
        ("a\n", ["a\n", ""]),
        ("a\r\nb\rc\n", ["a\r\n", "b\r", "c\n", ""]),
        ("\x0cclass A:\n\x1c\x85\u2028x", ["\x0cclass A:\n", "\x1c\x85\u2028x"]),
    ],
)
def test_lines_break_where_the_protocol_breaks_them(text: str, lines: Sequence[str]) -> None:
    """A form feed or a Unicode separator is a character in a line, not the end of one."""
    assert split_lines(text) == lines


@pytest.mark.parametrize(
    ("text", "edit", "expected"),
    [
        ("ab\n", change((0, 1), (0, 1), "X"), "aXb\n"),
        ("ab\ncd\n", change((0, 1), (1, 1), ""), "ad\n"),
        ("ab", change((0, 2), (0, 2), "\n"), "ab\n"),
        ("a\r", change((1, 0), (1, 0), "\nb"), "a\r\nb"),
        ("a\rb\r", change((1, 0), (2, 0), "\n"), "a\r\n"),
        ("😀x", change((0, 2), (0, 3), ""), "😀"),
        ("ab", change((9, 9), (9, 9), "!"), "ab!"),
        ("ab\n", change((0, 99), (0, 99), "!"), "ab!\n"),
        ("ab", change((0, 2), (0, 1), "!"), "ab!"),
        ("old\n", lsp.TextDocumentContentChangeWholeDocument(text="new"), "new"),
    ],
)
def test_a_change(text: str, edit: lsp.TextDocumentContentChangeEvent, expected: str) -> None:
    """Edits inside lines, across them, at the end, outside the document, backwards, and of everything."""
    assert after(text, edit) == expected


pieces = st.text(st.sampled_from("ab\n\r\x0c\u2028😀é"), max_size=8)
places = st.tuples(st.integers(0, 5), st.integers(0, 5))


@given(text=pieces, edits=st.lists(st.tuples(places, places, pieces), max_size=5))
def test_changes_are_what_they_are_on_plain_text(
    text: str, edits: list[tuple[tuple[int, int], tuple[int, int], str]]
) -> None:
    """The list of lines never drifts from the text it stands for."""
    it, plain = document(text), text
    for version, (start, end, new) in enumerate(edits):
        lines = split_lines(plain)

        def offset(place: tuple[int, int], lines: list[str] = lines) -> int:
            if len(lines) <= place[0]:
                return sum(map(len, lines))
            content = lines[place[0]].rstrip("\r\n")
            fits = [i for i in range(len(content) + 1) if units_in(content[:i], "utf-16") <= place[1]]
            return sum(map(len, lines[: place[0]])) + max(fits)

        first, last = offset(start), max(offset(start), offset(end))
        plain = plain[:first] + new + plain[last:]
        it.apply([change(start, end, new)], version, "utf-16")
        assert it.text == plain
        assert it.lines == split_lines(plain)
        assert it.last_change is not None
        assert it.last_change.removed == last - first


def test_a_keystroke_touches_one_line() -> None:
    """In a file of 100,000 lines the others stay the very objects they were."""
    it = document("x = 1\n" * 100_000)
    before = list(it.lines)
    it.apply([change((50_000, 5), (50_000, 5), "0")], 2, "utf-16")
    assert it.lines[50_000] == "x = 10\n"
    assert sum(old is not new for old, new in zip(before, it.lines, strict=True)) == 1


def test_the_window_is_the_same_around_every_cursor_of_a_stretch() -> None:
    """While typing goes on, the window's first line stays, so that the prompt's first line can."""
    it = document("".join(f"line {n}\n" for n in range(100_000)))
    starts = {it.window(line, 0).text[:12] for line in range(50_000, 50_000 + WINDOW_STEP)}
    assert len(starts) <= 2
    window = it.window(50_000, 4)
    assert window.text[window.offset - 4 : window.offset + 6] == "line 50000"
    assert len(window.text.splitlines()) <= 2 * WINDOW_LINES + WINDOW_STEP


def test_the_window_of_one_long_line_is_bounded() -> None:
    """A minified megabyte costs no more than a long file."""
    it = document("x" * 1_000_000)
    window = it.window(0, 900_000)
    assert len(window.text) <= 3 * WINDOW_CHARACTERS
    assert window.offset >= WINDOW_CHARACTERS


def test_a_place_outside_the_document_is_none() -> None:
    """A line that is not there has no text to complete; a column that is not there means the line's end."""
    it = document("ab\n")
    assert it.locate(lsp.Position(2, 0), "utf-16") is None
    assert it.locate(lsp.Position(0, END), "utf-16") == (0, 2)
    assert it.locate(lsp.Position(1, END), "utf-16") == (1, 0)
