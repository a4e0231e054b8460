"""Pure: small things of a text kept together and small: what its symbols and chunks say, numbers, the text.

Most of a signature or a documentation stands in the text, too. It is kept once: the text is compressed with
the heads before it as what it may refer to. The heads alone can be read without the text.
"""

from __future__ import annotations

import json
import zlib
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from codeindex.types import Chunk, Import, Kind, Reference, Symbol

REACH = 32_768  # Bytes: further back zlib does not refer.
ONE_BYTE = 128  # What is less is kept as one byte.
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


@dataclass(frozen=True, slots=True)
class Heads:
    """What the symbols and the chunks of a text say of themselves, and what it imports, in their orders."""

    kinds: tuple[Kind, ...]
    """Of the symbols."""
    lines: tuple[tuple[int, int, int, int], ...]
    """Of the symbols: first and last line, line and column of the name."""
    said: tuple[Said, ...]
    """Of the symbols."""
    chunk_lines: tuple[tuple[int, int], ...]
    chunk_kinds: tuple[Kind | None, ...]
    chunk_said: tuple[Said, ...]
    imports: tuple[tuple[int, str, tuple[str, ...]], ...]
    """Line, module, names."""


def pack_heads(
    symbols: Sequence[Symbol], chunks: Sequence[Chunk], imports: Sequence[Import]
) -> tuple[bytes, bytes]:
    """The heads as they are kept, and what the text may refer to: ``pack_text`` and ``text_in`` take it."""
    heads = {_head(it): place for place, it in reversed(list(enumerate(symbols)))}
    own = [heads.get(_head(it), -1) if it.name else -1 for it in chunks]
    free = [it for it, symbol in zip(chunks, own, strict=True) if symbol < 0]
    ends = [0, *(it.last_line for it in symbols)]
    columns = [
        _rises([it.line for it in imports]),
        [it.module for it in imports],
        [list(it.names) for it in imports],
        [-1 if it.kind is None else PLACES[it.kind] for it in free],
        [[it.name, it.scope, it.signature, it.doc] if _says(it) else 0 for it in free],
        _rises(own),
        *_chunk_lines(chunks, [symbols[it] if 0 <= it else None for it in own]),
        [PLACES[it.kind] for it in symbols],
        [it.first_line - before for it, before in zip(symbols, ends, strict=False)],
        [it.last_line - it.first_line for it in symbols],
        [it.line - it.first_line for it in symbols],
        [it.column for it in symbols],
        [it.name for it in symbols],
        _without_repeats([it.scope for it in symbols]),
        [it.doc for it in symbols],
        [it.signature for it in symbols],
    ]
    data = json.dumps(columns, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
    return zlib.compress(data), data[-REACH:]


def heads_in(data: bytes) -> Heads:
    """The heads again. Raises ValueError or zlib.error if they are damaged."""
    columns: Any = json.loads(zlib.decompress(data).decode("utf-8", "surrogatepass"))
    import_lines, modules, imported, free_kinds, free_said, own, first, more, *rest = columns
    kinds, begins, lengths, offsets, places, names, scopes, docs, signatures = rest
    said = tuple(zip(names, _with_repeats(scopes), signatures, docs, strict=True))
    symbol_kinds = tuple(KINDS[it] for it in kinds)
    lines: list[tuple[int, int, int, int]] = []
    last = 0
    for begin, length, offset, column in zip(begins, lengths, offsets, places, strict=True):
        start = last + begin
        last = start + length
        lines.append((start, last, start + offset, column))
    free = iter(zip(free_kinds, free_said, strict=True))
    chunk_lines: list[tuple[int, int]] = []
    chunk_kinds: list[Kind | None] = []
    chunk_said: list[Said] = []
    last = 0
    for symbol, begin, end in zip(accumulate(own), first, more, strict=True):
        if symbol < 0:
            kind, its = next(free)
            chunk_kinds.append(None if kind < 0 else KINDS[kind])
            chunk_said.append(tuple(its) if its else ("", "", "", ""))
            start = last + begin
            last = start + end
        else:
            chunk_kinds.append(symbol_kinds[symbol])
            chunk_said.append(said[symbol])
            start, last = lines[symbol][0] + begin, lines[symbol][1] + end
        chunk_lines.append((start, last))
    return Heads(
        kinds=symbol_kinds,
        lines=tuple(lines),
        said=said,
        chunk_lines=tuple(chunk_lines),
        chunk_kinds=tuple(chunk_kinds),
        chunk_said=tuple(chunk_said),
        imports=tuple(
            (line, module, tuple(it))
            for line, module, it in zip(accumulate(import_lines), modules, imported, strict=True)
        ),
    )


def pack_text(text: bytes, known: bytes) -> bytes:
    """A text, compressed; ``known`` is what stands in the heads."""
    packer = zlib.compressobj(zdict=known)
    return packer.compress(text) + packer.flush()


def text_in(text: bytes, heads: bytes) -> str:
    """The text in a kept one, with its kept heads. Raises ValueError or zlib.error if one is damaged."""
    unpacker = zlib.decompressobj(zdict=zlib.decompress(heads)[-REACH:])
    data = unpacker.decompress(text)
    if not unpacker.eof:
        raise ValueError("The text is not all there.")
    return data.decode("utf-8", "surrogatepass")


def pack_numbers(values: Sequence[int]) -> bytes:
    """Numbers that are not negative, seven bits to a byte: most are small."""
    if max(values, default=0) < ONE_BYTE:
        return bytes(values)
    packed = bytearray()
    for it in values:
        while ONE_BYTE <= it:
            packed.append(it & 127 | 128)
            it >>= 7
        packed.append(it)
    return bytes(packed)


def numbers_in(data: bytes) -> Sequence[int]:
    """The numbers again."""
    if data.isascii():
        return data
    found = array("Q")
    value = shift = 0
    for it in data:
        value |= (it & 127) << shift
        shift += 7
        if it < ONE_BYTE:
            found.append(value)
            value = shift = 0
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
    values = [it[1] for it in uses]
    values += _rises(lines)
    values += [
        (step << 1 if 0 <= step else ~step << 1 | 1) << 1 | it[3]
        for step, it in zip(_rises(symbols), uses, strict=True)
    ]
    return zlib.compress(pack_numbers(values))


def uses_in(data: bytes) -> Iterator[Use]:
    """Where names are used, in the order of the lines."""
    if not data:
        return iter(())
    values = numbers_in(zlib.decompress(data))
    count = len(values) // 3
    names, lines, rest = values[:count], accumulate(values[count : 2 * count]), values[2 * count :]
    symbols = accumulate(~(it >> 2) if it & 2 else it >> 2 for it in rest)
    return (
        (name, line, symbol, bool(it & 1))
        for name, line, symbol, it in zip(names, lines, symbols, rest, strict=True)
    )


def _chunk_lines(chunks: Sequence[Chunk], owners: Sequence[Symbol | None]) -> tuple[list[int], list[int]]:
    """First and last lines, by how far they are from those of the symbol, or from the chunk before."""
    first: list[int] = []
    last: list[int] = []
    before = 0
    for it, owner in zip(chunks, owners, strict=True):
        first.append(it.first_line - (owner.first_line if owner else before))
        last.append(it.last_line - (owner.last_line if owner else it.first_line))
        before = it.last_line
    return first, last


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


def _says(it: Chunk) -> bool:
    return bool(it.name or it.scope or it.signature or it.doc)


def _head(it: Symbol | Chunk) -> tuple[str | None, str, str, str, str]:
    return it.kind, it.name, it.scope, it.signature, it.doc
