"""Where questions are answered: a desk has its own thread, connection to the index, and buffers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from codeindex import graph, graph_view
from codeindex.identifiers import searchable
from codeindex.occurrences import occurrences
from codeindex.protocol import Options, Status, hit_json, status_json, symbol_json
from codeindex.protocol_asks import (
    Ask,
    Calls,
    Definitions,
    Faults,
    Files,
    Grep,
    HowIsIt,
    Imports,
    Notice,
    Outline,
    Overview,
    Places,
    Search,
    Similar,
    Symbols,
)
from codeindex.rank import Piece, Ranked
from codeindex.search import search
from codeindex.search_check import Check, Source
from codeindex.search_words import by_words
from codeindex.serve_buffers import Buffers, relative_to
from codeindex.serve_code import Importing, Lines, all_imports, fitting, imports_of
from codeindex.serve_lines import Texts, find_lines
from codeindex.serve_meaning import Meaning
from codeindex.serve_symbols import find_symbols, outline_of
from codeindex.store import Reader, StoreError, open_reader
from codeindex.syntax import faults
from codeindex.types import ChunkRow, Hit, SymbolRow
from codeindex.walk import belongs

if TYPE_CHECKING:
    from codeindex.graph_importance import Importance

SIMILAR_TERMS = 12  # Words by which similar code is looked for: the longest, which are the rarest.
SIMILAR_CANDIDATES = 60
LEAST_ALIKE = 0.15  # Of the words of both, so many are common.
SHORTEST_TERM = 4

Answer = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What all desks of a service have in common."""

    root: Path
    """A real path."""
    folder: Path
    """Of the index."""
    options: Options
    meaning: Meaning
    status: Callable[[Reader | None], Status]


