"""From a prompt to an answer, one step at a time, on a loaded model.

``generate`` is a generator: each ``next`` is one decode step or one piece of prefill, so that the worker can
drop a job, or let a more urgent one go first, at any of these points. What was evaluated stays in the KV.
"""

from __future__ import annotations

import time
from collections.abc import Generator
from dataclasses import replace
from functools import partial

from models.engine.heal import held_back
from models.engine.job import RANK, Job, Unavailable
from models.engine.loaded import Clock, Loaded
from models.engine.slots import choose_slot
from models.engine.steps import answer
from models.engine.template import chat_prompt
from models.engine.vocabulary import FimText, Hold, Prompt, fim_prompt, hold_nothing, plain_prompt
from models.errors import ModelError
from models.wire import ChatRequest, CompletionRequest

MIN_ANSWER = 16  # Tokens. A prompt may fill the context only so far that an answer of this size still fits.


class BadRequest(ModelError):
    """The request asks what this model cannot do; the message says what."""


class TooLong(BadRequest):
    """The prompt does not fit."""


def generate(job: Job, loaded: Loaded, clock: Clock) -> Generator[None, None, None]:
    """Answer ``job``, telling ``job.on_piece``. Yields between steps; closing the generator ends the job.

    ``clock`` is told where the time goes. Raises ``ModelError`` when the request or the model is at fault.
    """
    clock.queue_ms = (time.perf_counter() - job.created) * 1000 - job.load_ms
    clock.start()
    prompt = _prompt(job.request, loaded)
    sequence = _acquire(job, loaded, prompt.tokens, clock)
    try:
        for _ in answer(job, loaded, sequence, prompt, clock):
            clock.lap()
            yield
            clock.start()
    finally:
        del loaded.busy[sequence]
        loaded.ended += 1
        loaded.last_used = time.monotonic()


def _prompt(request: CompletionRequest | ChatRequest, loaded: Loaded) -> Prompt:
    llama = loaded.llama
    room = loaded.context - min(max(request.sampling.max_tokens, 1), max(loaded.context // 4, MIN_ANSWER))

    hold: Hold = hold_nothing
    if isinstance(request, CompletionRequest) and request.heal:
        hold = partial(held_back, spelling=llama.spelling, cut_up=partial(llama.tokenize, goes_on=True))
    if isinstance(request, ChatRequest):
        prompt = Prompt(tokens=_chat_prompt(request, loaded))
    elif request.suffix is None:
        prompt = plain_prompt(llama.tokenize(request.prompt + request.middle), llama.bos, hold)
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
        prompt = fim_prompt(text, llama.fim, llama.bos, llama.tokenize, room, hold)
    size = len(prompt.tokens) + len(prompt.held)
    if loaded.context - 1 < size:
        raise TooLong(f"The prompt has {size} tokens; {loaded.spec.name} takes {loaded.context - 1}.")
    # A model must see at least one token.
    return prompt if prompt.tokens else replace(prompt, tokens=[llama.end])


def _chat_prompt(request: ChatRequest, loaded: Loaded) -> list[int]:
    llama = loaded.llama
    if llama.chat_template is None:
        raise BadRequest(f"{loaded.spec.name} is not made for chat: its file carries no chat template.")

    def special_text(name: str) -> str:
        identity = loaded.llama.metadata(f"tokenizer.ggml.{name}_token_id")
        return llama.text_of(int(identity)) if identity and identity.isdigit() else ""

    def tokenize(text: str, special: bool, goes_on: bool) -> list[int]:
        return llama.tokenize(text, special=special, goes_on=goes_on)

    tokens = chat_prompt(request.messages, llama.chat_template, special_text, tokenize, request.tools)
    if llama.bos is not None and tokens[:1] != [llama.bos]:
        tokens.insert(0, llama.bos)
    return tokens


def _acquire(job: Job, loaded: Loaded, prompt: list[int], clock: Clock) -> int:
    """Take the best sequence for ``prompt`` and cut it back to what the two have in common."""
    known = loaded.known_scores(prompt) is not None
    choice = choose_slot(loaded.slots(), prompt, again=not known, spare=job.spares)
    if choice is None:
        raise Unavailable("All places of this model are taken; try again.")
    sequence = choice.sequence
    if choice.source is None:
        loaded.cut(sequence, choice.keep)
    else:
        loaded.cut(sequence, 0)
        if loaded.llama.share(choice.source, sequence, choice.keep):
            loaded.held[sequence] += loaded.held[choice.source][: choice.keep]
    loaded.take(sequence, job)
    if job.rank <= RANK["chat"]:
        loaded.forget_idle()
    clock.prompt = len(prompt)
    clock.cached = len(loaded.held[sequence])
    return sequence
