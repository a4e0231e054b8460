"""A workspace that is indexed and searched for real, for the tests of the search and of the buffers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from codeindex.config import DEFAULTS
from codeindex.overlay import Overlay
from codeindex.parse import parse
from codeindex.search import search
from codeindex.search_candidates import Dense
from codeindex.store import open_reader, open_writer
from codeindex.store.read import Reader
from codeindex.store.rows import Indexed, content_hash, content_of
from codeindex.types import Filters, Hit
from codeindex.walk import read_text, walk


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """Files on disk and an index of how they once were."""

    root: Path
    reader: Reader

    def write(self, files: Mapping[str, str]) -> None:
        """Change files behind the index's back."""
        for path, text in files.items():
            (self.root / path).parent.mkdir(parents=True, exist_ok=True)
            (self.root / path).write_text(text, "utf-8")

    def hits(
        self,
        question: str,
        *,
        limit: int = 10,
        where: Filters | None = None,
        overlay: Overlay | None = None,
        dense: Dense | None = None,
    ) -> list[Hit]:
        """What is found; each hit is held to what is on disk, or in the buffer, at this moment."""
        found = search(
            self.reader,
            question,
            root=self.root,
            limit=limit,
            where=where or Filters(),
            overlay=overlay,
            dense=dense,
        )
        for it in found:
            buffer = overlay.text(it.path) if overlay is not None else None
            text = buffer if buffer is not None else (self.root / it.path).read_text("utf-8")
            assert it.text == "\n".join(text.split("\n")[it.first_line - 1 : it.last_line]), "a ghost"
        return found

    def paths(self, question: str, **more: object) -> list[str]:
        """The files that are found, each once."""
        return list(dict.fromkeys(it.path for it in self.hits(question, **more)))  # type: ignore[arg-type]


def workspace(folder: Path, files: Mapping[str, str]) -> Workspace:
    """Write the files and index them."""
    root = folder / "root"
    root.mkdir(parents=True)
    for path, content in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(content, "utf-8")
    with open_writer(folder / "index", rules="r") as writer:
        rows = []
        for it in walk(root, DEFAULTS):
            text = read_text(it, DEFAULTS)
            assert text is not None
            rows.append(
                Indexed(
                    path=it.relative,
                    size=it.size,
                    mtime_ns=it.mtime_ns,
                    ctime_ns=it.mtime_ns,
                    inode=it.inode,
                    hash=content_hash(it.language, text),
                    content=content_of(text, parse(text, it.language)),
                )
            )
        writer.replace(rows, ())
    reader = open_reader(folder / "index")
    assert reader is not None
    return Workspace(root=root, reader=reader)
