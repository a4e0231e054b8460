"""Bare decode steps, each one `llama_decode` of one token: `python -m benchmarks.keystrokes.bare MODEL …`."""

from __future__ import annotations

import random
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.keystrokes.child import serve
from models.engine.llama import N_BATCH, Limits, Llama
from models.engine.worker import default_threads


class Steps:
    """A model with a context of the wanted length, and steps behind it."""

    def __init__(self, model: Path, context: int, threads: int) -> None:
        limits = Limits(context_tokens=context, sequences=1, threads=threads or default_threads())
        self._llama = Llama(model, limits, lambda _: True)
        self._length = -1

    def answer(self, question: Mapping[str, Any]) -> dict[str, float]:
        """So many steps behind so many tokens of context: milliseconds in all."""
        length, steps = int(question["context"]), int(question["steps"])
        llama = self._llama
        tokens = random.Random(length)
        if length != self._length:
            llama.trim(0, 0)
            for at in range(0, length, N_BATCH):
                piece = [tokens.randrange(llama.n_vocab // 2) for _ in range(min(N_BATCH, length - at))]
                llama.evaluate(0, at, piece, outputs=1)
            self._length = length
        started = time.perf_counter()
        for at in range(length, length + steps):
            llama.evaluate(0, at, [tokens.randrange(llama.n_vocab // 2)], outputs=1)
            llama.logits(-1)  # Waits until it is done.
        took = (time.perf_counter() - started) * 1000
        llama.trim(0, length)
        return {"ms": took}


if __name__ == "__main__":
    serve(Steps, __doc__)
