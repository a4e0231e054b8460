"""Servers, and the real engine they share. The model is tiny and untrained: what it says is not looked at."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.shape_model import Shape, write
from models import process, supervise
from tests.e2e.editor import editor, until

pytestmark = pytest.mark.e2e

SHAPE = Shape(n_vocab=600, n_layer=2, n_embd=64, n_head=4, n_head_kv=2, n_ff=128, n_ctx=2048, rope_base=1e4)
MODEL_ALONE = {"memory": {"enabled": False}}  # What the memory answers needs no engine.
MARKED = "def add(a, b):\n    return ‸\n"


@pytest.fixture
def model(hearth_home: Path) -> Iterator[Path]:
    """A model of half a megabyte, and the end of every engine that has it."""
    path = hearth_home / "tiny.gguf"
    write(path, ftype="F32", shape=SHAPE)
    yield path
    for it in supervise.engines(process.place()):
        it.kill()


async def test_two_windows_share_one_engine_and_its_death(hearth_home: Path, model: Path) -> None:
    """They start together; when the engine is killed, both get answers, and so do their next requests."""
    async with (
        editor(hearth_home, "neovim", "--model", str(model), options=MODEL_ALONE) as one,
        editor(hearth_home, "vscode", "--model", str(model), options=MODEL_ALONE) as two,
    ):
        at = [it.open(MARKED) for it in (one, two)]
        both = [one.ask(at[0], explicit=True), two.ask(at[1], explicit=True)]
        assert all(isinstance(it, list) for it in await asyncio.gather(*both))
        (engine,) = supervise.engines(process.place())
        asked = one.ask(at[0], explicit=True)
        engine.kill()
        assert isinstance(await asked, list)
        assert isinstance(await two.ask(at[1], explicit=True), list)
        assert isinstance(await one.ask(at[0], explicit=True), list)
        await until(lambda: one.statuses[-1].state == two.statuses[-1].state == "ready")
        assert [it.pid for it in supervise.engines(process.place())] != [engine.pid]
