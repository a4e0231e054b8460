"""JSON of the dialect <-> values: each parameter is honored, or refused by its name."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import answers
from models.engine import dialect
from models.engine.dialect import BadBody
from models.wire import (
    Candidate,
    ChatMessage,
    ChatRequest,
    CompletionRequest,
    Piece,
    Sampling,
    Snippet,
    Usage,
    chat_json,
    completion_json,
)

FRAME = {"id": "1", "created": 1, "model": "m"}
USAGE = Usage(
    prompt_tokens=9,
    cached_tokens=8,
    completion_tokens=2,
    drafted_tokens=6,
    accepted_tokens=5,
    queue_ms=1,
    load_ms=2,
    prompt_ms=3,
    decode_ms=4,
)


def completion(**fields: Any) -> CompletionRequest:
    return dialect.completion_request(fields, "default")


def chat(**fields: Any) -> ChatRequest:
    return dialect.chat_request({"messages": [{"role": "user", "content": "Hi"}]} | fields, "default")


def refusal(read: Callable[..., object], **fields: Any) -> str:
    with pytest.raises(BadBody) as refused:
        read(**fields)
    return str(refused.value)


def test_nothing_said_means_the_defaults_of_the_dialect() -> None:
    """Sixteen tokens, greedy."""
    assert completion() == CompletionRequest(
        model="default", prompt="", sampling=Sampling(max_tokens=dialect.MAX_TOKENS)
    )
    assert (
        completion(model=None, prompt=None, stop=None, seed=None, hearth=None, logprobs=None) == completion()
    )


@pytest.mark.parametrize(
    ("fields", "value"),
    [
        ({"max_tokens": 3}, {"max_tokens": 3}),
        ({"max_completion_tokens": 3}, {"max_tokens": 3}),
        ({"max_tokens": 9, "max_completion_tokens": 3}, {"max_tokens": 3}),
        ({"stop": "x"}, {"stop": ("x",)}),
        ({"stop": ["x", "y"]}, {"stop": ("x", "y")}),
        ({"stop": []}, {"stop": ()}),
        ({"temperature": 1}, {"temperature": 1}),
        ({"top_k": 5, "top_p": 0.5}, {"top_k": 5, "top_p": 0.5}),
        ({"seed": 0}, {"seed": 0}),
        ({"logprobs": True}, {"logprobs": True}),
        ({"logprobs": 1}, {"logprobs": True}),
        ({"logprobs": 0}, {"logprobs": False}),
        ({"n": 1, "echo": False, "logit_bias": {}, "tools": [], "user": "me"}, {}),
        ({"stream": True, "stream_options": {"include_usage": True}}, {}),
    ],
)
def test_what_is_honored(fields: dict[str, Any], value: dict[str, Any]) -> None:
    """The same in both dialects."""
    expected = Sampling(**{"max_tokens": dialect.MAX_TOKENS} | value)
    assert completion(**fields).sampling == expected
    assert chat(**fields).sampling == expected


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"best": 1}, "The parameter 'best' is not supported."),
        ({"x" * 500: 1}, f"The parameter '{'x' * 60}' is not supported."),
        ({"echo": True}, "The parameter 'echo' is not supported with this value."),
        ({"tools": [{}]}, "The parameter 'tools' is not supported with this value."),
        ({"logit_bias": {"1": 2}}, "The parameter 'logit_bias' is not supported with this value."),
        ({"presence_penalty": 0.1}, "The parameter 'presence_penalty' is not supported with this value."),
        ({"response_format": {}}, "The parameter 'response_format' is not supported with this value."),
        ({"hearth": {"best": 1}}, "The parameter 'hearth.best' is not supported."),
        ({"hearth": []}, "'hearth' must be an object."),
        ({"hearth": {"priority": "now"}}, "'priority' must be one of typing, chat, prefill, background."),
        ({"hearth": {"priority": 1}}, "'priority' must be one of typing, chat, prefill, background."),
        ({"model": 1}, "'model' must be a string."),
        ({"stream": "yes"}, "'stream' must be true or false."),
        ({"stream": 1}, "'stream' must be true or false."),
        ({"stream_options": 1}, "'stream_options' must be an object."),
        ({"max_tokens": -1}, "'max_tokens' must be a whole number from 0 to 1.04858e+06."),
        ({"max_tokens": 1.5}, "'max_tokens' must be a whole number from 0 to 1.04858e+06."),
        ({"max_tokens": True}, "'max_tokens' must be a whole number from 0 to 1.04858e+06."),
        ({"max_tokens": "3"}, "'max_tokens' must be a whole number from 0 to 1.04858e+06."),
        ({"max_tokens": 1 << 90}, "'max_tokens' must be a whole number from 0 to 1.04858e+06."),
        ({"temperature": -0.1}, "'temperature' must be a number from 0 to 10."),
        ({"temperature": float("nan")}, "'temperature' must be a number from 0 to 10."),
        ({"top_p": 1.1}, "'top_p' must be a number from 0 to 1."),
        ({"seed": -1}, "'seed' must be a whole number from 0 to 9.22337e+18."),
        ({"stop": 1}, "'stop' must be a string or a list of strings."),
        ({"stop": 0}, "'stop' must be a string or a list of strings."),
        ({"stop": [1]}, "'stop' must be a string or a list of strings."),
        ({"stop": {}}, "'stop' must be a string or a list of strings."),
        ({"logprobs": 5}, "'logprobs' must be 0 or 1: only the chosen token's is given."),
        ({"logprobs": "1"}, "'logprobs' must be 0 or 1: only the chosen token's is given."),
        ({"logprobs": []}, "'logprobs' must be 0 or 1: only the chosen token's is given."),
    ],
)  # fmt: skip
def test_what_is_refused(fields: dict[str, Any], sentence: str) -> None:
    """By its name, the same in both dialects."""
    assert refusal(completion, **fields) == sentence
    assert refusal(chat, **fields) == sentence


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"prompt": ["a"]}, "'prompt' must be a string."),
        ({"prompt": 1}, "'prompt' must be a string."),
        ({"suffix": []}, "'suffix' must be a string."),
        ({"messages": []}, "The parameter 'messages' is not supported."),
        ({"hearth": {"middle": 1}}, "'middle' must be a string."),
        ({"hearth": {"snippets": 0}}, "'snippets' must be a list of objects."),
        ({"hearth": {"snippets": ["a"]}}, "'snippets' must be a list of objects."),
        ({"hearth": {"snippets": [{"path": 1}]}}, "'path' must be a string."),
        ({"hearth": {"snippets": [{"body": "x"}]}}, "The parameter 'hearth.snippets.body' is not supported."),
        ({"hearth": {"candidates": {}}}, "'candidates' must be a list of objects."),
        ({"hearth": {"candidates": [{}] * 9}}, "'candidates' may have at most 8 items."),
        ({"hearth": {"candidates": [{"text": 1}]}}, "'text' must be a string."),
        (
            {"hearth": {"candidates": [{"text": "x" * 2001}]}},
            "The 'text' of a candidate may have at most 2000 characters.",
        ),
        ({"hearth": {"candidates": [{"weight": 1.5}]}}, "'weight' must be a number from 0 to 1."),
        ({"hearth": {"candidates": [{"weight": float("nan")}]}}, "'weight' must be a number from 0 to 1."),
        ({"hearth": {"candidates": [{"p": 1}]}}, "The parameter 'hearth.candidates.p' is not supported."),
        ({"hearth": {"memory_weight": 2}}, "'memory_weight' must be a number from 0 to 1."),
        ({"hearth": {"memory_weight": "1"}}, "'memory_weight' must be a number from 0 to 1."),
        ({"hearth": {"heal": 1}}, "'heal' must be true or false."),
        ({"hearth": {"heal": "yes"}}, "'heal' must be true or false."),
        ({"hearth": {"least_probability": 2}}, "'least_probability' must be a number from 0 to 1."),
        ({"n": 4}, "'n' must be a whole number from 1 to 3."),
        ({"n": 0}, "'n' must be a whole number from 1 to 3."),
        ({"n": "2"}, "'n' must be a whole number from 1 to 3."),
    ],
)
def test_what_a_completion_cannot_be(fields: dict[str, Any], sentence: str) -> None:
    """Types are checked where they are used."""
    assert refusal(completion, **fields) == sentence


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"messages": None}, "'messages' must have at least one message."),
        ({"messages": []}, "'messages' must have at least one message."),
        ({"messages": {}}, "'messages' must be a list of objects."),
        ({"messages": False}, "'messages' must be a list of objects."),
        ({"messages": ["Hi"]}, "'messages' must be a list of objects."),
        ({"messages": [{}]}, "'role' must be one of system, developer, user, assistant, tool."),
        ({"messages": [{"role": ["user"]}]}, "'role' must be a string."),
        ({"messages": [{"role": "user", "content": 1}]}, "'content' must be a string."),
        ({"messages": [{"role": "user", "content": [{}]}]}, "'content' may only have parts of type text."),
        ({"prompt": "x"}, "The parameter 'prompt' is not supported."),
        ({"hearth": {"middle": "x"}}, "The parameter 'hearth.middle' is not supported."),
        ({"hearth": {"candidates": []}}, "The parameter 'hearth.candidates' is not supported."),
        ({"hearth": {"heal": True}}, "The parameter 'hearth.heal' is not supported."),
        ({"n": 2}, "The parameter 'n' is not supported with this value."),
        ({"n": "1"}, "The parameter 'n' is not supported with this value."),
    ],
)  # fmt: skip
def test_what_a_conversation_cannot_be(fields: dict[str, Any], sentence: str) -> None:
    """Roles are a closed list: they go into the model's template."""
    assert refusal(chat, **fields) == sentence


