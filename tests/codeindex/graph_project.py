"""A project written down in one text, in an index: ``=== path`` before each file."""

from __future__ import annotations

import re
from pathlib import Path

from codeindex.languages import language_of
from codeindex.parse import parse
from codeindex.store import Indexed, Reader, open_reader, open_writer
from codeindex.store.rows import content_of

HEAD = re.compile(r"^=== (\S+)\n", re.MULTILINE)


def files_in(text: str) -> dict[str, str]:
    """The files of a project that is written down."""
    parts = HEAD.split(text.lstrip("\n"))
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def index(folder: Path, text: str) -> Reader:
    """A reader of the index of these files."""
    with open_writer(folder, rules="r") as writer:
        writer.replace([_indexed(path, it) for path, it in files_in(text).items()])
    reader = open_reader(folder)
    assert reader is not None
    return reader


def _indexed(path: str, text: str) -> Indexed:
    content = content_of(text, parse(text, language_of(path.rpartition("/")[2])))
    return Indexed(
        path=path, size=len(text), mtime_ns=1, ctime_ns=1, inode=1, hash=content.hash, content=content
    )
