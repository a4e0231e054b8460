"""Several answers to one prompt: its KV is shared, they differ from their first token on, and go on together.

Sharing the prompt is metadata only, and a batch with one token of each answer costs little more than a batch
with one token: three answers take about twice the time of one.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass

from models.engine.evaluate import evaluate, make_room
from models.engine.job import Job
from models.engine.llama import Status
from models.engine.loaded import Loaded
from models.engine.slots import evict
from models.engine.speech import Speech
from models.wire import CompletionRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class _Branch:
    """One of the answers: where it is evaluated, and all of its tokens."""

    sequence: int
    tokens: list[int]
    speech: Speech


def together(
    job: Job, loaded: Loaded, sequence: int, tokens: list[int], speech: Speech
) -> Generator[None, None, None]:
    """Go on with ``speech``, which has chosen its first token behind ``tokens``, and with others beside it.

    As many as there are sequences for: fewer answers are better than none.
    """
    branches = [_Branch(sequence=sequence, tokens=[*tokens, speech.token], speech=speech)]
    try:
        _fork(job, loaded, branches, tokens)
        job.choices = len(branches)
        for it in branches:
            it.speech.go()
        ended: set[int] = set()
        while True:
            for it in branches:
                if it.speech.finish is not None and it.sequence not in ended:
                    ended.add(it.sequence)
                    it.speech.end()
            live = [it for it in branches if it.sequence not in ended]
            if not live:
                return
            yield
            yield from _step(job, loaded, live)
    finally:
        for it in branches[1:]:
            loaded.cut(it.sequence, 0)
            del loaded.busy[it.sequence]


def _fork(job: Job, loaded: Loaded, branches: list[_Branch], tokens: list[int]) -> None:
    first = branches[0]
    assert isinstance(job.request, CompletionRequest)
    free = loaded.free_sequences(job)
    for other in first.speech.others(min(job.request.choices - 1, len(free))):
        target = free.pop(0)
        loaded.cut(target, 0)
        if not loaded.llama.share(first.sequence, target, len(tokens)):
            return
        loaded.held[target] += tokens
        loaded.busy[target] = job
        branches.append(_Branch(sequence=target, tokens=[*tokens, other.token], speech=other))


def _step(job: Job, loaded: Loaded, live: list[_Branch]) -> Iterator[None]:
    """One more token for each; all are evaluated in one batch, behind which nothing is yielded."""
    llama = loaded.llama
    status = Status.ABORTED
    while status != Status.OK:
        yield from _hold(job, loaded, live)
        status = llama.evaluate_together([(it.sequence, len(it.tokens) - 1, it.tokens[-1]) for it in live])
        if status == Status.OK:
            break
        for it in live:
            loaded.cut(it.sequence, len(it.tokens) - 1)
        if status == Status.FULL and not _give_up(loaded, live):
            yield from make_room(job, loaded, live[0].sequence)
        yield
    for it in live:
        loaded.held[it.sequence].append(it.tokens[-1])
    for row, it in enumerate(live):
        it.speech.choose(llama.logits(row - len(live)))
        if it.speech.finish is None:
            it.tokens.append(it.speech.token)


def _give_up(loaded: Loaded, live: list[_Branch]) -> bool:
    """The memory is full: forget what nobody uses, or end the last of the answers; false if there is one."""
    victim = evict(loaded.slots(), keep=live[0].sequence)
    if victim is not None:
        loaded.cut(victim, 0)
        return True
    if len(live) == 1:
        return False
    last = live.pop()
    last.speech.finish = "length"
    loaded.cut(last.sequence, 0)
    return True


def _hold(job: Job, loaded: Loaded, live: list[_Branch]) -> Iterator[None]:
    """Bring all to hold all but their last token: a more urgent job may have taken the memory of some."""
    while True:
        lacking = [it for it in live if len(loaded.held[it.sequence]) < len(it.tokens) - 1]
        if not lacking:
            return
        yield from evaluate(job, loaded, lacking[0].sequence, lacking[0].tokens[:-1], outputs=1)
