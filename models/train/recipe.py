"""The recipe's numbers, read from ``recipe.toml``."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

RECIPE: Final = Path(__file__).with_name("recipe.toml")
OPTIMIZERS: Final = ("muon", "adamw")
STARTS: Final = ("induction", "plain")


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """How long the rows are, how many make a step, and how fast the weights move."""

    context: int
    rows: int
    rows_at_once: int
    seed: int
    start: str
    optimizer: str
    matrix_rate: float
    embedding_rate: float
    output_rate: float
    vector_rate: float
    weight_decay: float
    warm_up: int
    average_steps: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Mixture:
    """What the rows are made of, and what of them is learned."""

    plain_share: float
    repo_share: float
    pair_share: float
    suffix_share: float
    anchored_share: float
    middle_weight: float
    other_weight: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """The model's sizes (as plain numbers, so that reading them needs no torch) and its training."""

    shape: dict[str, Any]
    training: Training
    mixture: Mixture


def load_recipe(path: Path = RECIPE) -> Recipe:
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    recipe = Recipe(
        shape=table["shape"], training=Training(**table["training"]), mixture=Mixture(**table["mixture"])
    )
    return _checked(recipe)


def changed(recipe: Recipe, changes: Mapping[str, Mapping[str, Any]]) -> Recipe:
    """The same recipe with other numbers, given by table and name; an unknown one is an error."""
    unknown = [it for it in changes.get("shape", {}) if it not in recipe.shape]
    if unknown:
        raise ValueError(f"A shape has no {', '.join(unknown)}.")
    return _checked(
        Recipe(
            shape=recipe.shape | dict(changes.get("shape", {})),
            training=replace(recipe.training, **changes.get("training", {})),
            mixture=replace(recipe.mixture, **changes.get("mixture", {})),
        )
    )


def _checked(recipe: Recipe) -> Recipe:
    it = recipe.training
    if it.optimizer not in OPTIMIZERS or it.start not in STARTS:
        raise ValueError(f"The recipe asks for optimizer {it.optimizer!r} and start {it.start!r}.")
    return recipe
