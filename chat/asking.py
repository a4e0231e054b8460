"""Ask a model: the one place where anything of the user's goes to a server.

It decides who is asked, has the prompt made for that one's room, takes the secrets out of what leaves this
machine, keeps the very bytes that leave before they do, streams the answer, and asks the next one if the
first has failed before its first word. Nothing else in the product calls ``Client.chat``.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from chat import sent, why
from chat.calls import texts_of, with_texts
from chat.desk import Desk
from chat.redact import Restoring, Secret, kinds, redact
from chat.router import ANSWER_TOKENS, Decision, Request, decide, failure_of, next_after
from chat.types import Task, Tier
from models.errors import BackendError, Broken, ModelError, NoTools, Refused, TooLong
from models.wire import (
    ChatMessage,
    ChatRequest,
    Finish,
    Sampling,
    ToolCall,
    ToolSpec,
    Usage,
    taking_turns,
)

if TYPE_CHECKING:
    from models.client import Client

logger = logging.getLogger(__name__)

SAMPLING = Sampling(max_tokens=ANSWER_TOKENS, temperature=0.2, top_p=0.9)
"""Cool: small models wander off when they are warm, and at 0 they repeat themselves."""
SMALLEST = 512  # Tokens. A prompt that does not fit is not tried again in less room than this.
HALVINGS = 3  # So often less is sent to a server that finds it too long.
ROUNDS = 5  # What shows in one message is taken out of those before it too; mostly two are enough.
# Made by a server or by us, at random: they look like secrets and are none.
IDS = frozenset({"id", "model", "role", "type", "tool_call_id", "tool_use_id", "call_id"})

Messages = Callable[[int | None, Callable[[str], int]], tuple[ChatMessage, ...]]
"""Makes the prompt within so many tokens (``None``: not known), counted by this function. Pure."""


class HoldsSecret(Exception):
    """What would leave still looks as if it held a secret; the message is one sentence for the user."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How an answer ended, and what it has cost."""

    tier: Tier
    """``extractive``: nobody was asked, or nobody has answered: the caller answers from the code."""
    finish: Finish | None = None
    """``None`` if it did not come to its end."""
    usage: Usage | None = None
    server: str = ""
    """What people know it by."""
    secrets: tuple[Secret, ...] = ()
    """All that the conversation knows of now: hand them on to its next question."""
    problem: str = ""
    """One sentence, if something has failed: what was said before it stands."""
    calls: tuple[ToolCall, ...] = ()
    """What the model asks for instead of going on; placeholders of secrets stay as they are in them."""


@dataclass(slots=True)
class _Question:
    """One question on its way, to one server or several."""

    desk: Desk
    messages: Messages
    sampling: Sampling
    secrets: tuple[Secret, ...]
    tools: tuple[ToolSpec, ...] = ()


async def ask(
    desk: Desk,
    *,
    task: Task,
    messages: Messages,
    tokens_in: int,
    choice: str = "",
    is_deep: bool = False,
    sampling: Sampling = SAMPLING,
    secrets: Sequence[Secret] = (),
    tools: Sequence[ToolSpec] = (),
) -> AsyncGenerator[Decision | str | Ended, None]:
    """Each decision as it is made, the words of the answer, and how it ended.

    ``tokens_in`` is about how large the prompt is when there is room for all; ``choice`` is what the user
    wants for this one: a tier or a server's name. Closing the generator stops the server.
    With ``tools`` it raises ``NoTools`` where the server that is asked knows none.
    """
    request = Request(
        task=task, tokens_in=tokens_in, tokens_out=sampling.max_tokens, choice=choice, is_deep=is_deep
    )
    question = _Question(desk, messages, sampling, tuple(secrets), tuple(tools))
    decision: Decision | None = decide(request, desk.places, desk.policy)
    problem = ""
    while decision is not None:
        await asyncio.to_thread(why.note, desk.data, decision)
        yield decision
        if decision.backend is None:
            break
        try:
            async with aclosing(_answer(question, decision)) as answer:
                async for it in answer:
                    yield it
            return
        except NoTools:
            raise  # Whoever brought the tools asks otherwise then.
        except (BackendError, ModelError, sent.NotKept, HoldsSecret) as exc:
            logger.info("chat server failed kind=%s rule=%s", type(exc).__name__, decision.rule)
            problem = str(exc)
            decision = next_after(decision, failure_of(exc))
    yield Ended(tier="extractive", secrets=question.secrets, problem=problem)


