"""Pure: JSON of the OpenAI dialect <-> our values. Every parameter is honored or refused by name.

BadBody   the request's JSON is not what the dialect allows; one sentence naming the field
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from models.wire import (
    MAX_CANDIDATE_CHARS,
    MAX_CANDIDATES,
    MAX_CHOICES,
    Candidate,
    ChatMessage,
    ChatRequest,
    CompletionRequest,
    Piece,
    Priority,
    Sampling,
    Snippet,
    ToolCall,
    ToolSpec,
    Usage,
    call_json,
    call_value,
    usage_json,
)

MAX_TOKENS = 16  # What the dialect says when a request does not.
ROLES = ("system", "developer", "user", "assistant", "tool")
PRIORITIES: tuple[Priority, ...] = ("typing", "chat", "prefill", "background")

# Parameters of the dialect that we know and cannot serve: they pass only with the value that changes nothing.
NEUTRAL: Mapping[str, tuple[Any, ...]] = {
    "best_of": (None, 1),
    "echo": (None, False),
    "presence_penalty": (None, 0, 0.0),
    "frequency_penalty": (None, 0, 0.0),
    "logit_bias": (None, {}),
    "tools": (None, []),
    "tool_choice": (None, "none", "auto"),
    "response_format": (None, {"type": "text"}),
}
SAMPLING = (
    "max_tokens",
    "max_completion_tokens",
    "stop",
    "temperature",
    "top_k",
    "top_p",
    "seed",
    "logprobs",
)
COMMON = ("model", "stream", "stream_options", "user", "hearth", "n", *SAMPLING, *NEUTRAL)
COMPLETION_FIELDS = frozenset({"prompt", "suffix", *COMMON})
CHAT_FIELDS = frozenset({"messages", *COMMON})
COMPLETION_EXTRAS = frozenset({
    "middle", "repository", "path", "snippets", "candidates", "memory_weight", "heal", "least_probability",
    "priority",
})  # fmt: skip
CHAT_EXTRAS = frozenset({"priority"})
MAX_TOOLS = 128
TOOL_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")
SNIPPET_FIELDS = frozenset({"path", "text"})
CANDIDATE_FIELDS = frozenset({"text", "weight"})
MAX_NAME = 60  # Characters of an unknown parameter's name that the refusal repeats.


class BadBody(Exception):
    """The request's JSON is not what the dialect allows."""


def completion_request(body: object, default_model: str) -> CompletionRequest:
    """Read the body of ``POST /v1/completions``."""
    fields = _fields(body, COMPLETION_FIELDS)
    extra = _known(_mapping(fields, "hearth"), COMPLETION_EXTRAS, "hearth.")
    suffix = fields.get("suffix")
    return CompletionRequest(
        model=_text(fields, "model", default_model),
        prompt=_text(fields, "prompt", ""),
        suffix=None if suffix is None else _text(fields, "suffix", ""),
        middle=_text(extra, "middle", ""),
        repository=_text(extra, "repository", ""),
        path=_text(extra, "path", ""),
        snippets=tuple(
            Snippet(path=_text(it, "path", ""), text=_text(it, "text", ""))
            for it in _mappings(extra, "snippets")
            if _known(it, SNIPPET_FIELDS, "hearth.snippets.")
        ),
        candidates=_candidates(extra),
        memory_weight=None
        if extra.get("memory_weight") is None
        else _number(extra, "memory_weight", 0.0, 0.0, 1.0),
        heal=_flag(extra, "heal"),
        choices=_choices(fields, MAX_CHOICES),
        least_probability=_number(extra, "least_probability", 0.0, 0.0, 1.0),
        sampling=_sampling(fields),
        priority=_priority(extra, "typing"),
    )


def chat_request(body: object, default_model: str) -> ChatRequest:
    """Read the body of ``POST /v1/chat/completions``."""
    tools = _tools(body)
    fields = _fields({**body, "tools": None} if tools and isinstance(body, Mapping) else body, CHAT_FIELDS)
    messages = tuple(_message(it) for it in _mappings(fields, "messages"))
    _choices(fields, 1)
    if not messages:
        raise BadBody("'messages' must have at least one message.")
    return ChatRequest(
        model=_text(fields, "model", default_model),
        messages=messages,
        sampling=_sampling(fields),
        priority=_priority(_known(_mapping(fields, "hearth"), CHAT_EXTRAS, "hearth."), "chat"),
        tools=() if fields.get("tool_choice") == "none" else tools,
    )


def wants_stream(body: object) -> bool:
    return isinstance(body, Mapping) and body.get("stream") is True


def completion_chunk(piece: Piece, frame: Mapping[str, Any], *, logprobs: bool) -> dict[str, Any]:
    """One event of a streamed completion; ``frame`` holds id, time and model."""
    return _chunk("text_completion", [_completion_choice(piece, logprobs=logprobs)], piece.usage, frame)


