"""Texts in memory as a workspace: parsed, searched and ranked by the index's own functions, on no disk."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from fnmatch import fnmatchcase

from chat.code import Call, Line, Lines, Occurrence, Symbol
from chat.types import Problem
from codeindex.identifiers import searchable
from codeindex.languages import language_of
from codeindex.overlay import Buffer, parsed_buffer, scores
from codeindex.query import read as read_query
from codeindex.rank import Definition, Listing, Piece, rank
from codeindex.search_words import WEIGHTS
from codeindex.secret import secret_content, secret_name
from codeindex.serve_symbols import fit, symbols_of
from codeindex.syntax import faults
from codeindex.types import Chunk, Hit, Kind, SymbolRow

BODIES = frozenset({Kind.CLASS, Kind.FUNCTION, Kind.METHOD, Kind.INTERFACE, Kind.TYPE})
CHARACTERS_PER_TOKEN = 4


class InMemory:
    """``chat.code.Code`` over texts by their paths. ``texts`` may change at any time."""

    def __init__(
        self,
        texts: Mapping[str, str],
        *,
        diff: str = "",
        problems: Collection[Problem] = (),
        versions: Mapping[str, int] | None = None,
        problem: str = "",
    ) -> None:
        """``versions`` are of the files that are open in an editor."""
        self.texts = dict(texts)
        self.versions = dict(versions or {})
        self.changed = diff
        self.diagnostics = tuple(problems)
        self.trouble = problem
        self._parsed: dict[str, tuple[str, Buffer]] = {}

    async def search(self, query: str, *, limit: int = 20, paths: tuple[str, ...] = ()) -> tuple[Hit, ...]:
        """By words, names and paths, fused and ranked as the index does."""
        asked = read_query(query)
        names = {it.name.lower() for it in asked.names}
        chunks = [
            (buffer, number)
            for buffer in self._buffers()
            if not paths or any(_fits(buffer.path, it) for it in paths)
            for number in range(len(buffer.parsed.chunks))
        ]
        pieces = {key: _piece(key, *it, names) for key, it in enumerate(chunks)}
        found = scores([buffer.words[number] for buffer, number in chunks], asked.terms, WEIGHTS)
        lexical = sorted((key for key in pieces if 0 < found[key]), key=lambda it: (-found[it], it))
        words = set(searchable(" ".join(asked.paths) or query).split())
        listings = (
            Listing(name="lexical", entries=tuple((it, found[it]) for it in lexical)),
            Listing(name="symbols", entries=tuple((it.id, 1.0) for it in pieces.values() if it.defines)),
            Listing(name="paths", entries=tuple(self._by_path(words, asked.paths, pieces))),
        )
        ranked = rank(asked, [it for it in listings if it.entries], pieces)
        hits = [_hit(*chunks[it.piece.id], it.score) for it in ranked]
        return tuple(hits[:limit])

    async def definitions(
        self, names: tuple[str, ...], *, path: str = "", limit: int = 10
    ) -> tuple[Hit, ...]:
        """What is defined by these names in other files than the one asked from."""
        found = [
            _definition(buffer, row)
            for name in dict.fromkeys(names)
            for buffer in self._buffers()
            if buffer.path != path
            for row in symbols_of(buffer)
            if row.name == name
        ]
        return tuple(found[:limit])

    async def symbols(self, query: str, *, limit: int = 20) -> tuple[Symbol, ...]:
        """By how well a name fits what is typed; ``Class.method`` asks for one of that class."""
        scope, _, typed = query.strip().replace("::", ".").rpartition(".")
        found = [
            (rank, len(row.name), buffer.path, row.line, row)
            for buffer in self._buffers()
            for row in symbols_of(buffer)
            if (rank := fit(typed, row.name)) is not None and _is_within(row, scope)
        ]
        found.sort(key=lambda it: it[:-1])
        return tuple(Symbol(path=path, row=row) for _, _, path, _, row in found[:limit])

    async def callers(self, name: str, *, path: str = "", line: int = 0, limit: int = 50) -> tuple[Call, ...]:
        """Every call of the name, in the order of files and lines."""
        found = []
        for buffer in self._buffers():
            symbols = buffer.parsed.symbols
            for it in buffer.parsed.references:
                if it.name == name and it.is_call:
                    around = symbols[it.symbol].name if it.symbol is not None else ""
                    found.append(_call(buffer, it.line, around))
        return tuple(found[:limit])

    async def callees(self, name: str, *, path: str = "", line: int = 0, limit: int = 50) -> tuple[Call, ...]:
        """What is called between the first and the last line of the symbol."""
        found = []
        for buffer in self._buffers():
            for row in symbols_of(buffer):
                is_here = not line or row.first_line <= line <= row.last_line
                if row.name != name or (path and (buffer.path != path or not is_here)):
                    continue
                for it in buffer.parsed.references:
                    if it.is_call and row.first_line <= it.line <= row.last_line:
                        target = self._defined(it.name)
                        found.append(_call(buffer, it.line, it.name, target))
        return tuple(found[:limit])

    async def occurrences(self, name: str, *, path: str, line: int) -> tuple[Occurrence, ...]:
        """Where the name stands as a definition or a reference; certain within the file asked about."""
        found = []
        for buffer in self._buffers():
            defined = {it.line for it in buffer.parsed.symbols if it.name == name}
            used = {it.line for it in buffer.parsed.references if it.name == name}
            for number in sorted(defined | used):
                for it in re.finditer(rf"(?<!\w){re.escape(name)}(?!\w)", buffer.lines[number - 1]):
                    found.append(
                        Occurrence(
                            path=buffer.path,
                            line=number,
                            column=it.start(),
                            length=len(name),
                            sure="certain" if buffer.path == path else "by name only",
                            is_definition=number in defined,
                        )
                    )
        return tuple(found)

    async def lines(
        self, pattern: str, *, words: tuple[str, ...] = (), paths: tuple[str, ...] = (), limit: int = 200
    ) -> Lines:
        """Every line that the expression finds, in the order of files and lines."""
        found = [
            Line(path=buffer.path, line=number, text=text, around=_around(buffer, number))
            for buffer in self._buffers()
            if not paths or any(_fits(buffer.path, it) for it in paths)
            for number, text in enumerate(buffer.lines, 1)
            if (not words or any(it in text for it in words)) and re.search(pattern, text)
        ]
        return Lines(lines=tuple(found[:limit]), more=max(0, len(found) - limit))

    async def outline(self, path: str) -> tuple[SymbolRow, ...]:
        """What the parser says that a file defines."""
        return tuple(symbols_of(self._buffer(path))) if self._may_be_read(path) else ()

    async def overview(self, tokens: int, focus: tuple[str, ...] = ()) -> str:
        """The files and what is at the top of each, those in focus first, as far as it fits."""
        ordered = sorted(self._buffers(), key=lambda it: (it.path not in focus, it.path))
        lines = []
        for buffer in ordered:
            lines.append(f"{buffer.path}:")
            lines += [f"  {it.signature}" for it in symbols_of(buffer) if not it.scope and it.kind in BODIES]
        while lines and tokens * CHARACTERS_PER_TOKEN < len("\n".join(lines)):
            lines.pop()
        return "\n".join(lines)

    async def text(self, path: str) -> str | None:
        """The text, unless it is a secret."""
        return self.texts[path] if self._may_be_read(path) else None

    async def version(self, path: str) -> int | None:
        """As given for what is open."""
        return self.versions.get(path)

    async def files(self, pattern: str = "", *, limit: int = 1000) -> tuple[str, ...]:
        """By a glob pattern, a folder or a part of a path."""
        belong = sorted(it for it in self.texts if self._may_be_read(it))
        return tuple(it for it in belong if not pattern or _fits(it, pattern) or pattern in it)[:limit]

    async def diff(self) -> str:
        """As given."""
        return self.changed

    async def problems(self, path: str = "") -> tuple[Problem, ...]:
        """As given, of one file or all."""
        return tuple(it for it in self.diagnostics if not path or it.path == path)

    async def faults(self, text: str, language: str) -> int | None:
        """What the index's grammars say."""
        return faults(text, language)

    async def problem(self) -> str:
        """As given."""
        return self.trouble

    def _may_be_read(self, path: str) -> bool:
        text = self.texts.get(path)
        return text is not None and not secret_name(path) and not secret_content(text)

    def _buffers(self) -> Iterator[Buffer]:
        return (self._buffer(it) for it in sorted(self.texts) if self._may_be_read(it))

    def _buffer(self, path: str) -> Buffer:
        text = self.texts[path]
        if path not in self._parsed or self._parsed[path][0] != text:
            self._parsed[path] = (text, parsed_buffer(path, text, language_of(path.rpartition("/")[2])))
        return self._parsed[path][1]

    def _defined(self, name: str) -> Symbol | None:
        found = [
            Symbol(path=it.path, row=row)
            for it in self._buffers()
            for row in symbols_of(it)
            if row.name == name
        ]
        return found[0] if len(found) == 1 else None

    def _by_path(
        self, words: Collection[str], paths: tuple[str, ...], pieces: Mapping[int, Piece]
    ) -> list[tuple[int, float]]:
        """The first piece of each file whose path was asked for, or has words of the question."""
        first: dict[str, Piece] = {}
        for it in pieces.values():
            first.setdefault(it.path, it)
        ends = tuple(f"/{it.lstrip('/')}" for it in paths)
        found = [
            (bool(ends and f"/{path}".endswith(ends)), len(set(searchable(path).split()) & set(words)), it.id)
            for path, it in first.items()
        ]
        found.sort(key=lambda it: (not it[0], -it[1], it[2]))
        return [(key, float(shared)) for is_asked, shared, key in found if is_asked or shared]


