"""The recipe's numbers, read from ``recipe.toml``."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

RECIPE: Final = Path(__file__).with_name("recipe.toml")


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """How long the rows are, how many make a step, and how fast the weights move."""

    context: int
    rows: int
    rows_at_once: int
    seed: int
    muon_rate: float
    embedding_rate: float
    output_rate: float
    vector_rate: float
    weight_decay: float
    warm_up: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """The model's sizes (as plain numbers, so that reading them needs no torch) and its training."""

    shape: dict[str, Any]
    training: Training


def load_recipe(path: Path = RECIPE) -> Recipe:
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    return Recipe(shape=table["shape"], training=Training(**table["training"]))
