"""Where a symbol's name stands, to the column: in code alone, each place with how sure it is.

Texts are read as they are now, on screen or on disk; what a name may mean is what the graph knows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from codeindex.graph_modules import family
from codeindex.graph_receivers import BARE, receiver_of
from codeindex.graph_resolve import resolve
from codeindex.graph_values import LAST_IS_NAME, Confidence, Definition, Link, Use
from codeindex.graph_view import View
from codeindex.languages import language_of
from codeindex.parse import Syntax, syntax_of
from codeindex.parse_names import Named, named
from codeindex.parse_symbols import imports
from codeindex.types import ImportRow, Kind, Symbol, SymbolRow

MOST_FILES = 2_000
JOINTS = {"c": ("->",), "php": ("->",), "lua": (":",)}
"""Where an arrow or a colon leads to a member, and not to a type."""
FIELDS = frozenset({Kind.CONSTANT, Kind.VARIABLE})

Texts = Callable[[str], str | None]
"""A file as it is now; None if it is gone or does not belong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Occurrence:
    """One place."""

    path: str
    line: int
    """1-based."""
    column: int
    """0-based, in characters."""
    confidence: Confidence
    is_definition: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Occurrences:
    """All places, by file and line."""

    found: tuple[Occurrence, ...] = ()
    unread: int = 0
    """Files with the name that were not looked at, because there are too many: this is not all, then."""


@dataclass(frozen=True, slots=True)
class _File:
    """A text of now in which the name stands."""

    name: str
    path: str
    language: str
    syntax: Syntax
    places: Sequence[Named]
    own: Sequence[Link] | None = None
    """What it imports, where its text is newer than the index."""

    def scope(self, it: Named) -> str:
        """The names around a place."""
        if it.symbol is None:
            return ""
        symbol = self.syntax.outline.symbols[it.symbol]
        return f"{symbol.scope}.{symbol.name}" if symbol.scope else symbol.name

    def receiver(self, it: Named) -> str:
        """What stands before a place."""
        joints = JOINTS.get(family(self.language), ())
        return receiver_of(self.syntax.source.lines, it.line, it.column, joints=joints)

    def symbol(self, it: Named) -> Symbol | None:
        """What is defined at a place."""
        return None if it.symbol is None else self.syntax.outline.symbols[it.symbol]


def occurrences(
    sight: View, texts: Texts, open_paths: Iterable[str], name: str, path: str, line: int
) -> Occurrences:
    """Everywhere the symbol stands that has this name at this line; ``open_paths`` differ from the index."""
    is_open = frozenset(open_paths)
    here = _file(sight, texts, path, name, is_open=path in is_open)
    if here is None:
        return Occurrences()
    asked = [it for it in here.places if it.line == line]
    if asked and all(it.role == "local" for it in asked):
        home = asked[0].home
        own = (it for it in here.places if it.role == "local" and it.home == home)
        return Occurrences(found=tuple(_at(here, it, Confidence.CERTAIN) for it in own))
    meant = _meant(sight, here, asked, line)
    if not meant:
        return Occurrences()
    users = {it for paths in sight.reader.paths_of(sight.reader.users(name)).values() for it in paths}
    importing = _importing(sight, name)
    paths = sorted({path, *users, *importing, *is_open, *sight.spots(name)})
    paths.sort(key=lambda it: it != path)  # Where it was asked about is looked at in any case.
    found: list[Occurrence] = []
    for it in paths[:MOST_FILES]:
        file = here if it == path else _file(sight, texts, it, name, is_open=it in is_open)
        if file is not None:
            found += _in_file(sight, file, meant)
    found.sort(key=lambda it: (it.path, it.line, it.column))
    return Occurrences(found=tuple(found), unread=max(0, len(paths) - MOST_FILES))


def _file(sight: View, texts: Texts, path: str, name: str, *, is_open: bool) -> _File | None:
    text = texts(path)
    if text is None or name not in text:
        return None
    known = sight.files.get(path)
    language = known.language if known else language_of(path.rpartition("/")[2])
    syntax = syntax_of(text, language)
    if syntax is None:
        return None
    modules = _modules(syntax, language)
    places = named(syntax.source, syntax.root, syntax.names, syntax.outline, syntax.ranges, modules, name)
    if not is_open:
        return _File(name, path, language, syntax, places)
    rows = [
        ImportRow(path=path, module=it.module, names=it.names, line=it.line)
        for it in imports(syntax.source, syntax.imported, language)
    ]
    return _File(name, path, language, syntax, places, sight.linked(path, rows))


def _modules(syntax: Syntax, language: str) -> list[tuple[int, int]]:
    """The bytes of imports that name files: all of a module's name, or without its last part."""
    found = []
    for _, captures in syntax.imported:
        for it in captures.get("module", ()):
            begin, end = it.start_byte, it.end_byte
            if family(language) in LAST_IS_NAME:
                text = syntax.source.data[begin:end]
                end = begin + max(text.rfind(b"."), text.rfind(b":"), text.rfind(b"\\")) + 1
            found.append((begin, end))
    return found


