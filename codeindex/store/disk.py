"""The only place where the store touches files itself: its private folder, what is moved aside or removed."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from pathlib import Path

NAME = "index.sqlite"
ASIDE = ".damaged"
"""Behind the name of a database that was moved aside; one is kept, for whoever wants to know."""
BESIDE = ("", "-wal", "-shm", "-journal")
LONGEST_NAME = 40


def store_folder(root: Path, cache: Path) -> Path:
    """Where this workspace's index lies; it may not be there yet."""
    real = os.path.realpath(root)
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", os.path.basename(real)).strip("-.")[:LONGEST_NAME] or "root"
    return cache / "index" / f"{name}-{hashlib.blake2b(os.fsencode(real), digest_size=8).hexdigest()}"


def private_folder(folder: Path) -> Path:
    """The folder, made if need be, for the user alone."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    return folder


def private_file(path: Path) -> None:
    """Make an empty file, if there is none, that only the user can read: SQLite's others become like it."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    path.chmod(0o600)


def move_aside(path: Path) -> None:
    """Take a damaged database out of the way. What was moved aside before goes."""
    for end in BESIDE:
        damaged = path.with_name(path.name + end)
        kept = path.with_name(path.name + ASIDE + end)
        if kept.is_dir() and not kept.is_symlink():
            shutil.rmtree(kept, ignore_errors=True)
        else:
            kept.unlink(missing_ok=True)
        if os.path.lexists(damaged):
            os.replace(damaged, kept)


def move_aside_in(folder: Path) -> None:
    """The same for the database in an index's folder."""
    move_aside(folder / NAME)


def remove_store(folder: Path) -> None:
    """Remove an index with its folder."""
    shutil.rmtree(folder, ignore_errors=True)


def size_on_disk(folder: Path) -> int:
    """Bytes of the database and what SQLite keeps beside it."""
    paths = [folder / f"{NAME}{end}" for end in BESIDE]
    return sum(it.stat().st_size for it in paths if it.exists())


def file_id(path: Path) -> int:
    """Says whether the database at a path is still the same one; 0 where there is none."""
    try:
        return path.stat().st_ino
    except OSError:
        return 0


def write_note(path: Path, text: str) -> None:
    """Give a small file this text, whole or not at all, for the user alone."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(part, path)
