"""Anthropic's dialect: a conversation in its form, its events read in any order that it may send."""

from __future__ import annotations

import pytest

from models.answers import Nonsense
from models.anthropic import AnswerReader, messages_json
from models.errors import Broken
from models.providers import backend_spec
from models.wire import ChatMessage, ChatRequest, Piece, Sampling, Usage
from tests.models.loopback import shapes
from tests.models.loopback.asking import KEY, VARIABLE, client, pieces
from tests.models.loopback.server import begins, event, serving, stream

SPEC = backend_spec("anthropic", "claude-x")


@pytest.fixture(autouse=True)
def a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, KEY)


def said(*turns: tuple[str, str], sampling: Sampling = Sampling(max_tokens=10)) -> ChatRequest:  # noqa: B008 - frozen
    return ChatRequest(
        model="", messages=tuple(ChatMessage(role=r, content=c) for r, c in turns), sampling=sampling
    )


async def test_an_answer_with_thinking_and_pings() -> None:
    """Only the text is shown; what was read from the cache is part of the prompt."""
    async with serving(shapes.ANTHROPIC) as server:
        assert await pieces(client("anthropic", server.url)) == [
            Piece(text="Be"),
            Piece(text="cause."),
            Piece(
                text="",
                finish="stop",
                usage=Usage(prompt_tokens=9 + 3 + 4, cached_tokens=4, completion_tokens=15),
            ),
        ]
        asked = server.requests[0]
    assert asked.line == "POST /v1/messages"
    assert asked.headers["x-api-key"] == KEY
    assert asked.headers["anthropic-version"] == "2023-06-01"
    assert "authorization" not in asked.headers
    assert asked.json == {
        "model": "m",
        "max_tokens": 64 + 8192,
        "system": "Be brief.",
        "messages": [{"role": "user", "content": "Why?"}],
        "stream": True,
    }


@pytest.mark.parametrize(
    ("turns", "system", "messages"),
    [
        ([("user", "a")], None, [("user", "a")]),
        (
            [("system", "s"), ("user", "a"), ("system", "t"), ("user", "b")],
            "s\n\nt",
            [("user", "a\n\nb")],
        ),
        (
            [("user", "a"), ("assistant", ""), ("user", "b"), ("assistant", "c"), ("user", "d")],
            None,
            [("user", "a\n\nb"), ("assistant", "c"), ("user", "d")],
        ),
        (
            [("assistant", "c"), ("user", "d")],
            None,
            [("user", "(What came before is left out.)"), ("assistant", "c"), ("user", "d")],
        ),
        ([("system", " ")], None, []),
    ],
)
def test_the_conversation_takes_its_form(
    turns: list[tuple[str, str]], system: str | None, messages: list[tuple[str, str]]
) -> None:
    """The system apart, the user first, turns that alternate, and nothing empty."""
    body = messages_json(said(*turns), SPEC)
    assert body.get("system") == system
    assert [(it["role"], it["content"]) for it in body["messages"]] == messages


def test_no_sampling_is_sent() -> None:
    """Today's models refuse a temperature; stop words they take, except blank ones."""
    sampling = Sampling(max_tokens=5, temperature=0.7, top_k=3, seed=1, logprobs=True, stop=("END", "\n"))
    body = messages_json(said(("user", "a"), sampling=sampling), SPEC)
    assert body.keys() == {"model", "max_tokens", "messages", "stream", "stop_sequences"}
    assert (body["model"], body["stop_sequences"]) == ("claude-x", ["END"])


@pytest.mark.parametrize(
    ("reason", "finish"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("pause_turn", "stop"),
        ("a new one", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
    ],
)
async def test_why_it_ended(reason: str, finish: str) -> None:
    """Reasons that we do not know are an end like any other."""
    async with serving(shapes.message(shapes.block(0, "a"), stop=reason)) as server:
        assert (await pieces(client("anthropic", server.url)))[-1].finish == finish


async def test_a_stream_may_end_with_its_reason() -> None:
    """Servers that only speak the dialect leave the last event out, and the counts."""
    last = event({"type": "message_delta", "delta": {"stop_reason": "end_turn"}})
    delta = event({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "a"}})
    async with serving(stream(delta, last)) as server:
        assert await pieces(client("anthropic", server.url)) == [
            Piece(text="a"),
            Piece(text="", finish="stop"),
        ]


async def test_a_model_that_only_thinks() -> None:
    """Its limit is used up before the first word."""
    async with serving(shapes.message(shapes.thought(0), stop="max_tokens")) as server:
        with pytest.raises(Broken, match="thought until its limit of tokens, and said nothing"):
            await pieces(client("anthropic", server.url))


async def test_closing_the_answer_hangs_up() -> None:
    """That is the cancel message."""
    async with serving(begins(shapes.start(), shapes.block(0, "Be"))) as server:
        it = client("anthropic", server.url)
        answer = it.chat(said(("user", "a")))
        assert await anext(answer) == Piece(text="Be")
        await answer.aclose()
        await server.hung_up.wait()
        await it.close()


async def test_the_connection_is_kept() -> None:
    """The end is known by its event, and what follows it is read."""
    async with serving(shapes.ANTHROPIC, shapes.ANTHROPIC) as server:
        it = client("anthropic", server.url)
        for _ in range(2):
            assert [piece async for piece in it.chat(said(("user", "a")))]
        await it.close()
        assert server.connections == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"type": "message_start"},
        {"type": "content_block_start", "content_block": {"text": "a"}},
        {"type": "content_block_delta", "delta": {"type": "text_delta", "text": 7}},
        {"type": "content_block_delta", "delta": [1]},
        {"type": "message_delta", "delta": {"stop_reason": ["x"]}},
    ],
)
def test_what_makes_no_sense_is_said_so(wrong: dict[str, object]) -> None:
    """Broken input is no traceback."""
    with pytest.raises(Nonsense):
        AnswerReader().read(wrong)


@pytest.mark.parametrize("event", [{}, {"type": "ping"}, {"type": "new", "delta": 3}, {"type": ["x"]}])
def test_unknown_events_are_passed_over(event: dict[str, object]) -> None:
    """The dialect grows; what is new says nothing to us."""
    assert AnswerReader().read(event) is None
