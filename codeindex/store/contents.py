"""A content's rows, put in and taken out: the one is the inverse of the other, in every table."""

from __future__ import annotations

import sqlite3
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import Any

from codeindex.store.connect import PAGE_BYTES
from codeindex.store.packed import Heads, numbers_in, pack_numbers, text_in
from codeindex.store.rows import Content, Words, words_of

REMEMBERED = 200_000  # Names whose ids are kept at hand.
PAGE = PAGE_BYTES - 8  # Of a page of rows, what is not its head.
ROW = 24  # Of a row, what is not its values, about.
LEAST = (PAGE_BYTES - 12) * 32 // 255 - 23  # Of a row too long for a page, what stands there at least.

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
        new = [new[it] for it in filling([_in_leaf(it) for it in new])]
        ids: dict[bytes, int] = {}
        contents: Rows = []
        bodies: Rows = []
        used: Rows = []
        chunks: Rows = []
        words: Rows = []
        symbols: Rows = []
        for it in new:
            ids[it.hash] = content
            own = list(map(self._names.__getitem__, it.names))
            ranges = (chunk, len(it.chunks), symbol, len(it.symbols))
            contents.append((content, it.hash, it.language, it.lines, it.size, it.degraded, *ranges))
            bodies.append((content, it.heads, pack_numbers(own), it.used, it.uses, it.text))
            if it.used:
                used.append((content, as_words(own[: it.used])))
            chunks += [(number, content, *values) for number, values in enumerate(it.chunks, chunk)]
            words += [(number, *said) for number, said in enumerate(it.words, chunk)]
            symbols += [
                (own[place], number, content, *values)
                for number, (place, *values) in enumerate(it.symbols, symbol)
            ]
            content, chunk, symbol = content + 1, chunk + len(it.chunks), symbol + len(it.symbols)
        symbols.sort()
        self._insert("content", contents, ", NULL")
        for table, rows in (("body", bodies), ("chunk", chunks), ("symbol", symbols)):
            self._insert(table, rows)
        self._insert("used_fts (rowid, names)", used)
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
        find = "SELECT id FROM name WHERE text = ? COLLATE NOCASE AND text = ?"
        new: Rows = []
        for it in sorted(names.difference(self._names)):
            row = self._connection.execute(find, (it, it)).fetchone()
            if row is None:
                new.append((following, it))
                self._names[it] = following
                following += 1
            else:
                self._names[it] = row[0]
        self._insert("name", new)
        self._insert("name_fts (rowid, text)", new)
        return following


def filling(sizes: Sequence[int], page: int = PAGE) -> list[int]:
    """In which order rows of these sizes fill pages best: the largest, then the largest that still fits.

    In the order in which they come a fifth of each page stays empty.
    """
    left = sorted((size, place) for place, size in enumerate(sizes))
    order: list[int] = []
    while left:
        size, place = left.pop()
        order.append(place)
        room = page - size
        while (fits := bisect_right(left, (room, len(sizes)))) > 0:
            size, place = left.pop(fits - 1)
            order.append(place)
            room -= size
    return order


def _in_leaf(it: Content) -> int:
    """How much of a page a body takes; the rest of a long one has pages of its own, all of them full."""
    size = len(it.heads) + len(it.text) + len(it.uses) + 2 * len(it.names) + ROW
    whole = PAGE_BYTES - 35
    if size <= whole:
        return size
    kept = LEAST + (size - LEAST) % (PAGE_BYTES - 4)
    return kept if kept <= whole else LEAST


def remove_contents(connection: sqlite3.Connection, ids: Sequence[int]) -> None:
    """Take contents out of every table. Raises ValueError or zlib.error if a kept text is damaged."""
    many = connection.executemany
    words: list[tuple[int, str, str, str]] = []
    used: list[tuple[int, str]] = []
    symbols: list[tuple[int, int]] = []
    for content in ids:
        words += chunk_words(connection, content)
        names, count, first, symbols_here, packed = connection.execute(
            "SELECT names, used, first_symbol, symbols, heads FROM body JOIN content ON content.id = content"
            " WHERE content = ?",
            (content,),
        ).fetchone()
        own = numbers_in(names)
        if count:
            used.append((content, as_words(own[:count])))
        heads = Heads(packed)
        symbols += _symbols(connection, own, [heads.said(it)[0] for it in range(symbols_here)], first)
    many(
        "INSERT INTO chunk_fts (chunk_fts, rowid, name, doc, body) VALUES ('delete', ?, ?, ?, ?)",
        words,
    )
    many("INSERT INTO used_fts (used_fts, rowid, names) VALUES ('delete', ?, ?)", used)
    many("DELETE FROM symbol WHERE name = ? AND id = ?", sorted(symbols))
    many(
        "DELETE FROM chunk WHERE id >= (SELECT first_chunk FROM content WHERE id = ?)"
        " AND id < (SELECT first_chunk + chunks FROM content WHERE id = ?)",
        [(it, it) for it in ids],
    )
    many("DELETE FROM body WHERE content = ?", [(it,) for it in ids])
    many("DELETE FROM content WHERE id = ?", [(it,) for it in ids])


def as_words(names: Sequence[int]) -> str:
    """Ids of names, as the index of who uses them is fed and asked."""
    return " ".join(map(str, names))


def users(connection: sqlite3.Connection) -> Iterator[tuple[int, int]]:
    """All names that are used, with the contents that use them, as it was indexed."""
    connection.execute(
        "CREATE VIRTUAL TABLE IF NOT EXISTS temp.user USING fts5vocab(main, used_fts, instance)"
    )
    return ((int(name), content) for name, content in connection.execute("SELECT term, doc FROM temp.user"))


def _symbols(
    connection: sqlite3.Connection, own: Sequence[int], names: Sequence[str], first: int
) -> list[tuple[int, int]]:
    """The keys of a content's symbols; ``own`` are the ids of its names, among them those of ``names``."""
    known = {connection.execute("SELECT text FROM name WHERE id = ?", (it,)).fetchone()[0]: it for it in own}
    return [(known[name], number) for number, name in enumerate(names, first)]


def chunk_words(connection: sqlite3.Connection, content: int) -> list[tuple[int, *Words]]:
    """What the full-text index was fed for a content's chunks, with their ids."""
    text, packed, symbols = connection.execute(
        "SELECT text, heads, symbols FROM body JOIN content ON content.id = content WHERE content = ?",
        (content,),
    ).fetchone()
    lines = text_in(text, packed).split("\n")
    heads = Heads(packed)
    defined = [
        (line, heads.said(it)[0]) for it, (_, _, line, _) in zip(range(symbols), heads.lines, strict=True)
    ]
    found: list[tuple[int, *Words]] = []
    for number, begin, end, place in connection.execute(
        "SELECT id, first_line, last_line, said FROM chunk"
        " WHERE id >= (SELECT first_chunk FROM content WHERE id = ?)"
        " AND id < (SELECT first_chunk + chunks FROM content WHERE id = ?) ORDER BY id",
        (content, content),
    ):
        name, scope, _, doc = ("", "", "", "") if place is None else heads.said(place)
        body = "\n".join(lines[begin - 1 : end])
        found.append((number, *words_of(begin, end, (name, scope, doc), defined, body)))
    return found
