"""A model that is real in everything but its size and its training: made in a moment, the same each time."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

from benchmarks.shape_model import Shape, write

# The same examples each time, few of them, however slow the machine is.
settings.register_profile("hearth", max_examples=40, deadline=None, derandomize=True)
settings.load_profile("hearth")

# Random weights that answer differently to every prompt: sharp attention, positions that matter.
TINY = Shape(
    n_vocab=600,
    n_layer=2,
    n_embd=64,
    n_head=4,
    n_head_kv=2,
    n_ff=128,
    n_ctx=2048,
    rope_base=1e4,
    sharpness=3.0,
)


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Qwen2 GGUF of half a megabyte; in F32, so that two ways to the same answer meet exactly."""
    path = tmp_path_factory.mktemp("models") / "tiny.gguf"
    write(path, ftype="F32", shape=TINY)
    return path
