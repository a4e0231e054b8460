"""The whole index at once, in plain rows, for what is about all of it: name by name it would take minutes."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator, Sequence
from itertools import islice
from typing import Any, TypeVar

from codeindex.store.answers import sound
from codeindex.store.connect import as_ours
from codeindex.store.names import Names
from codeindex.store.packed import Heads, Use, numbers_in, uses_in
from codeindex.store.rows import path_in
from codeindex.types import Kind

AT_ONCE = 500  # SQLite takes at least 999 parameters.
PAGE = 4_096  # Vectors: two megabytes.
FETCHED = 500

T = TypeVar("T")

OF_MODEL = "model = (SELECT id FROM model WHERE name = ?)"


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
        for some in _portions(chunks):
            yield from self.rows(
                "SELECT chunk.id, data FROM chunk JOIN vector_of ON vector_of.hash = chunk.hash"
                f" AND {OF_MODEL} JOIN vector ON vector.id = vector WHERE chunk.id IN ({_marks(some)})",
                model,
                *some,
            )

    def vectors_of_hashes(self, model: str, hashes: Collection[bytes]) -> Iterator[tuple[bytes, bytes]]:
        """Those there are of texts with these hashes, whether a file still has them or not."""
        for some in _portions(hashes):
            yield from self.rows(
                "SELECT hash, data FROM vector_of JOIN vector ON vector.id = vector"
                f" WHERE {OF_MODEL} AND hash IN ({_marks(some)})",
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


def _portions(values: Collection[T]) -> Iterator[Sequence[T]]:
    source = iter(values)
    while some := list(islice(source, AT_ONCE)):
        yield some


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))
