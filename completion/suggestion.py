"""What comes out: ``Suggestion``, and the log-probabilities that say how sure the model was."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from models.wire import Piece, Usage

Source = Literal["model", "memory", "both"]
"""Who says so: the model, the project memory, or the one with the other's agreement."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """A line of the user's code."""

    path: str
    line: int
    """From 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """Text to show at the cursor, or ``text == ""`` and the ``reason`` why there is nothing to show."""

    text: str
    """With the line breaks of the document."""
    replace_after: int = 0
    """How many code points behind the cursor, on its line, the text takes the place of: none or all."""
    confidence: float = 0.0
    """The mean probability of the tokens worth showing; 1 if the server tells none, 0 without tokens.

    From the memory alone: the probability that the text is exactly right.
    """
    min_confidence: float = 0.0
    """The probability of the least certain one of them."""
    chance: float = 0.0
    """The probability that its first line is exactly right, as far as that is known."""
    evidence: tuple[float, ...] = ()
    """What the chance of a model's line follows from, in the order of ``chance.NAMES``."""
    source: Source = "model"
    cached: bool = False
    """Whether it is (the rest of) what was suggested before."""
    origin: Origin | None = None
    """For the memory's suggestions: one place where the text stands so; ``None`` if it stands nowhere."""
    others: tuple[Suggestion, ...] = ()
    """What else may stand here, best first, each with a text of its own; for those who ask by hand."""
    problem: str = ""
    """What kept the model from answering, as one sentence."""
    usage: Usage | None = None
    """What the answer cost, if the server told before it had said enough."""
    ms: float = 0.0
    """From the question to this answer."""
    first_ms: float = 0.0
    """From the question to the model's first piece."""
    reason: str
    """One word for logs: the trigger's reason if there is text, else what left nothing to show."""


def kept_logprobs(pieces: Iterable[Piece], said: str, shown: str, *, beyond: int = 0) -> list[float]:
    """The log-probabilities of the tokens whose text is still there in ``shown``, and of some ``beyond``.

    Cleaning cuts the end and moves blanks: ``shown`` has as many visible characters as are kept of ``said``.
    """
    end = _reach(said, sum(not it.isspace() for it in shown))
    kept: list[float] = []
    at = 0
    for piece in pieces:
        if end <= at:
            kept += piece.logprobs[:beyond]
            beyond -= len(piece.logprobs)
            if beyond <= 0:
                break
            continue
        kept += piece.logprobs
        at += len(piece.text)
    return kept


def probabilities(logprobs: Sequence[float]) -> tuple[float, float]:
    """Mean and least probability; a server that tells none is trusted."""
    values = [math.exp(min(it, 0.0)) for it in logprobs]
    return (math.fsum(values) / len(values), min(values)) if values else (1.0, 1.0)


def _reach(text: str, visible: int) -> int:
    """How much of ``text`` it takes to see so many characters that are not blank."""
    for at, character in enumerate(text):
        if not visible:
            return at
        visible -= not character.isspace()
    return len(text)
