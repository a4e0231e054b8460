"""Speak the OpenAI dialect to one model server: JSON out, server-sent events in.

Every stream is an async generator. Closing it, or cancelling the task that reads it, closes the connection;
that is the cancel message, and the engine stops within one decode step.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from models import answers, errors
from models.exchange import Before, Exchange, Limits
from models.spec import BackendSpec
from models.wire import (
    ChatRequest,
    CompletionRequest,
    Health,
    Piece,
    chat_json,
    completion_json,
    foreign_chat_json,
    foreign_completion_json,
)

if TYPE_CHECKING:
    from models.retry import Patience
    from models.transport import Transport

HEALTH_SECONDS = 2.0  # The engine answers from its event loop, which never waits for the model.
EVENT_SECONDS = 20.0  # The engine says something at least every 5 s; four silent turns mean that it hangs.
LIST_SECONDS = 15.0  # For the list of models: a short answer, but maybe from far away.

# What may be left out, or called otherwise, if a server refuses it: the answer is of the same kind.
OPTIONAL = frozenset(
    {"temperature", "top_p", "seed", "logprobs", "stream_options", "max_tokens", "max_completion_tokens"}
)


class Backend:
    """One model server. Its methods raise only what ``models.errors`` lists."""

    def __init__(
        self,
        spec: BackendSpec,
        transport: Transport | None = None,
        *,
        limits: Limits | None = None,
        patience: Patience | None = None,
    ) -> None:
        self.spec = spec
        self._exchange = Exchange(spec, transport, limits)
        self._patience = patience
        self._is_ours = spec.dialect == "hearth"
        self._unwanted: dict[str, frozenset[str]] = {}
        """What each model was seen to refuse."""

    @property
    def suspect(self) -> bool:
        """Whether a connection has failed since the server last answered ``health()``."""
        return self._exchange.suspect

    def complete(self, request: CompletionRequest) -> AsyncGenerator[Piece, None]:
        """Stream the continuation of a prompt; ``aclose()`` cancels."""
        ours = self._is_ours
        body = completion_json(request, stream=True) if ours else foreign_completion_json(request, self.spec)
        return self._pieces("/v1/completions", body, answers.completion_piece)

    def chat(self, request: ChatRequest, before: Before | None = None) -> AsyncGenerator[Piece, None]:
        """Stream the answer to a conversation; ``aclose()`` cancels."""
        if self._is_ours:
            asked = replace(request, model=request.model or self.spec.model)
            body = chat_json(asked, stream=True)
            pieces = self._pieces("/v1/chat/completions", body, answers.ChatReader().read, before)
            return _saying_no_tools(pieces) if request.tools else pieces
        from models.retry import Patience, until_it_begins  # The path of a keystroke needs none of it.

        return until_it_begins(lambda: self._chat_abroad(request, before), self._patience or Patience())

    async def models(self) -> tuple[str, ...]:
        """The names of the models that it has."""
        with self._exchange.failures():
            return answers.model_names(await self._exchange.short("GET", "/v1/models", LIST_SECONDS))

    def count(self, text: str) -> int:
        """How many tokens a text takes: at most so many."""
        from models.estimate import tokens

        return tokens(text)

    async def health(self) -> Health:
        """What the engine says about itself, within two seconds."""
        with self._exchange.failures():
            health = answers.health_value(await self._exchange.short("GET", "/health", HEALTH_SECONDS))
        self._exchange.suspect = False
        return health

    async def events(self) -> AsyncGenerator[Health, None]:
        """Hold the engine: it lives while somebody reads this, and says here what changes.

        Ends when the engine ends in good order; any other end is ``Unreachable``.
        """
        limits = replace(self._exchange.limits, first_s=EVENT_SECONDS, silence_s=EVENT_SECONDS)
        with self._exchange.failures():
            events = self._exchange.events("GET", "/hearth/events", None, limits)
            async with aclosing(events) as events:
                async for event in events:
                    yield answers.health_value(event)

    async def typing(self) -> None:
        """Say that somebody types, and needs no answer: the engine leaves a processor to the editor."""
        with self._exchange.failures():
            await self._exchange.short("POST", "/hearth/typing", HEALTH_SECONDS)

    async def shutdown(self) -> None:
        """Ask the engine to finish what it does and exit."""
        with self._exchange.failures():
            await self._exchange.short("POST", "/hearth/shutdown", HEALTH_SECONDS)

    async def close(self) -> None:
        """Close every connection; a stream that is still read ends with ``Unreachable``."""
        await self._exchange.close()

    async def _chat_abroad(self, request: ChatRequest, before: Before | None) -> AsyncGenerator[Piece, None]:
        """Ask a server that is not ours; what its model does not take is left out, now and from now on."""
        model = request.model or self.spec.model
        if not any(it.content.strip() for it in request.messages):
            raise errors.Refused("There is nothing to answer: the conversation is empty.")
        while True:
            unwanted = self._unwanted.get(model, frozenset())
            body = foreign_chat_json(request, self.spec, unwanted)
            has_text = False
            try:
                pieces = self._pieces("/v1/chat/completions", body, answers.ChatReader().read, before)
                pieces = _saying_no_tools(pieces) if request.tools else pieces
                async with aclosing(pieces):
                    async for piece in pieces:
                        has_text = has_text or bool(piece.text or piece.calls)
                        if piece.finish == "length" and not has_text:
                            sentence = "thought until its limit of tokens, and said nothing."
                            raise errors.Broken(self._exchange.says(sentence))
                        yield piece
                return
            except errors.Refused as exc:
                name = exc.parameter
                if has_text or name not in OPTIONAL or name not in body:
                    raise
                self._unwanted[model] = unwanted | {name}

    async def _pieces(
        self,
        path: str,
        body: Mapping[str, Any],
        piece_of: Callable[[Mapping[str, Any]], Piece],
        before: Before | None = None,
    ) -> AsyncGenerator[Piece, None]:
        last: dict[int, Piece] = {}  # Each choice's piece with ``finish``, until its usage is known.
        finished: set[int] = set()
        with self._exchange.failures():
            events = self._exchange.events("POST", path, body, self._exchange.limits, before)
            async with aclosing(events) as events:
                async for event in events:
                    piece = piece_of(event)
                    if piece.choice in finished:
                        last = {at: replace(it, usage=it.usage or piece.usage) for at, it in last.items()}
                        continue
                    if piece.finish:
                        finished.add(piece.choice)
                    if piece.finish and not piece.usage:
                        last[piece.choice] = piece
                    elif piece.finish or piece.text:
                        yield piece
        for held in last.values():
            yield held
        if not finished:
            raise errors.Broken(self._exchange.says("stopped in the middle of its answer."))


async def _saying_no_tools(pieces: AsyncGenerator[Piece, None]) -> AsyncGenerator[Piece, None]:
    """The same, but that a server takes no tools is an error of its own: they agree on the word alone."""
    has_begun = False
    try:
        async with aclosing(pieces):
            async for piece in pieces:
                has_begun = True
                yield piece
    except (errors.Refused, errors.Broken) as exc:
        is_said = isinstance(exc.__cause__, answers.Reported) and not has_begun
        is_other = isinstance(exc, errors.NoKey | errors.NoModel | errors.TooLong)
        if is_other or not is_said or "tool" not in f"{exc.parameter} {exc}".lower():
            raise
        raise errors.NoTools(str(exc)) from exc
