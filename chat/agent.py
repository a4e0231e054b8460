"""Agent mode: a model looks around with tools that only read, step by step, and then answers or proposes.

It is a bounded loop. It begins with a look of our own, a search packed into the question, which is all there
is for a model that cannot call tools. Our tools read the code and nothing else; tools of others
(``chat/agent_mcp.py``) are called only if the user allows the very call, or its tool in their own settings.
What a tool says is data, marked as such. Nothing here writes, sends or runs anything: edits are proposals.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace

from chat import agent_words as words
from chat import tools
from chat.agent_edits import proposed
from chat.agent_types import (
    Called,
    Calling,
    Confirm,
    Done,
    Event,
    Outcome,
    Text,
    Toolbox,
)
from chat.asking import SAMPLING, Ended, ask
from chat.cite import Stream, resolve
from chat.desk import Desk
from chat.edits_types import Refusal
from chat.events import Decided
from chat.gather import gather
from chat.pack import pack
from chat.redact import Secret
from chat.router import Decision
from chat.tools_values import Result
from chat.types import Place, Question
from models.errors import NoTools
from models.estimate import tokens
from models.wire import ChatMessage, Sampling, ToolCall, ToolSpec

STEPS = 8
MOST_STEPS = 50
MOST_CALLS = 8  # In one step.
REPEATS = 2  # Steps of nothing but calls that were made before: then it goes round in circles.
RESULT_CHARACTERS = 8_000  # Of one call: some 2,000 tokens.
LOOK = "look around"
LOOK_TOKENS = 1_500  # Of the look before the question: what a small model reads in seconds.
CHARACTERS_PER_TOKEN = 3
OTHER_TOKENS = 500  # What we say ourselves.
NO_ANSWER = "The model came to no answer within {steps} steps."
ELSEWHERE = "{name} is a tool that is not there."


@dataclass(slots=True)
class _Run:
    """One question on its way."""

    desk: Desk
    question: Question
    tools: Toolbox | None
    confirm: Confirm
    steps: int
    choice: str
    sampling: Sampling
    history: tuple[ChatMessage, ...] = ()
    look: str = ""
    """What was seen first."""
    numbers: Mapping[int, Place] = field(default_factory=dict)
    """What its numbers stand for."""
    turns: list[ChatMessage] = field(default_factory=list)
    """Calls and what they gave."""
    places: dict[Place, None] = field(default_factory=dict)
    made: dict[str, bool] = field(default_factory=dict)
    """Calls that were made, by their text, and whether they were allowed."""
    secrets: tuple[Secret, ...] = ()
    decision: Decision | None = None
    can_call: bool = True
    used: int = 0
    """Steps with calls."""
    tokens_in: int = 0


@dataclass(slots=True)
class _Said:
    """What the model has said in one step."""

    raw: str = ""
    shown: str = ""
    """With links in the place of numbers."""
    ended: Ended = field(default_factory=lambda: Ended(tier="extractive"))


async def run(
    desk: Desk,
    question: Question,
    *,
    tools: Toolbox | None = None,
    confirm: Confirm,
    steps: int = STEPS,
    choice: str = "",
    sampling: Sampling = SAMPLING,
    history: Sequence[ChatMessage] = (),
    secrets: Sequence[Secret] = (),
) -> AsyncGenerator[Event, None]:
    """Each decision, call and word as it comes, and last the outcome. Closing it stops the model.

    ``tools`` are those of others; ``confirm`` is asked before each of their calls that the user's settings do
    not allow. ``history`` is what was said before, without its context, and ``secrets`` what was taken out.
    """
    bounded = max(0, min(steps, MOST_STEPS))
    it = _Run(desk, question, tools, confirm, bounded, choice, sampling, tuple(history))
    it.secrets = tuple(secrets)
    async with aclosing(_steps(it)) as events:
        async for event in events:
            yield event


async def _steps(it: _Run) -> AsyncGenerator[Event, None]:
    look = await _look(it)
    yield Calling(step=0, tool=LOOK, arguments=_json({"question": it.question.text}))
    yield Called(step=0, tool=LOOK, result=look)
    # The same for all steps, so that the same server is asked in all of them.
    before = sum(len(turn.content) for turn in it.history) + len(words.asked(it.question, it.look))
    it.tokens_in = before // CHARACTERS_PER_TOKEN + OTHER_TOKENS
    repeats = 0
    for step in range(it.steps + 1):
        is_last = step == it.steps or REPEATS <= repeats
        if is_last and it.used:
            it.turns.append(ChatMessage(role="user", content=words.LAST))
        said = _Said()
        async with aclosing(_turn(it, step, said)) as events:
            async for event in events:
                yield event
        calls = () if is_last or said.ended.problem else _with_ids(said.ended.calls, it.turns)
        if not calls:
            yield Done(outcome=await _outcome(it, said, out_of_steps=is_last and bool(said.ended.calls)))
            return
        it.used = step + 1
        it.turns.append(ChatMessage(role="assistant", content=said.raw, calls=calls))
        repeats = repeats + 1 if all(_key(call) in it.made for call in calls) else 0
        for number, call in enumerate(calls):
            async with aclosing(_use(it, call, step + 1, is_one_too_many=MOST_CALLS <= number)) as events:
                async for event in events:
                    yield event


async def _turn(it: _Run, step: int, said: _Said) -> AsyncGenerator[Event, None]:
    """What the model says in one step; what came of it is in ``said``."""
    shown = Stream(it.numbers)
    async with aclosing(_ask(it)) as answer:
        async for event in answer:
            if isinstance(event, Ended):
                said.ended = event
            elif isinstance(event, Decision):
                if it.decision is None or it.decision.backend != event.backend:
                    yield Decided(decision=event)
                it.decision = event
            else:
                said.raw += event
                if more := shown.feed(event):
                    said.shown += more
                    yield Text(text=more, step=step)
    if more := shown.end():
        said.shown += more
        yield Text(text=more, step=step)
    it.secrets = said.ended.secrets or it.secrets


async def _look(it: _Run) -> Result:
    """What there is to see before anybody asks for it: for a model without calls, all that there is."""
    gathered = await gather(it.question, it.desk.code, most_tokens=2 * LOOK_TOKENS)
    packed = await asyncio.to_thread(
        pack, gathered.pieces, budget_tokens=LOOK_TOKENS, count=tokens, question=it.question.text
    )
    it.look, it.numbers = packed.text, packed.numbers
    it.places |= dict.fromkeys(packed.numbers.values())
    return Result(
        text="\n".join([*gathered.problems, packed.text]) or "Nothing was found.",
        places=tuple(packed.numbers.values()),
        is_error=bool(gathered.problems) and not packed.text,
    )


async def _ask(it: _Run) -> AsyncGenerator[Decision | str | Ended, None]:
    """The model's turn. One that knows no tools is asked again without, and not a second time with them."""
    while True:
        specs = _specs(it)
        answer = ask(
            it.desk,
            task=it.question.task,
            messages=_messages(it),
            tokens_in=it.tokens_in,
            choice=it.choice,
            sampling=it.sampling,
            secrets=it.secrets,
            tools=specs,
        )
        try:
            async with aclosing(answer):
                async for event in answer:
                    yield event
            return
        except NoTools:
            if not specs:
                raise
            it.can_call = False


