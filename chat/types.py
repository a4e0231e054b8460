"""Pure: the values that the parts of chat share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Tier = Literal["extractive", "local", "cloud"]
"""Who answers: the code itself, a model on this machine, or one elsewhere."""
Task = Literal[
    "ask", "explain", "document", "tests", "fix", "refactor", "review", "summarize", "architecture"
]
"""What is asked for."""
PieceKind = Literal["code", "document", "diff", "problem", "note", "outline"]
MentionKind = Literal["codebase", "file", "folder", "symbol", "selection", "diff", "problems", "docs"]
Severity = Literal["error", "warning", "information", "hint"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Some lines of a file."""

    path: str
    """From the root, with slashes."""
    first_line: int
    """1-based."""
    last_line: int
    """Inclusive."""

    @property
    def link(self) -> str:
        """As editors and forges write it: ``path#L3-L9``, or ``path#L3`` for a single line."""
        lines = f"L{self.first_line}"
        return f"{self.path}#{lines}" + (f"-L{self.last_line}" if self.first_line < self.last_line else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Something that may go into a prompt, or be shown."""

    place: Place | None
    """``None`` for what stands in no file: a diff, an outline of all, a note."""
    text: str
    """Exactly the lines of its place, where it has one."""
    title: str = ""
    kind: PieceKind = "code"
    why: str = ""
    """Why it is here, in a few words."""
    signature: str = ""
    doc: str = ""
    language: str = ""
    score: float = 0.0
    """The higher, the more it should be there; what was asked for by name is above 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mention:
    """What an ``@…`` in a question names."""

    kind: MentionKind
    value: str = ""
    """A path, a name; empty for what needs none."""
    start: int = 0
    """In code points of the question, as ``end``."""
    end: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What is selected in an editor, or the lines that a question is about."""

    path: str
    language: str
    first_line: int
    """1-based."""
    last_line: int
    """Inclusive."""
    text: str
    """Whole lines."""
    version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A diagnostic, as the editor shows it."""

    path: str
    first_line: int
    """1-based."""
    last_line: int
    """Inclusive."""
    message: str
    severity: Severity = "error"
    source: str = ""
    """Who says so: ``ruff``, ``tsc``."""
    code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What somebody asks, and from where."""

    text: str
    """Without the mentions' marks and without the slash command."""
    task: Task = "ask"
    mentions: tuple[Mention, ...] = ()
    selection: Selection | None = None
    path: str = ""
    """The file that is open in front of them; empty for none."""
    language: str = ""
    problems: tuple[Problem, ...] = field(default=())
