"""Tools over both dialects: how they are told, and calls put together from the pieces that servers send."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from models.answers import ChatReader, Nonsense
from models.anthropic import messages_json
from models.engine import dialect
from models.errors import Broken, NoTools, Refused
from models.providers import backend_spec
from models.wire import (
    ChatMessage,
    ChatRequest,
    Piece,
    Sampling,
    ToolCall,
    ToolSpec,
    chat_json,
    foreign_chat_json,
    taking_turns,
)
from tests.models.loopback import shapes
from tests.models.loopback.asking import KEY, VARIABLE, Pauses, client, pieces
from tests.models.loopback.server import event, plain, serving, stream

SCHEMA = {"type": "object", "properties": {"query": {"type": "string"}}, "required": ["query"]}
SEARCH = ToolSpec(name="search", description="Find code.", schema=SCHEMA)
NOW = ToolSpec(name="now", description="The time.")
CALL = ToolCall(id="call_a", name="search", arguments={"query": "é"})
TALK = (
    ChatMessage(role="system", content="s"),
    ChatMessage(role="user", content="Where?"),
    ChatMessage(role="assistant", content="", calls=(CALL, ToolCall(id="call_b", name="now"))),
    ChatMessage(role="tool", content="a.py:1", call_id="call_a"),
    ChatMessage(role="tool", content="", call_id="call_b"),
    ChatMessage(role="user", content="Go on."),
)
ASKED = ChatRequest(model="", messages=TALK, sampling=Sampling(max_tokens=9), tools=(SEARCH, NOW))
PLAIN = ChatRequest(model="", messages=TALK[:2], sampling=Sampling(max_tokens=9), tools=(SEARCH,))


@pytest.fixture(autouse=True)
def a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, KEY)


def part(index: int | None, identity: str = "", name: str = "", arguments: Any = None) -> dict[str, Any]:
    """One item of ``tool_calls``, with what servers leave out left out."""
    function = ({"name": name} if name else {}) | ({} if arguments is None else {"arguments": arguments})
    head: dict[str, Any] = ({} if index is None else {"index": index}) | (
        {"id": identity} if identity else {}
    )
    return head | {"function": function}


def called(*steps: list[dict[str, Any]], finish: str = "tool_calls") -> bytes:
    """An answer that calls, in so many chunks."""
    return stream(
        *(event(shapes.delta(tool_calls=it)) for it in steps), event(shapes.delta(finish=finish)), shapes.DONE
    )


ONE = ToolCall(id="a", name="search", arguments={"query": "x"})
TWO = ToolCall(id="b", name="now")


@pytest.mark.parametrize(
    ("answer", "calls"),
    [
        (
            called(
                [part(0, "a", "search", "")], [part(0, arguments='{"que')], [part(0, arguments='ry": "x"}')]
            ),
            (ONE,),
        ),
        (called([part(0, "a", "search", '{"query": "x"}'), part(1, "b", "now", "{}")]), (ONE, TWO)),
        (
            called(
                [part(0, "a", "search", '{"query"')],
                [part(1, "b", "now", "")],
                [part(0, arguments=': "x"}'), part(1, arguments="{}")],
            ),
            (ONE, TWO),
        ),
        (called([part(None, "a", "search", '{"query": "x"}'), part(None, "b", "now")]), (ONE, TWO)),
        (called([part(0, "a", "search", '{"query": "x"}')], [part(0, "b", "now", "{}")]), (ONE, TWO)),
        (called([part(0, "a", "search", {"query": "x"})], finish="stop"), (ONE,)),
        (called([part(0, "", "search", '{"query": "x"}')]), (replace(ONE, id="call_0"),)),
        (
            called([part(0, "a", "search", '{"query": "x"}'), part(1, "a", "now", "")]),
            (ONE, replace(TWO, id="call_1")),
        ),
        (
            called([part(0, "a", "search", '{"query": ')]),
            (ToolCall(id="a", name="search", raw='{"query": '),),
        ),
        (called([part(0, "a", "search", '["x"]')]), (ToolCall(id="a", name="search", raw='["x"]'),)),
        (called([part(0, "a", "", "{}")]), (ToolCall(id="a", name=""),)),
    ],
)
async def test_calls_of_the_openai_dialect(answer: bytes, calls: tuple[ToolCall, ...]) -> None:
    """In parts, several at once, mixed, without an index or an id, and such as are no JSON."""
    async with serving(answer) as server:
        said = await pieces(client("compatible", server.url), PLAIN)
        sent = server.requests[0].json
    assert [(it.text, it.finish, it.calls) for it in said] == [("", "stop", calls)]
    assert sent["tools"] == [
        {
            "type": "function",
            "function": {"name": "search", "description": "Find code.", "parameters": SCHEMA},
        }
    ]


async def test_a_whole_answer_has_calls_too() -> None:
    """Some servers do not stream when there are tools."""
    message = {
        "role": "assistant",
        "content": None,
        "tool_calls": [part(None, "a", "search", '{"query": "x"}')],
    }
    body = {
        "choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}],
        "usage": shapes.used(),
    }
    async with serving(plain(200, body)) as server:
        assert (await pieces(client("compatible", server.url), PLAIN))[-1].calls == (ONE,)


@pytest.mark.parametrize(
    "step",
    [
        [1],
        [{"index": 0, "function": 3}],
        [part(0, "a", "search", 3)],
        [part(it, "a", "search", "{}") for it in range(40)],
        [part(0, "a", "search", "x" * 1_000_001)],
        "search",
    ],
)
async def test_calls_that_make_no_sense(step: Any) -> None:
    """One sentence, however wrong they are."""
    async with serving(called(step)) as server:
        with pytest.raises(Broken, match="makes no sense"):
            await pieces(client("compatible", server.url), PLAIN)


def test_calls_are_told_with_the_end() -> None:
    """What comes before may still change."""
    reader = ChatReader()
    assert reader.read(shapes.delta(tool_calls=[part(0, "a", "now", "{}")])).calls == ()
    assert reader.read(shapes.delta("Hm.")) == Piece(text="Hm.")
    with pytest.raises(Nonsense):
        reader.read({"choices": 3})
    assert reader.read(shapes.delta(finish="tool_calls")).calls == (ToolCall(id="a", name="now"),)


def test_a_conversation_with_calls_in_everybodys_form() -> None:
    """Arguments are a text there; what was no JSON object is not sent back, and turns stay apart."""
    broken = replace(TALK[2], calls=(ToolCall(id="call_a", name="search", raw="{oh"),))
    for body in (
        chat_json(ASKED, stream=True),
        foreign_chat_json(ASKED, backend_spec("openai", "m"), frozenset()),
    ):
        assert body["messages"][2:5] == [
            {
                "role": "assistant",
                "content": "",
                "tool_calls": [
                    {
                        "id": "call_a",
                        "type": "function",
                        "function": {"name": "search", "arguments": '{"query": "é"}'},
                    },
                    {"id": "call_b", "type": "function", "function": {"name": "now", "arguments": "{}"}},
                ],
            },
            {"role": "tool", "content": "a.py:1", "tool_call_id": "call_a"},
            {"role": "tool", "content": "", "tool_call_id": "call_b"},
        ]
        assert [it["function"]["name"] for it in body["tools"]] == ["search", "now"]
        assert body["tools"][1]["function"]["parameters"] == {"type": "object", "properties": {}}
    again = chat_json(replace(ASKED, messages=(broken,)), stream=True)["messages"][0]
    assert again["tool_calls"][0]["function"]["arguments"] == "{}"
    assert taking_turns(TALK) == list(TALK)


def test_a_conversation_with_calls_in_anthropics_form() -> None:
    """What tools answered is one turn of the user's, together with what they say next."""
    body = messages_json(ASKED, backend_spec("anthropic", "c"))
    assert body["tools"] == [
        {"name": "search", "description": "Find code.", "input_schema": SCHEMA},
        {"name": "now", "description": "The time.", "input_schema": {"type": "object", "properties": {}}},
    ]
    assert body["messages"] == [
        {"role": "user", "content": "Where?"},
        {
            "role": "assistant",
            "content": [
                {"type": "tool_use", "id": "call_a", "name": "search", "input": {"query": "é"}},
                {"type": "tool_use", "id": "call_b", "name": "now", "input": {}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "call_a", "content": "a.py:1"},
                {"type": "tool_result", "tool_use_id": "call_b", "content": ""},
                {"type": "text", "text": "Go on."},
            ],
        },
    ]


