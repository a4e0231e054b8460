"""What the servers send, as they send it: OpenAI, Ollama, llama-server, vLLM, LM Studio, Zhipu, Anthropic."""

from __future__ import annotations

from typing import Any

from tests.models.loopback.server import event, plain, stream

DONE = event(b"[DONE]")
PING = event({"type": "ping"}, "ping")


def delta(content: Any = None, finish: str | None = None, model: str = "m", **more: Any) -> dict[str, Any]:
    """One chunk of a conversation; ``more`` stands in its delta."""
    part = ({"content": content} if content is not None else {}) | more
    choice = {"index": 0, "delta": part, "logprobs": None, "finish_reason": finish}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": model,
        "choices": [choice],
    }


def used(prompt: int = 9, answer: int = 2, cached: int = 0) -> dict[str, Any]:
    """The ``usage`` of an answer."""
    return {
        "prompt_tokens": prompt,
        "completion_tokens": answer,
        "total_tokens": prompt + answer,
        "prompt_tokens_details": {"cached_tokens": cached},
    }


OPENAI = stream(
    event(delta("", role="assistant", refusal=None) | {"usage": None}),
    event(delta("Be") | {"usage": None}),
    event(delta("cause.") | {"usage": None}),
    event(delta(finish="stop") | {"usage": None}),
    event({"id": "chatcmpl-1", "object": "chat.completion.chunk", "choices": [], "usage": used(9, 2, 4)}),
    DONE,
)
OLLAMA = stream(
    event(delta("Be", role="assistant")),
    event(delta("cause.", role="assistant")),
    event(delta("", "stop", role="assistant")),
    event({"id": "chatcmpl-1", "object": "chat.completion.chunk", "choices": [], "usage": used()}),
    DONE,
)
OLLAMA_WITHOUT_USAGE = stream(
    event(delta("Because.", role="assistant")), event(delta("", "stop", role="assistant")), DONE
)
LLAMA_SERVER = stream(
    event({**delta(role="assistant", content=None), "system_fingerprint": "b8000"}),
    event(delta("Be")),
    event(delta("cause.")),
    event({**delta(finish="stop"), "timings": {"prompt_n": 9, "prompt_ms": 1.5}}),
    event({"choices": [], "usage": used(), "object": "chat.completion.chunk", "timings": {"prompt_n": 9}}),
    DONE,
)
VLLM = stream(
    event(delta("", role="assistant", reasoning_content=None)),
    event(delta(reasoning_content="Let me think.")),
    event(delta("Because.")),
    event(delta("", "stop", tool_calls=[]) | {"usage": None}),
    event({"id": "chatcmpl-1", "choices": [], "usage": {**used(), "prompt_tokens_details": None}}),
    DONE,
)
LM_STUDIO = stream(
    event(delta("Be", role="assistant") | {"system_fingerprint": "m"}),
    event(delta("cause.", role="assistant")),
    event(delta(finish="stop")),
    event({"object": "chat.completion.chunk", "choices": [], "usage": used()}),
    DONE,
)
ZHIPU = stream(
    event(delta(role="assistant", reasoning_content="嗯")),
    event(delta("Because.", role="assistant")),
    event(delta("", "stop", role="assistant") | {"usage": used(9, 2, 3)}),
    DONE,
)
OPENROUTER = stream(
    b": OPENROUTER PROCESSING\n\n", event(delta("Because.")), event(delta(finish="stop")), DONE
)
WHOLE = plain(
    200,
    {
        "object": "chat.completion",
        "choices": [
            {"index": 0, "message": {"role": "assistant", "content": "Because."}, "finish_reason": "stop"}
        ],
        "usage": used(),
    },
)


def message(*events: bytes, prompt: int = 9, stop: str = "end_turn") -> bytes:
    """A whole answer of Anthropic's around these events."""
    return stream(start(prompt), PING, *events, *end(stop))


def start(prompt: int = 9) -> bytes:
    """How each of Anthropic's answers begins."""
    usage = {
        "input_tokens": prompt,
        "cache_creation_input_tokens": 3,
        "cache_read_input_tokens": 4,
        "output_tokens": 1,
        "service_tier": "standard",
    }
    head = {"id": "msg_1", "type": "message", "role": "assistant", "model": "c", "content": []}
    return event(
        {"type": "message_start", "message": head | {"stop_reason": None, "usage": usage}}, "message_start"
    )


def block(index: int, *texts: str) -> bytes:
    """A block of text in as many deltas."""
    begin: dict[str, Any] = {
        "type": "content_block_start",
        "index": index,
        "content_block": {"type": "text", "text": ""},
    }
    deltas: list[dict[str, Any]] = [
        {"type": "content_block_delta", "index": index, "delta": {"type": "text_delta", "text": it}}
        for it in texts
    ]
    return b"".join(
        event(it, it["type"]) for it in [begin, *deltas, {"type": "content_block_stop", "index": index}]
    )


def thought(index: int) -> bytes:
    """A block of thinking, which nobody is shown."""
    begin: dict[str, Any] = {
        "type": "content_block_start",
        "index": index,
        "content_block": {"type": "thinking", "thinking": "", "signature": ""},
    }
    parts = [{"type": "thinking_delta", "thinking": "Hm."}, {"type": "signature_delta", "signature": "Eq"}]
    deltas: list[dict[str, Any]] = [
        {"type": "content_block_delta", "index": index, "delta": it} for it in parts
    ]
    return b"".join(event(it, it["type"]) for it in [begin, *deltas])


def end(stop: str | None = "end_turn") -> tuple[bytes, bytes]:
    """How each of Anthropic's answers ends."""
    last = {"stop_reason": stop, "stop_sequence": None}
    return (
        event({"type": "message_delta", "delta": last, "usage": {"output_tokens": 15}}, "message_delta"),
        event({"type": "message_stop"}, "message_stop"),
    )


ANTHROPIC = message(thought(0), block(1, "Be", "cause."))


def anthropic_error(kind: str, words: str) -> dict[str, Any]:
    """The body of Anthropic's errors."""
    return {"type": "error", "error": {"type": kind, "message": words}, "request_id": "req_1"}


def openai_error(
    words: str, kind: str = "invalid_request_error", code: str | int | None = None, param: str | None = None
) -> dict[str, Any]:
    """The body of OpenAI's errors."""
    return {"error": {"message": words, "type": kind, "param": param, "code": code}}