def _meant(sight: View, here: _File, asked: Sequence[Named], line: int) -> tuple[Definition, ...]:
    """The definitions that are asked about: the one that stands there, is used there, or is around it."""
    defined = [it for it in here.places if it.role == "definition"]
    at_line = [it for it in asked if it.role == "definition"]
    if not asked:
        around = [
            it for it in defined if (one := here.symbol(it)) and one.first_line <= line <= one.last_line
        ]
        at_line = around[-1:] or (defined if line == 0 else [])
    if at_line:
        return tuple(_definition(sight, here, symbol) for it in at_line if (symbol := here.symbol(it)))
    for it in asked:
        if it.role in ("use", "import") and (found := _matches(sight, here, it, ())):
            return tuple(definition for definition, _ in found)
    return ()


def _definition(sight: View, file: _File, symbol: Symbol) -> Definition:
    """As the index has it; else, of a text that is newer, as that says."""
    for it in sight.defined(symbol.name, [file.path]):
        if it.row.scope == symbol.scope:
            return it
    row = SymbolRow(
        id=-1, content=0, paths=(file.path,), language=file.language, name=symbol.name, kind=symbol.kind,
        scope=symbol.scope, first_line=symbol.first_line, last_line=symbol.last_line, line=symbol.line,
        column=symbol.column, signature=symbol.signature, doc=symbol.doc,
    )  # fmt: skip
    return Definition(path=file.path, row=row)


def _matches(
    sight: View, file: _File, it: Named, more: Sequence[Definition]
) -> list[tuple[Definition, Confidence]]:
    """What a place may mean, the surest alone."""
    receiver = BARE if it.role == "import" else file.receiver(it)
    use = Use(
        path=file.path,
        language=file.language,
        scope="" if it.role == "import" else file.scope(it),
        name=file.name,
        receivers=frozenset({receiver}),
    )
    there = {(one.path, one.row.scope): one for one in (*sight.in_sight(use.name, file.path), *more)}

    def links(path: str) -> Sequence[Link]:
        return file.own if file.own is not None and path == file.path else sight.links(path)

    if receiver == BARE and any(name == file.name for link in links(file.path) for name, _ in link.named):
        return []  # A module, which is a file.
    found = resolve(use, there.values(), links, sight.ancestors)
    return [(one.definition, one.confidence) for one in found]


def _in_file(sight: View, file: _File, meant: Sequence[Definition]) -> Iterator[Occurrence]:
    """The places of one file that mean one of these."""
    wanted = {(it.path, it.row.scope) for it in meant}
    known: dict[tuple[str, str, str], Confidence | None] = {}
    for it in file.places:
        if it.role == "definition":
            confidence = _defines(sight, file, it, meant, wanted)
        elif it.role == "keyword":
            is_field = any(one.row.kind in FIELDS and one.row.scope for one in meant)
            confidence = Confidence.NAME if is_field else None
        elif it.role == "local":
            confidence = None
        else:
            receiver = file.receiver(it)
            key = it.role, file.scope(it), receiver
            if key not in known:
                known[key] = _sure(sight, file, it, meant, wanted)
            confidence = known[key]
        if confidence is not None:
            yield _at(file, it, confidence)


def _defines(
    sight: View, file: _File, it: Named, meant: Sequence[Definition], wanted: set[tuple[str, str]]
) -> Confidence | None:
    """Whether a definition is one of these, or of a class above or below."""
    symbol = file.symbol(it)
    if symbol is None:
        return None
    if (file.path, symbol.scope) in wanted:
        return Confidence.CERTAIN
    return Confidence.LIKELY if _overrides(sight, symbol, meant) else None


def _sure(
    sight: View, file: _File, it: Named, meant: Sequence[Definition], wanted: set[tuple[str, str]]
) -> Confidence | None:
    """How sure it is that a place means one of these; None if it means something else."""
    found = _matches(sight, file, it, meant)
    own = [sure for one, sure in found if (one.path, one.row.scope) in wanted]
    if own:
        return own[0]
    related = [one for one, _ in found if _overrides(sight, one.row, meant)]
    return Confidence.LIKELY if related else None


def _overrides(sight: View, it: Symbol | SymbolRow, meant: Sequence[Definition]) -> bool:
    """Whether a method is that of a class above or below one of those."""
    owner = it.scope.rpartition(".")[2]
    if not owner:
        return False
    return any(
        one.is_member and (one.owner in sight.ancestors(owner) or owner in sight.ancestors(one.owner))
        for one in meant
        if one.owner
    )


def _importing(sight: View, name: str) -> set[str]:
    """The files that import it by its name."""
    return {it.path for it in sight.reader.imports() if name in it.names}


def _at(file: _File, it: Named, confidence: Confidence) -> Occurrence:
    is_definition = it.role == "definition"
    return Occurrence(
        path=file.path, line=it.line, column=it.column, confidence=confidence, is_definition=is_definition
    )
