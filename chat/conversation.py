"""Pure: a conversation and its turns, as values, as JSON and as Markdown.

A turn keeps the very text that was sent for it, so that the next question begins with the same bytes: a model
that still has them read reads the new ones only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, get_args

from chat.redact import Secret
from chat.types import Place, Task, Tier

MOST_TITLE = 60  # Characters.


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One question and its answer."""

    id: str
    at: float
    """When it was asked, in seconds since 1970."""
    asked: str
    """As it was written, mentions included."""
    task: Task = "ask"
    path: str = ""
    """The file that was open."""
    prompt: str = ""
    """The message that was sent for it: context and question; empty if no model was asked."""
    said: str = ""
    """The answer as it came, with its numbers."""
    shown: str = ""
    """The answer as the user sees it, with links."""
    numbers: Mapping[int, Place] = field(default_factory=dict)
    """The places that its context has brought, by their numbers."""
    parts: frozenset[int] = frozenset()
    """Those of all numbers of which only some lines have been shown so far."""
    stamps: Mapping[int, int] = field(default_factory=dict)
    """What stood at the places, as a checksum each."""
    tier: Tier = "extractive"
    server: str = ""
    reason: str = ""
    """Why this one answered."""
    problem: str = ""
    """What went wrong, as one sentence."""
    is_whole: bool = False
    """Whether the answer came to its end: it was not stopped, and did not break off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """Questions and answers that belong together."""

    id: str
    title: str = ""
    root: str = ""
    """The first folder of the workspace that it is about."""
    system: str = ""
    """What was said to the model before everything else; the same throughout."""
    turns: tuple[Turn, ...] = ()
    summary: str = ""
    """What stands for the oldest turns, once they are too long to be sent."""
    condensed: int = 0
    """How many of the oldest turns it stands for."""
    secrets: tuple[Secret, ...] = field(default=(), repr=False)
    """In memory only: what was taken out of what has left this machine."""

    @property
    def given(self) -> Mapping[int, Place]:
        """The places that the model has before it, by their numbers."""
        return {number: place for it in self.turns[self.condensed :] for number, place in it.numbers.items()}


def title_of(asked: str) -> str:
    """What a conversation is called until somebody gives it a name: the beginning of its first question."""
    words = " ".join(asked.split())
    if len(words) <= MOST_TITLE:
        return words
    cut = words[: MOST_TITLE - 1]
    return f"{cut.rpartition(' ')[0] or cut}…"


def back_to(conversation: Conversation, turn: int) -> Conversation:
    """The conversation as it was before this turn, counted from 0; all of it if there is no such turn."""
    turns = conversation.turns[: max(0, turn)]
    if conversation.condensed <= len(turns):
        return replace(conversation, turns=turns)
    return replace(conversation, turns=turns, summary="", condensed=0)


def turn_json(turn: Turn) -> dict[str, Any]:
    """As it is kept and exported."""
    return {
        "id": turn.id,
        "at": turn.at,
        "asked": turn.asked,
        "task": turn.task,
        "path": turn.path,
        "prompt": turn.prompt,
        "said": turn.said,
        "shown": turn.shown,
        "numbers": {
            str(number): [it.path, it.first_line, it.last_line] for number, it in turn.numbers.items()
        },
        "parts": sorted(turn.parts),
        "stamps": {str(number): it for number, it in turn.stamps.items()},
        "tier": turn.tier,
        "server": turn.server,
        "reason": turn.reason,
        "problem": turn.problem,
        "isWhole": turn.is_whole,
    }


def turn_value(raw: Mapping[str, Any]) -> Turn:
    """A turn that was kept; what is missing or of the wrong type is as if nothing had been said."""

    def text(name: str) -> str:
        value = raw.get(name)
        return value if isinstance(value, str) else ""

    at, task, tier = raw.get("at"), text("task"), text("tier")
    numbers, parts, stamps = raw.get("numbers"), raw.get("parts"), raw.get("stamps")
    return Turn(
        id=text("id"),
        at=float(at) if isinstance(at, (int, float)) else 0.0,
        asked=text("asked"),
        task=task if task in get_args(Task) else "ask",  # type: ignore[arg-type]  # one of them, as just seen
        path=text("path"),
        prompt=text("prompt"),
        said=text("said"),
        shown=text("shown"),
        numbers=dict(_places(numbers)) if isinstance(numbers, Mapping) else {},
        parts=frozenset(it for it in parts if type(it) is int) if isinstance(parts, list) else frozenset(),
        stamps=_stamps(stamps) if isinstance(stamps, Mapping) else {},
        tier=tier if tier in get_args(Tier) else "extractive",  # type: ignore[arg-type]  # as above
        server=text("server"),
        reason=text("reason"),
        problem=text("problem"),
        is_whole=raw.get("isWhole") is True,
    )


def as_json(conversation: Conversation) -> dict[str, Any]:
    """All of a conversation for other programs: what was asked, sent and said."""
    return {
        "id": conversation.id,
        "title": conversation.title,
        "root": conversation.root,
        "system": conversation.system,
        "turns": [turn_json(it) for it in conversation.turns],
    }


def as_markdown(conversation: Conversation, when: Callable[[float], str]) -> str:
    """All of a conversation for people; ``when`` writes a time."""
    parts = [f"# {conversation.title or 'Conversation'}\n"]
    for it in conversation.turns:
        quoted = "\n".join(f"> {line}".rstrip() for line in it.asked.splitlines() or [""])
        who = it.server or ("your code itself" if it.tier == "extractive" else "a model")
        ending = "" if it.is_whole else " Not whole." + (f" {it.problem}" if it.problem else "")
        parts.append(f"{quoted}\n\n{it.shown.rstrip()}\n\n*{who} ({it.tier}), {when(it.at)}.{ending}*\n")
    return "\n".join(parts)


def _stamps(raw: Mapping[Any, Any]) -> dict[int, int]:
    return {int(key): it for key, it in raw.items() if str(key).isdigit() and type(it) is int}


def _places(raw: Mapping[Any, Any]) -> list[tuple[int, Place]]:
    found = []
    for number, it in raw.items():
        is_place = isinstance(it, list) and len(it) == 3 and isinstance(it[0], str)
        if is_place and str(number).isdigit() and all(type(line) is int for line in it[1:]):
            found.append((int(number), Place(path=it[0], first_line=it[1], last_line=it[2])))
    return found
