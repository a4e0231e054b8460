"""Pure: which lines of a piece say most about a question, and what lines cost."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from chat.types import Piece
from codeindex.identifiers import searchable
from codeindex.query import read as read_query
from codeindex.rank_places import is_among
from models.estimate import tokens

ELLIPSIS = "..."
"""Stands where lines are left out."""
GAP = tokens(f"{ELLIPSIS}\n")
LONGEST_LINE = 400  # Characters: what is longer was written by a program, and one line would take a page.
MOST_LINES = 3_000  # Of a piece: more are in no budget, and to look at each takes its time.
LONGEST_DOC = 160
HEAD = 1.0  # What a line of the head is worth, beside the words that it shares with the question.
STRUCTURE = 0.5
IMPORTED = 0.3  # What words count in a line that imports, licenses or decorates.
_STRUCTURE = re.compile(
    r"^\s*(?:(?:pub(?:\([^)]*\))?|export|default|public|private|protected|static|async|abstract|final|override"
    r"|inline|const|virtual|extern|unsafe)\s+)*"
    r"(?:def|class|func|fn|function|struct|enum|trait|interface|impl|type|module|namespace|template|return"
    r"|raise|throw|yield|#{1,6})\b"
)
_WORDLESS = re.compile(r"^[\W_]*$")
_SAYS_LITTLE = re.compile(
    r"^\W*(?:copyright|licen[cs]ed?|spdx|import\b|from\b.*\bimport\b|use\b|using\b|#include|#!|package\b|"
    r"use strict|@\w+|#\[|<\?)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Lines:
    """A piece, line by line, with what is known of each line."""

    piece: Piece
    first: int
    """The number of its first line; 1 where it stands in no file."""
    texts: tuple[str, ...]
    is_cut: bool = False
    """Whether it has more lines than are looked at."""

    @cached_property
    def costs(self) -> tuple[int, ...]:
        """Tokens of each line with its end, as estimated."""
        return tuple(tokens(f"{it}\n") for it in self.texts)

    @cached_property
    def words(self) -> tuple[frozenset[str], ...]:
        """Of each line, in lower case and in parts."""
        return tuple(frozenset(searchable(it).split()) for it in self.texts)

    @property
    def last(self) -> int:
        """The number of its last line."""
        return self.first + len(self.texts) - 1


@dataclass(frozen=True, slots=True)
class Shown:
    """A piece, and what of it is shown."""

    lines: Lines
    kept: tuple[int, ...] | None
    """Indices of its lines; None: one line that stands for it."""
    cost: float
    """Tokens, as estimated, with its header."""

    @property
    def is_whole(self) -> bool:
        """Whether nothing of it is left out."""
        return self.kept is not None and len(self.kept) == len(self.lines.texts) and not self.lines.is_cut


def lines_of(piece: Piece) -> Lines:
    """A piece, cut at its line ends; very long lines are shortened."""
    texts = piece.text.split("\n")
    first = piece.place.first_line if piece.place else 1
    return Lines(piece, first, tuple(map(_short, texts[:MOST_LINES])), MOST_LINES < len(texts))


def weights(question: str, pieces: Sequence[Lines]) -> dict[str, float]:
    """How telling each word of the pieces is that is a form of one of the question: the rarer, the more."""
    terms = read_query(question).terms if question.strip() else ()
    if not terms:
        return {}
    known = {word for it in pieces for line in it.words for word in line}
    forms = {it for it in known if is_among(it, terms)}
    total = 1 + sum(len(it.texts) for it in pieces)
    spread = dict.fromkeys(forms, 0)
    for piece in pieces:
        for line in piece.words:
            for it in line & forms:
                spread[it] += 1
    return {it: math.log(1 + total / (1 + count)) for it, count in spread.items()}


def order(lines: Lines, telling: Mapping[str, float]) -> tuple[int, ...]:
    """The indices of its lines: its head, then those that share words with the question, then the rest."""
    worth = [_worth(lines, number, telling) for number in range(len(lines.texts))]
    head = head_of(lines)
    for number in head:
        worth[number] += HEAD + max(worth, default=0.0)
    found = sorted(range(len(worth)), key=lambda it: (-worth[it], it))
    return tuple(it for it in found if not _WORDLESS.match(lines.texts[it]) or it in head)


def head_of(lines: Lines) -> tuple[int, ...]:
    """The index of the line that says what the piece is: of its signature, else the first with a word."""
    signature = "".join(lines.piece.signature.split())
    if signature:
        for number, it in enumerate(lines.texts):
            bare = "".join(it.split()).rstrip("{:")
            if 2 < len(bare) and (bare in signature or signature in bare):
                return (number,)
    first = next((n for n, it in enumerate(lines.texts) if not _WORDLESS.match(it)), 0)
    return (first,) if lines.texts else ()


def summary(lines: Lines, telling: Mapping[str, float]) -> str:
    """One line that stands for the piece: its signature and documentation, or its most telling line."""
    piece = lines.piece
    if not piece.signature:
        worth = {number: _worth(lines, number, telling) for number in order(lines, {})}
        best = max(worth, key=lambda it: (not _SAYS_LITTLE.match(lines.texts[it]), worth[it], -it), default=0)
        return lines.texts[best].strip()
    doc = " ".join(piece.doc.split())
    if not doc and piece.signature.startswith("#"):  # A heading says less than what stands below it.
        below = (it.strip() for it in lines.texts[1:])
        doc = next((it for it in below if not _WORDLESS.match(it)), "")
    if LONGEST_DOC < len(doc):
        doc = doc[:LONGEST_DOC].rpartition(" ")[0] + " " + ELLIPSIS
    return _short(" ".join(piece.signature.split())) + (f"  # {doc}" if doc else "")


def chosen(lines: Lines, telling: Mapping[str, float], allowance: float) -> tuple[int, ...]:
    """The indices of the most telling lines that cost no more than this together, in order; may be none."""
    taken: set[int] = set()
    left = allowance
    for it in order(lines, telling):
        joins = (it - 1 in taken) + (it + 1 in taken)
        cost = lines.costs[it] + GAP * (1 - joins)  # A line between two that are shown closes a gap.
        if cost <= left:
            taken.add(it)
            left -= cost
    return tuple(sorted(taken))


def _worth(lines: Lines, number: int, telling: Mapping[str, float]) -> float:
    shared = sum(telling.get(it, 0.0) for it in lines.words[number])
    if _SAYS_LITTLE.match(lines.texts[number]):
        return shared * IMPORTED
    return shared + (STRUCTURE if _STRUCTURE.match(lines.texts[number]) else 0.0)


def _short(line: str) -> str:
    return line if len(line) <= LONGEST_LINE else f"{line[:LONGEST_LINE]} {ELLIPSIS}"
