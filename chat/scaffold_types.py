"""Pure: the values of a test scaffold: what is tested, how, and where the tests go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from chat.edits_types import Edit, NewFile
from chat.shape import Branch, Shape

Framework = Literal["pytest", "unittest", "jest", "vitest", "node:test", "go", "cargo", "junit4", "junit5"]
FILL = "Fill in the arguments and what is expected"
SAY_CHANGED = "Say what has changed"
SAY_EXPECTED = "Say what is expected"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One way through what is tested."""

    words: str
    """What sets it apart, in words; empty for the usual way."""
    branch: Branch | None = None
    raises: str = ""
    """The error that it ends in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What is tested: a function, or a method with the class that it is of."""

    shape: Shape
    owner: Shape | None
    cases: tuple[Case, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Where the tests go."""

    framework: Framework
    path: str
    text: str | None
    """Of the file that is there already."""
    version: int | None = None
    sample: str = ""
    """Other tests of the project, for how they are written."""
    manifest: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scaffold:
    """Tests that wait to be filled in: until then each is skipped, and none can pass by doing nothing."""

    framework: Framework
    path: str
    tests: tuple[str, ...]
    """Their names."""
    edits: tuple[Edit, ...] = ()
    """Of a file that is there."""
    new: NewFile | None = None
