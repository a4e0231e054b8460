"""llama-cpp-python's own completion with a suffix: `python -m benchmarks.keystrokes.python_peer MODEL …`."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from llama_cpp import Llama

from benchmarks.keystrokes.child import serve
from models.engine.worker import default_threads


class Peer:
    """One `llama_cpp.Llama`, as its README says to use it."""

    def __init__(self, model: Path, context: int, threads: int) -> None:
        threads = threads or default_threads()
        self._llama = Llama(
            str(model), n_ctx=context, n_threads=threads, n_threads_batch=threads, verbose=False
        )
        self._evaluate = self._llama.eval
        self._llama.eval = self._counted
        self._evaluated: list[int] = []

    def answer(self, question: Mapping[str, Any]) -> dict[str, float | str]:
        """One completion: milliseconds to its first text and to its end, tokens evaluated and said."""
        self._evaluated = []
        started = time.perf_counter()
        first, text = 0.0, ""
        for piece in self._llama.create_completion(
            question["prompt"],
            suffix=question["suffix"],
            max_tokens=question["tokens"],
            temperature=0.0,
            stream=True,
        ):
            first = first or time.perf_counter() - started
            text += piece["choices"][0]["text"]
        took = time.perf_counter() - started
        ones = len(self._evaluated) - 1  # Each token said but the last is evaluated; before them the prompt.
        return {
            "ms": took * 1000,
            "first_ms": first * 1000,
            "new": self._evaluated[0] if self._evaluated else 0,
            "produced": ones + 1,
            "text": text,
        }

    def _counted(self, tokens: Sequence[int]) -> None:
        self._evaluated.append(len(tokens))
        self._evaluate(tokens)


if __name__ == "__main__":
    serve(Peer, __doc__)
