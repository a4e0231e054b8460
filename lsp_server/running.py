"""`Runs`: the commands that a connection has running: shown while they work, stopped at will, delivered.

A command works in a task of its own: a client that takes back its request, or its bar, stops it. Of two
commands for one document the newer one wins.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException

from chat.edits_types import Refusal
from chat.types import Tier
from lsp_server import answers
from lsp_server.run_bar import bar
from lsp_server.run_place import Places
from lsp_server.run_request import RunRequest, subject
from lsp_server.workspace_edit import abilities, still_there, workspace_edit
from models import paths
from models.errors import BackendError, ModelError

if TYPE_CHECKING:
    from chat.act_types import Event, Outcome
    from chat.code import Code
    from lsp_server.server import Assistant

logger = logging.getLogger(__name__)

FAILED = "Hearth could not do this: the log says more."
STOPPED = "It was stopped."
MOST_NAMED = 5  # places in a message
WHO: dict[Tier, str] = {
    "extractive": "from your code, without a model",
    "local": "by {} on this machine",
    "cloud": "by {} in the cloud",
}


class Runs:
    """The commands of one connection."""

    def __init__(self, ls: Assistant) -> None:
        self._ls = ls
        self._places = Places(ls)
        self._tasks: dict[str, asyncio.Task[dict[str, Any]]] = {}

    async def run(self, request: RunRequest) -> dict[str, Any] | None:
        """Do it; the result as it goes over the wire, or ``None`` at once if nobody waits for it."""
        if old := self._tasks.get(request.uri):
            old.cancel()
        task = asyncio.create_task(self._run(request))
        self._tasks[request.uri] = task
        task.add_done_callback(lambda done: self._ended(request.uri, done))
        if not request.wait:
            return None
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            if task.cancelled():
                return {"command": request.command, "refusal": STOPPED}
            task.cancel()
            raise

    def _ended(self, uri: str, task: asyncio.Task[dict[str, Any]]) -> None:
        if self._tasks.get(uri) is task:
            del self._tasks[uri]

    async def _run(self, request: RunRequest) -> dict[str, Any]:
        try:
            return await self._perform(request)
        except (BackendError, ModelError) as exc:
            logger.warning("run command=%s failed: %s", request.command, exc)
            return self._refuse(request, str(exc))
        except Exception:
            logger.exception("run command=%s bug", request.command)
            return self._refuse(request, FAILED)

    async def _perform(self, request: RunRequest) -> dict[str, Any]:
        document = self._ls.documents.get(request.uri)
        if document is None:
            return self._refuse(request, "This document is not open.")
        if request.version is not None and request.version != document.version:
            return self._refuse(request, "The document has changed meanwhile: ask again.")
        code = self._places.code(document)
        about = subject(request, document, self._places.path_of(request.uri), self._ls.encoding)
        steps = self._steps(request, about, code)
        if isinstance(steps, Refusal):
            return self._refuse(request, steps.reason)
        title, events = steps
        task = asyncio.current_task()
        assert task is not None
        outcome: Outcome | None = None
        async with bar(self._ls, f"Hearth: {title}", task.cancel) as say, aclosing(events):
            async for event in events:
                outcome = _follow(event, say) or outcome
        assert outcome is not None
        return await self._deliver(request, outcome, code)

    def _steps(
        self, request: RunRequest, about: Any, code: Code
    ) -> tuple[str, AsyncGenerator[Event, None]] | Refusal:
        """What is to happen; the commands are imported late, as few sessions need them."""
        from chat.act import act
        from chat.act_recipe import act_recipe
        from chat.commands import find
        from lsp_server.chat_desk import make_desk
        from lsp_server.chat_notes import notes_of

        desk = make_desk(self._ls.workbench, code, notes=notes_of(self._places.folders))
        if command := find(request.command):
            instruction, choice = request.instruction, request.choice
            return command.title, act(command, about, desk, instruction=instruction, choice=choice)
        if recipe := self._ls.recipes.now().find(request.command):
            return recipe.command.title, act_recipe(recipe, about, desk, instruction=request.instruction)
        return Refusal(reason=f"There is no command `{request.command}`.")

    async def _deliver(self, request: RunRequest, outcome: Outcome, code: Code) -> dict[str, Any]:
        """Show it or have the editor make it; the result for whoever waits."""
        if outcome.refusal:
            return self._refuse(request, outcome.refusal)
        said = _json(outcome)
        if outcome.changes:
            refusal = await self._change(outcome, code)
            if refusal:
                return {**said, **self._refuse(request, refusal), "applied": False}
            said["applied"] = True
            left = _left(outcome) if not self._previews else ""
            if note := " ".join(filter(None, (outcome.note, left))):
                self._ls.reporter.say(note)
        elif outcome.markdown and not request.wait:
            await self._show(outcome)
        return said

    async def offer(self, outcome: Outcome, code: Code) -> str:
        """Have the editor make a change that somebody else has made up; why it did not, or nothing."""
        return await self._change(outcome, code)

    @property
    def _previews(self) -> bool:
        return abilities(self._ls.client_capabilities).previews

    async def _change(self, outcome: Outcome, code: Code) -> str:
        """Have the editor make the edits; why it did not, or nothing."""
        able = abilities(self._ls.client_capabilities)
        edits = sorted(
            (*outcome.edits, *(outcome.unsure if able.previews else ())), key=lambda it: (it.path, it.start)
        )
        made = workspace_edit(
            edits,
            outcome.files,
            outcome.sources,
            uri_of=self._places.uri_of,
            encoding=self._ls.encoding,
            able=able,
            end_of=self._places.line_end,
        )
        if isinstance(made, Refusal):
            return made.reason
        now = await self._places.now(outcome, code)
        if moved := still_there(edits, outcome.files, outcome.sources, now):
            return moved.reason
        label = f"{outcome.title} ({who(outcome)})"
        try:
            result = await self._ls.workspace_apply_edit_async(
                lsp.ApplyWorkspaceEditParams(edit=made, label=label)
            )
        except JsonRpcException as exc:
            logger.warning("edit refused by the editor cause=%s", type(exc).__name__)
            return "The editor refused the change."
        if not result.applied:
            reason = (result.failure_reason or "").strip().rstrip(".")
            return f"The editor did not make the change{f': {reason}' if reason else ''}."
        return ""

    async def _show(self, outcome: Outcome) -> None:
        """In a document of its own, or as a message where the editor has no better place."""
        window = self._ls.client_capabilities.window
        markdown = f"{outcome.markdown}\n\n*{who(outcome).capitalize()}.*\n"
        if window and window.show_document and window.show_document.support:
            path = await asyncio.to_thread(answers.write, paths.cache_dir(), outcome.title, markdown)
            params = lsp.ShowDocumentParams(uri=path.as_uri(), external=False, take_focus=True)
            try:
                if (await self._ls.window_show_document_async(params)).success:
                    return
            except JsonRpcException as exc:
                logger.warning("answer not shown cause=%s", type(exc).__name__)
        self._ls.reporter.say(outcome.markdown)

    def _refuse(self, request: RunRequest, reason: str) -> dict[str, Any]:
        """Say why nothing was done: to whoever waits, else to the user."""
        if not request.wait:
            self._ls.reporter.say(reason)
        return {"command": request.command, "refusal": reason}


def who(outcome: Outcome) -> str:
    """Who has made it, in words."""
    return WHO[outcome.tier].format(outcome.server or "a model")


def _follow(event: Event, say: Callable[[str], None]) -> Outcome | None:
    """Show what happens; the outcome, once it is there."""
    from chat.act_types import Done, Working
    from chat.events import Decided

    if isinstance(event, Done):
        return event.outcome
    if isinstance(event, Working):
        say(event.says)
    elif isinstance(event, Decided):
        say(event.decision.reason)
    return None


def _left(outcome: Outcome) -> str:
    """What an editor that cannot ask was not given."""
    if not outcome.unsure:
        return ""
    places = []
    for it in outcome.unsure[:MOST_NAMED]:
        source = outcome.sources.get(it.path)
        line = source.text.count("\n", 0, it.start) + 1 if source else 0
        places.append(f"{it.path}:{line}" if line else it.path)
    more = len(outcome.unsure) - len(places)
    rest = f" and {more} more" if more else ""
    return f"Not certain, and left as it is: {', '.join(places)}{rest}."


def _json(outcome: Outcome) -> dict[str, Any]:
    return {
        "command": outcome.command,
        "title": outcome.title,
        "markdown": outcome.markdown,
        "edits": len(outcome.edits) + len(outcome.unsure),
        "files": [it.path for it in outcome.files],
        "note": outcome.note,
        "tier": outcome.tier,
        "server": outcome.server,
        "reason": outcome.reason,
    }
