"""Pure: how much two names look alike, by the three-letter pieces that they have in common."""

from __future__ import annotations

from collections.abc import Iterable

SIZE = 3
LEAST = 0.2  # Of the pieces of both, so many are common; with less, nobody would take one for the other.


def trigrams(text: str) -> tuple[str, ...]:
    """The pieces of a name, as SQLite makes them: each once, in lower case; none for a shorter one."""
    folded = text.casefold()
    return tuple(dict.fromkeys(folded[it : it + SIZE] for it in range(len(folded) - SIZE + 1)))


def nearest(text: str, names: Iterable[str]) -> list[str]:
    """The names that look like this one, likest first; a name in which it stands is like it."""
    folded, pieces = text.casefold(), frozenset(trigrams(text))
    scored = [(_likeness(folded, pieces, it), it) for it in names]
    return [it for score, it in sorted(scored, key=lambda it: (-it[0], len(it[1]), it[1])) if LEAST <= score]


def _likeness(text: str, pieces: frozenset[str], name: str) -> float:
    others = frozenset(trigrams(name))
    if not pieces or not others:
        return 1.0 if name.casefold().startswith(text) else 0.0
    return 2 * len(pieces & others) / (len(pieces) + len(others))
