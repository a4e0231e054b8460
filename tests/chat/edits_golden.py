"""Canned answers and what becomes of them: the data in ``golden/edits``, and how often each kind is right.

A case has the ``answer``, the ``sources`` it is about (files beside the data), and either the ``changes``
that it makes or the sentence with which it is ``refused``. What may be added: ``task``, ``focus``,
``finished``, and the documents' ``line_ends``; ``text`` in the place of a source.
"""

from __future__ import annotations

import difflib
import tomllib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chat.edits import Edit, Refusal, Source, apply, check, place, read
from codeindex.languages import language_of

FOLDER = Path(__file__).parent / "golden" / "edits"
VERSION = 7
FIELDS = {
    "kind",
    "name",
    "answer",
    "sources",
    "text",
    "changes",
    "refused",
    "task",
    "focus",
    "finished",
    "line_ends",
}

Faults = Callable[[str, str], "int | None"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """How many answers of one kind become what they should."""

    kind: str
    applied: int
    refused: int
    wrong: int


def cases() -> list[dict[str, Any]]:
    """All cases, each with the ``kind`` that its file is named for."""
    found = []
    for path in sorted(FOLDER.glob("*.toml")):
        rows = tomllib.loads(path.read_text(encoding="utf-8"))["case"]
        found += [{"kind": path.stem.replace("_", " "), **it} for it in rows]
    return found


def documents(case: Mapping[str, Any]) -> dict[str, Source]:
    """The documents that a case is about."""
    found = {}
    for path in case["sources"]:
        given = case.get("text")
        text = (
            (FOLDER / "sources" / f"{Path(path).name}.txt").read_text(encoding="utf-8")
            if given is None
            else given
        )
        if case.get("line_ends") == "crlf":
            text = text.replace("\n", "\r\n")
        focus = tuple(case["focus"]) if "focus" in case else None
        language = language_of(path) or "text"
        found[path] = Source(path=path, text=text, version=VERSION, language=language, focus=focus)
    return found


def outcome(case: Mapping[str, Any], faults: Faults) -> tuple[Edit, ...] | Refusal:
    """What the whole way makes of an answer: read, place, check."""
    given = documents(case)
    language = next(iter(given.values())).language
    proposed = read(
        case["answer"], language=language, task=case.get("task", "refactor"), finished=case.get("finished")
    )
    if isinstance(proposed, Refusal):
        return proposed
    placed = place(proposed, given)
    return placed if isinstance(placed, Refusal) else check(placed, given, faults)


def shown(case: Mapping[str, Any], found: tuple[Edit, ...] | Refusal) -> str:
    """The outcome as a case writes it: the sentence, or the lines that go and come."""
    if isinstance(found, Refusal):
        return found.reason
    given = documents(case)
    rows: list[str] = []
    for path, source in given.items():
        own = [it for it in found if it.path == path]
        if own and 1 < len(given):
            rows.append(path)
        rows += differences(source.text, apply(source.text, own)) if own else []
    return "\n".join(rows)


def differences(old: str, new: str) -> list[str]:
    """The lines in which two texts differ, behind the number of the first; ``␍`` is a carriage return."""
    one, other = _lines(old), _lines(new)
    rows: list[str] = []
    for kind, a, b, c, d in difflib.SequenceMatcher(None, one, other, autojunk=False).get_opcodes():
        if kind != "equal":
            rows.append(f"@{a + 1}")
            rows += [f"-{it}" for it in one[a:b]] + [f"+{it}" for it in other[c:d]]
    return rows


def _lines(text: str) -> list[str]:
    """Lines as they are shown, with a mark where the last one has no end."""
    rows = text.replace("\r", "␍").split("\n")
    return rows[:-1] if rows[-1] == "" else [*rows[:-1], rows[-1] + "␄"]


def is_right(case: Mapping[str, Any], found: tuple[Edit, ...] | Refusal) -> bool:
    """Whether the outcome is the one that the case wants."""
    wanted = case["changes"].strip("\n") if "changes" in case else case["refused"]
    return isinstance(found, Refusal) == ("refused" in case) and shown(case, found) == wanted


def rates(faults: Faults, given: Iterable[Mapping[str, Any]] | None = None) -> tuple[Rate, ...]:
    """By kind: how many answers are applied rightly, refused rightly, and anything else."""
    counts: dict[str, Counter[str]] = {}
    for case in cases() if given is None else given:
        found = outcome(case, faults)
        word = "wrong" if not is_right(case, found) else "refused" if "refused" in case else "applied"
        counts.setdefault(case["kind"], Counter())[word] += 1
    return tuple(
        Rate(kind=kind, applied=it["applied"], refused=it["refused"], wrong=it["wrong"])
        for kind, it in sorted(counts.items())
    )
