r"""Pure: from votes to the most likely lines: a beam over the tree of what follows the occurrences.

Each step asks the occurrences that have said the same so far for their next piece; where all who are left
have the same line, it is taken to its end. The memory is asked once: again after every piece is no better.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from completion.memory import coefficients as learned
from completion.memory.question import PIECE
from completion.memory.weigh import ORDERS, Vote

WIDTH = 6
FAR = 5.0  # A line that is e^5 times less likely than the best one is not worth following.
LONGEST = 48  # Pieces. Longer lines are data.
LINE_END = b"\n"

_order_factors = [math.exp(it) for it in learned.ORDERS]


def use_orders(orders: Sequence[float]) -> None:
    """Weigh with these from here on: for learning them."""
    _order_factors[:] = map(math.exp, orders)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A way to finish the line."""

    text: bytes
    """Coded; without the line's end."""
    log_probability: float
    """Of all its pieces together, the line's end included."""
    least: float
    """The log-probability of its least likely piece."""
    length: int
    """In pieces, the line's end included."""
    votes: tuple[Vote, ...]
    """The occurrences whose line goes on exactly so."""


@dataclass(frozen=True, slots=True)
class _State:
    text: bytes
    log_probability: float
    least: float
    length: int
    votes: Sequence[Vote]


def candidates(votes: Sequence[Vote]) -> list[Candidate]:
    """The most likely lines, best first; at most ``WIDTH``."""
    states = [_State(b"", 0.0, 0.0, 0, votes)]
    done: list[Candidate] = []
    pieces: dict[bytes, list[bytes]] = {}
    for _ in range(LONGEST):
        following: list[_State] = []
        for state in states:
            for piece, chance, supporters in _next(state, pieces):
                total = state.log_probability + chance
                worst = min(state.least, chance)
                line = supporters[0].line
                if piece == LINE_END:
                    text = state.text.rstrip()
                    done.append(Candidate(text, total, worst, state.length + 1, tuple(supporters)))
                elif all(it.line == line for it in supporters):  # They agree to the end, so the rest is sure.
                    if line.endswith(LINE_END):
                        length = len(_pieces(line, pieces))
                        done.append(Candidate(line.rstrip(), total, worst, length, tuple(supporters)))
                else:
                    following.append(_State(state.text + piece, total, worst, state.length + 1, supporters))
        following.sort(key=lambda it: -it.log_probability)
        done.sort(key=lambda it: -it.log_probability)
        del done[WIDTH:]
        least = max((it[0].log_probability for it in (following, done) if it), default=0.0) - FAR
        if len(done) == WIDTH:
            least = max(least, done[-1].log_probability)
        states = [it for it in following[:WIDTH] if least < it.log_probability]
        if not states:
            break
    return done


def _next(state: _State, known: dict[bytes, list[bytes]]) -> list[tuple[bytes, float, list[Vote]]]:
    """The likely next pieces of a state: piece, log-probability, who says so.

    Most votes end with their first piece, and many have the same line: ``known`` holds those taken apart.
    """
    depth = state.length
    weights: dict[bytes, float] = {}
    supporters: dict[bytes, list[Vote]] = {}
    for vote in state.votes:
        piece = vote.first
        if depth:
            pieces = _pieces(vote.line, known)
            if len(pieces) <= depth:
                continue  # Its line goes on beyond what is known of it.
            piece = pieces[depth]
        order = vote.order + depth
        weight = vote.weight * _order_factors[order if order < ORDERS else -1]
        if piece in weights:
            weights[piece] += weight
            supporters[piece].append(vote)
        else:
            weights[piece] = weight
            supporters[piece] = [vote]
    total = sum(weights.values())
    best = sorted(weights, key=weights.__getitem__, reverse=True)[:WIDTH]
    return [(it, math.log(weights[it] / total), supporters[it]) for it in best]


def _pieces(line: bytes, known: dict[bytes, list[bytes]]) -> list[bytes]:
    pieces = known.get(line)
    if pieces is None:
        pieces = known[line] = PIECE.findall(line)
    return pieces
