"""Texts -> tokens, piece by piece: the tokenizer is asked once for each, and most of code repeats itself.

That is exact where a tokenizer never looks beyond a piece. Whether it does is known from how it is put
together, and tried on texts that are hard on it; one that is not known, or fails, is asked for whole texts.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

Whole = NDArray[np.int64]
Encode = Callable[[Sequence[str]], list[list[int]]]
"""Ids of texts, cut to what a model reads, nothing put around them."""

NOTHING: Whole = np.zeros(0, np.int64)
MOST_PIECES = 1 << 16  # Remembered: some 20 MB with all that hangs on them.
MOST_CHARACTERS = 1 << 22

SIGNS = r"!-/:-@\[-`{-~"
BYTES = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
CHAT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}%s"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
SPLITS = frozenset({CHAT % "", CHAT % "{1,3}"})
"""How tokenizers of chat models split: digits one by one, or three at a time."""
IN_ASCII = ((r"\p{L}\p{N}]", "A-Za-z0-9]"), (r"\p{L}", "[A-Za-z]"), (r"\p{N}", "[0-9]"))
WITHIN = re.compile(r"(?:\(\?<?[=!]|\)|\||\[(?:A-Z|a-z|0-9|[A-Za-z0-9])+\]|[A-Za-z0-9])+")
"""Patterns of letters and digits beside each other: a sign and the end of a text are the same to them."""
EVERY_SIGN = "".join(map(chr, range(33, 127)))
PROBES = (
    "def main(self, *args):\n    return self.__init__(args[0])  # don't\n",
    "".join(map(chr, range(128))),
    " ".join(EVERY_SIGN),
    "\n".join(f"a{it}b {it}{it} 1{it} {it}x" for it in EVERY_SIGN),
    "x  y   z\t\tt \r\n\r\n  \n u\x0b\x0cv \x1c\x1d\x1e\x1f w\x7f\x00\x01end  ",
    "parseHTTPRequest URLs someURLsAnd XMLa Xs aBC1D XML_s getX.Y xY9Z é1A İA",
    "It's I'M we'LL they'd 'sx 's' ''re 12345 3.14e-10 0xFF 1_000 a1b2c3",
    "é e\u0301 \u0301x !\u0301! a\u0338=b ≠ ñandú Straße İstanbul ΟΔΟΣ ǅ ﬁ ß\u0308 Å Å",
    "日本語のテキスト 中文字符 한국어 кириллица עברית العربية ไทย ༀ",
    "a\u00a0b\u2003c\u200bd\u2028e\u2029f\u3000g\x85h\ufeffi\u00adj…—“q”‘r’ ¿¡«»",
    "😀😀👩‍👩‍👧 🇩🇪 x😀y !😀! \U000e0001 \ue000 \ufffd �",
    "w" * 150 + " " + "ab" * 60 + "_" + "Z9" * 70 + "é" * 120,
    "/" * 90 + "=" * 90 + " " * 90 + "\n" * 40 + "\t" * 40,
    "[CLS] [SEP] [UNK] [MASK] [PAD] <s> </s> <unk> <|endoftext|> [CLS][SEP] x[CLS]y",
    "",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bags:
    """The tokens of texts, one text after the other."""

    ids: Whole
    counts: Whole
    """How many of them are each text's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """Where a tokenizer's texts can be cut without its noticing."""

    pattern: str
    """Finds the pieces; what is between them, the tokenizer drops."""
    ascii: bool
    """Whether that is known of texts in ASCII alone; others stay whole."""
    whole: tuple[str, ...]
    """Texts with one of these in them stay whole: tokens that are looked for before anything else."""


def cut_of(tokenizer: Any) -> Cut | None:
    """How this tokenizer's texts can be cut; None if that is not known of its kind."""
    added = list(tokenizer.get_added_tokens_decoder().values())
    if any(it.normalized or it.lstrip or it.rstrip or it.single_word or not it.content for it in added):
        return None
    if getattr(tokenizer.model, "dropout", None):  # The same piece is other tokens each time.
        return None
    whole = tuple(it.content for it in added)
    normalizer, splits = _said(tokenizer.normalizer), _said(tokenizer.pre_tokenizer)
    is_plain = normalizer.get("type") in (None, "NFC")  # Which leaves ASCII as it is.
    match splits:
        case {"type": "BertPreTokenizer"} if _is_of_words(normalizer):
            return Cut(pattern=rf"[^\t\n\r {SIGNS}]+|[{SIGNS}]", ascii=False, whole=whole)
        case {"type": "ByteLevel", "add_prefix_space": False, "use_regex": True} if is_plain:
            return Cut(pattern=_in_ascii(BYTES), ascii=True, whole=whole)
        case {
            "type": "Sequence",
            "pretokenizers": [
                {"type": "Split", "pattern": {"Regex": str(said)}, "behavior": "Isolated", "invert": False},
                {"type": "ByteLevel", "add_prefix_space": False, "use_regex": False},
            ],
        } if is_plain and said in SPLITS:
            return Cut(pattern=_in_ascii(said), ascii=True, whole=whole)
    return None


