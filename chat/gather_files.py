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
        Section(title=title, first_line=a, last_line=b, page=0, text="\n".join(lines[a - 1 : b]))
        for a, b, title in _spans(rows, len(lines))
        if any(it.strip() for it in lines[a - 1 : b])
    ]
    worth = ranked(found, question)
    top = max(worth, default=0.0)
    heads = {it.first_line: it for it in reversed(rows)}
    pieces = []
    for number, (it, own) in enumerate(zip(found, worth, strict=True)):
        share = own / top if top else 1 / (1 + number)
        row = heads.get(it.first_line)
        piece = lines_piece(path, it.first_line, it.text, score * (0.9 + 0.1 * share), why)
        pieces.append(replace(piece, signature=row.signature if row else "", doc=row.doc if row else ""))
    outline = _outline(rows)
    if outline:
        pieces.append(
            Piece(place=None, text=outline, title=path, kind="outline", why=why, score=score * 1.05)
        )
    return tuple(sorted(pieces, key=lambda it: -it.score))


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
