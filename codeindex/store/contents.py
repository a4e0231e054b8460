"""A content's rows, put in and taken out: the one is the inverse of the other, in every table."""

from __future__ import annotations

import sqlite3
from array import array
from collections.abc import Sequence
from typing import Any

from codeindex.store.rows import WORD, Content, Words, ids_in, text_in, words_of

REMEMBERED = 200_000  # Names whose ids are kept at hand.

Rows = list[tuple[Any, ...]]


class Contents:
    """Puts contents in, and remembers the ids of names from one batch to the next."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Of one connection, in whose transactions everything happens."""
        self._connection = connection
        self._names: dict[str, int] = {}

    def forget(self) -> None:
        """Forget ids that a transaction that failed gave out."""
        self._names.clear()

    def put(self, new: Sequence[Content]) -> dict[bytes, int]:
        """Insert contents; their ids by their hashes."""
        counters = dict(self._connection.execute("SELECT key, value FROM meta WHERE key LIKE 'next_%'"))
        content, chunk = counters["next_content"], counters["next_chunk"]
        symbol, name = counters["next_symbol"], counters["next_name"]
        name = self._know({it for one in new for it in one.names}, name)
        ids: dict[bytes, int] = {}
        contents: Rows = []
        bodies: Rows = []
        used: Rows = []
        chunks: Rows = []
        words: Rows = []
        symbols: Rows = []
        imports: Rows = []
        for it in new:
            ids[it.hash] = content
            own = array(WORD, map(self._names.__getitem__, it.names))
            ranges = (chunk, len(it.chunks), symbol, len(it.symbols))
            contents.append((content, it.hash, it.language, it.lines, it.size, it.degraded, *ranges))
            bodies.append((content, it.text, own.tobytes(), it.used, it.uses))
            used += [(number, content) for number in own[: it.used]]
            for number, ((first, last, digest, place, *head), said) in enumerate(
                zip(it.chunks, it.words, strict=True), chunk
            ):
                whose = None if place is None else symbol + place
                chunks.append((number, content, first, last, digest, whose, *head))
                words.append((number, *said))
            for number, (place, *rest) in enumerate(it.symbols, symbol):
                symbols.append((number, content, own[place], *rest))
            imports += [(content, number, *values) for number, values in enumerate(it.imports)]
            content, chunk, symbol = content + 1, chunk + len(it.chunks), symbol + len(it.symbols)
        used.sort()
        self._insert("content", contents, ", NULL")
        for table, rows in (
            ("body", bodies), ("used", used), ("chunk", chunks), ("symbol", symbols), ("import", imports)
        ):  # fmt: skip
            self._insert(table, rows)
        self._insert("chunk_fts (rowid, name, doc, body)", words)
        self._connection.executemany(
            "UPDATE meta SET value = ? WHERE key = ?",
            [
                (content, "next_content"),
                (chunk, "next_chunk"),
                (symbol, "next_symbol"),
                (name, "next_name"),
            ],
        )
        return ids

    def _insert(self, table: str, rows: Rows, more: str = "") -> None:
        if rows:
            places = ", ".join("?" * len(rows[0]))
            self._connection.executemany(f"INSERT INTO {table} VALUES ({places}{more})", rows)

    def _know(self, names: set[str], following: int) -> int:
        """Have the ids of these names at hand, new ones for those that are new; the id after the last."""
        if REMEMBERED < len(self._names):
            self._names.clear()
        find = "SELECT id FROM name WHERE text = ?1 COLLATE NOCASE AND text = ?1"
        new: Rows = []
        for it in sorted(names.difference(self._names)):
            row = self._connection.execute(find, (it,)).fetchone()
            if row is None:
                new.append((following, it))
                self._names[it] = following
                following += 1
            else:
                self._names[it] = row[0]
        self._insert("name", new)
        self._insert("name_fts (rowid, text)", new)
        return following


def remove_contents(connection: sqlite3.Connection, ids: Sequence[int]) -> None:
    """Take contents out of every table. Raises ValueError or zlib.error if a kept text is damaged."""
    many = connection.executemany
    words: list[tuple[int, str, str, str]] = []
    used: list[tuple[int, int]] = []
    for content in ids:
        words += chunk_words(connection, content)
        names, count = connection.execute(
            "SELECT names, used FROM body WHERE content = ?", (content,)
        ).fetchone()
        used += [(it, content) for it in ids_in(names)[:count]]
    many(
        "INSERT INTO chunk_fts (chunk_fts, rowid, name, doc, body) VALUES ('delete', ?, ?, ?, ?)",
        words,
    )
    many("DELETE FROM used WHERE name = ? AND content = ?", sorted(used))
    for table in ("chunk", "symbol"):
        many(
            f"DELETE FROM {table} WHERE id >= (SELECT first_{table} FROM content WHERE id = ?1)"
            f" AND id < (SELECT first_{table} + {table}s FROM content WHERE id = ?1)",
            [(it,) for it in ids],
        )
    for table in ("import", "body"):
        many(f"DELETE FROM {table} WHERE content = ?", [(it,) for it in ids])
    many("DELETE FROM content WHERE id = ?", [(it,) for it in ids])


def chunk_words(connection: sqlite3.Connection, content: int) -> list[tuple[int, *Words]]:
    """What the full-text index was fed for a content's chunks, with their ids."""
    (text,) = connection.execute("SELECT text FROM body WHERE content = ?", (content,)).fetchone()
    lines = text_in(text).split("\n")
    first, count, first_symbol, symbols = connection.execute(
        "SELECT first_chunk, chunks, first_symbol, symbols FROM content WHERE id = ?", (content,)
    ).fetchone()
    defined = connection.execute(
        "SELECT line, name.text FROM symbol JOIN name ON name.id = symbol.name"
        " WHERE ?1 <= symbol.id AND symbol.id < ?1 + ?2 ORDER BY symbol.id",
        (first_symbol, symbols),
    ).fetchall()
    rows = connection.execute(
        "SELECT chunk.id, chunk.first_line, chunk.last_line, coalesce(name.text, chunk.name, ''),"
        " coalesce(symbol.scope, chunk.scope, ''), coalesce(symbol.doc, chunk.doc, '') FROM chunk"
        " LEFT JOIN symbol ON symbol.id = chunk.symbol LEFT JOIN name ON name.id = symbol.name"
        " WHERE ?1 <= chunk.id AND chunk.id < ?1 + ?2 ORDER BY chunk.id",
        (first, count),
    )
    return [
        (number, *words_of(begin, end, tuple(said), defined, lines)) for number, begin, end, *said in rows
    ]
