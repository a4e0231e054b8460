"""The limits and thresholds of ghost text, resolved by the caller: nothing here has a default."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

CHARACTERS_PER_TOKEN = 3
"""Measured on source files: 3.4 to 5.1 with Qwen2.5's vocabulary, 2.3 to 4.1 with one of 4,096 tokens. The
engine counts exactly and cuts what is too long; guessing low keeps the prompt short, which is time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CompletionConfig:
    """How much to look at, how much to write, and how sure to be."""

    enabled: bool
    """Whether ghost text is shown at all."""
    max_tokens: int
    """The longest suggestion, in tokens of the model."""
    max_lines: int
    """The longest block, in lines; 1 keeps every suggestion on the cursor's line."""
    prefix_tokens: int
    """How much of the text before the cursor the model sees, about, in tokens."""
    suffix_tokens: int
    """How much of the text after the cursor the model sees, about, in tokens."""
    middle_tokens: int
    """How much may be typed behind an anchor, about, in tokens, before a new one is made ready."""
    snippet_tokens: int
    """How much text of other files the model sees, about, in tokens."""
    anchor_lines: int
    """How many lines above the cursor's line the middle begins at most. From the model's card."""
    pause_ms: int
    """How long to wait before the model is asked, so that fast typing asks once; explicit requests do not."""
    deadline_ms: int
    """When to stop waiting for the model and take the whole lines that are there."""
    confidence_threshold: float
    """Below this mean token probability a suggestion is not worth showing; from the model's card."""
    model_trust: float
    """How likely a suggestion is exactly right, as a share of its confidence, where nothing else tells."""
    model_chance: Mapping[str, float]
    """The same by more than the confidence: weights for ``completion/chance.py``; empty if not measured."""
    memory_at_once: float
    """From this chance of being exactly right on, the project memory answers, and the model is not asked."""
    chance_threshold: float
    """Below this chance of being exactly right nothing is worth showing, if the chance is known."""

    @property
    def prefix_characters(self) -> int:
        """The prefix budget in characters."""
        return self.prefix_tokens * CHARACTERS_PER_TOKEN

    @property
    def middle_characters(self) -> int:
        """The same for the middle."""
        return self.middle_tokens * CHARACTERS_PER_TOKEN

    @property
    def suffix_characters(self) -> int:
        """The suffix budget in characters."""
        return self.suffix_tokens * CHARACTERS_PER_TOKEN
