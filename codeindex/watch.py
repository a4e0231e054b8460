"""What changes in a folder, told in batches: the one home of watchfiles, and its thread.

A save is told within a few hundredths of a second; what git does to hundreds of files is one batch. Where
the system cannot tell us (no watches left, a network's file system), ``polls`` says so: somebody has to look.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from watchfiles import Change, watch

from codeindex.skip import reason_of_folder

logger = logging.getLogger(__name__)

STEP_MS = 20
"""A batch ends when nothing came for so long."""
LONGEST_MS = 100
TICK_MS = 200
MANY = 40  # Paths. So many at once are a checkout, a pull or an installation: more will come.
QUIET_S = 0.15
"""Such a batch ends when nothing came for so long."""
LONGEST_BATCH_S = 3.0
EVERYTHING = 300  # Paths. To look at so many one by one takes longer than to look at all.
AGAIN_S = 0.5
"""When a new folder is looked at once more: what was put into it before it was watched was not told."""
GIT = ".git"
GITS_OWN = frozenset({"HEAD", "index", "index.lock", "ORIG_HEAD"})
REMOTE = frozenset({
    "9p", "afs", "ceph", "cifs", "davfs", "drvfs", "fuse.rclone", "fuse.sshfs", "fuse.vmhgfs-fuse",
    "glusterfs", "lustre", "ncpfs", "nfs", "nfs4", "prl_fs", "smb3", "smbfs", "vboxsf", "virtiofs", "vmhgfs",
})  # fmt: skip
"""File systems that others write to without our kernel hearing of it."""
LATER = "changes outside of the editor are found some seconds later."
NO_WATCHES = f"The system has no watches left for this folder: {LATER}"
FORBIDDEN = f"The folder may not be watched: {LATER}"
ON_A_NETWORK = f"The folder is on a network's file system: {LATER}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What to look at."""

    paths: frozenset[str] = frozenset()
    """From the root, with slashes; also what is gone, and what never belonged."""
    everything: bool = False


@dataclass(slots=True)
class _Batch:
    """What came so far."""

    paths: set[str] = field(default_factory=set)
    by_git: bool = False

    def add(self, root: str, changes: Iterable[tuple[Change, str]]) -> list[str]:
        """Take in events; the folders that are new."""
        folders = []
        for change, path in changes:
            found, by_git = place(root, path)
            self.by_git |= by_git
            if found:
                self.paths.add(found)
                if change is Change.added and os.path.isdir(path):
                    folders.append(found)
        return folders


class _Asked:
    """Whether to stop. It is asked as soon as all watches are set, and then again and again."""

    def __init__(self, begun: threading.Event, ended: threading.Event) -> None:
        self._begun = begun
        self._ended = ended

    def is_set(self) -> bool:
        self._begun.set()
        return self._ended.is_set()


