"""One generation of the index as the graph sees it: imports, what names may mean, edges of a reference."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from math import inf
from posixpath import dirname

from codeindex.graph_imports import imported
from codeindex.graph_manifests import is_manifest, packages
from codeindex.graph_modules import modules
from codeindex.graph_receivers import bases, called_at, receivers, renamed
from codeindex.graph_resolve import resolve
from codeindex.graph_values import Confidence, Definition, Link, Match, Use
from codeindex.languages import language_of
from codeindex.store.names import Key
from codeindex.store.read import Reader
from codeindex.types import FileRow, Filters, ImportRow, Kind, ReferenceRow, SymbolRow

MANY = 100  # Definitions of one name: of more, only those in sight of a use are looked at.
NEAR = 60  # Of these.
MOST_ANCESTORS = 50  # Of one class: what is above them is not looked for.
MOST_TEXTS = 64  # Whose lines are kept at hand.
CLASSES = 40  # Of one name, whose ancestors are looked for.
A_TEXT, A_ROW, A_VERDICT = 200, 65, 6
"""Microseconds, about, for each thing that has to be looked at: fitted to 600 questions about the names used
most in Python's standard library; half of them took within a fifth of what these say."""

Sights = Callable[[str, str], Sequence[Definition]]
"""What a name may mean in a file."""


