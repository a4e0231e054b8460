"""The JSON of a request holds what it must and nothing that another server would refuse."""

from __future__ import annotations

import pytest

from models.wire import (
    Candidate,
    ChatMessage,
    ChatRequest,
    CompletionRequest,
    Sampling,
    Snippet,
    Usage,
    chat_json,
    completion_json,
    usage_json,
    usage_value,
)

GREEDY = Sampling(max_tokens=8)
WARM = Sampling(max_tokens=8, stop=("\n",), temperature=0.5, top_k=7, top_p=0.9, seed=0, logprobs=True)


def test_a_plain_completion() -> None:
    """What is ours stands under one key; what is not asked for is not said."""
    request = CompletionRequest(model="m", prompt="a", sampling=GREEDY)
    assert completion_json(request, stream=True) == {
        "model": "m",
        "prompt": "a",
        "stream": True,
        "max_tokens": 8,
        "temperature": 0.0,
        "hearth": {"middle": "", "repository": "", "path": "", "snippets": [], "priority": "typing"},
    }


def test_a_completion_with_everything() -> None:
    """An empty suffix is one: the file ends at the cursor."""
    request = CompletionRequest(
        model="m",
        prompt="a",
        suffix="",
        middle="b",
        repository="r",
        path="p",
        snippets=(Snippet(path="q", text="c"),),
        candidates=(Candidate(text="d", weight=0.5),),
        memory_weight=0.0,
        heal=True,
        choices=3,
        least_probability=0.25,
        sampling=WARM,
        priority="background",
    )
    assert completion_json(request, stream=False) == {
        "model": "m",
        "prompt": "a",
        "suffix": "",
        "stream": False,
        "max_tokens": 8,
        "temperature": 0.5,
        "stop": ["\n"],
        "top_p": 0.9,
        "top_k": 7,
        "seed": 0,
        "logprobs": 1,
        "n": 3,
        "hearth": {
            "middle": "b",
            "repository": "r",
            "path": "p",
            "snippets": [{"path": "q", "text": "c"}],
            "candidates": [{"text": "d", "weight": 0.5}],
            "memory_weight": 0.0,
            "heal": True,
            "least_probability": 0.25,
            "priority": "background",
        },
    }


def test_a_conversation() -> None:
    """Here ``logprobs`` is true or absent."""
    messages = (ChatMessage(role="system", content="s"), ChatMessage(role="user", content="u"))
    body = chat_json(ChatRequest(model="m", messages=messages, sampling=WARM), stream=True)
    assert body["messages"] == [{"role": "system", "content": "s"}, {"role": "user", "content": "u"}]
    assert (body["logprobs"], body["hearth"]) == (True, {"priority": "chat"})
    assert "logprobs" not in chat_json(ChatRequest(model="m", messages=messages), stream=True)


def test_usage_there_and_back() -> None:
    """Tokens exactly, milliseconds to the microsecond."""
    usage = Usage(
        prompt_tokens=9,
        cached_tokens=8,
        completion_tokens=2,
        drafted_tokens=3,
        accepted_tokens=1,
        queue_ms=0.5,
        load_ms=1.25,
        prompt_ms=3.125,
        decode_ms=4.0,
    )
    assert usage_value(usage_json(usage)) == usage
    assert usage_json(usage)["total_tokens"] == 11


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"prompt_tokens": None, "prompt_tokens_details": None, "hearth": None},
        {"prompt_tokens": 0, "prompt_tokens_details": {"audio_tokens": 1}},
    ],
)
def test_what_another_server_leaves_out_counts_as_nothing(body: dict[str, object]) -> None:
    """They all send something else."""
    assert usage_value(body) == Usage(prompt_tokens=0, cached_tokens=0, completion_tokens=0)
