"""What the editor is told about the engine: what is true, only when it changes, and briefly."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lsp_server import reporter
from lsp_server.features import register
from lsp_server.frames import Frames
from lsp_server.server import Assistant
from lsp_server.wiring import Workbench
from models.wire import Health

HEALTH = Health(version="0", pid=1, executable="python", state="ready", model="m")


class Pipe:
    """Keeps what is sent."""

    def __init__(self) -> None:
        self._frames = Frames()

    def write(self, data: bytes) -> None:
        self._frames.feed(data)

    def close(self) -> None:
        """Part of the writer's interface."""

    def sent(self, method: str) -> Iterator[dict[str, Any]]:
        while (body := self._frames.take()) is not None:
            message = json.loads(body)
            if message.get("method") == method:
                yield message["params"]


@pytest.fixture
def pipe() -> Pipe:
    return Pipe()


@pytest.fixture
def assistant(hearth_home: Path, pipe: Pipe, monkeypatch: pytest.MonkeyPatch) -> Assistant:
    """A server whose client has said hello and has no progress bars."""
    monkeypatch.setattr(reporter, "SETTLE_SECONDS", 0.0)
    it = Assistant(Workbench("m"))
    register(it)
    it.protocol.set_writer(pipe)
    params: dict[str, Any] = {"processId": None, "rootUri": None, "capabilities": {}}
    message = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params}
    it.protocol.handle_message(it.protocol.structure_message(message))
    return it


async def settled() -> None:
    """Let what is scheduled happen."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_several_changes_are_one_notification(assistant: Assistant, pipe: Pipe) -> None:
    """A status line is not a log."""
    for speed in (1.0, 2.0, 3.0):
        assistant.reporter.health(replace(HEALTH, tokens_per_second=speed))
    await settled()
    assert [it["tokensPerSecond"] for it in pipe.sent("hearth/status")] == [3]


async def test_what_does_not_change_is_not_said_again(assistant: Assistant, pipe: Pipe) -> None:
    """The engine repeats itself every few seconds; the editor need not hear it."""
    for clients in (1, 2, 3):
        assistant.reporter.health(replace(HEALTH, clients=clients, tokens_per_second=60.0 + clients / 10))
        await settled()
    assert len(list(pipe.sent("hearth/status"))) == 1


async def test_a_problem_is_said_and_taken_back(assistant: Assistant, pipe: Pipe) -> None:
    """What failed is failed until something works: an engine that is ready may still refuse."""
    assistant.reporter.problem("This model cannot fill in.")
    await settled()
    assistant.reporter.health(HEALTH)
    await settled()
    assistant.reporter.problem("")
    await settled()
    said = [(it["state"], it["problem"]) for it in pipe.sent("hearth/status")]
    assert said == [("failed", "This model cannot fill in."), ("ready", "")]


async def test_a_loading_model_without_progress_bars(assistant: Assistant, pipe: Pipe) -> None:
    """A client that has no bars is asked for none."""
    assistant.reporter.health(replace(HEALTH, state="loading", progress=0.5))
    await settled()
    assistant.reporter.health(HEALTH)
    await settled()
    assert [it["progress"] for it in pipe.sent("hearth/status")] == [0.5, 0.0]


async def test_a_warning_is_shown_once(assistant: Assistant, pipe: Pipe) -> None:
    """Settings are read again and again; people are told once."""
    assistant.reporter.warn("The setting is wrong.")
    assistant.reporter.warn("The setting is wrong.")
    assert [it["message"] for it in pipe.sent("window/showMessage")] == ["Hearth: The setting is wrong."]