class Effort:
    """What a question has taken, up to so much: counted, not measured, so that answers stay the same."""

    def __init__(self, most: float = inf) -> None:
        self.most = most
        self.spent = 0
        self._paid: set[tuple[object, ...]] = set()

    def add(self, cost: int, *what: object) -> None:
        """Once for each thing, however often it is needed; every time, if nothing is named."""
        if not what or what not in self._paid:
            self.spent += cost
            if what:
                self._paid.add(what)

    @property
    def is_enough(self) -> bool:
        """Whether it is time to answer."""
        return self.most <= self.spent


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
        self.effort = Effort()
        """Of the question that is being answered."""
        self._links: dict[str, tuple[Link, ...]] = {}
        self._spots: dict[str, Mapping[str, tuple[Key, ...]]] = {}
        self._candidates: dict[str, tuple[Definition, ...]] = {}
        self._sights: dict[tuple[str, str], tuple[Definition, ...]] = {}
        self._ancestors: dict[str, frozenset[str]] = {}
        self._outlines: dict[str, dict[int, SymbolRow]] = {}
        self._lines: dict[int, list[str]] = {}

    def forget(self) -> None:
        """What was looked up is looked up again when it is needed: some questions leave a lot behind."""
        for it in (self._links, self._spots, self._candidates, self._sights, self._ancestors):
            it.clear()
        self._outlines.clear()
        self._lines.clear()

    def links(self, path: str) -> tuple[Link, ...]:
        """What a file imports."""
        self.effort.add(A_TEXT, "links", path)
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
        self.effort.add(A_TEXT, "lines", content)
        if content not in self._lines:
            while MOST_TEXTS <= len(self._lines):
                del self._lines[next(iter(self._lines))]
            self._lines[content] = self.reader.text(content).split("\n")
        return self._lines[content]

    def spots(self, name: str) -> Mapping[str, tuple[Key, ...]]:
        """The files that define a name, in the order of their paths, each with its definitions."""
        if name not in self._spots:
            found: dict[str, list[Key]] = {}
            keys = self.reader.definitions_of(name)
            paths = self.reader.paths_of({content for _, content in keys})
            for key in keys:
                for path in paths.get(key[1], ()):
                    found.setdefault(path, []).append(key)
            self._spots[name] = {it: tuple(found[it]) for it in sorted(found)}
        return self._spots[name]

    def defined(self, name: str, paths: Iterable[str], most: int = MANY) -> tuple[Definition, ...]:
        """Its definitions in these files."""
        spots = self.spots(name)
        wanted = list(islice(((path, key) for path in paths for key in spots.get(path, ())), most))
        rows = {it.id: it for it in self.reader.symbols_at(list(dict.fromkeys(key for _, key in wanted)))}
        return tuple(Definition(path=path, row=rows[number]) for path, (number, _) in wanted)

    def is_everywhere(self, name: str) -> bool:
        """Whether a name has so many definitions that not all can be looked at."""
        return MANY < sum(map(len, self.spots(name).values()))

    def candidates(self, name: str) -> tuple[Definition, ...]:
        """All definitions of a name, in every file that has them; of one that is everywhere, the first."""
        if name not in self._candidates:
            found = self.defined(name, self.spots(name))
            self._candidates[name] = tuple(sorted(found, key=lambda it: it.row.id))
        return self._candidates[name]

    def in_sight(self, name: str, path: str) -> tuple[Definition, ...]:
        """What a name may mean in a file: all its definitions.

        Of a name that is everywhere, those of the file, of what it imports and of its folder: it is by its
        place alone that one of them is likelier than another.
        """
        if not self.is_everywhere(name):
            found = self.candidates(name)
            self.effort.add(A_ROW * len(found), "candidates", name)
            return found
        key = name, path
        if key not in self._sights:
            links = self.links(path)
            near = [path, *(it for link in links for it in (*link.files, *(file for _, file in link.named)))]
            near += self.modules.folders.get(dirname(path), ())
            self._sights[key] = self.defined(name, dict.fromkeys(near), NEAR)
        self.effort.add(A_TEXT + A_ROW * len(self._sights[key]), "sight", *key)
        return self._sights[key]

    def ancestors(self, name: str) -> frozenset[str]:
        """The names of what classes of this name inherit from, all the way up."""
        self.effort.add(A_TEXT, "ancestors", name)
        if name not in self._ancestors:
            found: dict[str, None] = {}
            waiting = [name]
            while waiting and len(found) < MOST_ANCESTORS:
                current = waiting.pop()
                for it in self._heads(current):
                    new = [one for one in sorted(bases(it, current)) if one not in found]
                    found.update(dict.fromkeys(new))
                    waiting += new
            self._ancestors[name] = frozenset(found) - {name}
        return self._ancestors[name]

    def _heads(self, name: str) -> list[str]:
        """The first lines of classes of a name; of what is no class, nothing more is read than that."""
        kinds = Filters(kinds=(Kind.CLASS, Kind.INTERFACE))
        found = self.reader.symbols_named([name], where=kinds, limit=CLASSES)
        rows = self.reader.symbols_at([key for key, spelled, _ in found if spelled == name])
        return list(dict.fromkeys(it.signature for it in rows))

    def symbols(self, path: str) -> dict[int, SymbolRow]:
        """A file's symbols by their ids."""
        if path not in self._outlines:
            self._outlines[path] = {it.id: it for it in self.reader.outline(path)}
        found = self._outlines[path]
        self.effort.add(A_TEXT + A_ROW * len(found) // 4, "symbols", path)
        return found

    def edges(self, row: ReferenceRow, sights: Sights | None = None) -> list[Edge]:
        """What one reference may mean, in every file that has it; of what ``in_sight`` says, or another."""
        if not self.spots(row.name):
            return []
        there = sights or self.in_sight
        return [edge for path in row.paths for edge in self._edges_in(path, row, there(row.name, path))]

    def _edges_in(self, path: str, row: ReferenceRow, there: Sequence[Definition]) -> Iterator[Edge]:
        file, lines = self.files[path], self.lines(self.files[path].content)
        caller = self.symbols(path).get(row.symbol) if row.symbol is not None else None
        known: dict[frozenset[str], tuple[Match, ...]] = {}
        for line, is_call in self._places(path, row, caller).items():
            text = _continued(lines[line - 2].rstrip() if 1 < line else "", lines[line - 1])
            before = receivers(text, row.name, is_call=is_call)
            self.effort.add(A_VERDICT * len(there) * max(1, len(before)))
            if before not in known:
                use = Use(
                    path=path,
                    language=file.language,
                    scope=qualified(caller),
                    name=row.name,
                    receivers=before,
                )
                known[before] = resolve(use, there, self.links, self.ancestors)
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


def qualified(symbol: SymbolRow | None) -> str:
    """A symbol's name with the names around it; empty for none."""
    if symbol is None:
        return ""
    return f"{symbol.scope}.{symbol.name}" if symbol.scope else symbol.name


def _continued(before: str, text: str) -> str:
    """A line that goes on with the one above: what stands before its first name is there."""
    begins = text.lstrip()
    goes_on = begins.startswith((".", "?.", "->", "::")) or before.endswith((".", "->", "::"))
    return f"{before.strip()} {begins}" if goes_on else text
