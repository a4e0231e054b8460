"""Pure: how surprising a text's pairs of letters are to one who reads code. Random strings are, names not."""

from __future__ import annotations

import re
from itertools import pairwise

ALPHABET = "abcdefghijklmnopqrstuvwxyz0_"
"""Letters of both cases are one, digits are one, and so is all the rest."""
ROWS = (
    "vkiiuplvjwmgihxkxghfmlpomvrl", "gokngssrhjuforinvjjogvxvjpmi", "gvmpgruhkziiosfqvkngksuypxpi",
    "jqrleptvguvmsqjsynkojrtvowld", "jrjhllotqysklhqlpghitnokoxre", "hsooihqtezziqrgrvilkiwvzmzng",
    "lrrretokizykpjmqzkinjptzusqd", "fwtretwuhztpoqgvzloknxwzpvvf", "llikklkzrwqijehlukhhxlynzmvo",
    "iwprdrwsmwlsssfmwqksfwrwowng", "kupoeqoshxtkskoqrnipmujzsvsd", "hrpkeosvgzshtqhozqjjkqrziuug",
    "fksoetwvixrokqhgzrknkwyxqzth", "irihhmgsjxnnrnioxsiglmsyoxsf", "nljipnnvnynkifljzfjjilksvtsj",
    "gtpofqtpjzshtrhitgmhksrzkzqh", "qrtottwtttwntptrpkorbwrwwwph", "hrmleplvhzoplkhpzjjilppxlzwf",
    "lvlrfrqlixpnpqkkurifjsqwmytd", "isnofpvhgzvnprjozijlktpulvte", "lkkmimmzjzwgigpizgggsuyrzvnm",
    "fsuzcrswgzxwpqkrystsurrsvvnj", "ftqnhrwgfyxmujhtuhkrswoqzwsg", "jpgpimtphzwoowohzrofttrlotff",
    "rooqlptskzzomklhxnihtqmzqrsc", "ispucxungxxmlpkqxqprqxsuorlh", "lllhlkzstywqtuttyustswxwvxce",
    "ikhjjjlljrokjkkirjhilmknrrrh",
)  # fmt: skip
"""How many half bits the column's character takes behind the row's: ``a`` is none, ``z`` 12.5 bits.

Counted over the different names in each module of Python's standard library.
"""
BITS = {
    first + second: (ord(rank) - ord("a")) / 2
    for first, row in zip(ALPHABET, ROWS, strict=True)
    for second, rank in zip(ALPHABET, row, strict=True)
}


def surprise(text: str) -> float:
    """Bits per character: some 3.5 for names and words, 5 and more for what was drawn at random."""
    plain = re.sub(r"[^a-z0]+", "_", re.sub(r"[0-9]", "0", text.lower()))
    if len(plain) < 2:
        return 0.0
    return sum(BITS[first + second] for first, second in pairwise(plain)) / (len(plain) - 1)
