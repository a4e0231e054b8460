"""Texts -> tokens, piece by piece: the tokenizer is asked once for each, and most of code repeats itself.

That is exact where a tokenizer never looks beyond a piece. Whether it does is known from how it is put
together, and tried on texts that are hard on it; one that is not known, or fails, is asked for whole texts.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

Whole = NDArray[np.int64]
Encode = Callable[[Sequence[str]], list[list[int]]]
"""Ids of texts, cut to what a model reads, nothing put around them."""

NOTHING: Whole = np.zeros(0, np.int64)
TOGETHER = 16  # New pieces that are read as one text, a sign between them: it takes half the time.
BETWEEN = "!"
MOST_PIECES = 1 << 16  # Remembered: some 20 MB with all that hangs on them.
MOST_CHARACTERS = 1 << 22

SIGNS = r"!-/:-@\[-`{-~"
IS_SIGN = np.array([re.match(f"[{SIGNS}]", chr(it)) is not None for it in range(256)])
BLANK = bytes(32 if IS_SIGN[it] else it for it in range(256))
"""What makes every sign a blank: to split at blanks is several times quicker than any pattern."""
ALSO_SPLIT = (b"\x0b", b"\x0c")  # There, too, though they belong to words.
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
    """The tokens of texts, those of one text in any order."""

    ids: Whole
    texts: Whole
    """Whose each of them is, by the place of the text."""
    count: int
    """How many texts there are, also those without tokens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """Where a tokenizer's texts can be cut without its noticing."""

    pattern: str
    """Finds the pieces; what is between them, the tokenizer drops."""
    ascii: bool
    """Whether that is known of texts in ASCII alone; others stay whole."""
    whole: tuple[str, ...]
    """Texts with one of these in them stay whole: tokens that are looked for before anything else."""
    by_signs: bool = False
    """Whether the pieces are the signs, and what is between signs and blanks."""


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
            return Cut(pattern=rf"[^\t\n\r {SIGNS}]+|[{SIGNS}]", ascii=False, whole=whole, by_signs=True)
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
        self._find = re.compile(cut.pattern.encode()).findall
        self._cut = cut
        self._whole = tuple(it.encode() for it in cut.whole)
        self._encode = encode
        self._most = most
        self._between = _only(encode([BETWEEN])[0]) if cut.by_signs else None
        self._places = _Places()
        self._characters = 0
        self._starts = self._lengths = self._ids = NOTHING

    def tokens(self, texts: Sequence[str]) -> Bags:
        """The tokens of each text, as many as the tokenizer would leave."""
        if MOST_PIECES < len(self._places) or MOST_CHARACTERS < self._characters:
            self.forget()
        data = [it.encode() for it in texts]
        if not self._cut.by_signs:
            return self._in_order(data)
        slow = _with_any(data, (*self._whole, *ALSO_SPLIT))
        quick = [b"" if place in slow else it for place, it in enumerate(data)] if slow else data
        bags = self._by_signs(quick)
        lengths = np.bincount(bags.texts, minlength=len(data))
        slow |= set(np.flatnonzero(self._most < lengths).tolist())
        if not slow:
            return bags
        places = sorted(slow)  # Where something is cut off, it matters in which order they come.
        others, kept = self._in_order([data[it] for it in places]), np.ones(len(data), bool)
        kept[places] = False
        stay = kept[bags.texts]
        ids = np.concatenate((bags.ids[stay], others.ids))
        owners = np.concatenate((bags.texts[stay], np.array(places, np.int64)[others.texts]))
        return Bags(ids=ids, texts=owners, count=len(data))

    def agrees(self) -> bool:
        """Whether all is as if the tokenizer had read whole texts, of texts that are hard on it."""
        joined = "\n".join(PROBES)
        probes = [*PROBES, *self._cut.whole, joined, joined * 9]
        found, expected = self.tokens(probes), bags_of(self._encode(probes))
        return all(map(np.array_equal, _sorted(found), _sorted(expected)))

    def forget(self) -> None:
        """Start anew."""
        self._places = _Places()
        self._characters = 0
        self._starts = self._lengths = self._ids = NOTHING

    def _by_signs(self, texts: Sequence[bytes]) -> Bags:
        """First the words of all texts, then their signs: not cut off, and so in whatever order."""
        place = self._places.__getitem__
        flat, counts = list[int](), list[int]()
        for it in texts:
            words = it.translate(BLANK).split()
            flat += map(place, words)
            counts.append(len(words))
        joined = np.frombuffer(b"\n".join(texts), np.uint8)
        at = np.flatnonzero(IS_SIGN[joined])
        signs = joined[at]
        of_sign = np.zeros(256, np.int64)
        for sign in np.unique(signs).tolist():
            of_sign[sign] = place(bytes((sign,)))
        ends = np.cumsum([0, *(len(it) + 1 for it in texts)])
        numbers = np.arange(len(texts))
        owners = np.repeat(numbers, counts), np.repeat(numbers, np.diff(np.searchsorted(at, ends)))
        places = np.concatenate((np.array(flat, np.int64), of_sign[signs]))
        return self._spelled(places, np.concatenate(owners), len(texts))

    def _in_order(self, texts: Sequence[bytes]) -> Bags:
        """As they come in each text, and cut off where the tokenizer cuts."""
        find, place = self._find, self._places.__getitem__
        flat, counts = list[int](), list[int]()
        whole = _with_any(texts, self._whole)
        for number, it in enumerate(texts):
            is_whole = number in whole or (self._cut.ascii and not it.isascii())
            pieces = [it] if is_whole else find(it)
            flat += map(place, pieces)
            counts.append(len(pieces))
        bags = self._spelled(np.array(flat, np.int64), np.repeat(np.arange(len(texts)), counts), len(texts))
        first = np.searchsorted(bags.texts, np.arange(len(texts)))
        within = np.arange(len(bags.ids)) - first[bags.texts] < self._most
        return Bags(ids=bags.ids[within], texts=bags.texts[within], count=len(texts))

    def _spelled(self, places: Whole, owners: Whole, count: int) -> Bags:
        """The tokens of pieces."""
        self._learn()
        lengths = self._lengths[places]
        ends = np.cumsum(lengths)
        total = int(ends[-1]) if len(ends) else 0
        ids = self._ids[np.repeat(self._starts[places] - ends + lengths, lengths) + np.arange(total)]
        return Bags(ids=ids, texts=np.repeat(owners, lengths), count=count)

    def _learn(self) -> None:
        """Ask for the tokens of the pieces that were met for the first time."""
        new, self._places.new = self._places.new, []
        if not new:
            return
        ids = self._read([it.decode("utf-8", "replace") for it in new])  # A wrong cut may split a letter.
        lengths = np.fromiter(map(len, ids), np.int64, len(ids))
        self._starts = np.concatenate((self._starts, len(self._ids) + np.cumsum(lengths) - lengths))
        self._lengths = np.concatenate((self._lengths, lengths))
        self._ids = np.concatenate((self._ids, np.fromiter(chain.from_iterable(ids), np.int64)))
        self._characters += sum(map(len, new))

    def _read(self, pieces: Sequence[str]) -> list[list[int]]:
        """The tokens of each piece: of many in one text, unless it is not clear where one of them ends."""
        size = min(TOGETHER, self._most // 8)
        if self._between is None or size < 2:
            return self._encode(pieces)
        groups = [pieces[it : it + size] for it in range(0, len(pieces), size)]
        found: list[list[int]] = []
        for some, ids in zip(groups, self._encode([BETWEEN.join(it) for it in groups]), strict=True):
            ends = [place for place, it in enumerate(ids) if it == self._between]
            if len(ends) == len(some) - 1 and len(ids) < self._most:
                found += [ids[last + 1 : end] for last, end in pairwise((-1, *ends, len(ids)))]
            else:
                found += self._encode(some)
        return found


class _Places(dict[bytes, int]):
    """A number for each piece, in the order in which they are met."""

    def __init__(self) -> None:
        self.new = list[bytes]()

    def __missing__(self, piece: bytes) -> int:
        place = self[piece] = len(self)
        self.new.append(piece)
        return place


def _with_any(texts: Sequence[bytes], marks: Sequence[bytes]) -> set[int]:
    """The places of texts in which one of these stands."""
    joined = b"\n".join(texts)
    there = [it for it in marks if it in joined]
    return {place for place, text in enumerate(texts) if any(it in text for it in there)} if there else set()


def _only(ids: Sequence[int]) -> int | None:
    """The one that there is."""
    return ids[0] if len(ids) == 1 else None


def _sorted(bags: Bags) -> tuple[Whole, Whole]:
    order = np.lexsort((bags.ids, bags.texts))
    return bags.ids[order], bags.texts[order]


def bags_of(ids: Sequence[Sequence[int]]) -> Bags:
    """Of texts whose tokens are known already."""
    flat = np.fromiter(chain.from_iterable(ids), np.int64)
    return Bags(ids=flat, texts=np.repeat(np.arange(len(ids)), [len(it) for it in ids]), count=len(ids))


def without(bags: Bags, token: int) -> Bags:
    """Without one of the tokens, wherever it is."""
    kept = bags.ids != token
    return Bags(ids=bags.ids[kept], texts=bags.texts[kept], count=bags.count)


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
