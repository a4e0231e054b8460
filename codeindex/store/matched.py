"""What the index can be asked by words: the chunks and paths that match best, and how common words are."""

from __future__ import annotations

from collections.abc import Collection

from codeindex.store.answers import HAS_FILE, REMEMBERED, Answers, as_list, fits
from codeindex.store.packed import KINDS
from codeindex.store.rows import path_in
from codeindex.types import Filters

CANDIDATES = 4
"""So many times what is wanted is looked at first: some of it no file has any more, or nobody asked for."""
BEST = (
    "SELECT rowid, -rank FROM chunk_fts WHERE chunk_fts MATCH ? AND rank MATCH ? ORDER BY rank, rowid LIMIT ?"
)
Columns = tuple[float, float, float]
"""What a match in the name, in the documentation and in the body of a chunk weighs."""


class Matched(Answers):
    """The part of a reader that is about words."""

    def lexical(self, match: str, weights: Columns, limit: int, where: Filters) -> list[tuple[int, float]]:
        """Chunks that match in FTS5's language, best first, with BM25; none for a match without sense."""
        with self.snapshot():
            count = max(1, limit) * CANDIDATES
            while True:
                found = self.best(match, weights, count)
                kept = self._visible([it for it, _ in found], where)
                if limit <= len(kept) or len(found) < count:
                    return [(it, score) for it, score in found if it in kept][:limit]
                count *= CANDIDATES

    def best(self, match: str, weights: Columns, limit: int) -> list[tuple[int, float]]:
        """The same quicker and not as sure: also chunks of contents that wait, and no file has."""
        name, doc, body = map(float, weights)
        return self.matches(BEST, match, f"bm25({body!r}, {name!r}, {doc!r})", limit)

    def paths(self, match: str, limit: int) -> list[tuple[str, float]]:
        """Paths that match, best first."""
        rows = self.matches(
            "SELECT path, score FROM (SELECT rowid AS number, -rank AS score FROM path_fts"
            " WHERE path_fts MATCH ? ORDER BY rank, rowid LIMIT ?) JOIN file ON file.id = number"
            " ORDER BY score DESC, path",
            match,
            limit,
        )
        return [(path_in(path), score) for path, score in rows]

    def frequencies(self, terms: Collection[str]) -> dict[str, int]:
        """In how many chunks each word stands, by its stem; those of contents that wait are counted, too."""
        with self.snapshot():
            generation = self.generation()
            if generation != self._counted_at or REMEMBERED < len(self._counted):
                self._counted_at, self._counted = generation, {}
            for it in terms:
                if it not in self._counted:
                    quoted = '"{}"'.format(it.replace('"', '""'))
                    rows = self.matches("SELECT count(*) FROM chunk_fts WHERE chunk_fts MATCH ?", quoted)
                    self._counted[it] = rows[0][0] if rows else 0
            return {it: self._counted[it] for it in terms}

    def size(self) -> int:
        """How many chunks there are, also those that no file has now; counted once per generation."""
        generation = self.generation()
        if generation != self._sized_at:
            self._size = int(self.rows("SELECT coalesce(sum(chunks), 0) FROM content")[0][0])
            self._sized_at = generation
        return self._size

    def contents_of(self, chunks: Collection[int]) -> dict[int, int]:
        """The contents of chunks, whether a file has them or not: a tenth of the work of the chunks."""
        return dict(
            self.rows(
                "SELECT id, content FROM chunk WHERE id IN (SELECT value FROM json_each(?))", as_list(chunks)
            )
        )

    def first_chunks(self, contents: Collection[int]) -> dict[int, int]:
        """The first chunks of contents, of those that have any."""
        return dict(
            self.rows(
                "SELECT id, first_chunk FROM content WHERE chunks AND id IN (SELECT value FROM json_each(?))",
                as_list(contents),
            )
        )

    def _visible(self, ids: Collection[int], where: Filters) -> set[int]:
        """Those of these chunks that a file has and that are asked for."""
        allowed = self.contents_that_fit(where)
        rows = self.rows(
            "SELECT chunk.id, chunk.content, chunk.kind FROM chunk"
            f" WHERE chunk.id IN (SELECT value FROM json_each(?)) AND {HAS_FILE.format('chunk')}",
            as_list(ids),
        )
        return {
            number
            for number, content, kind in rows
            if fits(content, None if kind is None else KINDS[kind], allowed, where)
        }