class Desk:
    """For one thread."""

    def __init__(self, place: Place) -> None:
        """The index is opened when something is asked."""
        self._place = place
        self._buffers = Buffers(place.root, place.options.config)
        self._reader: Reader | None = None
        self._seen: graph_view.View | None = None
        self._imported: tuple[graph_view.View, list[Importing]] | None = None
        self._texts: Texts | None = None
        self._ranked: tuple[graph_view.View, Importance] | None = None

    def tell(self, notice: Notice) -> None:
        """Take in a buffer."""
        for path in notice.paths:
            self._buffers.put(path, notice.text)

    def answer(self, ask: Ask) -> Answer:
        """The result. Raises StoreError if the index is damaged; the next question gets a new look at it."""
        try:
            return self._answer(ask, self._current())
        except StoreError:
            self.close()
            return self._answer(ask, self._current())  # It may have been made anew just now.

    def close(self) -> None:
        """Let go of the index."""
        if self._reader is not None:
            self._reader.close()
        self._reader = self._seen = self._imported = self._ranked = self._texts = None

    def _current(self) -> Reader | None:
        if self._reader is not None and not self._reader.is_current():
            self.close()
        if self._reader is None:
            self._reader = open_reader(self._place.folder)
        self._buffers.settle(self._reader)
        return self._reader

    def _answer(self, ask: Ask, reader: Reader | None) -> Answer:
        match ask:
            case HowIsIt():
                return status_json(self._place.status(reader))
            case Outline():
                path = relative_to(self._place.root, ask.path) or ""
                found = outline_of(reader, self._buffers.overlay, path)
                return {"symbols": [symbol_json(row, it) for row, it in found]}
            case Faults():
                return {"faults": faults(ask.text, ask.language)}
            case _ if reader is None:
                return self._nothing(ask)
            case Search():
                return self._search(ask, reader)
            case Symbols():
                rows = find_symbols(reader, self._buffers.overlay, ask.query, ask.limit)
                return {"symbols": [symbol_json(row, path) for row, path in rows]}
            case Similar():
                return self._hits(self._similar(ask, reader), reader)
            case Definitions():
                return self._hits(self._definitions(ask, reader), reader)
            case _:
                return self._of_graph(ask, reader)

    def _of_graph(self, ask: Calls | Overview | Files | Imports | Places | Grep, reader: Reader) -> Answer:
        match ask:
            case Calls():
                return self._calls(ask, reader)
            case Overview():
                return self._map(ask, reader)
            case Files():
                found = fitting(reader, self._buffers.overlay, ask.pattern)
                return {"files": found[: ask.limit], "more": max(0, len(found) - ask.limit)}
            case Imports():
                return self._imports(ask, reader)
            case Places():
                return self._places(ask, reader)
            case Grep():
                return self._grep(ask, reader)

    def _nothing(self, ask: Ask) -> Answer:
        """The answer as long as there is no index."""
        match ask:
            case Symbols():
                return {"symbols": []}
            case Calls():
                return {"definitions": [], "edges": [], "more": 0, "partly": "", "generation": 0}
            case Overview():
                return {"text": "", "files": [], "tokens": 0, "generation": 0}
            case Files():
                return {"files": [], "more": 0}
            case Imports():
                return {"uses": [], "used": [], "more": 0}
            case Places():
                return {"occurrences": [], "unread": 0}
            case Grep():
                return {"lines": [], "more": 0}
        return {"hits": [], "generation": 0, "state": self._place.status(None).state.value}

    def _hits(self, hits: Iterable[Hit], reader: Reader, *, why: bool = False) -> Answer:
        return {
            "hits": [hit_json(it, why=why) for it in hits],
            "generation": reader.generation(),
            "state": self._place.status(None).state.value,
        }

    def _search(self, ask: Search, reader: Reader) -> Answer:
        place = self._place
        hits: Sequence[Hit] = search(
            reader,
            ask.query,
            root=place.root,
            limit=ask.limit,
            where=ask.where,
            overlay=self._buffers.overlay,
            dense=place.meaning.dense(),
            config=place.options.config,
            reranking=place.meaning.reranking(),
        )
        return self._hits(hits, reader, why=ask.why)

    def _similar(self, ask: Similar, reader: Reader) -> list[Hit]:
        """Chunks that have the most words in common with a text."""
        here = relative_to(self._place.root, ask.path) if ask.path else None
        words = frozenset(it for it in searchable(ask.text).split() if SHORTEST_TERM <= len(it))
        terms = sorted(words, key=lambda it: (-len(it), it))[:SIMILAR_TERMS]
        with reader.snapshot():
            found = by_words(reader, tuple(terms), SIMILAR_CANDIDATES)
            check = Check(reader, self._place.root, self._place.options.config)
            texts: dict[int, list[str]] = {}
            close: list[tuple[float, Source, ChunkRow]] = []
            for row in reader.chunks([it for it, _ in found]).values():
                paths = tuple(it for it in row.paths if it != here and it not in self._buffers.overlay)
                if not paths:
                    continue
                if row.content not in texts:
                    texts[row.content] = reader.text(row.content).split("\n")
                text = "\n".join(texts[row.content][row.first_line - 1 : row.last_line])
                other = frozenset(it for it in searchable(text).split() if SHORTEST_TERM <= len(it))
                alike = len(words & other) / max(1, len(words | other))
                if LEAST_ALIKE <= alike:
                    close.append((alike, Source(row=row, paths=paths), row))
            close.sort(key=lambda it: (-it[0], it[1].paths[0], it[2].first_line))
            shown = (check.hit(_ranked(row, alike), source) for alike, source, row in close)
            return list(islice((it for it in shown if it is not None), ask.limit))

    def _definitions(self, ask: Definitions, reader: Reader) -> list[Hit]:
        """The code that names stand for."""
        here = relative_to(self._place.root, ask.path) or ""
        seen = self._view(reader)
        hits: list[Hit] = []
        with reader.snapshot():
            check = Check(reader, self._place.root, self._place.options.config)
            for it in graph.definitions(reader, ask.names, path=here, limit=ask.limit, seen=seen):
                row, path = it.definition.row, it.definition.path
                if path in self._buffers.overlay:
                    continue  # The editor has it on screen.
                score = 1.0 / max(1, it.among)
                chunk = _as_chunk(row, path)
                hit = check.hit(_ranked(chunk, score), Source(row=chunk, paths=(path,)))
                if hit is not None:
                    hits.append(hit)
        return hits

    def _calls(self, ask: Calls, reader: Reader) -> Answer:
        path = relative_to(self._place.root, ask.path) if ask.path else None
        scope, _, name = ask.name.replace("::", ".").rpartition(".")
        found = (graph.callees if ask.outgoing else graph.callers)(
            *(reader, name),
            path=path,
            line=ask.line or None,
            scope=scope or None,
            limit=ask.limit,
            seen=self._view(reader),
        )
        lines = self._lines(reader)
        now = [(it, at) for it in found.edges if (at := lines.now(it.path, it.line)) is not None]
        return {
            "definitions": [symbol_json(it.row, it.path) for it in found.definitions],
            "edges": [_edge_json(it, line, text) for it, (line, text) in now],
            "more": found.more,
            "partly": found.partly,
            "generation": reader.generation(),
        }

    def _map(self, ask: Overview, reader: Reader) -> Answer:
        focus = [it for path in ask.focus if (it := relative_to(self._place.root, path))]
        # Only who wants a map pays for numpy.
        from codeindex.graph_importance import importance
        from codeindex.outline import outline

        seen = self._view(reader)
        ranked = None
        if not focus:  # Of all, it stays as it is until something changes.
            if self._ranked is None or self._ranked[0] is not seen:
                self._ranked = seen, importance(reader, seen=seen)
            ranked = self._ranked[1]
        found = outline(reader, ask.tokens, focus=focus, seen=seen, ranked=ranked)
        return {
            "text": found.text,
            "files": list(found.files),
            "tokens": found.tokens,
            "generation": reader.generation(),
        }

    def _imports(self, ask: Imports, reader: Reader) -> Answer:
        path = relative_to(self._place.root, ask.path) or ""
        with reader.snapshot():
            seen = self._view(reader)
            if self._imported is None or self._imported[0] is not seen:
                self._imported = seen, all_imports(reader, seen)
            uses, used = imports_of(self._imported[1], path)
            lines = self._lines(reader)
            said = [[_import_json(it, lines) for it in few[: ask.limit]] for few in (uses, used)]
        return {
            "uses": [it for it in said[0] if it],
            "used": [it for it in said[1] if it],
            "more": max(0, len(used) - ask.limit),
        }

    def _places(self, ask: Places, reader: Reader) -> Answer:
        path = relative_to(self._place.root, ask.path) or ""
        overlay = self._buffers.overlay
        with reader.snapshot():
            open_paths = overlay.paths()
            found = occurrences(self._view(reader), self._now, open_paths, ask.name, path, ask.line)
        return {
            "occurrences": [{**asdict(it), "confidence": it.confidence.value} for it in found.found],
            "unread": found.unread,
        }

    def _grep(self, ask: Grep, reader: Reader) -> Answer:
        with reader.snapshot():
            if self._texts is None or self._texts.reader is not reader:
                self._texts = Texts(reader)
            sight, now = self._view(reader), self._lines(reader)
            asked = (ask.pattern, ask.words, ask.paths, ask.limit)
            found = find_lines(self._texts, self._buffers.overlay, sight, now, *asked)
        return {"lines": [asdict(it) for it in found.lines], "more": found.more}

    def _now(self, path: str) -> str | None:
        """A file as it is now, if it belongs."""
        unsaved = self._buffers.overlay.text(path)
        if unsaved is not None:
            return unsaved
        return belongs(self._place.root, self._place.root / path, self._place.options.config).text

    def _lines(self, reader: Reader) -> Lines:
        place = self._place
        return Lines(reader, place.root, place.options.config, self._buffers.overlay, self._view(reader))

    def rest(self) -> None:
        """Nobody has asked for a while: keep no more than is small, or takes long to make."""
        if self._seen is not None:
            self._seen.forget()
        if self._reader is not None:
            self._reader.rest()

    def _view(self, reader: Reader) -> graph_view.View:
        self._seen = graph_view.view(reader, self._seen)
        return self._seen


