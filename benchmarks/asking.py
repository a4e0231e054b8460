"""What measurements of the engine's worker share: ask it, wait, see what an answer cost, cancel."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

from models.engine.job import Job
from models.engine.worker import Worker
from models.spec import ModelSpec
from models.wire import ChatRequest, CompletionRequest, Piece, Usage


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Asked:
    """A request under way."""

    job: Job
    begun: threading.Event
    """It has told its first piece."""
    over: threading.Event
    pieces: list[Piece]
    problems: list[Exception]

    @property
    def usage(self) -> Usage:
        """Wait for its end. Raises what went wrong."""
        self.over.wait()
        if self.problems:
            raise self.problems[0]
        usage = self.pieces[-1].usage
        assert usage is not None
        return usage


def submit(worker: Worker, spec: ModelSpec, request: CompletionRequest | ChatRequest) -> Asked:
    """Put it into the queue."""
    pieces: list[Piece] = []
    problems: list[Exception] = []
    begun, over = threading.Event(), threading.Event()

    def heard(piece: Piece) -> None:
        pieces.append(piece)
        begun.set()
        if piece.finish:
            over.set()

    def failed(problem: Exception) -> None:
        problems.append(problem)
        begun.set()
        over.set()

    job = Job(request=request, spec=spec, on_piece=heard, on_error=failed)
    worker.submit(job)
    return Asked(job=job, begun=begun, over=over, pieces=pieces, problems=problems)


def ask(worker: Worker, spec: ModelSpec, request: CompletionRequest | ChatRequest) -> Usage:
    """What one answer cost. Raises what went wrong."""
    return submit(worker, spec, request).usage


def cancel(worker: Worker, asked: Asked) -> float:
    """Milliseconds from the wish to the end of the work."""
    before = worker.metrics.cancelled
    started = time.perf_counter()
    worker.cancel(asked.job)
    while worker.metrics.cancelled == before and not asked.over.is_set():
        time.sleep(0.0001)
    return (time.perf_counter() - started) * 1000
