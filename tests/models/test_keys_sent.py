"""The key on its way: where it goes, and that nothing that fails on the way shows it."""

from __future__ import annotations

import logging
import traceback
from typing import Any

import pytest

from models.errors import BackendError, NoKey
from tests.models.loopback import shapes
from tests.models.loopback.asking import ASKED, KEY, VARIABLE, client, pieces, text
from tests.models.loopback.server import event, plain, serving, stream

oops = shapes.openai_error
DELTA = event(shapes.delta("Be"))


@pytest.fixture(autouse=True)
def a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, KEY)


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
