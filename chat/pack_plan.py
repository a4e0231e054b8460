"""Pure: how much of each piece is shown within a budget: all of it, its most telling lines, or one line."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import pairwise

from chat.pack_lines import GAP, Lines, Shown, chosen, summary
from chat.pack_text import header
from models.estimate import tokens

# Fitted on half of the annotated repositories and half of the documented packages (`benchmarks/chat.py`).
ONE_LINE_SHARE = 0.6  # Of the budget, at most for the one line each that pieces get first.
AGAIN = 0.5  # What the next piece of a file counts for: several files must be seen.
BEST_SHARE = 0.5  # Of what is left then, at most for the best piece.
NEXT_SHARE = 0.3  # The same for each of the others in turn.
LEAST_CUT = 20  # Tokens: with less than that more for it, a piece keeps its one line.
# By judgment: what was asked for by name is read, not listed.
ASKED = 1.0  # Scores above are of what was asked for by name.
ASKED_LINES = 0.3  # Of the budget, at most for the one line of the best piece of each file asked for.
ASKED_SHARE = 0.8  # Of what is left, at most for each of these pieces in turn.
NUMBER = 99  # As wide as numbers of places mostly are.


def plan(wanted: Sequence[Lines], telling: Mapping[str, float], budget: float) -> tuple[Shown, ...]:
    """What is shown of which, in the order of the pieces; those that are not in it are left out."""
    forms: dict[int, Shown] = {}
    asked = [number for number, it in enumerate(wanted) if ASKED < it.piece.score]
    others = _spread(wanted, [number for number in range(len(wanted)) if number not in set(asked)])
    spent = _asked(forms, asked, wanted, telling, budget)
    rest = budget - spent
    later: list[tuple[int, Shown]] = []
    for number in others:
        short = _shortest(wanted[number], telling)
        most = budget - rest * (1 - ONE_LINE_SHARE)
        if spent + short.cost <= most or (not forms and short.cost <= budget):
            forms[number] = short
            spent += short.cost
        else:
            later.append((number, short))
    for place, number in enumerate(sorted(forms.keys() & set(others))):
        spent += _grown(forms, number, telling, (budget - spent) * (NEXT_SHARE if place else BEST_SHARE))
    for number, short in later:
        if spent + short.cost <= budget:
            forms[number] = short
            spent += short.cost
    for number in sorted(forms):
        spent += _grown(forms, number, telling, budget - spent)
    return tuple(forms[it] for it in sorted(forms))


def _asked(
    forms: dict[int, Shown],
    asked: Sequence[int],
    wanted: Sequence[Lines],
    telling: Mapping[str, float],
    budget: float,
) -> float:
    """Each file that was asked for has a line for sure; then the best are read. What that costs."""
    spent = 0.0
    paths: set[str] = set()
    for number in asked:
        place = wanted[number].piece.place
        if place is None or place.path not in paths:
            short = _shortest(wanted[number], telling)
            if spent + short.cost <= ASKED_LINES * budget or (not forms and short.cost <= budget):
                forms[number] = short
                spent += short.cost
                paths.add(place.path if place else "")
    for number in asked:
        short = forms.get(number) or _shortest(wanted[number], telling)
        if number not in forms:
            if (budget - spent) * ASKED_SHARE < short.cost + LEAST_CUT:
                continue
            forms[number] = short
            spent += short.cost
        spent += _grown(forms, number, telling, (budget - spent) * ASKED_SHARE)
    return spent


def _spread(wanted: Sequence[Lines], numbers: Sequence[int]) -> list[int]:
    """In which order pieces get their line: the more of a file is there, the better the next must be."""
    seen: dict[str, int] = defaultdict(int)
    worth: dict[int, float] = {}
    for number in numbers:
        place, score = wanted[number].piece.place, wanted[number].piece.score
        if place is not None:
            score *= AGAIN ** seen[place.path]
            seen[place.path] += 1
        worth[number] = score
    return sorted(numbers, key=lambda it: (-worth[it], it))


def _shortest(lines: Lines, telling: Mapping[str, float]) -> Shown:
    """One line, or all of it where that is no longer."""
    head = tokens(header(lines.piece, NUMBER)) + 1
    one, whole = tokens(f"{summary(lines, telling)}\n"), sum(lines.costs)
    if whole <= one:
        return Shown(lines, tuple(range(len(lines.texts))), head + whole)
    return Shown(lines, None, head + one)


def _grown(forms: dict[int, Shown], number: int, telling: Mapping[str, float], more: float) -> float:
    """Show more of a piece, for so many tokens more at most; how many it were."""
    now = forms[number]
    lines = now.lines
    head = tokens(header(lines.piece, NUMBER)) + 1
    whole = head + sum(lines.costs)
    if now.is_whole:
        return 0.0
    if whole <= now.cost + more:
        forms[number] = Shown(lines, tuple(range(len(lines.texts))), whole)
    elif LEAST_CUT <= more:
        kept = chosen(lines, telling, now.cost + more - head - GAP)
        cost = head + GAP + sum(lines.costs[it] for it in kept) + GAP * _gaps(kept)
        if kept and (now.kept is None or len(now.kept) < len(kept)):
            forms[number] = Shown(lines, kept, cost)
    return forms[number].cost - now.cost


def _gaps(kept: Sequence[int]) -> int:
    return sum(a + 1 < b for a, b in pairwise(kept))
