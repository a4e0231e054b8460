"""Places and items: where the cursor is, and what the editor is told to replace."""

from __future__ import annotations

import pytest
from lsprotocol import types as lsp

from completion.suggestion import Origin, Source, Suggestion
from lsp_server import convert
from lsp_server.convert import Encoding, units_in
from lsp_server.documents import Document
from lsp_server.items import Place, item_for, place_at, source_sentence

MARK = "‸"


def place(marked: str, encoding: Encoding, selected: tuple[str, str] | None = None) -> Place | None:
    """The place of the mark; ``selected`` is what the widget replaces before the cursor, and with what."""
    before, _, after = marked.partition(MARK)
    document = Document("file:///x.py", "python", 1, before + after)
    line, start_of_line = before.count("\n"), before.rfind("\n") + 1
    cursor = lsp.Position(line, units_in(before[start_of_line:], encoding))
    if selected is None:
        return place_at(document, cursor, None, encoding)
    start = lsp.Position(line, cursor.character - units_in(selected[0], encoding))
    info = lsp.SelectedCompletionInfo(range=lsp.Range(start, cursor), text=selected[1])
    return place_at(document, cursor, info, encoding)


def applied(
    marked: str, text: str, *, replace_after: int = 0, selected: tuple[str, str] | None = None
) -> str | None:
    """The document after accepting, which must be the same in every encoding."""
    outcomes: set[str | None] = set()
    for encoding in convert.ENCODINGS:
        it = place(marked, encoding, selected)
        assert it is not None
        item = item_for(it, Suggestion(text=text, replace_after=replace_after, reason="test"), encoding)
        if item is None:
            outcomes.add(None)
            continue
        assert item.range is not None
        assert item.command is not None
        assert text not in str(item.command.arguments)
        document = Document("file:///x.py", "python", 1, marked.replace(MARK, ""))
        change = lsp.TextDocumentContentChangePartial(range=item.range, text=str(item.insert_text))
        document.apply([change], 2, encoding)
        outcomes.add(document.text)
    assert len(outcomes) == 1
    return outcomes.pop()


@pytest.mark.parametrize(
    ("marked", "text", "replace_after", "expected"),
    [
        ("def add(‸", "a, b):\n    return a + b", 0, "def add(a, b):\n    return a + b"),
        ("print(‸)\n", "'hi')", 1, "print('hi')\n"),
        ("x = 'É😀'; f(‸)\n", "y)", 1, "x = 'É😀'; f(y)\n"),
        ("f(‸'😀')\r\n", "x)", 4, "f(x)\r\n"),
        ("\t‸\r\nx", "y = 1", 0, "\ty = 1\r\nx"),
    ],
)
def test_accepting_puts_it_where_it_belongs(
    marked: str, text: str, replace_after: int, expected: str
) -> None:
    """Before and behind the cursor may stand anything."""
    assert applied(marked, text, replace_after=replace_after) == expected


def test_nothing_to_say_is_no_item() -> None:
    """An empty suggestion is not an item that inserts nothing."""
    assert applied("x‸", "") is None


def test_the_suggest_widgets_entry_is_extended() -> None:
    """The item begins with the entry the user sees selected, and the model continued behind it."""
    it = place("import os\nos.pa‸\n", "utf-16", ("pa", "path"))
    assert it is not None
    assert it.window.text[: it.window.offset] == "import os\nos.path"
    assert applied("os.pa‸\n", ".join(a)", selected=("pa", "path")) == "os.path.join(a)\n"


def test_the_suggest_widgets_range_cannot_grow() -> None:
    """A closer behind the range stays: the suggestion loses its own, or is not shown."""
    assert applied("f(pr‸)\n", "(x))", replace_after=1, selected=("pr", "print")) == "f(print(x))\n"
    assert applied("f(pr‸)\n", "(x)]", replace_after=1, selected=("pr", "print")) is None


@pytest.mark.parametrize(
    ("start", "end"),
    [((0, 2), (0, 1)), ((0, 0), (1, 0)), ((1, 0), (1, 1)), ((7, 0), (7, 1)), ((0, 2), (0, 3))],
)
def test_a_selected_range_that_is_not_around_the_cursor_is_no_place(
    start: tuple[int, int], end: tuple[int, int]
) -> None:
    """Such a request makes no sense, and is answered all the same."""
    document = Document("file:///x.py", "python", 1, "abc\nd")
    info = lsp.SelectedCompletionInfo(range=lsp.Range(lsp.Position(*start), lsp.Position(*end)), text="x")
    assert place_at(document, lsp.Position(0, 1), info, "utf-16") is None


def test_a_line_that_is_not_there_is_no_place() -> None:
    """The editor and the server may disagree for a moment."""
    document = Document("file:///x.py", "python", 1, "abc\n")
    assert place_at(document, lsp.Position(2, 0), None, "utf-16") is None


@pytest.mark.parametrize(
    ("source", "origin", "expected"),
    [
        ("memory", Origin(path="src/a.py", line=12), "From your code: src/a.py line 12."),
        ("memory", None, "From your code: put together from lines near by."),
        ("model", None, "From the model starter."),
        (
            "both",
            Origin(path="src/a.py", line=12),
            "From the model starter, and your code says the same: src/a.py line 12.",
        ),
    ],
)
def test_where_it_came_from(source: Source, origin: Origin | None, expected: str) -> None:
    """One sentence for people; programs get the same beside the counts, and never the text."""
    suggestion = Suggestion(text="total", source=source, origin=origin, reason="test")
    assert source_sentence(suggestion, "starter") == expected
    it = place("‸", "utf-16")
    assert it is not None
    item = item_for(it, suggestion, "utf-16")
    assert item is not None
    assert item.command is not None
    where = {"path": origin.path, "line": origin.line} if origin else {}
    assert item.command.arguments == [{"lines": 1, "characters": 5, "source": source, **where}]


def test_nothing_has_come_from_anywhere_yet() -> None:
    """Asked too early."""
    assert source_sentence(None, "starter") == "Nothing has been suggested yet."
