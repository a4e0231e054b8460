"""The only place where chat writes: whole files or whole lines, readable by the user alone."""

from __future__ import annotations

import os
import time
from pathlib import Path

PART = ".part"
"""How the names of files end that are being written."""
STALE_SECONDS = 3600.0  # A part this old was left by a process that died.


def private_folder(folder: Path) -> Path:
    """The folder, made if need be, for the user alone; raises ``OSError`` where it is somebody else's."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if hasattr(os, "getuid") and folder.stat().st_uid != os.getuid():
        raise PermissionError(f"{folder} is not a folder of your own.")
    folder.chmod(0o700)
    return folder


def write_new(path: Path, content: bytes) -> None:
    """Make a file with this content, to stay also after a power cut; until it is whole it is not there."""
    part = path.with_name(f"{path.name}{PART}")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0), 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    _keep_names(path.parent)


def append_line(path: Path, line: bytes) -> None:
    """Add a line in one write, so that those of several processes do not mix; end a torn one before it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_CLOEXEC", 0), 0o600)
    try:
        size = os.fstat(descriptor).st_size
        is_torn = 0 < size and _last_byte(descriptor, size) != b"\n"
        os.write(descriptor, (b"\n" if is_torn else b"") + line + b"\n")
    finally:
        os.close(descriptor)


def replace_with(path: Path, content: bytes) -> None:
    """Give a file another content, whole or not at all."""
    part = path.with_name(f"{path.name}.{os.getpid()}{PART}")
    part.unlink(missing_ok=True)
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    os.replace(part, path)


def make_private(path: Path) -> None:
    """Have an empty file, for the user alone, if there is none."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600))


def move(path: Path, target: Path) -> bool:
    """Give a file another name; ``False`` if it is not there."""
    try:
        os.replace(path, target)
    except FileNotFoundError:
        return False
    return True


def remove(path: Path) -> bool:
    """Remove a file; ``False`` if somebody else was faster."""
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    return True


def remove_stale_parts(folder: Path) -> None:
    """Remove what processes left that died while they wrote."""
    for it in folder.glob(f"*{PART}"):
        try:
            if STALE_SECONDS < time.time() - it.stat().st_mtime:
                it.unlink(missing_ok=True)
        except OSError:
            continue


def _last_byte(descriptor: int, size: int) -> bytes:
    os.lseek(descriptor, size - 1, os.SEEK_SET)
    return os.read(descriptor, 1)


def _keep_names(folder: Path) -> None:
    """Make a new name survive a power cut; where folders cannot be opened, do without."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
