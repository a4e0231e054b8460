"""What Hearth adds to the protocol: its own methods and commands. `docs/protocol.md` has a section for each.

Standard library only: the first answer to an editor is made from this file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

STATUS = "hearth/status"
CURSOR = "hearth/cursor"
SEARCH = "hearth/search"
INDEX = "hearth/index"
CHAT = "hearth/chat"
CHAT_HISTORY = "hearth/chatHistory"
CHAT_OPEN = "hearth/chatOpen"
CHAT_RENAME = "hearth/chatRename"
CHAT_DELETE = "hearth/chatDelete"
CHAT_EXPORT = "hearth/chatExport"
CHAT_SUGGEST = "hearth/chatSuggest"
WHY = "hearth/why"
SENT = "hearth/sent"
CLEAR_SENT = "hearth/clearSent"
NOTES = "hearth/notes"

ACCEPTED = "hearth.accepted"
DISMISSED = "hearth.dismissed"
PAUSE = "hearth.pause"
RESUME = "hearth.resume"
RESTART_ENGINE = "hearth.restartEngine"
SUGGESTION_SOURCE = "hearth.suggestionSource"
PAUSE_INDEX = "hearth.pauseIndex"
RESUME_INDEX = "hearth.resumeIndex"
RESCAN_INDEX = "hearth.rescanIndex"
RUN = "hearth.run"

CUSTOM_METHODS = (
    STATUS,
    CURSOR,
    SEARCH,
    INDEX,
    CHAT,
    CHAT_HISTORY,
    CHAT_OPEN,
    CHAT_RENAME,
    CHAT_DELETE,
    CHAT_EXPORT,
    CHAT_SUGGEST,
    WHY,
    SENT,
    CLEAR_SENT,
    NOTES,
)
COMMANDS = (
    ACCEPTED,
    DISMISSED,
    PAUSE,
    RESUME,
    RESTART_ENGINE,
    SUGGESTION_SOURCE,
    PAUSE_INDEX,
    RESUME_INDEX,
    RESCAN_INDEX,
    RUN,
)
CODE_ACTION_KINDS = ("quickfix", "refactor.extract", "refactor.rewrite", "source")
SOURCES = ("memory", "model", "both")

State = Literal["stopped", "starting", "idle", "loading", "ready", "failed"]
MemoryState = Literal["off", "empty", "building", "ready"]
IndexState = Literal["off", "empty", "building", "ready", "paused", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryStatus:
    """What `hearth/status` says about the project memory."""

    state: MemoryState = "empty"
    """``empty``: there is nothing to remember yet; ``building``: the project is being read the first time."""
    files: int = 0
    megabytes: float = 0.0
    """Of text."""
    progress: float = 0.0
    """While a process reads the folders: about how much is done, 0 to 1."""

    def json(self) -> dict[str, Any]:
        """As it goes over the wire."""
        return {
            "state": self.state,
            "files": self.files,
            "megabytes": round(self.megabytes, 1),
            "progress": round(self.progress, 2),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexStatus:
    """What `hearth/status` says about the code index, of all folders together."""

    state: IndexState = "empty"
    """``empty``: nothing is known yet; ``building``: some of it, the rest is being read."""
    files: int = 0
    chunks: int = 0
    """Pieces that can be found."""
    symbols: int = 0
    vectors: int = 0
    """Pieces that can be found by their meaning."""
    progress: float = 0.0
    """Of what is being read: 0 to 1."""
    seconds_left: float | None = None
    """About; ``None`` if that cannot be told."""
    problem: str = ""
    """One sentence, or empty."""

    def json(self) -> dict[str, Any]:
        """As it goes over the wire."""
        return {
            "state": self.state,
            "files": self.files,
            "chunks": self.chunks,
            "symbols": self.symbols,
            "vectors": self.vectors,
            "progress": round(self.progress, 2),
            "secondsLeft": None if self.seconds_left is None else round(self.seconds_left),
            "problem": self.problem,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """Of suggestions."""

    shown: int = 0
    """Sent by this server."""
    accepted: int = 0
    """Reported by the editor as accepted."""


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
    by_source: Mapping[str, Count] = field(default_factory=dict)
    """The same by where they came from: ``memory``, ``model``, or ``both`` said so."""
    memory: MemoryStatus = MemoryStatus()
    index: IndexStatus = IndexStatus()

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
            "bySource": {
                it: {"shown": count.shown, "accepted": count.accepted}
                for it in SOURCES
                for count in (self.by_source.get(it, Count()),)
            },
            "memory": self.memory.json(),
            "index": self.index.json(),
        }
