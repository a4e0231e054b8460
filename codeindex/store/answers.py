"""An open index and how it is asked: one generation per answer, SQLite's complaints in our words."""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from codeindex.store import disk
from codeindex.store.asked import Asked
from codeindex.store.connect import as_ours
from codeindex.store.errors import Damaged
from codeindex.store.packed import Heads
from codeindex.store.rows import kept_path, path_in
from codeindex.types import Filters

REMEMBERED = 512
"""Contents whose heads are kept at hand: what is asked for once is asked for again."""
HAS_FILE = "EXISTS (SELECT 1 FROM file WHERE file.content = {}.content)"


class Answers:
    """What all questions are made of."""

    def __init__(self, connection: sqlite3.Connection, folder: Path) -> None:
        """Use ``open_reader``."""
        self._connection = connection
        self._path = folder / disk.NAME
        self._file = disk.file_id(self._path)
        self._asked = Asked()
        self._counted_at = -1
        self._counted: dict[str, int] = {}  # In how many chunks words stand.
        self._sized_at, self._size = -1, 0  # How many chunks there are.
        self._heads: dict[int, Heads] = {}  # No id is ever given to another content.

    def __enter__(self) -> Self:
        """Close it in the end."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """Let go."""
        self._connection.close()

    def is_current(self) -> bool:
        """False if the database was made anew since: then open another reader. Costs a look at the file."""
        return self._file == disk.file_id(self._path)

    def rest(self) -> None:
        """Hold no pages, copied or mapped, while nobody asks; they come back by themselves."""
        for it in ("shrink_memory", "mmap_size = 0", f"mmap_size = {self.rows('PRAGMA mmap_size')[0][0]}"):
            self.rows(f"PRAGMA {it}")

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Within it, all answers are of the same generation."""
        if self._connection.in_transaction:
            yield
            return
        self.rows("BEGIN")
        try:
            self.rows("SELECT value FROM meta WHERE key = 'generation'")  # Here it begins to hold.
            yield
        finally:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")

    def generation(self) -> int:
        """Raised by every commit."""
        return int(self.rows("SELECT value FROM meta WHERE key = 'generation'")[0][0])

    def rows(self, question: str, *values: Any) -> list[Any]:
        """The answer's rows. Raises StoreError."""
        try:
            return self._connection.execute(question, values).fetchall()
        except sqlite3.DatabaseError as error:
            raise as_ours(error) from error

    def matches(self, question: str, *values: Any) -> list[Any]:
        """The same for a match that somebody wrote: FTS5 may not understand it."""
        try:
            return self._connection.execute(question, values).fetchall()
        except sqlite3.OperationalError as error:
            if getattr(error, "sqlite_errorname", "") == "SQLITE_ERROR":
                return []
            raise as_ours(error) from error
        except sqlite3.DatabaseError as error:
            raise as_ours(error) from error

    def contents_that_fit(self, where: Filters) -> frozenset[int] | None:
        """The contents whose files fit; None if all do."""
        return self._asked.contents(self.rows, self.generation(), where)

    def content_of(self, path: str) -> int | None:
        """A file's content, if there is such a file."""
        rows = self.rows("SELECT content FROM file WHERE path = ?", kept_path(path))
        return rows[0][0] if rows else None

    def heads_of(self, contents: Collection[int]) -> dict[int, Heads]:
        """What the symbols and chunks of contents say."""
        missing = [it for it in contents if it not in self._heads]
        if REMEMBERED < len(self._heads) + len(missing):
            self._heads = {it: self._heads[it] for it in contents if it in self._heads}
        for content, data in (
            self.rows(
                "SELECT content, heads FROM body WHERE content IN (SELECT value FROM json_each(?))",
                as_list(missing),
            )
            if missing
            else ()
        ):
            self._heads[content] = Heads(data)
        with sound():
            return {it: self._heads[it] for it in contents}

    def paths_of(self, contents: Collection[int]) -> dict[int, tuple[str, ...]]:
        """The files of contents, sorted."""
        found: dict[int, list[str]] = {}
        for content, path in self.rows(
            "SELECT content, path FROM file WHERE content IN (SELECT value FROM json_each(?))",
            as_list(contents),
        ):
            found.setdefault(content, []).append(path_in(path))
        return {content: tuple(sorted(it)) for content, it in found.items()}


@contextmanager
def sound() -> Iterator[None]:
    """Within it, what cannot be unpacked, and what one row speaks of and another has not, means damage."""
    try:
        yield
    except (LookupError, TypeError, ValueError, zlib.error) as error:
        raise Damaged("The index is damaged.") from error


def fits(content: int, kind: str | None, allowed: frozenset[int] | None, where: Filters) -> bool:
    """Whether something of this content and of this kind is asked for."""
    return (allowed is None or content in allowed) and (not where.kinds or kind in where.kinds)


def as_list(ids: Collection[int]) -> str:
    """Numbers for ``json_each``: as many as there are, in one parameter."""
    return json.dumps(list(ids))
