"""Desks for tests: the code of a dictionary, and model servers on loopback ports, also as if far away."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import httpx

from chat.desk import Desk
from chat.router import Places, Policy
from chat.router import Server as Place
from models.backend import Backend
from models.client import Client
from models.exchange import Limits
from models.retry import Patience
from models.spec import BackendSpec, Prices
from tests.chat.code_in_memory import InMemory
from tests.models.loopback.server import Server, event, stream
from tests.models.loopback.shapes import DONE, delta, used

LIMITS = Limits(connect_s=5.0, first_s=60.0, silence_s=60.0)
ALLOWED = Policy(cloud_allowed=True)
ABROAD = "https://api.example.com/v1"


class Detour(httpx.AsyncHTTPTransport):
    """The way to a server far away, which ends at a loopback port: nothing above the socket knows."""

    def __init__(self, port: int) -> None:
        super().__init__()
        self._port = port

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Ask the port, whatever the address."""
        request.url = request.url.copy_with(scheme="http", host="127.0.0.1", port=self._port)
        return await super().handle_async_request(request)


def near(server: Server, name: str = "near", tokens: int | None = 8192) -> Place:
    """A model server on this machine."""
    return Place(
        spec=BackendSpec(name=name, model="m", url=server.url, dialect="openai", context_tokens=tokens)
    )


def away(name: str = "far", tokens: int | None = 100_000) -> Place:
    """A model server that is not on this machine, as the user set it up."""
    prices = Prices(input=3.0, output=15.0, currency="USD")
    spec = BackendSpec(
        name=name, model="big", url=ABROAD, dialect="openai", context_tokens=tokens, prices=prices
    )
    return Place(spec=spec, is_own=True)


@asynccontextmanager
async def sitting(
    data: Path,
    *places: Place,
    far: Server | None = None,
    policy: Policy = ALLOWED,
    files: Mapping[str, str] | None = None,
) -> AsyncIterator[Desk]:
    """A desk where these servers may be asked, by real clients; what is away is at ``far``."""
    clients: list[Client] = []

    async def connect(spec: BackendSpec) -> Client:
        transport = Detour(far.port) if far and not spec.is_local else None
        client = Backend(spec, transport, limits=LIMITS, patience=Patience(tries=1))
        clients.append(client)
        return client

    yield Desk(
        code=InMemory(files or {}),
        places=Places(servers=places),
        policy=policy,
        connect=connect,
        data=data,
    )
    for it in clients:
        await it.close()


def said(*words: str, cached: int = 0, finish: str = "stop") -> bytes:
    """An answer of these pieces."""
    pieces = [event(delta(it)) for it in words]
    end = event({"choices": [], "usage": used(9, len(words), cached)})
    return stream(*pieces, event(delta(finish=finish)), end, DONE)


def cut_off(*words: str) -> bytes:
    """An answer whose connection breaks behind these pieces."""
    return stream(*(event(delta(it)) for it in words), ends=False)


def without_cloud(desk: Desk) -> Desk:
    """The same desk, where nothing may leave."""
    return replace(desk, policy=replace(desk.policy, cloud_allowed=False))
