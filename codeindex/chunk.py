"""Pure: a text's lines and the tree of its blocks -> chunks, so that every line with words is in exactly one.

A chunk is a piece that makes sense by itself: a function, a class's head, a class if it is small, some small
neighbors, a part of a function that is too long. Sizes are in characters without indentation.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from functools import cached_property
from itertools import accumulate, pairwise

from codeindex.types import Chunk, Kind, Symbol

TARGET = 1200  # what small neighbors are put together to: about 300 tokens, which any embedder takes in whole
SMALL = 200  # below it a definition is put together with its neighbors
LARGE = 2400  # above it a piece is taken apart, where it can be
WHOLE = 600  # up to here a class stays in one piece
DEEPEST = 64  # levels of blocks that are looked at

# What is a piece of its own, and what among it has members.
DEFINITIONS = frozenset(Kind) - {Kind.CONSTANT, Kind.VARIABLE}
WITH_MEMBERS = frozenset({Kind.CLASS, Kind.ENUM, Kind.INTERFACE, Kind.MODULE, Kind.SECTION, Kind.TYPE})
WITH_HEAD = WITH_MEMBERS - {Kind.MODULE}  # a namespace's head says nothing by itself


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Lines that belong together, by the syntax or by the look of them."""

    first_line: int
    last_line: int
    symbol: int | None = None
    """Index of the definition that it is, if it is one."""
    children: tuple[Block, ...] = ()


class _Rank(IntEnum):
    """How much a piece stands for itself."""

    PLAIN = 0
    """Statements, imports, constants."""
    HEAD = 1
    """The head of a definition that was taken apart, or something with small definitions in it."""
    DEFINITION = 2
    """One definition."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Piece:
    """Lines that become a chunk, alone or with their neighbors."""

    first_line: int
    last_line: int
    weight: int
    rank: _Rank


class Lines:
    """A text's lines and what they weigh."""

    def __init__(self, lines: Sequence[str]) -> None:
        self.stripped = [it.strip() for it in lines]
        self._lines = lines
        self._until = list(accumulate(map(len, self.stripped), initial=0))

    def __len__(self) -> int:
        return len(self.stripped)

    @cached_property
    def indents(self) -> list[int]:
        """How far each line is in: asked for only where a text is split by its look."""
        return [len(it) - len(it.lstrip()) for it in self._lines]

    def weight(self, first: int, last: int) -> int:
        """Characters in these lines (1-based, inclusive), without indentation."""
        return self._until[last] - self._until[first - 1]

    def has_words(self, first: int, last: int) -> bool:
        """Whether there is a letter or a digit in these lines."""
        return any(map(str.isalnum, "".join(self.stripped[first - 1 : last])))

    def trimmed(self, first: int, last: int) -> tuple[int, int]:
        """Without the blank lines at both ends; first is greater than last if there is nothing else."""
        while first <= last and not self.stripped[first - 1]:
            first += 1
        while first <= last and not self.stripped[last - 1]:
            last -= 1
        return first, last


def chunks(lines: Lines, blocks: Iterable[Block], symbols: Sequence[Symbol]) -> tuple[Chunk, ...]:
    """Chunks along the blocks; where there are none, along paragraphs and indentation."""
    pieces = _pieces(lines, _units(lines, 1, len(lines), blocks, symbols, 0), symbols, 0)
    return tuple(_described(lines, _ended(lines, pieces), symbols))


def _units(
    lines: Lines, first: int, last: int, blocks: Iterable[Block], symbols: Sequence[Symbol], depth: int
) -> Iterator[Block]:
    """The blocks one after the other, and what is between them, without overlaps; wrappings are opened."""
    for block in _covered(lines, first, last, blocks):
        weight = lines.weight(block.first_line, block.last_line)
        is_plain = block.symbol is None
        if (
            is_plain
            and block.children
            and depth < DEEPEST
            and (LARGE < weight or _has_definition(block, symbols))
        ):
            inside = block.first_line, block.last_line
            yield from _units(lines, *inside, block.children, symbols, depth + 1)
        elif is_plain and LARGE < weight:
            yield from by_look(lines, block.first_line, block.last_line)
        else:
            yield block


