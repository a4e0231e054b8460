"""Pure: what an editor asks about -> ``Place``; a suggestion there -> the item the editor shows.

Every item has a range in the editor's own units: without one VS Code replaces the rest of the line and
Neovim nothing. While the editor's suggest widget is open, the item must replace exactly the range of the
widget's selected entry and begin with its text; the suggestion then continues behind that text.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lsprotocol import types as lsp

from completion.suggestion import Suggestion
from lsp_server import convert, protocol
from lsp_server.convert import Encoding
from lsp_server.documents import Document, Window


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One place in one version of a document, with all that is needed to answer for it."""

    window: Window
    line: int
    line_text: str
    index: int
    """Where the cursor is on its line, in code points."""
    selected: str = ""
    """The text of the suggest widget's selected entry, as if it were there already."""
    selected_range: lsp.Range | None = None


def place_at(
    document: Document,
    position: lsp.Position,
    selected: lsp.SelectedCompletionInfo | None,
    encoding: Encoding,
) -> Place | None:
    """The place a request is about; ``None`` if there is none in this document."""
    found = document.locate(position, encoding)
    if found is None:
        return None
    line, index = found
    text = document.lines[line]
    if selected is None:
        return Place(window=document.window(line, index), line=line, line_text=text, index=index)
    start, end = (
        document.locate(selected.range.start, encoding),
        document.locate(selected.range.end, encoding),
    )
    if start is None or end is None or not (line, 0) <= start <= (line, index) <= end < (line + 1, 0):
        return None
    window = document.window(line, start[1])
    rest = window.text[window.offset + end[1] - start[1] :]
    return Place(
        window=Window(
            text=window.text[: window.offset] + selected.text + rest,
            offset=window.offset + len(selected.text),
        ),
        line=line,
        line_text=text,
        index=index,
        selected=selected.text,
        selected_range=selected.range,
    )


def item_for(place: Place, suggestion: Suggestion, encoding: Encoding) -> lsp.InlineCompletionItem | None:
    """The item to show; ``None`` if nothing can be shown here."""
    text = suggestion.text.replace("\r\n", "\n")  # Editors put in their own line breaks; Neovim shows others.
    replaced = suggestion.replace_after
    where = place.selected_range
    if where is not None and replaced:
        closers = place.window.text[place.window.offset :][:replaced]
        if not text.endswith(closers):  # Its range is given, so what follows it has to stay.
            return None
        text = text.removesuffix(closers)
    if not text:
        return None
    if where is None:
        first, last = convert.columns(place.line_text, place.index, place.index + replaced, encoding)
        where = lsp.Range(lsp.Position(place.line, first), lsp.Position(place.line, last))
    counts = {"lines": text.count("\n") + 1, "characters": len(text), **origin_json(suggestion)}
    return lsp.InlineCompletionItem(
        insert_text=place.selected + text,
        range=where,
        command=lsp.Command(
            title="Count an accepted suggestion", command=protocol.ACCEPTED, arguments=[counts]
        ),
    )


def origin_json(suggestion: Suggestion) -> dict[str, Any]:
    """Where a suggestion came from, for programs: its source, and a place in the code where there is one."""
    known = suggestion.origin
    place = {"path": known.path, "line": known.line} if known else {}
    return {"source": suggestion.source, **place}


def source_sentence(suggestion: Suggestion | None, model: str) -> str:
    """Where a suggestion came from, for people."""
    if suggestion is None:
        return "Nothing has been suggested yet."
    known = suggestion.origin
    place = f"{known.path} line {known.line}" if known else "put together from lines near by"
    if suggestion.source == "memory":
        return f"From your code: {place}."
    if suggestion.source == "both":
        return f"From the model {model}, and your code says the same: {place}."
    return f"From the model {model}."