class Watch:
    """A folder that is watched, in a thread of its own, until ``close``."""

    def __init__(self, root: Path, tell: Callable[[Changes], None], say: Callable[[str], None]) -> None:
        """``tell`` is told of changes, ``say`` gets a sentence if they cannot be told; from the thread."""
        self.polls = False
        """Whether somebody has to look at all files now and then."""
        self._root = os.path.realpath(root)
        self._forgives = False
        """Whether folders that we may not read are left out; then, that no watches are left is, too."""
        self._tell = tell
        self._say = say
        self._ended = threading.Event()
        self._begun = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)
        self._thread.start()

    def begun(self, seconds: float) -> bool:
        """Wait until changes are noticed, or never will be."""
        return self._begun.wait(seconds)

    def close(self) -> None:
        """No more is told."""
        self._ended.set()
        self._thread.join(1.0)

    def _run(self) -> None:
        if is_remote(self._root, _mounts()):
            self._give_up(ON_A_NETWORK)
            return
        was_away = False
        while not self._ended.is_set():
            before = _identity(self._root)
            try:
                if before is not None:
                    self._follow(before, was_away)
            except FileNotFoundError:
                logger.debug("folder gone")  # It may come back.
            except PermissionError as error:
                if self._forgives:
                    self._give_up(FORBIDDEN, error)
                    return
                self._forgives = True
                continue
            except Exception as error:  # Its exceptions have no common base.
                self._give_up(NO_WATCHES, error)
                return
            self._begun.set()
            self._tell(Changes(everything=True))  # It is gone, or another one.
            was_away = True
            while not self._ended.wait(TICK_MS / 1_000) and _identity(self._root) is None:
                pass

    def _give_up(self, says: str, error: Exception | None = None) -> None:
        logger.warning("not watching cause=%s", type(error).__name__, exc_info=error)
        self.polls = True
        self._say(says)
        self._begun.set()

    def _follow(self, identity: tuple[int, int], was_away: bool) -> None:
        """Tell of changes as long as the folder is the one it was."""
        batch, began, last = _Batch(), 0.0, 0.0
        again: dict[str, float] = {}
        for changes in self._events():
            now = time.monotonic()
            if was_away:  # Only now is nothing missed any more.
                self._tell(Changes(everything=True))
                was_away = False
            if changes:
                began, last = began if batch.paths or batch.by_git else now, now
                again |= dict.fromkeys(batch.add(self._root, changes), now + AGAIN_S)
                if (Change.deleted, self._root) in changes:
                    return  # A new folder of this name may even have the same number.
            elif _identity(self._root) != identity:
                return
            if self._is_over(batch, now - began, now - last):
                self._hand_on(batch)
                batch = _Batch()
            due = [path for path, when in again.items() if when <= now]
            if due:
                self._tell(Changes(paths=frozenset(due)))
                again = {path: when for path, when in again.items() if now < when}

    def _events(self) -> Iterator[set[tuple[Change, str]]]:
        """Events; an empty set now and then."""
        return watch(
            self._root,
            watch_filter=None,
            debounce=LONGEST_MS,
            step=STEP_MS,
            stop_event=_Asked(self._begun, self._ended),
            rust_timeout=TICK_MS,
            yield_on_timeout=True,
            raise_interrupt=False,
            force_polling=False,
            ignore_permission_denied=self._forgives,
        )

    def _is_over(self, batch: _Batch, age: float, quiet: float) -> bool:
        if not batch.paths and not batch.by_git:
            return False
        if len(batch.paths) < MANY and not batch.by_git:
            return True
        if LONGEST_BATCH_S <= age:
            return True
        return QUIET_S <= quiet and not os.path.exists(os.path.join(self._root, GIT, "index.lock"))

    def _hand_on(self, batch: _Batch) -> None:
        if EVERYTHING <= len(batch.paths):
            self._tell(Changes(everything=True))
        elif batch.paths:
            self._tell(Changes(paths=frozenset(batch.paths)))


def place(root: str, path: str) -> tuple[str, bool]:
    """A path from the root, empty if nothing there ever belongs; and whether git is at work."""
    relative = os.path.relpath(path, root).replace(os.sep, "/")
    parts = relative.split("/")
    if relative in (os.curdir, os.pardir) or parts[0] == os.pardir:
        return "", False
    if GIT in parts:
        inner = parts[parts.index(GIT) + 1 :]
        return (relative if inner == ["info", "exclude"] else ""), bool(inner) and inner[0] in GITS_OWN
    return ("" if any(reason_of_folder(it) for it in parts[:-1]) else relative), False


def is_remote(root: str, mounts: Iterable[str]) -> bool:
    """Whether a folder is on a network's file system, by the lines of the kernel's list of mounts."""
    best, kind = -1, ""
    for line in mounts:
        before, _, after = line.partition(" - ")
        parts = before.split(" ")
        if len(parts) < 5 or not after:
            continue
        point = parts[4].encode().decode("unicode_escape") if "\\" in parts[4] else parts[4]
        if best < len(point) and (root == point or root.startswith(point.rstrip("/") + "/")):
            best, kind = len(point), after.split(" ")[0]
    return kind in REMOTE


def _mounts() -> list[str]:
    try:
        return Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []


def _identity(root: str) -> tuple[int, int] | None:
    try:
        found = os.stat(root)
    except OSError:
        return None
    return found.st_dev, found.st_ino
