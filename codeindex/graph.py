"""Who uses what: definitions, references, callers, callees and imports across files, read from the index.

An edge is a place where a name is used and a definition that it may mean, with how sure that is. Asked from
either end it is the same edge: callers and callees are decided by the same ``resolve``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from codeindex.graph_dependencies import Dependencies, dependencies_of
from codeindex.graph_manifests import is_manifest, packages
from codeindex.graph_modules import imported, modules
from codeindex.graph_receivers import BARE, bases, called_at, receivers, renamed
from codeindex.graph_resolve import Confidence, Definition, Link, Match, Use, resolve
from codeindex.languages import language_of
from codeindex.store.read import Reader
from codeindex.types import FileRow, Filters, ImportRow, Kind, ReferenceRow, SymbolRow

MOST_DEFINITIONS = 5_000  # Of one name.
MOST_REFERENCES = 50_000  # To one name.
MOST_ANCESTORS = 50  # Of one class: what is above them is not looked for.
MOST_TEXTS = 64  # Whose lines are kept at hand.
ORDER = {it: place for place, it in enumerate(Confidence)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """A use of a name, and a definition that it may mean."""

    path: str
    """Where it is used."""
    line: int
    is_call: bool
    caller: SymbolRow | None
    """The innermost symbol around it; None at the top of the file."""
    target: Definition
    confidence: Confidence
    reason: str
    among: int
    """How many definitions are as likely; more than one: ambiguous."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What was asked about, and its edges, the surest first."""

    definitions: tuple[Definition, ...]
    edges: tuple[Edge, ...]
    more: int
    """Edges that are beyond the limit."""


