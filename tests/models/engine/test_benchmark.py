"""The engine's own measurement runs, on a model that takes no time."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.models.engine.process import PATIENCE_S, ROOT


@pytest.mark.e2e
def test_it_measures(tiny_model: Path) -> None:
    """Every number is there and makes sense; how large it is depends on the machine."""
    small = ("--rounds", "1", "--cancels", "2", "--tokens", "4", "--prompt-tokens", "100", "--json")
    command: list[str | Path] = [sys.executable, "-m", "benchmarks.engine", "--model", tiny_model, *small]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert ended.returncode == 0, ended.stderr
    report = json.loads(ended.stdout)
    assert report.pop("model") == "tiny.gguf"
    assert all(0 < it for it in report.values())
