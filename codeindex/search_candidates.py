"""What may answer a question, by all ways of searching: chunks of the index and of unsaved buffers."""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from codeindex import identifiers
from codeindex.overlay import Buffer, Overlay, Words, scores, words
from codeindex.query import Form, Query, expression
from codeindex.rank import OF_KIND, Definition, Listing, Piece
from codeindex.rank_places import places
from codeindex.search_check import Source
from codeindex.search_words import EVERYTHING, WEIGHTS, best, by_words, is_everywhere
from codeindex.store.asked import matching
from codeindex.store.read import Reader
from codeindex.types import ChunkRow, FileRow, Filters, Symbol, SymbolRow

LEXICAL = 100  # Candidates of each way of searching: what comes later does not make it into the first ten.
DENSE = 100
NAMED = 20  # Candidates of each way whose names count; of the others, only where they are.
DEFINED = 16
SAME_NAME = 64  # Symbols of which the best are taken.
PATHS = 12
LOOKED_UP = 6  # Files of definitions that no other way of searching found.
NEAR = 8  # Names that are nearly the one asked for.
COMPARED = 20  # Chunks of the index among which those of buffers find their place.
AHEAD = ThreadPoolExecutor(2, "near")  # Meanings are compared while words are scored: neither needs Python.


class Dense(Protocol):
    """Whoever knows which chunks mean nearly the same."""

    def near(self, query: str, limit: int) -> list[tuple[int, float]]:
        """Ids of chunks and their cosines, best first."""