def _specs(it: _Run) -> tuple[ToolSpec, ...]:
    if not it.can_call or not it.steps:
        return ()
    others = it.tools.specs if it.tools else ()
    return (*(tool.spec for tool in tools.TOOLS.values()), *others)


def _messages(it: _Run) -> Callable[[int | None, Callable[[str], int]], tuple[ChatMessage, ...]]:
    can_call = bool(_specs(it))
    system = words.system(it.question.task, it.desk.notes, steps=it.steps if can_call else 0)
    turns = tuple(it.turns)

    def make(look: str, dropped: int) -> Sequence[ChatMessage]:
        asked = ChatMessage(role="user", content=words.asked(it.question, look))
        return (ChatMessage(role="system", content=system), *it.history[dropped:], asked, *turns)

    described = json.dumps([[spec.name, spec.description, dict(spec.schema)] for spec in _specs(it)])

    def messages(budget: int | None, count: Callable[[str], int]) -> tuple[ChatMessage, ...]:
        room = None if budget is None else max(0, budget - (count(described) if can_call else 0))
        return words.fitting(make, it.look, len(it.history), room, count)

    return messages


async def _use(it: _Run, call: ToolCall, step: int, *, is_one_too_many: bool) -> AsyncGenerator[Event, None]:
    """One call: what is done, what it said, and its turn in the conversation."""
    shown, arguments = call.name, call.raw or _json(dict(call.arguments))
    asking = it.tools.asking(call.name, call.arguments) if it.tools and call.name not in tools.TOOLS else None
    if asking is not None:
        shown, arguments = asking.name, call.raw or asking.arguments
    yield Calling(step=step, tool=shown, arguments=arguments)
    key, is_refused = _key(call), False
    if is_one_too_many:
        result = Result(text=words.TOO_MANY, is_error=True)
    elif key in it.made:
        is_refused = not it.made[key]
        result = Result(text=words.NOT_ALLOWED if is_refused else words.AGAIN, is_error=True)
    elif it.tools and asking is not None and not call.raw:
        is_refused = not (it.tools.is_allowed(asking) or await it.confirm(asking) is True)
        it.made[key] = not is_refused
        if is_refused:
            result = Result(text=words.NOT_ALLOWED, is_error=True)
        else:
            result = await it.tools.call(call.name, call.arguments, RESULT_CHARACTERS)
    else:
        it.made[key] = True
        result = await tools.call(
            it.desk.code, call.name, call.arguments, most=RESULT_CHARACTERS, raw=call.raw
        )
        it.places |= dict.fromkeys(result.places)
    yield Called(step=step, tool=shown, result=result, is_refused=is_refused)
    it.turns.append(ChatMessage(role="tool", content=words.data(call.name, result.text), call_id=call.id))