def test_the_parts_of_a_message_are_joined() -> None:
    """OpenAI's clients send text in parts."""
    parts = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    request = chat(messages=[{"role": "user", "content": parts}, {"role": "assistant"}])
    assert request.messages == (
        ChatMessage(role="user", content="ab"),
        ChatMessage(role="assistant", content=""),
    )


@pytest.mark.parametrize("body", [None, 1, "x", [], [{}]])
def test_a_body_that_is_no_object(body: object) -> None:
    """The same sentence for all of them."""
    with pytest.raises(BadBody, match=r"The request must be a JSON object\."):
        dialect.completion_request(body, "m")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda it: st.lists(it, max_size=3) | st.dictionaries(st.text(max_size=3), it, max_size=3),
    max_leaves=5,
)


FIELDS = st.sampled_from(sorted(dialect.COMPLETION_FIELDS | dialect.CHAT_FIELDS))


@given(st.dictionaries(FIELDS, JSON, max_size=4))
def test_any_values_are_a_request_or_one_sentence(body: dict[str, Any]) -> None:
    """Nothing else comes out."""
    for read in (dialect.completion_request, dialect.chat_request):
        with contextlib.suppress(BadBody):
            read(body, "m")


TEXT = st.text(max_size=5)
SAMPLINGS = st.builds(
    Sampling,
    max_tokens=st.integers(0, 99),
    stop=st.lists(TEXT, max_size=2).map(tuple),
    temperature=st.just(0.0) | st.floats(0.1, 2),
    top_k=st.just(40),
    seed=st.none() | st.integers(0, 9),
    logprobs=st.booleans(),
)
PRIORITIES = st.sampled_from(dialect.PRIORITIES)


