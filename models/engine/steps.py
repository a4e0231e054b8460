"""Evaluate, choose, tell, until the answer is over; with a draft, several tokens per evaluation.

A draft is evaluated together with the token before it, which gives the scores behind each of its tokens. The
model chooses from these one after the other: as long as it chooses what the draft says, the next ones are
those it would have come to by itself. So a draft changes how soon an answer is there, never which one.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from models.engine.draft import LONGEST, Continuations, Draft, continuations
from models.engine.job import Job
from models.engine.llama import N_BATCH, Llama, Status
from models.engine.loaded import Clock, Loaded
from models.engine.sampling import Scores, choose, logprob, mixed
from models.engine.slots import evict
from models.engine.textstream import TextStream
from models.errors import ModelError
from models.wire import CompletionRequest, Finish, Piece

SMALLEST_PIECE = 16  # Tokens. 60 ms at 300 tokens/s; smaller ones cost much more per token.


def answer(job: Job, loaded: Loaded, sequence: int, tokens: list[int], clock: Clock) -> Iterator[None]:
    """Answer the prompt ``tokens`` on ``sequence``. Yields where others may have a turn.

    A token is chosen right after its evaluation, before anyone else has one. The first draft is evaluated
    with the end of the prompt; each later one with the token chosen last.
    """
    llama, held = loaded.llama, loaded.held[sequence]
    speech = _speech(job, loaded, clock, room=loaded.context - len(tokens))
    while True:
        said = len(tokens)
        draft = _draft(speech, loaded, pending=said - len(held))
        tokens += draft.tokens
        rows = yield from evaluate(job, loaded, sequence, tokens, outputs=1 + len(draft.tokens))
        clock.answers()
        chosen = accepted = 0
        while speech.finish is None:
            token = speech.choose(llama.logits(accepted - rows))
            chosen += 1
            if rows <= chosen or token != draft.tokens[accepted] or job.cancelled:
                break
            accepted += 1
        del tokens[said + accepted :]
        if len(tokens) < len(held):
            loaded.cut(sequence, len(tokens))
        clock.chose(chosen)
        if 1 < rows:
            clock.drafted_batch(rows - 1, accepted)
            loaded.draft_size = loaded.draft_size.judged(draft, min(chosen, rows - 1), accepted)
        if speech.finish is not None:
            speech.end()
            return
        tokens.append(speech.token)
        yield


@dataclass(slots=True, kw_only=True)
class _Speech:
    """What was said so far and what may be said yet."""

    job: Job
    llama: Llama
    clock: Clock
    room: int
    """Tokens the answer may have."""
    weight: float
    """How much the candidates count beside the model."""
    memory: Continuations
    stream: TextStream
    rng: np.random.Generator
    token: int = -1
    """The one chosen last."""
    finish: Finish | None
    text: str = ""
    logprobs: list[float] = field(default_factory=list)

    def choose(self, scores: Scores) -> int:
        """The next token, told as soon as its text is certain; ``finish`` says whether it was the last."""
        sampling = self.job.request.sampling
        shares = self.memory.next_tokens() if self.weight else {}
        if shares:
            scores = mixed(scores, shares, self.weight)
        token = self.token = choose(scores, sampling, self.rng)
        if self.llama.is_end(token):
            self.finish = "stop"
            return token
        if sampling.logprobs:
            self.logprobs.append(logprob(scores, token))
        self.clock.produced += 1
        self.text += self.stream.feed(self.llama.piece(token))
        if self.stream.stopped:
            self.finish = "stop"
        elif self.clock.produced == self.room:
            self.finish = "length"
        elif self.text:
            self._tell()
        if self.memory.left:
            self.memory = self.memory.after(token, self.llama)
        return token

    def end(self) -> None:
        """Tell what was held back, and that this was all."""
        self.text += self.stream.rest()
        self._tell()

    def _tell(self) -> None:
        usage = self.clock.usage(self.job.load_ms)
        piece = Piece(text=self.text, logprobs=tuple(self.logprobs), finish=self.finish, usage=usage)
        self.job.on_piece(piece)
        self.text = ""
        self.logprobs.clear()


def _speech(job: Job, loaded: Loaded, clock: Clock, room: int) -> _Speech:
    request = job.request
    memory, weight = Continuations(), 0.0
    if isinstance(request, CompletionRequest) and request.candidates:
        memory = continuations(request.candidates, loaded.llama)
        weight = job.spec.memory_weight if request.memory_weight is None else request.memory_weight
    room = min(request.sampling.max_tokens, room)
    return _Speech(
        job=job,
        llama=loaded.llama,
        clock=clock,
        room=room,
        weight=weight,
        memory=memory,
        stream=TextStream(request.sampling.stop),
        rng=np.random.default_rng(request.sampling.seed),
        finish=None if 0 < room else "length",
    )


def _draft(speech: _Speech, loaded: Loaded, pending: int) -> Draft:
    """What to evaluate ahead, behind ``pending`` tokens that must be evaluated anyway."""
    longest = min(speech.room - speech.clock.produced - 1, LONGEST)
    if not speech.memory.left or longest < 1 or not loaded.llama.has_positions:
        return Draft()
    draft = speech.memory.draft(longest)
    size = loaded.draft_size.size(draft, pending=pending)
    if draft.tokens and not size:
        loaded.draft_size = loaded.draft_size.passed(draft)
    return replace(draft, tokens=draft.tokens[:size])


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
            yield from _make_room(job, loaded, sequence)
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
                loaded.draft_size = loaded.draft_size.measured(outputs, _ms_since(started))
        if len(held) < len(target):
            yield
    return outputs


def _make_room(job: Job, loaded: Loaded, sequence: int) -> Iterator[None]:
    """Forget a sequence that nobody uses, or that a job with a lesser claim uses: it will start over.

    Where there is none, ``job`` itself starts over, once another job has ended.
    """
    victim = evict(loaded.slots(), keep=sequence)
    if victim is None:
        lesser = [it for it in loaded.busy if loaded.held[it] and job.claim < loaded.busy[it].claim]
        victim = max(lesser, key=lambda it: loaded.busy[it].claim, default=None)
    if victim is not None:
        loaded.cut(victim, 0)
        return
    if len(loaded.busy) == 1:
        raise ModelError("The context memory is full; ask with a shorter prompt, or allow more context.")
    loaded.cut(sequence, 0)
    ended = loaded.ended
    while loaded.ended == ended:
        yield


def _ms_since(started: float) -> float:
    return (time.perf_counter() - started) * 1000
