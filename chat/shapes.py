"""Pure: the shape of a definition in any language: Python by its syntax, others by their heads."""

from __future__ import annotations

from functools import lru_cache

from chat import shape_python, shape_text
from chat.shape import Shape
from codeindex.types import SymbolRow

_module = lru_cache(4)(shape_python.module)


def shape(text: str, language: str, row: SymbolRow) -> Shape | None:
    """What stands at a row of the index; None if nothing there can be read as a definition."""
    plain = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    if language == "python":
        found = _module(plain)
        return shape_python.shape(found, row.name, row.line) if found else None
    return shape_text.shape(plain, language, row)


def python(text: str) -> shape_python.Module | None:
    """A text of Python by its syntax; None if it cannot be read."""
    return _module(text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n"))
