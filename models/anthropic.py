"""Speak Anthropic's Messages: a conversation as JSON out, its events in."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any

from models import answers, errors
from models.answers import CallParts, Nonsense, Reported
from models.estimate import tokens
from models.exchange import Before, Exchange, Limits
from models.retry import Patience, until_it_begins
from models.spec import BackendSpec
from models.wire import ChatMessage, ChatRequest, Finish, Piece, ToolCall, Usage, schema_json, taking_turns

LIST_SECONDS = 15.0  # For the list of models: a short answer, but from far away.
PATH = "/v1/messages"
FINISH: Mapping[str, Finish] = {"max_tokens": "length", "model_context_window_exceeded": "length"}
SHORTENED = "(What came before is left out.)"  # A conversation has to begin with the user.


class Anthropic:
    """One server of Anthropic's dialect. Its methods raise only what ``models.errors`` lists."""

    def __init__(
        self,
        spec: BackendSpec,
        *,
        limits: Limits | None = None,
        patience: Patience | None = None,
    ) -> None:
        self.spec = spec
        self._exchange = Exchange(spec, None, limits)
        self._patience = patience or Patience()

    def chat(self, request: ChatRequest, before: Before | None = None) -> AsyncGenerator[Piece, None]:
        """Stream the answer to a conversation; ``aclose()`` cancels."""
        return until_it_begins(lambda: self._pieces(request, before), self._patience)

    async def models(self) -> tuple[str, ...]:
        """The names of the models that this key may use."""
        with self._exchange.failures():
            return answers.model_names(
                await self._exchange.short("GET", "/v1/models?limit=1000", LIST_SECONDS)
            )

    def count(self, text: str) -> int:
        """How many tokens a text takes: at most so many."""
        return tokens(text)

    async def close(self) -> None:
        """Close every connection."""
        await self._exchange.close()

    async def _pieces(self, request: ChatRequest, before: Before | None) -> AsyncGenerator[Piece, None]:
        body = messages_json(request, self.spec)
        if not body["messages"]:
            raise errors.Refused("There is nothing to answer: the conversation is empty.")
        reader = AnswerReader()
        with self._exchange.failures():
            events = self._exchange.events("POST", PATH, body, self._exchange.limits, before)
            async with aclosing(events) as events:
                async for event in events:
                    if piece := reader.read(event):
                        yield piece
        if reader.finish is None:
            raise errors.Broken(self._exchange.says("stopped in the middle of its answer."))
        calls = reader.calls()
        if reader.finish == "length" and not reader.has_text and not calls:
            raise errors.Broken(self._exchange.says("thought until its limit of tokens, and said nothing."))
        yield Piece(text="", finish=reader.finish, usage=reader.usage(), calls=calls)


def messages_json(request: ChatRequest, spec: BackendSpec) -> dict[str, Any]:
    """The body of ``POST /v1/messages``.

    Temperature and its like are left out: today's models refuse them. What the system says stands apart,
    turns alternate, and the limit of tokens has room for thinking, which counts.
    """
    system = "\n\n".join(it.content for it in request.messages if it.role == "system" and it.content.strip())
    turns = taking_turns([it for it in request.messages if it.role != "system"])
    if turns and turns[0].role != "user":
        turns = [ChatMessage(role="user", content=SHORTENED), *turns]
    body: dict[str, Any] = {
        "model": request.model or spec.model,
        "max_tokens": spec.answer_tokens(request.model or spec.model, request.sampling.max_tokens),
        "messages": _messages_json(turns),
        "stream": True,
    }
    if request.tools:
        body["tools"] = [
            {"name": it.name, "description": it.description, "input_schema": schema_json(it)}
            for it in request.tools
        ]
    if system:
        body["system"] = system
    stops = [it for it in request.sampling.stop if it.strip()]  # One of blanks alone is refused.
    if stops:
        body["stop_sequences"] = stops
    return body


def _messages_json(turns: list[ChatMessage]) -> list[dict[str, Any]]:
    """The turns; what tools answered belongs to the user's next one, all of it in one."""
    said: list[dict[str, Any]] = []
    for it in turns:
        role = "user" if it.role == "tool" else it.role
        content: str | list[dict[str, Any]] = it.content
        if it.role == "tool":
            content = [{"type": "tool_result", "tool_use_id": it.call_id, "content": it.content}]
        elif it.calls:
            content = [{"type": "text", "text": it.content}] if it.content.strip() else []
            content += [
                {"type": "tool_use", "id": call.id, "name": call.name, "input": dict(call.arguments)}
                for call in it.calls
            ]
        if said and said[-1]["role"] == role:
            said[-1]["content"] = [*_blocks(said[-1]["content"]), *_blocks(content)]
        else:
            said.append({"role": role, "content": content})
    return said


def _blocks(content: str | list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


class AnswerReader:
    """The events of one answer, in their order -> its pieces, then why it ended and what it cost."""

    def __init__(self) -> None:
        self.has_text = False
        self.finish: Finish | None = None
        self._counts: dict[str, int] = {}
        self._calls = CallParts()

    def read(self, event: Mapping[str, Any]) -> Piece | None:
        """What this event adds; unknown kinds add nothing, as new ones may come at any time."""
        try:
            match event.get("type"):
                case "message_start":
                    self._count(event["message"].get("usage"))
                case "content_block_start":
                    return self._said(event["content_block"], event)
                case "content_block_delta":
                    return self._said(event["delta"], event)
                case "message_delta":
                    self._count(event.get("usage"))
                    self._ends(event["delta"].get("stop_reason"))
        except (AttributeError, LookupError, TypeError, ValueError) as exc:
            raise Nonsense("a value is of the wrong type") from exc
        return None

    def calls(self) -> tuple[ToolCall, ...]:
        """What the model asks for, once the answer is over."""
        return self._calls.whole()

    def usage(self) -> Usage | None:
        """What it has cost, if the server has said so."""
        if not self._counts:
            return None
        cached = self._counts.get("cache_read_input_tokens", 0)
        written = self._counts.get("cache_creation_input_tokens", 0)
        return Usage(
            prompt_tokens=self._counts.get("input_tokens", 0) + cached + written,
            cached_tokens=cached,
            completion_tokens=self._counts.get("output_tokens", 0),
        )

    def _said(self, part: Mapping[str, Any], event: Mapping[str, Any]) -> Piece | None:
        """Text, or a call; what it thinks, and its signature, are nobody's business."""
        if part["type"] == "tool_use":
            self._calls.begin(event["index"], str(part["id"]), str(part["name"]))
        elif part["type"] == "input_json_delta":
            self._calls.more(event["index"], part["partial_json"])
        text = part["text"] if part["type"] in ("text", "text_delta") else ""
        if not isinstance(text, str):
            raise TypeError
        self.has_text = self.has_text or bool(text)
        return Piece(text=text) if text else None

    def _count(self, usage: Mapping[str, Any] | None) -> None:
        """The counts so far; later ones replace earlier ones."""
        self._counts |= {name: it for name, it in (usage or {}).items() if type(it) is int}

    def _ends(self, reason: str | None) -> None:
        if reason == "refusal":
            raise Reported(400, "", code="refusal")
        if reason:
            self.finish = FINISH.get(reason, "stop")
