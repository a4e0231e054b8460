"""Pure: finish a line as a similar one near it was finished, with the names that stand here instead.

``self.width = `` after ``self.height = height`` goes on with ``width``: the lines agree up to the cursor but
for names, so each name there stands for one here, in what follows too, and so does a part of a name
(``get_height`` for ``get_width``: ``_height`` for ``_width``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

TOKEN = re.compile(rb"\w+|[^\w\s]|\s+")
PART = re.compile(rb"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
NAME = re.compile(rb"[A-Za-z_]\w*\Z")
MOST = 3
"""Analogies per place: the nearest lines say it, or none does."""


def analogies(typed: bytes, line_above: bytes, lines: Sequence[bytes]) -> list[tuple[bytes, int]]:
    """What may follow ``typed``, and how many lines away its model stands.

    ``lines`` are the lines around, without indentation, in the document's order reversed: the nearest above
    comes first, and each one is followed by the line above it.
    """
    found: dict[bytes, int] = {}
    tokens = _tokens(typed)
    above = _tokens(line_above)
    for distance, line in enumerate(lines):
        before = lines[distance + 1] if distance + 1 < len(lines) else b""
        names = dict(_pairs(_tokens(before), above) or ())
        rest = _rest(tokens, _tokens(line), names)
        if rest and rest not in found:
            found[rest] = distance
            if len(found) == MOST:
                break
    return list(found.items())


@lru_cache(maxsize=2048)  # The lines around the cursor are the same from key to key.
def _tokens(line: bytes) -> tuple[bytes, ...]:
    return tuple(TOKEN.findall(line))


def _rest(typed: Sequence[bytes], given: Sequence[bytes], known: dict[bytes, bytes]) -> bytes:
    """The rest of the line ``given`` in the names of ``typed``; empty if the two do not agree."""
    if not given or len(given) < len(typed):
        return b""
    whole, last = typed, b""
    if typed and NAME.match(typed[-1]):  # The last word may still grow.
        whole, last = typed[:-1], typed[-1]
    pairs = _pairs(given[: len(whole)], whole)
    if pairs is None or not (pairs or known):
        return b""
    names = known | dict(pairs)
    if len({*names.values()}) < len(names):
        return b""
    rest = b"".join(_renamed(it, names) for it in given[len(whole) :])
    if not rest.startswith(last) or b"".join(given[len(whole) :]) == rest:
        return b""  # Without a name changed it is no analogy: occurrences tell it better.
    return rest[len(last) :]


def _pairs(given: Sequence[bytes], typed: Sequence[bytes]) -> list[tuple[bytes, bytes]] | None:
    """Which name stands for which; ``None`` if something else than names differs."""
    if len(given) != len(typed):
        return None
    pairs: dict[bytes, bytes] = {}
    same = 0
    for one, other in zip(given, typed, strict=True):
        if one == other:
            same += 1
            continue
        if not (NAME.match(one) and NAME.match(other)) or pairs.setdefault(one, other) != other:
            return None
    if not pairs:
        return []
    if same < 2:
        return None
    return list(pairs.items()) + [it for one, other in pairs.items() for it in _parts(one, other)]


def _parts(one: bytes, other: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The one part in which two names differ, as in ``get_height`` and ``get_width``."""
    first, second = PART.findall(one), PART.findall(other)
    if len(first) == len(second):
        different = [(a, b) for a, b in zip(first, second, strict=True) if a != b]
        if len(different) == 1:
            yield different[0]


def _renamed(token: bytes, names: dict[bytes, bytes]) -> bytes:
    if token in names:
        return names[token]
    if not NAME.match(token):
        return token
    return PART.sub(lambda it: _cased(it.group(), names), token)


def _cased(part: bytes, names: dict[bytes, bytes]) -> bytes:
    """The part's stand-in, written as the part is."""
    for one, other in names.items():
        if part == one:
            return other
        if part.lower() == one.lower() and len(part) > 2:
            if part.islower():
                return other.lower()
            return other.upper() if part.isupper() else other[:1].upper() + other[1:].lower()
    return part
