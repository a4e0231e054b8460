"""How likely a model's line is exactly right: learn the weights for its card, and judge them.

    python -m benchmarks.chance --fit [--model starter] [--cuts 1500]    # prints the card's [chance]
    python -m benchmarks.chance [--model starter] [--cuts 600]           # judges it, on other projects

Judged by reliability: among the lines that are said to be right with about the same chance, how many are, and
the mean distance between the two, weighted by how many there are (the expected calibration error).
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from statistics import fmean

from benchmarks.heldout.answers import Answer, Asked, models_answers
from benchmarks.heldout.fit import logistic_loss, minimize
from benchmarks.heldout.measures import bins, calibration_error
from benchmarks.memory import asked
from completion import chance

WAY = "mixed"
"""The model, which knows the memory's candidates; the memory does not answer in its place."""


def main() -> int:
    """Print the weights, or how reliable those of the card are."""
    arguments = _parser().parse_args()
    languages = tuple(arguments.languages.split(","))
    split = "fit" if arguments.fit else "heldout"
    places = [it for it in asked(split, languages, arguments.cuts, arguments.seed) if _is_cut(it)]
    said = asyncio.run(models_answers(places, arguments.model, ways=(WAY,)))[WAY]
    rows = [(answer, answer.text == it.cut.rest) for it, answer in zip(places, said, strict=True)]
    rows = [(answer, right) for answer, right in rows if answer.text]
    if not rows:
        print("The model has answered nowhere.", file=sys.stderr)
        return 1
    if arguments.fit:
        weights = minimize(
            logistic_loss([(list(it.evidence), right) for it, right in rows]), len(chance.NAMES)
        )
        print(f"# learned from {len(rows)} lines, {fmean(right for _, right in rows):.1%} of them right")
        print("[chance]")
        for name, weight in zip(chance.NAMES, weights, strict=True):
            print(f"{name} = {weight + 0.0:.3f}")
    else:
        _judge(rows)
    return 0


def _judge(rows: Sequence[tuple[Answer, bool]]) -> None:
    print(f"{len(rows)} lines, {fmean(right for _, right in rows):.1%} of them right\n")
    print("| chance | lines | said | right |\n|---|---|---|---|")
    chances = [(it.chance, right) for it, right in rows]
    for it in bins(chances):
        print(f"| {it.low:.2f} to {it.high:.2f} | {it.count} | {it.said:.1%} | {it.right:.1%} |")
    print(f"\nexpected calibration error: {calibration_error(chances):.3f}")


def _is_cut(it: Asked) -> bool:
    """A line that is not begun yet is hardly ever right, and its indentation is the editor's."""
    return it.cut.kind != "whole_line"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chance", description=__doc__)
    parser.add_argument("--model", default="starter", help="starter, or a file")
    parser.add_argument("--languages", default="python,javascript")
    parser.add_argument("--cuts", type=int, default=600, help="random places for each language")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--fit", action="store_true", help="learn the weights, on the other projects")
    return parser


if __name__ == "__main__":
    sys.exit(main())
