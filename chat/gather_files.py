"""Pure: pieces of files: lines, symbols, problems, and a long file cut along its symbols."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from chat.code import Symbol
from chat.documents_rank import Section, ranked
from chat.types import Piece, Place, Problem
from codeindex.types import Kind, SymbolRow
from models.estimate import tokens

SHORT = 600  # Tokens: a file that is no longer is one piece.
LONGEST = 80  # Lines of a piece of a long file.
SHORTEST = 4
OUTLINE = 0.985  # What it counts for: more than all parts of the file but the best.
OUTLINED = 80  # Symbols of a file's outline.
MOST_PROBLEMS = 40
BODIES = frozenset(
    {Kind.CLASS, Kind.ENUM, Kind.FUNCTION, Kind.INTERFACE, Kind.METHOD, Kind.MODULE, Kind.SECTION, Kind.TYPE}
)


def lines_piece(path: str, first_line: int, text: str, score: float, why: str) -> Piece:
    """Some lines of a file."""
    place = Place(path=path, first_line=first_line, last_line=first_line + text.count("\n"))
    return Piece(place=place, text=text, score=score, why=why)


def symbol_piece(symbol: Symbol, text: str, score: float, why: str) -> Piece:
    """A definition, from the text of its file."""
    row = symbol.row
    lines = text.split("\n")[row.first_line - 1 : row.last_line]
    return replace(
        lines_piece(symbol.path, row.first_line, "\n".join(lines), score, why),
        title=f"{row.scope}.{row.name}" if row.scope else "",
        signature=row.signature,
        doc=row.doc,
        language=row.language,
    )


def problem_piece(problems: Sequence[Problem], score: float) -> Piece:
    """Diagnostics, a line each."""
    lines = []
    for it in problems[:MOST_PROBLEMS]:
        said_by = " ".join(filter(None, (it.source, it.code)))
        message = " ".join(it.message.split())
        lines.append(
            f"{it.path}:{it.first_line}: {it.severity}: {message}" + (f" [{said_by}]" if said_by else "")
        )
    if MOST_PROBLEMS < len(problems):
        lines.append(f"and {len(problems) - MOST_PROBLEMS} more")
    return Piece(place=None, text="\n".join(lines), kind="problem", score=score, why="what the editor shows")


def cut_file(
    path: str, text: str, rows: Sequence[SymbolRow], question: str, score: float, why: str
) -> tuple[Piece, ...]:
    """A file: whole if it is short; else its outline, and the parts of it, best for the question first."""
    text = text.rstrip("\n")
    if tokens(text) <= SHORT or not text:
        return (lines_piece(path, 1, text, score, why),)
    lines = text.split("\n")
    found = [
        _section(lines, *it)
        for it in _spans(rows, len(lines))
        if any(map(str.strip, lines[it[0] - 1 : it[1]]))
    ]
    worth = ranked(found, question)
    top = max(worth, default=0.0)
    bodies = [it for it in rows if it.kind in BODIES]
    pieces = []
    for number, (it, own) in enumerate(zip(found, worth, strict=True)):
        share = own / top if top else 1 / (1 + number)
        row = next((row for row in bodies if it.first_line <= row.first_line <= it.last_line), None)
        piece = lines_piece(path, it.first_line, it.text, score * (0.9 + 0.1 * share), why)
        if row is not None:
            title = f"{row.scope}.{row.name}" if row.scope else ""
            piece = replace(piece, signature=row.signature, doc=row.doc, title=title, language=row.language)
        pieces.append(piece)
    outline = _outline(rows)
    if outline:
        pieces.append(
            Piece(place=None, text=outline, title=path, kind="outline", why=why, score=score * OUTLINE)
        )
    return tuple(sorted(pieces, key=lambda it: -it.score))


def _section(lines: Sequence[str], first: int, last: int, title: str) -> Section:
    """Some lines, without blank ones at their ends."""
    while first < last and not lines[first - 1].strip():
        first += 1
    while first < last and not lines[last - 1].strip():
        last -= 1
    return Section(
        title=title, first_line=first, last_line=last, page=0, text="\n".join(lines[first - 1 : last])
    )


def _outline(rows: Sequence[SymbolRow]) -> str:
    """A line for each symbol, with its number."""
    shown = [it for it in rows if it.kind in BODIES]
    lines = []
    for it in shown[:OUTLINED]:
        depth = (
            sum(other.first_line <= it.first_line and it.last_line <= other.last_line for other in shown) - 1
        )
        lines.append(f"{it.line}: {'  ' * depth}{it.signature or it.name}")
    return "\n".join(lines)


def _spans(rows: Sequence[SymbolRow], last: int) -> Iterator[tuple[int, int, str]]:
    """All lines, cut where a symbol begins, each span with the symbol's name; long spans in parts."""
    starts = {1: ""}
    for it in rows:
        if it.kind in BODIES:
            starts[it.first_line] = f"{it.scope} {it.name} {it.signature}"
            if it.last_line < last:
                starts.setdefault(it.last_line + 1, "")
    order = sorted(it for it in starts if it <= last)
    begin = 1
    for number, start in enumerate(order):
        end = order[number + 1] - 1 if number + 1 < len(order) else last
        if end - begin + 1 < SHORTEST and end < last and not starts[start]:
            continue  # Some lines between two symbols go with what follows.
        for first in range(begin, end + 1, LONGEST):
            yield first, min(end, first + LONGEST - 1), starts[start]
        begin = end + 1
