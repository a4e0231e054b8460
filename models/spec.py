"""Frozen descriptions of a model file and of a place that serves models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSpec:
    """One model that can be loaded: a name people type and the file it stands for."""

    name: str
    path: Path
    title: str
    """One line for people: what it is and what it is good for."""
    context_tokens: int | None = None
    """The context to allocate, in tokens; ``None`` lets the engine choose from the file's metadata."""
    trained_tokens: int | None = None
    """The context it was trained on, if that is known before the file is read (from the model's card)."""
    anchor_lines: int = 0
    """How many lines above the cursor's line the prompt's middle begins (from the model's card).

    0 puts it at the cursor, as models are usually asked. A small model that has learned little but to copy
    needs the lines before the cursor in one piece with what it writes.
    """
    confidence_threshold: float = 0.0
    """Suggestions below this mean token probability are not worth showing (from the model's card)."""
    trust: float = 0.5
    """How likely a line is exactly right, as a share of its confidence, where ``chance`` does not tell.

    Half is a guess, to be replaced by a measurement.
    """
    chance: Mapping[str, float] = field(default_factory=dict)
    """How likely its line is exactly right: weights by the names of ``completion/chance.py``, from its card.

    Empty for a model without them: then it is ``trust`` times the confidence.
    """
    memory_weight: float = 0.0
    """How much a request's candidates count beside the model's own probabilities, 0 to 1 (from its card).

    A small model gains from what the project has shown before; a large one knows better by itself.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class BackendSpec:
    """A server that speaks the OpenAI dialect, and the model to ask it for.

    Exactly one of ``socket`` (a Unix socket) and ``url`` is the address. ``token_file`` holds a bearer token,
    so that no secret ever stands in a value that may be printed.
    """

    model: str
    url: str = "http://engine"
    socket: Path | None = None
    token_file: Path | None = None
