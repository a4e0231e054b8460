"""Frozen descriptions of a model file and of a place that serves models."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Dialect = Literal["hearth", "openai", "anthropic"]
"""How a server speaks. ``hearth``: OpenAI's dialect with what our engine adds to it."""
LimitField = Literal["max_tokens", "max_completion_tokens"]

THINKING_TOKENS = 8192  # Room beside the answer for models that think first: it counts like the answer.

# This machine, by the address as it is written: a name may lead elsewhere, and to ask where sends a packet.
_BYTE = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_LOCAL = rf"https?://(?:localhost|127(?:\.{_BYTE}){{3}}|\[::1\])(?::[0-9]{{1,5}})?(?:/[!-~]*)?"


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
class KeySource:
    """Where a server's key is, in the order of looking; never the key itself."""

    variable: str = ""
    """An environment variable."""
    service: str = ""
    account: str = ""
    """An entry of the system's keyring."""
    required: bool = True
    """Whether there is nothing to ask without one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """What a million tokens cost, as the user has written it down."""

    input: float
    output: float
    currency: str = "USD"


@dataclass(frozen=True, slots=True, kw_only=True)
class BackendSpec:
    """A model server, how it speaks, and the model to ask it for.

    Exactly one of ``socket`` (a Unix socket) and ``url`` is the address. ``token_file`` holds a bearer token,
    and ``key`` says where a key is, so that no secret ever stands in a value that may be printed.
    """

    model: str
    url: str = "http://engine"
    socket: Path | None = None
    token_file: Path | None = None
    name: str = ""
    """What sentences call it."""
    dialect: Dialect = "hearth"
    key: KeySource | None = None
    context_tokens: int | None = None
    """What it takes at once, prompt and answer; ``None``: not known."""
    prices: Prices | None = None
    limit_field: LimitField = "max_tokens"
    """What it calls the most tokens of an answer."""
    thinks: str = ""
    """A pattern of its models that think before they answer: they choose their own temperature."""

    @property
    def is_local(self) -> bool:
        """Whether nothing leaves this machine. Everything else needs the user's permission."""
        written = re.fullmatch(_LOCAL, self.url, re.ASCII | re.IGNORECASE)
        return self.socket is not None or written is not None

    def is_thinking(self, model: str) -> bool:
        """Whether a model thinks before it answers."""
        return bool(self.thinks) and re.match(self.thinks, model) is not None

    def answer_tokens(self, model: str, most: int) -> int:
        """The limit to send for answers of ``most`` tokens: what is thought counts, and is not seen."""
        return most + THINKING_TOKENS if self.is_thinking(model) else most
