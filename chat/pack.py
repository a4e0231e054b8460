"""Pure: pieces -> a block of context within a budget of tokens: the best whole, others cut, the rest named.

A model reads little and must see several files: so every piece that is likely gets its one line first, then
the best of them get more, down to their most telling lines, as long as there is room. What stands in a file
is numbered, ``[3] src/a.py:10-42``, and a number means the same place in the whole conversation.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from chat.pack_lines import Lines, Shown, weights
from chat.pack_plan import plan
from chat.pack_text import Written, written
from chat.pack_wanted import wanted_of
from chat.types import Piece, Place

TRIES = 4  # Plans, each with a better guess at what the tokenizer makes of them.
FULL = 0.94  # Of the budget: a plan that fills so much is good enough.
MARGIN = 1.02  # What a plan that was too long is corrected by, beyond what was counted.
LEAST_RATIO, MOST_RATIO = 0.1, 10.0  # Tokens for each that was estimated: no tokenizer is further off.
NOTHING = Written(text="", numbers={}, parts=frozenset())


@dataclass(frozen=True, slots=True, kw_only=True)
class Packed:
    """A block of context."""

    text: str
    """Ends with a line end, unless it is empty."""
    numbers: Mapping[int, Place]
    """Where each number stands, those of earlier blocks included."""
    left_out: tuple[Piece, ...]
    """For which there was no room; what was given before is not among them."""
    tokens: int
    """As counted."""
    parts: frozenset[int] = frozenset()
    """Numbers of which only some lines have been shown so far."""


def pack(
    pieces: Sequence[Piece],
    *,
    budget_tokens: int,
    count: Callable[[str], int],
    given: Mapping[int, Place] | None = None,
    parts: Collection[int] = (),
    question: str = "",
) -> Packed:
    """The fullest block of the best pieces that is not longer than so many tokens, as ``count`` counts them.

    What stands in a place ``given`` before is left out, except where only a part of it was shown (``parts``):
    it may come again, with its number. The ``question`` says which lines are telling.
    """
    given = dict(given or {})
    shown_before = frozenset(parts) & given.keys()
    wanted = wanted_of(pieces, given, shown_before)
    if not wanted or budget_tokens <= 0:
        return _packed(NOTHING, wanted, (), 0, given, shown_before)
    telling = weights(question, wanted)
    ratio = 1.0
    best: tuple[int, Written, Sequence[Shown]] | None = None
    planned: Sequence[Shown] = ()
    for _ in range(TRIES):
        planned = plan(wanted, telling, budget_tokens / ratio)
        if not planned:
            break
        block = written(planned, given, telling)
        used = count(block.text)
        if used <= budget_tokens:
            if best is None or best[0] < used:
                best = used, block, planned
            if FULL * budget_tokens <= used or (
                len(planned) == len(wanted) and all(it.is_whole for it in planned)
            ):
                break
        guessed = max(1.0, sum(it.cost for it in planned))
        ratio = min(MOST_RATIO, max(LEAST_RATIO, used / guessed * (MARGIN if budget_tokens < used else 1.0)))
    while best is None and 1 < len(planned):  # A very small budget, or a tokenizer unlike all others.
        planned = planned[:-1]
        block = written(planned, given, telling)
        used = count(block.text)
        best = (used, block, planned) if used <= budget_tokens else None
    if best is None:
        return _packed(NOTHING, wanted, (), 0, given, shown_before)
    used, block, planned = best
    return _packed(block, wanted, planned, used, given, shown_before)


def _packed(
    block: Written,
    wanted: Sequence[Lines],
    planned: Sequence[Shown],
    used: int,
    given: Mapping[int, Place],
    before: frozenset[int],
) -> Packed:
    there = {id(it.lines) for it in planned}
    return Packed(
        text=block.text,
        numbers={**given, **block.numbers},
        left_out=tuple(it.piece for it in wanted if id(it) not in there),
        tokens=used,
        parts=(before - block.numbers.keys()) | block.parts,
    )
