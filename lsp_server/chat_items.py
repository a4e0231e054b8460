"""Pure: conversations, decisions and what was sent -> what an editor is told."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from chat.conversation import Conversation, Turn
from chat.router import Decision
from chat.types import Place

if TYPE_CHECKING:
    from chat.history import Found, Listed
    from chat.sent import Entry
    from chat.why import Noted
    from models.wire import Usage

UriOf = Callable[[str], str]


def place_item(place: Place, uri_of: UriOf) -> dict[str, Any]:
    """Some lines of a file; ``link`` is how they are called in the answer."""
    return {
        "link": place.link,
        "uri": uri_of(place.path),
        "range": {
            "start": {"line": place.first_line - 1, "character": 0},
            "end": {"line": place.last_line, "character": 0},
        },
    }


def place_items(places: Iterable[Place], uri_of: UriOf) -> list[dict[str, Any]]:
    """All of these."""
    return [place_item(it, uri_of) for it in places]


def turn_item(turn: Turn) -> dict[str, Any]:
    """One question and its answer."""
    return {
        "id": turn.id,
        "at": turn.at,
        "asked": turn.asked,
        "task": turn.task,
        "markdown": turn.shown,
        "tier": turn.tier,
        "server": turn.server,
        "reason": turn.reason,
        "isWhole": turn.is_whole,
        "problem": turn.problem,
    }


def conversation_item(conversation: Conversation) -> dict[str, Any]:
    """All of a conversation."""
    return {
        "id": conversation.id,
        "title": conversation.title,
        "root": conversation.root,
        "turns": [turn_item(it) for it in conversation.turns],
    }


def listed_item(listed: Listed) -> dict[str, Any]:
    """A conversation in a list."""
    return {
        "id": listed.id,
        "title": listed.title,
        "root": listed.root,
        "begun": listed.begun,
        "touched": listed.touched,
        "turns": listed.turns,
    }


def found_item(found: Found) -> dict[str, Any]:
    """The same, and what was found in it."""
    return {**listed_item(found.conversation), "turn": found.turn, "excerpt": found.excerpt}


def decision_item(decision: Decision) -> dict[str, Any]:
    """Who is asked, and why."""
    estimate = decision.estimate
    return {
        "tier": decision.tier,
        "server": (decision.backend.name or decision.backend.model) if decision.backend else "",
        "reason": decision.reason,
        "tokensIn": estimate.tokens_in,
        "tokensOut": estimate.tokens_out,
        "cost": estimate.cost,
        "currency": estimate.currency,
    }


def noted_item(noted: Noted) -> dict[str, Any]:
    """A decision of earlier."""
    return {
        "at": noted.at,
        "task": noted.task,
        "tier": noted.tier,
        "server": noted.server,
        "rule": noted.rule,
        "reason": noted.reason,
        "tokensIn": noted.tokens_in,
        "tokensOut": noted.tokens_out,
        "cost": noted.cost,
        "currency": noted.currency,
    }


def sent_item(entry: Entry) -> dict[str, Any]:
    """A request that has left this machine."""
    head = entry.head
    return {
        "name": entry.name,
        "at": head.at,
        "url": head.url,
        "server": head.server,
        "task": head.task,
        "reason": head.reason,
        "removed": list(head.removed),
        "bytes": head.bytes,
    }


def usage_item(usage: Usage | None) -> dict[str, Any] | None:
    """What an answer has cost, where the server says so."""
    if usage is None:
        return None
    return {
        "promptTokens": usage.prompt_tokens,
        "cachedTokens": usage.cached_tokens,
        "answerTokens": usage.completion_tokens,
    }
