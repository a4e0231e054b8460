"""Whether the index agrees with itself: everything is looked at, which takes seconds for a large one."""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Iterable, Iterator
from itertools import zip_longest
from typing import Any

from codeindex.store.contents import chunk_words, users
from codeindex.store.packed import numbers_in, text_in
from codeindex.store.rows import content_hash

SHOWN = 5  # Lines of SQLite's own complaints.

QUESTIONS = (
    (
        "files have a content that is not there",
        "SELECT count(*) FROM file WHERE content IS NOT NULL AND content NOT IN (SELECT id FROM content)",
    ),
    (
        "files have neither a content nor a reason",
        "SELECT count(*) FROM file WHERE content IS NULL AND reason IS NULL",
    ),
    (
        "contents have no text",
        "SELECT count(*) FROM content WHERE id NOT IN (SELECT content FROM body)",
    ),
    (
        "texts belong to no content",
        "SELECT count(*) FROM body WHERE content NOT IN (SELECT id FROM content)",
    ),
    (
        "contents have not the chunks they should have",
        "SELECT count(*) FROM content WHERE chunks <> (SELECT count(*) FROM chunk"
        " WHERE chunk.content = content.id AND first_chunk <= chunk.id AND chunk.id < first_chunk + chunks)",
    ),
    (
        "contents have not the symbols they should have",
        "SELECT count(*) FROM content LEFT JOIN (SELECT content, count(*) AS count, min(id) AS first,"
        " max(id) AS last FROM symbol GROUP BY content) AS had ON had.content = content.id"
        " WHERE symbols <> coalesce(count, 0) OR first < first_symbol OR first_symbol + symbols <= last",
    ),
    (
        "chunks belong to no content",
        "SELECT count(*) FROM chunk WHERE content NOT IN (SELECT id FROM content)",
    ),
    (
        "symbols belong to no content",
        "SELECT count(*) FROM symbol WHERE content NOT IN (SELECT id FROM content)",
    ),
    (
        "names are defined, and not there",
        "SELECT count(*) FROM symbol WHERE name NOT IN (SELECT id FROM name)",
    ),
    (
        "texts have a vector that is not there",
        "SELECT count(*) FROM vector_of WHERE vector NOT IN (SELECT id FROM vector)",
    ),
    (
        "vectors are of no text",
        "SELECT count(*) FROM vector WHERE id NOT IN (SELECT vector FROM vector_of)",
    ),
    (
        "contents without a file are not marked as such",
        "SELECT count(*) FROM content WHERE (unused_since IS NULL)"
        " <> EXISTS (SELECT 1 FROM file WHERE file.content = content.id)",
    ),
    *(
        (
            f"rows of {table} and of its full-text index do not agree",
            f"SELECT (SELECT count(*) FROM (SELECT id FROM {rows} EXCEPT SELECT id FROM {table}_fts_docsize))"
            f" + (SELECT count(*) FROM (SELECT id FROM {table}_fts_docsize EXCEPT SELECT id FROM {rows}))",
        )
        for table, rows in (
            ("chunk", "chunk"),
            ("path", "(SELECT id FROM file WHERE content IS NOT NULL)"),
        )
    ),
)


def verify(connection: sqlite3.Connection, *, words: bool) -> list[str]:
    """A sentence for each thing that is wrong; none for a sound index. Raises what SQLite raises."""
    said = [it for (it,) in connection.execute("PRAGMA integrity_check")]
    if said != ["ok"]:
        return [f"The database is damaged: {it}." for it in said[:SHOWN]]
    found = []
    for table in ("chunk_fts", "name_fts", "path_fts", "used_fts"):
        try:
            connection.execute(f"INSERT INTO {table} ({table}) VALUES ('integrity-check')")
        except sqlite3.DatabaseError as error:
            found.append(f"The full-text index {table} is damaged: {error}.")
    for says, question in QUESTIONS:
        (count,) = connection.execute(question).fetchone()
        if count:
            found.append(f"{count} {says}.")
    found += [*_texts(connection), *_uses(connection), *_names(connection)]
    return found + (list(_words(connection)) if words and not found else [])


def _texts(connection: sqlite3.Connection) -> Iterator[str]:
    """Whether each kept text is the one it was."""
    rows = connection.execute(
        "SELECT content.id, hash, language, text, heads FROM content JOIN body ON body.content = content.id"
    )
    for content, digest, language, data, heads in rows:
        try:
            same = content_hash(language, text_in(data, heads)) == digest
        except (ValueError, zlib.error):
            same = False
        if not same:
            yield f"The text of content {content} is not the one that was kept."


def _uses(connection: sqlite3.Connection) -> Iterator[str]:
    """Whether each use of a name was indexed, and no other."""
    names = {it for (it,) in connection.execute("SELECT id FROM name")}
    wanted = {
        (it, content)
        for content, own, used in connection.execute("SELECT content, names, used FROM body")
        for it in numbers_in(own)[:used]
    }
    try:
        if wanted != set(users(connection)):
            yield "The uses of names and their index do not agree."
    except sqlite3.DatabaseError as error:
        yield f"The index of the uses of names is damaged: {error}."
    if count := sum(it not in names for it in {it for it, _ in wanted}):
        yield f"{count} names are used, and not there."


def _words(connection: sqlite3.Connection) -> Iterator[str]:
    """Whether the words of all chunks were indexed as one would index them now, and no others."""
    rows = (
        it
        for (content,) in connection.execute("SELECT id FROM content").fetchall()
        for it in chunk_words(connection, content)
    )
    if not _is_indexed(connection, "chunk_fts", "name, doc, body", rows):
        yield "The words of the chunks and their index do not agree."


def _names(connection: sqlite3.Connection) -> Iterator[str]:
    """The same of the names and their pieces."""
    if not _is_indexed(connection, "name_fts", "text", connection.execute("SELECT id, text FROM name")):
        yield "The names and their index do not agree."


def _is_indexed(
    connection: sqlite3.Connection, table: str, columns: str, rows: Iterable[tuple[Any, ...]]
) -> bool:
    """Whether a full-text index is the one that is made of these rows."""
    (made,) = connection.execute("SELECT sql FROM sqlite_master WHERE name = ?", (table,)).fetchone()
    connection.execute(made.replace(table, "temp.anew", 1))
    try:
        marks = ", ?" * len(columns.split(","))
        connection.executemany(f"INSERT INTO temp.anew (rowid, {columns}) VALUES (?{marks})", rows)
        for name, of in (("kept_word", f"main, {table}"), ("anew_word", "temp, anew")):
            connection.execute(f"CREATE VIRTUAL TABLE temp.{name} USING fts5vocab({of}, instance)")
        kept, anew = (connection.execute(f"SELECT * FROM temp.{it}") for it in ("kept_word", "anew_word"))
        return all(one == other for one, other in zip_longest(kept, anew))
    except sqlite3.DatabaseError:
        return False
    finally:
        for it in ("kept_word", "anew_word", "anew"):
            connection.execute(f"DROP TABLE IF EXISTS temp.{it}")
