"""Open the database the way we use it, and say in our words what SQLite says in its own."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from codeindex.store import disk
from codeindex.store.errors import Busy, Damaged, Full, Newer, StoreError
from codeindex.store.schema import APPLICATION, MIGRATIONS, Migration, migrate, version

logger = logging.getLogger(__name__)

PATIENCE_MS = 5_000
MAPPED_BYTES = 1 << 30
PAGE_BYTES = 2_048  # Every text ends somewhere within a page, and the rest of that is lost.
PAGES_KB = 32_000
FEW_PAGES_KB = 4_000
WAL_PAGES = 8_000  # Sixteen megabytes, before what is in the log is brought home.
IS_FULL = frozenset({"SQLITE_FULL", "SQLITE_IOERR_WRITE", "SQLITE_READONLY", "SQLITE_CANTOPEN"})
IS_BUSY = frozenset({"SQLITE_BUSY", "SQLITE_LOCKED"})
IS_DAMAGED = frozenset({"SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_IOERR_SHORT_READ", "SQLITE_MISUSE"})


def open_to_read(
    folder: Path, migrations: Sequence[Migration] = MIGRATIONS, *, lean: bool = False
) -> sqlite3.Connection:
    """A connection that cannot write. Raises StoreError; Damaged also where there is no index yet.

    A ``lean`` one holds few pages and maps none: for who reads everything once, or little.
    """
    path = folder / disk.NAME
    if not disk.file_id(path):
        raise Damaged("There is no index yet.")
    with translated():
        connection = _connect(path, "ro")
        try:
            if lean:
                connection.execute("PRAGMA mmap_size = 0")
                connection.execute(f"PRAGMA cache_size = -{FEW_PAGES_KB}")
            if _checked(connection, migrations) < len(migrations):
                raise Damaged("The index is of an older version; it is being brought up to date.")
        except BaseException:
            connection.close()
            raise
        return connection


def open_to_write(folder: Path, migrations: Sequence[Migration] = MIGRATIONS) -> sqlite3.Connection:
    """A connection to a database of the newest shape, made if need be. Raises StoreError."""
    path = disk.private_folder(folder) / disk.NAME
    disk.private_file(path)
    with translated():
        connection = _connect(path, "rw")
        try:
            if _checked(connection, migrations) == 0:
                connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
                connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute(f"PRAGMA wal_autocheckpoint = {WAL_PAGES}")
            connection.execute("PRAGMA secure_delete = FAST")
            migrate(connection, migrations)
        except BaseException:
            connection.close()
            raise
        return connection


@contextmanager
def translated() -> Iterator[None]:
    """Within it, what SQLite raises becomes one of ours; what says that we made a mistake does not."""
    try:
        yield
    except sqlite3.ProgrammingError:
        raise
    except sqlite3.DatabaseError as error:
        raise as_ours(error) from error


def as_ours(error: sqlite3.Error) -> StoreError:
    """What is wrong, as a sentence."""
    name = getattr(error, "sqlite_errorname", "") or ""
    base = "_".join(name.split("_")[:2])
    if {name, base} & IS_BUSY:
        return Busy("Another process is writing to the index.")
    if {name, base} & IS_FULL or (base == "SQLITE_IOERR" and name not in IS_DAMAGED):
        return Full("The index cannot be written here: the disk is full, or its folder is not ours.")
    if {name, base} & IS_DAMAGED or (isinstance(error, sqlite3.DatabaseError) and "malformed" in str(error)):
        return Damaged("The index is damaged.")
    return Damaged(f"The index does not answer: {error}.")


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    address = f"file:{quote(str(path))}?mode={mode}"
    connection = sqlite3.connect(
        address, uri=True, isolation_level=None, timeout=PATIENCE_MS / 1_000, check_same_thread=False
    )
    try:
        connection.execute(f"PRAGMA busy_timeout = {PATIENCE_MS}")
        connection.execute(f"PRAGMA mmap_size = {MAPPED_BYTES}")
        connection.execute(f"PRAGMA cache_size = -{PAGES_KB}")
        connection.execute("PRAGMA temp_store = MEMORY")
    except BaseException:
        connection.close()
        raise
    return connection


def _checked(connection: sqlite3.Connection, migrations: Sequence[Migration]) -> int:
    """The version, if it is one of ours."""
    found = version(connection)
    owner = int(connection.execute("PRAGMA application_id").fetchone()[0])
    tables = int(connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0])
    if len(migrations) < found and owner == APPLICATION:
        raise Newer("The index was written by a newer version of Hearth; it is left as it is.")
    fits = (tables and owner == APPLICATION and found) or not (tables or found)
    if not fits or found < 0 or len(migrations) < found:
        raise Damaged("The index's file is not an index.")
    return found
