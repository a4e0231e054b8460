"""Pure: what the index's service and its writer say, line by line: values <-> JSON.

What they are asked and told is in ``codeindex/protocol_asks.py``.
"""

from __future__ import annotations

import json
from collections.abc import Container, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from enum import StrEnum
from typing import Any

from codeindex.config import DEFAULTS, WalkConfig
from codeindex.types import Hit, Kind, Signal, SymbolRow

Json = Mapping[str, Any]


class State(StrEnum):
    """What can be asked."""

    EMPTY = "empty"
    """Nothing is indexed yet."""
    BUILDING = "building"
    """Some of it: the rest is being read."""
    READY = "ready"
    PAUSED = "paused"
    """Some of it or all; what changes is not looked at."""
    OFF = "off"
    FAILED = "failed"
    """What there is can be asked, and nobody keeps it up to date: ``problem`` says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """How the index is."""

    state: State = State.EMPTY
    files: int = 0
    chunks: int = 0
    symbols: int = 0
    lines: int = 0
    vectors: int = 0
    generation: int = 0
    progress: float = 1.0
    """Of what is being read: 0 to 1."""
    seconds_left: float | None = None
    embedder: str = ""
    """Which model compares meanings; empty for none."""
    writer: str = "none"
    """``here`` if ours writes, ``elsewhere`` if another window's does, else ``none``."""
    problem: str = ""
    """One sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the writer tells of itself."""

    state: State
    generation: int = 0
    read: int = 0
    """Files, of what is being read."""
    total: int = 0
    seconds_left: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How the service and its writer go about it."""

    config: WalkConfig = DEFAULTS
    embedder: str = ""
    """The folder of a model; empty to search by words alone."""
    reranker: str = ""
    """The folder of a model that puts the first hits in order; empty for none."""
    threads: int = 1
    """With which questions are embedded."""
    jobs: int = 0
    """Processes that read files, and threads that embed in idle; 0 for as many as there are cores."""
    watch: bool = True
    """Whether to be told of changes by the system; else all files are looked at now and then."""


HIT = tuple(it.name for it in fields(Hit) if it.name != "why")


def line_of(said: Json) -> str:
    """A line to be written. Names of files may have bytes that are no text: those survive."""
    return json.dumps(said, ensure_ascii=True, separators=(",", ":")) + "\n"


def hit_json(hit: Hit, *, why: bool = False) -> dict[str, Any]:
    """A hit; with its reasons only if somebody wants to know."""
    said: dict[str, Any] = {name: getattr(hit, name) for name in HIT}
    if why:
        said["why"] = [asdict(it) for it in hit.why]
    return said


def hit_in(said: Json) -> Hit:
    """A hit again. Raises KeyError, TypeError or ValueError if it is none."""
    kind = said["kind"]
    why = tuple(Signal(**it) for it in said.get("why", ()))
    return Hit(**{**said, "kind": Kind(kind) if kind else None, "why": why})


def symbol_json(row: SymbolRow, path: str) -> dict[str, Any]:
    """A symbol in one of its files."""
    return {key: it for key, it in asdict(row).items() if key not in ("paths", "content")} | {"path": path}


def symbol_in(said: Json) -> SymbolRow:
    """A symbol again; its content is not told. Raises KeyError, TypeError or ValueError if it is none."""
    rest = {key: it for key, it in said.items() if key not in ("path", "kind")}
    return SymbolRow(**rest, kind=Kind(said["kind"]), paths=(said["path"],), content=0)


def status_json(status: Status) -> dict[str, Any]:
    """How the index is."""
    return asdict(status)


def status_in(said: Json) -> Status:
    """The same again; what is unknown is left out. Raises ValueError for a state that there is not."""
    known = {it.name for it in fields(Status)}
    found = {key: it for key, it in said.items() if key in known}
    return Status(**{**found, "state": State(found.get("state", State.EMPTY))})


def told_json(told: Told) -> dict[str, Any]:
    """What the writer tells."""
    return {"event": "state", **asdict(told)}


def told_in(said: Json) -> Told:
    """The same again. Raises TypeError or ValueError."""
    found = {key: it for key, it in said.items() if key != "event"}
    return Told(**{**found, "state": State(found.get("state", ""))})


def options_in(said: Json) -> tuple[Options, Sequence[str]]:
    """Options, and a sentence for each that makes no sense: that one is left as it is."""
    given = dict(said)
    inner = given.pop("config", {})
    known = {it.name for it in fields(Options)} - {"config"}
    good, problems = _fitting(Options(), given, known)
    if not isinstance(inner, dict):
        return replace(Options(), **good), [*problems, "The option config makes no sense."]
    fit, wrong = _fitting(DEFAULTS, inner, {it.name for it in fields(WalkConfig)})
    return replace(Options(), **good, config=replace(DEFAULTS, **fit)), [*problems, *wrong]


def _fitting(usual: object, given: Json, known: Container[str]) -> tuple[dict[str, Any], list[str]]:
    """The values that are like the usual ones, and a sentence for each other one."""
    good: dict[str, Any] = {}
    problems = []
    for key, it in given.items():
        value = tuple(it) if isinstance(it, list) and all(isinstance(one, str) for one in it) else it
        if key in known and type(value) is type(getattr(usual, key)):
            good[key] = value
        else:
            problems.append(f"The option {key[:40]} makes no sense.")
    return good, problems


def options_json(options: Options) -> dict[str, Any]:
    """Options as they are handed on."""
    return asdict(options)
