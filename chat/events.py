"""Pure: what is told of every answer while it is made, whoever makes it."""

from __future__ import annotations

from dataclasses import dataclass

from chat.router import Decision


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """Who is asked, and why; once more if that one has failed."""

    decision: Decision


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """Some more of the answer, as the user sees it."""

    text: str
