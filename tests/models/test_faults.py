"""Everything that a model server can do wrong, over real sockets: a sentence of the right kind, no key."""

from __future__ import annotations

import asyncio

import pytest

from models.errors import (
    BackendError,
    Broken,
    NoKey,
    NoModel,
    Overloaded,
    Refused,
    TooLong,
    Unreachable,
)
from tests.models.loopback import shapes
from tests.models.loopback.asking import KEY, SHORT, VARIABLE, Pauses, client, pieces
from tests.models.loopback.server import (
    STREAM,
    Answer,
    begins,
    chunk,
    event,
    plain,
    serving,
    silence,
    stream,
)

oops, claude = shapes.openai_error, shapes.anthropic_error
DELTA = event(shapes.delta("Be"))
LATER = plain(429, oops("Slow down.", "rate_limit_error"))


@pytest.fixture(autouse=True)
def a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, KEY)


@pytest.mark.parametrize(
    ("provider", "answer", "error", "sentence"),
    [
        # The key.
        (
            "openai",
            plain(
                401, oops("Incorrect API key provided: sk-test-*****F6gH. Find it.", code="invalid_api_key")
            ),
            NoKey,
            f"Openai does not accept the key from {VARIABLE} (Incorrect API key provided: [key] Find it).",
        ),
        (
            "anthropic",
            plain(401, claude("authentication_error", "invalid x-api-key")),
            NoKey,
            f"Anthropic does not accept the key from {VARIABLE} (invalid x-api-key).",
        ),
        (
            "llama-server",
            plain(401, oops("Invalid API Key", "authentication_error", 401)),
            NoKey,
            f"Llama-server does not accept the key from {VARIABLE} (Invalid API Key).",
        ),
        ("vllm", plain(401, {"error": "Unauthorized"}), NoKey, f"from {VARIABLE} (Unauthorized)."),
        (
            "openai",
            plain(403, oops("Country not supported.")),
            NoKey,
            "with your key (Country not supported).",
        ),
        # The model.
        (
            "ollama",
            plain(404, oops('model "m" not found, try pulling it first', "api_error")),
            NoModel,
            "Ollama has no model called 'm' (model \"m\" not found, try pulling it first).",
        ),
        (
            "ollama",
            plain(404, {"error": "model 'm' not found"}),
            NoModel,
            "no model called 'm' (model 'm' not found).",
        ),
        (
            "vllm",
            plain(404, {"object": "error", "message": "The model `m` does not exist."}),
            NoModel,
            "exist).",
        ),
        ("anthropic", plain(404, claude("not_found_error", "model: m")), NoModel, "called 'm' (model: m)."),
        ("zhipu", plain(400, {"error": {"code": "1211", "message": "模型不存在"}}), NoModel, "(模型不存在)."),
        ("compatible", plain(404, b"<html>404</html>"), NoModel, "Compatible does not chat at this address."),
        # The length.
        (
            "openai",
            plain(
                400,
                oops("This model's maximum context length is 8192.", code="context_length_exceeded"),
            ),
            TooLong,
            "Openai finds the conversation too long for m (This model's maximum context length is 8192).",
        ),
        (
            "vllm",
            plain(
                400, oops("However, the model's context length is only 1024 tokens.", "BadRequestError", 400)
            ),
            TooLong,
            "1024 tokens).",
        ),
        (
            "llama-server",
            plain(400, oops("the request exceeds the context", "exceed_context_size_error", 400)),
            TooLong,
            "exceeds the context).",
        ),
        (
            "anthropic",
            plain(400, claude("invalid_request_error", "prompt is too long: 210000 tokens > 200000 maximum")),
            TooLong,
            "200000 maximum).",
        ),
        ("anthropic", plain(413, claude("request_too_large", "Too big.")), TooLong, "(Too big)."),
        ("compatible", plain(413, b"<html>"), TooLong, "finds the conversation too long for m."),
        (
            "zhipu",
            plain(400, {"error": {"code": "1261", "message": "Prompt 超长"}}),
            TooLong,
            "(Prompt 超长).",
        ),
        # Money does not come back within seconds.
        (
            "openai",
            plain(429, oops("You exceeded your quota.", "insufficient_quota", "insufficient_quota")),
            Refused,
            "Openai says that your account has no credit left (You exceeded your quota).",
        ),
        (
            "zhipu",
            plain(429, {"error": {"code": "1113", "message": "欠费"}}),
            Refused,
            "no credit left (欠费).",
        ),
        (
            "anthropic",
            plain(
                429,
                {
                    "type": "error",
                    "error": {
                        "type": "rate_limit_error",
                        "message": "Spend limit.",
                        "details": {"error_code": "enforced_spend_limit_reached"},
                    },
                },
            ),
            Refused,
            "no credit left (Spend limit).",
        ),
        ("anthropic", plain(402, claude("billing_error", "Pay.")), Refused, "no credit left (Pay)."),
        # Later, perhaps.
        ("openai", LATER, Overloaded, "Openai does not want to be asked so often (Slow down)."),
        (
            "anthropic",
            plain(529, claude("overloaded_error", "Overloaded")),
            Overloaded,
            "no room right now (Overloaded).",
        ),
        (
            "llama-server",
            plain(503, oops("Loading model", "unavailable_error", 503)),
            Overloaded,
            "(Loading model).",
        ),
        # It failed.
        (
            "openai",
            plain(500, oops("The server had an error.")),
            Broken,
            "Openai failed with 500 (The server had an error).",
        ),
        ("compatible", plain(502, b"<html>Bad Gateway</html>"), Broken, "Compatible failed with 502."),
        ("compatible", plain(500, b'{"error": {"mess'), Broken, "Compatible failed with 500."),
        ("compatible", plain(500, b"[" * 100_000), Broken, "Compatible failed with 500."),
        (
            "compatible",
            plain(422, {"detail": [{"loc": ["a"], "msg": "Field required"}]}),
            Refused,
            "(Field required).",
        ),
        ("compatible", plain(400, {"error": {"message": "x" * 5000}}), Refused, f"({'x' * 199}…)."),
        # Streams that break.
        ("openai", stream(DELTA, ends=False), Unreachable, "The connection to openai broke."),
        ("openai", stream(DELTA), Broken, "Openai stopped in the middle of its answer."),
        ("openai", stream(DELTA, shapes.DONE), Broken, "Openai stopped in the middle of its answer."),
        ("openai", stream(DELTA, b'data: {"choices": [{"del'), Broken, "makes no sense: half an event."),
        ("openai", stream(b'data: {"choices": [\n\n'), Broken, "makes no sense: not JSON."),
        ("openai", stream(b"data: " + b"[" * 100_000 + b"\n\n"), Broken, "makes no sense: not JSON."),
        ("openai", stream(b"<html>\n\n"), Broken, "makes no sense: a line is no server-sent event."),
        ("openai", b"", Unreachable, "The connection to openai broke."),
        ("openai", b"HTTP/1.1 200 OK\r\ncontent-", Unreachable, "The connection to openai broke."),
        ("openai", b"SSH-2.0-OpenSSH\r\n", Unreachable, "The connection to openai broke."),
        (
            "openai",
            plain(200, b"<html>Sign in</html>", content_type="text/html"),
            Broken,
            "not a stream of events.",
        ),
        ("openai", plain(200, b'{"choices": 3}'), Broken, "not a stream of events."),
        ("anthropic", stream(shapes.start(), shapes.block(0, "Be")), Broken, "in the middle of its answer."),
        ("anthropic", stream(shapes.start(), ends=False), Unreachable, "The connection to anthropic broke."),
        (
            "anthropic",
            stream(shapes.start(), event(claude("overloaded_error", "Overloaded"), "error")),
            Overloaded,
            "Anthropic has no room right now (Overloaded).",
        ),
        (
            "anthropic",
            stream(event({"type": "content_block_delta"})),
            Broken,
            "a value is of the wrong type.",
        ),
        ("anthropic", stream(event({"type": "message_start", "message": 1})), Broken, "of the wrong type."),
        (
            "anthropic",
            stream(shapes.start(), *shapes.end("refusal")),
            Refused,
            "Anthropic did not finish its answer: its content filter objects.",
        ),
        # A redirect may lead to another host, and the key must not.
        (
            "openai",
            plain(307, b"", location="https://elsewhere.example/v1/chat/completions"),
            Refused,
            "Openai points to another address, which is not followed.",
        ),
    ],
)
async def test_every_fault_is_one_sentence_of_its_kind(
    provider: str, answer: bytes, error: type[BackendError], sentence: str
) -> None:
    """The kind is for who decides what to do next, the sentence for the user, the cause for the log."""
    async with serving(answer, closes=True) as server:
        with pytest.raises(BackendError) as caught:
            await pieces(client(provider, server.url))
        assert len(server.requests) == 1
    assert type(caught.value) is error
    assert str(caught.value).endswith(sentence)
    assert "\n" not in str(caught.value)


