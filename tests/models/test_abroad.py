"""Servers that are not ours, each in the shape that it sends: what is asked, and what is made of it."""

from __future__ import annotations

from typing import Any

import pytest

from models.errors import Broken, Refused
from models.wire import ChatMessage, ChatRequest, Piece, Sampling, Usage
from tests.models.loopback import shapes
from tests.models.loopback.asking import ASKED, KEY, VARIABLE, Pauses, client, pieces, text
from tests.models.loopback.server import END, STREAM, begins, chunk, event, plain, serving, stream


@pytest.fixture(autouse=True)
def a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, KEY)


@pytest.mark.parametrize(
    ("provider", "answer", "cached"),
    [
        ("openai", shapes.OPENAI, 4),
        ("ollama", shapes.OLLAMA, 0),
        ("llama-server", shapes.LLAMA_SERVER, 0),
        ("vllm", shapes.VLLM, 0),
        ("lm-studio", shapes.LM_STUDIO, 0),
        ("zhipu", shapes.ZHIPU, 3),
        ("compatible", shapes.WHOLE, 0),
    ],
)
async def test_each_server_is_understood(provider: str, answer: bytes, cached: int) -> None:
    """One dialect, seven accents: the text, why it ended, and what it cost."""
    async with serving(answer) as server:
        got = await pieces(client(provider, server.url))
    assert "".join(it.text for it in got) == "Because."
    assert [it.finish for it in got if it.finish] == ["stop"]
    assert got[-1].usage == Usage(prompt_tokens=9, cached_tokens=cached, completion_tokens=2)


@pytest.mark.parametrize("answer", [shapes.OLLAMA_WITHOUT_USAGE, shapes.OPENROUTER])
async def test_an_answer_without_usage_is_whole(answer: bytes) -> None:
    """Not everybody counts; comments between the events say only that somebody is there."""
    async with serving(answer) as server:
        assert await pieces(client("compatible", server.url)) == [
            Piece(text="Because."),
            Piece(text="", finish="stop"),
        ]


async def test_what_is_asked_has_nothing_of_ours() -> None:
    """No key of our own, no ``top_k``; usage is asked for; the model is the one of the description."""
    request = ChatRequest(
        model="",
        messages=ASKED.messages,
        sampling=Sampling(max_tokens=5, temperature=0.5, top_p=0.9, stop=("\n",), seed=3),
    )
    async with serving(shapes.OLLAMA) as server:
        await pieces(client("ollama", server.url, model="qwen"), request)
        asked = server.requests[0]
    assert asked.line == "POST /v1/chat/completions"
    assert asked.json == {
        "model": "qwen",
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Why?"}],
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_tokens": 5,
        "temperature": 0.5,
        "top_p": 0.9,
        "stop": ["\n"],
        "seed": 3,
    }
    assert asked.headers["authorization"] == f"Bearer {KEY}"
    assert asked.headers["user-agent"].startswith("hearth/")


async def test_openai_has_its_own_name_for_the_limit_and_room_for_thinking() -> None:
    """Models that think choose their own temperature, and what they think counts like the answer."""
    async with serving(shapes.OPENAI, shapes.OPENAI) as server:
        await pieces(client("openai", f"{server.url}/v1", model="gpt-4.1"))
        await pieces(client("openai", f"{server.url}/v1", model="gpt-5.2"))
        plain_model, thinking = (it.json for it in server.requests)
        assert server.requests[0].line == "POST /v1/chat/completions"
    assert (plain_model["max_completion_tokens"], plain_model["temperature"]) == (64, 0.0)
    assert thinking["max_completion_tokens"] == 64 + 8192
    assert not {"temperature", "top_p", "max_tokens"} & thinking.keys()


async def test_what_a_model_refuses_is_left_out_from_then_on() -> None:
    """New models drop parameters; the user should not have to know which."""
    refusals = [
        shapes.openai_error(
            "Unsupported parameter: 'max_tokens' is not supported with this model. "
            "Use 'max_completion_tokens' instead.",
            code="unsupported_parameter",
            param="max_tokens",
        ),
        shapes.openai_error("`temperature` is deprecated for this model."),
        {"detail": "Unknown field 'stream_options'"},
    ]
    answers = [plain(400, it) for it in refusals] + [shapes.OLLAMA, shapes.OLLAMA]
    async with serving(*answers) as server:
        it = client("compatible", server.url)
        assert "".join([piece.text async for piece in it.chat(ASKED)]) == "Because."
        assert await text(it) == "Because."
        bodies = [it.json for it in server.requests]
    assert len(bodies) == 5, "the second question knows what the first one learned"
    assert bodies[-1].keys() == {"model", "messages", "stream", "max_completion_tokens"}


