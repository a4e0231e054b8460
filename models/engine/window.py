"""Pure: what stood behind the same tokens before. Code repeats itself, so the prompt itself can draft."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

SHORTEST = 2  # Tokens that must be the same: one alone, such as a comma, says nothing.
LONGEST_MATCH = 12  # Tokens to compare: who agrees in so many agrees.


class Window:
    """The tokens of a prompt and of its answer as far as it is chosen."""

    def __init__(self, tokens: Sequence[int], room: int) -> None:
        self._tokens = np.empty(len(tokens) + room, dtype=np.int32)
        self._tokens[: len(tokens)] = tokens
        self._size = len(tokens)

    def now(self, tokens: Sequence[int]) -> None:
        """The tokens are these by now: more at the end."""
        self._tokens[self._size : len(tokens)] = tokens[self._size :]
        self._size = len(tokens)

    def follows(self, limit: int) -> tuple[tuple[int, ...], int]:
        """At most ``limit`` tokens that stood behind the longest earlier match, and how long that match is.

        Of several equally long ones the last counts: it is nearest. Nothing where none is long enough.
        """
        tokens, size = self._tokens, self._size
        if size <= SHORTEST:
            return (), 0
        # Positions behind a match of one token; then those that match one more, as long as there are any.
        ends = np.flatnonzero(tokens[: size - 1] == tokens[size - 1]) + 1
        length = 1
        while length < LONGEST_MATCH:
            inside = ends[length < ends]
            longer = inside[tokens[inside - length - 1] == tokens[size - length - 1]]
            if not len(longer):
                break
            ends, length = longer, length + 1
        if length < SHORTEST or not len(ends):
            return (), 0
        at = int(ends[-1])
        return tuple(tokens[at : min(at + limit, size)].tolist()), length
