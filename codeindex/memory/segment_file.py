"""A segment as one file: written once, then mapped into memory by every reader.

```text
80 bytes     magic, format, sizes, a checksum of these and of the table; the last byte is 0
text         the coded documents, 0 between them
ends         32-bit little-endian, aligned to 4
table        JSON: the documents, and checksums of text and ends
```

The head stands where a segment's text has its padding, so positions are the same in both.
"""

from __future__ import annotations

import hashlib
import json
import mmap
import os
import struct
from pathlib import Path
from typing import Any

import numpy as np

from codeindex.memory import disk
from codeindex.memory.errors import Damaged
from codeindex.memory.segment import PAD, Document, Run, Segment

MAGIC = b"HearthMS"
FORMAT = 1
HEAD = struct.Struct("<8sII4Q16s")
"""Magic, format, nothing, then in bytes: text (with padding), where the ends are, where the table is, all."""
DIGEST = 16  # Bytes. Against accidents, not against whoever may write to the user's own folder.
COLUMNS = ("path", "start", "stop", "size", "mtime_ns", "first_line")


def write_segment(segment: Segment, path: Path) -> None:
    """Write it, whole or not at all. Raises OSError."""
    (run,) = segment.runs
    text = memoryview(segment.text)[PAD : segment.text_size]
    ends = run.ends.astype("<i4", copy=False).view(np.uint8).data
    gap = bytes(-segment.text_size % 4)
    table = json.dumps(
        {
            "documents": [[getattr(it, name) for name in COLUMNS] for it in segment.documents],
            "text": _digest(text),
            "ends": _digest(ends),
        },
        separators=(",", ":"),
    ).encode()
    at_ends = segment.text_size + len(gap)
    at_table = at_ends + len(ends)
    sizes = (MAGIC, FORMAT, 0, segment.text_size, at_ends, at_table, at_table + len(table))
    head = HEAD.pack(*sizes, _seal(sizes, table)).ljust(PAD, b"\0")
    disk.write_whole(path, (head, text, gap, ends, table))


def open_segment(path: Path, *, thoroughly: bool = False) -> Segment:
    """Map it. Raises ``Damaged``: head, sizes and table are always checked, ``thoroughly`` all bytes."""
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size < PAD:
                raise Damaged(f"{path.name} has only {size} bytes.")
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except OSError as error:
        raise Damaged(f"{path.name} cannot be read.") from error
    magic, version, zero, text, at_ends, at_table, total, seal = HEAD.unpack_from(mapped)
    sizes = (magic, version, zero, text, at_ends, at_table, total)
    if (magic, version) != (MAGIC, FORMAT):
        raise Damaged(f"{path.name} is not of format {FORMAT}.")
    if not (PAD <= text <= at_ends <= at_table <= total == size) or (at_table - at_ends) % 4:
        raise Damaged(f"{path.name} is not whole.")
    table = mapped[at_table:total]
    if _seal(sizes, table) != seal:
        raise Damaged(f"{path.name} has a wrong checksum.")
    written: dict[str, Any] = json.loads(table)
    whole = np.frombuffer(mapped, np.uint8)
    if thoroughly:
        for name, part in (("text", whole[PAD:text]), ("ends", whole[at_ends:at_table])):
            if _digest(part.data) != written[name]:
                raise Damaged(f"{path.name} has a wrong checksum.")
    ends = np.frombuffer(mapped, "<i4", (at_table - at_ends) // 4, at_ends).view(np.int32)
    documents = [Document(**dict(zip(COLUMNS, it, strict=True))) for it in written["documents"]]
    return Segment(mapped, (Run(ends),), documents, text_size=text)


def _seal(sizes: tuple[Any, ...], table: bytes) -> bytes:
    return hashlib.blake2b(repr(sizes).encode() + table, digest_size=DIGEST).digest()


def _digest(data: memoryview) -> str:
    return hashlib.blake2b(data, digest_size=DIGEST).hexdigest()
