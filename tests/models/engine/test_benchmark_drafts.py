"""The measurement of drafts runs, on a model that takes no time."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.models.engine.process import PATIENCE_S, ROOT


@pytest.mark.e2e
def test_it_measures(tiny_model: Path) -> None:
    """Right candidates are accepted and wrong ones are not; how fast that is depends on the machine."""
    small = ("--rounds", "3", "--tokens", "6", "--quality", "0", "--quality", "1", "--json")
    command: list[str | Path] = [sys.executable, "-m", "benchmarks.drafts", "--model", tiny_model, *small]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert ended.returncode == 0, ended.stderr
    report = json.loads(ended.stdout)
    assert (report["model"], list(report["batch_ms"])) == ("tiny.gguf", ["1", "2", "4", "8", "16"])
    wrong, right = report["rows"]
    assert (wrong["quality"], wrong["accepted"]) == (0.0, 0.0)
    assert (right["quality"], right["accepted"]) == (1.0, 1.0)
    assert all(0 < it["speedup"]["p50"] for it in report["rows"])