@given(
    st.builds(
        CompletionRequest,
        model=st.text(min_size=1, max_size=5),
        prompt=TEXT,
        suffix=st.none() | TEXT,
        middle=TEXT,
        repository=TEXT,
        path=TEXT,
        snippets=st.lists(st.builds(Snippet, path=TEXT, text=TEXT), max_size=2).map(tuple),
        candidates=st.lists(st.builds(Candidate, text=TEXT, weight=st.floats(0, 1)), max_size=8).map(tuple),
        memory_weight=st.none() | st.floats(0, 1),
        heal=st.booleans(),
        choices=st.integers(1, 3),
        least_probability=st.floats(0, 1),
        sampling=SAMPLINGS,
        priority=PRIORITIES,
    ),
    st.booleans(),
)
def test_what_our_client_sends_is_what_the_engine_reads(request: CompletionRequest, stream: bool) -> None:
    """Both ends use the same values, so a round trip changes nothing."""
    body = json.loads(json.dumps(completion_json(request, stream=stream)))
    assert dialect.completion_request(body, "default") == request
    assert dialect.wants_stream(body) is stream


@given(
    st.lists(
        st.builds(ChatMessage, role=st.sampled_from(dialect.ROLES), content=TEXT), min_size=1, max_size=3
    ),
    SAMPLINGS,
    PRIORITIES,
)
def test_a_conversation_too(messages: list[ChatMessage], sampling: Sampling, priority: Any) -> None:
    """The same round trip."""
    request = ChatRequest(model="m", messages=tuple(messages), sampling=sampling, priority=priority)
    body = json.loads(json.dumps(chat_json(request, stream=True)))
    assert dialect.chat_request(body, "default") == request


