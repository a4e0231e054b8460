"""Whether the index agrees with itself: everything is looked at, which takes seconds for a large one."""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Iterator

from codeindex.store.rows import content_hash, text_in

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
        "SELECT count(*) FROM content WHERE symbols <> (SELECT count(*) FROM symbol WHERE"
        " symbol.content = content.id AND first_symbol <= symbol.id AND symbol.id < first_symbol + symbols)",
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
        "chunks belong to a symbol that is not there",
        "SELECT count(*) FROM chunk WHERE symbol IS NOT NULL AND symbol NOT IN (SELECT id FROM symbol)",
    ),
    (
        "names are used or defined, and not there",
        "SELECT count(*) FROM (SELECT name FROM used UNION SELECT name FROM symbol)"
        " WHERE name NOT IN (SELECT id FROM name)",
    ),
    (
        "uses belong to no content",
        "SELECT count(*) FROM used WHERE content NOT IN (SELECT id FROM content)",
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
            ("name", "name"),
            ("path", "(SELECT id FROM file WHERE content IS NOT NULL)"),
        )
    ),
)


def verify(connection: sqlite3.Connection) -> list[str]:
    """A sentence for each thing that is wrong; none for a sound index. Raises what SQLite raises."""
    said = [it for (it,) in connection.execute("PRAGMA integrity_check")]
    if said != ["ok"]:
        return [f"The database is damaged: {it}." for it in said[:SHOWN]]
    found = []
    for table in ("chunk_fts", "name_fts", "path_fts"):
        try:
            connection.execute(f"INSERT INTO {table} ({table}) VALUES ('integrity-check')")
        except sqlite3.DatabaseError as error:
            found.append(f"The full-text index {table} is damaged: {error}.")
    for says, question in QUESTIONS:
        (count,) = connection.execute(question).fetchone()
        if count:
            found.append(f"{count} {says}.")
    return found + list(_texts(connection))


def _texts(connection: sqlite3.Connection) -> Iterator[str]:
    """Whether each kept text is the one it was."""
    rows = connection.execute(
        "SELECT content.id, hash, language, text FROM content JOIN body ON body.content = content.id"
    )
    for content, digest, language, data in rows:
        try:
            same = content_hash(language, text_in(data)) == digest
        except (ValueError, zlib.error):
            same = False
        if not same:
            yield f"The text of content {content} is not the one that was kept."
