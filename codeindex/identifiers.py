"""Pure: identifiers and the words they are made of; the text as the full-text index is fed with it."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

KEPT = 1 << 16  # identifiers: more than a large code base uses often
LONGEST_NUMBER = 8  # digits: what is longer is data, not a word anybody asks for
LONGEST_WORD = 120  # characters
# From this length on, what changes between small, capital and digit all the time is a key, a hash, an image.
NOISE_LENGTH = 24
SHORTEST_STRETCH = 3.0  # characters of one case, on average

WORD = re.compile(r"\w+")
# Plural acronyms (`URLs`), acronyms before a word (`HTTPServer`), words, acronyms; digits belong to what is
# before them, and one small letter to the digits it closes (`i18n`, `array2d`).
PART = re.compile(
    r"(?:[A-Z]{2,}s(?![a-z])|[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+)(?:\d+(?:[a-z](?![a-zA-Z]))?)?"
    r"|\d+(?:[a-z](?![a-zA-Z]))?"
)
LONG_RUN = 60  # characters: from this length on, letters and digits without a blank may be encoded bytes
ENCODED = re.compile(rf"(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{{{LONG_RUN},}}={{0,2}}")
STRETCH = re.compile(r"[A-Z]+|[a-z]+|\d+|[+/]")


@lru_cache(KEPT)
def split(identifier: str) -> tuple[str, ...]:
    """The words in an identifier, in lower case: `parseHTTPRequest_v2` is parse, http, request, v2."""
    if identifier.isascii():
        return tuple(it.lower() for it in PART.findall(identifier))
    shape = "".join(map(_shape, identifier))
    return tuple(identifier[it.start() : it.end()].lower() for it in PART.finditer(shape))


def searchable(text: str) -> str:
    """What of a text can be found, in lower case: every identifier whole, then its parts if it has several.

    An identifier is whole without its underscores: so `parse_request` and `parseRequest` are one word, and an
    index that splits at underscores does not count the parts twice. Noise is dropped.
    """
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    # To part a text at its blanks is quicker than to look for such runs, and few texts have a word so long.
    if LONG_RUN <= max(map(len, text.split()), default=0):
        text = ENCODED.sub(lambda it: " " if _is_encoded(it[0]) else it[0], text)
    if KEPT < len(_WORDS):
        _WORDS.clear()
    return " ".join(filter(None, map(_WORDS.__getitem__, WORD.findall(text))))


class _Words(dict[str, str]):
    """What becomes of each word, worked out once."""

    def __missing__(self, word: str) -> str:
        parts = () if _is_noise(word) else split(word)
        said = self[word] = " ".join(("".join(parts), *parts)) if 1 < len(parts) else "".join(parts)
        return said


_WORDS = _Words()


def _is_noise(word: str) -> bool:
    if word.isdigit():
        return LONGEST_NUMBER < len(word)
    return LONGEST_WORD < len(word) or (NOISE_LENGTH <= len(word) and "_" not in word and _is_encoded(word))


def _is_encoded(run: str) -> bool:
    """Whether it reads like encoded bytes; a long path or name does not: its words are longer."""
    has_digits = any(map(str.isdigit, run))
    return has_digits and len(run) / max(1, len(STRETCH.findall(run))) < SHORTEST_STRETCH


def _shape(character: str) -> str:
    """A character of ASCII that splits like this one."""
    if character.isdecimal():
        return "0"
    if character.isupper():
        return "A"
    is_mark = unicodedata.category(character).startswith("M")
    return "a" if is_mark or character.isalnum() else "_"
