"""Pure: the shape of a definition: its parameters, what it returns and raises, and where it branches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ParameterKind = Literal["plain", "keyword", "rest", "keywords", "block"]
"""``rest`` takes all other arguments, ``keywords`` all other named ones; ``block`` is Ruby's."""
Ending = Literal["returns", "raises", "other"]
What = Literal["function", "method", "class"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One parameter as its definition has it; receivers (`self`) are none."""

    name: str
    """Without stars and marks; a pattern (`{a, b}`) as it is written."""
    type: str = ""
    default: str = ""
    kind: ParameterKind = "plain"
    is_optional: bool = False

    @property
    def is_pattern(self) -> bool:
        """Whether it takes its argument apart instead of naming it."""
        return self.name[:1] in ("{", "[", "(")


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """A way through a function that leaves it early."""

    condition: str
    """As it is written."""
    ending: Ending
    what: str
    """The name of what is raised, or what is returned."""
    line: int
    """1-based."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Raised:
    """Something that a body raises."""

    name: str
    line: int
    """1-based."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """What is seen in a function's body, without the functions in it."""

    gives: bool = False
    """Whether it returns a value."""
    yields: bool = False
    raises: tuple[Raised, ...] = ()
    branches: tuple[Branch, ...] = ()
    decisions: int = 0
    """How many places decide which way to go: ifs, loops, cases, handlers."""
    loops: int = 0
    depth: int = 0
    """How deep its blocks stand in each other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A definition. Lines are counted from 0."""

    name: str
    what: What
    language: str
    scope: tuple[str, ...]
    lead: int
    """The first of its decorators and attributes; comments above are not in it."""
    first: int
    """Where its head begins."""
    header: int
    """The last line of its head."""
    last: int
    indent: str
    parameters: tuple[Parameter, ...] = ()
    type_parameters: tuple[str, ...] = ()
    returns: str = ""
    """As it is declared."""
    throws: tuple[str, ...] = ()
    """As it is declared."""
    receiver: str = ""
    """As it is written: `self`, `&mut self`, `(s *Stack)`."""
    body: Body | None = None
    """``None``: there is none, or it cannot be read."""
    is_async: bool = False
    is_static: bool = False
    is_property: bool = False
    is_abstract: bool = False
    is_constructor: bool = False
    is_exported: bool = False
    """Whether its head itself says that others may use it: `export`, `pub`, `public`."""
    decorators: tuple[str, ...] = ()

    @property
    def gives(self) -> bool:
        """Whether calling it gives a value, as far as it can be seen."""
        declared = self.returns.strip()
        if declared:
            return declared not in NOTHING
        return self.body is not None and self.body.gives

    @property
    def raised(self) -> tuple[str, ...]:
        """What it raises: as declared, then as seen."""
        seen = (it.name for it in self.body.raises) if self.body else ()
        return tuple(dict.fromkeys((*self.throws, *seen)))


NOTHING = frozenset(
    {
        *("None", "NoReturn", "Never", "void", "Void", "Unit", "()", "never", "undefined", "!"),
        *("Promise<void>", "Task", "ValueTask", "Awaitable[None]"),
    }
)
