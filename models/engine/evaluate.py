"""Bring a sequence to hold some tokens, in turns with others, and make room for them where there is none."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator

from models.engine.job import Job, Unavailable
from models.engine.llama import N_BATCH, Status
from models.engine.loaded import Loaded
from models.engine.slots import evict
from models.errors import ModelError

SMALLEST_PIECE = 16  # Tokens. 60 ms at 300 tokens/s; smaller ones cost much more per token.


def evaluate(
    job: Job, loaded: Loaded, sequence: int, target: list[int], *, outputs: int
) -> Generator[None, None, int]:
    """Bring ``sequence`` to hold ``target``, the logits of its last ``outputs`` tokens ready.

    After a yield somebody else may have used the model, and a more urgent job may have taken the sequence's
    memory, so the last tokens are evaluated last of all, in one batch, and nothing is yielded behind it.

    Who is interrupted goes on in smaller pieces: somebody who types leaves gaps that a large one never fits.
    For the same reason, and so that no draft takes another's memory, what does not go at the first try goes
    without its draft, which is taken off ``target``. Returns how many rows of logits there are.
    """
    llama, held = loaded.llama, loaded.held[sequence]
    size = N_BATCH
    while len(held) < len(target):
        done = len(held)
        final = len(target) - done <= size
        chunk = target[done:] if final else target[done : min(done + size, len(target) - outputs)]
        started = time.perf_counter()
        try:
            status = llama.evaluate(sequence, done, chunk, outputs=outputs if final else 0)
        except ModelError:
            loaded.cut(sequence, 0)
            raise
        if status != Status.OK and final and 1 < outputs:
            del target[len(target) - outputs + 1 :]
            outputs = 1
            if status == Status.FULL:
                continue
        if status == Status.FULL:
            yield from make_room(job, loaded, sequence)
        elif status == Status.ABORTED:
            size = max(size // 4, SMALLEST_PIECE)
            held += chunk[: llama.length(sequence) - done]
            if len(target) <= len(held):  # Evaluated, but the logits are gone: the last token goes again.
                loaded.cut(sequence, len(target) - 1)
        else:
            size = min(size * 2, N_BATCH)
            held += chunk
            if len(chunk) == outputs:
                llama.logits(-1)  # Waits for a processor that computes beside this one.
                loaded.measured(outputs, _ms_since(started))
        if len(held) < len(target):
            yield
    return outputs


def make_room(job: Job, loaded: Loaded, sequence: int) -> Iterator[None]:
    """Forget a sequence that nobody uses, or that a job with a lesser claim uses: it will start over.

    Where there is none, ``job`` itself starts over, once another job has ended.
    """
    victim = evict(loaded.slots(), keep=sequence, spare=job.spares)
    if victim is None:
        lesser = [it for it in loaded.busy if loaded.held[it] and job.claim < loaded.busy[it].claim]
        victim = max(lesser, key=lambda it: loaded.busy[it].claim, default=None)
    if victim is not None:
        loaded.cut(victim, 0)
        return
    if job.spares and any(it.guarded and not it.busy for it in loaded.slots()):
        raise Unavailable("There is no room beside what somebody types; ask again later.")
    if all(it is job for it in loaded.busy.values()):
        raise ModelError("The context memory is full; ask with a shorter prompt, or allow more context.")
    loaded.cut(sequence, 0)
    ended = loaded.ended
    while loaded.ended == ended:
        yield


def _ms_since(started: float) -> float:
    return (time.perf_counter() - started) * 1000
