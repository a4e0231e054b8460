"""The definitions and imports that a grammar's query has matched -> symbols, and who stands in whom."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from codeindex import parse_text
from codeindex.types import Import, Kind, Symbol

KINDS: Mapping[str, Kind] = {str(it): it for it in Kind}
SCOPE = "scope"  # lends its name to what is in it, but is no symbol
OPAQUE = "opaque"  # a function without a name: variables in it are its own
IGNORED = "ignored"  # a name for what is imported
NO_SYMBOL = (SCOPE, OPAQUE, IGNORED)
VALUES = frozenset({Kind.CONSTANT, Kind.VARIABLE})
BODIES = frozenset({Kind.FUNCTION, Kind.METHOD})
WITH_METHODS = frozenset({Kind.CLASS, Kind.ENUM, Kind.INTERFACE, Kind.TYPE})
MAX_SECTIONS = 500  # of one file: a table of data is no outline
LONGEST_HEAD = 1000  # bytes that are looked at for a signature

# A node or a match comes from the grammar's library; nothing but its attributes is used here.
Node = Any
Match = tuple[int, dict[str, list[Node]]]
Modules = Callable[[str], list[tuple[str, tuple[str, ...]]]]
_TREES: Mapping[str, Modules] = {"rust": parse_text.rust_use, "scala": parse_text.scala_import}
_WORDS_BEFORE = re.compile(rb"[\w \t]*")
_CAPITALS = re.compile(r"_*[A-Z][A-Z0-9_]+")


@dataclass(frozen=True, slots=True)
class Text:
    """The text in the forms that a syntax tree and its readers need."""

    data: bytes
    lines: Sequence[str]
    is_ascii: bool
    above: Mapping[int, tuple[int, bool]]
    """By the row on which a comment or an attribute ends: where it begins, and whether it is a comment."""

    def slice(self, node: Node) -> str:
        return self.data[node.start_byte : node.end_byte].decode("utf-8", "replace")

    def column(self, row: int, column: int) -> int:
        """Characters, of bytes."""
        if self.is_ascii:
            return column
        return len(self.lines[row].encode("utf-8", "replace")[:column].decode("utf-8", "ignore"))

    def first_row(self, row: int) -> int:
        """The row on which the comments and attributes directly above this one begin."""
        while (found := self.above.get(row - 1)) and found[0] < row:
            row = found[0]
        return row

    def comment_above(self, row: int) -> str:
        """What the comments directly above a row say."""
        rows: list[tuple[int, int]] = []
        while (found := self.above.get(row - 1)) and found[0] < row:
            if found[1]:
                rows.append((found[0], row))
            row = found[0]
        return parse_text.comment(line for a, b in reversed(rows) for line in self.lines[a:b]) if rows else ""


@dataclass(slots=True)
class Found:
    """A definition on its way to a symbol, or what only has a scope."""

    start: int
    end: int
    order: int
    key: str
    node: Node
    name: Node | None
    of: Node | None = None
    body: Node | None = None
    doc: Node | None = None
    symbol: int | None = None
    """Its own index, or that of the nearest symbol around it."""
    scope: str = ""
    """Of what is in it."""
    kind: Kind | None = None
    parent: Found | None = field(default=None, repr=False)


@dataclass(slots=True)
class Outline:
    """What a file defines."""

    symbols: list[Symbol]
    spans: list[tuple[int, int, int]]
    """First byte, end, index: of every symbol, outer ones first."""
    names: set[int]
    """Where the names of definitions begin: there they are not used."""
    locals: set[tuple[int | None, bytes]]
    """The variables of functions, with the symbol that they are in."""


def found_in(matches: Iterable[Match]) -> tuple[list[Found], list[Match]]:
    """The definitions in order, outer ones first, each name once; and the imports."""
    imports: list[Match] = []
    by_name: dict[int, Found] = {}
    unnamed: list[Found] = []
    for order, captures in matches:
        if "import" in captures:
            imports.append((order, captures))
            continue
        key = next(it for it in captures if it in KINDS or it in NO_SYMBOL)
        node = captures[key][0]
        named = captures.get("name", ())
        parts = {it: captures[it][0] for it in ("of", "body", "doc") if it in captures}
        if not named:
            unnamed.append(Found(node.start_byte, node.end_byte, order, key, node, None, **parts))
        for name in named:
            at = name.start_byte
            known = by_name.get(at)
            if known is None or order < known.order or (order == known.order and "doc" in parts):
                by_name[at] = Found(node.start_byte, node.end_byte, order, key, node, name, **parts)
    found = [*by_name.values(), *unnamed]
    found.sort(key=lambda it: (it.start, -it.end, it.name.start_byte if it.name else -1))
    return found, imports


def outline(text: Text, found: Iterable[Found]) -> Outline:
    """Symbols with their scopes, parents before children."""
    out = Outline([], [], set(), set())
    around: list[Found] = []
    sections = 0
    for it in found:
        while around and (around[-1].end <= it.start or _is_a_sibling(around[-1], it)):
            around.pop()
        outer = around[-1] if around else None
        it.parent = outer
        it.symbol, it.scope = (outer.symbol, outer.scope) if outer else (None, "")
        around.append(it)
        if it.name is not None:
            out.names.add(it.name.start_byte)
        if it.key in (OPAQUE, IGNORED):
            continue
        if it.key == SCOPE:
            own = parse_text.owner(text.slice(it.name)) if it.name else ""
            it.scope = _joined(it.scope, own)
            continue
        it.kind = KINDS[it.key]
        sections += it.kind is Kind.SECTION
        if it.kind in VALUES and _is_in_a_body(outer):
            if it.name is not None:
                out.locals.add((it.symbol, text.data[it.name.start_byte : it.name.end_byte]))
            around.pop()
        elif it.kind is not Kind.SECTION or sections <= MAX_SECTIONS:
            _add(text, out, it, outer)
    out.spans = sorted(out.spans, key=lambda it: (it[0], -it[1]))
    return out


def _is_a_sibling(one: Found, other: Found) -> bool:
    """Whether two names are defined by the same node, as in `a, b = 1, 2`."""
    return (one.start, one.end) == (other.start, other.end)


def _is_in_a_body(found: Found | None) -> bool:
    while found is not None:
        if found.key == OPAQUE or found.kind in BODIES:
            return True
        if found.kind in WITH_METHODS or found.key == SCOPE:
            return False
        found = found.parent
    return False


def _add(text: Text, out: Outline, it: Found, outer: Found | None) -> None:
    node, name = it.node, it.name
    if name is None or it.kind is None:
        return
    written = text.slice(name)
    shown, prefix = _name_and_prefix(written, it.kind)
    if not shown:
        return
    of = _joined(parse_text.owner(text.slice(it.of)) if it.of else "", prefix)
    scope = _joined(it.scope, of)
    is_of_a_class = bool(prefix) or (it.of is not None and text.slice(it.of).endswith(".prototype"))
    kind = _kind(it, shown, outer, is_of_a_class)
    inset = max(0, written.rfind(shown) if prefix else written.find(shown))
    row, column = node.start_point
    end_row, end_column = node.end_point
    at_row, at_column = name.start_point
    symbol = Symbol(
        name=shown,
        kind=kind,
        scope=scope,
        first_line=text.first_row(row) + 1,
        last_line=end_row + (0 if end_column == 0 and row < end_row else 1),
        line=at_row + 1,
        column=text.column(at_row, at_column) + inset,
        signature=_signature(text, it, column),
        doc=parse_text.docstring(text.slice(it.doc)) if it.doc else text.comment_above(row),
        parent=it.symbol,
    )
    it.symbol, it.scope, it.kind = len(out.symbols), _joined(scope, shown), kind
    out.symbols.append(symbol)
    out.spans.append((it.start, it.end, it.symbol))


def _joined(scope: str, name: str) -> str:
    return f"{scope}.{name}" if scope and name else scope or name


def _name_and_prefix(text: str, kind: Kind) -> tuple[str, str]:
    """`Shop::Basket::size` is size in Shop.Basket; a namespace's name is split at dots, too."""
    separator = "." if kind is Kind.MODULE and "::" not in text else "::"
    if separator not in text or kind in (Kind.SECTION, Kind.MACRO):
        return parse_text.name(text.removeprefix(":") if kind is Kind.METHOD else text), ""
    prefix, _, last = text.rpartition(separator)
    parts = [parse_text.owner(it) for it in prefix.split(separator)]
    return parse_text.name(last), ".".join(filter(None, parts))


