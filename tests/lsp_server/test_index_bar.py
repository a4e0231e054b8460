"""The progress bar of a folder's first time: only if it takes a while, forward, and to its end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from codeindex.protocol import State, Status
from lsp_server import index_bar, index_process
from lsp_server.features import register
from lsp_server.frames import Frames
from lsp_server.index_process import Service
from lsp_server.server import Assistant
from lsp_server.wiring import Workbench

FOLDER = "/project"


async def _nobody(service: Service) -> None:
    """There is no process to greet: what it would say, the test says."""


class Client:
    """An editor with progress bars: it allows them, and keeps what they are told."""

    def __init__(self, *, bars: bool, refuses: bool = False) -> None:
        self.frames = Frames()
        self.refuses = refuses
        self.assistant = Assistant(Workbench("m"))
        register(self.assistant)
        self.assistant.protocol.set_writer(self)
        self.receive(
            {"id": 1, "method": "initialize"},
            {"processId": None, "rootUri": None, "capabilities": {"window": {"workDoneProgress": bars}}},
        )
        self.said: list[Any] = []
        """Values of progress; a token that was asked for is said first."""
        self.token: Any = None

    def receive(self, message: dict[str, Any], params: Any = None) -> None:
        """A message of the editor."""
        protocol = self.assistant.protocol
        whole = {"jsonrpc": "2.0", **message, **({"params": params} if params is not None else {})}
        protocol.handle_message(protocol.structure_message(whole))

    def write(self, data: bytes) -> None:
        """A message of the server."""
        self.frames.feed(data)

    def close(self) -> None:
        """Part of the writer's interface."""

    def answer(self) -> None:
        """Take in what has been sent, and answer what was asked."""
        for message in self._sent():
            if message.get("method") == "window/workDoneProgress/create":
                self.token = message["params"]["token"]
                answer = {"error": {"code": -32603, "message": "no"}} if self.refuses else {"result": None}
                self.receive({"id": message["id"], **answer})
            elif message.get("method") == "$/progress":
                self.said.append(message["params"]["value"])

    def _sent(self) -> Iterator[dict[str, Any]]:
        while (body := self.frames.take()) is not None:
            yield json.loads(body)

    def index(self, state: State, progress: float = 0.0) -> None:
        """The index says how it is."""
        index = self.assistant.workbench.index
        if FOLDER not in index._services:
            index._services[FOLDER] = Service([], Path(), _nobody, lambda said: None)
        index._states[FOLDER] = Status(state=state, files=10, progress=progress)
        if state is State.READY:
            index._complete.add(FOLDER)
        index.on_change()

    async def until(self, kind: str) -> None:
        """Wait until the bar was told this."""
        async with asyncio.timeout(30):
            while kind not in [it["kind"] for it in self.said]:
                self.answer()
                await asyncio.sleep(0)

    async def passes(self) -> None:
        """Let what is due happen."""
        for _ in range(20):
            self.answer()
            await asyncio.sleep(0.005)


@pytest.fixture(autouse=True)
def quick(hearth_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits."""
    monkeypatch.setattr(index_process, "START_SECONDS", 3600.0)
    monkeypatch.setattr(index_bar, "PATIENCE_SECONDS", 0.01)
    monkeypatch.setattr(index_bar, "REPORT_SECONDS", 0.01)


async def test_a_bar_begins_moves_and_ends() -> None:
    """It never goes back, and what comes after the first time shows none."""
    client = Client(bars=True)
    client.index(State.BUILDING, 0.5)
    await client.until("report")
    client.index(State.BUILDING, 0.2)
    await client.passes()
    client.index(State.READY, 1.0)
    await client.until("end")
    kinds = [it["kind"] for it in client.said]
    assert (kinds[0], set(kinds[1:-1]), kinds[-1]) == ("begin", {"report"}, "end")
    assert {it["percentage"] for it in client.said[1:-1]} == {50}
    client.index(State.BUILDING, 0.1)
    await client.passes()
    assert [it["kind"] for it in client.said] == kinds


async def test_a_quick_build_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is over before one could read it is not announced."""
    monkeypatch.setattr(index_bar, "PATIENCE_SECONDS", 3600.0)
    client = Client(bars=True)
    client.index(State.BUILDING)
    await client.passes()
    client.index(State.READY)
    await client.passes()
    assert (client.said, client.token) == ([], None)


@pytest.mark.parametrize(("bars", "refuses"), [(False, False), (True, True)])
async def test_an_editor_without_bars_is_spared(bars: bool, refuses: bool) -> None:
    """One that has none is not asked; one that refuses is not asked again."""
    client = Client(bars=bars, refuses=refuses)
    client.index(State.BUILDING)
    await client.passes()
    client.index(State.READY)
    await client.passes()
    assert (client.said, client.token is None) == ([], not bars)


async def test_cancelling_pauses() -> None:
    """The bar ends at once and says why; there is no other one while it is being paused."""
    client = Client(bars=True)
    client.index(State.BUILDING)
    await client.until("report")
    client.receive({"method": "window/workDoneProgress/cancel"}, {"token": client.token})
    await client.until("end")
    assert client.said[-1]["message"] == "paused"
    assert client.assistant.workbench.index._is_paused
    told = len(client.said)
    client.index(State.BUILDING)
    await client.passes()
    client.index(State.PAUSED)
    await client.passes()
    assert len(client.said) == told
