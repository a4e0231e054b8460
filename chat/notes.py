"""What the user has noted about a project, for them to see and change and for every prompt about it.

One file per project in Hearth's data folder, a few kilobytes at most. Several windows and commands may change
it at once: each change is made under a lock, on what is there then, and written whole or not at all.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TypeVar

import filelock

from chat import sent_files

T = TypeVar("T")

FOLDER = "notes"
MOST = 100
"""Notes of one project: all of them are sent with every question."""
LONGEST = 500  # Characters of one.
LARGEST = 1_000_000  # Bytes: a file that is larger was not written by us.
LOCK_SECONDS = 3.0


class NotNoted(Exception):
    """The notes cannot be changed so; the message is one sentence for the user."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """One thing to remember."""

    id: int
    """What commands call it by; never given twice in one project."""
    text: str
    at: float
    """When it was written or changed last, in seconds since 1970."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Page:
    notes: tuple[Note, ...] = ()
    next_id: int = 1
    is_damaged: bool = False


def read(data: Path, root: str) -> tuple[Note, ...]:
    """A project's notes, the oldest first; none where there is no file, or one that makes no sense."""
    return _page(_place(data, root)).notes


def texts(data: Path, roots: Iterable[str]) -> tuple[str, ...]:
    """All notes of these projects, as they go into a prompt."""
    return tuple(dict.fromkeys(it.text for root in roots for it in read(data, root)))


def add(data: Path, root: str, text: str) -> Note:
    """Note something. Raises ``NotNoted``."""
    said = _said(text)

    def change(page: _Page) -> tuple[_Page, Note]:
        if MOST <= len(page.notes):
            raise NotNoted(f"There are {MOST} notes already; remove one first, as all are sent to the model.")
        if any(it.text == said for it in page.notes):
            raise NotNoted("This is noted already.")
        note = Note(id=page.next_id, text=said, at=time.time())
        return replace(page, notes=(*page.notes, note), next_id=note.id + 1), note

    return _changed(data, root, change)


def edit(data: Path, root: str, number: int, text: str) -> Note:
    """Give a note another text. Raises ``NotNoted``."""
    said = _said(text)

    def change(page: _Page) -> tuple[_Page, Note]:
        note = replace(_found(page, number), text=said, at=time.time())
        return replace(page, notes=tuple(note if it.id == number else it for it in page.notes)), note

    return _changed(data, root, change)


def remove(data: Path, root: str, number: int) -> Note:
    """Forget a note. Raises ``NotNoted``."""

    def change(page: _Page) -> tuple[_Page, Note]:
        note = _found(page, number)
        return replace(page, notes=tuple(it for it in page.notes if it.id != number)), note

    return _changed(data, root, change)


def _said(text: str) -> str:
    """One line, as it stands in a list."""
    said = " ".join(text.split())
    if not said:
        raise NotNoted("There is nothing to note: the text is empty.")
    if LONGEST < len(said):
        raise NotNoted(f"A note has at most {LONGEST} characters, this has {len(said):,}.")
    return said.encode("utf-8", "replace").decode()


def _found(page: _Page, number: int) -> Note:
    for it in page.notes:
        if it.id == number:
            return it
    raise NotNoted(f"There is no note {number}.")


def _place(data: Path, root: str) -> Path:
    """By the project's real folder, so that a link to it means the same."""
    key = hashlib.sha256(os.fsencode(os.path.realpath(root))).hexdigest()[:24]
    return data / FOLDER / f"{key}.json"


def _changed(data: Path, root: str, change: Callable[[_Page], tuple[_Page, T]]) -> T:
    path = _place(data, root)
    try:
        sent_files.private_folder(path.parent)
        with _locked(path):
            page = _page(path)
            if page.is_damaged:  # It is kept beside, for whoever wants to look.
                sent_files.move(path, path.with_suffix(".damaged"))
            page, found = change(page)
            said = {
                "root": os.path.realpath(root).encode("utf-8", "replace").decode(),
                "next": page.next_id,
                "notes": [asdict(it) for it in page.notes],
            }
            sent_files.replace_with(path, json.dumps(said, ensure_ascii=False, indent=1).encode())
    except (OSError, filelock.Timeout) as exc:
        why = exc.strerror if isinstance(exc, OSError) and exc.strerror else "somebody else is at it"
        raise NotNoted(f"The notes in {path.parent} cannot be changed ({why}).") from exc
    return found


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with filelock.FileLock(f"{path}.lock", timeout=LOCK_SECONDS, mode=0o600):
        yield


def _page(path: Path) -> _Page:
    try:
        if LARGEST < path.stat().st_size:
            return _Page(is_damaged=True)
        raw = json.loads(path.read_bytes())
    except FileNotFoundError:
        return _Page()
    except OSError:
        return _Page()
    except (ValueError, RecursionError):
        return _Page(is_damaged=True)
    listed = raw.get("notes") if isinstance(raw, Mapping) else None
    if not isinstance(listed, list):
        return _Page(is_damaged=True)
    notes = _notes(listed)
    following = raw.get("next")
    least = max((it.id for it in notes), default=0) + 1
    return _Page(
        notes=notes,
        next_id=max(least, following) if type(following) is int else least,
        is_damaged=len(notes) < min(len(listed), MOST),
    )


def _notes(listed: Sequence[object]) -> tuple[Note, ...]:
    """Those that make sense, each id once."""
    found: dict[int, Note] = {}
    for it in listed:
        if not isinstance(it, Mapping):
            continue
        number, text, at = it.get("id"), it.get("text"), it.get("at")
        if not isinstance(number, int) or not isinstance(text, str) or not isinstance(at, int | float):
            continue
        if 0 < number and text.strip() and len(found) < MOST:
            found.setdefault(number, Note(id=number, text=" ".join(text.split())[:LONGEST], at=float(at)))
    return tuple(found.values())