class View:
    """One generation of an index, as the graph needs it. Made by ``view``; keep it for the next question."""

    def __init__(self, reader: Reader) -> None:
        """Looks at the list of files and at the manifests."""
        self.reader = reader
        self.generation = reader.generation()
        self.files: dict[str, FileRow] = {it.path: it for it in reader.files()}
        manifests = [it for it in self.files.values() if is_manifest(it.path)]
        said = [one for it in manifests for one in packages(it.path, reader.text(it.content))]
        self.modules = modules(self.files, said)
        self._links: dict[str, tuple[Link, ...]] = {}
        self._candidates: dict[str, tuple[Definition, ...]] = {}
        self._ancestors: dict[str, frozenset[str]] = {}
        self._outlines: dict[str, dict[int, SymbolRow]] = {}
        self._lines: dict[int, list[str]] = {}

    def links(self, path: str) -> tuple[Link, ...]:
        """What a file imports."""
        if path not in self._links:
            self._links[path] = self.linked(path, self.reader.imports(path))
        return self._links[path]

    def linked(self, path: str, rows: Iterable[ImportRow]) -> tuple[Link, ...]:
        """Imports with the files they mean."""
        language, content = self.language(path), self.files.get(path)
        lines = self.lines(content.content) if content else []
        found = []
        for row in rows:
            there = imported(self.modules, path, language, row.module, row.names)
            called = renamed(lines[row.line - 1 : row.line + 40])
            found.append(
                Link(
                    module=row.module,
                    names=row.names,
                    called=tuple(called.items()),
                    files=there.files,
                    named=there.named,
                )
            )
        return tuple(found)

    def imports(self) -> dict[str, list[str]]:
        """For each file those that it imports; without what it calls them, which takes its text."""
        found: dict[str, list[str]] = {}
        for row in self.reader.imports():
            there = imported(self.modules, row.path, self.language(row.path), row.module, row.names)
            named = [path for _, path in there.named]
            # From a package only what is named is taken, if that is a file of its own.
            files = [] if named and len(named) == len(row.names) else there.files
            found.setdefault(row.path, []).extend((*named, *files))
        return found

    def language(self, path: str) -> str:
        """A file's language, also of one that is not in the index."""
        return self.files[path].language if path in self.files else language_of(path.rpartition("/")[2])

    def lines(self, content: int) -> list[str]:
        """A content's lines."""
        if content not in self._lines:
            while MOST_TEXTS <= len(self._lines):
                del self._lines[next(iter(self._lines))]
            self._lines[content] = self.reader.text(content).split("\n")
        return self._lines[content]

    def candidates(self, name: str) -> tuple[Definition, ...]:
        """All definitions of a name, in every file that has them."""
        if name not in self._candidates:
            rows = self.reader.symbols([name], where=Filters(), limit=MOST_DEFINITIONS)
            self._candidates[name] = tuple(
                Definition(path=path, row=it) for it in rows if it.name == name for path in it.paths
            )
        return self._candidates[name]

    def ancestors(self, name: str) -> frozenset[str]:
        """The names of what classes of this name inherit from, all the way up."""
        if name not in self._ancestors:
            found: dict[str, None] = {}
            waiting = [name]
            while waiting and len(found) < MOST_ANCESTORS:
                current = waiting.pop()
                for it in self.candidates(current):
                    if it.row.kind in (Kind.CLASS, Kind.INTERFACE):
                        new = [one for one in sorted(bases(it.row.signature, current)) if one not in found]
                        found.update(dict.fromkeys(new))
                        waiting += new
            self._ancestors[name] = frozenset(found) - {name}
        return self._ancestors[name]

    def symbols(self, path: str) -> dict[int, SymbolRow]:
        """A file's symbols by their ids."""
        if path not in self._outlines:
            self._outlines[path] = {it.id: it for it in self.reader.outline(path)}
        return self._outlines[path]

    def edges(self, row: ReferenceRow) -> list[Edge]:
        """What one reference may mean, in every file that has it."""
        if not self.candidates(row.name):
            return []
        return [edge for path in row.paths for edge in self._edges_in(path, row)]

    def _edges_in(self, path: str, row: ReferenceRow) -> Iterator[Edge]:
        file, lines = self.files[path], self.lines(self.files[path].content)
        caller = self.symbols(path).get(row.symbol) if row.symbol is not None else None
        known: dict[frozenset[str], tuple[Match, ...]] = {}
        for line, is_call in self._places(path, row, caller).items():
            text = _continued(lines[line - 2].rstrip() if 1 < line else "", lines[line - 1])
            before = receivers(text, row.name, is_call=is_call)
            if before not in known:
                use = Use(
                    path=path,
                    language=file.language,
                    scope=qualified(caller),
                    name=row.name,
                    receivers=before,
                )
                known[before] = resolve(use, self.candidates(row.name), self.links, self.ancestors)
            for it in known[before]:
                yield Edge(
                    path=path,
                    line=line,
                    is_call=is_call,
                    caller=caller,
                    target=it.definition,
                    confidence=it.confidence,
                    reason=it.reason,
                    among=it.among,
                )

    def _places(self, path: str, row: ReferenceRow, caller: SymbolRow | None) -> dict[int, bool]:
        """The lines of a reference, and whether it is called there: the index knows only the first one."""
        if not row.is_call:
            return {row.line: False}
        lines = self.lines(self.files[path].content)
        last = caller.last_line if caller else len(lines)
        others = (it for it in self.symbols(path).values() if it is not caller and it.last_line <= last)
        apart = [(it.first_line, it.last_line) for it in others]
        found = dict.fromkeys(called_at(lines, row.line, last, row.name, apart), True)
        return {row.line: not found, **found}


def view(reader: Reader, before: View | None = None) -> View:
    """The view of an index as it is now: the one before, if nothing has changed since."""
    is_current = before is not None and before.reader is reader and before.generation == reader.generation()
    return before if is_current and before is not None else View(reader)


def callers(
    reader: Reader,
    name: str,
    *,
    path: str | None = None,
    line: int | None = None,
    scope: str | None = None,
    limit: int = 100,
    calls_only: bool = True,
    seen: View | None = None,
) -> Answer:
    """Who calls what has this name; with ``path`` and ``line``, only the one defined there.

    With ``scope`` only those in it: all the names around them, or the last ones of those.
    Without ``calls_only`` all uses: also where it is passed on, inherited from, or named as a type.
    """
    with reader.snapshot():
        sight = view(reader, seen)
        wanted = _chosen(sight, name, path, line, scope)
        targets = {(it.path, it.row.id) for it in wanted}
        rows = reader.references(name, MOST_REFERENCES) if targets else []
        edges = [
            edge
            for row in rows
            if row.is_call or not calls_only
            for edge in sight.edges(row)
            if (edge.target.path, edge.target.row.id) in targets
        ]
    return _answer(wanted, edges, limit)


