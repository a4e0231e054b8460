"""Who may write to a workspace's index: one process at a time, by a lock of the operating system.

It is held for the writer's life and goes with the process, however that ends: nobody has to find out whether
the holder still lives. What the file says about the holder is for people to read.
"""

from __future__ import annotations

import json
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType

from filelock import FileLock, Timeout

from codeindex.store.disk import private_folder, write_note

LOCK = "writer.lock"
NOTE = "writer.json"
ASKING_S = 0.1  # Longer than it takes to ask who the holder is.


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Who holds a lease."""

    pid: int
    since: float
    """Seconds of the epoch."""


class Lease:
    """The right to write, until it is released."""

    def __init__(self, lock: FileLock) -> None:
        """Use ``take``."""
        self._lock = lock

    def release(self) -> None:
        """Let the next one write. A second time it does nothing."""
        self._lock.release()

    def __enter__(self) -> Lease:
        """Release it in the end."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Release it."""
        self.release()


def take(folder: Path, *, wait_s: float = 0.0) -> Lease | None:
    """The lease on an index's folder; None if somebody else has it, also after the wait. Raises OSError.

    It waits a moment in any case: somebody may just be asking who the holder is.
    """
    private_folder(folder)
    # Within a process, too, each take is on its own: two objects, two descriptors.
    lock = FileLock(folder / LOCK, mode=0o600, is_singleton=False, thread_local=False)
    try:
        lock.acquire(timeout=max(wait_s, ASKING_S), poll_interval=0.02)
    except Timeout:
        return None
    try:
        holder = Holder(pid=os.getpid(), since=time.time())
        write_note(folder / NOTE, json.dumps(asdict(holder)))
    except BaseException:
        lock.release()
        raise
    return Lease(lock)


def holder(folder: Path) -> Holder | None:
    """Who writes at this moment; None if nobody does.

    A pid of 0 says that somebody does, and has not said yet who.
    """
    if not (folder / LOCK).exists():
        return None
    lock = FileLock(folder / LOCK, mode=0o600, is_singleton=False, thread_local=False)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return _noted(folder / NOTE)
    except OSError:
        return None
    lock.release()
    return None


def _noted(path: Path) -> Holder:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return Holder(pid=int(found["pid"]), since=float(found["since"]))
    except (OSError, ValueError, TypeError, KeyError):
        return Holder(pid=0, since=0.0)
