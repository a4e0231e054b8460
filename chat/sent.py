"""What was sent to other machines, byte for byte, for the user to see and to clear.

One file for each request, written before anything is sent: a line of JSON that says when, where and why, and
behind it the request's body as it goes out. The names sort by time. Several processes can write at once, as
each makes files of its own, and one that dies leaves a whole file or none.
"""

from __future__ import annotations

import itertools
import json
import os
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from chat import sent_files
from chat.redact import redact

FOLDER = "sent"
END = ".sent.txt"
LARGEST = 50_000_000
"""Bytes of all requests together; the oldest go first."""

_numbers = itertools.count()


class NotKept(Exception):
    """What is to be sent cannot be kept, so it is not sent; the message is one sentence for the user."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What is known of a request beside its body."""

    at: float
    """Seconds since 1970."""
    url: str
    server: str
    task: str
    reason: str
    removed: tuple[str, ...]
    """What secrets were taken out, by their kinds."""
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One request that was sent."""

    name: str
    head: Head


def folder(data: Path) -> Path:
    """Where the requests are kept, within Hearth's data folder."""
    return data / FOLDER


def record(
    where: Path,
    body: bytes,
    *,
    url: str,
    server: str,
    task: str = "",
    reason: str = "",
    removed: Iterable[str] = (),
    largest: int = LARGEST,
) -> Entry:
    """Keep a request; raises ``NotKept`` if that cannot be done. Send it only after this has returned."""
    head = Head(
        at=time.time(),
        url=redact(url).text,
        server=server,
        task=task,
        reason=reason,
        removed=tuple(removed),
        bytes=len(body),
    )
    line = json.dumps(asdict(head), ensure_ascii=False).encode()
    content = b"%s\n%s" % (line, body)
    if largest < len(content):
        raise NotKept(
            f"The request of {len(body):,} bytes is not sent, as it is larger than what is kept "
            f"for you to see ({largest:,} bytes)."
        )
    name = f"{time.time_ns():020d}-{os.getpid()}-{next(_numbers)}{END}"
    try:
        sent_files.private_folder(where)
        sent_files.remove_stale_parts(where)
        _make_room(where, largest - len(content))
        sent_files.write_new(where / name, content)
    except OSError as exc:
        raise NotKept(
            f"The request is not sent, as it cannot be kept to be seen in {where} ({exc.strerror or exc})."
        ) from exc
    return Entry(name=name, head=head)


def entries(where: Path) -> tuple[Entry, ...]:
    """What was sent, the newest first."""
    found = []
    for path in sorted(_files(where), reverse=True):
        head = _head(path)
        if head is not None:
            found.append(Entry(name=path.name, head=head))
    return tuple(found)


def body(where: Path, name: str) -> bytes | None:
    """What was sent in this request, byte for byte; ``None`` if it is gone."""
    if Path(name).name != name or not name.endswith(END):
        return None
    try:
        return (where / name).read_bytes().partition(b"\n")[2]
    except OSError:
        return None


def clear(where: Path) -> int:
    """Forget all of it; how many requests that were."""
    return sum(sent_files.remove(it) for it in _files(where))


def _files(where: Path) -> list[Path]:
    try:
        return [it for it in where.iterdir() if it.name.endswith(END)]
    except OSError:
        return []


def _head(path: Path) -> Head | None:
    try:
        with path.open("rb") as file:
            raw = json.loads(file.readline())
    except (OSError, ValueError, RecursionError):
        return None
    return _read(raw) if isinstance(raw, Mapping) else None


def _read(raw: Mapping[str, object]) -> Head | None:
    at, size, removed = raw.get("at"), raw.get("bytes"), raw.get("removed")
    if not isinstance(at, (int, float)) or not isinstance(size, int) or not isinstance(removed, list):
        return None
    return Head(
        at=float(at),
        url=str(raw.get("url", "")),
        server=str(raw.get("server", "")),
        task=str(raw.get("task", "")),
        reason=str(raw.get("reason", "")),
        removed=tuple(str(it) for it in removed),
        bytes=size,
    )


def _make_room(where: Path, room: int) -> None:
    """Remove the oldest until the rest fits."""
    sizes = []
    for path in sorted(_files(where), reverse=True):
        try:
            sizes.append((path, path.stat().st_size))
        except FileNotFoundError:  # another window made room
            continue
    total = 0
    for path, size in sizes:
        total += size
        if room < total:
            sent_files.remove(path)
