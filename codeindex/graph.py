"""Who uses what: definitions, references, callers, callees and imports across files, read from the index.

An edge is a place where a name is used and a definition that it may mean, with how sure that is. Asked from
either end it is the same edge: callers and callees are decided by the same ``resolve``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from posixpath import dirname

from codeindex.graph_dependencies import Dependencies, dependencies_of
from codeindex.graph_imports import imported
from codeindex.graph_modules import shared_folders
from codeindex.graph_receivers import BARE
from codeindex.graph_resolve import resolve
from codeindex.graph_values import Confidence, Definition, Link, Match, Use
from codeindex.graph_view import A_TEXT, MANY, Edge, Effort, Sights, View, qualified, view
from codeindex.rank_places import places
from codeindex.store.read import Reader
from codeindex.types import ImportRow, SymbolRow

PATIENCE = 200_000  # Microseconds, about, for each hundred edges that are wanted: see ``Effort``.
ORDER = {it: place for place, it in enumerate(Confidence)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What was asked about, and its edges, the surest first."""

    definitions: tuple[Definition, ...]
    edges: tuple[Edge, ...]
    more: int
    """Edges that are beyond the limit, of those that were looked at."""
    partly: str = ""
    """A sentence, where not all there is was looked at: how much of how much."""


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
    with _asked(reader, seen, limit) as sight:
        wanted, there = _chosen(sight, name, path, line, scope, limit)
        targets = {(it.path, it.row.id) for it in wanted}
        users = reader.users(name) if targets else []
        sights = _with(sight, wanted) if sight.is_everywhere(name) else sight.in_sight
        edges: list[Edge] = []
        looked_at = 0
        for content in _nearest(sight, users, wanted):
            if sight.effort.is_enough:
                break
            looked_at += 1
            sight.effort.add(A_TEXT)
            for row in reader.references_in(content, name):
                if row.is_call or not calls_only:
                    found = sight.edges(row, sights)
                    edges += [it for it in found if (it.target.path, it.target.row.id) in targets]
    files = (looked_at, len(users), "files that use it")
    return _answer(wanted, edges, limit, _partly((len(wanted), there, "definitions"), files))


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
    with _asked(reader, seen, limit) as sight:
        wanted, there = _chosen(sight, name, path, line, scope, limit)
        edges: list[Edge] = []
        looked_at = 0
        for it in wanted:
            if sight.effort.is_enough:
                break
            looked_at += 1
            sight.effort.add(A_TEXT)
            inside = {number for number, row in sight.symbols(it.path).items() if _is_inside(row, it.row)}
            for reference in reader.references_from(inside):
                if reference.is_call or not calls_only:
                    edges += sight.edges(replace(reference, paths=(it.path,)))
    wanted = wanted[:looked_at]
    return _answer(wanted, edges, limit, _partly((looked_at, there, "definitions")))


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
            elsewhere = [it for it in sight.in_sight(name, path) if it.path != path]
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


@contextmanager
def _asked(reader: Reader, seen: View | None, limit: int) -> Iterator[View]:
    """The index as it is now, for a question that ends when enough has been looked at."""
    with reader.snapshot():
        sight = view(reader, seen)
        sight.effort = Effort(PATIENCE * max(1, limit // 100))
        try:
            yield sight
        finally:
            sight.effort = Effort()


def _chosen(
    sight: View, name: str, path: str | None, line: int | None, scope: str | None, limit: int
) -> tuple[tuple[Definition, ...], int]:
    """The definitions that are asked about, all of the name or those at a place, and how many there are."""
    spots = sight.spots(name)
    files = [it for it in spots if path is None or it == path]
    if scope and sight.is_everywhere(name):
        around = sight.spots(scope.rpartition(".")[2])
        files = [it for it in files if it in around]
    there = sum(len(spots[it]) for it in files)
    most = max(MANY, limit)
    if most < there:
        files.sort(key=lambda it: (len(places(it)), it))
    found = list(sight.defined(name, files, most))
    if scope is not None:
        found = [it for it in found if f".{it.row.scope}".endswith(f".{scope}")]
        there = len(found) if there <= most else there
    if line is not None and found:
        inside = [it for it in found if it.row.first_line <= line <= it.row.last_line]
        nearest = min(abs(it.row.line - line) for it in inside or found)
        found = [it for it in inside or found if abs(it.row.line - line) == nearest]
        there = len(found)
    return tuple(sorted(found, key=lambda it: (it.path, it.row.line))), there


def _with(sight: View, wanted: Sequence[Definition]) -> Sights:
    """What is in sight, and beside that what was asked for."""
    known: dict[str, tuple[Definition, ...]] = {}

    def sights(name: str, path: str) -> tuple[Definition, ...]:
        if path not in known:
            both = {(it.path, it.row.id): it for it in (*sight.in_sight(name, path), *wanted)}
            known[path] = tuple(both.values())
        return known[path]

    return sights


def _nearest(sight: View, users: Sequence[int], wanted: Collection[Definition]) -> Sequence[int]:
    """The contents that use a name: those where it is defined, then those beside and near them first."""
    paths = sight.reader.paths_of(users)
    own = {it.row.content for it in wanted}
    folders = {dirname(it.path) for it in wanted}

    def far(content: int) -> tuple[bool, bool, int, int, str]:
        first = paths[content][0]
        shared = max((shared_folders(first, f"{it}/") for it in folders), default=0)
        return content not in own, dirname(first) not in folders, len(places(first)), -shared, first

    return sorted((it for it in users if it in paths), key=far)


def _partly(*counts: tuple[int, int, str]) -> str:
    """What was looked at of what there is; empty if it is all there is."""
    said = [f"the first {some:,} of {there:,} {what}" for some, there, what in counts if some < there]
    if not said:
        return ""
    return f"This is about {' and '.join(said)}: a scope, a file or a larger limit shows others."


def _answer(wanted: tuple[Definition, ...], edges: Iterable[Edge], limit: int, partly: str) -> Answer:
    ordered = sorted(
        {_key(it): it for it in edges}.values(),
        key=lambda it: (
            ORDER[it.confidence],
            it.path,
            it.line,
            it.target.row.name,
            it.target.path,
            it.target.row.line,
        ),
    )
    more = max(0, len(ordered) - limit)
    return Answer(definitions=wanted, edges=tuple(ordered[:limit]), more=more, partly=partly)


def _key(it: Edge) -> tuple[object, ...]:
    """What makes it another edge: to compare all that is known of both ends takes long."""
    caller = it.caller.id if it.caller is not None else None
    return it.path, it.line, it.is_call, caller, it.target.path, it.target.row.id, it.reason


def _is_inside(row: SymbolRow, outer: SymbolRow) -> bool:
    return row.id == outer.id or (
        qualified(row).startswith(f"{qualified(outer)}.")
        and outer.first_line <= row.first_line
        and row.last_line <= outer.last_line
    )
