"""Definitions by what is typed of their names, and those of one file; of buffers as they are on screen."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from codeindex.overlay import Buffer, Overlay
from codeindex.rank_places import places
from codeindex.store.names import Key
from codeindex.store.read import Reader
from codeindex.types import Filters, Kind, SymbolRow

EVERYTHING = Filters()
MOST_NAMES = 150  # That begin so, contain or abbreviate what is typed, each.
LONGEST = 200  # Characters of what is typed.
LONGEST_HUMPS = 16
PRIVATE = ("", "_", "__")
SHORTEST_SUBSTRING = 3  # Characters: pieces of names are indexed by three.
EXACT, SAME, BEGINS, HUMPS, CONTAINS = range(5)
"""How well a name fits, best first: written so, but for its case, begins so, its humps, somewhere in it."""
FIRST = {it: place for place, it in enumerate((
    Kind.CLASS, Kind.INTERFACE, Kind.FUNCTION, Kind.METHOD, Kind.TYPE, Kind.ENUM, Kind.MODULE, Kind.MACRO,
    Kind.CONSTANT, Kind.VARIABLE, Kind.SECTION,
))}  # fmt: skip
SHOWN_FIRST = (Kind.CLASS, Kind.INTERFACE, Kind.FUNCTION, Kind.TYPE)
Found = tuple[SymbolRow, str]
"""A symbol, and the file that it is shown in."""


def find_symbols(reader: Reader, overlay: Overlay, query: str, limit: int) -> list[Found]:
    """The definitions whose names fit best, each in every file that has it."""
    typed, _, scope = _parted(query[:LONGEST])
    if not typed:
        return [] if scope else _most_used(reader, overlay, limit)
    with reader.snapshot():
        rows = reader.symbol_rows(_best_keys(reader, overlay, typed, None if scope else limit))
    found = [(row, path) for row in rows for path in row.paths if path not in overlay]
    for it in overlay.buffers():
        found += [(row, it.path) for row in symbols_of(it)]
    scored = [
        (rank, FIRST[row.kind], len(places(path)), len(row.name), path, row.line, (row, path))
        for row, path in found
        if (rank := fit(typed, row.name)) is not None and _is_within(row.scope, scope)
    ]
    return [it[-1] for it in sorted(scored, key=lambda it: it[:-1])[:limit]]


def _best_keys(reader: Reader, overlay: Overlay, typed: str, limit: int | None) -> list[Key]:
    """Of the symbols whose names fit those that are shown, by what can be told without unpacking anything."""
    names = list(_names(reader, typed))
    named = reader.symbols_named(names, where=EVERYTHING, limit=4 * max(limit or 0, MOST_NAMES))
    ranks = {it: fit(typed, it) for it in {name for _, name, _ in named}}
    paths = reader.paths_of({content for (_, content), _, _ in named})
    scored = [
        (rank, FIRST[kind], len(places(path)), len(name), path, key)
        for key, name, kind in named
        if (rank := ranks[name]) is not None
        for path in paths.get(key[1], ())
        if path not in overlay
    ]
    return list(dict.fromkeys(it[-1] for it in sorted(scored)[:limit]))


def _most_used(reader: Reader, overlay: Overlay, limit: int) -> list[Found]:
    """What an editor shows before anything is typed: what is on screen, then what most files use."""
    found = [(row, it.path) for it in overlay.buffers() for row in symbols_of(it) if not row.scope]
    with reader.snapshot():
        names = reader.most_used(SHOWN_FIRST, limit)
        order = {it: place for place, it in enumerate(names)}
        rows = reader.symbols(names, where=EVERYTHING, limit=4 * max(limit, 50))
    indexed = [
        (len(places(path)), order[row.name], path, row.line, (row, path))
        for row in rows
        if row.name in order and not row.scope
        for path in row.paths
        if path not in overlay
    ]
    return [*found, *(it[-1] for it in sorted(indexed, key=lambda it: it[:-1]))][:limit]


def outline_of(reader: Reader | None, overlay: Overlay, path: str) -> list[Found]:
    """A file's symbols, in order."""
    if path in overlay:
        return [(it, path) for it in symbols_of(overlay.buffer(path))]
    return [(it, path) for it in reader.outline(path)] if reader is not None else []


