"""The database's shape, and the steps from each older shape to the next: append only.

Everything about a text hangs on its content, never on a path: renaming changes a row of `file` and no other.
The chunks and the symbols of a content have ids in a row, so that neither needs an index to be found by it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence

APPLICATION = 0x48454152
"""Says in the file's head whose it is."""

Migration = Callable[[sqlite3.Connection], None]
"""From one version to the next. It runs in a transaction of its own: all of it, or nothing."""

TABLES = (
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID",
    # A file without content does not belong, for the reason given; it is read again when it changes.
    """CREATE TABLE file (
        id INTEGER PRIMARY KEY, path UNIQUE NOT NULL, content INTEGER REFERENCES content, reason TEXT,
        size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, ctime_ns INTEGER NOT NULL, inode INTEGER NOT NULL,
        sure INTEGER NOT NULL
    )""",
    "CREATE INDEX file_content ON file (content)",
    """CREATE TABLE content (
        id INTEGER PRIMARY KEY, hash BLOB UNIQUE NOT NULL, language TEXT NOT NULL, lines INTEGER NOT NULL,
        size INTEGER NOT NULL, degraded INTEGER NOT NULL, first_chunk INTEGER NOT NULL,
        chunks INTEGER NOT NULL, first_symbol INTEGER NOT NULL, symbols INTEGER NOT NULL, unused_since REAL
    )""",
    "CREATE INDEX content_unused ON content (unused_since) WHERE unused_since IS NOT NULL",
    # Big values apart, so that those who only count do not turn over their pages. `names` are ids of `name`;
    # the first `used` of them are those that `uses` speaks of, by their places.
    """CREATE TABLE body (
        content INTEGER PRIMARY KEY, text BLOB NOT NULL, names BLOB NOT NULL, used INTEGER NOT NULL,
        uses BLOB NOT NULL
    )""",
    # What a chunk has in common with its symbol stands there alone.
    """CREATE TABLE chunk (
        id INTEGER PRIMARY KEY, content INTEGER NOT NULL, first_line INTEGER NOT NULL,
        last_line INTEGER NOT NULL, hash BLOB NOT NULL, symbol INTEGER,
        kind TEXT, name TEXT, scope TEXT, signature TEXT, doc TEXT
    )""",
    """CREATE TABLE symbol (
        id INTEGER PRIMARY KEY, content INTEGER NOT NULL, name INTEGER NOT NULL, kind TEXT NOT NULL,
        first_line INTEGER NOT NULL, last_line INTEGER NOT NULL, line INTEGER NOT NULL,
        column INTEGER NOT NULL, scope TEXT NOT NULL, signature TEXT NOT NULL, doc TEXT NOT NULL
    )""",
    "CREATE INDEX symbol_name ON symbol (name)",
    """CREATE TABLE import (
        content INTEGER NOT NULL, number INTEGER NOT NULL, line INTEGER NOT NULL, module TEXT NOT NULL,
        names TEXT NOT NULL, PRIMARY KEY (content, number)
    ) WITHOUT ROWID""",
    "CREATE TABLE name (id INTEGER PRIMARY KEY, text TEXT NOT NULL)",
    "CREATE INDEX name_text ON name (text COLLATE NOCASE)",
    """CREATE TABLE used (
        name INTEGER NOT NULL, content INTEGER NOT NULL, PRIMARY KEY (name, content)
    ) WITHOUT ROWID""",
    """CREATE VIRTUAL TABLE chunk_fts USING fts5(
        name, doc, body, content='', tokenize='porter unicode61'
    )""",
    "CREATE VIRTUAL TABLE path_fts USING fts5(path, content='', tokenize='porter unicode61')",
    "CREATE VIRTUAL TABLE name_fts USING fts5(text, content='', tokenize='trigram')",
    "CREATE TABLE model (id INTEGER PRIMARY KEY, name TEXT UNIQUE NOT NULL, done INTEGER NOT NULL DEFAULT 0)",
    """CREATE TABLE vector (
        model INTEGER NOT NULL, hash BLOB NOT NULL, data BLOB NOT NULL, PRIMARY KEY (model, hash)
    ) WITHOUT ROWID""",
)


def _m001_first(connection: sqlite3.Connection) -> None:
    """Everything there is."""
    for it in TABLES:
        connection.execute(it)
    connection.executemany(
        "INSERT INTO meta VALUES (?, ?)",
        [("generation", 0), ("next_content", 1), ("next_chunk", 1), ("next_symbol", 1), ("next_name", 1)],
    )


MIGRATIONS: tuple[Migration, ...] = (_m001_first,)
"""The n-th leads from version n to n + 1; a file that is new has version 0."""


def version(connection: sqlite3.Connection) -> int:
    """Which shape the database has; 0 for an empty one."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def migrate(connection: sqlite3.Connection, migrations: Sequence[Migration] = MIGRATIONS) -> None:
    """Bring it to the newest shape, a transaction for each step."""
    for number in range(version(connection), len(migrations)):
        connection.execute("BEGIN IMMEDIATE")
        try:
            migrations[number](connection)
            connection.execute(f"PRAGMA application_id = {APPLICATION}")
            connection.execute(f"PRAGMA user_version = {number + 1}")
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
