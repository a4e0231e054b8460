"""The whole index at once, in plain rows, for what is about all of it: name by name it would take minutes."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeVar

from codeindex.store.answers import as_list, sound
from codeindex.store.connect import as_ours
from codeindex.store.names import Names
from codeindex.store.packed import Heads, Use, numbers_in, uses_in
from codeindex.store.rows import kept_path, path_in
from codeindex.types import Kind

AT_ONCE = 500  # SQLite takes at least 999 parameters.
PAGE = 4_096  # Vectors: two megabytes.
FETCHED = 500

T = TypeVar("T")

OF_MODEL = "model = (SELECT id FROM model WHERE name = ?)"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkText:
    """A chunk, as far as a model reads it."""

    hash: bytes
    scope: str
    signature: str
    doc: str
    text: str
    """Its own lines."""


class Bulk(Names):
    """The part of a reader that gives everything there is of something."""

    def all_contents(self) -> list[tuple[int, str, int, int]]:
        """What files have: content, language, id of its first symbol, how many follow."""
        return self.rows(
            "SELECT id, language, first_symbol, symbols FROM content WHERE unused_since IS NULL ORDER BY id"
        )

    def all_paths(self) -> dict[int, list[str]]:
        """The files of each content."""
        paths: dict[int, list[str]] = {}
        for content, path in self.rows("SELECT content, path FROM file WHERE content IS NOT NULL"):
            paths.setdefault(content, []).append(path_in(path))
        return paths

    def all_symbols(self) -> Iterator[tuple[int, int, int, Kind, str]]:
        """Content, id, id of the name, kind and scope of each symbol that a file has, by its id."""
        names = dict(self.rows("SELECT id, name FROM symbol"))
        for content, first, data in self._each(
            "SELECT content, first_symbol, heads FROM body JOIN content ON content.id = content"
            " WHERE unused_since IS NULL AND 0 < symbols ORDER BY first_symbol"
        ):
            with sound():
                heads = Heads(data)
                found = [
                    (content, first + it, names[first + it], kind, heads.said(it)[1])
                    for it, kind in enumerate(heads.kinds)
                ]
            yield from found

    def all_defined(self) -> dict[int, str]:
        """The names that are defined, by their ids."""
        return dict(self.rows("SELECT id, text FROM name WHERE id IN (SELECT name FROM symbol)"))

    def all_uses(self) -> Iterator[tuple[int, Sequence[int], Iterator[Use]]]:
        """Of each content that a file has: ids of names, and its uses by their places among these."""
        for content, names, uses in self._each(
            "SELECT content, names, uses FROM body JOIN content ON content.id = content"
            " WHERE unused_since IS NULL"
        ):
            yield content, numbers_in(names), uses_in(uses)

    def texts_of_chunks(self, chunks: Collection[int]) -> Iterator[ChunkText]:
        """The lines of chunks and what is said of them, of those that are there: to embed them, in bulk."""
        with self.snapshot():
            rows = self.rows(
                "SELECT content, first_line, last_line, said, hash FROM chunk"
                " WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id",
                as_list(chunks),
            )
            kept = {it: None for it, *_ in rows}
            bodies = self.rows(
                "SELECT content, heads, text FROM body WHERE content IN (SELECT value FROM json_each(?))",
                as_list(kept),
            )
        with sound():
            opened = {}
            for content, data, text in bodies:
                heads = Heads(data)
                opened[content] = (heads, heads.text(text).split("\n"))
            for content, first, last, place, digest in rows:
                heads, lines = opened[content]
                _, scope, signature, doc = ("", "", "", "") if place is None else heads.said(place)
                text = "\n".join(lines[first - 1 : last])
                yield ChunkText(hash=digest, scope=scope, signature=signature, doc=doc, text=text)

    def latest(self, count: int) -> list[str]:
        """The files that changed last, the latest first."""
        rows = self.rows(
            "SELECT path FROM file WHERE content IS NOT NULL ORDER BY mtime_ns DESC, path DESC LIMIT ?", count
        )
        return [path_in(path) for (path,) in rows]

    def hashes_of(self, path: str) -> list[bytes]:
        """What is embedded of a file, by its hashes: a fraction of the work of its chunks."""
        rows = self.rows(
            "SELECT chunk.hash FROM file JOIN content ON content.id = file.content"
            " JOIN chunk ON first_chunk <= chunk.id AND chunk.id < first_chunk + chunks"
            " WHERE path = ? ORDER BY chunk.id",
            kept_path(path),
        )
        return [digest for (digest,) in rows]

    def chunk_ranges(self) -> list[tuple[int, int]]:
        """The first chunk of each content that a file has, and how many follow."""
        return self.rows("SELECT first_chunk, chunks FROM content WHERE unused_since IS NULL")

    def vectors(self, model: str) -> Iterator[tuple[int, bytes]]:
        """The chunks that have a vector, with its bytes.

        In the order in which vectors lie: looking each up takes far longer. No id is given to another one.
        """
        with self.snapshot():
            of_hash = dict(self._each(f"SELECT hash, vector FROM vector_of WHERE {OF_MODEL}", model))
            chunks: dict[int, list[int]] = {}
            for chunk, digest in self._each(
                "SELECT chunk.id, chunk.hash FROM content JOIN chunk ON first_chunk <= chunk.id"
                " AND chunk.id < first_chunk + chunks WHERE unused_since IS NULL"
            ):
                if digest in of_hash:
                    chunks.setdefault(of_hash[digest], []).append(chunk)
            del of_hash
        last = -1
        while rows := self.rows("SELECT id, data FROM vector WHERE ? < id ORDER BY id LIMIT ?", last, PAGE):
            for number, data in rows:
                for chunk in chunks.get(number, ()):
                    yield chunk, data
            last = rows[-1][0]

    def vectors_of_chunks(self, model: str, chunks: Collection[int]) -> Iterator[tuple[int, bytes]]:
        """Those of these chunks that have a vector, with its bytes."""
        for some in portions(chunks):
            yield from self.rows(
                "SELECT chunk.id, data FROM chunk JOIN vector_of ON vector_of.hash = chunk.hash"
                f" AND {OF_MODEL} JOIN vector ON vector.id = vector WHERE chunk.id IN ({marks(some)})",
                model,
                *some,
            )

    def vectors_of_hashes(self, model: str, hashes: Collection[bytes]) -> Iterator[tuple[bytes, bytes]]:
        """Those there are of texts with these hashes, whether a file still has them or not."""
        for some in portions(hashes):
            yield from self.rows(
                "SELECT hash, data FROM vector_of JOIN vector ON vector.id = vector"
                f" WHERE {OF_MODEL} AND hash IN ({marks(some)})",
                model,
                *some,
            )

    def _each(self, question: str, *values: Any) -> Iterator[Any]:
        """Rows, some at a time: there is no need to hold them all."""
        try:
            rows = self._connection.execute(question, values)
            while some := rows.fetchmany(FETCHED):
                yield from some
        except sqlite3.DatabaseError as error:
            raise as_ours(error) from error


def portions(values: Iterable[T]) -> Iterator[Sequence[T]]:
    """As many as fit into one question."""
    source = iter(values)
    while some := list(islice(source, AT_ONCE)):
        yield some


def marks(values: Sequence[object]) -> str:
    """A place in a question for each."""
    return ", ".join("?" * len(values))
