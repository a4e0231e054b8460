"""What Hearth adds to the protocol: its own methods and commands. `docs/protocol.md` has a section for each.

Standard library only: the first answer to an editor is made from this file.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

STATUS = "hearth/status"

ACCEPTED = "hearth.accepted"
PAUSE = "hearth.pause"
RESUME = "hearth.resume"
RESTART_ENGINE = "hearth.restartEngine"

CUSTOM_METHODS = (STATUS,)
COMMANDS = (ACCEPTED, PAUSE, RESUME, RESTART_ENGINE)

State = Literal["stopped", "starting", "idle", "loading", "ready", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """What `hearth/status` says."""

    model: str
    state: State
    """``stopped``: no engine; ``idle``: an engine without a model in memory; ``loading``: on its way."""
    progress: float = 0.0
    """How much of the model is loaded, 0 to 1."""
    tokens_per_second: float = 0.0
    problem: str = ""
    """Why nothing can be suggested: one sentence; empty if all is well."""
    paused: bool = False
    shown: int = 0
    """Suggestions sent by this server."""
    accepted: int = 0
    """Suggestions the editor reported as accepted."""

    def json(self) -> dict[str, Any]:
        """As it goes over the wire."""
        return {
            "model": self.model,
            "state": self.state,
            "progress": round(self.progress, 2),
            "tokensPerSecond": round(self.tokens_per_second),
            "problem": self.problem,
            "paused": self.paused,
            "shown": self.shown,
            "accepted": self.accepted,
        }
