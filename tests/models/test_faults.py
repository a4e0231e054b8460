"""Everything that a model server can do wrong, over real sockets: a sentence of the right kind, no key."""

from __future__ import annotations

import asyncio
import logging
import traceback
from typing import Any

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
from models.retry import Patience
from tests.models.loopback import shapes
from tests.models.loopback.asking import ASKED, KEY, SHORT, VARIABLE, Pauses, client, pieces, text
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


# Asking again.


@pytest.mark.parametrize(
    ("provider", "failure", "answer"),
    [
        ("openai", LATER, shapes.OPENAI),
        ("openai", plain(500, b""), shapes.OPENAI),
        ("ollama", plain(503, oops("busy")), shapes.OLLAMA),
        ("anthropic", plain(529, claude("overloaded_error", "Overloaded")), shapes.ANTHROPIC),
        ("anthropic", stream(event(claude("overloaded_error", "Overloaded"), "error")), shapes.ANTHROPIC),
    ],
)
async def test_what_passes_is_asked_again(provider: str, failure: bytes, answer: bytes) -> None:
    """Twice too busy, then an answer: the user sees the answer."""
    pauses = Pauses()
    async with serving(failure, failure, answer) as server:
        assert await text(client(provider, server.url, patience=pauses.patience)) == "Because."
        assert len(server.requests) == 3
    assert pauses.seconds == [0.375, 0.75]


@pytest.mark.parametrize(
    "failure",
    [
        plain(400, oops("No.")),
        plain(401, oops("No.")),
        plain(404, oops("No.")),
        plain(429, oops("No.", "insufficient_quota")),
        plain(501, oops("No.")),
        stream(b"data: {\n\n"),
    ],
)
async def test_what_does_not_pass_is_not_asked_again(failure: bytes) -> None:
    """The second answer would be the same, and may cost."""
    async with serving(failure, shapes.OPENAI) as server:
        with pytest.raises(BackendError):
            await pieces(client("openai", server.url, patience=Pauses().patience))
        assert len(server.requests) == 1


@pytest.mark.parametrize("provider", ["openai", "anthropic"])
async def test_an_answer_that_has_begun_is_not_asked_for_again(provider: str) -> None:
    """Half of it is on the screen."""
    error = event(claude("overloaded_error", "Overloaded"), "error")
    begun = stream(shapes.start() + shapes.block(0, "Be") if provider == "anthropic" else DELTA, error)
    async with serving(begun, shapes.OPENAI) as server:
        with pytest.raises(Overloaded):
            await pieces(client(provider, server.url, patience=Pauses().patience))
        assert len(server.requests) == 1


async def test_asking_again_has_an_end() -> None:
    """After the last try the error is the last one's."""
    pauses = Pauses()
    async with serving(*[LATER] * 10) as server:
        with pytest.raises(Overloaded, match="so often"):
            await pieces(client("openai", server.url, patience=pauses.patience))
        assert len(server.requests) == 4
    assert pauses.seconds == [0.375, 0.75, 1.5]


@pytest.mark.parametrize(
    ("headers", "seconds", "tries"),
    [
        ({"retry_after": "3"}, [3.0, 3.0, 3.0], 4),
        ({"retry_after_ms": "900", "retry_after": "1"}, [0.9, 0.9, 1.5], 4),
        ({"retry_after": "9"}, [9.0, 9.0], 3),
        ({"retry_after": "3600"}, [], 1),
        ({"retry_after": "Fri, 31 Dec 1999 23:59:59 GMT"}, [0.375, 0.75, 1.5], 4),
        ({"retry_after": "soon"}, [0.375, 0.75, 1.5], 4),
    ],
)
async def test_a_server_may_say_how_long_to_wait(
    headers: dict[str, str], seconds: list[float], tries: int
) -> None:
    """It is believed; what nobody would wait for is not waited for."""
    pauses = Pauses()
    later = plain(429, oops("Slow down.", "rate_limit_error"), **headers)
    async with serving(*[later] * 4) as server:
        with pytest.raises(Overloaded) as caught:
            await pieces(client("openai", server.url, patience=pauses.patience))
        assert (pauses.seconds, len(server.requests)) == (seconds, tries)
    if headers["retry_after"] == "3600":
        assert (
            str(caught.value) == "Openai does not want to be asked so often, asks to wait 3600 s (Slow down)."
        )


