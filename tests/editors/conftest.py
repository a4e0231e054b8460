"""Fixtures: real Neovims with the plugin, in private homes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.editors import neovim


@pytest.fixture(scope="module", params=neovim.FRONTS, ids=str)
def front(request: pytest.FixtureRequest) -> neovim.Front:
    """Every Neovim, and every way of showing ghost text in it."""
    value: neovim.Front = request.param
    return value


@pytest.fixture(scope="module")
def shared_editor(front: neovim.Front, tmp_path_factory: pytest.TempPathFactory) -> Iterator[neovim.Editor]:
    """One Neovim for a file of tests, set up with the scripted server: starting both takes a second."""
    home = tmp_path_factory.mktemp("neovim")
    it = neovim.start(front, home)
    it.set_script()
    it.setup()
    yield it
    it.close()


@pytest.fixture
def scripted(shared_editor: neovim.Editor, request: pytest.FixtureRequest) -> neovim.Editor:
    """The shared Neovim with an empty Python file of the test's own, attached to the scripted server."""
    it = shared_editor
    it.reset()
    it.open(it.home / "work" / f"{request.node.originalname}.py")
    return it


@pytest.fixture
def start_editor(tmp_path: Path) -> Iterator[Callable[[neovim.Front], neovim.Editor]]:
    """Start a Neovim that nothing else uses and that has not been set up."""
    started: list[neovim.Editor] = []

    def start(front: neovim.Front) -> neovim.Editor:
        started.append(neovim.start(front, tmp_path / f"home{len(started)}"))
        return started[-1]

    yield start
    for it in started:
        it.close()
