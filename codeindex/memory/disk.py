"""The only place where the memory writes: whole files or none, readable by the user alone."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

TEMPORARY = ".part"
"""How the names of files end that are being written."""
PIECE = 1 << 24  # Bytes per write: a process that is told to end does so between two.

Buffer = bytes | memoryview


def private_folder(path: Path) -> Path:
    """The folder, made if need be, for the user alone."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.chmod(0o700)
    return path


def write_whole(path: Path, pieces: Iterable[Buffer]) -> None:
    """Give a file these bytes, to stay also after a power cut. Until then it has its old ones."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}{TEMPORARY}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        try:
            for piece in pieces:
                left = memoryview(piece).cast("B") if len(piece) else memoryview(b"")
                while left:
                    left = left[os.write(descriptor, left[:PIECE]) :]
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if path.is_dir():  # whoever made it: nothing but our files has a place here
            remove([path])
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _keep_names(path.parent)


def remove(paths: Iterable[Path]) -> None:
    """Remove files; those that are gone already do not matter."""
    for it in paths:
        if it.is_dir() and not it.is_symlink():
            shutil.rmtree(it, ignore_errors=True)
        else:
            it.unlink(missing_ok=True)


def mark_as_used(path: Path) -> None:
    """The file's time is when it was last of use."""
    os.utime(path)


def _keep_names(folder: Path) -> None:
    """Make what was renamed in a folder survive a power cut; where folders cannot be opened, do without."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
