"""One answer while it is made: which token comes next, what of it may be told, and when it is over."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from math import log

import numpy as np

from models.engine.draft import Continuations, continuations
from models.engine.heal import Seam, Way
from models.engine.job import Job
from models.engine.llama import Llama
from models.engine.loaded import Clock, Loaded
from models.engine.sampling import COLDEST, Scores, choose, logprob, mixed
from models.engine.textstream import TextStream
from models.engine.vocabulary import Prompt
from models.wire import CompletionRequest, Finish, Piece

JUDGED = 4  # Tokens. Fewer say little about how sure an answer will be as a whole.


@dataclass(frozen=True, slots=True, kw_only=True)
class _Before:
    """An answer that begins with an indentation, before the first token that is more."""

    spoken: bytes = b""
    produced: int = 0
    sureness: float = 0.0
    logprobs: tuple[float, ...] = ()


@dataclass(slots=True, kw_only=True)
class Speech:
    """What was said so far and what may be said yet."""

    job: Job
    llama: Llama
    clock: Clock
    room: int
    """Tokens the answer may have."""
    weight: float
    """How much the candidates count beside the model."""
    least: float
    """The probability per token below which nobody is shown the answer."""
    memory: Continuations
    stream: TextStream
    rng: np.random.Generator
    seam: Seam
    """What was typed of the tokens that are chosen first."""
    token: int = -1
    """The one chosen last."""
    finish: Finish | None
    choice: int = 0
    waits: bool = False
    """Whether nothing is told yet, for it is not known how many answers there will be."""
    offered: Scores | None = None
    """While it waits: the scores from which the last token was chosen."""
    spoken: bytes = b""
    """While it waits: all of its text."""
    before: _Before = _Before()
    """While it waits: how it stood before the token chosen last."""
    back: int = 0
    """Tokens before the one chosen last that it takes back: they led to a contradiction."""
    produced: int = 0
    sureness: float = 0.0
    """The sum of the logarithms of the probabilities of the tokens that were produced."""
    text: str = ""
    logprobs: list[float] = field(default_factory=list)

    def choose(self, scores: Scores) -> int:
        """The next token, told as soon as its text is certain; ``finish`` says whether it was the last."""
        sampling = self.job.request.sampling
        offered = self.seam.offered(scores)
        shares = self.memory.next_tokens() if self.weight else {}
        if shares:
            offered = mixed(offered, shares, self.weight)
        way = Way(token=choose(offered, sampling, self.rng), offered=offered, memory=self.memory)
        way = self.seam.judged(way, scores, greedy=sampling.temperature < COLDEST)
        self.back, self.memory = way.back, way.memory
        if self.waits:
            self.offered = way.offered
        self._say(way.token, way.offered)
        return way.token

    def others(self, most: int) -> Iterator[Speech]:
        """Answers that go on with other tokens than the one just chosen."""
        assert self.offered is not None
        offered, before = self.offered, self.seam.consumed
        said = [self._said(self.token, before)]
        for token in np.argsort(-offered)[: 16 * most + 1].tolist():
            text = self._said(token, before)
            if len(said) <= most and text and np.isfinite(offered[token]) and _differs(text, said):
                said.append(text)
                yield self._with(token, len(said) - 1)

    def go(self) -> None:
        """It is known how many answers there are: tell what has waited for that."""
        self.waits, self.offered = False, None
        if self.text and self.finish is None:
            self._tell()

    def end(self) -> None:
        """Tell what was held back, and that this was all."""
        self.text += self.stream.rest()
        self._tell()

    @property
    def at_a_fork(self) -> bool:
        """Whether the first token beyond an indentation was chosen, and other answers are wanted."""
        return self.waits and bool(self.spoken.strip(b" \t"))

    def _said(self, token: int, before: int) -> bytes:
        return b"" if self.llama.is_end(token) else self.llama.piece(token)[before:]

    def _with(self, token: int, choice: int) -> Speech:
        """The answer as it was before the token chosen last, now with another one."""
        assert self.offered is not None
        before, sampling = self.before, self.job.request.sampling
        seed = sampling.seed
        other = replace(
            self,
            choice=choice,
            finish=None,
            memory=Continuations(),
            text="",
            spoken=before.spoken,
            produced=before.produced,
            sureness=before.sureness,
            logprobs=list(before.logprobs),
            stream=TextStream(sampling.stop),
            rng=np.random.default_rng(None if seed is None else [seed, choice]),
            seam=Seam(spelling=self.seam.spelling, consumed=self.seam.consumed),
        )
        other.text = other.stream.feed(before.spoken)
        other._say(token, self.offered)
        return other

    def _say(self, token: int, offered: Scores) -> None:
        self.token = token
        request = self.job.request
        if self.llama.is_end(token):
            self.finish = "stop"
            return
        data = self.llama.piece(token)[self.seam.consumed :]
        if self.memory.left:
            self.memory = self.memory.after(token, self.llama)
        if self.seam.consumed and not data:
            return  # All of it was typed already.
        if self.waits:
            self.before = _Before(
                spoken=self.spoken,
                produced=self.produced,
                sureness=self.sureness,
                logprobs=tuple(self.logprobs),
            )
            self.spoken += data
        if request.sampling.logprobs or self.least:
            sure = logprob(offered, token)
            self.sureness += sure
            if request.sampling.logprobs:
                self.logprobs.append(sure)
        self.produced += 1
        self.clock.produced += 1
        self.text += self.stream.feed(data)
        self.finish = self._finished()
        if self.text and not self.waits and self.finish is None:
            self._tell()

    def _finished(self) -> Finish | None:
        if self.stream.stopped:
            return "stop"
        if self.produced == self.room:
            return "length"
        if self.least and JUDGED <= self.produced and self.sureness < self.produced * log(self.least):
            return "unsure"
        return None

    def _tell(self) -> None:
        usage = self.clock.usage(self.job.load_ms)
        piece = Piece(
            text=self.text,
            choice=self.choice,
            logprobs=tuple(self.logprobs),
            finish=self.finish,
            usage=usage,
        )
        self.job.on_piece(piece)
        self.text = ""
        self.logprobs.clear()


def begin(job: Job, loaded: Loaded, prompt: Prompt, clock: Clock) -> Speech:
    """The answer to ``prompt``, before its first token."""
    request, llama = job.request, loaded.llama
    rest = prompt.held
    memory, weight, least, several = Continuations(), 0.0, 0.0, False
    if isinstance(request, CompletionRequest):
        least, several = request.least_probability, 1 < request.choices
        if request.candidates:
            memory = continuations(request.candidates, llama, behind=rest)
            weight = job.spec.memory_weight if request.memory_weight is None else request.memory_weight
    room = min(request.sampling.max_tokens, loaded.context - len(prompt.tokens) - len(rest))
    return Speech(
        job=job,
        llama=llama,
        clock=clock,
        room=room,
        weight=weight,
        least=least,
        memory=memory,
        stream=TextStream(request.sampling.stop),
        rng=np.random.default_rng(request.sampling.seed),
        seam=Seam(spelling=llama.spelling if rest else None, rest=rest),
        finish=None if 0 < room else "length",
        waits=several,
    )


def _differs(text: bytes, said: list[bytes]) -> bool:
    """Whether ``text`` leads elsewhere than all that was said: none is the beginning of the other.

    Blanks at the start make no difference that anybody would look at, unless there is nothing else.
    """
    for other in said:
        one, two = text.lstrip() or text, other.lstrip() or other
        if one.startswith(two) or two.startswith(one):
            return False
    return True