def _ranked(row: ChunkRow, score: float) -> Ranked:
    piece = Piece(
        id=row.id, path=row.paths[0], first_line=row.first_line, last_line=row.last_line, name=row.name
    )
    return Ranked(piece=piece, score=score, why=())


def _as_chunk(row: SymbolRow, path: str) -> ChunkRow:
    """All of a symbol as if it were one chunk."""
    return ChunkRow(
        id=0,
        content=row.content,
        paths=(path,),
        language=row.language,
        first_line=row.first_line,
        last_line=row.last_line,
        kind=row.kind,
        name=row.name,
        scope=row.scope,
        signature=row.signature,
        doc=row.doc,
        hash=b"",
    )


def _import_json(it: Importing, lines: Lines) -> Answer | None:
    now = lines.now(it.path, it.line)
    return {**asdict(it), "line": now[0], "text": now[1]} if now else None


def _edge_json(edge: graph_view.Edge, line: int, text: str) -> Answer:
    return {
        "path": edge.path,
        "line": line,
        "text": text,
        "is_call": edge.is_call,
        "caller": symbol_json(edge.caller, edge.path) if edge.caller is not None else None,
        "target": symbol_json(edge.target.row, edge.target.path),
        "confidence": edge.confidence.value,
        "reason": edge.reason,
        "among": edge.among,
    }
