"""Pure: the values that the parts of chat share."""

from __future__ import annotations

from typing import Literal

Tier = Literal["extractive", "local", "cloud"]
"""Who answers: the code itself, a model on this machine, or one elsewhere."""
Task = Literal[
    "ask", "explain", "document", "tests", "fix", "refactor", "review", "summarize", "architecture"
]
"""What is asked for."""
