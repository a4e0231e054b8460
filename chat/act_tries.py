"""Ask a model, read and check what it says, and ask it once more if that cannot be used."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Any

from chat.act_ask import Answer, Asked, ask, context, has_model
from chat.act_check import checked
from chat.act_edits import Made
from chat.act_types import Done, Event, Outcome, Subject, Working
from chat.act_view import View, shortened
from chat.commands import NEEDS_MODEL, Command
from chat.desk import Desk
from chat.edits_types import Refusal, Source
from chat.prompts import Template
from chat.types import Piece

FILE_LINES = 80  # of a file that is summed up: what it defines is in the prompt as well
TRIES = 2  # A small model that was told what is wrong mostly gets it right then, or never.


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One command on its way."""

    command: Command
    subject: Subject
    desk: Desk
    view: View
    instruction: str = ""
    choice: str = ""
    template: Template | None = None
    """The prompt, where it is not the command's own."""
    pieces: tuple[Piece, ...] | None = None
    """What belongs to it; ``None``: that is to be looked for."""
    tokens: int = 0
    """Of an answer, at most; 0: as the command needs."""

    @property
    def asks_model(self) -> bool:
        """Whether somebody is there who may be asked."""
        return bool(self.template or self.command.prompt) and has_model(self.desk, self.choice)

    def done(self, answer: Answer | None = None, **values: Any) -> Done:
        """What came of it, and who said so."""
        outcome = Outcome(command=self.command.name, title=self.command.title, **values)
        if answer is not None:
            outcome = replace(outcome, tier=answer.tier, server=answer.server, reason=answer.reason)
        return Done(outcome=outcome)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What came of asking a model, after at most ``TRIES``."""

    made: Made | Refusal
    answer: Answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """How an answer becomes a change, and what it is a change of."""

    read: Callable[[Answer], Made | Refusal]
    sources: Mapping[str, Source]
    files: Mapping[str, str] = field(default_factory=dict)
    """New files as they are without the answer."""
    extra: Mapping[str, str] = field(default_factory=dict)


async def tried(run: Run, frame: Frame) -> AsyncGenerator[Event | Tried, None]:
    """Ask, read, check; and once more with the reason, if the answer cannot be used."""
    tries: list[tuple[str, str]] = []
    made: Made | Refusal = Refusal(reason=NEEDS_MODEL)
    answer = Answer()
    for _ in range(TRIES):
        async with aclosing(asking(run, frame.extra, tuple(tries))) as events:
            async for it in events:
                if isinstance(it, Answer):
                    answer = it
                else:
                    yield it
        if answer.problem or not answer.text.strip():
            made = Refusal(reason=answer.problem or "The model said nothing.")
            break
        yield Working(says="Reading the answer")
        made = await asyncio.to_thread(frame.read, answer)
        if not isinstance(made, Refusal):
            made = await checked(made, frame.sources, frame.files, run.desk.code)
        if not isinstance(made, Refusal):
            break
        tries.append((answer.text, made.reason))
        yield Working(says=f"Asking once more: {made.reason}")
    yield Tried(made=made, answer=answer)


async def asking(
    run: Run, extra: Mapping[str, str], tries: tuple[tuple[str, str], ...] = ()
) -> AsyncGenerator[Event | Answer, None]:
    """Ask a model once; last comes its ``Answer``."""
    asked = Asked(
        command=run.command,
        view=shortened(run.view, FILE_LINES) if run.command.about == "file" else run.view,
        instruction=run.instruction,
        problems=run.subject.problems,
        extra=extra,
        choice=run.choice,
        tries=tries,
        template=run.template,
        tokens=run.tokens,
    )
    pieces, missing = run.pieces, tuple[str, ...]()
    if pieces is None:
        pieces, missing = await context(asked, run.desk)
    for it in missing if not tries else ():
        yield Working(says=it)
    async with aclosing(ask(replace(asked, pieces=pieces), run.desk)) as events:
        async for event in events:
            yield event
