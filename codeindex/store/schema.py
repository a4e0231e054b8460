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

KEPT = (
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID",
    "CREATE TABLE model (id INTEGER PRIMARY KEY, name TEXT UNIQUE NOT NULL, done INTEGER NOT NULL DEFAULT 0)",
    """CREATE TABLE vector (
        model INTEGER NOT NULL, hash BLOB NOT NULL, data BLOB NOT NULL, PRIMARY KEY (model, hash)
    ) WITHOUT ROWID""",
)
"""What outlives a change of the other tables: these can be made again from the files."""

OLD = (
    *("chunk_fts", "path_fts", "name_fts"),
    *("file", "content", "body", "chunk", "symbol", "import", "name", "used"),
)
"""The other tables of the first version."""

TABLES = (
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
    "CREATE INDEX content_symbol ON content (first_symbol) WHERE 0 < symbols",
    # Big values apart, so that those who only count do not turn over their pages; the text last, as it is
    # asked for least. `heads` is what symbols, chunks and imports say, packed. `names` are ids of `name`; the
    # first `used` of them are those that `uses` speaks of, by their places.
    """CREATE TABLE body (
        content INTEGER PRIMARY KEY, heads BLOB NOT NULL, names BLOB NOT NULL, used INTEGER NOT NULL,
        uses BLOB NOT NULL, text BLOB NOT NULL
    )""",
    # What must be found by itself, and no more: the rest of a chunk and of a symbol is in the heads.
    """CREATE TABLE chunk (
        id INTEGER PRIMARY KEY, content INTEGER NOT NULL, first_line INTEGER NOT NULL,
        last_line INTEGER NOT NULL, kind INTEGER, said INTEGER, hash BLOB NOT NULL
    )""",
    """CREATE TABLE symbol (
        name INTEGER NOT NULL, id INTEGER NOT NULL, content INTEGER NOT NULL, kind INTEGER NOT NULL,
        top INTEGER NOT NULL, PRIMARY KEY (name, id)
    ) WITHOUT ROWID""",
    "CREATE TABLE name (id INTEGER PRIMARY KEY, text TEXT NOT NULL)",
    "CREATE INDEX name_text ON name (text COLLATE NOCASE)",
    # Which contents use a name: a quarter of what a table with a row for each would take.
    """CREATE VIRTUAL TABLE used_fts USING fts5(
        names, content='', tokenize='ascii', detail=none, columnsize=0
    )""",
    # The body comes first: what stands in another column says so each time, in two bytes more.
    """CREATE VIRTUAL TABLE chunk_fts USING fts5(
        body, name, doc, content='', tokenize='porter unicode61'
    )""",
    "CREATE VIRTUAL TABLE path_fts USING fts5(path, content='', tokenize='porter unicode61')",
    """CREATE VIRTUAL TABLE name_fts USING fts5(
        text, content='', tokenize='trigram', detail=none, columnsize=0
    )""",
)

VECTORS = (
    # One after the other as they come: in a tree of hashes each page would stay a third empty.
    "CREATE TABLE vector (id INTEGER PRIMARY KEY, data BLOB NOT NULL)",
    """CREATE TABLE vector_of (
        model INTEGER NOT NULL, hash BLOB NOT NULL, vector INTEGER NOT NULL, PRIMARY KEY (model, hash)
    ) WITHOUT ROWID""",
)


def _m001_first(connection: sqlite3.Connection) -> None:
    """What was kept from then on."""
    for it in KEPT:
        connection.execute(it)
    connection.executemany(
        "INSERT INTO meta VALUES (?, ?)",
        [("generation", 0), ("next_content", 1), ("next_chunk", 1), ("next_symbol", 1), ("next_name", 1)],
    )


def _m002_small(connection: sqlite3.Connection) -> None:
    """A shape that takes a third less. The files are read again; the vectors stay."""
    for it in OLD:
        connection.execute(f"DROP TABLE IF EXISTS {it}")
    for it in TABLES:
        connection.execute(it)
    connection.execute("UPDATE model SET done = 0")
    connection.execute("UPDATE meta SET value = value + 1 WHERE key = 'generation'")


def _m003_vectors_in_a_row(connection: sqlite3.Connection) -> None:
    """Vectors one after the other as they come, found by an index of their hashes.

    In a tree of hashes each of them took a page of its own, of which it filled a quarter.
    """
    connection.execute("ALTER TABLE vector RENAME TO before")
    connection.execute(
        "CREATE TABLE vector (id INTEGER PRIMARY KEY, model INTEGER NOT NULL, hash BLOB NOT NULL,"
        " data BLOB NOT NULL, UNIQUE (model, hash))"
    )
    connection.execute("INSERT INTO vector (model, hash, data) SELECT model, hash, data FROM before")
    connection.execute("DROP TABLE before")


def _m004_names_without_places(connection: sqlite3.Connection) -> None:
    """Which names have a piece of three letters, without where in them: half as much, and as quick."""
    connection.execute("DROP TABLE name_fts")
    connection.execute(
        "CREATE VIRTUAL TABLE name_fts USING fts5("
        "text, content='', tokenize='trigram', detail=none, columnsize=0)"
    )
    connection.execute("INSERT INTO name_fts (rowid, text) SELECT id, text FROM name")


def _m005_half_a_byte(connection: sqlite3.Connection) -> None:
    """Words in a third less, vectors in half; hashes once, and of half the length.

    The files are read again, and their chunks embedded again: no vector before had this shape.
    """
    for it in ("used_fts", *OLD, "vector"):
        connection.execute(f"DROP TABLE IF EXISTS {it}")
    for it in (*TABLES, *VECTORS):
        connection.execute(it)
    connection.execute("INSERT INTO meta VALUES ('next_vector', 1)")
    connection.execute("UPDATE model SET done = 0")
    connection.execute("UPDATE meta SET value = value + 1 WHERE key = 'generation'")


MIGRATIONS: tuple[Migration, ...] = (
    _m001_first,
    _m002_small,
    _m003_vectors_in_a_row,
    _m004_names_without_places,
    _m005_half_a_byte,
)
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
