"""A home of each test's own, with a stand-in for the engine, which no engine outlives."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from models import process, registry, supervise
from models.process import Place


@pytest.fixture
def place(hearth_home: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """A home of our own, and the stand-in as the engine."""
    monkeypatch.setattr(process, "MODULE", "tests.models.launch.fake_engine")
    monkeypatch.setattr(registry, "STARTER_FILE", Path(__file__))  # Any file: the stand-in does not read it.
    return process.place()


@pytest.fixture(autouse=True)
async def nothing_stays(place: Place) -> AsyncIterator[None]:
    """No engine outlives its test."""
    yield
    for it in supervise.engines(place):
        it.kill()