async def test_what_cannot_be_left_out_is_a_refusal() -> None:
    """Without its stop words the answer would be another one; and nothing is refused for ever."""
    request = ChatRequest(model="m", messages=ASKED.messages, sampling=Sampling(stop=("x",)))
    no_stop = plain(400, shapes.openai_error("Unsupported parameter: 'stop'.", param="stop"))
    no_limit = plain(400, shapes.openai_error("Unknown parameter.", param="max_tokens"))
    no_other = plain(400, shapes.openai_error("Unexpected limit.", param="max_completion_tokens"))
    wrong = plain(400, shapes.openai_error("'temperature' must be at most 1.", param="temperature"))
    async with serving(no_stop, no_limit, no_other, no_other, wrong) as server:
        with pytest.raises(
            Refused, match=r"^Compatible refused the request with 400 \(Unsupported parameter"
        ):
            await pieces(client("compatible", server.url), request)
        with pytest.raises(Refused, match="Unexpected limit"):
            await pieces(client("compatible", server.url), request)
        with pytest.raises(Refused, match="must be at most 1"):
            await pieces(client("compatible", server.url), request)


async def test_turns_alternate_and_nothing_is_empty() -> None:
    """A stopped answer leaves an empty turn behind, which some templates refuse; the order stays."""
    says = [
        ("system", "s"),
        ("user", "a"),
        ("assistant", " \n"),
        ("user", "b"),
        ("assistant", "c"),
        ("user", "d"),
    ]
    request = ChatRequest(model="m", messages=tuple(ChatMessage(role=r, content=c) for r, c in says))
    async with serving(shapes.OLLAMA) as server:
        await pieces(client("ollama", server.url), request)
        sent = server.requests[0].json["messages"]
    assert [(it["role"], it["content"]) for it in sent] == [
        ("system", "s"), ("user", "a\n\nb"), ("assistant", "c"), ("user", "d"),
    ]  # fmt: skip


@pytest.mark.parametrize("provider", ["compatible", "anthropic"])
async def test_an_empty_conversation_is_not_sent(provider: str) -> None:
    """There is nothing to answer, and that costs nothing."""
    request = ChatRequest(model="m", messages=(ChatMessage(role="user", content=" "),))
    async with serving() as server:
        with pytest.raises(Refused, match="nothing to answer"):
            await pieces(client(provider, server.url), request)
        assert server.connections == 0


@pytest.mark.parametrize(("provider", "answer"), [("openai", shapes.OPENAI), ("anthropic", shapes.ANTHROPIC)])
async def test_the_very_bytes_are_shown_before_they_are_sent(provider: str, answer: bytes) -> None:
    """What the user can read later is what went out, each time that it went out; the key is not in it."""
    shown: list[tuple[str, bytes]] = []
    pauses = Pauses()
    async with serving(plain(503, b""), answer) as server:
        it = client(provider, server.url, patience=pauses.patience)

        def before(url: str, body: bytes) -> None:
            assert len(server.requests) == len(shown), "nothing has gone out before"
            shown.append((url, body))

        assert [piece async for piece in it.chat(ASKED, before)]
        await it.close()
        assert [(ask.line.removeprefix("POST "), ask.body) for ask in server.requests] == [
            (url.removeprefix(server.url), body) for url, body in shown
        ]
    assert len(shown) == 2
    assert KEY not in repr(shown)


@pytest.mark.parametrize("provider", ["openai", "anthropic"])
async def test_what_cannot_be_shown_is_not_sent(provider: str) -> None:
    """The caller hears why in its own words."""

    def before(_url: str, _body: bytes) -> None:
        raise LookupError("no room")

    async with serving(shapes.OPENAI) as server:
        it = client(provider, server.url)
        with pytest.raises(LookupError, match="no room"):
            await anext(it.chat(ASKED, before))
        await it.close()
        assert server.connections == 0


async def test_a_refusal_in_words_is_the_answer() -> None:
    """Some models say no in a field of its own."""
    answer = stream(event(shapes.delta(refusal="I cannot.")), event(shapes.delta(finish="stop")), shapes.DONE)
    async with serving(answer) as server:
        assert await text(client("openai", server.url)) == "I cannot."


async def test_content_in_parts_is_its_text() -> None:
    """Some put what was thought and what is said into one list."""
    parts = [{"type": "thinking", "thinking": []}, {"type": "text", "text": "Because."}]
    async with serving(stream(event(shapes.delta(parts)), event(shapes.delta(finish="stop")))) as server:
        assert await text(client("compatible", server.url)) == "Because."


@pytest.mark.parametrize(
    ("finish", "sentence"),
    [
        ("content_filter", "Zhipu did not finish its answer: its content filter objects."),
        ("sensitive", "Zhipu did not finish its answer: its content filter objects."),
        ("network_error", "Zhipu failed with 502."),
        ("abort", "Zhipu failed with 500."),
    ],
)
async def test_half_an_answer_says_why(finish: str, sentence: str) -> None:
    """What was said stays; what is missing is told."""
    async with serving(stream(event(shapes.delta("Be")), event(shapes.delta("", finish)))) as server:
        it = client("zhipu", server.url)
        answer = it.chat(ASKED)
        assert await anext(answer) == Piece(text="Be")
        with pytest.raises((Refused, Broken)) as caught:
            await anext(answer)
        await it.close()
    assert str(caught.value) == sentence


