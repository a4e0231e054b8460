"""Pure: what the index's service is asked and told, one line of JSON each: values, or what makes no sense.

A request has an ``id`` and gets one answer with it; a notification has none. The methods are described at
the values that they become.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from codeindex.protocol import Json
from codeindex.types import Filters, Kind

LONGEST_LINE = 64_000_000  # Characters: many times the largest file that belongs.
MOST_HITS = 1_000
MOST_FILES = 100_000
MOST_LINES = 10_000
MOST_NAMES = 200
MOST_TOKENS = 1_000_000

Id = int | str


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """``search``: the best hits for words, a name, a path or an error message."""

    query: str
    where: Filters
    limit: int
    why: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Symbols:
    """``symbols``: definitions whose names begin with, contain or abbreviate what is typed."""

    query: str
    limit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """``outline``: what one file defines, on screen if it is open, else on disk."""

    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Calls:
    """``callers`` and ``callees`` of what has this name, or of what stands at this place."""

    name: str
    path: str
    line: int
    limit: int
    outgoing: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Definitions:
    """``definitions``: the code that names stand for, as seen from a file."""

    names: tuple[str, ...]
    path: str
    limit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Similar:
    """``similar``: code with the names that a text has, elsewhere than in its file."""

    text: str
    path: str
    limit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """``map``: the outline of all, the most important first, in so many tokens."""

    tokens: int
    focus: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """``files``: the paths that belong, by a glob pattern, a folder or a part of them; all for nothing."""

    pattern: str
    limit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Imports:
    """``imports``: what a file imports, and which files import it."""

    path: str
    limit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """``occurrences``: everywhere a symbol's name stands; it is the one defined or used at this line."""

    name: str
    path: str
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """``faults``: how many faults a grammar finds in a text."""

    text: str
    language: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Grep:
    """``lines``: every line of code that a regular expression finds; one of ours, which nobody typed."""

    pattern: str
    words: tuple[str, ...]
    """Of which a line must have one to be looked at; without any, every line is."""
    paths: tuple[str, ...]
    limit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HowIsIt:
    """``status``."""


