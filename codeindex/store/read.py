"""What the index can be asked. Every answer is of one generation, and only of what a file has now."""

from __future__ import annotations

import zlib
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from codeindex.store.answers import HAS_FILE, as_list, sound
from codeindex.store.bulk import Bulk
from codeindex.store.connect import open_to_read
from codeindex.store.errors import Damaged, StoreError
from codeindex.store.matched import Matched
from codeindex.store.packed import KINDS, Heads, text_in
from codeindex.store.rows import kept_path, path_in
from codeindex.types import (
    ChunkRow,
    Counts,
    FileRow,
    ImportRow,
)

CHUNK = (
    "SELECT chunk.id, chunk.content, language, first_line, last_line, kind, said, chunk.hash FROM chunk"
    " JOIN content ON content.id = chunk.content"
)


def open_reader(folder: Path, *, lean: bool = False) -> Reader | None:
    """The index as it is; None if there is none that we can read: ``why_not`` says why.

    A ``lean`` one takes a tenth of the memory, and longer where the same is asked again and again.
    """
    try:
        return Reader(open_to_read(folder, lean=lean), folder)
    except StoreError:
        return None


def why_not(folder: Path) -> str:
    """Why there is no reader, as a sentence; empty if there is one."""
    try:
        open_to_read(folder).close()
    except StoreError as problem:
        return str(problem)
    return ""


class Reader(Matched, Bulk):
    """An open index, to be asked by one thread at a time. Everything raises StoreError if it is damaged."""

    def counts(self) -> Counts:
        """How much there is."""
        with self.snapshot():
            files, lines, size = self.rows(
                "SELECT count(*), coalesce(sum(lines), 0), coalesce(sum(file.size), 0)"
                " FROM file JOIN content ON content.id = content"
            )[0]
            contents, chunks, symbols = self.rows(
                "SELECT count(*), coalesce(sum(chunks), 0), coalesce(sum(symbols), 0)"
                " FROM content WHERE unused_since IS NULL"
            )[0]
            (vectors,) = self.rows("SELECT count(*) FROM vector_of")[0]
        return Counts(
            files=files,
            contents=contents,
            chunks=chunks,
            symbols=symbols,
            lines=lines,
            bytes=size,
            vectors=vectors,
        )

    def files(self, paths: Collection[str] | None = None) -> Iterator[FileRow]:
        """All files, or those of these paths that there are, in the order of their paths."""
        columns = "SELECT path, language, content, lines, file.size, mtime_ns FROM file"
        rest = "JOIN content ON content.id = content"
        if paths is None:
            rows = self.rows(f"{columns} {rest} ORDER BY path")
        else:
            wanted = [self.rows(f"{columns} {rest} WHERE path = ?", kept_path(it)) for it in sorted(paths)]
            rows = [row for it in wanted for row in it]
        for path, language, content, lines, size, mtime_ns in rows:
            yield FileRow(
                path=path_in(path),
                language=language,
                content=content,
                lines=lines,
                size=size,
                mtime_ns=mtime_ns,
            )

    def left_out(self) -> list[tuple[str, str]]:
        """Paths of files that were read and do not belong, with the reason."""
        rows = self.rows("SELECT path, reason FROM file WHERE content IS NULL ORDER BY path")
        return [(path_in(path), reason) for path, reason in rows]

    def has_content(self, digest: bytes) -> bool:
        """Whether a content is known, also if no file has it at this moment."""
        return bool(self.rows("SELECT 1 FROM content WHERE hash = ?", digest))

    def is_text_of(self, content: int, digest: bytes) -> bool:
        """Whether this is the hash of a content's text: to unpack the text takes several times as long."""
        return bool(self.rows("SELECT 1 FROM content WHERE id = ? AND hash = ?", content, digest))

    def noted(self, key: str) -> str | None:
        """What the writer has noted of itself or of the workspace: its ``progress``, the ``root``."""
        rows = self.rows("SELECT value FROM meta WHERE key = ?", key)
        return str(rows[0][0]) if rows else None

    def chunks(self, ids: Collection[int]) -> dict[int, ChunkRow]:
        """Chunks by their ids, of those that a file has."""
        with self.snapshot():
            rows = self.rows(f"{CHUNK} WHERE chunk.id IN (SELECT value FROM json_each(?))", as_list(ids))
            return {it.id: it for it in self._chunk_rows(rows)}

    def chunks_of(self, path: str) -> tuple[ChunkRow, ...]:
        """A file's chunks, in order."""
        with self.snapshot():
            content = self.content_of(path)
            rows = self.rows(
                f"{CHUNK} WHERE chunk.id >= (SELECT first_chunk FROM content WHERE id = ?)"
                " AND chunk.id < (SELECT first_chunk + chunks FROM content WHERE id = ?)"
                " ORDER BY chunk.id",
                content,
                content,
            )
            return self._chunk_rows(rows)

    def text(self, content: int) -> str:
        """A content's text, with LF line ends; KeyError if it is gone."""
        rows = self.rows(
            "SELECT text, heads FROM content LEFT JOIN body ON content = content.id WHERE content.id = ?",
            content,
        )
        if not rows:
            raise KeyError(content)
        try:
            return text_in(*rows[0])
        except (TypeError, ValueError, zlib.error) as error:
            raise Damaged("The index is damaged.") from error

    def imports(self, path: str | None = None) -> list[ImportRow]:
        """What a file imports, or all files do."""
        one = "" if path is None else "WHERE path = ?"
        rows = self.rows(
            f"SELECT path, heads FROM file JOIN body ON body.content = file.content {one} ORDER BY path",
            *(() if path is None else (kept_path(path),)),
        )
        with sound():
            return [
                ImportRow(path=path_in(where), module=module, names=names, line=line)
                for where, data in rows
                for line, module, names in Heads(data).imports
            ]

    def missing_vectors(self, model: str, limit: int) -> list[tuple[bytes, int]]:
        """What is not embedded yet: its hash and a chunk that has it, newest files first."""
        rows = self.rows(
            "SELECT hash, min(id) FROM (SELECT chunk.hash AS hash, chunk.id AS id FROM chunk"
            " WHERE coalesce((SELECT done FROM model WHERE name = ?), 0) < chunk.id"
            f" AND {HAS_FILE.format('chunk')} AND NOT EXISTS (SELECT 1 FROM vector_of WHERE"
            " model = (SELECT id FROM model WHERE name = ?) AND vector_of.hash = chunk.hash)"
            " ORDER BY chunk.id LIMIT ?) GROUP BY hash ORDER BY min(id)",
            model,
            model,
            limit,
        )
        return [(digest, number) for digest, number in rows]

    def _chunk_rows(self, rows: list[Any]) -> tuple[ChunkRow, ...]:
        paths = self.paths_of({it[1] for it in rows})
        heads = self.heads_of(paths)
        with sound():
            return tuple(_chunk(it, paths[it[1]], heads[it[1]]) for it in rows if it[1] in paths)


def _chunk(row: tuple[Any, ...], paths: tuple[str, ...], heads: Heads) -> ChunkRow:
    number, content, language, first_line, last_line, kind, place, digest = row
    name, scope, signature, doc = ("", "", "", "") if place is None else heads.said(place)
    return ChunkRow(
        id=number,
        content=content,
        paths=paths,
        language=language,
        first_line=first_line,
        last_line=last_line,
        kind=None if kind is None else KINDS[kind],
        name=name,
        scope=scope,
        signature=signature,
        doc=doc,
        hash=digest,
    )
