"""What the service says of whole files: which there are, who imports whom, what a line of them says now."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from codeindex.config import WalkConfig
from codeindex.files import read_bytes, text_of
from codeindex.graph_imports import imported
from codeindex.graph_view import View
from codeindex.overlay import Overlay
from codeindex.search_check import moved_to
from codeindex.store.asked import matching
from codeindex.store.read import Reader
from codeindex.store.rows import content_hash
from codeindex.types import ImportRow

GLOB = frozenset("*?[")


@dataclass(frozen=True, slots=True, kw_only=True)
class Importing:
    """A line in which one file takes something from another, or from somebody else's module."""

    path: str
    line: int
    module: str
    """As it is written."""
    names: tuple[str, ...]
    target: str
    """The file that is meant; empty if it is none of the project's."""


def fitting(reader: Reader, overlay: Overlay, pattern: str) -> list[str]:
    """The paths by a glob pattern as in a `.gitignore`, a whole path, a folder, or a part of a path."""
    paths = sorted({*(it.path for it in reader.files()), *overlay.paths()})
    wanted = pattern.strip().removeprefix("./")
    if not wanted:
        return paths
    if GLOB & set(wanted):
        return matching((wanted,), paths)
    folder = wanted.rstrip("/") + "/"
    exact = [it for it in paths if it == wanted or it.startswith(folder)]
    if exact or wanted.endswith("/"):
        return exact
    part = wanted.lower()
    return [it for it in paths if part in it.lower()]


def all_imports(reader: Reader, sight: View) -> list[Importing]:
    """Every import of every file, with the files that it means."""
    found = []
    for row in reader.imports():
        for target in _targets(sight, row):
            found.append(
                Importing(path=row.path, line=row.line, module=row.module, names=row.names, target=target)
            )
    return found


def imports_of(known: Iterable[Importing], path: str) -> tuple[list[Importing], list[Importing]]:
    """What a file imports, and where it is imported, each other file once."""
    if not path:
        return [], []
    uses = {(it.target or it.module): it for it in reversed([*known]) if it.path == path}
    used = {it.path: it for it in reversed([*known]) if it.target == path != it.path}
    return [uses[it] for it in reversed(uses)], [used[it] for it in sorted(used)]


class Lines:
    """Lines of the index as files have them now; made for one question."""

    def __init__(self, reader: Reader, root: Path, config: WalkConfig, overlay: Overlay, sight: View) -> None:
        """Each file is read once."""
        self._reader = reader
        self._root = root
        self._config = config
        self._overlay = overlay
        self._sight = sight
        self._now: dict[str, str | bool] = {}

    def is_same(self, path: str) -> bool:
        """Whether a file says what the index has of it."""
        return self._look(path) is True

    def text(self, path: str) -> str | None:
        """A file's text as it is now; None if it is gone."""
        now = self._look(path)
        if now is True:
            return "\n".join(self._sight.lines(self._sight.files[path].content))
        return None if now is False else now

    def now(self, path: str, line: int) -> tuple[int, str] | None:
        """Where a line of the index is now, and what it says; None if it is gone."""
        known = self._sight.files.get(path)
        if known is None:
            return None
        indexed = self._sight.lines(known.content)
        if not 0 < line <= len(indexed):
            return None
        text, now = indexed[line - 1], self._look(path)
        if isinstance(now, bool):
            return (line, text) if now else None
        at = moved_to([text], now.split("\n"), line)
        return (at, text) if at else None

    def _look(self, path: str) -> str | bool:
        """The text as it is now; True if it is what the index has, False if there is none."""
        if path not in self._now:
            self._now[path] = self._read(path)
        return self._now[path]

    def _read(self, path: str) -> str | bool:
        unsaved = self._overlay.text(path)
        if unsaved is not None:
            return unsaved
        known = self._sight.files.get(path)
        try:
            data = read_bytes(self._root / path, self._config.max_bytes)
        except OSError:
            return False
        if known and self._reader.is_text_of(known.content, content_hash(known.language, data)):
            return True
        text = text_of(data)
        if known and text and self._reader.is_text_of(known.content, content_hash(known.language, text)):
            return True  # Its line ends are others.
        return False if text is None else text


def _targets(sight: View, row: ImportRow) -> list[str]:
    """The files that an import means; one empty path where it means none of the project's."""
    there = imported(sight.modules, row.path, sight.language(row.path), row.module, row.names)
    named = [path for _, path in there.named]
    # From a package only what is named is taken, if that is a file of its own.
    files = [] if named and len(named) == len(row.names) else there.files
    return list(dict.fromkeys((*named, *files))) or [""]
