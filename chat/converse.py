"""A question in a conversation: find the code that it is about, ask who is to be asked, cite what is there.

What was sent for earlier turns is sent again byte for byte, and what is new stands behind it: a model that
still has the conversation read, reads the new question and little else.
"""

from __future__ import annotations

import asyncio
import itertools
import threading
import time
import uuid
import zlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from chat import ask_prompt, mentions, prompt_files
from chat.ask_prompt import NOWHERE, Prompt
from chat.asking import SAMPLING, Ended, ask
from chat.cite import Stream, resolve
from chat.code import Code
from chat.conversation import Conversation, Turn, back_to, title_of
from chat.desk import Desk
from chat.events import Decided, Text
from chat.router import Decision, Request, decide
from chat.types import Piece, Place, Problem, Question, Selection, Task
from models.wire import Sampling, Usage

if TYPE_CHECKING:
    from chat.history import History

PROMPT = "ask"
KEEP_SECONDS = 1.0  # So much of an answer is lost at most, whatever happens to this process.
AGAIN = replace(SAMPLING, temperature=0.6)
"""For another answer to the same question."""

Keep = Callable[[Conversation, Turn], Awaitable[str]]
"""Keeps a conversation and one turn of it; says in one sentence why it cannot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """What the question is about, as far as the code says it."""

    places: tuple[Place, ...]
    problems: tuple[str, ...]
    """What was named and is not there, one sentence each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came of a question."""

    conversation: Conversation
    """With this turn as its last."""
    turn: Turn
    places: tuple[Place, ...]
    """What the answer cites."""
    usage: Usage | None
    problems: tuple[str, ...]
    """What else went wrong, one sentence each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """The last event."""

    answer: Answer


Event = Gathered | Decided | Text | Done


def begin(asked: str, *, root: str = "") -> Conversation:
    """A new conversation."""
    return Conversation(id=uuid.uuid4().hex, title=title_of(asked), root=root)


def new_turn(asked: str, *, task: Task = "ask", path: str = "") -> Turn:
    """A question that nobody has answered yet."""
    return Turn(id=uuid.uuid4().hex, at=time.time(), asked=asked, task=task, path=path)


def resend(conversation: Conversation, turn: int) -> tuple[Conversation, tuple[str, ...]]:
    """The conversation before this turn, to ask anew, and the ids of the turns that this drops."""
    before = back_to(conversation, turn)
    return before, tuple(it.id for it in conversation.turns[len(before.turns) :])


def keeping(history: History) -> Keep:
    """Keeps turns in a history, in threads, of each the latest state; without a history the talk goes on."""
    lock, states = threading.Lock(), itertools.count()
    written: dict[str, int] = {}

    def write(conversation: Conversation, turn: Turn, state: int) -> str:
        from chat.history import NoHistory

        with lock:  # A thread goes on when who waits for it is stopped: it must not come last then.
            if written.get(turn.id, -1) < state:
                try:
                    history.keep(conversation, (turn,))
                except NoHistory as exc:
                    return str(exc)
                written[turn.id] = state
        return history.problem

    return lambda conversation, turn: asyncio.to_thread(write, conversation, turn, next(states))


def read(
    text: str,
    *,
    task: Task = "ask",
    selection: Selection | None = None,
    path: str = "",
    language: str = "",
    problems: Sequence[Problem] = (),
) -> Question:
    """A question as it was written, with what it names."""
    words, named = mentions.read(text)
    return Question(
        text=words,
        task=task,
        mentions=named,
        selection=selection,
        path=path,
        language=language,
        problems=tuple(problems),
    )


async def reply(
    desk: Desk,
    conversation: Conversation,
    question: Question,
    *,
    asked: str = "",
    choice: str = "",
    keep: Keep | None = None,
    sampling: Sampling = SAMPLING,
) -> AsyncGenerator[Event, None]:
    """Answer a question, and last ``Done``. Closing the generator stops; what was said until then is kept.

    ``asked`` is the question as it was written, if that differs from its text.
    """
    reply_ = _Reply(desk, conversation, question, asked or question.text, choice, keep, sampling)
    try:
        async with aclosing(reply_.events()) as events:
            async for it in events:
                yield it
    finally:
        await reply_.settle()


