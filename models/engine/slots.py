"""Pure: which sequence of the KV cache serves a prompt best, and what to give up for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

WORTH_SHARING = 16  # Tokens. Evaluating fewer than this is cheaper than keeping another sequence alive.
KEEP_SHARE = 0.5  # A sequence is reused in place when at least this share of what it holds stays useful.


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """One sequence of the KV cache: what it holds and whether a running job needs it."""

    sequence: int
    tokens: Sequence[int]
    busy: bool
    used: int
    """When it was last used: a counter, larger is later."""
    lesser: bool = False
    """Whether what it holds was needed by background work only."""
    recent: bool = False
    """Whether it was used a moment ago."""
    guarded: bool = False
    """Whether ghost text used it last: what is evaluated ahead may share it and leaves it as it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Use ``sequence`` and keep ``keep`` tokens of it, after copying them from ``source`` if there is one."""

    sequence: int
    keep: int
    source: int | None = None


def choose_slot(
    slots: Sequence[Slot], prompt: Sequence[int], *, again: bool = True, spare: bool = False
) -> Choice | None:
    """The slot for ``prompt``; ``None`` when all are busy.

    The last token of the prompt is evaluated ``again``, since its logits are what the answer starts from,
    unless they are known. To ``spare`` a guarded slot means to share it at most.
    """
    slots = [replace(it, busy=it.busy or (it.guarded and spare)) for it in slots]
    free = [it for it in slots if not it.busy]
    if not free:
        return None
    limit = len(prompt) - again
    shared = {it.sequence: min(common_prefix(it.tokens, prompt), limit) for it in slots}
    best = max(slots, key=lambda it: (shared[it.sequence], not it.busy, it.used))
    keep = shared[best.sequence]
    if not best.busy and KEEP_SHARE * len(best.tokens) <= keep:
        return Choice(sequence=best.sequence, keep=keep)
    victim = min((it for it in free if it.sequence != best.sequence), key=worth, default=None)
    if victim is None or (not best.busy and worth(best) < worth(victim)):
        return Choice(sequence=best.sequence, keep=keep)
    if keep < WORTH_SHARING:
        return Choice(sequence=victim.sequence, keep=min(shared[victim.sequence], limit))
    return Choice(sequence=victim.sequence, keep=keep, source=best.sequence)


def evict(slots: Sequence[Slot], keep: int, *, spare: bool = False) -> int | None:
    """The sequence to forget when the KV is full: the least missed one that holds anything, if any."""
    idle = [it for it in slots if not it.busy and it.tokens and it.sequence != keep]
    idle = [it for it in idle if not (it.guarded and spare)]
    return min(idle, key=worth).sequence if idle else None


def too_many(slots: Sequence[Slot], room: int) -> list[int]:
    """The sequences to forget so that idle ones take at most ``room`` cells; recently used ones stay.

    Attention reads all cells, also those of sequences that nobody asks about. What two of them share is one.
    """
    idle = sorted((it for it in slots if it.tokens and not it.busy), key=worth, reverse=True)
    if sum(len(it.tokens) for it in idle) <= room:
        return []
    kept = [it for it in slots if it.busy]
    forgotten = []
    for it in idle:
        own = len(it.tokens) - max((common_prefix(it.tokens, other.tokens) for other in kept), default=0)
        if room < own and not (it.recent or it.guarded):
            forgotten.append(it.sequence)
        else:
            room -= own
            kept.append(it)
    return forgotten


def common_prefix(left: Sequence[int], right: Sequence[int]) -> int:
    """How many tokens both begin with."""
    size = min(len(left), len(right))
    if left[:size] == right[:size]:
        return size
    low, high = 0, size  # left[:low] is shared, left[:high] is not
    while 1 < high - low:
        middle = (low + high) // 2
        if left[low:middle] == right[low:middle]:
            low = middle
        else:
            high = middle
    return low


def worth(slot: Slot) -> tuple[bool, bool, bool, int]:
    """The smaller one is missed less: an empty one, then what background work left, then by use.

    What ghost text used last is missed most: the next letter needs it.
    """
    return bool(slot.tokens), slot.guarded, not slot.lesser, slot.used
