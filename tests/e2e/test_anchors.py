"""Anchored prompts on the real engine with the bundled model: what a key costs, counted in prompt tokens.

The engine's own counters tell it; nothing here depends on how fast the machine is, and what the model says is
not looked at.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from lsprotocol import types as lsp

from models import process, supervise
from tests.e2e.editor import URI, Editor, editor, until

pytestmark = pytest.mark.e2e

OTHER = "file:///project/other.py"
TYPED = "limit = width + (y)[0]"
OPTIONS = {
    "memory": {"enabled": False},  # What the memory answers needs no engine.
    "completion": {"maxLines": 1, "maxTokens": 6, "lookAhead": False, "deadlineMs": 60000, "pauseMs": 0},
    "logLevel": "info",
}
FEW = 8  # Tokens. A key is one; what stands before it may fall into other tokens with it.
CALM = 15  # Looks at the counters, a tenth of a second apart, that must be alike.
CURSOR = "‸"


@pytest.fixture
def home(hearth_home: Path) -> Iterator[Path]:
    """A home, and the end of every engine that was started in it."""
    yield hearth_home
    for it in supervise.engines(process.place()):
        it.kill()


class Typist:
    """Somebody at an editor, and an eye on the engine's counters."""

    def __init__(self, at: Editor, home: Path) -> None:
        self.at = at
        self._home = home
        self._version = 1

    async def counters(self) -> dict[str, float]:
        """What the engine has counted."""
        transport = httpx.AsyncHTTPTransport(uds=str(self._home / "run" / "engine.sock"))
        async with httpx.AsyncClient(transport=transport, base_url="http://engine", timeout=60) as client:
            try:
                text = (await client.get("/metrics")).text
            except httpx.TransportError:  # It is being started.
                text = ""
        return {name: float(value) for name, value in re.findall(r"^hearth_(\w+)_total (\S+)$", text, re.M)}

    async def read(self) -> float:
        """How many prompt tokens were evaluated since the engine's start, by finished answers."""
        now = await self.counters()
        return now.get("prompt_tokens", 0.0) - now.get("cached_tokens", 0.0)

    async def key(self, at: lsp.Position, text: str, uri: str = URI) -> tuple[lsp.Position, Any]:
        """Type, and see what is suggested."""
        self._version += 1
        at = self.at.insert(at, text, self._version, uri)
        return at, await self.at.ask(at, uri=uri)

    async def settled(self) -> float:
        """How many prompt tokens were evaluated, once nothing is read in the background any more."""
        counts = [await self.read()]
        while len(counts) < CALM or len(set(counts[-CALM:])) > 1:
            await asyncio.sleep(0.1)
            counts.append(await self.read())
        return counts[-1]

    async def until_read(self, more: float) -> None:
        """Wait until so many tokens have been evaluated altogether."""
        while await self.read() < more:  # noqa: ASYNC110  # another process decides
            await asyncio.sleep(0.05)


@asynccontextmanager
async def typist(home: Path) -> AsyncIterator[Typist]:
    async with editor(home, "neovim", "--model", "starter", options=OPTIONS) as it:
        yield Typist(it, home)


def long_document(name: str, line: int) -> str:
    """Two thousand different lines, with the cursor on an empty one of its own."""
    lines = [f"{name}_{it} = compute({it}, width, height)\n" for it in range(2000)]
    return "".join([*lines[:line], CURSOR, "\n", *lines[line:]])


async def test_a_key_costs_its_own_token(home: Path) -> None:
    """In the middle of a long document, whatever it consists of; a correction costs no more."""
    async with typist(home) as it:
        at = it.at.open(long_document("value", 1000))
        it.at.client.protocol.notify("hearth/cursor", cursor(at))
        await it.until_read(100)
        await it.settled()
        at, _ = await it.key(at, TYPED[0])
        await it.settled()
        costs = []
        for letter in TYPED[1:]:
            before = await it.read()
            at, _ = await it.key(at, letter)
            costs.append(await it.read() - before)
        assert max(costs) <= FEW
        assert sum(costs) <= len(TYPED) * 1.5
        answered = (await it.counters())["requests"]
        assert len(TYPED) / 2 <= answered, "most keys have asked the engine"


async def test_a_jump_is_answered_and_then_the_whole_window_read(home: Path) -> None:
    """Whether the first answer reads a part or all of it: once it is read, typing goes on with it."""
    async with typist(home) as it:
        at = it.at.open(long_document("value", 1000))
        await it.until_read(60)  # The document's start, where it was opened.
        opened = await it.settled()
        at, answer = await it.key(at, "x =")
        assert isinstance(answer, list)
        before = await it.settled()
        assert opened < before
        at, answer = await it.key(at, " wi")
        assert isinstance(answer, list)
        assert await it.read() - before <= FEW


async def test_two_documents_each_keep_their_place(home: Path) -> None:
    """Going back and forth reads nothing again, until one of them is closed."""
    async with typist(home) as it:
        places: dict[str, lsp.Position] = {}
        for uri, name in ((URI, "value"), (OTHER, "other")):
            at = it.at.open(long_document(name, 1000), uri=uri)
            it.at.client.protocol.notify("hearth/cursor", cursor(at, uri))
            await it.until_read(100 * (len(places) + 1))
            await it.settled()
            places[uri], _ = await it.key(at, "x =", uri)
        for uri in (URI, OTHER, URI, OTHER):
            before = await it.settled()
            places[uri], _ = await it.key(places[uri], " w", uri)
            assert await it.read() - before <= FEW


async def test_an_engine_killed_in_the_middle_of_reading(home: Path) -> None:
    """Nobody was waiting for it, and nobody notices: the next key finds the next engine."""
    async with typist(home) as it:
        at = it.at.open(long_document("value", 1000))
        await until(lambda: supervise.engines(process.place()))
        for line in (300, 600, 900):
            it.at.client.protocol.notify("hearth/cursor", cursor(lsp.Position(line, 0)))
            await asyncio.sleep(0.15)
            for engine in supervise.engines(process.place()):
                engine.kill()
        at, _ = await it.key(at, "x =")
        at, answer = await it.key(at, " wi")
        assert isinstance(answer, list)
        await until(lambda: it.at.statuses and it.at.statuses[-1].state == "ready")
        assert it.at.client.messages == []


def cursor(at: lsp.Position, uri: str = URI) -> dict[str, Any]:
    return {"textDocument": {"uri": uri}, "position": {"line": at.line, "character": at.character}}
