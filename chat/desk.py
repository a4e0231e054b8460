"""What answering takes: the code, who may be asked, how they are reached, and where things are kept."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from chat import sent
from chat.code import Code
from chat.router import Places, Policy
from models.spec import BackendSpec

if TYPE_CHECKING:
    from models.client import Client

Connect = Callable[[BackendSpec], "Awaitable[Client]"]
"""Opens a server, or starts it. Whoever made the desk closes what this returns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Everything that an answer is made with, as it is now."""

    code: Code
    places: Places
    policy: Policy
    connect: Connect
    data: Path
    """Hearth's data folder: what was sent, why, and the history."""
    notes: tuple[str, ...] = ()
    """What the user has written down about this project."""
    kept_bytes: int = sent.LARGEST
    """How much of what was sent is kept for the user to see."""
