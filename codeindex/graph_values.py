"""Pure: what the graph is made of: a definition, an import, a use of a name, and what a use may mean."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from codeindex.types import Kind, SymbolRow

LAST_IS_NAME = frozenset({"csharp", "java", "php", "rust"})
"""Where the last part of what is imported may be the name of a class or a function."""


class Confidence(StrEnum):
    """How sure it is that a use means a definition."""

    CERTAIN = "certain"
    LIKELY = "likely"
    NAME = "by name only"


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """A symbol in one file; the same text in another file is another definition."""

    path: str
    row: SymbolRow

    @property
    def owner(self) -> str:
        """The innermost name around it."""
        return self.row.scope.rpartition(".")[2]

    @property
    def is_member(self) -> bool:
        """Whether it takes an object to get at it."""
        kind, scope = self.row.kind, self.row.scope
        is_table = self.row.language == "lua" and kind is Kind.FUNCTION
        return kind is Kind.METHOD or (bool(scope) and (kind in (Kind.VARIABLE, Kind.CONSTANT) or is_table))


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """An import, as far as it concerns the graph."""

    module: str
    names: tuple[str, ...]
    called: tuple[tuple[str, str], ...]
    """What the file calls it: the name here, and there; ``*`` there means the whole."""
    files: tuple[str, ...]
    """Empty: of somebody else."""
    named: tuple[tuple[str, str], ...]
    """Names that are files of their own."""

    @property
    def last(self) -> str:
        """The last part of the module."""
        return self.module.replace("::", ".").replace("\\", ".").replace("/", ".").rpartition(".")[2]

    def brings(self, name: str, of: str) -> bool:
        """Whether it is this name that is imported, in a language of this family."""
        return name in self.names or (not self.names and of in LAST_IS_NAME and self.last == name)

    def files_of(self, name: str) -> tuple[str, ...]:
        """The files in which a name out of it is looked for."""
        own = tuple(path for it, path in self.named if it == name)
        return own + self.files


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """A place where a name is used."""

    path: str
    language: str
    scope: str
    """The symbol around it with its own scope; empty at the top."""
    name: str
    receivers: frozenset[str]
    """What stands before the name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A definition that a use may mean."""

    definition: Definition
    confidence: Confidence
    reason: str
    among: int = 1
    """How many are as likely as this one, itself included."""


Links = Callable[[str], Sequence[Link]]
"""What a file imports."""
Ancestors = Callable[[str], frozenset[str]]
"""The names of what a class inherits from, all the way up, as far as its name says."""
