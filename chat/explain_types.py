"""Pure: the facts of a definition that can be seen without understanding it."""

from __future__ import annotations

from dataclasses import dataclass

from chat.code import Call
from chat.explain_effects import Seen as Effect
from chat.shape import Shape
from chat.types import Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """Something that a class has."""

    name: str
    signature: str
    doc: str
    line: int
    """1-based."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What there is to say of a definition."""

    name: str
    kind: str
    """In a word: function, method, class."""
    place: Place
    signature: str
    doc: str
    language: str
    shape: Shape | None
    """``None``: its head could not be read."""
    lines: int
    """Of code, without blank ones and comments."""
    effects: tuple[Effect, ...] = ()
    calls: tuple[Call, ...] = ()
    """What it calls, each once, in order."""
    callers: tuple[Call, ...] = ()
    members: tuple[Member, ...] = ()
    says: tuple[str, ...] = ()
    """Its size, its ways and its course, in sentences."""