def _fits(path: str, pattern: str) -> bool:
    """Whether a path is one, is below it, or is what a glob pattern means."""
    bare = pattern.removeprefix("./").rstrip("/")
    return (
        path == bare
        or path.startswith(f"{bare}/")
        or fnmatchcase(path, bare)
        or (("/" not in bare) and fnmatchcase(path.rpartition("/")[2], bare))
    )


def _is_within(row: SymbolRow, scope: str) -> bool:
    return not scope or f".{row.scope}".endswith(f".{scope}")


def _piece(key: int, buffer: Buffer, number: int, names: Collection[str]) -> Piece:
    chunk = buffer.parsed.chunks[number]
    defined = [buffer.parsed.symbols[it] for it in chunk.defines]
    return Piece(
        id=key,
        path=buffer.path,
        first_line=chunk.first_line,
        last_line=chunk.last_line,
        name=chunk.name,
        defines=tuple(
            Definition(name=it.name, scope=it.scope, kind=it.kind)
            for it in defined
            if it.name.lower() in names
        ),
    )


def _hit(buffer: Buffer, number: int, score: float) -> Hit:
    return _as_hit(buffer, buffer.parsed.chunks[number], score)


def _definition(buffer: Buffer, row: SymbolRow) -> Hit:
    return _as_hit(buffer, row, 1.0)


def _as_hit(buffer: Buffer, it: Chunk | SymbolRow, score: float) -> Hit:
    return Hit(
        path=buffer.path,
        first_line=it.first_line,
        last_line=it.last_line,
        text="\n".join(buffer.lines[it.first_line - 1 : it.last_line]),
        score=score,
        language=buffer.parsed.language,
        kind=it.kind,
        name=it.name,
        scope=it.scope,
        signature=it.signature,
        doc=it.doc,
        unsaved=False,
    )


def _call(buffer: Buffer, line: int, name: str, target: Symbol | None = None) -> Call:
    return Call(
        path=buffer.path,
        line=line,
        text=buffer.lines[line - 1],
        name=name,
        sure="likely" if target is not None else "by name only",
        target=target,
    )


def _around(buffer: Buffer, line: int) -> str:
    inside = [it for it in buffer.parsed.symbols if it.first_line <= line <= it.last_line]
    names = [f"{it.scope}.{it.name}" if it.scope else it.name for it in inside]
    return max(names, key=len, default="")
