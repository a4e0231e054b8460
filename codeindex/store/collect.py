"""What nobody needs any more: contents that no file has, vectors of no chunk, names of no code, empty pages.

In many small transactions: an update that comes in between does not wait.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass

from codeindex.store.contents import remove_contents, users

AT_ONCE = 100  # Contents in one transaction.
MERGED_PAGES = 500  # Of the full-text index, in one step.
FREED_PAGES = 4_000
GROWN = 1.3  # Times the contents that there had been.
TABLES = ("chunk_fts", "name_fts", "path_fts", "used_fts")
INDEXES = ("file", "name_text")
"""Filled in another order than their own, so that their pages stay half empty."""


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
    grown = _grown(connection)
    for table in TABLES:
        if grown and not stop():
            _merged(connection, table, -MERGED_PAGES)  # From here on, all of it is to become one.
        while (victims or grown) and not stop() and _merged(connection, table, MERGED_PAGES):
            pass
    for it in INDEXES:
        if grown and not stop():
            connection.execute(f"REINDEX {it}")
    if grown and not stop():
        connection.execute(
            "INSERT OR REPLACE INTO meta SELECT 'merged', value FROM meta WHERE key = 'next_content'"
        )
    trim(connection, stop)
    return len(victims)


def trim(connection: sqlite3.Connection, stop: Callable[[], bool] = lambda: False) -> None:
    """Give empty pages back, if there are many: a few will be of use again soon."""
    before = -1
    while not stop() and _free(connection) and before != (empty := _empty(connection)):
        before = empty  # A database of the first version gives none back.
        connection.execute(f"PRAGMA incremental_vacuum({FREED_PAGES})").fetchall()


def _grown(connection: sqlite3.Connection) -> bool:
    """Whether so much has come since the full-text indexes were merged that it is worth doing again."""
    known = dict(connection.execute("SELECT key, value FROM meta WHERE key IN ('merged', 'next_content')"))
    return GROWN * int(known.get("merged", 1)) < int(known["next_content"])


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
    connection.execute("DELETE FROM vector_of WHERE hash NOT IN (SELECT hash FROM chunk)")
    connection.execute("DELETE FROM vector WHERE id NOT IN (SELECT vector FROM vector_of)")
    undefined = connection.execute(
        "SELECT id, text FROM name WHERE NOT EXISTS (SELECT 1 FROM symbol WHERE symbol.name = name.id)"
    ).fetchall()
    used = {number for number, _ in users(connection)}
    names = [it for it in undefined if it[0] not in used]
    connection.executemany("INSERT INTO name_fts (name_fts, rowid, text) VALUES ('delete', ?, ?)", names)
    connection.executemany("DELETE FROM name WHERE id = ?", [(it,) for it, _ in names])
    connection.execute("COMMIT")


def _merged(connection: sqlite3.Connection, table: str, pages: int) -> bool:
    """Merge some of a full-text index; whether there is more to merge."""
    before = connection.total_changes
    connection.execute(f"INSERT INTO {table} ({table}, rank) VALUES ('merge', {pages})")
    return 2 <= connection.total_changes - before


def _free(connection: sqlite3.Connection) -> bool:
    """Whether more than one of two hundred pages is empty."""
    empty = _empty(connection)
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    return int(pages) < 200 * int(empty)


def _empty(connection: sqlite3.Connection) -> int:
    (empty,) = connection.execute("PRAGMA freelist_count").fetchone()
    return int(empty)
