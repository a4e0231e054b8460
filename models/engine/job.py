"""One request on its way through the worker: what is asked, who is told, whether it still matters."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from models.errors import ModelError
from models.spec import ModelSpec
from models.wire import ChatRequest, CompletionRequest, Piece, Priority

RANK: dict[Priority, int] = {"typing": 0, "chat": 1, "prefill": 2, "background": 3}


class Unavailable(ModelError):
    """There is no room now, or soon nobody to answer."""


@dataclass(slots=True, kw_only=True, eq=False)
class Job:
    """A request in the worker's hands. ``cancelled`` may be set by any thread; the rest is the worker's.

    ``on_piece`` and ``on_error`` are called on the worker's thread; exactly one of a last piece (with
    ``finish``) and an error ends the job, unless it was cancelled.
    """

    request: CompletionRequest | ChatRequest
    spec: ModelSpec
    on_piece: Callable[[Piece], None]
    on_error: Callable[[Exception], None]
    cancelled: bool = False
    created: float = field(default_factory=time.perf_counter)
    load_ms: float = 0.0
    choices: int = 1
    """How many answers it gives, and so how many last pieces: fixed before the first one is told."""

    @property
    def rank(self) -> int:
        """Smaller is more urgent."""
        return RANK[self.request.priority]

    @property
    def spares(self) -> bool:
        """Whether it would rather fail than cost ghost text its place in the memory: it is only a guess."""
        return self.rank == RANK["prefill"]

    @property
    def claim(self) -> tuple[int, float]:
        """The smaller one comes first where two jobs want the same."""
        return self.rank, self.created
