"""The embedder's numbers, read from ``embedder.toml``."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

RECIPE: Final = Path(__file__).with_name("embedder.toml")


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbedderRecipe:
    """What the table is made with; the file says what each number means."""

    vocabulary: int
    longest_word: int
    tokens: int
    dimensions: int
    start: str
    temperature: float
    batch: int
    clump: int
    epochs: float
    rate: float
    weight_rate: float
    warm_up: int
    hidden: float
    seed: int
    kinds: Mapping[str, float]


def load_embedder_recipe(path: Path = RECIPE, changed: Mapping[str, Any] | None = None) -> EmbedderRecipe:
    """The recipe, with some of its numbers changed for a trial; ``kinds.name`` is one of those of kinds."""
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    kinds = table.pop("kinds")
    for name, value in (changed or {}).items():
        inside, _, kind = name.rpartition(".")
        if inside == "kinds":
            kinds[kind] = value
        else:
            table[name] = value
    return EmbedderRecipe(**table, kinds=kinds)
