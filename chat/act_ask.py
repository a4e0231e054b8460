"""Ask a model for a command: the code and what belongs to it, within the room that the model has."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace

from chat import asking, cite, gather, mentions, pack, prompts
from chat.act_types import Event
from chat.act_view import View, shortened, values
from chat.asking import SAMPLING, Ended
from chat.commands import Command
from chat.desk import Desk
from chat.events import Decided, Text
from chat.prompt_files import template
from chat.prompts import Template
from chat.redact import Secret, redact
from chat.router import Decision, may_be_asked
from chat.types import Piece, Place, Problem, Question, Selection, Tier
from models.errors import TooLong
from models.wire import ChatMessage

FEW_TOKENS = 1_000  # Of context for a small model: it reads them slowly, and more confuses it.
MANY_TOKENS = 6_000
LARGE_BUDGET = 16_000  # From here on a model counts as large.
USUAL_BUDGET = 3_000  # Where nobody knows how much fits.
TURNS = 64  # Tokens for what a chat template puts around the turns.
LEAST_ANSWER, MOST_ANSWER = 512, 4_096  # Tokens.
CHARACTERS = 3  # Of code, for each token: few, so that the guess is high.
MOST_NOTES = 2_000  # characters


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a command wants to know of a model."""

    command: Command
    view: View
    instruction: str = ""
    problems: tuple[Problem, ...] = ()
    extra: Mapping[str, str] = field(default_factory=dict)
    """Further values for the prompt: its skeleton."""
    pieces: tuple[Piece, ...] = ()
    choice: str = ""
    tries: tuple[tuple[str, str], ...] = ()
    """Earlier answers that could not be used, and why."""
    template: Template | None = None
    """The prompt, where it is not the command's own."""
    tokens: int = 0
    """Of the answer, at most; 0: as the command needs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a model said, as the last thing of asking it."""

    text: str = ""
    finished: bool | None = None
    """Whether it came to its end by itself."""
    tier: Tier = "extractive"
    server: str = ""
    reason: str = ""
    problem: str = ""
    """Why there is no answer, or only half of one: one sentence."""
    places: tuple[Place, ...] = ()
    """What it refers to."""


def has_model(desk: Desk, choice: str = "") -> bool:
    """Whether anybody is set up whom a question may go to."""
    return choice != "extractive" and any(
        it.is_ready and may_be_asked(it, desk.policy) for it in desk.places.servers
    )


async def context(asked: Asked, desk: Desk) -> tuple[tuple[Piece, ...], tuple[str, ...]]:
    """What belongs to the code that a command looks at, without that code; and what was not found."""
    view = asked.view
    text, named = mentions.read(asked.instruction)
    question = Question(
        text=text or asked.command.title,
        task=asked.command.task,
        mentions=named,
        selection=Selection(
            path=view.source.path,
            language=view.source.language,
            first_line=view.first_line,
            last_line=view.last_line,
            text=view.text,
            version=view.source.version,
        ),
        path=view.source.path,
        language=view.source.language,
        problems=asked.problems,
    )
    gathered = await gather.gather(question, desk.code, most_tokens=MANY_TOKENS)
    return tuple(it for it in gathered.pieces if not _is_within(it, view)), gathered.problems


