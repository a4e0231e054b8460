"""Pure: which sequence of the KV cache serves a prompt best, and what to give up for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Use ``sequence`` and keep ``keep`` tokens of it, after copying them from ``source`` if there is one."""

    sequence: int
    keep: int
    source: int | None = None


def choose_slot(slots: Sequence[Slot], prompt: Sequence[int]) -> Choice | None:
    """The slot for ``prompt``; ``None`` when all are busy.

    The last token of the prompt is always evaluated again, since its logits are what the answer starts from.
    """
    free = [it for it in slots if not it.busy]
    if not free:
        return None
    limit = len(prompt) - 1
    shared = {it.sequence: min(common_prefix(it.tokens, prompt), limit) for it in slots}
    best = max(slots, key=lambda it: (shared[it.sequence], not it.busy, it.used))
    keep = shared[best.sequence]
    if not best.busy and KEEP_SHARE * len(best.tokens) <= keep:
        return Choice(sequence=best.sequence, keep=keep)
    victim = min((it for it in free if it.sequence != best.sequence), key=_worth, default=None)
    if victim is None or (not best.busy and _worth(best) < _worth(victim)):
        return Choice(sequence=best.sequence, keep=keep)
    if keep < WORTH_SHARING:
        return Choice(sequence=victim.sequence, keep=min(shared[victim.sequence], limit))
    return Choice(sequence=victim.sequence, keep=keep, source=best.sequence)


def evict(slots: Sequence[Slot], keep: int) -> int | None:
    """The sequence to forget when the KV is full: the longest unused one that holds anything, if any."""
    idle = [it for it in slots if not it.busy and it.tokens and it.sequence != keep]
    return min(idle, key=lambda it: it.used).sequence if idle else None


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


def _worth(slot: Slot) -> tuple[bool, int]:
    return bool(slot.tokens), slot.used
