"""The one writer: every change is a transaction, and readers see it whole or not at all.

A text that is known already costs a row in `file`. What no file has any more stays for a while, unseen:
somebody may switch the branch back. ``collect`` takes it away later.
"""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from codeindex.identifiers import searchable
from codeindex.store import disk
from codeindex.store.bulk import marks, portions
from codeindex.store.collect import DEFAULTS as COLLECTING
from codeindex.store.collect import Collecting, collect, trim
from codeindex.store.connect import as_ours, open_to_write, translated
from codeindex.store.contents import Contents
from codeindex.store.errors import Damaged, Full
from codeindex.store.rows import Content, Indexed, kept_path, path_in
from codeindex.store.schema import MIGRATIONS, Migration
from codeindex.store.verify import verify

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the index knows of a file on disk, also of one that does not belong."""

    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int
    sure: bool
    hash: bytes
    """Empty for one that does not belong."""
    reason: str


def open_writer(folder: Path, *, rules: str, migrations: Sequence[Migration] = MIGRATIONS) -> Writer:
    """Open the index, or make it. What is damaged is moved aside, and made again: ``notice`` says so.

    ``rules`` says how texts are taken apart (``codeindex.build_rules``): what was taken apart by others is
    forgotten, to be made again.
    Raises Newer, Busy and Full. That there is one writer only, ``codeindex.lease`` sees to.
    """
    path = folder / disk.NAME
    notice = ""
    try:
        try:
            writer = Writer(open_to_write(folder, migrations), folder)
            outdated = writer.meta("rules") not in (None, rules)
        except Damaged as problem:
            logger.warning("index damaged path=%s", path, exc_info=problem)
            disk.move_aside(path)
            notice = "The index was damaged; it was moved aside and is being built again."
            writer = Writer(open_to_write(folder, migrations), folder)
            outdated = False
        if outdated:
            writer.empty()
            notice = "The index was made by another version of Hearth and is being built again."
        writer.set_meta("rules", rules)
    except OSError as error:
        raise Full(f"The index cannot be written: {error.strerror or error}.") from error
    writer.notice = notice
    return writer


class Writer:
    """An open index, to be changed. One thread at a time."""

    def __init__(self, connection: sqlite3.Connection, folder: Path) -> None:
        """Use ``open_writer``."""
        self._connection = connection
        self._contents = Contents(connection)
        self.folder = folder
        self.notice = ""
        """One sentence about what happened to the index while it was opened, or nothing."""

    def __enter__(self) -> Writer:
        """Close it in the end."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """Bring the log home if nobody reads in it, and let go."""
        with suppress(sqlite3.Error):  # It is to be closed in any case.
            trim(self._connection)
        self._connection.close()

    def generation(self) -> int:
        """Raised by every commit."""
        return int(str(self.meta("generation")))

    def meta(self, key: str) -> str | int | None:
        """What was noted under a key."""
        with translated():
            found = self._connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return found[0] if found else None

    def set_meta(self, key: str, value: str | int) -> None:
        """Note something; it is no new generation."""
        with translated():
            self._connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    def doubt(self, judged: str) -> None:
        """What belongs is judged differently from now on: each file is to be read once more, whenever."""
        with self._transaction():
            self._connection.execute("UPDATE file SET sure = 0")
            self._connection.execute("INSERT OR REPLACE INTO meta VALUES ('judged', ?)", (judged,))

    def empty(self) -> None:
        """Forget everything but the vectors: they are of texts, however those come about."""
        with self._transaction() as generation:
            for it in ("chunk_fts", "path_fts", "name_fts", "used_fts"):
                self._connection.execute(f"INSERT INTO {it} ({it}) VALUES ('delete-all')")
            for it in ("file", "content", "body", "chunk", "symbol", "name"):
                self._connection.execute(f"DELETE FROM {it}")
            self._connection.execute("UPDATE model SET done = 0")
            generation()

    def known(self, path: str | None = None) -> dict[str, Known]:
        """All files, by their paths; or the one with this path and those below it."""
        only, values = "", tuple[str | bytes, ...]()
        if path is not None:
            only = "WHERE path = ? OR (? < path AND path < ?)"  # A slash is followed by a zero.
            values = (kept_path(path), kept_path(f"{path}/"), kept_path(f"{path}0"))
        with translated():
            rows = self._connection.execute(
                "SELECT path, file.size, mtime_ns, ctime_ns, inode, sure, coalesce(hash, x''),"
                f" coalesce(reason, '') FROM file LEFT JOIN content ON content.id = content {only}",
                values,
            )
            return {
                path_in(path): Known(
                    size=size,
                    mtime_ns=mtime_ns,
                    ctime_ns=ctime_ns,
                    inode=inode,
                    sure=bool(sure),
                    hash=digest,
                    reason=reason,
                )
                for path, size, mtime_ns, ctime_ns, inode, sure, digest, reason in rows
            }

    def replace(self, changed: Iterable[Indexed], gone: Iterable[str] = ()) -> tuple[str, ...]:
        """Take in what changed and forget what is gone, in one transaction.

        Returns the paths that could not be taken in, as their content is neither known nor given.
        """
        files = list({it.path: it for it in changed}.values())
        missing: list[str] = []
        with self._transaction() as generation:
            before = set(self._forget(set(gone) - {it.path for it in files}))
            contents = self._ids(files)
            for it in files:
                content = contents.get(it.hash)
                if it.hash and content is None:
                    missing.append(it.path)
                    continue
                before.add(self._put_file(it, content))
            self._mark_unused(before, contents.values())
            generation()
        return tuple(missing)

    def put_vectors(self, model: str, rows: Iterable[tuple[bytes, bytes]]) -> None:
        """Keep vectors under the hashes of what was embedded."""
        with self._transaction() as generation:
            execute = self._connection.execute
            execute("INSERT OR IGNORE INTO model (name) VALUES (?)", (model,))
            number, done = execute("SELECT id, done FROM model WHERE name = ?", (model,)).fetchone()
            self._put_vectors(number, dict(rows))
            # Each chunk is looked at once: up to the first one that lacks a vector.
            (mark,) = execute(
                "SELECT coalesce((SELECT id - 1 FROM chunk WHERE ? < id AND NOT EXISTS ("
                " SELECT 1 FROM vector_of WHERE model = ? AND vector_of.hash = chunk.hash)"
                " ORDER BY id LIMIT 1),"
                " (SELECT max(id) FROM chunk))",
                (done, number),
            ).fetchone()
            if mark is not None:
                execute("UPDATE model SET done = ? WHERE id = ?", (mark, number))
            generation()

    def collect(self, how: Collecting = COLLECTING, *, stop: Callable[[], bool] = lambda: False) -> int:
        """Take away what nobody needs any more; how many contents that was."""
        with translated():
            self._contents.forget()
            try:
                return collect(self._connection, how, time.time(), stop)
            except BaseException:
                self._roll_back()
                raise

    def verify(self, *, words: bool = True) -> list[str]:
        """Look at everything: a sentence for each thing that is wrong.

        ``words``: also whether every word of every text was indexed, and no other, which takes longest.
        """
        try:
            return verify(self._connection, words=words)
        except sqlite3.DatabaseError as error:
            return [str(as_ours(error))]

    def checkpoint(self) -> None:
        """Give back what is empty, and bring the log home, as far as no reader is in the way."""
        with translated():
            trim(self._connection)
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def rest(self) -> None:
        """Hold no pages, copied or mapped, while nothing is written; they come back by themselves."""
        with translated():
            (mapped,) = self._connection.execute("PRAGMA mmap_size").fetchone()
            for it in ("shrink_memory", "mmap_size = 0", f"mmap_size = {mapped}"):
                self._connection.execute(f"PRAGMA {it}")

    @contextmanager
    def _transaction(self) -> Iterator[Callable[[], None]]:
        """All of it or nothing. What it yields raises the generation."""

        def raise_generation() -> None:
            self._connection.execute("UPDATE meta SET value = value + 1 WHERE key = 'generation'")

        with translated():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield raise_generation
                self._connection.execute("COMMIT")
            except BaseException:
                self._contents.forget()
                self._roll_back()
                raise

    def _put_vectors(self, model: int, data: dict[bytes, bytes]) -> None:
        """Those that are there are replaced, the others follow the last."""
        execute, many = self._connection.execute, self._connection.executemany
        known: dict[bytes, int] = {}
        for some in portions(data):
            find = f"SELECT hash, vector FROM vector_of WHERE model = ? AND hash IN ({marks(some)})"
            known |= dict(execute(find, (model, *some)))
        many("UPDATE vector SET data = ? WHERE id = ?", ((data[it], row) for it, row in known.items()))
        (first,) = execute("SELECT value FROM meta WHERE key = 'next_vector'").fetchone()
        new = list(enumerate((it for it in data if it not in known), first))
        many("INSERT INTO vector (id, data) VALUES (?, ?)", ((row, data[it]) for row, it in new))
        many(
            "INSERT INTO vector_of (model, hash, vector) VALUES (?, ?, ?)",
            sorted((model, it, row) for row, it in new),
        )
        execute("UPDATE meta SET value = ? WHERE key = 'next_vector'", (first + len(new),))

    def _roll_back(self) -> None:
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    def _forget(self, paths: Iterable[str]) -> Iterator[int]:
        """Remove files; what contents they had."""
        for path in paths:
            row = self._connection.execute(
                "DELETE FROM file WHERE path = ? RETURNING id, content", (kept_path(path),)
            ).fetchone()
            if row is not None and row[1] is not None:
                self._unname(row[0], path)
                yield row[1]

    def _put_file(self, it: Indexed, content: int | None) -> int:
        """Write a file's row; what content it had before, or -1."""
        execute = self._connection.execute
        path = kept_path(it.path)
        number, before = execute("SELECT id, content FROM file WHERE path = ?", (path,)).fetchone() or (
            None,
            None,
        )
        number = execute(
            "INSERT OR REPLACE INTO file (id, path, content, reason, size, mtime_ns, ctime_ns, inode, sure)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
            (
                *(number, path, content, it.reason or None),
                *(it.size, it.mtime_ns, it.ctime_ns, it.inode, it.sure),
            ),
        ).fetchone()[0]
        if before is None and content is not None:
            execute("INSERT INTO path_fts (rowid, path) VALUES (?, ?)", (number, searchable(it.path)))
        if before is not None and content is None:
            self._unname(number, it.path)
        return -1 if before is None else before

    def _unname(self, number: int, path: str) -> None:
        self._connection.execute(
            "INSERT INTO path_fts (path_fts, rowid, path) VALUES ('delete', ?, ?)",
            (number, searchable(path)),
        )

    def _mark_unused(self, before: set[int], now: Iterable[int]) -> None:
        """Contents that lost their last file begin to wait; those that have one again do not any more."""
        many = self._connection.executemany
        many(
            "UPDATE content SET unused_since = NULL WHERE id = ? AND unused_since IS NOT NULL",
            ((it,) for it in now),
        )
        many(
            "UPDATE content SET unused_since = ? WHERE id = ?"
            " AND NOT EXISTS (SELECT 1 FROM file WHERE file.content = content.id)",
            ((time.time(), it) for it in before),
        )

    def _ids(self, files: Sequence[Indexed]) -> dict[bytes, int]:
        """The ids of the files' contents, of those that are known after new ones were written."""
        ids: dict[bytes, int] = {}
        new: list[Content] = []
        given = {it.hash: it.content for it in files if it.content is not None}
        for digest in dict.fromkeys(it.hash for it in files if it.hash):
            row = self._connection.execute("SELECT id FROM content WHERE hash = ?", (digest,)).fetchone()
            if row is not None:
                ids[digest] = row[0]
            elif digest in given:
                new.append(given[digest])
        if new:
            ids |= self._contents.put(new)
        return ids
