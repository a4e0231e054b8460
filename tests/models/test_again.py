"""What may pass is asked again: how often, how soon, and never once an answer has begun."""

from __future__ import annotations

import asyncio

import pytest

from models.errors import BackendError, Overloaded
from models.retry import Patience
from tests.models.loopback import shapes
from tests.models.loopback.asking import KEY, VARIABLE, Pauses, client, pieces, text
from tests.models.loopback.server import event, plain, serving, stream

oops, claude = shapes.openai_error, shapes.anthropic_error
DELTA = event(shapes.delta("Be"))
LATER = plain(429, oops("Slow down.", "rate_limit_error"))


@pytest.fixture(autouse=True)
def a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, KEY)


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