def _kind(it: Found, name: str, outer: Found | None, is_qualified: bool) -> Kind:
    assert it.kind is not None
    if it.kind is Kind.FUNCTION and (
        is_qualified or (outer is not None and (outer.key == SCOPE or outer.kind in WITH_METHODS))
    ):
        return Kind.METHOD
    if it.kind is Kind.VARIABLE and _CAPITALS.fullmatch(name):
        return Kind.CONSTANT
    return it.kind


def _signature(text: Text, it: Found, column: int) -> str:
    start, end = it.start, it.end
    if it.kind is Kind.SECTION:
        newline = text.data.find(b"\n", start, end)
        end = end if newline < 0 else newline
    else:
        body = it.body or it.node.child_by_field_name("body")
        end = body.start_byte if body is not None and start < body.start_byte else end
        if body is None and it.kind is Kind.INTERFACE:
            brace = text.data.find(b"{", start, end)
            end = end if brace < 0 else brace
        # Words before it on its line belong to its head: `export const`, `pub`.
        if _WORDS_BEFORE.fullmatch(text.data, start - column, start):
            start -= column
    head = text.data[start : min(end, start + LONGEST_HEAD)].decode("utf-8", "ignore")
    return parse_text.signature(head, has_annotations=it.kind is not Kind.SECTION)


def imports(text: Text, matches: Iterable[Match], language: str) -> tuple[Import, ...]:
    """What a file takes from others, in order; one row for all that one line takes from one module."""
    found: dict[tuple[int, str], dict[str, None]] = {}
    trees = _TREES.get(language)
    for _, captures in matches:
        node = captures["import"][0]
        line = node.start_point[0] + 1
        if trees is not None and "module" not in captures:
            whole = text.slice(captures.get("tree", [node])[0])
            rows = trees(whole)
        else:
            modules = [parse_text.module(text.slice(it)) for it in captures.get("module", ())]
            items = tuple(parse_text.item(text.slice(it)) for it in captures.get("item", ()))
            rows = [(it, items) for it in modules if it]
        for module, names in rows:
            known = found.setdefault((line, module), {})
            known.update(dict.fromkeys(names[: parse_text.MAX_IMPORTED]))
    rows_in_order = sorted(found.items(), key=lambda it: it[0][0])
    return tuple(Import(module=m, names=tuple(names), line=line) for (line, m), names in rows_in_order)