async def _answer(question: _Question, decision: Decision) -> AsyncGenerator[str | Ended, None]:
    """One server's answer. Raises what fails before its first word; what fails later is how it ended."""
    assert decision.backend
    client = await question.desk.connect(decision.backend)
    leaves = _leaves(client, decision, question.desk)
    budget, tries, has_begun = decision.budget_tokens, 0, False
    while True:
        request = await _request(question, decision, client, budget, leaves=leaves)
        restoring = Restoring(question.secrets)
        finish: Finish | None = None
        usage: Usage | None = None
        calls: tuple[ToolCall, ...] = ()
        problem = ""
        try:
            before = _keeping(question, decision, request) if leaves else None
            async with aclosing(client.chat(request, before)) as pieces:
                async for piece in pieces:
                    finish, usage = piece.finish or finish, piece.usage or usage
                    calls = piece.calls or calls
                    if shown := restoring.feed(piece.text):
                        has_begun = True
                        yield shown
        except (BackendError, ModelError) as exc:
            size = budget or sum(client.count(it.content) for it in request.messages)
            if has_begun:
                logger.warning("chat answer broke off kind=%s", type(exc).__name__)
                problem, finish = str(exc), None
            elif isinstance(exc, TooLong) and tries < HALVINGS and 2 * SMALLEST <= size:
                budget = size // 2  # It knows better than we do how much fits: again, with half of it.
                tries += 1
                continue
            else:
                raise
        if rest := restoring.end():
            yield rest
        break
    yield Ended(
        tier=decision.tier,
        finish=finish,
        usage=usage,
        server=decision.backend.name or decision.backend.model,
        secrets=question.secrets,
        problem=problem,
        calls=calls,
    )


def _leaves(client: Client, decision: Decision, desk: Desk) -> bool:
    """Whether what is asked leaves this machine. Nobody leads us off it whom the user has not allowed."""
    is_local = client.spec.is_local and decision.tier == "local"
    if decision.tier == "local" and not client.spec.is_local:
        raise Broken("The model of this machine is not on this machine, so it is not asked.")
    if not is_local and desk.policy.cloud_allowed is not True:
        raise Refused("Your settings do not allow the cloud, so nothing is sent.")
    return not is_local


async def _request(
    question: _Question, decision: Decision, client: Client, budget: int | None, *, leaves: bool
) -> ChatRequest:
    """The request within this room, and without secrets if it leaves; long work is done in a thread."""
    assert decision.backend
    messages = await asyncio.to_thread(question.messages, budget, client.count)
    if leaves:
        turns, found = await asyncio.to_thread(without_secrets, messages, question.secrets)
        messages, question.secrets = turns, found
    sampling = replace(question.sampling, max_tokens=max(1, decision.estimate.tokens_out))
    return ChatRequest(
        model=decision.backend.model,
        messages=messages,
        sampling=sampling,
        priority="chat",
        tools=question.tools,
    )


def without_secrets(
    messages: Sequence[ChatMessage], found: Sequence[Secret] = ()
) -> tuple[tuple[ChatMessage, ...], tuple[Secret, ...]]:
    """The same conversation without its secrets, and all secrets that are known now.

    Each message alone, then all of them as one text, so that what shows in one message only is taken out of
    all. Raises ``HoldsSecret`` if one is left that stands in no single message.
    """
    turns, known = taking_turns(messages), tuple(found)
    contents = [text for it in turns for text in (it.content, *texts_of(it.calls))]
    for _ in range(ROUNDS):
        before = list(contents)
        for at, content in enumerate(before):
            redacted = redact(content, known)
            contents[at], known = redacted.text, redacted.found
        if before == contents:
            break
    if redact("\n\n".join(contents), known).hits:
        raise HoldsSecret("What would be sent looks as if it still held a secret, so it is not sent.")
    clean = iter(contents)
    return tuple(replace(it, content=next(clean), calls=with_texts(it.calls, clean)) for it in turns), known


def _keeping(question: _Question, decision: Decision, request: ChatRequest) -> Callable[[str, bytes], None]:
    """What is told the bytes before they leave: it keeps them, or nothing leaves."""
    clean = {it.content for it in request.messages}
    used = [it for it in question.secrets if any(it.placeholder in content for content in clean)]

    def keep(url: str, body: bytes) -> None:
        for text in _texts(json.loads(body)):
            if text not in clean and redact(text, question.secrets).hits:
                raise HoldsSecret("What would be sent looks as if it still held a secret, so it is not sent.")
        assert decision.backend
        sent.record(
            sent.folder(question.desk.data),
            body,
            url=url,
            server=decision.backend.name or decision.backend.model,
            task=decision.request.task,
            reason=decision.reason,
            removed=kinds(used),
            largest=question.desk.kept_bytes,
        )

    return keep


def _texts(value: Any) -> Iterator[str]:
    """Every text within a JSON value that people or their code may have written."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for name, it in value.items():
            if name not in IDS:
                yield name
                yield from _texts(it)
    elif isinstance(value, list):
        for it in value:
            yield from _texts(it)
