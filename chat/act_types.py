"""Pure: the values of running a command: what it is about, what happens meanwhile, what comes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from chat.edits_types import Edit, NewFile, Source
from chat.events import Decided, Text
from chat.types import Problem, Tier


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What a command is about: lines of a file."""

    path: str
    """From the root, with slashes."""
    first_line: int
    """1-based: of the selection, or where the cursor is."""
    last_line: int
    """Inclusive."""
    language: str = ""
    """As the editor says; empty: by the file's name."""
    is_selected: bool = False
    """Whether somebody selected these lines, and not only put the cursor there."""
    version: int | None = None
    """Of the document that they looked at; ``None``: they looked at a file."""
    problems: tuple[Problem, ...] = ()
    """The diagnostics that it is about."""
    name: str = ""
    """The definition that is meant, if the place alone does not say it."""
    word: str = ""
    """What stands at the cursor."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a command. Nothing has been changed yet: only the editor does that."""

    command: str
    title: str
    markdown: str = ""
    """What it says."""
    edits: tuple[Edit, ...] = ()
    unsure: tuple[Edit, ...] = ()
    """Edits that somebody has to look at, one by one, before they are made."""
    files: tuple[NewFile, ...] = ()
    sources: Mapping[str, Source] = field(default_factory=dict)
    """What the edits are edits of."""
    refusal: str = ""
    """Why there is nothing, in one sentence."""
    note: str = ""
    """What is to be known of it, in a sentence or two: why a model's answer was not used."""
    tier: Tier = "extractive"
    server: str = ""
    """Who answered, as people know it."""
    reason: str = ""
    """Why that one, in one sentence."""

    @property
    def changes(self) -> bool:
        """Whether there is something for the editor to do."""
        return bool(self.edits or self.unsure or self.files)


@dataclass(frozen=True, slots=True, kw_only=True)
class Working:
    """What is being done now, in a few words."""

    says: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """The last event: what came of it."""

    outcome: Outcome


Event = Working | Decided | Text | Done
