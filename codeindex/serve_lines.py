"""Every line of the workspace's code that a pattern finds, as files and buffers are now."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from codeindex.graph_view import View, qualified
from codeindex.overlay import Overlay
from codeindex.rank_places import places
from codeindex.serve_code import Lines
from codeindex.store.asked import matching
from codeindex.store.read import Reader

NO_CODE = frozenset(
    {
        "dotenv",
        "html",
        "ignore",
        "ini",
        "json",
        "jsonc",
        "latex",
        "markdown",
        "restructuredtext",
        "text",
        "toml",
    }
    | {"xml", "yaml", "csv", "diff"}
)
"""Languages of texts and data."""
Hit = tuple[int, str]
"""A line by its number, and what it says."""
LONGEST_LINE = 1_000  # Characters: what is longer was written by no person.

MOST_KEPT = (
    24_000_000  # Characters of texts that are kept at hand: a million lines are more, and take longer.
)
WITH_AROUND = 100  # Lines of which it is said what they stand in: who gets more reads no more.


class Texts:
    """Texts of the index, unpacked once. For one thread, and as long as the index is open."""

    def __init__(self, reader: Reader) -> None:
        """Nothing is unpacked yet."""
        self.reader = reader
        self._kept: dict[int, str] = {}
        self._size = 0

    def text(self, content: int) -> str:
        """A content's text."""
        found = self._kept.get(content)
        if found is None:
            found = self.reader.text(content)
            if self._size + len(found) <= MOST_KEPT:
                self._kept[content] = found
                self._size += len(found)
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line that was found."""

    path: str
    line: int
    """1-based."""
    text: str
    around: str
    """The innermost symbol that it stands in, with its scope; empty at the top, or if that is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The lines, those of usual code first, then tests, documents and the like; in the order of paths."""

    lines: tuple[Line, ...]
    more: int
    """That are beyond the limit."""


def find_lines(
    texts: Texts,
    overlay: Overlay,
    sight: View,
    now: Lines,
    pattern: str,
    words: Collection[str],
    paths: tuple[str, ...],
    limit: int,
) -> Found:
    """Look at every text that has one of the words; each once, whatever number of files has it."""
    wanted = re.compile(pattern)
    files = {path: it for path, it in sight.files.items() if it.language not in NO_CODE}
    if paths:
        kept = frozenset(matching(paths, list(files)))
        files = {path: it for path, it in files.items() if path in kept}
    hits: dict[int, tuple[Hit, ...]] = {}
    found: list[tuple[str, int, str, bool]] = []
    for path, row in files.items():
        if path in overlay:
            text = overlay.text(path) or ""
            found += [(path, line, it, False) for line, it in _hits(text, wanted, words)]
            continue
        if row.content not in hits:
            hits[row.content] = tuple(_hits(texts.text(row.content), wanted, words))
        if not hits[row.content]:
            continue
        if now.is_same(path):
            found += [(path, line, it, True) for line, it in hits[row.content]]
        elif (newer := now.text(path)) is not None:
            found += [(path, line, it, False) for line, it in _hits(newer, wanted, words)]
    found.sort(key=lambda it: (len(places(it[0])), it[0], it[1]))
    lines = tuple(
        Line(
            path=path,
            line=line,
            text=it,
            around=_around(sight, path, line) if is_same and number < WITH_AROUND else "",
        )
        for number, (path, line, it, is_same) in enumerate(found[:limit])
    )
    return Found(lines=lines, more=max(0, len(found) - limit))


def _hits(text: str, wanted: re.Pattern[str], words: Collection[str]) -> Iterator[Hit]:
    """The lines in which the pattern is found, each with its number."""
    if not words:
        for number, line in enumerate(text.split("\n"), 1):
            if len(line) <= LONGEST_LINE and wanted.search(line):
                yield number, line
        return
    starts: set[int] = set()
    for word in words:
        at = text.find(word)
        while 0 <= at:
            starts.add(text.rfind("\n", 0, at) + 1)
            end = text.find("\n", at)
            at = text.find(word, end) if 0 <= end else -1
    number, before = 1, 0
    for start in sorted(starts):
        number, before = number + text.count("\n", before, start), start
        end = text.find("\n", start)
        line = text[start : end if 0 <= end else len(text)]
        if len(line) <= LONGEST_LINE and wanted.search(line):
            yield number, line


def _around(sight: View, path: str, line: int) -> str:
    inside = [it for it in sight.symbols(path).values() if it.first_line <= line <= it.last_line]
    return qualified(min(inside, key=lambda it: it.last_line - it.first_line, default=None))
