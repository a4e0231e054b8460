"""What the worker says of one answer, in bundles: each time somebody is told, he is woken up for it.

Whoever waits is another thread, and behind it another process, on the cores that the model needs. So what
comes within a moment is told at once, by the worker itself: nobody is woken to find that there is more.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from models.wire import Piece

BUNDLE_S = 0.03
"""Two tokens of a small model on two cores, more on faster ones; less than an eye or a stop rule notices."""


class Telling:
    """The way of one answer's pieces from the worker's thread to those who wait for them.

    The first piece is told when it comes, and the last one and an error end what is held back. A piece in
    between waits for the next one, unless nothing was told for ``BUNDLE_S``: then it is told at once, as all
    pieces of a slow model are.
    """

    def __init__(
        self, tell: Callable[[Piece | Exception], None], now: Callable[[], float] = time.monotonic
    ) -> None:
        self._tell = tell
        self._now = now
        self._held: list[Piece] = []
        self._told = -math.inf

    def piece(self, piece: Piece) -> None:
        """Some more of the answer."""
        if self._held and self._held[-1].choice != piece.choice:
            self._let_go()
        self._held.append(piece)
        if piece.finish is not None or BUNDLE_S <= self._now() - self._told:
            self._let_go()

    def error(self, problem: Exception) -> None:
        """Why there is no more of it."""
        self._let_go()
        self._tell(problem)

    def _let_go(self) -> None:
        if self._held:
            held, self._held = self._held, []
            self._told = self._now()
            self._tell(joined(held))


def joined(pieces: Sequence[Piece]) -> Piece:
    """All pieces of one choice, at least one, as one."""
    if len(pieces) == 1:
        return pieces[0]
    logprobs = tuple(number for it in pieces for number in it.logprobs)
    return replace(pieces[-1], text="".join(it.text for it in pieces), logprobs=logprobs)
