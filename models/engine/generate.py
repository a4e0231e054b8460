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

from models.engine.job import Job
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

MIN_ANSWER = 16  # Tokens. A prompt may fill the context only so far that an answer of this size still fits.


class NoSlot(Exception):
    """All sequences are in use; ask again when one is free."""


class BadRequest(ModelError):
    """The request asks what this model cannot do; the message says what."""


@dataclass(slots=True, kw_only=True)
class Loaded:
    """A model in memory and what its sequences hold."""

    spec: ModelSpec
    llama: Llama
    held: list[list[int]]
    """Tokens in the KV, per sequence."""
    busy: set[int] = field(default_factory=set)
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

    Raises ``NoSlot`` at the first step, ``ModelError`` when the request or the model is at fault.
    """
    clock = Clock(queue_ms=(time.perf_counter() - job.created) * 1000 - job.load_ms)
    started = time.perf_counter()
    prompt = _prompt(job.request, loaded)
    sequence = _acquire(loaded, prompt, clock)
    try:
        for _ in _evaluate(loaded, sequence, prompt):
            clock.prompt_ms += _lap(started)
            yield
            started = time.perf_counter()
        clock.prompt_ms += _lap(started)
        yield from _decode(job, loaded, sequence, len(prompt), clock)
        return clock
    finally:
        loaded.busy.discard(sequence)
        loaded.last_used = time.monotonic()


def _decode(job: Job, loaded: Loaded, sequence: int, prompt_tokens: int, clock: Clock) -> Iterator[None]:
    """Choose, tell, evaluate. A token is chosen right after its evaluation, before anyone else has a turn."""
    llama, sampling = loaded.llama, job.request.sampling
    rng = np.random.default_rng(sampling.seed)
    stream = TextStream(sampling.stop)
    room = min(sampling.max_tokens, loaded.context - prompt_tokens)
    finish: Finish = "length"
    text = ""
    logprobs: list[float] = []
    started = time.perf_counter()
    while clock.produced < room:
        scores = llama.logits(-1)
        token = choose(scores, sampling, rng)
        if token in llama.ends:
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
        clock.decode_ms += _lap(started)
        yield
        started = time.perf_counter()
        for _ in _evaluate(loaded, sequence, [*loaded.held[sequence], token]):
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


def _evaluate(loaded: Loaded, sequence: int, target: Sequence[int]) -> Iterator[None]:
    """Bring ``sequence`` to hold ``target``, the logits of its last token ready. Yields where others may go.

    After a yield somebody else may have used the model, so the last token is evaluated last of all, and
    nothing is yielded behind it.
    """
    llama, held = loaded.llama, loaded.held[sequence]
    while len(held) < len(target):
        done = len(held)
        chunk = target[done : done + N_BATCH]
        final = done + len(chunk) == len(target)
        try:
            status = llama.evaluate(sequence, done, chunk, outputs=1 if final else 0)
        except ModelError:
            llama.trim(sequence, 0)
            held.clear()
            raise
        if status == Status.FULL:
            _make_room(loaded, sequence)
        elif status == Status.ABORTED:
            held += target[done : llama.length(sequence)]
            if len(held) == len(target):  # Evaluated, but the logits are gone: the last token goes again.
                held.pop()
                llama.trim(sequence, len(held))
        else:
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
    return tokens or [_start_token(llama)]


def _start_token(llama: Llama) -> int:
    """Something to begin with when the prompt is empty: a model must see at least one token."""
    return min(llama.ends) if llama.bos is None else llama.bos


def _chat_prompt(request: ChatRequest, loaded: Loaded) -> list[int]:
    llama = loaded.llama
    if llama.chat_template is None:
        raise BadRequest(f"{loaded.spec.name} is not made for chat: its file carries no chat template.")

    def special_text(name: str) -> str:
        identity = loaded.llama.metadata(f"tokenizer.ggml.{name}_token_id")
        return llama.text_of(int(identity)) if identity and identity.isdigit() else ""

    def tokenize(text: str, special: bool) -> list[int]:
        return llama.tokenize(text, special=special)

    tokens = chat_prompt(request.messages, llama.chat_template, special_text, tokenize)
    if llama.bos is not None and tokens[:1] != [llama.bos]:
        tokens.insert(0, llama.bos)
    return tokens


def _acquire(loaded: Loaded, prompt: Sequence[int], clock: Clock) -> int:
    """Take the best sequence for ``prompt`` and cut it back to what the two have in common."""
    choice = choose_slot(loaded.slots(), prompt)
    if choice is None:
        raise NoSlot
    sequence = choice.sequence
    if choice.source is not None:
        loaded.llama.trim(sequence, 0)
        loaded.llama.share(choice.source, sequence, choice.keep)
        loaded.held[sequence] = list(loaded.held[choice.source][: choice.keep])
    elif loaded.llama.trim(sequence, choice.keep):
        del loaded.held[sequence][choice.keep :]
    else:
        loaded.held[sequence].clear()
    loaded.busy.add(sequence)
    loaded.clock += 1
    loaded.used[sequence] = loaded.clock
    clock.prompt = len(prompt)
    clock.cached = len(loaded.held[sequence])
    return sequence


def _make_room(loaded: Loaded, sequence: int) -> None:
    victim = evict(loaded.slots(), keep=sequence)
    if victim is None:
        raise ModelError("The context memory is full; wait for the other answers, or allow more context.")
    loaded.llama.trim(victim, 0)
    loaded.held[victim].clear()


def _lap(started: float) -> float:
    return (time.perf_counter() - started) * 1000
