"""What the index can be asked about how names are spelled: which begin, contain, abbreviate or look alike."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from math import log

from codeindex.store.answers import HAS_FILE, Answers
from codeindex.store.near import nearest, trigrams

NEAR = 200  # Names whose likeness is computed.
SCORED = 1_200  # Names that are scored for having a piece.
PIECES = 6  # At least so many are asked for: a wrong letter spoils three.
SPARE = 4
USER_HAS_FILE = "EXISTS (SELECT 1 FROM file WHERE file.content = used_fts.rowid)"
DEFINED = "EXISTS (SELECT 1 FROM symbol WHERE symbol.name = name.id)"
BETWEEN = "? <= text COLLATE NOCASE AND text < ? COLLATE NOCASE"
LAST = "\U0010ffff"


class Spelled(Answers):
    """The part of a reader that is about the letters of names."""

    def names_near(self, text: str, limit: int) -> list[str]:
        """Names in the code that look like this one, likest first."""
        wanted = trigrams(text)
        with self.snapshot():
            if wanted:
                rows = self._with_pieces(text, self._telling(wanted))
            else:
                rows = self.rows(
                    f"SELECT id, text FROM name WHERE {BETWEEN} ORDER BY length(text), text LIMIT ?",
                    text,
                    text + LAST,
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

    def names_beginning(self, text: str, limit: int) -> list[str]:
        """Names that are defined and begin so, whatever the case, shortest first."""
        rows = self.rows(
            f"SELECT text FROM name WHERE {BETWEEN} AND {DEFINED} ORDER BY length(text), text LIMIT ?",
            text,
            text + LAST,
            limit,
        )
        return [it for (it,) in rows]

    def names_containing(self, text: str, limit: int) -> list[str]:
        """Names that are defined and in which this stands, of three letters or more, shortest first."""
        rows = self.matches(
            "SELECT text FROM name WHERE id IN (SELECT rowid FROM name_fts WHERE name_fts MATCH ?)"
            f" AND {DEFINED} ORDER BY length(text), text LIMIT ?",
            " AND ".join(map(_quoted, trigrams(text))),
            SPARE * limit,  # All its pieces may stand in a name in another order.
        )
        folded = text.casefold()
        return [it for (it,) in rows if folded in it.casefold()][:limit]

    def names_like(self, begin: str, pattern: str, limit: int) -> list[str]:
        """Names that are defined, begin so, whatever the case, and fit a pattern with stars and brackets."""
        rows = self.rows(
            f"SELECT text FROM name WHERE {BETWEEN} AND text GLOB ? AND {DEFINED} LIMIT ?",
            begin,
            begin[:-1] + chr(ord(begin[-1]) + 1),
            pattern,
            limit,
        )
        return [it for (it,) in rows]

    def _telling(self, pieces: Sequence[str]) -> list[tuple[int, str]]:
        """The rarest pieces of a name, with their counts: a name that is like it has some of them."""
        counted = []
        for it in pieces:
            rows = self.matches("SELECT count(*) FROM name_fts WHERE name_fts MATCH ?", _quoted(it))
            if rows and rows[0][0]:
                counted.append((rows[0][0], it))
        counted.sort()
        total = list(accumulate(count for count, _ in counted))
        return [it for place, it in enumerate(counted) if place < PIECES or total[place] <= SCORED]

    def _with_pieces(self, text: str, pieces: Sequence[tuple[int, str]]) -> list[tuple[int, str]]:
        """Ids and names that have some of these pieces: rare ones count more, and all in short names."""
        if not pieces:
            return []
        one = "SELECT rowid AS number, ? AS weight FROM name_fts WHERE name_fts MATCH ?"
        most = max(count for count, _ in pieces)
        values = [it for count, piece in pieces for it in (1.0 + log(most / count), _quoted(piece))]
        return self.matches(
            "SELECT id, text FROM (SELECT number, sum(weight) AS score FROM"
            f" ({' UNION ALL '.join([one] * len(pieces))}) GROUP BY number) JOIN name ON name.id = number"
            " ORDER BY score / (length(text) + ?) DESC, number LIMIT ?",
            *(*values, len(text), NEAR),
        )

    def _is_used(self, name: int) -> bool:
        defined = f"SELECT 1 FROM symbol WHERE name = ? AND {HAS_FILE.format('symbol')} LIMIT 1"
        used = f"SELECT 1 FROM used_fts WHERE used_fts MATCH ? AND {USER_HAS_FILE} LIMIT 1"
        return bool(self.rows(defined, name) or self.rows(used, f'"{name}"'))


def _quoted(piece: str) -> str:
    """A piece, as FTS5 reads one."""
    return '"{}"'.format(piece.replace('"', '""'))
