"""What nobody needs any more: contents that no file has, vectors of no chunk, names of no code, empty pages.

In many small transactions: an update that comes in between does not wait.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass

from codeindex.store.contents import remove_contents

AT_ONCE = 100  # Contents in one transaction.
MERGED_PAGES = 500  # Of the full-text index, in one step.
FREED_PAGES = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Collecting:
    """What may stay although no file has it: a branch that is switched back to is not parsed again."""

    grace_s: float
    """For so long."""
    least_s: float
    """For so long in any case."""
    share: float
    """As long as all of it together is no more than this part of what files have."""


DEFAULTS = Collecting(grace_s=7 * 86_400.0, least_s=600.0, share=0.2)


def collect(connection: sqlite3.Connection, how: Collecting, now: float, stop: Callable[[], bool]) -> int:
    """How many contents were taken away. May be stopped between any two steps, and goes on the next time."""
    victims = _victims(connection, how, now)
    for start in range(0, len(victims), AT_ONCE):
        if stop():
            return start
        some = victims[start : start + AT_ONCE]
        connection.execute("BEGIN IMMEDIATE")
        remove_contents(connection, some)
        connection.execute("COMMIT")
    if victims and not stop():
        _remove_what_hung_on_them(connection)
    for table in ("chunk_fts", "name_fts", "path_fts"):
        while victims and not stop() and _merged(connection, table):
            pass
    while not stop() and _free(connection):
        connection.execute(f"PRAGMA incremental_vacuum({FREED_PAGES})").fetchall()
    return len(victims)


def _victims(connection: sqlite3.Connection, how: Collecting, now: float) -> list[int]:
    """Contents that have waited too long, and the oldest of those that are too many."""
    unused = connection.execute(
        "SELECT id, size, unused_since FROM content WHERE unused_since IS NOT NULL"
        " ORDER BY unused_since DESC, id DESC"
    ).fetchall()
    (used,) = connection.execute(
        "SELECT coalesce(sum(size), 0) FROM content WHERE unused_since IS NULL"
    ).fetchone()
    left = how.share * used
    victims = []
    for content, size, since in unused:
        left -= size
        age = now - since
        if (left < 0 and how.least_s <= age) or how.grace_s <= age:
            victims.append(content)
    return victims


def _remove_what_hung_on_them(connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("DELETE FROM vector WHERE hash NOT IN (SELECT hash FROM chunk)")
    names = connection.execute(
        "SELECT id, text FROM name WHERE NOT EXISTS (SELECT 1 FROM symbol WHERE symbol.name = name.id)"
        " AND NOT EXISTS (SELECT 1 FROM used WHERE used.name = name.id)"
    ).fetchall()
    connection.executemany("INSERT INTO name_fts (name_fts, rowid, text) VALUES ('delete', ?, ?)", names)
    connection.executemany("DELETE FROM name WHERE id = ?", [(it,) for it, _ in names])
    connection.execute("COMMIT")


def _merged(connection: sqlite3.Connection, table: str) -> bool:
    """Merge some of a full-text index; whether there is more to merge."""
    before = connection.total_changes
    connection.execute(f"INSERT INTO {table} ({table}, rank) VALUES ('merge', {MERGED_PAGES})")
    return 2 <= connection.total_changes - before


def _free(connection: sqlite3.Connection) -> bool:
    """Whether more than a tenth of the pages are empty: less will be of use again soon."""
    (empty,) = connection.execute("PRAGMA freelist_count").fetchone()
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    return int(pages) < 10 * int(empty)