def use(index: int, identity: str, name: str, *parts: str) -> bytes:
    """A block that calls, its arguments in parts."""
    block = {"type": "tool_use", "id": identity, "name": name, "input": {}}
    begin = {"type": "content_block_start", "index": index, "content_block": block}
    deltas = [
        {
            "type": "content_block_delta",
            "index": index,
            "delta": {"type": "input_json_delta", "partial_json": it},
        }
        for it in parts
    ]
    return b"".join(event(it) for it in [begin, *deltas, {"type": "content_block_stop", "index": index}])


@pytest.mark.parametrize(
    ("blocks", "calls"),
    [
        ((use(1, "a", "search", "", '{"query"', ': "x"}'),), (ONE,)),
        ((use(1, "a", "search", '{"query": "x"}'), use(2, "b", "now")), (ONE, TWO)),
        ((use(1, "a", "search", '{"query"'),), (ToolCall(id="a", name="search", raw='{"query"'),)),
    ],
)
async def test_calls_of_anthropics_dialect(blocks: tuple[bytes, ...], calls: tuple[ToolCall, ...]) -> None:
    """Their arguments come in parts; text before them is told as it comes."""
    answer = shapes.message(shapes.block(0, "I look."), *blocks, stop="tool_use")
    async with serving(answer) as server:
        said = await pieces(client("anthropic", server.url), PLAIN)
    assert (said[0].text, said[-1].finish, said[-1].calls) == ("I look.", "stop", calls)


