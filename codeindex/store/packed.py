"""Pure: small things of a text kept together and small: what its symbols and chunks say, numbers, the text.

Most of a signature or a documentation stands in the text, too. It is kept once: the text is compressed with
the heads before it as what it may refer to. The heads alone can be read without the text.
"""

from __future__ import annotations

import json
import zlib
from array import array
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import accumulate, pairwise
from operator import add, sub
from typing import Any

from codeindex.types import Chunk, Import, Kind, Reference, Symbol

REACH = 32_768  # Bytes: further back zlib does not refer.
WIDTHS = {"B": 1, "H": 2, "I": 4}
"""Bytes of a number."""
SIZE = 4
TOGETHER = 32
"""Symbols that are packed in one piece: who asks for one unpacks no more."""
BARE = -zlib.MAX_WBITS
"""Without zlib's head and sum, which would be a tenth of many small pieces. The text has them, and with them
the sum of what it refers to: where a piece is damaged, the text does not open."""
KINDS = (
    Kind.CLASS,
    Kind.CONSTANT,
    Kind.ENUM,
    Kind.FUNCTION,
    Kind.INTERFACE,
    Kind.MACRO,
    Kind.METHOD,
    Kind.MODULE,
    Kind.SECTION,
    Kind.TYPE,
    Kind.VARIABLE,
)
"""A kind is kept as its place here: append only."""
PLACES = {it: place for place, it in enumerate(KINDS)}

Use = tuple[int, int, int, bool]
"""Place of the name, line, place of the symbol around it or -1, whether it is a call."""
Said = tuple[str, str, str, str]
"""Name, scope, signature, doc."""


class Heads:
    """What the symbols and the chunks of a text say of themselves, its imports; unpacked when asked."""

    def __init__(self, data: bytes) -> None:
        """Of the packed ones. What is damaged shows when it is asked for."""
        count = int.from_bytes(data[:SIZE], "little")
        ends = array("I", data[SIZE : SIZE * (count + 1)])
        begin = SIZE * (count + 1)
        self._parts = [data[begin + one : begin + other] for one, other in pairwise([0, *ends])]
        self._said: dict[int, list[Said]] = {}
        self._open: list[bytes] = []  # All parts, where somebody needed them all.

    def said(self, place: int) -> Said:
        """Of a symbol, or behind all symbols of a chunk that is none."""
        block, within = divmod(place, TOGETHER)
        if block not in self._said:
            names, scopes, docs, signatures = self._unpacked(block + 1)
            self._said[block] = list(zip(names, _with_repeats(scopes), signatures, docs, strict=True))
        return self._said[block][within]

    def text(self, packed: bytes) -> str:
        """The text that was packed with these heads. Raises ValueError or zlib.error if one is damaged."""
        self._open = [zlib.decompress(it, BARE) for it in self._parts]
        unpacker = zlib.decompressobj(zdict=b"".join(self._open)[-REACH:])
        data = unpacker.decompress(packed)
        if not unpacker.eof:
            raise ValueError("The text is not all there.")
        return data.decode("utf-8", "surrogatepass")

    @cached_property
    def kinds(self) -> list[Kind]:
        """Of the symbols."""
        return [KINDS[it] for it in self._rest[3]]

    @property
    def imports(self) -> list[tuple[int, str, tuple[str, ...]]]:
        """Line, module, names."""
        lines, modules, names, *_ = self._rest
        return [
            (line, module, tuple(it))
            for line, module, it in zip(accumulate(lines), modules, names, strict=True)
        ]

    @cached_property
    def lines(self) -> list[tuple[int, int, int, int]]:
        """Of the symbols: first and last line, line and column of the name."""
        begins, lengths, offsets, columns = self._rest[4:]
        lasts = list(accumulate(map(add, begins, lengths)))
        firsts = list(map(sub, lasts, lengths))
        return list(zip(firsts, lasts, map(add, firsts, offsets), columns, strict=True))

    @cached_property
    def _rest(self) -> Any:
        return self._unpacked(0)

    def _unpacked(self, place: int) -> Any:
        data = self._open[place] if self._open else zlib.decompress(self._parts[place], BARE)
        return json.loads(data.decode("utf-8", "surrogatepass"))


