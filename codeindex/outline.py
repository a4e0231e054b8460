"""A repository on a page: its most important files, what matters most in them, within a budget of tokens."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil

from codeindex.graph_dependencies import Dependencies
from codeindex.graph_importance import Importance, importance, is_in
from codeindex.graph_view import View, qualified, view
from codeindex.store.read import Reader
from codeindex.types import Kind, SymbolRow

CHARACTERS_PER_TOKEN = 4  # Of code, for the usual vocabularies; rounded so that a map is rather too short.
LONGEST_SIGNATURE = 120
FEWEST_FILES = 40
TOKENS_PER_FILE = 12  # No map has more files than one of these for each of its tokens.
LEFT_OUT = "..."
INDENT = "  "
SHOWN = frozenset(
    {Kind.CLASS, Kind.ENUM, Kind.FUNCTION, Kind.INTERFACE, Kind.MACRO, Kind.METHOD, Kind.MODULE, Kind.TYPE}
)
BODIES = frozenset({Kind.FUNCTION, Kind.METHOD})
PRIVATE = 0.3  # What a name with an underscore in front counts for.
MEMBER = 0.6  # And what a method does: its class comes with it.
SHARE = 0.5  # Of a file's importance, what its symbols get for being in it.

Counter = Callable[[str], int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """The page."""

    text: str
    files: tuple[str, ...]
    """That are on it."""
    tokens: int
    """As they were counted."""


@dataclass(frozen=True, slots=True)
class _Item:
    """A symbol that may be on the page."""

    path: str
    row: SymbolRow
    parent: int | None
    """The id of the symbol around it, of those that may be on the page."""
    value: float


@dataclass(frozen=True, slots=True)
class _File:
    """All that may be on the page of one file."""

    items: Mapping[int, _Item]
    inside: Mapping[int | None, Sequence[_Item]]
    """What is in a symbol, or at the top, in order."""


def estimate(text: str) -> int:
    """About how many tokens a text is."""
    return ceil(len(text) / CHARACTERS_PER_TOKEN)


def outline(
    reader: Reader,
    tokens: int,
    *,
    focus: Collection[str] = (),
    count: Counter = estimate,
    seen: View | None = None,
    ranked: Importance | None = None,
) -> Outline:
    """The fullest page that is not longer than so many tokens, as ``count`` counts them.

    With ``focus`` (files or folders) it is drawn from there: they and their neighbors come first.
    """
    with reader.snapshot():
        sight = view(reader, seen)
        known = ranked or importance(reader, focus=focus, seen=sight)
        order = sorted(known.files, key=lambda it: (not is_in(it, focus), -known.files[it], it))
        paths = order[: max(FEWEST_FILES, tokens // TOKENS_PER_FILE)]
        files = {it: _file(it, sight.symbols(it).values(), known) for it in paths}
    items = [it for file in files.values() for it in file.items.values()]
    items.sort(key=lambda it: (-it.value, it.path, it.row.id))
    shown, few, many = "", 0, len(items)
    while few < many:  # The more symbols, the longer the page.
        middle = (few + many + 1) // 2
        text = _page(items[:middle], files)
        if count(text) <= tokens:
            shown, few = text, middle
        else:
            many = middle - 1
    drawn = {it.path for it in items[:few]}
    return Outline(text=shown, files=tuple(it for it in files if it in drawn), tokens=count(shown))


def dependency_text(it: Dependencies, *, others: bool = False) -> str:
    """Who builds on whom, a line each; the circles; with ``others`` also what is somebody else's."""
    lines = [f"{path} -> {', '.join(found)}" for path, found in it.own.items() if found]
    if others:
        lines += [f"{path} -> ({', '.join(found)})" for path, found in it.others.items()]
    lines += [f"circle: {' <-> '.join(group)}" for group in it.cycles]
    return "".join(f"{line}\n" for line in lines)


def _file(path: str, rows: Iterable[SymbolRow], known: Importance) -> _File:
    shown = [it for it in rows if it.kind in SHOWN]
    by_name: dict[str, SymbolRow] = {}
    for it in shown:
        by_name.setdefault(qualified(it), it)
    kept: list[tuple[SymbolRow, int | None]] = []
    for it in shown:
        around = by_name.get(it.scope) if it.scope else None
        if around is None or (around.kind not in BODIES and around.id != it.id):
            kept.append((it, around.id if around else None))
    share = SHARE * known.files.get(path, 0.0) / max(1, len(kept))
    items = {it.id: _Item(path, it, parent, _value(it, known, share)) for it, parent in kept}
    inside: dict[int | None, list[_Item]] = {}
    for one in items.values():
        inside.setdefault(one.parent if one.parent in items else None, []).append(one)
    return _File(items, inside)


def _value(it: SymbolRow, known: Importance, share: float) -> float:
    value = known.symbols.get(it.id, 0.0) + share
    return value * (PRIVATE if it.name.startswith("_") else 1.0) * (MEMBER if it.kind is Kind.METHOD else 1.0)


def _page(items: Sequence[_Item], files: Mapping[str, _File]) -> str:
    """The text with these symbols, and with what they are in."""
    chosen: dict[str, set[int]] = {}
    for it in items:
        ids, number = chosen.setdefault(it.path, set()), it.row.id
        parents = files[it.path].items
        while number in parents and number not in ids:
            ids.add(number)
            number = parents[number].parent or 0
    lines: list[str] = []
    for path, file in files.items():
        if path in chosen:
            lines.append(f"{path}\n")
            lines += _lines(file, None, chosen[path], 1)
    return "".join(lines)


def _lines(file: _File, parent: int | None, chosen: Collection[int], depth: int) -> Iterable[str]:
    """What is in a symbol: those chosen, with a mark wherever some are left out."""
    gap = False
    for it in file.inside.get(parent, ()):
        if it.row.id in chosen:
            yield f"{INDENT * depth}{_head(it.row, file)}\n"
            yield from _lines(file, it.row.id, chosen, depth + 1)
            gap = False
        elif not gap:
            yield f"{INDENT * depth}{LEFT_OUT}\n"
            gap = True


def _head(row: SymbolRow, file: _File) -> str:
    text = row.signature or row.name
    if row.scope and file.items[row.id].parent is None and row.scope not in text:
        text = f"{row.scope}: {text}"
    return text if len(text) <= LONGEST_SIGNATURE else text[: LONGEST_SIGNATURE - len(LEFT_OUT)] + LEFT_OUT