def chat_chunk(piece: Piece, frame: Mapping[str, Any], *, logprobs: bool) -> dict[str, Any]:
    """One event of a streamed conversation."""
    delta: dict[str, Any] = {"role": "assistant", "content": piece.text}
    if piece.calls:
        delta["tool_calls"] = [{"index": at, **call_json(it)} for at, it in enumerate(piece.calls)]
    choice: dict[str, Any] = {"index": piece.choice, "delta": delta, **_finish(piece)}
    if logprobs:
        choice["logprobs"] = {"content": [{"logprob": it} for it in piece.logprobs]}
    return _chunk("chat.completion.chunk", [choice], piece.usage, frame)


def completion_whole(
    answers: Sequence[Piece], usage: Usage | None, frame: Mapping[str, Any], *, logprobs: bool
) -> dict[str, Any]:
    """A completion that is not streamed: each of ``answers`` is one choice, with all of its text."""
    choices = [_completion_choice(it, logprobs=logprobs) for it in answers]
    return _chunk("text_completion", choices, usage, frame)


def chat_whole(
    answers: Sequence[Piece], usage: Usage | None, frame: Mapping[str, Any], *, logprobs: bool
) -> dict[str, Any]:
    """A conversation's answer that is not streamed."""
    choices: list[dict[str, Any]] = []
    for it in answers:
        message: dict[str, Any] = {"role": "assistant", "content": it.text}
        if it.calls:
            message["tool_calls"] = [call_json(call) for call in it.calls]
        choice: dict[str, Any] = {"index": it.choice, "message": message, **_finish(it)}
        if logprobs:
            choice["logprobs"] = {"content": [{"logprob": number} for number in it.logprobs]}
        choices.append(choice)
    return _chunk("chat.completion", choices, usage, frame)


def _completion_choice(piece: Piece, *, logprobs: bool) -> dict[str, Any]:
    return {
        "index": piece.choice,
        "text": piece.text,
        "logprobs": {"token_logprobs": list(piece.logprobs)} if logprobs else None,
        **_finish(piece),
    }


def _finish(piece: Piece) -> dict[str, Any]:
    """The dialect has no word for an answer that was given up for being unlikely; to others it just ended."""
    if piece.finish == "unsure":
        return {"finish_reason": "stop", "hearth": {"unsure": True}}
    return {"finish_reason": "tool_calls" if piece.calls and piece.finish == "stop" else piece.finish}


def error_json(message: str, kind: str, code: int) -> dict[str, Any]:
    """OpenAI's form of an error."""
    return {"error": {"message": message, "type": kind, "code": code}}


def _chunk(
    kind: str, choices: list[dict[str, Any]], usage: Usage | None, frame: Mapping[str, Any]
) -> dict[str, Any]:
    body = {**frame, "object": kind, "choices": choices}
    if usage is not None:
        body["usage"] = usage_json(usage)
    return body


def _fields(body: object, known: frozenset[str]) -> Mapping[str, Any]:
    if not isinstance(body, Mapping):
        raise BadBody("The request must be a JSON object.")
    _known(body, known, "")
    for name, allowed in NEUTRAL.items():
        if body.get(name) not in allowed:
            raise BadBody(f"The parameter '{name}' is not supported with this value.")
    if not isinstance(body.get("stream"), bool | None):
        raise BadBody("'stream' must be true or false.")
    _mapping(body, "stream_options")
    return body


def _known(fields: Mapping[str, Any], names: frozenset[str], where: str) -> Mapping[str, Any]:
    for name in fields:
        if name not in names:
            raise BadBody(f"The parameter '{where}{name[:MAX_NAME]}' is not supported.")
    return fields


def _choices(fields: Mapping[str, Any], most: int) -> int:
    if most == 1 and fields.get("n") not in (None, 1):
        raise BadBody("The parameter 'n' is not supported with this value.")
    return int(_number(fields, "n", 1, 1, most, whole=True))


def _flag(fields: Mapping[str, Any], name: str) -> bool:
    value = fields.get(name)
    if not isinstance(value, bool | None):
        raise BadBody(f"'{name}' must be true or false.")
    return bool(value)


def _candidates(extra: Mapping[str, Any]) -> tuple[Candidate, ...]:
    found = _mappings(extra, "candidates")
    if MAX_CANDIDATES < len(found):
        raise BadBody(f"'candidates' may have at most {MAX_CANDIDATES} items.")
    for it in found:
        _known(it, CANDIDATE_FIELDS, "hearth.candidates.")
        if MAX_CANDIDATE_CHARS < len(_text(it, "text", "")):
            raise BadBody(f"The 'text' of a candidate may have at most {MAX_CANDIDATE_CHARS} characters.")
    return tuple(
        Candidate(text=_text(it, "text", ""), weight=_number(it, "weight", 1.0, 0.0, 1.0)) for it in found
    )


