"""The whole index at once, for what is about all of it: what each text defines and uses, in plain columns.

Asked name by name, as the rest of the graph asks, a large project would take minutes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from codeindex.store.read import Reader
from codeindex.types import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A content that files have: everything is the place of something in ``Whole``."""

    content: int
    paths: tuple[str, ...]
    language: str
    first: int
    """Of its symbols; they are in a row."""
    last: int
    """The one behind them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """All texts with their symbols."""

    texts: tuple[Text, ...]
    ids: npt.NDArray[np.int64]
    """Of the symbols."""
    names: tuple[int, ...]
    """Of the symbols, by the names' ids."""
    kinds: tuple[Kind, ...]
    scopes: tuple[str, ...]
    owners: tuple[int, ...]
    """The text that each symbol is in."""
    spelled: Mapping[int, str]
    """The names that are defined."""


def whole(reader: Reader) -> Whole:
    """Read it."""
    with reader.snapshot():
        paths = reader.all_paths()
        contents = reader.all_contents()
        symbols = list(reader.all_symbols())
        spelled = reader.all_defined()
    ids = np.array([it[1] for it in symbols], dtype=np.int64)
    texts = []
    for content, language, first, count in contents:
        if content in paths:
            start, end = np.searchsorted(ids, [first, first + count])
            files = tuple(sorted(paths[content]))
            texts.append(
                Text(content=content, paths=files, language=language, first=int(start), last=int(end))
            )
    places = {it.content: place for place, it in enumerate(texts)}
    return Whole(
        texts=tuple(texts),
        ids=ids,
        names=tuple(it[2] for it in symbols),
        kinds=tuple(it[3] for it in symbols),
        scopes=tuple(it[4] for it in symbols),
        owners=tuple(places.get(it[0], -1) for it in symbols),
        spelled=spelled,
    )


def uses(reader: Reader, known: Whole) -> list[dict[tuple[int, int], int]]:
    """For each text: which name is used in which of its symbols (-1: at the top), and how often."""
    found: dict[int, dict[tuple[int, int], int]] = {}
    defined = set(known.names)
    for content, own, its in reader.all_uses():
        counts: dict[tuple[int, int], int] = {}
        for place, _, symbol, _ in its:
            name = own[place]
            if name in defined:
                key = (name, symbol)
                counts[key] = counts.get(key, 0) + 1
        found[content] = counts
    return [found.get(it.content, {}) for it in known.texts]
