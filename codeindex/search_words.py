"""Which chunks the words of a question stand in, best first, in milliseconds also of a large index."""

from __future__ import annotations

from collections.abc import Iterable

from codeindex.query import ceiling, expression, parts, telling
from codeindex.store.read import Reader
from codeindex.types import Filters

WEIGHTS = (2.0, 1.5, 1.0)  # Of a match in the name, in the documentation and in the body of a chunk.
LARGE = 20_000  # Chunks. Below, to rank by every word takes a few milliseconds, and finds a little more.
SCORED = 4_000  # Chunks of a large index that are scored for its rarest words: each takes a microsecond.
EVERYWHERE = 0.2  # Of a large index: what stands in more chunks is asked for only if there is nothing else.
EVERYTHING = Filters()


def by_words(
    reader: Reader, terms: tuple[str, ...], limit: int, where: Filters = EVERYTHING
) -> list[tuple[int, float]]:
    """Chunks in which some of these words stand, best first; some may be in no file any more."""
    known = reader.size()
    if known <= LARGE:
        match = expression(terms)
        return best(reader, match, limit, where) if match else []
    spread = reader.frequencies(terms)
    most = _most(limit, where)
    found: list[tuple[int, float]] = []
    for it in parts(telling(terms, spread, known * EVERYWHERE), spread, SCORED):
        # To score costs most by far: what cannot come among the best is not even looked at.
        if len(found) < most or found[-1][1] <= ceiling(it, spread, known):
            found = _ordered([*found, *best(reader, it.match, limit, where)])[:most]
    return found


def is_everywhere(reader: Reader, terms: tuple[str, ...]) -> bool:
    """Whether a question of one word is about one that stands all over a large index."""
    return len(terms) == 1 and LARGE < reader.size() and SCORED < reader.frequencies(terms)[terms[0]]


def best(reader: Reader, match: str, limit: int, where: Filters) -> list[tuple[int, float]]:
    """The best chunks that match; without filters some more, as some may be in no file any more."""
    if where != EVERYTHING:
        return reader.lexical(match, WEIGHTS, limit, where)
    return reader.best(match, WEIGHTS, _most(limit, where))


def _most(limit: int, where: Filters) -> int:
    """Nearly all that is indexed is in a file, and who looks up the rest finds that it is not."""
    return limit if where != EVERYTHING else limit + limit // 8


def _ordered(found: Iterable[tuple[int, float]]) -> list[tuple[int, float]]:
    return sorted(found, key=lambda it: (-it[1], it[0]))