@pytest.mark.parametrize("finish", [None, "stop", "length", "unsure"])
@pytest.mark.parametrize("choice", [0, 2])
@pytest.mark.parametrize("usage", [None, USAGE])
@pytest.mark.parametrize("logprobs", [(), (-0.5, -1.0)])
def test_what_the_engine_sends_is_what_our_client_reads(
    finish: Any, choice: int, usage: Usage | None, logprobs: tuple[float, ...]
) -> None:
    """Pieces come out as they went in."""
    piece = Piece(text="x", choice=choice, finish=finish, usage=usage, logprobs=logprobs)
    chunk = dialect.completion_chunk(piece, FRAME, logprobs=bool(logprobs))
    assert answers.completion_piece(json.loads(json.dumps(chunk))) == piece
    chunk = dialect.chat_chunk(piece, FRAME, logprobs=bool(logprobs))
    assert answers.chat_piece(json.loads(json.dumps(chunk))) == piece


def test_a_whole_answer_has_one_choice() -> None:
    """As OpenAI's clients expect it."""
    last = Piece(text="Hi", finish="stop", usage=USAGE, logprobs=(-0.5,))
    body = dialect.chat_whole([last], USAGE, FRAME, logprobs=True)
    assert body["object"] == "chat.completion"
    assert body["choices"] == [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "Hi"},
            "finish_reason": "stop",
            "logprobs": {"content": [{"logprob": -0.5}]},
        }
    ]
    assert body["usage"]["hearth"] == {
        "drafted_tokens": 6,
        "accepted_tokens": 5,
        "queue_ms": 1,
        "load_ms": 2,
        "prompt_ms": 3,
        "decode_ms": 4,
    }
    assert dialect.completion_whole([last], USAGE, FRAME, logprobs=False)["choices"][0]["logprobs"] is None


def test_to_other_programs_an_unsure_answer_has_just_ended() -> None:
    """The dialect's own word, with ours beside it; each choice has its own."""
    them = [Piece(text="a", finish="unsure"), Piece(text="b", choice=1, finish="length")]
    choices = dialect.completion_whole(them, USAGE, FRAME, logprobs=False)["choices"]
    assert [it["finish_reason"] for it in choices] == ["stop", "length"]
    assert [it["index"] for it in choices] == [0, 1]
    assert [it.get("hearth") for it in choices] == [{"unsure": True}, None]