async def ask(asked: Asked, desk: Desk) -> AsyncGenerator[Event | Answer, None]:
    """The decision, the words as they come, and last the whole ``Answer``."""
    numbers: dict[int, Place] = {}
    secrets: tuple[Secret, ...] = ()
    if _may_leave(desk):
        asked, secrets = await asyncio.to_thread(_without_secrets, asked)

    def messages(budget: int | None, count: Callable[[str], int]) -> tuple[ChatMessage, ...]:
        made, places = _messages(asked, desk.notes, budget, count, may_cut=not secrets)
        numbers.clear()
        numbers.update(places)
        return made

    command, said = asked.command, ""
    decision: Decision | None = None
    stream: cite.Stream | None = None
    sampling = replace(SAMPLING, max_tokens=asked.tokens or _answer_tokens(asked))
    guess = len(asked.view.text) // CHARACTERS + sum(len(it.text) for it in asked.pieces) // CHARACTERS
    is_deep = command.name == "refactor" and bool(mentions.read(asked.instruction)[1])
    answer = asking.ask(
        desk,
        task=command.task,
        messages=messages,
        tokens_in=min(guess, len(asked.view.text) // CHARACTERS + MANY_TOKENS),
        choice=asked.choice,
        is_deep=is_deep,
        sampling=sampling,
        secrets=secrets,
    )
    async with aclosing(answer) as events:
        async for it in events:
            if isinstance(it, Decision):
                decision = it
                yield Decided(decision=it)
            elif isinstance(it, Ended):
                if stream and (rest := stream.end()):
                    yield Text(text=rest)
                yield _answer(said, it, decision, numbers, is_prose=command.gives == "prose")
            else:
                said += it
                stream = stream or cite.Stream(numbers)
                shown = stream.feed(it) if command.gives == "prose" else it
                if shown:
                    yield Text(text=shown)


def _answer(
    said: str, ended: Ended, decision: Decision | None, numbers: Mapping[int, Place], *, is_prose: bool
) -> Answer:
    text, places = cite.expand(said, numbers) if is_prose else (said, ())
    finished = ended.finish == "stop" if ended.finish else (False if ended.problem else None)
    return Answer(
        text=text,
        finished=finished,
        tier=ended.tier,
        server=ended.server,
        reason=decision.reason if decision else "",
        problem=ended.problem,
        places=places,
    )


def _messages(
    asked: Asked, notes: Sequence[str], budget: int | None, count: Callable[[str], int], *, may_cut: bool
) -> tuple[tuple[ChatMessage, ...], Mapping[int, Place]]:
    """The prompt within the budget: the code first, context as far as there is room."""
    chosen = asked.template or template(asked.command.prompt)
    room = (budget or USUAL_BUDGET) - TURNS
    view = asked.view
    while True:
        filling = {
            **values(view, asked.command, instruction=asked.instruction, problems=asked.problems),
            "notes": _notes(notes),
            **asked.extra,
        }
        bare = _with_tries(prompts.fill(chosen, filling), asked.tries)
        left = room - sum(count(it.content) for it in bare)
        if 0 <= left or budget is None:
            break
        lines = view.last_line - view.first_line + 1
        if asked.command.gives == "edits" or lines <= 1 or not may_cut:
            raise TooLong("The code that this is about does not fit into the model: select less of it.")
        view = shortened(view, lines * 2 // 3)
    most = FEW_TOKENS if (budget or 0) < LARGE_BUDGET else MANY_TOKENS
    if "context" not in chosen.holes or left <= 0:
        return bare, {}
    packed = pack.pack(
        asked.pieces,
        budget_tokens=min(left, most),
        count=count,
        question=asked.instruction or asked.command.title,
    )
    filled = prompts.fill(chosen, {**filling, "context": packed.text.rstrip()})
    return _with_tries(filled, asked.tries), packed.numbers


def _may_leave(desk: Desk) -> bool:
    """Whether anybody may be asked who is not on this machine."""
    return any(not it.spec.is_local and may_be_asked(it, desk.policy) for it in desk.places.servers)


def _without_secrets(asked: Asked) -> tuple[Asked, tuple[Secret, ...]]:
    """Without the pieces that hold secrets, which half a piece would not show; and those of the code itself.

    The code stays as it is here: what leaves is made without them where it is sent.
    """
    pieces = tuple(it for it in asked.pieces if not redact(it.text).hits)
    return replace(asked, pieces=pieces), redact(asked.view.text).found


def _with_tries(
    messages: tuple[ChatMessage, ...], tries: Sequence[tuple[str, str]]
) -> tuple[ChatMessage, ...]:
    for said, reason in tries:
        messages = prompts.again(messages, said, reason)
    return messages


def _answer_tokens(asked: Asked) -> int:
    """Room for the answer: code is written anew, prose is short."""
    if asked.command.gives == "prose":
        return SAMPLING.max_tokens
    written = len(asked.view.text) + sum(len(it) for it in asked.extra.values())
    return min(MOST_ANSWER, max(LEAST_ANSWER, LEAST_ANSWER // 2 + 2 * written // CHARACTERS))


def _notes(notes: Sequence[str]) -> str:
    """What the user has written down about the project."""
    text = "\n".join(f"- {it}" for it in notes)[:MOST_NOTES]
    return f"About this project:\n{text}" if text else ""


def _is_within(piece: Piece, view: View) -> bool:
    """Whether a piece shows nothing that the view does not show."""
    place = piece.place
    return (
        place is not None
        and place.path == view.source.path
        and view.first_line <= place.first_line
        and place.last_line <= view.last_line
    )