async def test_a_model_that_only_thinks_is_told_apart_from_silence() -> None:
    """Its limit of tokens is used up before the first word."""
    answer = stream(
        event(shapes.delta(reasoning_content="Hm.")), event(shapes.delta("", "length")), shapes.DONE
    )
    async with serving(answer) as server:
        with pytest.raises(Broken, match="thought until its limit of tokens"):
            await pieces(client("compatible", server.url))


@pytest.mark.parametrize(
    ("ending", "sentence"),
    [
        (
            '{"error":{"message":"model runner has unexpectedly stopped","type":"api_error"}}\n',
            "unexpectedly",
        ),
        ('{"error":"an error was encountered while running the model"}\n', "while running the model"),
        ('{"error":"an error was encountered while running the model"}', "while running the model"),
        ('data: {"error":{"code":500,"message":"out of memory","type":"server_error"}}\n\n', "out of memory"),
        ('error: {"code":500,"message":"out of memory","type":"server_error"}\n\n', "out of memory"),
        ('event: error\ndata: {"error":{"message":"unloaded"}}\n\n', "unloaded"),
        ('data: {"object":"error","message":"engine is dead","code":500}\n\n', "engine is dead"),
    ],
)
async def test_an_error_in_the_middle_has_many_forms(ending: str, sentence: str) -> None:
    """Ollama's plain JSON in a stream of events, llama-server's own field, a string or an object."""
    answer = STREAM + chunk(event(shapes.delta("Be"))) + chunk(ending.encode()) + END
    async with serving(answer) as server:
        with pytest.raises(Broken, match=rf"^Ollama failed with 500 \(.*{sentence}.*\)\.$"):
            await pieces(client("ollama", server.url))


async def test_an_error_with_a_good_status_is_one() -> None:
    """LM Studio answers so for an address that it does not know."""
    body = {"error": "Unexpected endpoint or method. (POST /chat/completions)"}
    async with serving(plain(200, body)) as server:
        with pytest.raises(Broken, match="Unexpected endpoint"):
            await pieces(client("lm-studio", server.url))


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("", "/v1/chat/completions"),
        ("/", "/v1/chat/completions"),
        ("/v1", "/v1/chat/completions"),
        ("/v1/", "/v1/chat/completions"),
        ("/v1/chat/completions", "/v1/chat/completions"),
        ("/api/paas/v4", "/api/paas/v4/chat/completions"),
    ],
)
async def test_addresses_are_taken_as_people_write_them(path: str, asked: str) -> None:
    """With the version or without, and with one of its own."""
    async with serving(shapes.ZHIPU) as server:
        await pieces(client("compatible", server.url + path))
        assert server.requests[0].line == f"POST {asked}"


@pytest.mark.parametrize(
    ("provider", "body", "path", "names"),
    [
        ("ollama", {"object": "list", "data": [{"id": "b"}, {"id": "a"}]}, "/v1/models", ("b", "a")),
        ("vllm", {"data": [{"id": "a", "max_model_len": 9}, {"id": "a"}]}, "/v1/models", ("a",)),
        ("ollama", {"object": "list", "data": None}, "/v1/models", ()),
        (
            "anthropic",
            {"data": [{"id": "c", "type": "model"}], "has_more": False},
            "/v1/models?limit=1000",
            ("c",),
        ),
    ],
)
async def test_models_are_listed(provider: str, body: Any, path: str, names: tuple[str, ...]) -> None:
    """For choosing one."""
    async with serving(plain(200, body)) as server:
        it = client(provider, server.url)
        assert await it.models() == names
        await it.close()
        assert server.requests[0].line == f"GET {path}"


@pytest.mark.parametrize("body", [b"[", {"data": [1]}, {"data": [{"name": "a"}]}, {"data": 3}])
async def test_a_list_of_models_that_is_none(body: Any) -> None:
    """A web page, or another program at that port."""
    async with serving(plain(200, body)) as server:
        it = client("ollama", server.url)
        with pytest.raises(Broken, match="makes no sense"):
            await it.models()
        await it.close()


async def test_a_connection_is_used_again() -> None:
    """The second question does not pay for another handshake."""
    async with serving(shapes.OPENAI, shapes.VLLM, plain(200, {"data": []})) as server:
        it = client("compatible", server.url)
        assert [piece async for piece in it.chat(ASKED)]
        assert [piece async for piece in it.chat(ASKED)]
        await it.models()
        await it.close()
        assert server.connections == 1


async def test_closing_the_answer_hangs_up() -> None:
    """Whoever presses stop pays for no further token."""
    async with serving(begins(event(shapes.delta("Be")))) as server:
        it = client("openai", server.url)
        answer = it.chat(ASKED)
        assert await anext(answer) == Piece(text="Be")
        await answer.aclose()
        await server.hung_up.wait()
        await it.close()
