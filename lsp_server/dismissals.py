"""What the user has sent away: that line stays without a suggestion until it changes."""

from __future__ import annotations

from dataclasses import dataclass

from lsp_server.documents import Document, Documents


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of one document, as it was."""

    uri: str
    number: int
    text: str


class Dismissals:
    """The line that shows something, and the last one that was silenced in each document."""

    def __init__(self) -> None:
        self._shown: Line | None = None
        self._silent: dict[str, Line] = {}

    def shown(self, document: Document, line: int) -> None:
        """A suggestion is shown on this line."""
        self._shown = _line(document, line)
        self._silent.pop(document.uri, None)

    def dismiss(self, documents: Documents) -> None:
        """The one that was shown last was not wanted, with whatever was typed of it since."""
        shown, self._shown = self._shown, None
        document = documents.get(shown.uri) if shown else None
        if shown and document and shown.number < len(document.lines):
            self._silent[shown.uri] = _line(document, shown.number)

    def is_silent(self, document: Document, line: int) -> bool:
        """Whether nothing should come by itself here."""
        return self._silent.get(document.uri) == _line(document, line)


def _line(document: Document, number: int) -> Line:
    return Line(uri=document.uri, number=number, text=document.lines[number])
