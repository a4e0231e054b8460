r"""The open documents, as the editor last described them. Nothing here touches the disk.

A document is a list of lines broken where LSP breaks them (``\n``, ``\r\n``, ``\r``) and nowhere else:
``str.splitlines`` would also break at form feeds and U+2028, and every later position would be off.
With a list, one keystroke in a file of 100,000 lines costs one splice, not a copy of the file.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lsprotocol import types as lsp

from lsp_server import convert
from lsp_server.convert import Encoding

WHOLE_LINES = 8192
"""Documents up to this length are looked at whole; putting them together takes less than a millisecond."""
WINDOW_LINES = 2048
"""How much of a longer one is looked at on each side of the cursor: more than any prompt can hold."""
WINDOW_STEP = 1024
"""The window moves in steps, so that its first line (and with it the prompt's) rarely changes."""
WINDOW_CHARACTERS = 400_000
"""The same for documents of few, very long lines."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One edit, in code points: where, how much went, what came."""

    line: int
    index: int
    removed: int
    """How many code points the edit removed; a line break counts as it was."""
    inserted: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The part of a document around the cursor, and where the cursor is in it."""

    text: str
    offset: int
    first_line: int = 0
    """How many lines of the document stand before the text."""


class Document:
    """One open document."""

    def __init__(self, uri: str, language: str, version: int | None, text: str) -> None:
        self.uri = uri
        self.language = language
        self.version = version
        self.lines = split_lines(text)
        self.last_change: Change | None = None

    @property
    def text(self) -> str:
        """All of it. It is put together on each call: use ``window`` where a part will do."""
        return "".join(self.lines)

    def locate(self, position: lsp.Position, encoding: Encoding) -> tuple[int, int] | None:
        """Line and code point of a position; ``None`` if there is no such line."""
        if len(self.lines) <= position.line:
            return None
        return position.line, convert.index_in_line(self.lines[position.line], position.character, encoding)

    def window(self, line: int, index: int) -> Window:
        """The text around a place: all of it, or in a large document as much as anybody could use."""
        first, last = 0, len(self.lines)
        if last > WHOLE_LINES:
            first = max(0, (line - WINDOW_LINES) // WINDOW_STEP * WINDOW_STEP)
            last = line + 1 + WINDOW_LINES
        before = "".join(self.lines[first:line]) + self.lines[line][:index]
        after = self.lines[line][index:] + "".join(self.lines[line + 1 : last])
        if len(before) > WINDOW_CHARACTERS:
            step = WINDOW_CHARACTERS // 2
            cut = (len(before) - WINDOW_CHARACTERS) // step * step
            first += before.count("\n", 0, cut)
            before = before[cut:]
        return Window(text=before + after[:WINDOW_CHARACTERS], offset=len(before), first_line=first)

    def change_at(self, line: int, index: int) -> Change | None:
        """The last change, unless it took something away somewhere else: the cursor has moved since."""
        change = self.last_change
        if change and not change.inserted and (change.line, change.index) != (line, index):
            return None
        return change

    def apply(
        self, changes: Sequence[lsp.TextDocumentContentChangeEvent], version: int, encoding: Encoding
    ) -> None:
        """Bring the document to ``version``. Positions outside the document mean its end."""
        for change in changes:
            if isinstance(change, lsp.TextDocumentContentChangePartial):
                self.last_change = self._replace(change.range, change.text, encoding)
            else:
                self.lines = split_lines(change.text)
                self.last_change = None
        self.version = version

    def _replace(self, where: lsp.Range, text: str, encoding: Encoding) -> Change:
        start, start_index = self._clamp(where.start, encoding)
        end, end_index = max(self._clamp(where.end, encoding), (start, start_index))
        head, tail = self.lines[start][:start_index], self.lines[end][end_index:]
        removed = sum(map(len, self.lines[start : end + 1])) - len(head) - len(tail)
        first = start
        if start > 0 and not head and self.lines[start - 1].endswith("\r"):
            first, head = start - 1, self.lines[start - 1]  # a "\n" that comes now would join its "\r"
        self.lines[first : end + 1] = split_lines(head + text + tail, last=end + 1 == len(self.lines))
        return Change(line=start, index=start_index, removed=removed, inserted=text)

    def _clamp(self, position: lsp.Position, encoding: Encoding) -> tuple[int, int]:
        place = self.locate(position, encoding)
        return place or (len(self.lines) - 1, len(self.lines[-1]))


class Documents:
    """The documents that are open now, by URI."""

    def __init__(self) -> None:
        self._open: dict[str, Document] = {}

    def put(self, item: lsp.TextDocumentItem) -> Document:
        """Open a document, or replace one that was opened twice."""
        document = Document(item.uri, item.language_id, item.version, item.text)
        self._open[item.uri] = document
        return document

    def get(self, uri: str) -> Document | None:
        """The document, if it is open."""
        return self._open.get(uri)

    def drop(self, uri: str) -> None:
        """Close a document; one that is not open is already closed."""
        self._open.pop(uri, None)

    def __iter__(self) -> Iterator[Document]:
        return iter(tuple(self._open.values()))

    def __len__(self) -> int:
        return len(self._open)


def split_lines(text: str, *, last: bool = True) -> list[str]:
    """Break where LSP does, keeping the breaks. The ``last`` line of a document has none; it may be empty."""
    lines = list(io.StringIO(text, newline=""))
    if last and (not lines or lines[-1].endswith(("\n", "\r"))):
        lines.append("")
    return lines
