"""Pure: order candidate lines by what they are, and say how likely the best one is exactly right.

Both are learned (``python -m benchmarks.memory fit``): a softmax over the candidates of a place, and a
logistic regression on the best one's features, fitted on code that is in no benchmark.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from completion.memory import coefficients as learned
from completion.memory.beam import Candidate
from completion.memory.evidence import Source
from completion.memory.question import NAME, Question

CERTAIN = 12  # Pieces: agreements longer than this say nothing more.
NAMES = (
    "log_probability",
    "log_probability_per_piece",
    "least_log_probability",
    "log_length",
    "log_support",
    "support_share",
    "order",
    "log_order",
    "longest_order",
    "in_document",
    "in_project",
    "left_open",
    "opens",
    "closes_too_much",
    "same_below",
    "like_below",
    "repeats_line_below",
    "repeats_line_above",
    "known_names",
    "nothing",
    "most_likely",
    "comment",
    "string",
    "analog",
    "in_word",
    "at_start",
    "one",
)
CONFIDENCE_NAMES = (*NAMES, "log_share", "lead")
BRACKET = re.compile(rb"[][(){}]")
_CONTINUING = (b"(", b"[", b"{", b",", b"\\")


@dataclass(frozen=True, slots=True)
class Ranked:
    """A candidate with its score and, for the best one, the probability that it is exactly right."""

    candidate: Candidate
    score: float
    share: float
    """Of the candidates' weight: softmax over the scores."""
    confidence: float


def ranked(question: Question, candidates: Sequence[Candidate], asked: int) -> list[Ranked]:
    """Best first. ``asked`` is how many occurrences were asked. Only the best one's confidence is fitted."""
    rows = rows_of(question, candidates, asked)
    scores = [_dot(learned.RANK, it) for it in rows]
    order = sorted(range(len(rows)), key=lambda it: -scores[it])
    shares = _softmax(scores)
    result: list[Ranked] = []
    for place, index in enumerate(order):
        lead = scores[index] - scores[order[place + 1]] if place + 1 < len(order) else 0.0
        confidence = _sigmoid(_dot(learned.CONFIDENCE, confidence_row(rows[index], shares[index], lead)))
        result.append(Ranked(candidates[index], scores[index], shares[index], confidence))
    return result


def rows_of(question: Question, candidates: Sequence[Candidate], asked: int) -> list[list[float]]:
    """The features of each candidate, in the order of ``NAMES``."""
    longest = max((vote.order for it in candidates for vote in it.votes), default=0)
    return [
        _row(question, it, asked=asked, longest=longest, first=place == 0)
        for place, it in enumerate(candidates)
    ]


def confidence_row(row: Sequence[float], share: float, lead: float) -> list[float]:
    """The features of the confidence, in the order of ``CONFIDENCE_NAMES``."""
    return [*row, math.log(share + 1e-6), lead]


def _row(question: Question, it: Candidate, *, asked: int, longest: int, first: bool) -> list[float]:
    line = question.typed + it.text
    depth, wrong = _brackets(line)
    names = NAME.findall(it.text)
    support = len(it.votes)
    order = max((vote.order for vote in it.votes), default=0)
    sources = {vote.source for vote in it.votes}
    return [
        it.log_probability,
        it.log_probability / max(it.length, 1),
        it.least,
        math.log1p(it.length),
        math.log1p(support),
        math.log1p(support) / math.log(asked + 2),
        min(order, CERTAIN) / CERTAIN,
        math.log1p(order),
        float(order == longest),
        float(bool(sources & {Source.ABOVE, Source.BELOW})),
        float(bool(sources & {Source.EDITED, Source.OPEN, Source.FOLDER, Source.PROJECT})),
        float(0 < depth and not line.endswith(_CONTINUING)),
        float(0 < depth),
        float(wrong),
        float(any(vote.same_below for vote in it.votes)),
        float(any(vote.like_below for vote in it.votes)),
        float(bool(question.line_below) and line.strip() == question.line_below),
        float(line.strip() == question.line_above),
        sum(name in question.names for name in names) / len(names) if names else 1.0,
        float(not it.text),
        float(first),
        float(line.startswith((b"#", b"//"))),
        float(b'"' in it.text or b"'" in it.text),
        float(not it.votes),
        float(0 < question.partial),
        float(question.at_start),
        1.0,
    ]


def _brackets(line: bytes) -> tuple[int, bool]:
    """How many brackets a line leaves open, and whether it closes one that it did not open."""
    depth, wrong = 0, False
    for sign in BRACKET.findall(line):
        depth += 1 if sign in b"([{" else -1
        if depth < 0:
            depth, wrong = 0, True
    return depth, wrong


def _dot(weights: Sequence[float], values: Sequence[float]) -> float:
    return sum(map(float.__mul__, weights, values))


def _softmax(scores: Sequence[float]) -> list[float]:
    highest = max(scores, default=0.0)
    weights = [math.exp(it - highest) for it in scores]
    total = sum(weights)
    return [it / total for it in weights]


def _sigmoid(value: float) -> float:
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, value))))