async def test_stop_is_heard_between_two_tries() -> None:
    """Nobody waits for a pause that nobody wants."""
    paused = asyncio.Event()

    async def sleep(_seconds: float) -> None:
        paused.set()
        await asyncio.Event().wait()

    async with serving(LATER, shapes.OPENAI) as server:
        it = client("openai", server.url, patience=Patience(sleep=sleep))
        asking = asyncio.ensure_future(pieces(it))
        await paused.wait()
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert len(server.requests) == 1


# The key.


def echo(status: int, headers: dict[str, Any]) -> bytes:
    """A server that repeats the key, as some do."""
    return plain(status, {"error": {"message": f'You sent {KEY} and "{KEY[:9]}..." to us.', **headers}})


@pytest.mark.parametrize(
    "answer",
    [
        echo(401, {}),
        echo(500, {}),
        echo(400, {"param": KEY}),
        stream(DELTA, event({"error": {"message": f"bad {KEY}"}})),
        stream(DELTA, f"error {KEY}\n\n".encode()),
        stream(DELTA, event(f'"{KEY}"'.encode())),
        stream(DELTA, ends=False),
        plain(307, b"", location=f"https://elsewhere.example/?key={KEY}"),
        plain(200, f"<html>{KEY}</html>".encode(), content_type="text/html"),
    ],
)
@pytest.mark.parametrize("provider", ["openai", "anthropic"])
async def test_the_key_is_nowhere_to_be_read(
    provider: str, answer: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """Not in a sentence, not in a cause, not in a log, not in the variables of a traceback."""
    caplog.set_level(logging.DEBUG)
    async with serving(answer, closes=True) as server:
        it = client(provider, server.url)
        with pytest.raises(BackendError) as caught:
            await pieces(it)
        sent = server.requests[0].headers
        assert KEY in sent.get("authorization", "") + sent.get("x-api-key", ""), "the test would see it"
    frames = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    shown = "".join(frames.format())
    ours = [part for part in shown.split("  File ") if "/tests/" not in part.partition("\n")[0]]
    for told in (str(caught.value), repr(caught.value), repr(it.spec), repr(it), caplog.text, *ours):
        assert KEY not in told
        assert KEY[:9] not in told


async def test_a_key_that_was_refused_is_looked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever puts in a new one need not start the editor again."""
    async with serving(plain(401, oops("No.")), shapes.OPENAI, closes=True) as server:
        it = client("openai", server.url)
        with pytest.raises(NoKey):
            await anext(it.chat(ASKED))
        monkeypatch.setenv(VARIABLE, "another")
        assert await text(it) == "Because."
        assert [ask.headers["authorization"] for ask in server.requests] == [
            f"Bearer {KEY}",
            "Bearer another",
        ]


async def test_a_key_that_is_missing_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is sent."""
    monkeypatch.delenv(VARIABLE)
    async with serving(shapes.OPENAI) as server:
        with pytest.raises(NoKey, match=rf"^There is no key for openai: set {VARIABLE}\.$"):
            await pieces(client("openai", server.url))
        assert server.connections == 0


async def test_nobody_there() -> None:
    """A server that was not started; one on this machine is not waited for."""
    pauses = Pauses()
    async with serving() as server:
        pass
    with pytest.raises(Unreachable, match=rf"^Nobody answers at {server.url}\.$"):
        await pieces(client("ollama", server.url, patience=pauses.patience))
    assert pauses.seconds == []
