"""What the index can be asked about names: where they are defined, and where they are used."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import islice

from codeindex.store.answers import HAS_FILE, as_list, fits, sound
from codeindex.store.packed import KINDS, PLACES, Heads, numbers_in, uses_in
from codeindex.store.spelled import USER_HAS_FILE, Spelled
from codeindex.types import Filters, Kind, ReferenceRow, SymbolRow

COUNTED_NAMES, COUNTED_USERS = 2_000, 50  # More of them change little in what is most used.
SYMBOL = (
    "SELECT symbol.id, symbol.content, symbol.kind, name.text FROM name JOIN symbol ON symbol.name = name.id"
)
Key = tuple[int, int]
"""Ids of a symbol and of its content."""


class Names(Spelled):
    """The part of a reader that is about names."""

    def symbols(self, names: Collection[str], *, where: Filters, limit: int) -> list[SymbolRow]:
        """Symbols with one of these names: as they are written first, then in other cases."""
        with self.snapshot():
            named = self.symbols_named(names, where=where, limit=limit)
            return self.symbol_rows([it[0] for it in named])  # At once: many names are in the same texts.

    def symbols_named(
        self, names: Collection[str], *, where: Filters, limit: int
    ) -> list[tuple[Key, str, Kind]]:
        """The same, but only their keys, names and kinds, which takes a fraction of the time."""
        found: dict[Key, tuple[str, Kind]] = {}  # One whose name is asked for in two cases is one.
        allowed = self.contents_that_fit(where)
        for it in dict.fromkeys(names):
            rows = self.rows(
                f"{SYMBOL} WHERE name.text = ? COLLATE NOCASE AND {HAS_FILE.format('symbol')}"
                " ORDER BY name.text <> ?, symbol.id LIMIT ?",
                it,
                it,
                limit if allowed is None and not where.kinds else -1,
            )
            found |= {
                (number, content): (name, KINDS[kind])
                for number, content, kind, name in rows
                if (number, content) not in found and fits(content, KINDS[kind], allowed, where)
            }
            if limit <= len(found):
                break
        return [(key, *said) for key, said in islice(found.items(), limit)]

    def symbols_like(self, prefix: str, limit: int) -> list[SymbolRow]:
        """Symbols whose names begin so, whatever the case, shortest names first."""
        if not prefix:
            return []
        with self.snapshot():
            rows = self.rows(
                f"{SYMBOL} WHERE ? <= name.text COLLATE NOCASE AND name.text < ? COLLATE NOCASE"
                f" AND {HAS_FILE.format('symbol')} ORDER BY length(name.text), name.text, symbol.id LIMIT ?",
                prefix,
                prefix + "\U0010ffff",
                limit,
            )
            return self.symbol_rows([it[:2] for it in rows])

    def most_used(self, kinds: Collection[Kind], limit: int) -> list[str]:
        """Names that are defined at the top of a text as one of these kinds, those most texts use first."""
        rows = self.rows(
            "SELECT text FROM (SELECT DISTINCT name AS number FROM symbol WHERE top"
            " AND kind IN (SELECT value FROM json_each(?)) LIMIT ?) JOIN name ON name.id = number"
            " ORDER BY (SELECT count(*) FROM (SELECT 1 FROM used_fts"
            " WHERE used_fts MATCH CAST(number AS TEXT) LIMIT ?)) DESC, number LIMIT ?",
            as_list([PLACES[it] for it in kinds]),
            *(COUNTED_NAMES, COUNTED_USERS, limit),
        )
        return [it for (it,) in rows]

    def outline(self, path: str) -> tuple[SymbolRow, ...]:
        """A file's symbols, in order."""
        with self.snapshot():
            content = self.content_of(path)
            if content is None:
                return ()
            first, count = self.rows("SELECT first_symbol, symbols FROM content WHERE id = ?", content)[0]
            return tuple(self.symbol_rows([(it, content) for it in range(first, first + count)]))

    def definitions_of(self, name: str) -> list[Key]:
        """Where a name, as it is written here, is defined in what files have: no more, and so quickly."""
        return self.rows(
            "SELECT symbol.id, symbol.content FROM name JOIN symbol ON symbol.name = name.id"
            f" WHERE name.text = ? COLLATE NOCASE AND name.text = ? AND {HAS_FILE.format('symbol')}"
            " ORDER BY symbol.id",
            name,
            name,
        )

    def symbols_at(self, keys: Sequence[Key]) -> list[SymbolRow]:
        """These symbols, in this order, of those that a file has."""
        with self.snapshot():
            return self.symbol_rows(keys)

    def users(self, name: str) -> list[int]:
        """The contents that use a name, of those that a file has."""
        with self.snapshot():
            return self._users(self._id(name))

    def references_in(self, content: int, name: str) -> list[ReferenceRow]:
        """Where one content uses a name."""
        with self.snapshot():
            return list(self._uses(content, only=self._id(name)))

    def references(self, name: str, limit: int) -> list[ReferenceRow]:
        """Where a name is used, file by file."""
        found: list[ReferenceRow] = []
        with self.snapshot():
            number = self._id(name)
            for content in self._users(number):
                if limit <= len(found):
                    break
                found += self._uses(content, only=number)
        return found[:limit]

    def references_from(self, symbol_ids: Collection[int]) -> list[ReferenceRow]:
        """What is used in the bodies of these symbols."""
        wanted = set(symbol_ids)
        with self.snapshot():
            contents = {content for it in wanted for content in self._content_with(it)}
            shown = [it for it in sorted(contents) if self._has_file(it)]
            return [it for content in shown for it in self._uses(content) if it.symbol in wanted]

    def _content_with(self, symbol: int) -> list[int]:
        rows = self.rows(
            "SELECT id, first_symbol + symbols FROM content WHERE first_symbol <= ? AND 0 < symbols"
            " ORDER BY first_symbol DESC LIMIT 1",
            symbol,
        )
        return [content for content, end in rows if symbol < end]

    def _has_file(self, content: int) -> bool:
        return bool(self.rows("SELECT 1 FROM file WHERE content = ?", content))

    def _id(self, name: str) -> int | None:
        rows = self.rows("SELECT id FROM name WHERE text = ? COLLATE NOCASE AND text = ?", name, name)
        return rows[0][0] if rows else None

    def _users(self, name: int | None) -> list[int]:
        """The contents of files that use a name."""
        rows = self.rows(
            f"SELECT rowid FROM used_fts WHERE used_fts MATCH ? AND {USER_HAS_FILE} ORDER BY rowid",
            f'"{name}"',
        )
        return [it for (it,) in rows]

    def _uses(self, content: int, *, only: int | None = None) -> Iterator[ReferenceRow]:
        """A content's references; ``only`` those to one name, by its id."""
        names, data, first = self.rows(
            "SELECT names, uses, first_symbol FROM body JOIN content ON content.id = content"
            " WHERE content = ?",
            content,
        )[0]
        own = numbers_in(names)
        paths = self.paths_of([content]).get(content, ())
        texts: dict[int, str] = dict(
            self.rows(
                "SELECT id, text FROM name WHERE id IN (SELECT value FROM json_each(?))", as_list(list(own))
            )
            if only is None
            else self.rows("SELECT id, text FROM name WHERE id = ?", only)
        )
        for place, line, symbol, is_call in uses_in(data):
            if only is None or own[place] == only:
                yield ReferenceRow(
                    name=texts[own[place]],
                    paths=paths,
                    line=line,
                    symbol=None if symbol < 0 else first + symbol,
                    is_call=is_call,
                )

    def symbol_rows(self, keys: Sequence[Key]) -> list[SymbolRow]:
        """All that is known of symbols, by their keys; of those that a file has."""
        contents = {it for _, it in keys}
        paths = self.paths_of(contents)
        heads = self.heads_of(paths)
        known = self.rows(
            "SELECT id, language, first_symbol FROM content WHERE id IN (SELECT value FROM json_each(?))",
            as_list(contents),
        )
        about = {it: (language, first) for it, language, first in known}
        with sound():
            return [
                _symbol(number, content, about[content], paths[content], heads[content])
                for number, content in keys
                if content in paths
            ]


def _symbol(
    number: int, content: int, about: tuple[str, int], paths: tuple[str, ...], heads: Heads
) -> SymbolRow:
    language, first = about
    first_line, last_line, line, column = heads.lines[number - first]
    name, scope, signature, doc = heads.said(number - first)
    return SymbolRow(
        id=number,
        content=content,
        paths=paths,
        language=language,
        name=name,
        kind=heads.kinds[number - first],
        scope=scope,
        first_line=first_line,
        last_line=last_line,
        line=line,
        column=column,
        signature=signature,
        doc=doc,
    )
