"""Damaged model files: an answer or one sentence, never the end of the process."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.models.engine.process import PATIENCE_S, ROOT

SEEDS = 120


@pytest.mark.e2e
@pytest.mark.skipif(sys.platform == "win32", reason="a process per file would take minutes without fork")
def test_no_damage_ends_the_process(tiny_model: Path, tmp_path: Path) -> None:
    """Bits, numbers, tokens, pieces missing: in the head, in the tensors, anywhere."""
    shutil.copy(tiny_model, tmp_path / "model.gguf")
    command: list[str | Path] = [
        sys.executable,
        "-m",
        "tests.models.engine.corrupt",
        tmp_path / "model.gguf",
        str(SEEDS),
    ]
    ended = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=2 * PATIENCE_S, check=False
    )
    assert ended.returncode == 0, ended.stderr
    found = json.loads(ended.stdout)
    assert set(found) == {"answer", "sentence"}
    assert SEEDS / 4 < found["sentence"]
