"""Pure: what a build says while it works, and when it has ended."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """How a build ended."""

    DONE = "done"
    STOPPED = "stopped"
    """Before everything was read. What was read is kept, and the next build goes on from there."""
    BUSY = "busy"
    """Another process writes to this index."""
    NO_ROOT = "no_root"
    """There is no such folder; the index is left as it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far it is. Said after each commit, and once before the first."""

    files: int
    """That were read."""
    total: int
    """That are to be read."""
    lines: int
    """That were taken apart."""
    seconds: float
    seconds_left: float | None
    """By the bytes that are left; None as long as nobody can say."""
    generation: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildReport:
    """What was done."""

    outcome: Outcome
    generation: int = 0
    files: int = 0
    """That belong, read now or before."""
    read: int = 0
    """Of these, what was new or changed."""
    gone: int = 0
    lines: int = 0
    """That were taken apart: what was known already is not."""
    seconds: float = 0.0
    left_out: tuple[tuple[str, str], ...] = ()
    """Files that were read now and do not belong, with the reason."""
    problems: tuple[str, ...] = ()
    """Sentences: what could not be looked at."""
    notice: str = ""
    """One sentence if something happened to the index itself."""


OnProgress = Callable[[Progress], None]


def unheard(_: Progress) -> None:
    """Nobody listens."""