async def test_arguments_without_a_call() -> None:
    """An event that belongs to nothing makes no sense."""
    delta = {"type": "input_json_delta", "partial_json": "{}"}
    stray = event({"type": "content_block_delta", "index": 7, "delta": delta})
    async with serving(shapes.message(stray)) as server:
        with pytest.raises(Broken, match="makes no sense"):
            await pieces(client("anthropic", server.url), PLAIN)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, {"message": "registry.example/library/m:latest does not support tools", "type": "api_error"}),
        (500, {"code": 500, "message": "tools param requires --jinja flag", "type": "server_error"}),
        (400, {"message": '"auto" tool choice requires --enable-auto-tool-choice to be set', "code": 400}),
        (
            400,
            {"message": "Unsupported parameter: 'tools'", "param": "tools", "code": "unsupported_parameter"},
        ),
    ],
)
async def test_a_server_without_tools_is_told_from_one_that_fails(status: int, error: dict[str, Any]) -> None:
    """Whoever asked may ask again without them; it is not tried again as it is."""
    pauses = Pauses()
    async with serving(*[plain(status, {"error": error})] * 4) as server:
        with pytest.raises(NoTools):
            await pieces(client("compatible", server.url, patience=pauses.patience), PLAIN)
        assert len(server.requests) == 1


async def test_a_refusal_that_is_not_about_tools() -> None:
    """Without tools in the question, or without the word, it is what it was."""
    error = plain(400, {"error": {"message": "does not support tools"}})
    other = plain(400, {"error": {"message": "no thanks"}})
    for answer, request in ((error, replace(PLAIN, tools=())), (other, PLAIN)):
        async with serving(answer) as server:
            with pytest.raises(Refused) as refused:
                await pieces(client("compatible", server.url), request)
            assert type(refused.value) is Refused


def test_what_a_call_is_made_of_survives_json() -> None:
    """The engine's chunk and its reader agree; also on arguments that are no JSON."""
    calls = (CALL, ToolCall(id="b", name="now", raw="{oh"))
    piece = Piece(text="t", finish="stop", calls=calls)
    frame = {"id": "1", "created": 1, "model": "m"}
    chunk = json.loads(json.dumps(dialect.chat_chunk(piece, frame, logprobs=False)))
    assert chunk["choices"][0]["finish_reason"] == "tool_calls"
    assert ChatReader().read(chunk) == piece
    whole = json.loads(json.dumps(dialect.chat_whole([piece], None, frame, logprobs=False)))
    assert ChatReader().read(whole) == piece
    assert dialect.chat_request(chat_json(replace(ASKED, model="m"), stream=True), "m") == replace(
        ASKED,
        model="m",
        tools=(SEARCH, replace(NOW, schema={"type": "object", "properties": {}})),
    )
