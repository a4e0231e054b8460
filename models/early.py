"""Start the engine before what speaks to it is imported: it has as much to import, on another processor."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import filelock

from models.errors import ModelError
from models.process import Child, EngineOptions, Place

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Early:
    """An engine that is being started, and the right to start one, which is to be given back."""

    child: Child
    lock: filelock.BaseFileLock

    def release(self) -> None:
        """Let others start one again."""
        self.lock.release()


def begin(place: Place, options: EngineOptions) -> Early | None:
    """Start an engine where there can be none; ``None`` leaves everything to who looks more closely."""
    lock = filelock.FileLock(place.start_lock, timeout=0)
    if _is_there(place):
        return None
    try:
        lock.acquire()
    except (filelock.Timeout, OSError):
        return None
    try:
        if not _is_there(place):  # Whoever held the lock has not started one.
            return Early(Child(place, options), lock)
    except (ModelError, OSError) as exc:  # Who looks more closely says why, in a sentence.
        logger.debug("no early engine cause=%s", exc)
    lock.release()
    return None


def _is_there(place: Place) -> bool:
    """Whether an engine may be: it has an address, or had one and could not take it away."""
    return (place.port if place.tcp else place.socket).exists()
