"""From the settings to a desk: who may be asked, and real connections to them that are closed in the end."""

from __future__ import annotations

import json
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from chat.asking import Ended, ask
from chat.router import Decision
from lsp_server.chat_desk import make_desk, problems
from lsp_server.wiring import Workbench
from models import paths
from models.errors import Refused
from models.wire import ChatMessage
from tests.chat.code_in_memory import InMemory
from tests.chat.desks import away, said
from tests.models.loopback.server import serving


@pytest.fixture
def home(hearth_home: Path) -> Path:
    """A user's configuration folder."""
    (hearth_home / "config").mkdir()
    return hearth_home / "config"


def bench(home: Path, **settings: Any) -> Workbench:
    """A workbench with these settings of the user's own."""
    (home / "settings.json").write_text(json.dumps(settings))
    return Workbench(builds=False)


async def answer(it: Workbench, **rest: Any) -> tuple[list[Any], str]:
    """The decisions with the end, and the words."""
    message = ChatMessage(role="user", content="Why?")
    desk = make_desk(it, InMemory({}))
    events: list[Any] = []
    words: list[str] = []
    async with aclosing(
        ask(desk, task="ask", messages=lambda budget, count: (message,), tokens_in=5, **rest)
    ) as asked:
        async for event in asked:
            if isinstance(event, str):
                words.append(event)
            else:
                events.append(event)
    return events, "".join(words)


async def test_a_fresh_install_asks_nobody(home: Path) -> None:
    """No model: the code itself answers, and no engine is started for that."""
    it = bench(home)
    events, words = await answer(it)
    assert [event.tier for event in events] == ["extractive", "extractive"]
    assert words == ""
    assert it._engine is None
    await it.close()


async def test_a_server_of_ones_own(home: Path) -> None:
    """It is asked, over one connection for two questions, which closes with the window."""
    async with serving(said("Be", "cause."), said("Again.")) as server:
        it = bench(home, chat={"provider": "ollama", "model": "coder", "url": server.url})
        assert (await answer(it))[1] == "Because."
        events, words = await answer(it)
        assert words == "Again."
        assert isinstance(events[0], Decision)
        assert isinstance(events[-1], Ended)
        assert server.connections == 1
        assert server.requests[0].json["model"] == "coder"
        await it.close()


async def test_the_cloud_is_closed_at_its_door_too(home: Path) -> None:
    """Whoever asks for a connection to it without the permission gets none."""
    desk = make_desk(it := bench(home, cloud={"provider": "openai", "model": "large"}), InMemory({}))
    assert not desk.policy.cloud_allowed
    with pytest.raises(Refused, match=r"your settings do not allow the cloud"):
        await desk.connect(away().spec)
    await it.close()


async def test_how_much_is_kept(home: Path) -> None:
    """As the user says, in their data folder."""
    it = bench(home, cloud={"allowed": True, "keptMegabytes": 3})
    desk = make_desk(it, InMemory({}), notes=("Tests run with make.",))
    assert (desk.kept_bytes, desk.policy.cloud_allowed) == (3_000_000, True)
    assert (desk.data, desk.notes) == (paths.data_dir(), ("Tests run with make.",))
    await it.close()


async def test_a_model_file_that_is_not_there(home: Path, tmp_path: Path) -> None:
    """It is not asked, and a sentence says why."""
    it = bench(home, chat={"model": str(tmp_path / "none.gguf")})
    events, _ = await answer(it)
    assert events[0].tier == "extractive"
    assert "not ready" in events[0].reason
    assert problems(it.settings) == [f"There is no model file at {tmp_path / 'none.gguf'}."]
    await it.close()


async def test_the_engines_room(home: Path, tmp_path: Path) -> None:
    """What the engine holds, unless the user says that the model holds less."""
    model = tmp_path / "coder.gguf"
    model.write_bytes(b"GGUF")
    for settings, tokens in (
        ({"chat": {"model": str(model)}}, 8192),
        ({"chat": {"model": str(model), "contextTokens": 2048}}, 2048),
        ({"chat": {"model": str(model)}, "engine": {"contextTokens": 4096}}, 4096),
    ):
        it = bench(home, **settings)
        (server,) = make_desk(it, InMemory({})).places.servers
        assert (server.spec.context_tokens, server.tier, server.is_ready) == (tokens, "local", True)
        await it.close()
