"""Fixtures: a real Neovim with the plugin, in a private home."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.editors import neovim


@pytest.fixture(params=neovim.FRONTS, ids=str)
def front(request: pytest.FixtureRequest) -> neovim.Front:
    """Every Neovim and every way of showing ghost text in it."""
    value: neovim.Front = request.param
    return value


@pytest.fixture
def editor(front: neovim.Front, tmp_path: Path) -> Iterator[neovim.Editor]:
    """A Neovim that has not been set up yet."""
    it = neovim.start(front, tmp_path / "home")
    yield it
    it.close()
