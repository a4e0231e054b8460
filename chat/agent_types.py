"""Pure: the values of agent mode: what happens step by step, what comes of it, and tools of others."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from chat.edits_types import Edit, Source
from chat.events import Decided
from chat.redact import Secret
from chat.tools_values import Result
from chat.types import Place, Tier
from models.wire import ToolSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """A call of somebody else's tool, all of it, for the user to allow or not."""

    server: str
    """By its name in the user's settings."""
    tool: str
    arguments: str
    """As JSON, the very text that would be sent."""
    says: str = ""
    """What the server says that the tool does. Nobody has checked it."""

    @property
    def name(self) -> str:
        """As the list of allowed tools in the user's settings has it."""
        return f"{self.server}/{self.tool}"


Confirm = Callable[[Asking], Awaitable[bool]]
"""Asks the user. Nothing but ``True`` allows the call."""


class Toolbox(Protocol):
    """Tools that are not ours."""

    @property
    def specs(self) -> Sequence[ToolSpec]:
        """As a model is told of them; their names are none of ours."""
        ...

    def asking(self, name: str, arguments: Mapping[str, Any]) -> Asking | None:
        """What the user has to allow; ``None`` if there is no such tool."""
        ...

    def is_allowed(self, asking: Asking) -> bool:
        """Whether the user's own settings allow every call of this tool."""
        ...

    async def call(self, name: str, arguments: Mapping[str, Any], most: int) -> Result:
        """Call it. What fails is a result that says so."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Calling:
    """A tool is used now."""

    step: int
    """Counted from 1; 0 is the look around that comes before every question."""
    tool: str
    """Of others with their server: ``server/tool``."""
    arguments: str
    """As JSON."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Called:
    """What it said."""

    step: int
    tool: str
    result: Result
    is_refused: bool = False
    """Whether the user did not allow it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """Some more of what the model says: its answer, or a word before it calls a tool."""

    text: str
    step: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of it. Nothing has been changed: edits are proposals, and only the editor makes them."""

    text: str = ""
    """The answer: what was said behind the last call."""
    places: tuple[Place, ...] = ()
    """What was looked at, each once, in order."""
    edits: tuple[Edit, ...] = ()
    sources: Mapping[str, Source] = field(default_factory=dict)
    """What the edits are edits of."""
    refusal: str = ""
    """Why what the answer proposes cannot be an edit, in one sentence."""
    tier: Tier = "extractive"
    server: str = ""
    reason: str = ""
    """Why this one answered."""
    problem: str = ""
    """What went wrong, or why it ended before its time, in one sentence."""
    steps: int = 0
    """Steps in which tools were used."""
    by_plan: bool = False
    """Whether the model cannot call tools: what it saw was chosen by us."""
    secrets: tuple[Secret, ...] = field(default=(), repr=False)
    """All that the conversation knows of now: hand them on to its next question."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """The last event."""

    outcome: Outcome


Event = Decided | Calling | Called | Text | Done
