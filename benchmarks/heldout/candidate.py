"""A model to judge: the bundled one, or a file with the card that it would have in its place."""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import replace
from pathlib import Path

from models import registry
from models.spec import ModelSpec

CARDS = ("{stem}.toml", "starter.toml")


def candidate(name: str, card: Path | None = None) -> ModelSpec:
    """The model with its card: ``card``, or one beside the file, named like it or like the starter's.

    A file without a card is what the product takes it for: a model of which nothing is known.
    """
    spec = registry.find(name)
    if card is None and spec.name != registry.STARTER:
        beside = (spec.path.with_name(it.format(stem=spec.path.stem)) for it in CARDS)
        card = next((it for it in beside if it.is_file()), None)
    if card is None:
        return spec
    known = tomllib.loads(card.read_text("utf-8"))
    return replace(
        spec,
        trained_tokens=known.get("context_tokens"),
        anchor_lines=known.get("anchor_lines_above", 0),
        confidence_threshold=known.get("confidence_threshold", 0.0),
        memory_weight=known.get("memory_weight", 0.0),
        chance=known.get("chance", {}),
    )


def fingerprint(spec: ModelSpec) -> dict[str, str]:
    """What tells the model and its card from others: hashes of the file, and of what the card says."""
    card = [spec.trained_tokens, spec.anchor_lines, spec.confidence_threshold, spec.memory_weight]
    said = repr([*card, sorted(spec.chance.items())])
    return {
        "model": spec.path.name,
        "sha256": hashlib.sha256(spec.path.read_bytes()).hexdigest(),
        "card": hashlib.sha256(said.encode()).hexdigest()[:12],
    }
