"""Pure: which pieces are wanted at all: in order, nothing twice, nothing that was given before."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from chat.pack_lines import Lines, lines_of
from chat.types import Piece, Place

MOST = 200  # Pieces: what comes behind them is in no budget.

Spans = list[tuple[int, int]]
"""First and last lines, inclusive."""


def wanted_of(
    pieces: Sequence[Piece], given: Mapping[int, Place], parts: Collection[int] = ()
) -> tuple[Lines, ...]:
    """The best pieces first. Where two overlap, the better one keeps what they share."""
    taken: dict[str, Spans] = defaultdict(list)
    for number, place in given.items():
        if number not in parts:
            taken[place.path].append((place.first_line, place.last_line))
    texts: set[tuple[str, str]] = set()
    found: list[Lines] = []
    for piece in sorted(pieces, key=_place_in_order):
        if MOST <= len(found):
            break
        if not piece.text.strip():
            continue
        if piece.place is None:
            if (piece.kind, piece.text) not in texts:
                texts.add((piece.kind, piece.text))
                found.append(lines_of(piece))
            continue
        path = piece.place.path
        rest = _rest(piece, taken[path])
        if rest is not None:
            found.append(lines_of(rest))
            # What is left of a piece whose middle is taken comes under its first line: all of it is used up.
            taken[path].append((piece.place.first_line, piece.place.last_line))
    return tuple(found)


def _place_in_order(piece: Piece) -> tuple[float, str, int, int, str, str]:
    """The same pieces come in the same order, however they were given."""
    if piece.place is None:
        return -piece.score, "", 0, 0, piece.title, piece.text
    place = piece.place
    return -piece.score, place.path, place.first_line, -place.last_line, piece.title, piece.text


def _rest(piece: Piece, taken: Spans) -> Piece | None:
    """The largest part of a piece that nobody has, if there are words in it."""
    assert piece.place is not None
    first, last = piece.place.first_line, piece.place.last_line
    lines = piece.text.split("\n")
    if (
        len(lines) != last - first + 1
    ):  # Whoever made it counts otherwise; it is shown as it is or not at all.
        return None if any(a <= last and first <= b for a, b in taken) else piece
    free: Spans = []
    at = first
    for a, b in sorted(it for it in taken if it[0] <= last and first <= it[1]):
        if at < a:
            free.append((at, a - 1))
        at = max(at, b + 1)
    if at <= last:
        free.append((at, last))
    parts = [(a, b, "\n".join(lines[a - first : b - first + 1])) for a, b in free]
    parts = [it for it in parts if it[2].strip()]
    if not parts:
        return None
    a, b, text = max(parts, key=lambda it: (len(it[2]), -it[0]))
    if (a, b) == (first, last):
        return piece
    return replace(piece, place=Place(path=piece.place.path, first_line=a, last_line=b), text=text)
