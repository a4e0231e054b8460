"""What chat asks of the code: an index, the buffers and the files behind one protocol of plain values.

Paths are from the workspace's root, with slashes; where several folders are open, they begin with the name of
their folder. Nothing here raises for what is not there: the answer is empty then, and ``problem`` says why.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from chat.types import Problem
from codeindex.types import Hit, SymbolRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Symbol:
    """A definition in a file."""

    path: str
    row: SymbolRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One place where something is called, or something that is called."""

    path: str
    line: int
    """1-based: where the name is used."""
    text: str
    """That line."""
    name: str
    """What is called, or what stands around the call."""
    sure: Literal["certain", "likely", "by name only"] = "by name only"
    target: Symbol | None = None
    """What is called, where it is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Occurrence:
    """One place where a symbol's name stands, in code: never in a text or a comment."""

    path: str
    line: int
    """1-based."""
    column: int
    """0-based, in characters."""
    length: int
    sure: Literal["certain", "likely", "by name only"]
    is_definition: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line of code that was found."""

    path: str
    line: int
    """1-based."""
    text: str
    around: str = ""
    """What it stands in, with its scope; empty at the top of a file, or where that is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """Lines that were found, those of tests, documents and the like last."""

    lines: tuple[Line, ...] = ()
    more: int = 0
    """How many there are beyond the limit."""


class Code(Protocol):
    """The workspace's code, as it is on screen or on disk now."""

    async def search(self, query: str, *, limit: int = 20, paths: tuple[str, ...] = ()) -> tuple[Hit, ...]:
        """The best pieces for words, a name, a path or an error message; ``paths`` are glob patterns."""
        ...

    async def definitions(
        self, names: tuple[str, ...], *, path: str = "", limit: int = 10
    ) -> tuple[Hit, ...]:
        """The code that names stand for, as seen from a file."""
        ...

    async def symbols(self, query: str, *, limit: int = 20) -> tuple[Symbol, ...]:
        """Definitions whose names begin with, contain or abbreviate what is typed."""
        ...

    async def callers(self, name: str, *, path: str = "", line: int = 0, limit: int = 50) -> tuple[Call, ...]:
        """Who calls what has this name, or what is defined at this place; surest first.

        Without a name: where other files import this one, ``name`` being that one again.
        """
        ...

    async def callees(self, name: str, *, path: str = "", line: int = 0, limit: int = 50) -> tuple[Call, ...]:
        """What it calls. Without a name: what the file imports, each by its file or its module's name."""
        ...

    async def occurrences(self, name: str, *, path: str, line: int) -> tuple[Occurrence, ...]:
        """Everywhere a symbol's name stands; it is the one defined or used at this place."""
        ...

    async def lines(
        self, pattern: str, *, words: tuple[str, ...] = (), paths: tuple[str, ...] = (), limit: int = 200
    ) -> Lines:
        """Every line of code that a regular expression finds; ``words``: a line must have one of these.

        The expression is ours, or a word that is escaped: never what somebody typed. With words it is quick.
        """
        ...

    async def outline(self, path: str) -> tuple[SymbolRow, ...]:
        """What one file defines, in the order of its lines."""
        ...

    async def overview(self, tokens: int, focus: tuple[str, ...] = ()) -> str:
        """The outline of all, the most important first, in so many tokens."""
        ...

    async def text(self, path: str) -> str | None:
        """A file as it is on screen, else on disk; ``None`` if it is not there or must not be read."""
        ...

    async def version(self, path: str) -> int | None:
        """The version of the open document; ``None`` if it is not open."""
        ...

    async def files(self, pattern: str = "", *, limit: int = 1000) -> tuple[str, ...]:
        """The files that belong, by a glob pattern, a folder or a part of their path; sorted by path."""
        ...

    async def diff(self) -> str:
        """What has changed since the last commit, as a unified diff; empty without git."""
        ...

    async def problems(self, path: str = "") -> tuple[Problem, ...]:
        """The diagnostics that the editor knows of, of one file or of all."""
        ...

    async def faults(self, text: str, language: str) -> int | None:
        """How many faults a grammar finds in a text; ``None`` if there is no grammar."""
        ...

    async def problem(self) -> str:
        """Why answers may be missing or incomplete now: one sentence, or empty."""
        ...
