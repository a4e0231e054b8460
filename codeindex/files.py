"""Read a regular file, and only that: its bytes up to a limit, and the text in them."""

from __future__ import annotations

import codecs
import os
import re
import stat
from pathlib import Path
from typing import NamedTuple

PIECE = 1 << 18  # Bytes per read.
HIGH_SHARE = 0.3  # Of the bytes of a Latin-1 text, at most this share are no ASCII; more is no text.
NO_TEXT = re.compile(
    rb"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f-\x9f]"
)  # Control characters, but for blanks and ESC.
UTF_16_OR_32 = (
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16's, which begins the same
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class Signature(NamedTuple):
    """What changes when a file does: times in nanoseconds, size in bytes."""

    inode: int
    size: int
    mtime_ns: int
    ctime_ns: int


def signature(path: str | Path, *, follow: bool = False) -> Signature | None:
    """A regular file's signature; None for everything else and for what is not there.

    Raises OSError where the folder cannot be looked into.
    """
    try:
        found = os.stat(path, follow_symlinks=follow)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except ValueError:  # a NUL in the path
        return None
    if not stat.S_ISREG(found.st_mode):
        return None
    return Signature(found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


def read_bytes(path: str | Path, limit: int, *, follow: bool = False) -> bytes:
    """At most ``limit`` bytes of a regular file; one more if there are more, so that the caller can tell.

    Raises OSError, also for links (unless followed), folders, pipes, sockets and devices, which are never
    opened: to open one may wait forever, or do something.
    """
    if not stat.S_ISREG(os.stat(path, follow_symlinks=follow).st_mode):
        raise OSError(f"{os.fspath(path)!r} is not a regular file.")
    if follow:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    else:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):  # it was exchanged in between
            raise OSError(f"{os.fspath(path)!r} is not a regular file.")
        pieces: list[bytes] = []
        left = limit + 1
        while 0 < left and (piece := os.read(descriptor, min(left, PIECE))):
            pieces.append(piece)
            left -= len(piece)
        return b"".join(pieces)
    finally:
        os.close(descriptor)


def text_of(data: bytes) -> str | None:
    """The text in a file's bytes, with LF line ends and without a byte order mark; None if it is no text.

    UTF-8 first; UTF-16 and UTF-32 if marked; Latin-1 if there are no control characters and few high bytes.
    """
    for mark, encoding in UTF_16_OR_32:
        if data.startswith(mark):
            return _decoded(data, encoding)
    if b"\0" in data:
        return None
    text = _decoded(data, "utf-8-sig")
    if text is None and not NO_TEXT.search(data):
        high = len(data) - len(data.decode("ascii", "ignore"))
        text = _decoded(data, "latin-1") if high <= HIGH_SHARE * len(data) else None
    return text


def _decoded(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding).replace("\r\n", "\n")
    except UnicodeDecodeError:
        return None