def _covered(lines: Lines, first: int, last: int, blocks: Iterable[Block]) -> Iterator[Block]:
    """The blocks in order, cut to what is not covered yet; the gaps between them are blocks, too."""
    line = first
    for block in sorted(blocks, key=lambda it: (it.first_line, -it.last_line)):
        start, end = lines.trimmed(max(block.first_line, line), min(block.last_line, last))
        if end < start:
            continue
        yield from _gap(lines, line, start - 1)
        is_cut = block.first_line < line or last < block.last_line
        own = None if is_cut else block.symbol
        is_whole = (start, end) == (block.first_line, block.last_line)
        yield block if is_whole else replace(block, first_line=start, last_line=end, symbol=own)
        line = end + 1
    yield from _gap(lines, line, last)


def _gap(lines: Lines, first: int, last: int) -> Iterator[Block]:
    first, last = lines.trimmed(first, last)
    if first <= last:
        yield Block(first_line=first, last_line=last)


def _has_definition(block: Block, symbols: Sequence[Symbol]) -> bool:
    waiting = [block]
    while waiting:
        block = waiting.pop()
        if block.symbol is not None and symbols[block.symbol].kind in DEFINITIONS:
            return True
        waiting += block.children
    return False


def _pieces(lines: Lines, units: Iterable[Block], symbols: Sequence[Symbol], depth: int) -> list[_Piece]:
    """Large units taken apart, small ones put together."""
    found: list[_Piece] = []
    run: list[_Piece] = []
    for unit in units:
        piece = _piece(lines, unit, symbols)
        if depth < DEEPEST and _is_taken_apart(unit, piece.weight, symbols):
            found += _joined(run)
            run = []
            found += _taken_apart(lines, unit, symbols, depth)
        else:
            run.append(piece)
    return found + _joined(run)


def _piece(lines: Lines, unit: Block, symbols: Sequence[Symbol]) -> _Piece:
    is_definition = unit.symbol is not None and symbols[unit.symbol].kind in DEFINITIONS
    return _Piece(
        first_line=unit.first_line,
        last_line=unit.last_line,
        weight=lines.weight(unit.first_line, unit.last_line),
        rank=_Rank.DEFINITION if is_definition else _Rank.PLAIN,
    )


def _is_taken_apart(unit: Block, weight: int, symbols: Sequence[Symbol]) -> bool:
    if unit.symbol is None or unit.first_line == unit.last_line:
        return False
    kind = symbols[unit.symbol].kind
    if kind == Kind.SECTION:
        return TARGET < weight
    return (WHOLE if kind in WITH_MEMBERS and unit.children else LARGE) < weight


def _taken_apart(lines: Lines, unit: Block, symbols: Sequence[Symbol], depth: int) -> list[_Piece]:
    inside = unit.first_line, unit.last_line
    units = list(_units(lines, *inside, unit.children or by_look(lines, *inside), symbols, depth + 1))
    has_head = unit.symbol is not None and symbols[unit.symbol].kind in WITH_HEAD
    if not has_head or units[0].symbol is not None:
        return _pieces(lines, units, symbols, depth + 1)
    # Its head is what says that it is there: never a crumb of its first member.
    head = replace(_piece(lines, units[0], symbols), rank=_Rank.HEAD)
    plain = 1
    while plain < len(units) and _is_plain(units[plain], symbols):
        plain += 1
    rest = [_piece(lines, it, symbols) for it in units[1:plain]]
    return _joined([head, *rest]) + _pieces(lines, units[plain:], symbols, depth + 1)


def _is_plain(unit: Block, symbols: Sequence[Symbol]) -> bool:
    return unit.symbol is None or symbols[unit.symbol].kind not in DEFINITIONS


def _joined(run: Sequence[_Piece]) -> list[_Piece]:
    """Small neighbors put together; a definition that is not small stays alone, but for crumbs beside it."""
    joined: list[_Piece] = []
    for piece in run:
        if joined and _fit(joined[-1], piece):
            joined[-1] = _both(joined[-1], piece)
        else:
            joined.append(piece)
    found: list[_Piece] = []
    for piece in joined:
        if found and _is_crumb(found[-1]) and found[-1].weight + piece.weight <= LARGE:
            found[-1] = _both(found[-1], piece)
        else:
            found.append(piece)
    if 1 < len(found) and _is_crumb(found[-1]) and found[-2].weight + found[-1].weight <= LARGE:
        found[-2:] = [_both(*found[-2:])]
    return found


