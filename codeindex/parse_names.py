"""The names that a grammar's query has captured -> references: what is used here and defined elsewhere."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from codeindex.parse_symbols import Node, Outline, Text
from codeindex.types import Reference

LONGEST_NAME = 120  # bytes: what is longer is no name that anybody wrote
NOBODY = frozenset({b"self", b"this", b"super", b"cls", b"Self"})  # whoever is speaking
END = 1 << 62  # Behind every text.
NOTHING: frozenset[bytes] = frozenset()
NAMING = ("use", "member", "call", "call.member", "local", "skip")
"""The captures that are names."""
NOWHERE = -1
Captures = Mapping[str, Sequence[Node]]
Role = Literal["definition", "import", "use", "local", "keyword"]


@dataclass(frozen=True, slots=True)
class Named:
    """One place where a name stands in code."""

    line: int
    """1-based."""
    column: int
    """0-based, in characters."""
    role: Role
    """``keyword``: where what is called names its own parameter or field."""
    is_call: bool
    symbol: int | None
    """Index of the symbol in whose body it stands; of a definition, of what is defined."""
    home: int | None = None
    """Of a local: the symbol whose parameter or variable it is."""


def comments(captures: Captures, lines: Sequence[str]) -> dict[int, tuple[int, bool]]:
    """The comments and attributes that begin a line, by the row on which they end."""
    found: dict[int, tuple[int, bool]] = {}
    for key, is_comment in (("comment", True), ("attribute", False)):
        for node in captures.get(key, ()):
            (row, column), (end_row, end_column) = node.start_point, node.end_point
            if end_column == 0 and row < end_row:
                end_row -= 1
            if row < len(lines) and not lines[row][:column].strip():
                found.setdefault(end_row, (row, is_comment))
    return found


def references(
    text: Text, captures: Captures, outline: Outline, imported: Iterable[tuple[int, int]]
) -> tuple[Reference, ...]:
    """Every name once for each symbol that uses it, at the first place; calls are told from other uses.

    Names that a function has given to its own parameters and variables are not references.
    """
    data = text.data
    borders, owners = _owners(outline)
    skipped = outline.names | {it.start_byte for it in captures.get("skip", ())}
    known_locals = outline.locals | set(_locals(data, captures.get("local", ()), borders, owners))
    visible = _visible(outline, known_locals)
    plain, member, call, member_call = (
        {it.start_byte: it for it in captures.get(key, ())}
        for key in ("use", "member", "call", "call.member")
    )
    uses = plain | member | call | member_call
    unread = ((it.start_byte, it.end_byte) for it in captures.get("skip.all", ()))
    ranges = [*sorted([*imported, *unread]), (END, END)]
    found: dict[tuple[int | None, bytes], Reference] = {}
    position, (begin, end), others = 0, ranges[0], iter(ranges[1:])
    borders.append(END)
    owner, hidden = owners[0], visible.get(owners[0], NOTHING)
    for at in sorted(uses.keys() - skipped):
        while end <= at:
            begin, end = next(others)
        if begin <= at:
            continue
        if borders[position] <= at:
            while borders[position] <= at:
                position += 1
            owner = owners[position]
            hidden = visible.get(owner, NOTHING)
        node = uses[at]
        name = data[at : node.end_byte]
        if name in NOBODY or (name in hidden and at not in member and at not in member_call):
            continue
        key = (owner, name)
        row = found.get(key)
        if row is None:
            if 0 < len(name) <= LONGEST_NAME and not name[:1].isdigit():
                is_call = at in call or at in member_call
                found[key] = _reference(name, node.start_point[0] + 1, owner, is_call)
        elif not row.is_call and (at in call or at in member_call):
            found[key] = _reference(name, row.line, owner, True)
    return tuple(found.values())


def named(
    text: Text,
    root: Node,
    captures: Captures,
    outline: Outline,
    imported: Iterable[tuple[int, int]],
    modules: Iterable[tuple[int, int]],
    name: str,
) -> list[Named]:
    """Everywhere a name stands in code, in order; never in a text, a comment, or one of the ``modules``."""
    wanted, data = name.encode(), text.data
    borders, owners = _owners(outline)
    own = _own(outline, outline.locals | set(_locals(data, captures.get("local", ()), borders, owners)))
    starts = {key: {it.start_byte for it in captures.get(key, ())} for key in NAMING}
    calls, members = starts["call"] | starts["call.member"], starts["member"] | starts["call.member"]
    known = frozenset().union(*starts.values())
    unread = [*((it.start_byte, it.end_byte) for it in captures.get("skip.all", ())), *modules]
    ranges = tuple(imported)
    defined = {(it.line, it.column): number for number, it in enumerate(outline.symbols) if it.name == name}
    found = []
    for match in re.finditer(rb"(?<![\w$])" + re.escape(wanted) + rb"(?![\w$])", data):
        at = match.start()
        node = root.descendant_for_byte_range(at, match.end())
        is_whole = node is not None and (node.start_byte, node.end_byte) == (at, match.end())
        if not is_whole or not (at in known or node.type.endswith("identifier") or at in outline.names):
            continue
        row, column = node.start_point
        place = row + 1, text.column(row, column)
        symbol = defined.get(place)
        owner = owners[bisect_right(borders, at)]
        home = _home(outline, own, owner, wanted)
        role: Role = "use"
        if symbol is not None:
            role, owner = "definition", symbol
        elif any(begin <= at < end for begin, end in unread):
            continue
        elif any(begin <= at < end for begin, end in ranges):
            role = "import"
        elif at in starts["skip"]:
            role = "keyword"
        elif at not in members and home is not NOWHERE:
            role = "local"
        found.append(Named(*place, role, at in calls, owner, home if role == "local" else None))
    return found


def _own(outline: Outline, locals_: Iterable[tuple[int | None, bytes]]) -> dict[int | None, set[bytes]]:
    """The local names of each symbol, without those of the symbols around it."""
    own: dict[int | None, set[bytes]] = {}
    for owner, name in locals_:
        own.setdefault(owner, set()).add(name)
    return own


def _home(
    outline: Outline, own: Mapping[int | None, set[bytes]], owner: int | None, name: bytes
) -> int | None:
    """The innermost symbol around that has a local of this name; ``NOWHERE`` if none has."""
    at = owner
    while at is not None:
        if name in own.get(at, ()):
            return at
        at = outline.symbols[at].parent
    return None if owner is None and name in own.get(None, ()) else NOWHERE


def _reference(name: bytes, line: int, owner: int | None, is_call: bool) -> Reference:
    return Reference(name=name.decode("utf-8", "replace"), line=line, symbol=owner, is_call=is_call)


def _owners(outline: Outline) -> tuple[list[int], list[int | None]]:
    """Bytes at which the innermost symbol changes, and which it is before the first and after each."""
    borders: list[int] = []
    owners: list[int | None] = [None]
    open_: list[tuple[int, int]] = []  # end, index
    for start, end, index in [*outline.spans, (END, END, -1)]:
        while open_ and open_[-1][0] <= start:
            borders.append(open_.pop()[0])
            owners.append(open_[-1][1] if open_ else None)
        borders.append(start)
        owners.append(index)
        open_.append((min(end, open_[-1][0]) if open_ else end, index))
    return borders[:-1], owners[:-1]


def _locals(
    data: bytes, nodes: Iterable[Node], borders: Sequence[int], owners: Sequence[int | None]
) -> Iterable[tuple[int | None, bytes]]:
    position = 0
    for at, end in sorted((it.start_byte, it.end_byte) for it in nodes):
        while position < len(borders) and borders[position] <= at:
            position += 1
        yield owners[position], data[at:end]


def _visible(outline: Outline, locals_: Iterable[tuple[int | None, bytes]]) -> dict[int | None, set[bytes]]:
    """The local names by symbol; what is within another sees those of the outer one, too."""
    visible: dict[int | None, set[bytes]] = {}
    for owner, name in locals_:
        visible.setdefault(owner, set()).add(name)
    for index, symbol in enumerate(outline.symbols):
        outer = symbol.parent
        if outer is not None and outer in visible:
            visible[index] = visible.get(index, set()) | visible[outer]
    return visible