def _sampling(fields: Mapping[str, Any]) -> Sampling:
    name = "max_completion_tokens" if fields.get("max_completion_tokens") is not None else "max_tokens"
    stop = fields.get("stop")
    stops = [] if stop is None else [stop] if isinstance(stop, str) else stop
    if not isinstance(stops, list) or not all(isinstance(it, str) for it in stops):
        raise BadBody("'stop' must be a string or a list of strings.")
    seed = fields.get("seed")
    return Sampling(
        max_tokens=int(_number(fields, name, MAX_TOKENS, 0, 1 << 20, whole=True)),
        stop=tuple(stops),
        temperature=_number(fields, "temperature", 0.0, 0.0, 10.0),
        top_k=int(_number(fields, "top_k", 40, 0, 1 << 20, whole=True)),
        top_p=_number(fields, "top_p", 0.95, 0.0, 1.0),
        seed=None if seed is None else int(_number(fields, "seed", 0, 0, 2**63 - 1, whole=True)),
        logprobs=_wants_logprobs(fields.get("logprobs")),
    )


def _wants_logprobs(value: object) -> bool:
    if value is None or value is False or value is True:
        return value is True
    if value in (0, 1):
        return value == 1
    raise BadBody("'logprobs' must be 0 or 1: only the chosen token's is given.")


def _number(
    fields: Mapping[str, Any], name: str, default: float, low: float, high: float, *, whole: bool = False
) -> float:
    value = fields.get(name)
    if value is None:
        return default
    kinds = int if whole else (int, float)
    if isinstance(value, bool) or not isinstance(value, kinds) or not low <= value <= high:
        raise BadBody(
            f"'{name}' must be {'a whole number' if whole else 'a number'} from {low:g} to {high:g}."
        )
    return value


def _text(fields: Mapping[str, Any], name: str, default: str) -> str:
    value = fields.get(name)
    if value is None:
        return default
    if not isinstance(value, str):
        raise BadBody(f"'{name}' must be a string.")
    return value


def _mapping(fields: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = fields.get(name)
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise BadBody(f"'{name}' must be an object.")
    return value


def _mappings(fields: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    value = fields.get(name)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(it, Mapping) for it in value):
        raise BadBody(f"'{name}' must be a list of objects.")
    return value


def _message(fields: Mapping[str, Any]) -> ChatMessage:
    role = _text(fields, "role", "")
    if role not in ROLES:
        raise BadBody(f"'role' must be one of {', '.join(ROLES)}.")
    content = fields.get("content")
    if isinstance(content, list):
        parts = [it["text"] for it in content if _is_text_part(it)]
        if len(parts) != len(content):
            raise BadBody("'content' may only have parts of type text.")
        content = "".join(parts)
    return ChatMessage(
        role=role,
        content=_text({"content": content}, "content", ""),
        calls=tuple(_call(it) for it in _mappings(fields, "tool_calls")),
        call_id=_text(fields, "tool_call_id", ""),
    )


def _call(fields: Mapping[str, Any]) -> ToolCall:
    """A call of an earlier turn. What was no JSON object goes into the template as nothing."""
    function = _mapping(fields, "function")
    return call_value(_text(fields, "id", ""), _text(function, "name", ""), _text(function, "arguments", ""))


def _tools(body: object) -> tuple[ToolSpec, ...]:
    """The tools of a conversation; what is not one stays where it is, and is refused there."""
    listed = body.get("tools") if isinstance(body, Mapping) else None
    if not isinstance(listed, list) or not all(_is_tool(it) for it in listed) or MAX_TOOLS < len(listed):
        return ()
    return tuple(
        ToolSpec(
            name=it["function"]["name"],
            description=_text(it["function"], "description", ""),
            schema=_mapping(it["function"], "parameters"),
        )
        for it in listed
    )


def _is_tool(it: object) -> bool:
    function = it.get("function") if isinstance(it, Mapping) and it.get("type") == "function" else None
    name = function.get("name") if isinstance(function, Mapping) else None
    return isinstance(name, str) and TOOL_NAME.fullmatch(name) is not None


def _is_text_part(part: object) -> bool:
    return isinstance(part, Mapping) and part.get("type") == "text" and isinstance(part.get("text"), str)


def _priority(extra: Mapping[str, Any], default: Priority) -> Priority:
    value = extra.get("priority", default)
    for known in PRIORITIES:
        if value == known:
            return known
    raise BadBody(f"'priority' must be one of {', '.join(PRIORITIES)}.")
