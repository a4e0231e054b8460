"""Ask a loopback server through the real clients."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import replace
from typing import Any

from models.client import Client, open_client
from models.exchange import Limits
from models.providers import backend_spec
from models.retry import Patience
from models.spec import BackendSpec, KeySource
from models.wire import ChatMessage, ChatRequest, Piece, Sampling

KEY = "sk-test-7Qw9eR2tY5uI8oP1aS4dF6gH"
VARIABLE = "A_TEST_KEY"
KEYED = KeySource(variable=VARIABLE)
LIMITS = Limits(connect_s=5.0, first_s=60.0, silence_s=60.0)
SHORT = Limits(connect_s=5.0, first_s=0.2, silence_s=0.2)
ONCE = Patience(tries=1)
ASKED = ChatRequest(
    model="",
    messages=(ChatMessage(role="system", content="Be brief."), ChatMessage(role="user", content="Why?")),
    sampling=Sampling(max_tokens=64),
)


class Pauses:
    """Counts the pauses instead of waiting; the middle of all chances."""

    def __init__(self, tries: int = 4) -> None:
        self.seconds: list[float] = []
        self.patience = Patience(tries=tries, chance=lambda: 0.5, sleep=self._sleep)

    async def _sleep(self, seconds: float) -> None:
        self.seconds.append(seconds)


def local_spec(provider: str, url: str, *, model: str = "m", **more: Any) -> BackendSpec:
    """A provider at a loopback address, with the test's key."""
    spec = backend_spec(provider, model, url=url, key=KEYED)
    return replace(spec, name=provider, **more)


def client(
    provider: str, url: str, *, patience: Patience = ONCE, limits: Limits = LIMITS, **more: Any
) -> Client:
    """A client of a provider at a loopback address."""
    return open_client(local_spec(provider, url, **more), limits=limits, patience=patience)


async def pieces(it: Client, request: ChatRequest = ASKED) -> list[Piece]:
    """The whole answer; the client is closed."""
    try:
        async with aclosing(it.chat(request)) as stream:
            return [piece async for piece in stream]
    finally:
        await it.close()


async def text(it: Client, request: ChatRequest = ASKED) -> str:
    """The text of the whole answer; the client is closed."""
    return "".join(piece.text for piece in await pieces(it, request))