def pack_heads(
    symbols: Sequence[Symbol], chunks: Sequence[Chunk], imports: Sequence[Import]
) -> tuple[bytes, bytes, list[int | None]]:
    """The heads as they are kept, what the text may refer to, and where in them each chunk is spoken of."""
    heads = {_head(it): place for place, it in reversed(list(enumerate(symbols)))}
    said: list[Symbol | Chunk] = list(symbols)
    places: list[int | None] = []
    for it in chunks:
        place = heads.get(_head(it)) if it.name else None
        if place is None and (it.name or it.scope or it.signature or it.doc):
            place = len(said)
            said.append(it)
        places.append(place)
    ends = [0, *(it.last_line for it in symbols)]
    parts = [
        _json(
            [
                _rises([it.line for it in imports]),
                [it.module for it in imports],
                [list(it.names) for it in imports],
                [PLACES[it.kind] for it in symbols],
                [it.first_line - before for it, before in zip(symbols, ends, strict=False)],
                [it.last_line - it.first_line for it in symbols],
                [it.line - it.first_line for it in symbols],
                [it.column for it in symbols],
            ]
        )
    ]
    for start in range(0, len(said), TOGETHER):
        some = said[start : start + TOGETHER]
        columns = (
            [it.name for it in some],
            _without_repeats([it.scope for it in some]),
            [it.doc for it in some],
            [it.signature for it in some],
        )
        parts.append(_json(columns))
    packed = [zlib.compress(it, wbits=BARE) for it in parts]
    sizes = array("I", [len(parts), *accumulate(map(len, packed))])
    return b"".join((sizes.tobytes(), *packed)), b"".join(parts)[-REACH:], places


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


def pack_text(text: bytes, known: bytes) -> bytes:
    """A text, compressed; ``known`` is what stands in the heads."""
    packer = zlib.compressobj(zdict=known)
    return packer.compress(text) + packer.flush()


def text_in(text: bytes, heads: bytes) -> str:
    """The text in a kept one, with its kept heads. Raises ValueError or zlib.error if one is damaged."""
    return Heads(heads).text(text)


def pack_numbers(values: Sequence[int]) -> bytes:
    """Numbers that are not negative, each in as many bytes as the largest one needs."""
    largest = max(values, default=0)
    width = next(it for it, size in WIDTHS.items() if largest < 1 << 8 * size)
    return width.encode() + array(width, values).tobytes()


def numbers_in(data: bytes) -> array[int]:
    """The numbers again."""
    found = array(data[:1].decode())
    found.frombytes(data[1:])
    return found


def pack_uses(references: Sequence[Reference], places: dict[str, int]) -> bytes:
    """Column by column, lines and symbols as differences: that is what compresses."""
    uses = sorted(
        {
            (it.line, places[it.name], (-1 if it.symbol is None else it.symbol), it.is_call)
            for it in references
        }
    )
    if not uses:
        return b""
    lines = [it[0] for it in uses]
    symbols = [it[2] for it in uses]
    rest = [
        (step << 1 if 0 <= step else ~step << 1 | 1) << 1 | it[3]
        for step, it in zip(_rises(symbols), uses, strict=True)
    ]
    columns = [pack_numbers(it) for it in ([it[1] for it in uses], _rises(lines), rest)]
    return len(uses).to_bytes(SIZE, "little") + zlib.compress(b"".join(columns), wbits=BARE)


def uses_in(data: bytes) -> Iterator[Use]:
    """Where names are used, in the order of the lines."""
    if not data:
        return iter(())
    count = int.from_bytes(data[:SIZE], "little")
    packed = zlib.decompress(data[SIZE:], BARE)
    columns = []
    for _ in range(3):
        size = 1 + count * WIDTHS[chr(packed[0])]
        columns.append(numbers_in(packed[:size]))
        packed = packed[size:]
    names, lines, rest = columns
    symbols = accumulate(~(it >> 2) if it & 2 else it >> 2 for it in rest)
    return (
        (name, line, symbol, bool(it & 1))
        for name, line, symbol, it in zip(names, accumulate(lines), symbols, rest, strict=True)
    )


def _rises(values: Sequence[int]) -> list[int]:
    return [now - before for before, now in zip([0, *values], values, strict=False)]


def _without_repeats(values: Sequence[str]) -> list[str | int]:
    """A value that is the one before it is a zero."""
    return [0 if place and it == values[place - 1] else it for place, it in enumerate(values)]


def _with_repeats(values: Sequence[str | int]) -> Iterator[str]:
    last = ""
    for it in values:
        if isinstance(it, str):
            last = it
        yield last


def _head(it: Symbol | Chunk) -> tuple[str | None, str, str, str, str]:
    return it.kind, it.name, it.scope, it.signature, it.doc
