"""The first hits of a question in words, read once more by a model together with it, while there is time.

What the lists and rules say is not thrown away: the new order is fused of both, by ranks, and every hit that
was read says so. So many hits are read as there is time for. A model that fails, or has time for next to none
of them on this machine, changes nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import chain, repeat
from time import monotonic
from typing import Protocol

from codeindex.query import Form, Query
from codeindex.rank import FLAT
from codeindex.types import Hit, Signal
from models.errors import ModelError

logger = logging.getLogger(__name__)

TOP = 30  # Hits that are read: those behind them rarely come so far up.
BUDGET_S = 0.3  # Somebody waits for the answer.
LEAST = 8  # With fewer read than that, nothing is changed.
DIGITS = 5  # Of what the model says: the rest changes with what is read together.
REST_S = 60.0  # Before a model is given as many hits again as it had no time for.
PORTIONS = (1, 3, 8)  # Hits that are read at once: few, until it is known how long one takes.
WEIGHT = 1.0  # Of the model's order against the order before; measured with no model yet.


class Scores(Protocol):
    """Of a reranker, what is needed here."""

    def scores(self, query: str, texts: Sequence[str]) -> list[float]:
        """For each text, how well it answers; ``ModelError`` if the model fails."""


class Reranking:
    """A reranker, and whether it is quick enough. For one thread at a time."""

    def __init__(
        self, reranker: Scores, fail: Callable[[ModelError], None], *, budget_s: float = BUDGET_S
    ) -> None:
        """``fail`` is told once if the model does not work; from then on it is not asked any more."""
        self._reranker: Scores | None = reranker
        self._fail = fail
        self._budget_s = budget_s
        self._most, self._most_until = TOP, 0.0

    def wants(self, query: Query) -> int:
        """How many hits of a question it reads: names and paths say themselves what answers them."""
        if self._reranker is None or query.form is not Form.PROSE:
            return 0
        if self._most_until < monotonic():
            self._most = TOP
        return self._most

    def reranked(self, query: Query, hits: Sequence[Hit]) -> list[Hit]:
        """The hits, the first of them in the fused order. They get the scores of their new places."""
        texts = [it.text for it in hits[: self.wants(query)]]
        said = self._said(query.text, texts) if texts else []
        return [*fused(hits[: len(said)], said), *hits[len(said) :]]

    def _said(self, query: str, texts: Sequence[str]) -> list[float]:
        """What the model says of the first texts, as many as there is time for; nothing if it fails."""
        assert self._reranker is not None, "wants says so"
        began = monotonic()
        found: list[float] = []
        portions = chain(PORTIONS, repeat(PORTIONS[-1]))
        try:
            while len(found) < len(texts):
                some = texts[len(found) : len(found) + next(portions)]
                took = monotonic() - began
                if found and self._budget_s < took * (len(found) + len(some)) / len(found):
                    break
                found += self._reranker.scores(query, some)
        except ModelError as problem:
            logger.info("not reranked: failed cause=%s", type(problem).__name__)
            self._reranker = None
            self._fail(problem)
            return []
        if len(found) < len(texts):  # The next ones get as many, so that the same question has one answer.
            self._most_until = monotonic() + REST_S
            self._most = len(found) if LEAST <= len(found) else 0
            took = monotonic() - began
            logger.info("reranked fewer: too slow hits=%d of=%d ms=%d", self._most, len(texts), took * 1000)
        return found if LEAST <= len(found) or len(found) == len(texts) else []


def fused(hits: Sequence[Hit], said: Sequence[float]) -> list[Hit]:
    """Hits in the order that ranks of both orders give; where that is none, the order before decides."""
    places = sorted(range(len(hits)), key=lambda it: (-round(said[it], DIGITS), it))
    rank = {it: place for place, it in enumerate(places, 1)}
    both = {it: 1 / (FLAT + it + 1) + WEIGHT / (FLAT + rank[it]) for it in range(len(hits))}
    order = sorted(both, key=lambda it: (-both[it], it))
    scores = sorted((it.score for it in hits), reverse=True)
    return [
        _placed(hits[it], said[it], score, f"number {rank[it]} of the {len(hits)} that a model read")
        for it, score in zip(order, scores, strict=True)
    ]


def _placed(hit: Hit, said: float, score: float, reason: str) -> Hit:
    signal = Signal(name="reranker", value=said, score=score, reason=reason)
    return replace(hit, score=score, why=(*hit.why, signal))