Ask = (
    Search
    | Symbols
    | Outline
    | Calls
    | Definitions
    | Similar
    | Overview
    | Files
    | Imports
    | Places
    | Faults
    | Grep
    | HowIsIt
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is to be answered."""

    id: Id
    ask: Ask


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What is only told: ``buffer``, ``saved``, ``changed``, ``open``, ``pause``, ``resume``, ``rescan``."""

    method: str
    paths: tuple[str, ...] = ()
    text: str | None = None
    """Of a ``buffer``; None: the file counts again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel:
    """Nobody waits for this answer any more."""

    id: Id


@dataclass(frozen=True, slots=True, kw_only=True)
class Bad:
    """What cannot be understood."""

    id: Id | None
    says: str


KINDS = frozenset(it.value for it in Kind)


class _Wrong(Exception):
    """The message is the sentence."""


def message_in(line: str | bytes) -> Request | Notice | Cancel | Bad:
    """What a line says. Raises nothing, whatever it is."""
    said = _object(line)
    if isinstance(said, Bad):
        return said
    number = said.get("id")
    if isinstance(number, bool) or not isinstance(number, int | str | None):
        return Bad(id=None, says="The id is neither a number nor a string.")
    method, params = said.get("method"), said.get("params", {})
    if not isinstance(method, str):
        return Bad(id=number, says="The method is missing.")
    if params is None:
        params = {}
    if not isinstance(params, dict):
        return Bad(id=number, says="The params are not an object.")
    try:
        if number is None:
            return _notice(method, params)
        if method not in ASKS:
            return Bad(id=number, says=f"There is no method {method[:40]!r}.")
        return Request(id=number, ask=ASKS[method](params))
    except _Wrong as wrong:
        return Bad(id=number, says=str(wrong))


def _object(line: str | bytes) -> Json | Bad:
    if LONGEST_LINE < len(line):
        return Bad(id=None, says="The line is too long.")
    try:
        said = json.loads(line)
    except (ValueError, RecursionError):
        return Bad(id=None, says="The line is not JSON.")
    return said if isinstance(said, dict) else Bad(id=None, says="The line is not a JSON object.")


def _notice(method: str, params: Json) -> Notice | Cancel:
    if method == "cancel":
        number = params.get("id")
        if isinstance(number, bool) or not isinstance(number, int | str):
            raise _Wrong("The id to cancel is neither a number nor a string.")
        return Cancel(id=number)
    if method == "buffer":
        text = params.get("text")
        if not isinstance(text, str | None):
            raise _Wrong("The text is not a string.")
        return Notice(method=method, paths=(_text(params, "path"),), text=text and _sound(text))
    if method in ("saved", "changed", "open"):
        return Notice(method=method, paths=_texts(params, "paths"))
    if method in ("pause", "resume", "rescan", "check"):
        return Notice(method=method)
    raise _Wrong(f"There is no method {method[:40]!r} without an id.")


def _search(params: Json) -> Ask:
    kinds = _texts(params, "kinds")
    wrong = [it for it in kinds if it not in KINDS]
    if wrong:
        raise _Wrong(f"There is no kind {wrong[0][:40]!r}.")
    where = Filters(
        paths=_texts(params, "paths"),
        languages=_texts(params, "languages"),
        kinds=tuple(Kind(it) for it in kinds),
        changed_since_ns=_number(params, "changed_since_ns", 0, 1 << 63),
    )
    return Search(
        query=_text(params, "query"),
        where=where,
        limit=_number(params, "limit", 10, MOST_HITS),
        why=params.get("why") is True,
    )


def _symbols(params: Json) -> Ask:
    return Symbols(query=_text(params, "query"), limit=_number(params, "limit", 100, MOST_HITS))


def _calls(outgoing: bool) -> Callable[[Json], Ask]:
    def calls(params: Json) -> Ask:
        return Calls(
            name=_text(params, "name"),
            path=_text(params, "path", ""),
            line=_number(params, "line", 0, 1 << 31),
            limit=_number(params, "limit", 100, MOST_HITS),
            outgoing=outgoing,
        )

    return calls


def _definitions(params: Json) -> Ask:
    return Definitions(
        names=_texts(params, "names")[:MOST_NAMES],
        path=_text(params, "path", ""),
        limit=_number(params, "limit", 10, MOST_HITS),
    )


def _similar(params: Json) -> Ask:
    return Similar(
        text=_text(params, "text"),
        path=_text(params, "path", ""),
        limit=_number(params, "limit", 5, MOST_HITS),
    )


def _overview(params: Json) -> Ask:
    return Overview(tokens=_number(params, "tokens", 2_000, MOST_TOKENS), focus=_texts(params, "focus"))


def _files(params: Json) -> Ask:
    return Files(pattern=_text(params, "pattern", ""), limit=_number(params, "limit", 1_000, MOST_FILES))


def _imports(params: Json) -> Ask:
    return Imports(path=_text(params, "path"), limit=_number(params, "limit", 100, MOST_HITS))


def _occurrences(params: Json) -> Ask:
    line = _number(params, "line", 0, 1 << 31)
    return Places(name=_text(params, "name"), path=_text(params, "path"), line=line)


def _faults(params: Json) -> Ask:
    return Faults(text=_text(params, "text"), language=_text(params, "language"))


def _lines(params: Json) -> Ask:
    pattern = _text(params, "pattern")
    try:
        re.compile(pattern)
    except (re.error, RecursionError, OverflowError):
        raise _Wrong("The pattern is no regular expression.") from None
    return Grep(
        pattern=pattern,
        words=_texts(params, "words"),
        paths=_texts(params, "paths"),
        limit=_number(params, "limit", 100, MOST_LINES),
    )


ASKS: Mapping[str, Callable[[Json], Ask]] = {
    "callees": _calls(outgoing=True),
    "callers": _calls(outgoing=False),
    "definitions": _definitions,
    "faults": _faults,
    "files": _files,
    "imports": _imports,
    "lines": _lines,
    "map": _overview,
    "occurrences": _occurrences,
    "outline": lambda params: Outline(path=_text(params, "path")),
    "search": _search,
    "similar": _similar,
    "status": lambda _: HowIsIt(),
    "symbols": _symbols,
}
"""All that can be asked."""


def _text(params: Json, key: str, default: str | None = None) -> str:
    found = params.get(key, default)
    if not isinstance(found, str):
        raise _Wrong(f"The {key} is not a string.")
    return found if key == "path" else _sound(found)


def _texts(params: Json, key: str) -> tuple[str, ...]:
    found = params.get(key) or ()
    if not isinstance(found, list | tuple) or not all(isinstance(it, str) for it in found):
        raise _Wrong(f"The {key} are not a list of strings.")
    return tuple(found if key in ("paths", "focus") else map(_sound, found))


def _sound(text: str) -> str:
    """A text without halves of characters: only paths may have bytes that are no text."""
    return text.encode("utf-8", "replace").decode()


def _number(params: Json, key: str, default: int, most: int) -> int:
    found = params.get(key, default)
    if found is None:
        return default
    if isinstance(found, bool) or not isinstance(found, int) or found < 0:
        raise _Wrong(f"The {key} is not a whole number.")
    return min(found, most)


def notice_json(it: Notice) -> dict[str, object]:
    """As it is handed on."""
    return {"method": it.method, "params": {"paths": list(it.paths)}}
