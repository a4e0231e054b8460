"""The values that cross the model boundary: what is asked and what comes back, and their JSON.

The dialect is OpenAI's ``/v1/completions`` and ``/v1/chat/completions``. What Hearth adds stands under one
key, ``hearth``, so that any other server can ignore it. Both ends (``models/backend.py`` and the engine's
``dialect.py``) use these values, so the two cannot drift apart.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from models.spec import BackendSpec

Priority = Literal["typing", "chat", "prefill", "background"]
"""How urgent a request is, in this order. ``prefill``: evaluated ahead, for a question that is expected."""
Finish = Literal["stop", "length", "unsure"]
"""Why an answer ended. ``unsure``: the model's own probability for it fell below what was asked for."""

MAX_CANDIDATES = 8  # More would mostly say the same; each is compared with every token that is generated.
MAX_CHOICES = 3  # Answers to one request: more than anybody looks through, and each takes a sequence.
MAX_CANDIDATE_CHARS = 2000  # Far more than one answer; a suggestion is some lines.


@dataclass(frozen=True, slots=True, kw_only=True)
class Snippet:
    """A piece of another file that goes before the prefix, in repo-level FIM order."""

    path: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How to choose tokens and when to stop. ``temperature`` 0 is greedy."""

    max_tokens: int = 128
    stop: tuple[str, ...] = ()
    temperature: float = 0.0
    top_k: int = 40
    top_p: float = 0.95
    seed: int | None = None
    logprobs: bool = False
    """Whether each piece carries the natural logarithm of the probability of its tokens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A text that may be the answer, or its beginning: it starts exactly where the model goes on.

    The engine verifies it as a draft, and adds its weight to the model's probabilities where the model's card
    or the request says so. Only the weights' ratio counts. An empty text stands for not knowing.
    """

    text: str
    weight: float
    """The probability, 0 to 1, that the whole text is right, as far as who sends it knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CompletionRequest:
    """Continue ``prompt``; with a ``suffix``, fill in between the two.

    ``middle`` is text already known to follow the gap's start (what was typed since the prompt was fixed):
    the model continues behind it. ``snippets`` and ``repository`` are context from other files.
    ``candidates`` may follow ``prompt`` and ``middle``; at most ``MAX_CANDIDATES``.
    """

    model: str
    prompt: str
    suffix: str | None = None
    middle: str = ""
    repository: str = ""
    path: str = ""
    snippets: tuple[Snippet, ...] = ()
    candidates: tuple[Candidate, ...] = ()
    memory_weight: float | None = None
    """How much the candidates count beside the model's own probabilities; ``None``: as its card says."""
    heal: bool = False
    """Whether the text before the cursor may end inside a token: the last ones are then chosen anew, so that
    their bytes begin with what was typed. What is told begins at the cursor all the same."""
    choices: int = 1
    """How many different answers to give, 1 to ``MAX_CHOICES``; the first one is the greedy one."""
    least_probability: float = 0.0
    """The answer ends as ``unsure`` when the geometric mean of its tokens' probabilities falls below."""
    sampling: Sampling = Sampling()
    priority: Priority = "typing"


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolSpec:
    """Something that a model may ask for instead of answering at once."""

    name: str
    """Letters, digits, ``_`` and ``-``; at most 64 of them."""
    description: str
    schema: Mapping[str, Any] = field(default_factory=dict)
    """The JSON schema of its arguments: an object."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """What a model asks for. Nobody has looked yet whether there is such a tool, or whether it may run."""

    id: str
    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    raw: str = ""
    """The arguments as the model wrote them, where they are no JSON object; ``arguments`` is empty then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatMessage:
    """One turn; ``role`` is ``system``, ``user``, ``assistant`` or ``tool``."""

    role: str
    content: str
    calls: tuple[ToolCall, ...] = ()
    """Of the assistant's turn: what it asked for. A message of role ``tool`` follows for each."""
    call_id: str = ""
    """Of a ``tool``: which call this answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatRequest:
    """Answer the conversation with the model's own chat template."""

    model: str
    messages: tuple[ChatMessage, ...]
    sampling: Sampling = Sampling()
    priority: Priority = "chat"
    tools: tuple[ToolSpec, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What one answer cost: tokens, and milliseconds by phase."""

    prompt_tokens: int
    cached_tokens: int
    """Prompt tokens whose KV was already there."""
    completion_tokens: int
    drafted_tokens: int = 0
    """Tokens of candidates, or of what the prompt repeats, that were evaluated ahead of the choice."""
    accepted_tokens: int = 0
    """Those of them that turned out to be its choice: so many steps were saved."""
    queue_ms: float = 0.0
    load_ms: float = 0.0
    prompt_ms: float = 0.0
    decode_ms: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Some more of the answer. The last piece has ``finish``; ``usage`` is what it has cost up to here.

    With several choices each has its own last piece, and all share one cost.
    """

    text: str
    choice: int = 0
    """Which of the answers goes on here."""
    logprobs: tuple[float, ...] = ()
    finish: Finish | None = None
    usage: Usage | None = None
    calls: tuple[ToolCall, ...] = ()
    """What the model asks for, all of it with the last piece."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """What an engine says about itself at ``/health``."""

    version: str
    pid: int
    executable: str
    state: Literal["idle", "loading", "ready", "failed"]
    """``idle``: no model in memory yet (it is loaded by the first request)."""
    model: str
    problem: str = ""
    """Why ``state`` is ``failed``: one sentence."""
    progress: float = 0.0
    """How much of the model is loaded, 0 to 1."""
    tokens_per_second: float = 0.0
    """Decode speed of the last answer."""
    context_tokens: int = 0
    clients: int = 0
    loads: int = 0
    threads: int = 0
    """Processor threads that evaluate the model now; 0 before one is loaded."""


def completion_json(request: CompletionRequest, *, stream: bool) -> dict[str, Any]:
    """The body of ``POST /v1/completions``."""
    body: dict[str, Any] = {"model": request.model, "prompt": request.prompt, "stream": stream}
    if request.suffix is not None:
        body["suffix"] = request.suffix
    body |= _sampling_json(request.sampling)
    if request.choices != 1:
        body["n"] = request.choices
    if request.sampling.logprobs:
        body["logprobs"] = 1
    body["hearth"] = {
        "middle": request.middle,
        "repository": request.repository,
        "path": request.path,
        "snippets": [{"path": it.path, "text": it.text} for it in request.snippets],
        "priority": request.priority,
    }
    if request.candidates:
        body["hearth"]["candidates"] = [{"text": it.text, "weight": it.weight} for it in request.candidates]
    if request.memory_weight is not None:
        body["hearth"]["memory_weight"] = request.memory_weight
    if request.heal:
        body["hearth"]["heal"] = True
    if request.least_probability:
        body["hearth"]["least_probability"] = request.least_probability
    return body


def chat_json(request: ChatRequest, *, stream: bool) -> dict[str, Any]:
    """The body of ``POST /v1/chat/completions``."""
    body: dict[str, Any] = {
        "model": request.model,
        "messages": [message_json(it) for it in request.messages],
        "stream": stream,
    }
    body |= _sampling_json(request.sampling)
    if request.tools:
        body["tools"] = [tool_json(it) for it in request.tools]
    if request.sampling.logprobs:
        body["logprobs"] = True
    body["hearth"] = {"priority": request.priority}
    return body


def foreign_chat_json(request: ChatRequest, spec: BackendSpec, unwanted: Set[str]) -> dict[str, Any]:
    """The body of ``POST …/chat/completions`` for a server that is not ours.

    Without our key, without what not all of them take, and without what this one was seen to refuse.
    """
    model = request.model or spec.model
    sampling = request.sampling
    most = spec.answer_tokens(model, sampling.max_tokens)
    limit = "max_completion_tokens" if "max_tokens" in unwanted else spec.limit_field
    body: dict[str, Any] = {
        "model": model,
        "messages": [message_json(it) for it in taking_turns(request.messages)],
        "stream": True,
        "stream_options": {"include_usage": True},
        limit: most,
        "temperature": sampling.temperature,
    }
    if 0.0 < sampling.temperature:
        body["top_p"] = sampling.top_p
    if spec.is_thinking(model):
        unwanted = unwanted | {"temperature", "top_p"}
    if sampling.stop:
        body["stop"] = list(sampling.stop)
    if sampling.seed is not None:
        body["seed"] = sampling.seed
    if sampling.logprobs:
        body["logprobs"] = True
    if request.tools:
        body["tools"] = [tool_json(it) for it in request.tools]
    return {name: value for name, value in body.items() if name not in unwanted}


def foreign_completion_json(request: CompletionRequest, spec: BackendSpec) -> dict[str, Any]:
    """The body of ``POST …/completions`` for a server that is not ours: the text around the gap, no more."""
    whole = replace(request, prompt=request.prompt + request.middle, model=request.model or spec.model)
    body = completion_json(whole, stream=True)
    return {name: value for name, value in body.items() if name not in ("hearth", "top_k")}


def taking_turns(messages: Sequence[ChatMessage]) -> list[ChatMessage]:
    """The same conversation with nothing empty, and no two turns of one role in a row, as some insist."""
    turns: list[ChatMessage] = []
    for it in messages:
        is_text = it.role != "tool" and not it.calls
        if is_text and not it.content.strip():
            continue
        if is_text and turns and turns[-1].role == it.role and not turns[-1].calls:
            turns[-1] = replace(it, content=f"{turns[-1].content}\n\n{it.content}")
        else:
            turns.append(it)
    return turns


def message_json(message: ChatMessage) -> dict[str, Any]:
    """One turn in OpenAI's form."""
    said: dict[str, Any] = {"role": message.role, "content": message.content}
    if message.calls:
        said["tool_calls"] = [
            # What was no JSON object is not sent back: servers read it again, and refuse the conversation.
            call_json(replace(it, raw=""))
            for it in message.calls
        ]
    if message.call_id:
        said["tool_call_id"] = message.call_id
    return said


def tool_json(tool: ToolSpec) -> dict[str, Any]:
    """A tool in OpenAI's form."""
    function = {"name": tool.name, "description": tool.description, "parameters": schema_json(tool)}
    return {"type": "function", "function": function}


def schema_json(tool: ToolSpec) -> dict[str, Any]:
    """The schema of a tool's arguments: always one of an object."""
    return {"type": "object", "properties": {}, **tool.schema}


def call_json(call: ToolCall) -> dict[str, Any]:
    """A call in OpenAI's form: its arguments are a text."""
    text = call.raw or json.dumps(dict(call.arguments), ensure_ascii=False)
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": text}}


def call_value(identity: str, name: str, text: str) -> ToolCall:
    """A call from what a model wrote as its arguments; nothing at all means no arguments."""
    try:
        found = json.loads(text) if text.strip() else {}
    except (ValueError, RecursionError):
        found = None
    if isinstance(found, dict):
        return ToolCall(id=identity, name=name, arguments=found)
    return ToolCall(id=identity, name=name, raw=text)


def usage_json(usage: Usage) -> dict[str, Any]:
    """OpenAI's ``usage``, with drafts and milliseconds beside it."""
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
        "prompt_tokens_details": {"cached_tokens": usage.cached_tokens},
        "hearth": {
            "drafted_tokens": usage.drafted_tokens,
            "accepted_tokens": usage.accepted_tokens,
            "queue_ms": round(usage.queue_ms, 3),
            "load_ms": round(usage.load_ms, 3),
            "prompt_ms": round(usage.prompt_ms, 3),
            "decode_ms": round(usage.decode_ms, 3),
        },
    }