def _fit(left: _Piece, right: _Piece) -> bool:
    if any(it.rank == _Rank.DEFINITION and SMALL <= it.weight for it in (left, right)):
        return False
    has_definition = _Rank.DEFINITION in (left.rank, right.rank)
    return left.weight + right.weight <= (WHOLE if has_definition else TARGET)


def _is_crumb(piece: _Piece) -> bool:
    return piece.weight < SMALL and piece.rank == _Rank.PLAIN


def _both(left: _Piece, right: _Piece) -> _Piece:
    return _Piece(
        first_line=left.first_line,
        last_line=right.last_line,
        weight=left.weight + right.weight,
        rank=min(_Rank.HEAD, max(left.rank, right.rank)),
    )


def _ended(lines: Lines, pieces: Sequence[_Piece]) -> list[_Piece]:
    """Closing brackets, whatever they close, stay with what is before them."""
    found: list[_Piece] = []
    for piece in pieces:
        if found and piece.weight < SMALL and not lines.has_words(piece.first_line, piece.last_line):
            found[-1] = _both(found[-1], piece)
        else:
            found.append(piece)
    return found


def _described(lines: Lines, pieces: Sequence[_Piece], symbols: Sequence[Symbol]) -> Iterator[Chunk]:
    """The pieces as chunks, named for what makes up most of them."""
    by_line = sorted(range(len(symbols)), key=lambda it: symbols[it].line)
    head = opened = 0
    around: list[Symbol] = []
    for piece in pieces:
        first, last = piece.first_line, piece.last_line
        while opened < len(symbols) and symbols[opened].first_line < first:
            around.append(symbols[opened])
            opened += 1
        around = [it for it in around if first <= it.last_line]
        start = head
        while head < len(by_line) and symbols[by_line[head]].line <= last:
            head += 1
        defines = tuple(sorted(by_line[start:head]))
        own = next((symbols[it] for it in defines if _makes_up(lines, piece, symbols[it])), None)
        outer = next((it for it in reversed(around) if last <= it.last_line), None)
        shown = own or outer
        yield Chunk(
            first_line=first,
            last_line=last,
            kind=own.kind if own else None,
            name=own.name if own else "",
            scope=own.scope if own else qualified(outer),
            signature=shown.signature if shown else "",
            doc=own.doc if own else "",
            defines=defines,
        )


def _makes_up(lines: Lines, piece: _Piece, symbol: Symbol) -> bool:
    """Whether at least half of a piece is this symbol."""
    first, last = max(piece.first_line, symbol.first_line), min(piece.last_line, symbol.last_line)
    return first <= last and piece.weight <= 2 * lines.weight(first, last)


def qualified(symbol: Symbol | None) -> str:
    """A symbol's name with the names around it; empty for none."""
    if symbol is None:
        return ""
    return f"{symbol.scope}.{symbol.name}" if symbol.scope else symbol.name


def by_look(lines: Lines, first: int, last: int) -> list[Block]:
    """Blocks of at most the large size, as far as lines allow, by blank lines and indentation alone.

    A text is split first where outer lines follow blank ones, then at all blank lines, then at outer lines,
    lines, then anywhere.
    """
    found: list[Block] = []
    waiting = [(first, last, 0)]
    while waiting:
        first, last, level = waiting.pop()
        first, last = lines.trimmed(first, last)
        if last < first:
            continue
        if level and (lines.weight(first, last) <= LARGE or first == last):
            found.append(Block(first_line=first, last_line=last))
            continue
        starts = [first, *_starts(lines, first, last, level), last + 1]
        parts = [(a, b - 1, level + 1) for a, b in pairwise(starts)]
        waiting += reversed(parts)
    return found


def _starts(lines: Lines, first: int, last: int, level: int) -> Iterator[int]:
    """Where, after the first, these lines fall apart."""
    outer = min(lines.indents[at - 1] for at in range(first, last + 1) if lines.stripped[at - 1])
    for at in range(first + 1, last + 1):
        if not lines.stripped[at - 1]:
            continue
        is_after_blank, is_outer = not lines.stripped[at - 2], lines.indents[at - 1] == outer
        if (is_after_blank and is_outer, is_after_blank, is_outer, True)[level]:
            yield at
