"""Pure: what is to be imported, whatever the language."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Form = Literal["name", "module", "default"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One name that a file lacks, and where it is from."""

    module: str
    """As an import writes it: `shop.basket`, `./basket`, `net/http`, `crate::basket`, `shop`."""
    name: str = ""
    """What of it; empty for the module itself."""
    called: str = ""
    """What the file calls it, if that is something else."""
    form: Form = "name"

    @property
    def key(self) -> str:
        """By which it is sorted among others."""
        return f"{self.module}:{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """What has to be known of a project to put an import in its place."""

    own: frozenset[str] = frozenset()
    """The first parts of the project's own modules: they have a group of their own."""
    longest: int = 88
    """The longest line that is made by adding a name to it."""