async def silent(writer: asyncio.StreamWriter) -> None:
    """Take the question, and the head of the answer is all there is."""
    writer.write(STREAM)


async def chatting(writer: asyncio.StreamWriter) -> None:
    """Comments for ever, and never an answer."""
    writer.write(STREAM)
    while True:
        writer.write(chunk(b": still here\n\n"))
        await writer.drain()
        await asyncio.sleep(0.02)


async def refusing(writer: asyncio.StreamWriter) -> None:
    """An error whose words never end."""
    writer.write(b"HTTP/1.1 500 X\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n{")


@pytest.mark.parametrize("answer", [silence, silent, chatting, begins(DELTA)])
async def test_silence_has_an_end(answer: Answer) -> None:
    """Before the head, before the first event, and in the middle; comments are no answer."""
    async with serving(answer) as server:
        with pytest.raises(Unreachable, match=r"^Openai has stopped answering\.$"):
            await pieces(client("openai", server.url, limits=SHORT))
        await server.hung_up.wait() if answer is not chatting else None


async def test_an_error_is_told_though_its_words_never_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """The status has said enough."""
    monkeypatch.setattr("models.exchange.ERROR_SECONDS", 0.05)
    async with serving(refusing) as server:
        with pytest.raises(Broken, match=r"^Openai failed with 500\.$"):
            await pieces(client("openai", server.url))


async def test_an_endless_line_cannot_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server gone mad is left."""
    monkeypatch.setattr("models.answers.MAX_EVENT_BYTES", 1000)
    async with serving(stream(b"data: " + b"x" * 5000, ends=False)) as server:
        with pytest.raises(Broken, match="one event is too long"):
            await pieces(client("openai", server.url))


async def test_an_endless_error_is_read_to_its_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also one that is no stream."""
    monkeypatch.setattr("models.exchange.MAX_SHORT_BYTES", 1000)

    async def endless(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 500 X\r\ntransfer-encoding: chunked\r\n\r\n")
        while not writer.is_closing():
            writer.write(chunk(b"x" * 500))
            await writer.drain()

    async with serving(endless) as server:
        with pytest.raises(Broken, match="failed with 500"):
            await pieces(client("openai", server.url))


async def test_nobody_there() -> None:
    """A server that was not started; one on this machine is not waited for."""
    pauses = Pauses()
    async with serving() as server:
        pass
    with pytest.raises(Unreachable, match=rf"^Nobody answers at {server.url}\.$"):
        await pieces(client("ollama", server.url, patience=pauses.patience))
    assert pauses.seconds == []
