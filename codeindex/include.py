"""Pure: patterns of the user's own settings that bring in what ignore rules leave out.

They mean what they mean in a `.gitignore`. A pattern without a slash is looked for where the
walk comes anyway; to reach into a folder that is left out, a pattern names the way: `vendor/*/src`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from codeindex.gitignore import Rules, byte_text, read_rules, verdict
from codeindex.wildmatch import SPECIAL


@dataclass(frozen=True, slots=True, kw_only=True)
class Include:
    """Patterns, read."""

    rules: Rules
    ways: tuple[tuple[str, ...], ...]
    """For each pattern with a slash, the names in it before the first wildcard."""


@lru_cache(maxsize=16)
def read_include(patterns: tuple[str, ...]) -> Include | None:
    """None for no patterns at all: then nothing costs anything."""
    if not patterns:
        return None
    rules = read_rules("\n".join(patterns).encode("utf-8", "surrogateescape"))
    ways = []
    for it in patterns:
        names = byte_text(it).strip().strip("/").split("/")
        rooted = "/" in byte_text(it).strip().rstrip("/")
        if rooted and not it.startswith(("!", "#")):
            plain = next((at for at, name in enumerate(names) if not SPECIAL.isdisjoint(name)), len(names))
            ways.append(tuple(names[:plain]))
    return Include(rules=rules, ways=tuple(ways))


def brings_in(include: Include | None, relative: str, *, folder: bool) -> bool | None:
    """Whether the patterns bring this very path in; None if they do not speak of it."""
    return verdict(include.rules, byte_text(relative), folder=folder) if include else None


def leads_to(include: Include | None, relative: str) -> bool:
    """Whether something below this folder may be brought in by a pattern that names the way."""
    if include is None:
        return False
    names = tuple(byte_text(relative).split("/"))
    return any(names[: len(it)] == it[: len(names)] for it in include.ways if it)
