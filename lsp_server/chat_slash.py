"""A slash command in a chat: what a menu would do, with its words as they come and its end as a turn."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from chat.act_types import Done, Outcome, Working
from chat.commands import Command, find, rows
from chat.conversation import Turn
from chat.events import Decided, Text
from lsp_server.chat_items import decision_item
from lsp_server.chat_request import ChatRequest
from lsp_server.run_request import RunRequest, subject

if TYPE_CHECKING:
    from chat.desk import Desk
    from lsp_server.documents import Document
    from lsp_server.server import Assistant

NO_DOCUMENT = "/{} is about a place in a document: open one."
UNKNOWN = "There is no command /{}; there are {}."


@dataclass(frozen=True, slots=True, kw_only=True)
class Slash:
    """A command on its way."""

    ls: Assistant
    word: str
    rest: str
    """What is said besides."""
    request: ChatRequest
    document: Document | None
    path: str
    """What chat calls the document."""
    desk: Desk
    say: Callable[..., None]
    """Is told what happens: a kind, and what belongs to it."""

    @property
    def command(self) -> Command | None:
        """The one of the table, if it is one of those."""
        return find(self.word)


async def perform(slash: Slash, turn: Turn) -> Turn:
    """The turn with what came of it. Cancelled, it stops."""
    command = slash.command
    if command is None and slash.ls.recipes.now().find(slash.word) is None:
        known = ", ".join(it.slash for it in rows())
        return replace(turn, problem=UNKNOWN.format(slash.word, known))
    if slash.document is None:
        return replace(turn, problem=NO_DOCUMENT.format(slash.word))
    if command is not None and command.gives == "prose":
        return await _said(slash, command, slash.document, turn)
    return await _changed(slash, slash.document, turn)


async def _said(slash: Slash, command: Command, document: Document, turn: Turn) -> Turn:
    """A command that explains."""
    from chat.act import act

    where = RunRequest(command=command.name, uri=document.uri, range=slash.request.range)
    about = subject(where, document, slash.path, slash.ls.encoding)
    events = act(command, about, slash.desk, instruction=slash.rest, choice=slash.request.choice)
    outcome: Outcome | None = None
    async with aclosing(events):
        async for it in events:
            match it:
                case Working():
                    slash.say("working", text=it.says)
                case Decided():
                    slash.say("decided", **decision_item(it.decision))
                case Text():
                    slash.say("text", text=it.text)
                case Done():
                    outcome = it.outcome
    assert outcome
    return replace(
        turn,
        shown=outcome.markdown,
        tier=outcome.tier,
        server=outcome.server,
        reason=outcome.reason,
        problem=outcome.refusal or outcome.note,
        is_whole=not outcome.refusal,
    )


async def _changed(slash: Slash, document: Document, turn: Turn) -> Turn:
    """A command that changes something: the editor shows it and makes it, as from a menu."""
    said = await slash.ls.runs.run(
        RunRequest(
            command=slash.command.name if slash.command else slash.word,
            uri=document.uri,
            version=document.version,
            range=slash.request.range,
            instruction=slash.rest,
            choice=slash.request.choice,
        )
    )
    assert said is not None  # As it was waited for.
    refusal = said.get("refusal", "")
    shown = said.get("markdown", "") or ("" if refusal else _changes(said))
    return replace(
        turn,
        shown=shown,
        tier=said.get("tier", "extractive"),
        server=said.get("server", ""),
        reason=said.get("reason", ""),
        problem=refusal or said.get("note", ""),
        is_whole=not refusal,
    )


def _changes(said: dict[str, Any]) -> str:
    """What was changed, in one sentence."""
    edits, files = int(said.get("edits", 0)), [str(it) for it in said.get("files", ())]
    parts = [f"{edits} {'change' if edits == 1 else 'changes'}"] if edits else []
    parts += [f"the new file `{it}`" for it in files]
    return f"{said.get('title', 'Done')}: {' and '.join(parts) or 'nothing to change'}."
