"""A question at the prompt, from what was typed to the answer on the page, and a conversation of them."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lsp_server.commands.coded import coded
from lsp_server.commands.indexed import warn
from lsp_server.commands.said import Said, follow, waiting
from lsp_server.commands.subjects import Nothing, Spot, named, spot_of

if TYPE_CHECKING:
    from chat.code import Code
    from chat.commands import Command
    from chat.conversation import Conversation, Turn
    from chat.converse import Keep
    from chat.desk import Desk
    from chat.recipes import Book, Recipe
    from lsp_server.commands.page import Page
    from lsp_server.wiring import Workbench

LOOKING = "Looking at the code …"
NOT_A_COMMAND = "There is no command /{}; there are {}."

Choice = Annotated[
    str,
    typer.Option(
        "--choice", metavar="WHO", help="Who answers: local, cloud, extractive, or a server's name."
    ),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A question as it was typed."""

    text: str
    task: str = "ask"
    file: str = ""
    """`FILE`, `FILE:LINE` or `FILE:FIRST-LAST`."""
    choice: str = ""


@dataclass(slots=True)
class Talk:
    """A project, and a conversation about it. Made by ``talk``."""

    bench: Workbench
    code: Code
    root: Path
    recipes: Book
    """The user's own commands."""
    keeps: Keep | None = None
    """Keeps the turns of a conversation, if they are to be kept."""
    conversation: Conversation | None = None
    """``None`` before the first question."""
    told: set[str] = field(default_factory=set)
    """What the user has been warned of: each thing once."""

    def desk(self) -> Desk:
        """By the settings as they are now."""
        from lsp_server.chat_desk import make_desk
        from lsp_server.chat_notes import notes_of

        return make_desk(self.bench, self.code, notes=notes_of([str(self.root)]))

    def tell(self, sentence: str) -> None:
        """Say something that went wrong, unless it was said before."""
        if sentence and sentence not in self.told:
            self.told.add(sentence)
            warn(sentence)

    async def answer(self, asked: Asked, page: Page, *, again: bool = False) -> Said:
        """Answer what was typed, on this page. Cancelled, it keeps what is there and says so.

        Raises ``Nothing`` where it is about something that is not there.
        """
        page.wait(LOOKING)
        try:
            known = self._command(asked)
            spot, rest = await self._about(asked, known)
            if known is not None and spot is not None:
                return await self._act(known, spot, rest, asked, page)
            return await self._reply(asked, spot, page, again=again)
        finally:
            page.end()

    def _command(self, asked: Asked) -> Command | Recipe | None:
        """The command that is meant, by its slash or by the task; also one of the user's own."""
        from chat import commands

        word = commands.slash_word(asked.text)
        if word is None:
            return commands.find(asked.task) if asked.file else None
        recipes = self.recipes.now()
        for it in recipes.problems:
            self.tell(it)
        known = commands.find(word[0]) or recipes.find(word[0])
        if known is None:
            names = [*(it.slash for it in commands.rows()), *(it.command.slash for it in recipes.all)]
            raise Nothing(NOT_A_COMMAND.format(word[0], ", ".join(names)))
        return known

    async def _about(self, asked: Asked, known: Command | Recipe | None) -> tuple[Spot | None, str]:
        """The lines that it is about, and what is said besides."""
        from chat import commands

        word = commands.slash_word(asked.text)
        rest = word[1] if word and known else asked.text
        if asked.file:
            return await spot_of(asked.file, self.code, self.root), rest
        return await named(rest, self.code, self.root) if known else (None, rest)

    async def _act(self, known: Command | Recipe, spot: Spot, rest: str, asked: Asked, page: Page) -> Said:
        """Run a command. What comes of it is a turn of the conversation, like others."""
        from chat import converse
        from chat.act import act
        from chat.act_recipe import act_recipe
        from chat.recipes import Recipe

        desk, subject = self.desk(), spot.subject
        if isinstance(known, Recipe):
            command, events = known.command, act_recipe(known, subject, desk, instruction=rest)
        else:
            command = known
            events = act(known, subject, desk, instruction=rest, choice=asked.choice)
        conversation = self.conversation or converse.begin(asked.text, root=str(self.root))
        turn = converse.new_turn(asked.text, task=command.task, path=spot.path)
        said = await follow(events, page, prose=command.gives == "prose")
        turn = replace(
            turn,
            shown=said.answer,
            tier=said.tier,
            server=said.server,
            reason=said.reason,
            problem=said.problem,
            is_whole=said.is_whole and not said.refused,
        )
        if not said.refused:
            self.tell(await self._keep(conversation, turn))
            self.conversation = replace(conversation, turns=(*conversation.turns, turn))
        return said

    async def _reply(self, asked: Asked, spot: Spot | None, page: Page, *, again: bool) -> Said:
        from chat import converse
        from chat.events import Decided, Text

        conversation = self.conversation or converse.begin(asked.text, root=str(self.root))
        question = converse.read(
            asked.text,
            task=asked.task,  # type: ignore[arg-type]  # one of them, as was looked at
            selection=spot.selection if spot and spot.has_lines else None,
            path=spot.path if spot else "",
            language=spot.language if spot else "",
        )
        said: list[str] = []
        last: list[tuple[Conversation, Turn]] = []

        async def keep(conversation: Conversation, turn: Turn) -> str:
            last[:] = [(conversation, turn)]
            return await self._keep(conversation, turn)

        events = converse.reply(
            self.desk(),
            conversation,
            question,
            asked=asked.text,
            choice=asked.choice,
            keep=keep,
            **({"sampling": converse.AGAIN} if again else {}),
        )
        try:
            async with aclosing(events):
                async for it in events:
                    if isinstance(it, Decided):
                        page.wait(waiting(it.decision.reason))
                    elif isinstance(it, Text):
                        said.append(it.text)
                        page.add(it.text)
                    elif isinstance(it, converse.Gathered):
                        for problem in it.problems:
                            self.tell(problem)
                    else:
                        answer = it.answer
        except asyncio.CancelledError:
            conversation, turn = last[-1] if last else (conversation, None)
            turns = (*conversation.turns, *([turn] if turn else []))
            self.conversation = replace(conversation, turns=turns)
            return Said(
                answer="".join(said),
                tier=turn.tier if turn else "extractive",
                server=turn.server if turn else "",
                reason=turn.reason if turn else "",
                is_whole=False,
                is_stopped=True,
            )
        for problem in answer.problems:
            self.tell(problem)
        self.tell(await self.code.problem())
        self.conversation, turn = answer.conversation, answer.turn
        return Said(
            answer="".join(said),
            tier=turn.tier,
            server=turn.server,
            reason=turn.reason,
            places=answer.places,
            usage=answer.usage,
            is_whole=turn.is_whole,
            problem=turn.problem,
        )

    async def _keep(self, conversation: Conversation, turn: Turn) -> str:
        """Keep a turn on disk, if this conversation is kept; why that cannot be done, or nothing."""
        return await self.keeps(conversation, turn) if self.keeps else ""


@asynccontextmanager
async def talk(root: Path | None, *, as_is: bool, quiet: bool) -> AsyncIterator[Talk]:
    """A project to ask about, its index brought up to date, and whoever answers."""
    from chat.recipes import Book
    from lsp_server.chat_desk import problems
    from lsp_server.wiring import Workbench
    from models import paths

    if not os.environ.get("HEARTH_DEBUG"):  # What matters is said in sentences; the causes are for a log.
        for name in ("chat", "models", "lsp_server"):
            logging.getLogger(name).addHandler(logging.NullHandler())
    bench = Workbench(builds=False)
    try:
        async with coded(root, bench, as_is=as_is, quiet=quiet) as (place, code):
            found = Talk(bench, code, place.root, Book(paths.config_dir()))
            for it in (*bench.problems, *problems(bench.settings)):
                found.tell(it)
            yield found
    finally:
        await bench.close()
