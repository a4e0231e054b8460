"""What tests of ghost text share."""

from __future__ import annotations

import pytest


@pytest.fixture
def further_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of what the memory has seen a few times: how likely a line has to be is learned."""
    monkeypatch.setattr("completion.memory.predict.NEXT_LINE", 0.3)
