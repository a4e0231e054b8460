"""Pure: token healing. The last tokens before the cursor are chosen anew: half a word is no token of its own.

A tokenizer cuts ``retu`` into ``ret`` and ``u``, behind which a model has never seen ``rn``. So the tokens
that might be cut differently if one knew what follows are held back, and the model writes their bytes again:
only tokens that agree with these bytes may be chosen until they are consumed.

What is held back: the last one to four tokens whose bytes together are the beginning of a longer token. A
line break at the end is never held back: what stands before it is settled, and a prompt that is fixed at a
line's start stays the same while the first letters of the line are typed. Of an indentation the last blank is
held back: tokenizers leave it to the word that follows, and the rest of it is as deep as somebody wanted it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import InitVar, dataclass, field, replace

import numpy as np
import numpy.typing as npt

from models.engine.draft import Continuations
from models.engine.sampling import Scores, logprob

MOST_HELD = 4  # Tokens. More than these no tokenizer takes back when a word goes on.
LINE_BREAKS = (b"\n", b"\r")

Tokens = npt.NDArray[np.int32]
CutUp = Callable[[str], Sequence[int]]
"""Text that stands behind other text, to tokens."""


@dataclass(frozen=True, slots=True, eq=False)
class Spelling:
    """How every token of a vocabulary is spelled, in the order of the bytes."""

    pieces: Sequence[bytes]
    """By token; empty for those that stand for no text."""
    about: InitVar[Iterable[int] | None] = None
    """All tokens in an order that is nearly right, if one is known: that makes sorting cheap."""
    order: Tokens = field(init=False)
    """The tokens with text, sorted by it."""

    def __post_init__(self, about: Iterable[int] | None) -> None:
        pieces = self.pieces
        known = range(len(pieces)) if about is None else about
        order = sorted((it for it in known if pieces[it]), key=pieces.__getitem__)
        object.__setattr__(self, "order", np.array(order, dtype=np.int32))

    def beginning_with(self, data: bytes) -> Tokens:
        """All tokens whose bytes begin with ``data``, which is not empty."""
        low = self._place(data)
        after = data.rstrip(b"\xff")
        return self.order[low : self._place(after[:-1] + bytes([after[-1] + 1])) if after else None]

    def spelled(self, data: bytes) -> Tokens:
        """All tokens with exactly these bytes: rarely more than one."""
        low = high = self._place(data)
        while high < len(self.order) and self.pieces[self.order[high]] == data:
            high += 1
        return self.order[low:high]

    def agreeing_with(self, data: bytes) -> Tokens:
        """All tokens that may be chosen while ``data`` must come: they begin with it, or it with them."""
        shorter = [self.spelled(data[:size]) for size in range(1, len(data))]
        return np.concatenate([*shorter, self.beginning_with(data)])

    def can_grow(self, data: bytes) -> bool:
        """Whether there is a token that begins with ``data`` and is longer."""
        return len(self.spelled(data)) < len(self.beginning_with(data))

    def _place(self, data: bytes) -> int:
        return bisect_left(self.order, data, key=self.pieces.__getitem__)


def held_back(tokens: Sequence[int], spelling: Spelling, cut_up: CutUp) -> tuple[list[int], bytes]:
    """The tokens of a text that stay, and the bytes at its end to write again."""
    blanks = spelling.pieces[tokens[-1]] if tokens else b""
    if 1 < len(blanks) and not blanks.strip() and not blanks.endswith(LINE_BREAKS):
        stay = list(cut_up(blanks[:-1].decode("utf-8", "replace")))
        if b"".join(spelling.pieces[it] for it in stay) == blanks[:-1]:
            return [*tokens[:-1], *stay], blanks[-1:]
    held, data, longest = 0, b"", b""
    for count, token in enumerate(reversed(tokens[-MOST_HELD:]), 1):
        piece = spelling.pieces[token]
        if not piece or piece.endswith(LINE_BREAKS):
            break
        data = piece + data
        if spelling.can_grow(data):
            held, longest = count, data
    return list(tokens[: len(tokens) - held]), longest


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One token that may be chosen, and what belongs to it."""

    token: int
    offered: Scores
    """The scores it was chosen from."""
    memory: Continuations
    """The candidates as they stand before it."""
    rest: bytes = b""
    """The typed bytes that stand before it and are not yet written again."""
    logprob: float = 0.0
    """The model's own for the way from the seam to this token."""
    back: int = 0
    """Tokens that were chosen since, on another way."""


@dataclass(slots=True, kw_only=True)
class Seam:
    """Which tokens may be chosen until all that was held back is written again.

    A token that is only a part of it can lead astray: the model may have had something else in mind behind
    it. Where its next choice would contradict what was typed, the likelier one is taken of two ways: this
    one, and the best token that would have covered everything at once.
    """

    spelling: Spelling | None = None
    """Needed while there is a ``rest``."""
    rest: bytes = b""
    consumed: int = 0
    """How many bytes at the start of the token chosen last were typed already."""
    _whole: Way | None = None
    _logprob: float = 0.0
    _agreeing: Tokens | None = None

    def offered(self, scores: Scores) -> Scores:
        """The scores of those that agree; the others cannot be chosen."""
        self.consumed = 0
        if not self.rest or self.spelling is None:
            return scores
        self._agreeing = self.spelling.agreeing_with(self.rest)
        if not len(self._agreeing):
            return scores
        offered = np.full_like(scores, -np.inf)
        offered[self._agreeing] = scores[self._agreeing]
        return offered

    def judged(self, way: Way, scores: Scores, *, greedy: bool) -> Way:
        """The way that is taken: ``way``, or one from further back. ``scores`` are the model's own."""
        if not self.rest or self.spelling is None or self._agreeing is None:
            return way
        whole = self._whole
        if whole is not None and self._astray(way.token, scores, whole.logprob, greedy=greedy):
            self.consumed, self.rest = len(whole.rest), b""
            return whole
        size = len(self.spelling.pieces[way.token])
        if size < len(self.rest):
            self._remember(way, scores)
        self.consumed, self.rest = min(size, len(self.rest)), self.rest[size:]
        return way

    def _astray(self, token: int, scores: Scores, otherwise: float, *, greedy: bool) -> bool:
        assert self._agreeing is not None
        if not len(self._agreeing):
            return True
        best = scores.max()
        if not greedy or best <= scores[self._agreeing].max():
            return False
        return self._logprob + logprob(scores, token) < otherwise

    def _remember(self, way: Way, scores: Scores) -> None:
        """``way`` is a part only: keep the best token that covers all, to come back to."""
        assert self.spelling is not None
        covering = self.spelling.beginning_with(self.rest)
        if len(covering):
            best = int(covering[way.offered[covering].argmax()])
            likely = self._logprob + logprob(scores, best)
            if self._whole is None or self._whole.logprob < likely:
                self._whole = replace(way, token=best, rest=self.rest, logprob=likely)
        if self._whole is not None:
            self._whole = replace(self._whole, back=self._whole.back + 1)
        self._logprob += logprob(scores, way.token)
