"""A model's card in its folder, and by whom the model is to be run; nothing of it is loaded for that."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from codeindex.model_card import CARD, Card, Shape, parse_card
from models.errors import ModelError

MOST_CARD = 1_000_000  # Bytes.
STATIC_TEXTS = 512
BATCH_TEXTS = 8  # Measured: what a batch computes stays in the cache, 20 to 40 % faster than 32 at once.
MOST_READERS = 4  # Processes: they read tables faster than one can write what comes of it.


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """An embedder that somebody else is to load."""

    folder: Path
    threads: int
    processes: int
    """How many may have it loaded: a table is read by one thread, a graph computes in many."""


def read_card(folder: Path) -> Card:
    """The card of the model in this folder, its files not looked at; ``ModelError`` if there is none."""
    path = folder / CARD
    try:
        if not path.is_file() or MOST_CARD < path.stat().st_size:
            raise ModelError(f"There is no {CARD} in {folder}.")
        raw = json.loads(path.read_bytes())
    except OSError as exc:
        raise ModelError(f"The {CARD} in {folder} cannot be read: {exc.strerror}.") from exc
    except (ValueError, RecursionError) as exc:
        raise ModelError(f"The {CARD} in {folder} is not JSON.") from exc
    return parse_card(raw)


def batch_of(card: Card) -> int:
    """How many texts to give at once: a fraction of a second's work, so that one can stop in between."""
    return STATIC_TEXTS if card.kind is Shape.STATIC else BATCH_TEXTS


def model_of(folder: Path, card: Card, processors: int) -> Model:
    """How the model in this folder makes the best of so many processors."""
    if card.kind is Shape.STATIC:
        return Model(folder=folder, threads=1, processes=min(processors, MOST_READERS))
    return Model(folder=folder, threads=processors, processes=1)
