"""Pure: the values of edits: what was asked about, what an answer proposes, what comes of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Mark = Literal[" ", "-", "+"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A document that may be changed, as it was when the question was asked."""

    path: str
    """From the root, with slashes."""
    text: str
    version: int | None
    language: str
    focus: tuple[int, int] | None = None
    """The first and the last line that the question is about, counted from 1: what was selected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """Some whole lines of one version of a document, and what stands there instead."""

    path: str
    version: int | None
    start: int
    """In code points, as ``end``."""
    end: int
    new_text: str
    says: str
    """What it does, in a few words, for the preview."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFile:
    """A file that is not there yet."""

    path: str
    """From the root, with slashes."""
    text: str
    says: str = ""
    """What it is, in a few words, for the preview."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why nothing is changed, in one sentence for the user."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Marked:
    """A line of a change: it stays, it goes, or it comes."""

    mark: Mark
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Lines to be found and lines in their place: a search/replace block, or a hunk of a diff."""

    path: str
    """Said plainly; empty if it was not."""
    hint: str
    """A path named in the sentence before it."""
    lines: tuple[Marked, ...]
    heading: str = ""
    """What a hunk says of the definition it is in."""
    at: int | None = None
    """The line it says it starts at, counted from 1, if what it says of its size is true."""
    whole: str = ""
    """The new lines as the answer wrote them, where they may also be a whole definition."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """Code with nothing said of where it goes: definitions, a body, a piece, a file."""

    path: str
    hint: str
    text: str
    complete: bool
    """Whether it is sure that it was not cut off."""
    minor: bool = False
    """Whether it may be left out if others define the same: a command, an output, an example."""
    appends: bool = False
    """Whether new definitions may go to the end of the document: tests."""
    documents: bool = False
    """Whether comments are what was asked for."""


Proposed = Change | Code


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """A document as lines and their ends, so that each line keeps its own."""

    texts: tuple[str, ...]
    ends: tuple[str, ...]
    starts: tuple[int, ...]
    """Where each line begins, in code points, and where the document ends."""
    origin: int
    """Where the text begins: behind the byte order mark, if there is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What a definition says of the lines of another one: all of it, so that two cannot be right."""

    first: int
    last: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LineEdit:
    """Lines ``first`` up to but not including ``last``, counted from 0, and the lines in their place."""

    first: int
    last: int
    texts: tuple[str, ...]
    says: str = field(default="", compare=False)
    claim: Claim | None = field(default=None, compare=False)


class Unclear(Exception):
    """An answer cannot be placed; the message is for the user. It never leaves ``chat.edits``."""
