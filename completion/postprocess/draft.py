"""What goes from step to step: the text so far."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from completion.spot import Spot
from completion.trigger import Trigger


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A suggestion in the making."""

    text: str
    replace_after: int = 0
    """How many code points behind the cursor the text takes the place of: none, or the rest of the line."""
    reason: str = ""
    """Why nothing is left, in one word."""


Step = Callable[[Draft, Spot, Trigger], Draft]