class Pieces:
    """Remembers the tokens of pieces. For one thread at a time."""

    def __init__(self, cut: Cut, encode: Encode, most: int) -> None:
        """``encode`` is the tokenizer, ``most`` to how many tokens it cuts."""
        self._find = re.compile(cut.pattern, re.ASCII).findall
        self._cut = cut
        self._encode = encode
        self._most = most
        self._places = _Places()
        self._characters = 0
        self._starts = self._lengths = self._ids = NOTHING

    def tokens(self, texts: Sequence[str]) -> Bags:
        """The tokens of each text, as many as the tokenizer would leave."""
        if MOST_PIECES < len(self._places) or MOST_CHARACTERS < self._characters:
            self.forget()
        find, place = self._find, self._places.__getitem__
        flat, counts = list[int](), list[int]()
        joined = "\n".join(texts)
        marks = [it for it in self._cut.whole if it in joined]
        is_plain = not marks and (joined.isascii() or not self._cut.ascii)
        for it in texts:
            pieces = find(it) if is_plain or not self._stays_whole(it, marks) else [it]
            flat += map(place, pieces)
            counts.append(len(pieces))
        self._learn()
        places = np.array(flat, np.int64)
        lengths = self._lengths[places]
        ends = np.cumsum(lengths)
        total = int(ends[-1]) if len(ends) else 0
        ids = self._ids[np.repeat(self._starts[places] - ends + lengths, lengths) + np.arange(total)]
        limits = np.concatenate(([0], ends))[np.cumsum([0, *counts])]
        found = np.diff(limits)
        if self._most < found.max(initial=0):
            within = np.arange(total) - np.repeat(limits[:-1], found)
            ids, found = ids[within < self._most], np.minimum(found, self._most)
        return Bags(ids=ids, counts=found)

    def agrees(self) -> bool:
        """Whether all is as if the tokenizer had read whole texts, of texts that are hard on it."""
        joined = "\n".join(PROBES)
        probes = [*PROBES, *self._cut.whole, joined, joined * 9]
        bags = self.tokens(probes)
        expected = self._encode(probes)
        alike = bags_of(expected)
        return np.array_equal(bags.counts, alike.counts) and np.array_equal(bags.ids, alike.ids)

    def forget(self) -> None:
        """Start anew."""
        self._places = _Places()
        self._characters = 0
        self._starts = self._lengths = self._ids = NOTHING

    def _stays_whole(self, text: str, marks: Sequence[str]) -> bool:
        return (self._cut.ascii and not text.isascii()) or any(it in text for it in marks)

    def _learn(self) -> None:
        """Ask for the tokens of the pieces that were met for the first time."""
        new, self._places.new = self._places.new, []
        if not new:
            return
        ids = self._encode(new)
        lengths = np.fromiter(map(len, ids), np.int64, len(ids))
        self._starts = np.concatenate((self._starts, len(self._ids) + np.cumsum(lengths) - lengths))
        self._lengths = np.concatenate((self._lengths, lengths))
        self._ids = np.concatenate((self._ids, np.fromiter(chain.from_iterable(ids), np.int64)))
        self._characters += sum(map(len, new))


class _Places(dict[str, int]):
    """A number for each piece, in the order in which they are met."""

    def __init__(self) -> None:
        self.new = list[str]()

    def __missing__(self, piece: str) -> int:
        place = self[piece] = len(self)
        self.new.append(piece)
        return place


def bags_of(ids: Sequence[Sequence[int]]) -> Bags:
    """Of texts whose tokens are known already."""
    return Bags(
        ids=np.fromiter(chain.from_iterable(ids), np.int64),
        counts=np.fromiter(map(len, ids), np.int64, len(ids)),
    )


def without(bags: Bags, token: int) -> Bags:
    """Without one of the tokens, wherever it is."""
    kept = bags.ids != token
    ends = np.concatenate(([0], np.cumsum(kept)))[np.concatenate(([0], np.cumsum(bags.counts)))]
    return Bags(ids=bags.ids[kept], counts=np.diff(ends))


def _said(part: Any) -> Mapping[str, Any]:
    """How a part of a tokenizer describes itself; empty where there is none."""
    if part is None:
        return {}
    described: Mapping[str, Any] = json.loads(part.__getstate__())
    return described


def _is_of_words(normalizer: Mapping[str, Any]) -> bool:
    """Whether it changes nothing beyond a sign or a space; it may put spaces into words before."""
    match normalizer.get("normalizers"):
        case [
            {"type": "Replace", "pattern": {"Regex": str(said)}, "content": " "},
            {"type": "BertNormalizer"},
        ]:
            return WITHIN.fullmatch(said) is not None
    return normalizer.get("type") in (None, "BertNormalizer")


def _in_ascii(pattern: str) -> str:
    for name, letters in IN_ASCII:
        pattern = pattern.replace(name, letters)
    return pattern