def symbols_of(buffer: Buffer) -> Iterator[SymbolRow]:
    """What a buffer defines."""
    for number, it in enumerate(buffer.parsed.symbols):
        yield SymbolRow(
            id=-1 - number,
            content=0,
            paths=(buffer.path,),
            language=buffer.parsed.language,
            name=it.name,
            kind=it.kind,
            scope=it.scope,
            first_line=it.first_line,
            last_line=it.last_line,
            line=it.line,
            column=it.column,
            signature=it.signature,
            doc=it.doc,
        )


def fit(typed: str, name: str) -> int | None:
    """How well a name fits what is typed; None if it does not."""
    if name == typed:
        return EXACT
    small, lower = typed.lower(), name.lower()
    if small == lower:
        return SAME
    if lower.startswith(small):
        return BEGINS
    short = small.lstrip("_")
    if short and _abbreviates(short, lower, humps(name)):
        return HUMPS
    return CONTAINS if SHORTEST_SUBSTRING <= len(small) and small in lower else None


def humps(name: str) -> frozenset[int]:
    """Where its words begin: ``parseHTTPRequest_v2`` at p, H, R and v."""
    found = set()
    for place, it in enumerate(name):
        before = name[place - 1] if place else "_"
        after = name[place + 1 : place + 2]
        is_new = not before.isalnum() or (it.isupper() and (before.islower() or after.islower()))
        if it.isalnum() and (is_new or (it.isdigit() != before.isdigit() and it.isdigit())):
            found.add(place)
    return frozenset(found)


def _abbreviates(typed: str, name: str, starts: Collection[int]) -> bool:
    """Whether what is typed is made of beginnings of the name's words, in order, from its first."""
    reached = {-1}  # Where the last letter was found.
    for number, letter in enumerate(typed):
        reached = {
            place
            for place in range(len(name))
            if name[place] == letter
            and ((place in starts and any(it < place for it in reached)) or (number and place - 1 in reached))
        }
        if number == 0:
            reached &= {min(starts, default=0)}
        if not reached:
            return False
    return True


def _names(reader: Reader, typed: str) -> Iterator[str]:
    yield typed
    bare = "".join(it for it in typed if it.isalnum() or it in "_$")
    if not bare:
        return
    yield from reader.names_beginning(bare, MOST_NAMES)
    if SHORTEST_SUBSTRING <= len(bare):
        yield from reader.names_containing(bare, MOST_NAMES)
    short = bare.lstrip("_$")
    if 2 <= len(short) <= LONGEST_HUMPS:
        pattern = "*".join(f"[{it.lower()}{it.upper()}]" for it in short) + "*"
        for begin in _beginnings(short[0]):
            names = reader.names_like(begin, begin[:-1] + pattern, 10 * MOST_NAMES)
            yield from (it for it in names if fit(bare, it) == HUMPS)


def _beginnings(letter: str) -> Iterator[str]:
    """How names begin whose first letter this is, private ones too; the index folds no case but ASCII's."""
    cases = (letter.lower(),) if letter.isascii() else (letter.lower(), letter.upper())
    for case in dict.fromkeys(cases):
        if len(case) == 1:
            yield from (private + case for private in PRIVATE)


def _parted(query: str) -> tuple[str, str, str]:
    """What is typed of the name, and of what is around it: ``Router.add`` and ``Router::add`` have both."""
    text = query.strip().replace("::", ".").replace("#", ".").rstrip("(").rstrip(".")
    scope, dot, name = text.rpartition(".")
    return name, dot, scope.lower()


def _is_within(scope: str, wanted: str) -> bool:
    return not wanted or scope.lower().endswith(wanted) or f".{wanted}." in f".{scope.lower()}."
