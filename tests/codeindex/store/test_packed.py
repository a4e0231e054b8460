"""What is packed comes back as it was, and nothing else does."""

from __future__ import annotations

import random
import zlib

import pytest

from codeindex.store.packed import (
    KINDS,
    Heads,
    numbers_in,
    pack_heads,
    pack_numbers,
    pack_text,
    pack_uses,
    text_in,
    uses_in,
)
from codeindex.types import Chunk, Import, Kind, Reference, Symbol

ODD = ("plain", "", "with\nline", "\x00", "\udc80", '"quoted\\', "\U0001f600", "é")


def symbol(chance: random.Random) -> Symbol:
    """Any one, also with lines that make no sense."""
    return Symbol(
        name=chance.choice(ODD),
        kind=chance.choice(list(Kind)),
        scope=chance.choice(ODD),
        first_line=chance.randrange(1, 999),
        last_line=chance.randrange(1, 999),
        line=chance.randrange(1, 999),
        column=chance.randrange(70_000),
        signature=chance.choice(ODD),
        doc=chance.choice(ODD),
        parent=None,
    )


def chunk(chance: random.Random, like: Symbol | None) -> Chunk:
    """One that is a symbol's, or one with a head of its own."""
    it = like or symbol(chance)
    return Chunk(
        first_line=1,
        last_line=2,
        kind=it.kind if like else chance.choice([None, it.kind]),
        name=it.name,
        scope=it.scope,
        signature=it.signature,
        doc=it.doc,
        defines=(),
    )


def test_every_kind_has_a_place() -> None:
    """A kind that had none could not be kept."""
    assert sorted(KINDS) == sorted(Kind)


@pytest.mark.parametrize("seed", range(20))
def test_heads_come_back(seed: int) -> None:
    """Symbols, chunks and imports, few and many, with any text in them; and the text that refers to them."""
    chance = random.Random(seed)
    symbols = [symbol(chance) for _ in range(seed * 5)]
    chunks = [chunk(chance, chance.choice([*symbols, None])) for _ in range(seed * 3)]
    imports = [
        Import(module=chance.choice(ODD), names=tuple(chance.sample(ODD, 2)), line=chance.randrange(99))
        for _ in range(seed)
    ]
    data, known, places = pack_heads(symbols, chunks, imports)
    heads = Heads(data)
    assert heads.kinds == [it.kind for it in symbols]
    assert heads.lines == [(it.first_line, it.last_line, it.line, it.column) for it in symbols]
    assert heads.imports == [(it.line, it.module, it.names) for it in imports]
    for number, it in enumerate(symbols):
        assert heads.said(number) == (it.name, it.scope, it.signature, it.doc)
    for place, one in zip(places, chunks, strict=True):
        said = ("", "", "", "") if place is None else heads.said(place)
        assert said == (one.name, one.scope, one.signature, one.doc)
    text = "".join(chance.choices(ODD, k=seed * 4_000))
    packed = pack_text(text.encode("utf-8", "surrogatepass"), known)
    assert text_in(packed, data) == text
    other, _, _ = pack_heads([symbol(random.Random(99))], [], [])
    with pytest.raises((ValueError, zlib.error)):
        text_in(packed, other)
    with pytest.raises((ValueError, zlib.error)):
        text_in(packed[:-5], data)


@pytest.mark.parametrize("largest", [0, 1, 255, 256, 65_535, 65_536, (1 << 32) - 1])
def test_numbers_come_back(largest: int) -> None:
    """Whatever their size."""
    for values in ([largest], [0, largest, 1], [largest] * 9):
        assert list(numbers_in(pack_numbers(values))) == values
    assert list(numbers_in(pack_numbers([]))) == []


@pytest.mark.parametrize("count", [0, 1, 40, 3_000])
def test_uses_come_back(count: int) -> None:
    """Sorted, each once, with any symbol or none."""
    chance = random.Random(count)
    places = {f"n{it}": it for it in range(400)}
    uses = [
        Reference(
            name=f"n{chance.randrange(400)}",
            line=chance.randrange(1, 90_000),
            symbol=chance.choice([None, chance.randrange(500)]),
            is_call=chance.random() < 0.5,
        )
        for _ in range(count)
    ]
    wanted = {
        (places[it.name], it.line, -1 if it.symbol is None else it.symbol, it.is_call)
        for it in [*uses, *uses[:9]]
    }
    found = list(uses_in(pack_uses([*uses, *uses[:9]], places)))
    assert len(found) == len(wanted)
    assert set(found) == wanted
    assert [it[1] for it in found] == sorted(it[1] for it in wanted)
