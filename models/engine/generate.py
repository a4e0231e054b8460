"""From a prompt to an answer, one step at a time, on a loaded model.

``generate`` is a generator: each ``next`` is one decode step or one piece of prefill, so that the worker can
drop a job, or let a more urgent one go first, at any of these points. What was evaluated stays in the KV.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from models.engine.job import Job, Unavailable
from models.engine.llama import N_BATCH, Llama, Status
from models.engine.sampling import choose, logprob
from models.engine.slots import Slot, choose_slot, evict
from models.engine.template import chat_prompt
from models.engine.textstream import TextStream
from models.engine.vocabulary import FimText, fim_prompt
from models.errors import ModelError
from models.spec import ModelSpec
from models.wire import ChatRequest, CompletionRequest, Finish, Piece, Usage

logger = logging.getLogger(__name__)

SMALLEST_PIECE = 16  # Tokens. 60 ms at 300 tokens/s; smaller ones cost much more per token.
MIN_ANSWER = 16  # Tokens. A prompt may fill the context only so far that an answer of this size still fits.


Stamp = tuple[int, int, int]
"""What tells one version of a file from another: its identity, size and time."""


class BadRequest(ModelError):
    """The request asks what this model cannot do; the message says what."""


@dataclass(slots=True, kw_only=True)
class Loaded:
    """A model in memory and what its sequences hold."""

    spec: ModelSpec
    llama: Llama
    stamp: Stamp | None
    held: list[list[int]]
    """Tokens in the KV, per sequence."""
    busy: dict[int, Job] = field(default_factory=dict)
    """Who uses a sequence now."""
    ended: int = 0
    """How many jobs have given their sequence back."""
    used: list[int] = field(default_factory=list)
    clock: int = 0
    last_used: float = field(default_factory=time.monotonic)

    @property
    def context(self) -> int:
        """Tokens one request may take, prompt and answer together."""
        trained = self.llama.trained_context or self.llama.limits.context_tokens
        return min(trained, self.llama.limits.context_tokens)

    def slots(self) -> list[Slot]:
        return [
            Slot(sequence=index, tokens=tokens, busy=index in self.busy, used=self.used[index])
            for index, tokens in enumerate(self.held)
        ]


@dataclass(slots=True, kw_only=True)
class Clock:
    """Where the milliseconds of one job went."""

    queue_ms: float
    prompt_ms: float = 0.0
    decode_ms: float = 0.0
    cached: int = 0
    prompt: int = 0
    produced: int = 0


def generate(job: Job, loaded: Loaded) -> Generator[None, None, Clock]:
    """Answer ``job``, telling ``job.on_piece``. Yields between steps; closing the generator ends the job.

    Returns where the time went.

    Raises ``ModelError`` when the request or the model is at fault.
    """
    clock = Clock(queue_ms=(time.perf_counter() - job.created) * 1000 - job.load_ms)
    started = time.perf_counter()
    tokens = _prompt(job.request, loaded)
    sequence = _acquire(job, loaded, tokens, clock)
    try:
        for _ in _evaluate(job, loaded, sequence, tokens):
            clock.prompt_ms += _lap(started)
            yield
            started = time.perf_counter()
        clock.prompt_ms += _lap(started)
        yield from _decode(job, loaded, sequence, tokens, clock)
        return clock
    finally:
        del loaded.busy[sequence]
        loaded.ended += 1
        loaded.last_used = time.monotonic()


def _decode(job: Job, loaded: Loaded, sequence: int, tokens: list[int], clock: Clock) -> Iterator[None]:
    """Choose, tell, evaluate. A token is chosen right after its evaluation, before anyone else has a turn."""
    llama, sampling = loaded.llama, job.request.sampling
    rng = np.random.default_rng(sampling.seed)
    stream = TextStream(sampling.stop)
    room = min(sampling.max_tokens, loaded.context - len(tokens))
    finish: Finish = "length"
    text = ""
    logprobs: list[float] = []
    started = time.perf_counter()
    while clock.produced < room:
        scores = llama.logits(-1)
        token = choose(scores, sampling, rng)
        if llama.is_end(token):
            finish = "stop"
            break
        if sampling.logprobs:
            logprobs.append(logprob(scores, token))
        clock.produced += 1
        text += stream.feed(llama.piece(token))
        if stream.stopped:
            finish = "stop"
            break
        if clock.produced == room:
            break
        if text:
            job.on_piece(Piece(text=text, logprobs=tuple(logprobs), usage=_usage(job, clock)))
            text = ""
            logprobs.clear()
        tokens.append(token)
        clock.decode_ms += _lap(started)
        yield
        started = time.perf_counter()
        for _ in _evaluate(job, loaded, sequence, tokens):
            clock.decode_ms += _lap(started)
            yield
            started = time.perf_counter()
    clock.decode_ms += _lap(started)
    rest = text + stream.rest()
    job.on_piece(Piece(text=rest, logprobs=tuple(logprobs), finish=finish, usage=_usage(job, clock)))


def _usage(job: Job, clock: Clock) -> Usage:
    """What the answer has cost so far; said with each piece, for a caller may close the stream any time."""
    return Usage(
        prompt_tokens=clock.prompt,
        cached_tokens=clock.cached,
        completion_tokens=clock.produced,
        queue_ms=clock.queue_ms,
        load_ms=job.load_ms,
        prompt_ms=clock.prompt_ms,
        decode_ms=clock.decode_ms,
    )


def _evaluate(job: Job, loaded: Loaded, sequence: int, target: Sequence[int]) -> Iterator[None]:
    """Bring ``sequence`` to hold ``target``, the logits of its last token ready. Yields where others may go.

    After a yield somebody else may have used the model, and a more urgent job may have taken the sequence's
    memory, so the last token is evaluated last of all, and nothing is yielded behind it.

    Who is interrupted goes on in smaller pieces: somebody who types leaves gaps that a large one never fits.
    """
    llama, held = loaded.llama, loaded.held[sequence]
    size = N_BATCH
    while len(held) < len(target):
        done = len(held)
        chunk = target[done : done + size]
        final = done + len(chunk) == len(target)
        try:
            status = llama.evaluate(sequence, done, chunk, outputs=1 if final else 0)
        except ModelError:
            _cut(loaded, sequence, 0)
            raise
        if status == Status.FULL:
            yield from _make_room(job, loaded, sequence)
        elif status == Status.ABORTED:
            size = max(size // 4, SMALLEST_PIECE)
            held += target[done : llama.length(sequence)]
            if len(held) == len(target):  # Evaluated, but the logits are gone: the last token goes again.
                _cut(loaded, sequence, len(held) - 1)
        else:
            size = min(size * 2, N_BATCH)
            held += chunk
        if len(held) < len(target):
            yield


def _prompt(request: CompletionRequest | ChatRequest, loaded: Loaded) -> list[int]:
    llama = loaded.llama
    room = loaded.context - min(max(request.sampling.max_tokens, 1), max(loaded.context // 4, MIN_ANSWER))
    if isinstance(request, ChatRequest):
        tokens = _chat_prompt(request, loaded)
    elif request.suffix is None:
        tokens = [
            *([] if llama.bos is None else [llama.bos]),
            *llama.tokenize(request.prompt + request.middle),
        ]
    else:
        if not llama.fim.usable:
            raise BadRequest(
                f"{loaded.spec.name} cannot fill in between two texts; choose a code model that can."
            )
        text = FimText(
            prefix=request.prompt,
            suffix=request.suffix,
            middle=request.middle,
            path=request.path,
            repository=request.repository,
            snippets=tuple((it.path, it.text) for it in request.snippets),
        )
        tokens = fim_prompt(text, llama.fim, llama.bos, llama.tokenize, room)
    if loaded.context - 1 < len(tokens):
        raise BadRequest(
            f"The prompt has {len(tokens)} tokens; {loaded.spec.name} takes {loaded.context - 1}."
        )
    return tokens or [llama.end]  # A model must see at least one token.


def _chat_prompt(request: ChatRequest, loaded: Loaded) -> list[int]:
    llama = loaded.llama
    if llama.chat_template is None:
        raise BadRequest(f"{loaded.spec.name} is not made for chat: its file carries no chat template.")

    def special_text(name: str) -> str:
        identity = loaded.llama.metadata(f"tokenizer.ggml.{name}_token_id")
        return llama.text_of(int(identity)) if identity and identity.isdigit() else ""

    def tokenize(text: str, special: bool, goes_on: bool) -> list[int]:
        return llama.tokenize(text, special=special, goes_on=goes_on)

    tokens = chat_prompt(request.messages, llama.chat_template, special_text, tokenize)
    if llama.bos is not None and tokens[:1] != [llama.bos]:
        tokens.insert(0, llama.bos)
    return tokens


def _acquire(job: Job, loaded: Loaded, prompt: Sequence[int], clock: Clock) -> int:
    """Take the best sequence for ``prompt`` and cut it back to what the two have in common."""
    choice = choose_slot(loaded.slots(), prompt)
    if choice is None:
        raise Unavailable("All places of this model are taken; try again.")
    sequence = choice.sequence
    if choice.source is None:
        _cut(loaded, sequence, choice.keep)
    else:
        _cut(loaded, sequence, 0)
        if loaded.llama.share(choice.source, sequence, choice.keep):
            loaded.held[sequence] += loaded.held[choice.source][: choice.keep]
    loaded.busy[sequence] = job
    loaded.clock += 1
    loaded.used[sequence] = loaded.clock
    clock.prompt = len(prompt)
    clock.cached = len(loaded.held[sequence])
    return sequence


def _cut(loaded: Loaded, sequence: int, length: int) -> None:
    """Forget what follows ``length`` tokens; all of it where the architecture cannot forget a part."""
    kept = length if loaded.llama.trim(sequence, length) else 0
    del loaded.held[sequence][kept:]


def _make_room(job: Job, loaded: Loaded, sequence: int) -> Iterator[None]:
    """Forget a sequence that nobody uses, or that a job with a lesser claim uses: it will start over.

    Where there is none, ``job`` itself starts over, once another job has ended.
    """
    victim = evict(loaded.slots(), keep=sequence)
    if victim is None:
        lesser = [it for it in loaded.busy if loaded.held[it] and job.claim < loaded.busy[it].claim]
        victim = max(lesser, key=lambda it: loaded.busy[it].claim, default=None)
    if victim is not None:
        _cut(loaded, victim, 0)
        return
    if len(loaded.busy) == 1:
        raise ModelError("The context memory is full; ask with a shorter prompt, or allow more context.")
    _cut(loaded, sequence, 0)
    ended = loaded.ended
    while loaded.ended == ended:
        yield


def _lap(started: float) -> float:
    return (time.perf_counter() - started) * 1000
