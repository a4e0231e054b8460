"""Every line of the workspace's code that a pattern finds, as files and buffers are now."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from codeindex.graph_view import View, qualified
from codeindex.overlay import Overlay
from codeindex.rank_places import places
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
LONGEST_LINE = 1_000  # Characters: what is longer was written by no person.

Now = Callable[[str, int, str], str | None]
"""A file's text as it is now, by its path, its content in the index and its language; None if it is gone."""


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
    reader: Reader,
    overlay: Overlay,
    sight: View,
    now: Now,
    pattern: str,
    words: Collection[str],
    paths: tuple[str, ...],
    limit: int,
) -> Found:
    """Look at every text that has one of the words; each once, whatever number of files has it."""
    wanted = re.compile(pattern)
    files = {
        path: it for path, it in sight.files.items() if it.language not in NO_CODE and path not in overlay
    }
    for path in overlay.paths():
        if path in sight.files:
            files[path] = sight.files[path]
    if paths:
        kept = frozenset(matching(paths, list(files)))
        files = {path: it for path, it in files.items() if path in kept}
    hits: dict[int, tuple[int, ...]] = {}
    found: list[Line] = []
    for path, row in files.items():
        unsaved = overlay.text(path)
        if unsaved is None:
            if row.content not in hits:
                hits[row.content] = tuple(_hits(reader.text(row.content), wanted, words))
            if not hits[row.content]:
                continue
        text = now(path, row.content, row.language) if unsaved is None else unsaved
        if text is None:
            continue
        lines = text.split("\n")
        is_same = unsaved is None and lines == sight.lines(row.content)
        for line in hits[row.content] if is_same else _hits(text, wanted, words):
            around = _around(sight, path, line) if is_same else ""
            found.append(Line(path=path, line=line, text=lines[line - 1], around=around))
    found.sort(key=lambda it: (len(places(it.path)), it.path, it.line))
    return Found(lines=tuple(found[:limit]), more=max(0, len(found) - limit))


def _hits(text: str, wanted: re.Pattern[str], words: Collection[str]) -> Iterator[int]:
    """The lines in which the pattern is found."""
    if not words:
        for number, line in enumerate(text.split("\n"), 1):
            if len(line) <= LONGEST_LINE and wanted.search(line):
                yield number
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
            yield number


def _around(sight: View, path: str, line: int) -> str:
    inside = [it for it in sight.symbols(path).values() if it.first_line <= line <= it.last_line]
    return qualified(min(inside, key=lambda it: it.last_line - it.first_line, default=None))