def callees(
    reader: Reader,
    name: str,
    *,
    path: str | None = None,
    line: int | None = None,
    scope: str | None = None,
    limit: int = 100,
    calls_only: bool = True,
    seen: View | None = None,
) -> Answer:
    """What is called in what has this name, and in what is defined inside of it."""
    with reader.snapshot():
        sight = view(reader, seen)
        wanted = _chosen(sight, name, path, line, scope)
        edges: list[Edge] = []
        for it in wanted:
            inside = {number for number, row in sight.symbols(it.path).items() if _is_inside(row, it.row)}
            for reference in reader.references_from(inside):
                if reference.is_call or not calls_only:
                    edges += [edge for edge in sight.edges(reference) if edge.path == it.path]
    return _answer(wanted, edges, limit)


def definitions(
    reader: Reader,
    names: Collection[str],
    *,
    path: str,
    limit: int = 20,
    imports: Sequence[ImportRow] | None = None,
    seen: View | None = None,
) -> tuple[Match, ...]:
    """What names mean in a file, of what is defined in others: for names it imports, or sees without that.

    Names in the order given. ``imports`` are those of the text on screen, if it differs from the file.
    """
    found: list[Match] = []
    with reader.snapshot():
        sight = view(reader, seen)
        own = None if imports is None else sight.linked(path, imports)

        def links(file: str) -> Sequence[Link]:
            return own if own is not None and file == path else sight.links(file)

        for name in dict.fromkeys(names):
            use = Use(
                path=path,
                language=sight.language(path),
                scope="",
                name=name,
                receivers=frozenset({BARE}),
            )
            elsewhere = [it for it in sight.candidates(name) if it.path != path]
            matches = resolve(use, elsewhere, links)
            found += [it for it in matches if it.confidence is not Confidence.NAME]
            if limit <= len(found):
                break
    return tuple(found[:limit])


def dependencies(reader: Reader, *, seen: View | None = None) -> Dependencies:
    """Which files import which, what goes in circles, and which modules are somebody else's."""
    with reader.snapshot():
        sight = view(reader, seen)
        others: dict[str, list[str]] = {}
        for row in reader.imports():
            if not imported(sight.modules, row.path, sight.language(row.path), row.module, row.names):
                others.setdefault(row.path, []).append(row.module)
        return dependencies_of({**dict.fromkeys(sight.files, ()), **sight.imports()}, others)


def source(reader: Reader, it: Definition) -> str:
    """The lines of a definition, as the index has them."""
    lines = reader.text(it.row.content).split("\n")
    return "\n".join(lines[it.row.first_line - 1 : it.row.last_line])


def _chosen(
    sight: View, name: str, path: str | None, line: int | None, scope: str | None
) -> tuple[Definition, ...]:
    """The definitions that are asked about: all of the name, or those at a place."""
    found = [it for it in sight.candidates(name) if path is None or it.path == path]
    if scope is not None:
        found = [it for it in found if f".{it.row.scope}".endswith(f".{scope}")]
    if line is not None and found:
        around = [it for it in found if it.row.first_line <= line <= it.row.last_line]
        nearest = min(abs(it.row.line - line) for it in around or found)
        found = [it for it in around or found if abs(it.row.line - line) == nearest]
    return tuple(sorted(found, key=lambda it: (it.path, it.row.line)))


def _answer(wanted: tuple[Definition, ...], edges: Iterable[Edge], limit: int) -> Answer:
    ordered = sorted(
        dict.fromkeys(edges),
        key=lambda it: (
            ORDER[it.confidence],
            it.path,
            it.line,
            it.target.row.name,
            it.target.path,
            it.target.row.line,
        ),
    )
    return Answer(definitions=wanted, edges=tuple(ordered[:limit]), more=max(0, len(ordered) - limit))


def qualified(symbol: SymbolRow | None) -> str:
    """A symbol's name with the names around it; empty for none."""
    if symbol is None:
        return ""
    return f"{symbol.scope}.{symbol.name}" if symbol.scope else symbol.name


def _is_inside(row: SymbolRow, outer: SymbolRow) -> bool:
    return row.id == outer.id or (
        qualified(row).startswith(f"{qualified(outer)}.")
        and outer.first_line <= row.first_line
        and row.last_line <= outer.last_line
    )


def _continued(before: str, text: str) -> str:
    """A line that goes on with the one above: what stands before its first name is there."""
    begins = text.lstrip()
    goes_on = begins.startswith((".", "?.", "->", "::")) or before.endswith((".", "->", "::"))
    return f"{before.strip()} {begins}" if goes_on else text