async def _outcome(it: _Run, said: _Said, *, out_of_steps: bool) -> Outcome:
    """What came of it, with the edits that the answer proposes."""
    ended, problem = said.ended, said.ended.problem
    if out_of_steps and not said.raw.strip():
        problem = problem or NO_ANSWER.format(steps=it.steps)
    found = Outcome(
        text=said.shown,
        places=await resolve(it.places, it.desk.code),
        tier=ended.tier,
        server=ended.server,
        reason=it.decision.reason if it.decision else "",
        problem=problem,
        steps=it.used,
        by_plan=not it.can_call or not it.steps,
        secrets=it.secrets,
    )
    if not said.raw.strip() or problem:
        return found
    paths = dict.fromkeys(place.path for place in it.places)
    finished = None if ended.finish is None else ended.finish == "stop"
    made = await proposed(said.raw, it.question, paths, it.desk.code, finished=finished)
    if isinstance(made, Refusal):
        return replace(found, refusal=made.reason)
    return replace(found, edits=made[0], sources=made[1])


def _with_ids(calls: Sequence[ToolCall], turns: Sequence[ChatMessage]) -> tuple[ToolCall, ...]:
    """The calls, each with an id that no earlier one has: some servers count from 0 in every answer."""
    known = {it.id for turn in turns for it in turn.calls}
    return tuple(
        replace(it, id=f"call_{len(turns)}_{at}") if it.id in known else it for at, it in enumerate(calls)
    )


def _key(call: ToolCall) -> str:
    return f"{call.name} {call.raw or json.dumps(dict(call.arguments), sort_keys=True)}"


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


async def never(_: object) -> bool:
    """For where nobody can be asked: no call of others' tools is allowed but those of the settings."""
    await asyncio.sleep(0)
    return False