class Candidates:
    """What may answer: chunks of the index by their ids, chunks of buffers by numbers below zero."""

    def __init__(self, reader: Reader, asked: Query, where: Filters, overlay: Overlay | None) -> None:
        self.pieces: dict[int, Piece] = {}
        self.sources: dict[int, Source] = {}
        self._reader = reader
        self._asked = asked
        self._where = where
        self._names = {it.name.lower() for it in asked.names}
        self._hidden: Container[str] = overlay if overlay is not None else ()
        self._defined: dict[int, list[SymbolRow]] = {}
        self._of_buffers: dict[tuple[str, int], int] = {}
        self._in_buffers = _asked_for(overlay, where) if overlay is not None else []

    def listings(self, dense: Dense | None) -> list[Listing]:
        """The lists of all ways of searching; the candidates in them are in ``pieces``."""
        meaning = AHEAD.submit(dense.near, self._asked.text, DENSE) if dense is not None else None
        names = list(dict.fromkeys(it.name for it in self._asked.names))
        for buffer, number in self._in_buffers:
            defined = buffer.parsed.chunks[number].defines
            if any(buffer.parsed.symbols[it].name.lower() in self._names for it in defined):
                self._add_of_buffer(buffer, number)
        symbols = self._symbols(names)
        lexical = self._lexical()
        named = self._named(names)
        near: list[SymbolRow] = []
        if self._asked.form is Form.SYMBOL and not (symbols or self._of_buffers or self._is_written(names)):
            near = self._symbols([it for name in names for it in self._reader.names_near(name, NEAR)])
        meant = meaning.result() if meaning is not None else []
        for row in (*symbols, *near):
            self._defined.setdefault(row.content, []).append(row)
        found = (lexical, named, meant)
        self._take({key for it in found for key, _ in it[:NAMED]})
        self._sketch({key for it in found for key, _ in it})
        lexical = [it for it in lexical if it[0] in self.pieces][:LEXICAL]
        lists = {
            "lexical": self._with_buffers(lexical),
            "symbols": self._definitions(symbols),
            "near": self._definitions(near),
            "paths": self._files(lexical),
            "dense": [it for it in meant if it[0] in self.pieces],
        }
        return [Listing(name=name, entries=tuple(it)) for name, it in lists.items() if it]

    def _lexical(self) -> list[tuple[int, float]]:
        terms = self._asked.terms
        if self._asked.form is Form.SYMBOL and is_everywhere(self._reader, terms):
            return best(self._reader, f"name : ({expression(terms)})", LEXICAL, self._where)
        return by_words(self._reader, terms, LEXICAL, self._where)

    def _is_written(self, names: Sequence[str]) -> bool:
        """Whether one of the names stands somewhere in the code: then it has no typing error."""
        whole = [it.split()[0] for name in names if (it := identifiers.searchable(name))]
        return any(self._reader.frequencies(whole).values())

    def _named(self, names: Sequence[str]) -> list[tuple[int, float]]:
        """Chunks in which one of the names is defined: more than their first symbol may be."""
        whole = tuple(it.split()[0] for name in names if (it := identifiers.searchable(name)))
        match = expression(whole)
        return best(self._reader, f"name : ({match})", DEFINED, self._where) if match else []

    def _symbols(self, names: Collection[str]) -> list[SymbolRow]:
        found = self._reader.symbols(names, where=self._where, limit=SAME_NAME) if names else []
        return sorted(found, key=lambda it: (bool(places(it.paths[0])), -OF_KIND[it.kind]))[:DEFINED]

    def _take(self, keys: Iterable[int]) -> None:
        """Look up chunks of the index; those of files with a buffer are left out: the buffer has its own."""
        wanted = [it for it in keys if it not in self.pieces]
        for key, row in self._reader.chunks(wanted).items():
            self._add(key, row)

    def _sketch(self, keys: Iterable[int]) -> None:
        """Look up where chunks are, and no more: that takes a tenth of the time, and few are shown."""
        wanted = [it for it in keys if it not in self.pieces]
        if self._where != EVERYTHING:
            self._take(wanted)
            return
        contents = self._reader.contents_of(wanted)
        self._take([key for key, content in contents.items() if content in self._defined])
        files = self._reader.paths_of(set(contents.values()))
        for key, content in contents.items():
            paths = self._shown_in(files.get(content, ()))
            if paths and key not in self.pieces:
                self.sources[key] = Source(chunk=key, paths=paths)
                self.pieces[key] = Piece(id=key, path=paths[0], first_line=0, last_line=0, name="")

    def _add(self, key: int, row: ChunkRow) -> None:
        where = self._where
        if (where.kinds and row.kind not in where.kinds) or (
            where.languages and row.language not in where.languages
        ):
            return
        paths = self._shown_in(row.paths)
        if paths and key not in self.pieces:
            self.sources[key] = Source(row=row, paths=paths)
            inside = (it for it in self._defined.get(row.content, ()) if _within(it.line, row))
            self.pieces[key] = Piece(
                id=key,
                path=paths[0],
                first_line=row.first_line,
                last_line=row.last_line,
                name=row.name,
                defines=tuple(map(_definition, inside)),
            )

    def _shown_in(self, paths: Sequence[str]) -> tuple[str, ...]:
        """The files of a content that are asked for, the usual ones before tests and copies."""
        found = [it for it in paths if it not in self._hidden]
        if self._where.paths and found:
            found = matching(self._where.paths, found)
        if self._where.changed_since_ns and found:
            rows = self._reader.files(found)
            found = [it.path for it in rows if self._where.changed_since_ns <= it.mtime_ns]
        return tuple(
            sorted(found, key=lambda it: (len(places(it)), it.count("/"), it)) if found[1:] else found
        )

    def _definitions(self, symbols: Iterable[SymbolRow]) -> list[tuple[int, float]]:
        """The chunks that symbols are defined in, those of buffers first."""
        found = {key: 1.0 for key in self._of_buffers.values() if self.pieces[key].defines}
        by_content: dict[int, list[int]] = {}
        for key, source in self.sources.items():
            if source.row is not None:
                by_content.setdefault(source.row.content, []).append(key)
        looked_up = 0
        for symbol in symbols:
            keys = self._holding(symbol, by_content.get(symbol.content, ()))
            if not keys and looked_up < LOOKED_UP:
                looked_up += 1
                for row in self._reader.chunks_of(symbol.paths[0]):
                    if row.content == symbol.content and _within(symbol.line, row):
                        self._add(row.id, row)
                        keys = [row.id] if row.id in self.pieces else []
            for key in keys:
                found.setdefault(key, 1.0)
        return list(found.items())

    def _holding(self, symbol: SymbolRow, keys: Iterable[int]) -> list[int]:
        rows = ((key, self.sources[key].row) for key in keys)
        return [key for key, row in rows if row is not None and _within(symbol.line, row)]

    def _files(self, lexical: Sequence[tuple[int, float]]) -> list[tuple[int, float]]:
        """The best chunk of each file whose path has words of the question, or its first."""
        asked = " ".join(self._asked.paths)
        match = expression(tuple(identifiers.searchable(asked).split()) if asked else self._asked.terms)
        found = self._reader.paths(match, PATHS) if match else []
        kept = {it.path: it.content for it in self._reader.files([it for it, _ in found]) if self._passes(it)}
        ends = tuple(f"/{it.lstrip('/')}" for it in self._asked.paths)
        best: dict[str, int] = {}
        for key in [it for it, _ in lexical if it in self.pieces] + sorted(self.pieces):
            best.setdefault(self.pieces[key].path, key)
        first = self._reader.first_chunks({content for path, content in kept.items() if path not in best})
        self._sketch(first.values())
        entries = []
        for path, score in sorted(found, key=lambda it: not (ends and f"/{it[0]}".endswith(ends))):
            key = best.get(path, first.get(kept[path], 0) if path in kept else 0)
            if key in self.pieces:
                entries.append((key, score))
        return self._buffers_called(ends) + entries

    def _buffers_called(self, ends: tuple[str, ...]) -> list[tuple[int, float]]:
        """The first chunks of the buffers whose path was asked for."""
        return [
            (self._add_of_buffer(buffer, number), 1.0)
            for buffer, number in self._in_buffers
            if not number and ends and f"/{buffer.path}".endswith(ends)
        ]

    def _passes(self, file: FileRow) -> bool:
        where = self._where
        return (
            file.path not in self._hidden
            and (not where.languages or file.language in where.languages)
            and where.changed_since_ns <= file.mtime_ns
            and (not where.paths or bool(matching(where.paths, [file.path])))
        )

    def _with_buffers(self, lexical: Sequence[tuple[int, float]]) -> list[tuple[int, float]]:
        """The list of the index, with chunks of buffers in between where their words place them."""
        index = [it for it in lexical if it[0] in self.pieces]
        chunks = self._in_buffers
        if not chunks:
            return index
        levels = [self._words(key) for key, _ in index[:COMPARED]]
        both = scores([*levels, *(buffer.words[it] for buffer, it in chunks)], self._asked.terms, WEIGHTS)
        placed = [(float(place), it) for place, it in enumerate(index)]
        for score, (buffer, number) in zip(both[len(levels) :], chunks, strict=True):
            if 0 < score:
                place = sum(score <= it for it in both[: len(levels)])
                # Its value is its neighbor's: those of the index are on another scale.
                value = index[min(place, len(index) - 1)][1] if index else score
                placed.append((place - 0.5 - score * 1e-6, (self._add_of_buffer(buffer, number), value)))
        return [it for _, it in sorted(placed)]

    def _words(self, key: int) -> Words:
        row = self.sources[key].row or self._reader.chunks([key])[key]
        lines = self._reader.text(row.content).split("\n")[row.first_line - 1 : row.last_line]
        return words(row.name, row.doc, "\n".join((row.scope, *lines)))

    def _add_of_buffer(self, buffer: Buffer, number: int) -> int:
        key = self._of_buffers.setdefault((buffer.path, number), -1 - len(self._of_buffers))
        if key not in self.pieces:
            chunk = buffer.parsed.chunks[number]
            self.sources[key] = Source(buffer=buffer, number=number, paths=(buffer.path,))
            defined = [buffer.parsed.symbols[it] for it in chunk.defines]
            self.pieces[key] = Piece(
                id=key,
                path=buffer.path,
                first_line=chunk.first_line,
                last_line=chunk.last_line,
                name=chunk.name,
                defines=tuple(_definition(it) for it in defined if it.name.lower() in self._names),
            )
        return key


def _within(line: int, row: ChunkRow) -> bool:
    return row.first_line <= line <= row.last_line


def _definition(symbol: Symbol | SymbolRow) -> Definition:
    return Definition(name=symbol.name, scope=symbol.scope, kind=symbol.kind)


def _asked_for(overlay: Overlay, where: Filters) -> list[tuple[Buffer, int]]:
    """The chunks of buffers that pass the filters; each buffer has changed just now."""
    buffers = [it for it in overlay.buffers() if not where.languages or it.parsed.language in where.languages]
    kept = set(matching(where.paths, [it.path for it in buffers])) if where.paths else None
    return [
        (buffer, number)
        for buffer in buffers
        if kept is None or buffer.path in kept
        for number, chunk in enumerate(buffer.parsed.chunks)
        if not where.kinds or chunk.kind in where.kinds
    ]