def usage_value(body: Mapping[str, Any]) -> Usage:
    """Read ``usage`` as any OpenAI-compatible server sends it; what is missing counts as 0."""
    details = body.get("prompt_tokens_details") or {}
    ours = body.get("hearth") or {}
    return Usage(
        prompt_tokens=int(body.get("prompt_tokens") or 0),
        completion_tokens=int(body.get("completion_tokens") or 0),
        cached_tokens=int(details.get("cached_tokens") or 0),
        drafted_tokens=int(ours.get("drafted_tokens") or 0),
        accepted_tokens=int(ours.get("accepted_tokens") or 0),
        queue_ms=float(ours.get("queue_ms") or 0.0),
        load_ms=float(ours.get("load_ms") or 0.0),
        prompt_ms=float(ours.get("prompt_ms") or 0.0),
        decode_ms=float(ours.get("decode_ms") or 0.0),
    )


def _sampling_json(sampling: Sampling) -> dict[str, Any]:
    body: dict[str, Any] = {"max_tokens": sampling.max_tokens, "temperature": sampling.temperature}
    if sampling.stop:
        body["stop"] = list(sampling.stop)
    if 0.0 < sampling.temperature:
        body |= {"top_p": sampling.top_p, "top_k": sampling.top_k}
    if sampling.seed is not None:
        body["seed"] = sampling.seed
    return body
