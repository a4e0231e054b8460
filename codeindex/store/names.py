"""What the index can be asked about names: where they are defined and used, which ones are alike."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from codeindex.store.answers import HAS_FILE, Answers, as_list, fits
from codeindex.store.near import nearest, trigrams
from codeindex.store.rows import ids_in, uses_in
from codeindex.types import Filters, Kind, ReferenceRow, SymbolRow

NEAR = 200  # Names whose likeness is computed.
SYMBOL = (
    "SELECT symbol.id, symbol.content, language, name.text, kind, scope, first_line, last_line, line, column,"
    " signature, doc FROM symbol JOIN name ON name.id = symbol.name"
    " JOIN content ON content.id = symbol.content"
)


class Names(Answers):
    """The part of a reader that is about names."""

    def symbols(self, names: Collection[str], *, where: Filters, limit: int) -> list[SymbolRow]:
        """Symbols with one of these names: as they are written first, then in other cases."""
        found: list[SymbolRow] = []
        with self.snapshot():
            allowed = self.contents_that_fit(where)
            for it in dict.fromkeys(names):
                rows = self.rows(
                    f"{SYMBOL} WHERE name.text = ?1 COLLATE NOCASE AND {HAS_FILE.format('symbol')}"
                    " ORDER BY name.text <> ?1, symbol.id",
                    it,
                )
                kept = [row for row in rows if fits(row[1], row[4], allowed, where)]
                found += self._symbol_rows(kept[: max(0, limit - len(found))])
        return found

    def symbols_like(self, prefix: str, limit: int) -> list[SymbolRow]:
        """Symbols whose names begin so, whatever the case, shortest names first."""
        if not prefix:
            return []
        with self.snapshot():
            rows = self.rows(
                f"{SYMBOL} WHERE ?1 <= name.text COLLATE NOCASE AND name.text < ?2 COLLATE NOCASE"
                f" AND {HAS_FILE.format('symbol')} ORDER BY length(name.text), name.text, symbol.id LIMIT ?3",
                prefix,
                prefix + "\U0010ffff",
                limit,
            )
            return self._symbol_rows(rows)

    def names_near(self, text: str, limit: int) -> list[str]:
        """Names in the code that look like this one, likest first."""
        wanted = trigrams(text)
        with self.snapshot():
            if wanted:
                match = " OR ".join('"{}"'.format(it.replace('"', '""')) for it in wanted)
                rows = self.matches(
                    "SELECT name.id, name.text FROM (SELECT rowid AS number FROM name_fts"
                    " WHERE name_fts MATCH ? ORDER BY rank LIMIT ?) JOIN name ON name.id = number",
                    match,
                    NEAR,
                )
            else:
                rows = self.rows(
                    "SELECT id, text FROM name WHERE ?1 <= text COLLATE NOCASE AND text < ?2 COLLATE NOCASE"
                    " ORDER BY length(text), text LIMIT ?3",
                    text,
                    text + "\U0010ffff",
                    NEAR,
                )
            names = dict((name, number) for number, name in rows)
            found: list[str] = []
            for name in nearest(text, names):
                if limit <= len(found):
                    break
                if self._is_used(names[name]):
                    found.append(name)
        return found

    def outline(self, path: str) -> tuple[SymbolRow, ...]:
        """A file's symbols, in order."""
        with self.snapshot():
            rows = self.rows(
                f"{SYMBOL} WHERE symbol.id >= (SELECT first_symbol FROM content WHERE id = ?1)"
                " AND symbol.id < (SELECT first_symbol + symbols FROM content WHERE id = ?1)"
                " ORDER BY symbol.id",
                self.content_of(path),
            )
            return tuple(self._symbol_rows(rows))

    def references(self, name: str, limit: int) -> list[ReferenceRow]:
        """Where a name is used, file by file."""
        found: list[ReferenceRow] = []
        with self.snapshot():
            for number, content in self.rows(
                "SELECT name, content FROM used WHERE name = (SELECT id FROM name"
                f" WHERE text = ?1 COLLATE NOCASE AND text = ?1) AND {HAS_FILE.format('used')}"
                " ORDER BY content",
                name,
            ):
                if limit <= len(found):
                    break
                found += [it for it in self._uses(content, only=number)]
        return found[:limit]

    def references_from(self, symbol_ids: Collection[int]) -> list[ReferenceRow]:
        """What is used in the bodies of these symbols."""
        wanted = set(symbol_ids)
        with self.snapshot():
            rows = self.rows(
                "SELECT DISTINCT content FROM symbol WHERE id IN (SELECT value FROM json_each(?))"
                f" AND {HAS_FILE.format('symbol')} ORDER BY content",
                as_list(wanted),
            )
            return [it for (content,) in rows for it in self._uses(content) if it.symbol in wanted]

    def _is_used(self, name: int) -> bool:
        tables = (("symbol", HAS_FILE.format("symbol")), ("used", HAS_FILE.format("used")))
        either = " OR ".join(f"EXISTS (SELECT 1 FROM {it} WHERE name = ?1 AND {has})" for it, has in tables)
        return bool(self.rows(f"SELECT 1 WHERE {either}", name))

    def _uses(self, content: int, *, only: int | None = None) -> Iterator[ReferenceRow]:
        """A content's references; ``only`` those to one name, by its id."""
        names, data, first = self.rows(
            "SELECT names, uses, first_symbol FROM body JOIN content ON content.id = content"
            " WHERE content = ?",
            content,
        )[0]
        own = ids_in(names)
        paths = self.paths_of([content]).get(content, ())
        texts: dict[int, str] = dict(
            self.rows("SELECT id, text FROM name WHERE id IN (SELECT value FROM json_each(?))", as_list(own))
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

    def _symbol_rows(self, rows: list[Any]) -> list[SymbolRow]:
        paths = self.paths_of({it[1] for it in rows})
        return [_symbol(it, paths[it[1]]) for it in rows if it[1] in paths]


def _symbol(row: tuple[Any, ...], paths: tuple[str, ...]) -> SymbolRow:
    number, content, language, name, kind, scope, *lines, column, signature, doc = row
    first_line, last_line, line = lines
    return SymbolRow(
        id=number,
        content=content,
        paths=paths,
        language=language,
        name=name,
        kind=Kind(kind),
        scope=scope,
        first_line=first_line,
        last_line=last_line,
        line=line,
        column=column,
        signature=signature,
        doc=doc,
    )
