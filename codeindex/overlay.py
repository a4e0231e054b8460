"""Unsaved buffers, searched like files: parsed when they are first asked about, instead of what is on disk.

One owner: whoever takes the edits also asks. A buffer replaces its file: what was deleted in it is not found,
and what is new in it is. Which texts may be here, the caller has asked ``walk.belongs``.
"""

from __future__ import annotations

import math
import re
from collections import Counter, OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from codeindex.identifiers import searchable
from codeindex.parse import parse
from codeindex.types import Chunk, Parsed, Symbol

MOST_CHARACTERS = 32_000_000  # Of all buffers: some thousand large files. The oldest edits go first.
SATURATION, LENGTHS = 1.2, 0.75  # Of BM25, as in SQLite.


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What a piece of text is found by: its columns, each as stems and how often they stand there."""

    columns: tuple[Counter[str], ...]
    length: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Buffer:
    """A text on screen, parsed."""

    path: str
    text: str
    lines: tuple[str, ...]
    parsed: Parsed
    words: tuple[Words, ...]
    """Of each chunk."""

    def chunk_at(self, line: int) -> int | None:
        """The number of the chunk that a line is in."""
        found = (n for n, it in enumerate(self.parsed.chunks) if it.first_line <= line <= it.last_line)
        return next(found, None)


class Overlay:
    """The buffers that differ from their files, by path from the root."""

    def __init__(self, most_characters: int = MOST_CHARACTERS) -> None:
        self._most = most_characters
        self._held = 0
        self._texts: OrderedDict[str, tuple[str, str]] = OrderedDict()
        self._parsed: dict[str, Buffer] = {}

    def put(self, path: str, text: str, language: str) -> None:
        """Take a buffer's text, with LF line ends. Cheap: it is parsed when somebody asks."""
        self.drop(path)
        self._texts[path] = (text, language)
        self._held += len(text)
        while self._most < self._held:
            self.drop(next(iter(self._texts)))

    def drop(self, path: str) -> None:
        """Forget a buffer: it is saved, closed, or no longer belongs."""
        text, _ = self._texts.pop(path, ("", ""))
        self._held -= len(text)
        self._parsed.pop(path, None)

    def text(self, path: str) -> str | None:
        """What a buffer says; None if there is none."""
        found = self._texts.get(path)
        return found[0] if found else None

    def __contains__(self, path: object) -> bool:
        return path in self._texts

    def __len__(self) -> int:
        return len(self._texts)

    def paths(self) -> tuple[str, ...]:
        """Which files there are buffers of."""
        return tuple(sorted(self._texts))

    def buffers(self) -> Iterator[Buffer]:
        """All of them, by path; those that changed are parsed now."""
        for path in sorted(self._texts):
            yield self.buffer(path)

    def buffer(self, path: str) -> Buffer:
        """One of them. Raises KeyError if it is not here."""
        if path not in self._parsed:
            text, language = self._texts[path]
            self._parsed[path] = parsed_buffer(path, text, language)
        return self._parsed[path]


def parsed_buffer(path: str, text: str, language: str) -> Buffer:
    """A text, parsed and counted."""
    parsed = parse(text, language)
    lines = tuple(text.split("\n"))
    words = tuple(_words_of(it, parsed.symbols, lines) for it in parsed.chunks)
    return Buffer(path=path, text=text, lines=lines, parsed=parsed, words=words)


def _words_of(chunk: Chunk, symbols: Sequence[Symbol], lines: Sequence[str]) -> Words:
    names = dict.fromkeys([chunk.name, *(symbols[it].name for it in chunk.defines)])
    body = "\n".join((chunk.scope, *lines[chunk.first_line - 1 : chunk.last_line]))
    return words(" ".join(names), chunk.doc, body)


def words(name: str, doc: str, body: str) -> Words:
    """The words of a piece of text, as the index has them but for the finer points of its stems."""
    columns = tuple(Counter(map(stem, searchable(it).split())) for it in (name, doc, body))
    return Words(columns=columns, length=sum(it.total() for it in columns))


def scores(pieces: Sequence[Words], terms: Sequence[str], weights: Sequence[float]) -> list[float]:
    """BM25 of each piece, with rarity as it is among them."""
    stems = list(dict.fromkeys(map(stem, terms)))
    counts = [
        [
            sum(weight * column[it] for weight, column in zip(weights, piece.columns, strict=True))
            for it in stems
        ]
        for piece in pieces
    ]
    mean = sum(it.length for it in pieces) / max(1, len(pieces)) or 1.0
    total = len(pieces)
    spread = [sum(0 < row[n] for row in counts) for n in range(len(stems))]
    rarity = [math.log(1 + (total - it + 0.5) / (it + 0.5)) for it in spread]
    found = []
    for piece, row in zip(pieces, counts, strict=True):
        length = SATURATION * (1 - LENGTHS + LENGTHS * piece.length / mean)
        found.append(
            sum(idf * tf * (SATURATION + 1) / (tf + length) for idf, tf in zip(rarity, row, strict=True))
        )
    return found


ENDING = re.compile(r"(?:ations?|ating|ated|ates?|ions?|ings?|ers?|ors?|ed|ies|es|s|e|y)$")
SHORTEST_STEM = 3


@lru_cache(1 << 15)
def stem(word: str) -> str:
    """A word without its ending, so that `parsing` finds `parse`; roughly what the index does."""
    bare = ENDING.sub("", word)
    return bare if SHORTEST_STEM <= len(bare) else word
