"""Evaluate, choose, tell, until the answer is over; with a draft, several tokens per evaluation.

A draft is evaluated together with the token before it, which gives the scores behind each of its tokens. The
model chooses from these one after the other: as long as it chooses what the draft says, the next ones are
those it would have come to by itself. So a draft changes how soon an answer is there, never which one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import takewhile

from models.engine.draft import LONGEST, Draft
from models.engine.evaluate import evaluate
from models.engine.job import Job
from models.engine.llama import Llama
from models.engine.loaded import Clock, Loaded
from models.engine.several import together
from models.engine.speech import Speech, begin
from models.engine.vocabulary import Prompt
from models.engine.window import Window
from models.wire import CompletionRequest


def answer(job: Job, loaded: Loaded, sequence: int, prompt: Prompt, clock: Clock) -> Iterator[None]:
    """Answer ``prompt`` on ``sequence``. Yields where others may have a turn.

    A token is chosen right after its evaluation, before anyone else has one. The first draft is evaluated
    with the end of the prompt; each later one with the token chosen last. Where the scores behind the prompt
    are still known, the first token takes no evaluation at all.
    """
    llama, held = loaded.llama, loaded.held[sequence]
    tokens = list(prompt.tokens)
    speech = begin(job, loaded, prompt, clock)
    window = Window(tokens, loaded.context - len(tokens))
    known = loaded.known_scores(tokens) if len(held) == len(tokens) else None
    while True:
        said = len(tokens)
        draft = Draft()
        if known is not None:
            rows = 1
        else:
            draft = _draft(speech, loaded, window, tokens, pending=said - len(held))
            tokens += draft.tokens
            rows = yield from evaluate(job, loaded, sequence, tokens, outputs=1 + len(draft.tokens))
            if said == len(prompt.tokens) and _heals(job):
                loaded.know_scores(prompt.tokens, llama.logits(-rows))
        clock.answers()
        chosen = accepted = 0
        while speech.finish is None:
            token = speech.choose(llama.logits(accepted - rows) if known is None else known)
            chosen += 1
            if rows <= chosen or speech.back or token != draft.tokens[accepted] or job.cancelled:
                break
            accepted += 1
        known = None
        del tokens[said + accepted - speech.back :]
        if len(tokens) < len(held):
            loaded.cut(sequence, len(tokens))
        clock.chose(chosen)
        if 1 < rows:
            clock.drafted_batch(rows - 1, accepted, window=bool(draft.match))
            loaded.draft_size = loaded.draft_size.judged(draft, min(chosen, rows - 1), accepted)
        if speech.at_a_fork:
            yield from together(job, loaded, sequence, tokens, speech)
            return
        if speech.finish is not None:
            speech.end()
            return
        tokens.append(speech.token)
        yield


def _heals(job: Job) -> bool:
    """Whether the same prompt may be asked with the next letter: what is typed is held back."""
    return isinstance(job.request, CompletionRequest) and job.request.heal


def _draft(speech: Speech, loaded: Loaded, window: Window, tokens: list[int], pending: int) -> Draft:
    """What to evaluate ahead, behind ``pending`` tokens that must be evaluated anyway.

    Candidates know what they are for; where none is left, what followed the same tokens before may follow.
    """
    longest = min(speech.room - speech.produced - 1, LONGEST)
    if longest < 1 or speech.waits or not loaded.llama.has_positions:
        return Draft()
    draft = speech.memory.draft(longest) if speech.memory.left else Draft()
    if not draft.tokens and not speech.seam.rest:
        window.now(tokens)
        draft = _from_window(window, loaded.llama, longest)
    size = loaded.draft_size.size(draft, pending=pending)
    if draft.tokens and not size:
        loaded.draft_size = loaded.draft_size.passed(draft)
    return replace(draft, tokens=draft.tokens[:size])


def _from_window(window: Window, llama: Llama, longest: int) -> Draft:
    found, match = window.follows(longest)
    text = tuple(takewhile(llama.piece, found))  # A special token is no text: there another part begins.
    return Draft(tokens=text, match=match if text else 0)