class _Reply:
    """One answer on its way. It has what is known so far, for whenever it is stopped."""

    def __init__(
        self,
        desk: Desk,
        conversation: Conversation,
        question: Question,
        asked: str,
        choice: str,
        keep: Keep | None,
        sampling: Sampling,
    ) -> None:
        self._desk = desk
        self._conversation = conversation
        self._question = question
        self._choice = choice
        self._keep = keep
        self._sampling = sampling
        self._turn = new_turn(asked, task=question.task, path=question.path)
        self._kept: Turn | None = None
        self._kept_at = 0.0
        self._problems: list[str] = []

    async def events(self) -> AsyncGenerator[Event, None]:
        """What happens."""
        await self._save()
        request = Request(task=self._question.task, tokens_in=0, choice=self._choice)
        pieces: tuple[Piece, ...] = ()
        if decide(request, self._desk.places, self._desk.policy).backend is not None:
            pieces = await self._gather()
            places = tuple(it.place for it in pieces if it.place)
            yield Gathered(places=places, problems=tuple(self._problems))
        usage: Usage | None = None
        cited: tuple[Place, ...] = ()
        async with aclosing(self._asked(pieces)) as events:
            async for it in events:
                if isinstance(it, Ended):
                    usage = it.usage
                elif isinstance(it, tuple):
                    cited = it
                else:
                    yield it
        await self._save()
        yield Done(
            answer=Answer(
                conversation=self._whole(),
                turn=self._turn,
                places=cited,
                usage=usage,
                problems=tuple(self._problems),
            )
        )

    async def settle(self) -> None:
        """Keep what is there, however it ended."""
        if self._kept != self._turn:
            await self._save()

    async def _asked(
        self, pieces: tuple[Piece, ...]
    ) -> AsyncGenerator[Decided | Text | Ended | tuple[Place, ...], None]:
        """A model's answer, or that of the code itself; how it ended, and what it cites."""
        prompt = await self._prompt(pieces)
        stream: Stream | None = None
        async with aclosing(
            ask(
                self._desk,
                task=self._question.task,
                messages=prompt.messages,
                tokens_in=prompt.tokens_in,
                choice=self._choice,
                sampling=self._sampling,
                secrets=self._conversation.secrets,
            )
        ) as events:
            async for it in events:
                if isinstance(it, Decision):
                    server = it.backend.name or it.backend.model if it.backend else ""
                    self._turn = replace(self._turn, tier=it.tier, server=server, reason=it.reason)
                    yield Decided(decision=it)
                elif isinstance(it, str):
                    if stream is None:
                        stream = Stream(await self._sent(prompt))
                    if shown := self._said(it, stream.feed(it)):
                        await self._save_soon()
                        yield Text(text=shown)
                else:
                    if rest := self._said("", stream.end() if stream else ""):
                        yield Text(text=rest)
                    if it.tier == "extractive":
                        async for event in self._extracted(it):
                            yield event
                    else:
                        if stream is None:
                            await self._sent(prompt)
                        self._ended(it)
                        yield await resolve(stream.places, self._desk.code) if stream else ()
                    yield it

    async def _sent(self, prompt: Prompt) -> Mapping[int, Place]:
        """A model has read the prompt: it belongs to the turn. What the numbers in its answer stand for."""
        made = prompt.made
        assert made
        self._conversation, new = made.conversation, made.new
        now = await _stamps(new.values(), self._desk.code)
        self._turn = replace(
            self._turn,
            prompt=made.prompt,
            numbers=new,
            parts=made.packed.parts,
            stamps={number: now[place] for number, place in new.items() if place in now},
        )
        return {**prompt.known, **new}

    def _said(self, said: str, shown: str) -> str:
        self._turn = replace(self._turn, said=self._turn.said + said, shown=self._turn.shown + shown)
        return shown

    def _ended(self, ended: Ended) -> None:
        self._conversation = replace(self._conversation, secrets=ended.secrets)
        problem = ended.problem
        if ended.finish == "length":
            problem = problem or "The answer has reached its limit of tokens."
        is_whole = ended.finish is not None and not problem
        self._turn = replace(self._turn, problem=problem, is_whole=is_whole)

    async def _extracted(self, ended: Ended) -> AsyncGenerator[Text | tuple[Place, ...], None]:
        """The code itself answers."""
        from chat import extract  # Where a model answers, nobody needs it.

        found = await extract.answer(self._question, self._desk.code)
        markdown = found.markdown
        if (
            self._desk.places.servers
        ):  # It says how to set up a model; there is one, and the reason says more.
            markdown = markdown.rstrip().removesuffix(extract.PROSE.rstrip()).rstrip() + "\n"
        self._turn = replace(self._turn, shown=markdown, problem=ended.problem, is_whole=True)
        self._conversation = replace(self._conversation, secrets=ended.secrets)
        yield Text(text=markdown)
        yield found.places

    async def _gather(self) -> tuple[Piece, ...]:
        """The code that the question is about, the best first."""
        from chat import gather  # Where no model is set up, nobody needs it.

        gathered = await gather.gather(
            ask_prompt.searched(self._conversation, self._question), self._desk.code
        )
        self._problems += gathered.problems
        return tuple(gathered.pieces)

    async def _prompt(self, pieces: tuple[Piece, ...]) -> Prompt:
        """The prompt, for what of the past is still as it was when the model read it."""
        conversation = self._conversation
        before = conversation.given
        now = await _stamps(before.values(), self._desk.code)
        stamps = {number: it for turn in conversation.turns for number, it in turn.stamps.items()}
        fresh = {number for number, place in before.items() if stamps.get(number, -1) == now.get(place)}
        template = prompt_files.template(PROMPT)
        return Prompt(
            conversation=conversation,
            question=self._question,
            pieces=pieces,
            system=ask_prompt.system_of(template, self._desk.notes),
            example=ask_prompt.example_of(template),
            given={number: place if number in fresh else NOWHERE for number, place in before.items()},
            known={number: place for number, place in before.items() if place in now},
        )

    def _whole(self) -> Conversation:
        turns = (*self._conversation.turns, self._turn)
        return replace(self._conversation, turns=turns)

    async def _save_soon(self) -> None:
        if KEEP_SECONDS <= time.monotonic() - self._kept_at:
            await self._save()

    async def _save(self) -> None:
        turn, self._kept_at = self._turn, time.monotonic()
        self._kept = turn
        if self._keep is not None:
            problem = await self._keep(self._conversation, turn)
            if problem and problem not in self._problems:
                self._problems.append(problem)


async def _stamps(places: Iterable[Place], code: Code) -> dict[Place, int]:
    """What stands at places now, as a number each; nothing for those that are not there any more."""
    found: dict[Place, int] = {}
    lines: dict[str, list[str]] = {}
    for it in places:
        if it.path not in lines:
            lines[it.path] = (await code.text(it.path) or "").split("\n")
        if it.last_line <= len(lines[it.path]):
            text = "\n".join(lines[it.path][it.first_line - 1 : it.last_line])
            found[it] = zlib.crc32(text.encode("utf-8", "replace"))
    return found
