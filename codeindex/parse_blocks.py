"""A syntax tree -> the light tree of blocks that chunks are cut along; only what is large is looked into."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

from codeindex.chunk import DEFINITIONS, LARGE, WHOLE, WITH_MEMBERS, Block, Lines
from codeindex.parse_symbols import Node, Text
from codeindex.types import Symbol

DEEPEST = 48  # levels of the syntax tree: what is deeper is split along its lines


class _Definitions:
    """Which definition these lines are, and whether there are others in them."""

    def __init__(self, symbols: Sequence[Symbol]) -> None:
        self.symbols = symbols
        self.at: dict[tuple[int, int], int] = {}
        for index, it in enumerate(symbols):
            self.at.setdefault((it.first_line, it.last_line), index)
        spans = sorted((it.first_line, it.last_line) for it in symbols if it.kind in DEFINITIONS)
        self._firsts = [it[0] for it in spans]
        self._spans = spans

    def has_inner(self, first: int, last: int) -> bool:
        at = bisect_left(self._firsts, first)
        while at < len(self._spans) and self._firsts[at] <= last:
            if self._spans[at] != (first, last):
                return True
            at += 1
        return False


def blocks(root: Node, text: Text, lines: Lines, symbols: Sequence[Symbol]) -> tuple[Block, ...]:
    """The file's blocks; a comment is in the block that it stands directly above."""
    return _children(root, text, lines, _Definitions(symbols), DEEPEST, False)


def _children(
    node: Node, text: Text, lines: Lines, definitions: _Definitions, levels: int, is_among_members: bool
) -> tuple[Block, ...]:
    found: list[Block] = []
    covered, count = 0, len(lines)
    for child in node.children:
        row, _ = child.start_point
        end_row, end_column = child.end_point
        last = min(end_row + (0 if end_column == 0 and row < end_row else 1), count)
        if last <= covered:
            continue
        covered = last
        first = text.first_row(row) + 1
        own = definitions.at.get((first, last))
        inner: tuple[Block, ...] = ()
        if first < last and levels:
            inside = definitions.symbols[own].kind in WITH_MEMBERS if own is not None else is_among_members
            weight = lines.weight(first, last)
            is_open = weight <= LARGE and (inside or WHOLE < weight) and definitions.has_inner(first, last)
            if is_open or LARGE < weight:
                inner = _children(child, text, lines, definitions, levels - 1, inside)
        found.append(Block(first_line=first, last_line=last, symbol=own, children=inner))
    return tuple(found)
