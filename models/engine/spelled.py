"""Pure: how a vocabulary's tokens are spelled, from what stands in its file, before the model is loaded.

To ask llama.cpp for each of 150,000 tokens takes half a second in which nothing else can be done. A model
file holds them in the alphabet that GPT-2 began with: a character per byte, the printable ones themselves.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

PRINTABLE = (*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100))
OTHERS = sorted({*range(0x100)} - {*PRINTABLE})
_BYTES = {it: it for it in PRINTABLE} | {0x100 + place: it for place, it in enumerate(OTHERS)}
FOREIGN = re.compile(f"[^{re.escape(''.join(map(chr, _BYTES)))}]")
MOST_UNKNOWN = 0.01  # Of all tokens: more are no special ones, but another kind of vocabulary.


@dataclass(frozen=True, slots=True)
class Guess:
    """What the tokens stand for, if they are ordinary ones of a byte-level vocabulary."""

    pieces: Sequence[bytes]
    """By token."""
    order: Sequence[int]
    """The tokens, sorted by their bytes."""
    unknown: Sequence[int] = ()
    """Tokens that are spelled in another alphabet, as special ones are in some files."""


def byte_level(tokens: Sequence[bytes]) -> Guess | None:
    """Tokens as their file has them -> what they stand for; ``None`` for another kind of vocabulary."""
    try:
        texts = b"\n".join(tokens).decode("utf-8").split("\n")  # A line end has another character.
    except UnicodeError:
        return None
    if len(texts) != len(tokens):
        return None
    unknown: list[int] = []
    if FOREIGN.search("".join(texts)):
        unknown = [place for place, it in enumerate(texts) if FOREIGN.search(it)]
        if len(texts) * MOST_UNKNOWN < len(unknown):
            return None
        for place in unknown:
            texts[place] = ""
    data = "".join(texts).translate(_BYTES).encode("latin-1")
    lengths = list(map(len, texts))
    ends = list(accumulate(lengths))
    pieces = [data[end - length : end] for end, length in zip(ends, lengths, strict=True)]
    return Guess(pieces, sorted(range(len(pieces)), key=pieces.__getitem__), unknown)
