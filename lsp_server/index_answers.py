"""What the index's process answers -> values; what makes no sense is left out."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from codeindex.protocol import hit_in, symbol_in
from codeindex.types import Hit, SymbolRow

logger = logging.getLogger(__name__)

Json = Mapping[str, Any]


def hits_in(said: Any) -> Iterator[Hit]:
    """The hits of an answer; what makes no sense is left out."""
    yield from values_in(said, "hits", hit_in)


def symbols_in(said: Any) -> Iterator[SymbolRow]:
    """The same of symbols."""
    yield from values_in(said, "symbols", symbol_in)


def values_in(said: Any, key: str, read: Callable[[Json], Any]) -> Iterator[Any]:
    """What is listed under a key, each as it is read."""
    listed = said.get(key) if isinstance(said, Mapping) else said
    for it in listed if isinstance(listed, list) else ():
        try:
            yield read(it)
        except (AttributeError, KeyError, TypeError, ValueError):
            logger.warning("index said nonsense key=%s", key)
