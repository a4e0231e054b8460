"""Which contents a question is about, by its filters: worked out once per generation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from codeindex.gitignore import byte_text, read_rules, verdict
from codeindex.store.rows import path_in
from codeindex.types import Filters

REMEMBERED = 8


class Asked:
    """The last few filters and what they let pass."""

    def __init__(self) -> None:
        """Nothing yet."""
        self._generation = -1
        self._known: dict[Filters, frozenset[int]] = {}

    def contents(
        self, rows: Callable[..., list[Any]], generation: int, where: Filters
    ) -> frozenset[int] | None:
        """The contents of the files that pass; None if all pass. ``rows`` asks the index."""
        if not (where.paths or where.languages or where.changed_since_ns):
            return None
        if generation != self._generation or REMEMBERED <= len(self._known):
            self._generation, self._known = generation, {}
        if where not in self._known:
            self._known[where] = _contents(rows, where)
        return self._known[where]


def matching(patterns: tuple[str, ...], paths: list[str]) -> list[str]:
    """Those of the paths that a pattern means, as in a `.gitignore`: itself, or a folder above it."""
    rules = read_rules("\n".join(patterns).encode("utf-8", "surrogateescape"))
    known: dict[str, bool] = {}

    def means(path: str, *, folder: bool) -> bool:
        if not folder:
            said = verdict(rules, byte_text(path), folder=False)
            return means(path.rpartition("/")[0], folder=True) if said is None else said
        if not path:
            return False
        if path not in known:
            said = verdict(rules, byte_text(path), folder=True)
            known[path] = means(path.rpartition("/")[0], folder=True) if said is None else said
        return known[path]

    return [it for it in paths if means(it, folder=False)]


def _contents(rows: Callable[..., list[Any]], where: Filters) -> frozenset[int]:
    found = rows(
        "SELECT path, content, language FROM file JOIN content ON content.id = content WHERE ? <= mtime_ns",
        where.changed_since_ns,
    )
    files = {
        path_in(path): content
        for path, content, language in found
        if not where.languages or language in where.languages
    }
    wanted = matching(where.paths, list(files)) if where.paths else files
    return frozenset(files[it] for it in wanted)
