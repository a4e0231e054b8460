"""Agent mode in an editor: its steps told as they come, calls of others' tools allowed, its edits offered."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException

from chat import act_types, agent
from chat.agent_types import Asking, Called, Calling, Confirm, Done, Outcome, Text
from chat.conversation import Conversation, Turn
from chat.events import Decided
from chat.types import Place, Question
from lsp_server.chat_items import decision_item
from lsp_server.workspace_edit import abilities
from models import paths
from models.wire import ChatMessage

if TYPE_CHECKING:
    from chat.agent_mcp import Tools
    from chat.code import Code
    from chat.desk import Desk
    from chat.redact import Secret
    from lsp_server.server import Assistant

logger = logging.getLogger(__name__)

ALLOW, REFUSE = "Allow this call", "Do not allow it"
MAKE, LEAVE = "Make these changes", "Leave it as it is"
CONFIRM_SECONDS = 300.0
"""How long a question to the user stands; no answer is a no."""
LONGEST_SHOWN = 4_000  # Characters of a call's arguments: what cannot be read cannot be allowed.
LONGEST_TOLD = 2_000  # Characters of a result that the editor is told.
MOST_NAMED = 10  # Places of a change in a message.
MOST_TURNS = 6  # Of what was said before.
NO_EXTRA = "The MCP servers of your settings need the package mcp: install hearth-assistant[mcp]."
TOO_LONG = "A call of {} was not made: its arguments are too long to be shown to you."
TITLE = "Agent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What came of a question."""

    turn: Turn
    places: tuple[Place, ...]
    problems: tuple[str, ...]
    secrets: tuple[Secret, ...]


async def perform(
    ls: Assistant,
    question: Question,
    conversation: Conversation,
    turn: Turn,
    *,
    desk: Desk,
    choice: str,
    folders: Sequence[str],
    say: Callable[..., None],
) -> Answered:
    """Answer in agent mode; ``say`` is told what happens: a kind, and what belongs to it."""
    outcome: Outcome | None = None
    async with _others(ls, folders) as (box, problems):
        events = agent.run(
            desk,
            question,
            tools=box,
            confirm=confirming(ls),
            choice=choice,
            history=_before(conversation),
            secrets=conversation.secrets,
        )
        async with aclosing(events):
            async for it in events:
                match it:
                    case Calling():
                        say("calling", step=it.step, tool=it.tool, arguments=it.arguments)
                    case Called():
                        say(
                            "called",
                            step=it.step,
                            tool=it.tool,
                            result=it.result.text[:LONGEST_TOLD],
                            isError=it.result.is_error,
                            isRefused=it.is_refused,
                        )
                    case Decided():
                        say("decided", **decision_item(it.decision))
                    case Text():
                        say("text", text=it.text)
                    case Done():
                        outcome = it.outcome
    assert outcome is not None
    if outcome.tier == "extractive" and not outcome.text:
        outcome = await _from_code(outcome, question, desk.code)
        say("text", text=outcome.text)
    refusal = outcome.refusal or await _offer(ls, outcome, desk.code)
    made = replace(
        turn,
        said=outcome.text,
        shown=outcome.text,
        tier=outcome.tier,
        server=outcome.server,
        reason=outcome.reason,
        problem=outcome.problem,
        is_whole=not outcome.problem,
    )
    return Answered(
        turn=made,
        places=outcome.places,
        problems=tuple(filter(None, (*problems, refusal))),
        secrets=outcome.secrets,
    )


def confirming(ls: Assistant) -> Confirm:
    """Asks the user about each call, all of which is shown. Nothing but a yes is a yes."""

    async def confirm(asking: Asking) -> bool:
        arguments = plainly(asking.arguments)
        if LONGEST_SHOWN < len(arguments):
            ls.reporter.say(TOO_LONG.format(asking.name))
            return False
        message = (
            f"The model wants to call {asking.tool} of your MCP server {asking.server} with\n{arguments}"
        )
        return await _asked(ls, message, ALLOW, REFUSE)

    return confirm


def plainly(text: str) -> str:
    """A text in which nothing is hidden: characters that do not show, or turn others around, are spelled."""
    return "".join(it if it.isprintable() or it == "\n" else f"\\u{ord(it):04x}" for it in text)


async def _asked(ls: Assistant, message: str, yes: str, no: str) -> bool:
    params = lsp.ShowMessageRequestParams(
        type=lsp.MessageType.Warning,
        message=message,
        actions=[lsp.MessageActionItem(title=yes), lsp.MessageActionItem(title=no)],
    )
    try:
        async with asyncio.timeout(CONFIRM_SECONDS):
            said = await ls.window_show_message_request_async(params)
    except (TimeoutError, JsonRpcException) as exc:
        logger.warning("question without an answer cause=%s", type(exc).__name__)
        return False
    return getattr(said, "title", None) == yes


@asynccontextmanager
async def _others(
    ls: Assistant, folders: Sequence[str]
) -> AsyncIterator[tuple[Tools | None, tuple[str, ...]]]:
    """The tools of the user's own servers, and why some of them are not there."""
    settings = ls.workbench.settings
    if not settings.chat_mcp_servers:
        yield None, ()
        return
    if find_spec("mcp") is None:
        yield None, (NO_EXTRA,)
        return
    from chat.agent_mcp import opened  # It takes a second.

    async with opened(
        settings.chat_mcp_servers,
        settings.chat_mcp_allowed,
        workspace=next(iter(folders), ""),
        folder=paths.cache_dir(),
    ) as box:
        yield box, box.problems


def _before(conversation: Conversation) -> tuple[ChatMessage, ...]:
    """What was said before, without its context."""
    return tuple(
        ChatMessage(role=role, content=text)
        for it in conversation.turns[-MOST_TURNS:]
        if it.asked and (it.said or it.shown)
        for role, text in (("user", it.asked), ("assistant", it.said or it.shown))
    )


async def _from_code(outcome: Outcome, question: Question, code: Code) -> Outcome:
    """Without a model the code itself answers."""
    from chat.extract import answer

    found = await answer(question, code)
    return replace(outcome, text=found.markdown, places=found.places)


async def _offer(ls: Assistant, outcome: Outcome, code: Code) -> str:
    """Have the user accept the edits, each by itself where the editor can show it; why none was made."""
    if not outcome.edits:
        return ""
    previews = abilities(ls.client_capabilities).previews
    if not previews and not await _asked(ls, _change(outcome), MAKE, LEAVE):
        return "The proposed changes were not made."
    proposal: dict[str, Any] = {"unsure" if previews else "edits": outcome.edits}
    made = act_types.Outcome(
        command="agent",
        title=TITLE,
        sources=outcome.sources,
        tier=outcome.tier,
        server=outcome.server,
        reason=outcome.reason,
        **proposal,
    )
    return await ls.runs.offer(made, code)


def _change(outcome: Outcome) -> str:
    places = []
    for it in outcome.edits[:MOST_NAMED]:
        line = outcome.sources[it.path].text.count("\n", 0, it.start) + 1
        places.append(f"{it.path}:{line}  {it.says}")
    more = len(outcome.edits) - len(places)
    return "\n".join(["The model proposes these changes:", *places, *([f"and {more} more"] if more else [])])
