"""Pure: how much an occurrence's next piece counts, by how it resembles the place that is asked about.

The weights are learned (``python -m benchmarks.memory --fit``): softmax attention over occurrences, fitted
to the likelihood of the piece that really follows.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from completion.memory import coefficients as learned
from completion.memory.evidence import CONTEXT_BYTES, Occurrence, Source
from completion.memory.question import PIECE, Question

SIMILAR = 12  # Bytes of the next line that agree: it starts alike.
LONGEST_LINE = 200  # Bytes. What is longer is data, not a line to complete.
ORDERS = 14
"""Orders from here on count alike."""
LOG_DISTANCE, LOG_MATCHED, SAME_BELOW, LIKE_BELOW, NOTHING_BELOW = range(len(Source), len(Source) + 5)
"""Where these stand in ``NAMES``; before them the sources."""
NAMES = (
    *(f"source_{it.name.lower()}" for it in Source),
    "log_distance",
    "log_matched",
    "same_below",
    "like_below",
    "nothing_below",
)
_LOGS = [math.log(max(it, 1)) for it in range(CONTEXT_BYTES + 2)]


class Vote(NamedTuple):
    """An occurrence as the prediction sees it."""

    weight: float
    """How much it counts, without what the agreement before it adds."""
    order: int
    """Whole pieces before it that agree."""
    source: int
    first: bytes
    """The next piece."""
    line: bytes
    r"""What follows on its line; it ends in ``\n`` if the line ends within reach."""
    same_below: bool
    """Whether the line below it is the line below the cursor."""
    like_below: bool
    occurrence: Occurrence


def votes(question: Question, occurrences: Sequence[Occurrence]) -> list[Vote]:
    """The occurrences that may say something about what follows."""
    weights = learned.WEIGHTS
    partial, pieces, wanted = question.partial, question.pieces, question.line_below
    free, start = question.free, wanted[:SIMILAR]
    begun = question.at_start and not question.below
    heard: list[Vote] = []
    for it in occurrences:
        matched, after = it.matched, it.after
        if matched < partial:
            continue
        end = after.find(b"\n") + 1
        line = after[: end or len(after)][:LONGEST_LINE]
        found = PIECE.match(line)
        if found is None:
            continue
        first = found.group()
        if first == b"\n" and begun:
            continue  # A blank line is nothing to show; further down it says that a block is over.
        if first[0] <= 2 and not free:
            continue  # Another depth than the cursor's line has.
        # The same as ``features`` times the weights, without making a list of them.
        last = after.find(b"\n", end) if end else -1
        below = after[end:last].lstrip(b"\x01\x02") if end <= last else b""
        same = below == wanted
        like = not same and below[:SIMILAR] == start
        below_counts = SAME_BELOW if same else LIKE_BELOW if like else -1
        if not below or not wanted:
            same = like = False
            below_counts = NOTHING_BELOW
        total = weights[it.source] + weights[LOG_MATCHED] * _LOGS[matched + 1]
        if 0 < it.distance:
            total += weights[LOG_DISTANCE] * math.log(it.distance)
        if 0 <= below_counts:
            total += weights[below_counts]
        heard.append(Vote(math.exp(total), pieces[matched], it.source, first, line, same, like, it))
    return heard


def features(question: Question, occurrence: Occurrence) -> list[float]:
    """What the weight of an occurrence is learned from, except its order; see ``NAMES``."""
    below, wanted = line_below(occurrence.after), question.line_below
    values = [0.0] * len(NAMES)
    values[occurrence.source] = 1.0
    if 0 < occurrence.distance:
        values[LOG_DISTANCE] = math.log(occurrence.distance)
    values[LOG_MATCHED] = _LOGS[occurrence.matched + 1]
    if not below or not wanted:
        values[NOTHING_BELOW] = 1.0
    elif below == wanted:
        values[SAME_BELOW] = 1.0
    elif below[:SIMILAR] == wanted[:SIMILAR]:
        values[LIKE_BELOW] = 1.0
    return values


def line_below(after: bytes) -> bytes:
    """The line under the one that ``after`` begins in, without its indentation; empty if out of reach."""
    end = after.find(b"\n")
    last = after.find(b"\n", end + 1) if 0 <= end else -1
    return after[end + 1 : last].lstrip(b"\x01\x02") if end < last else b""
