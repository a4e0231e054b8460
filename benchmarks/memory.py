"""Measure the project memory on held-out projects: exact lines, precision by threshold, time of a question.

    python -m benchmarks.memory [--languages python,go] [--cuts 600] [--model starter] [--json]
    python -m benchmarks.memory --fit         # learn the numbers again, on other projects

A cut is a random place in a random file; the rest of its line is hidden, and the memory holds the rest of
the file, the project, and the standard library where the language has one here. Peers in the same run: the
longest match with plain back-off, the model without the memory; "as shown" is the memory's line after the
clean-up that every suggestion goes through, which never offers some lines. Intervals are 95 %, by bootstrap
over cuts.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean, quantiles
from typing import Any

from benchmarks.heldout import fit
from benchmarks.heldout.answers import Answer, Asked, as_shown, backed_off, from_memory, models_answers
from benchmarks.heldout.cuts import KINDS, Cut, cuts
from benchmarks.heldout.measures import is_exact, share, similarity
from benchmarks.heldout.projects import ENDINGS, projects
from benchmarks.heldout.shelf import ProjectShelf, as_dependency, standard_library

THRESHOLDS = (0.0, 0.1, 0.15, 0.2, 0.3, 0.5, 0.7, 0.85)
RESAMPLES = 500
EVERY_WHOLE_LINE = 4  # A fourth as many whole lines as random places.


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One cut and what each way of answering said."""

    language: str
    project: str
    cut: Cut
    answers: dict[str, Answer]

    def exact(self, way: str) -> bool:
        """A whole line counts without its indentation, which editors adjust."""
        return is_exact(self.cut.kind, self.answers[way].text, self.cut.rest)

    def similarity(self, way: str) -> float:
        """Edit similarity, 0 to 1."""
        return similarity(self.answers[way].text, self.cut.rest)


def main() -> int:
    """Print the tables, or the new numbers."""
    arguments = _parser().parse_args()
    languages = tuple(arguments.languages.split(","))
    if arguments.fit:
        fit.fit(asked("fit", languages, arguments.cuts, arguments.seed))
        return 0
    outcomes = list(_outcomes(languages, arguments))
    if arguments.json:
        print(json.dumps([_json(it) for it in outcomes]))
    else:
        _print(outcomes, languages)
    return 0


def asked(split: str, languages: Sequence[str], count: int, seed: int) -> Iterator[Asked]:
    """Every cut with the memory it may ask: ``count`` for each language, spread over its projects.

    Where there is something to learn, another file is open and another project is a dependency, so that
    their weights are learned too.
    """
    library = standard_library() if "python" in languages else ()
    for language in languages:
        found = [it for it in projects(split, (language,)) if it.files]
        for number, project in enumerate(found):
            rng = random.Random(f"{seed} {project.name}")
            background = library if language == "python" else ()
            is_open = None
            if split == "fit":
                is_open = rng.choice(project.files)
                if found[number - 1] is not project:
                    background = (*background, as_dependency(found[number - 1]))
            shelf = ProjectShelf(project, background, is_open=is_open)
            mine = share(number, len(found), count)
            for whole_lines, wanted in ((False, mine), (True, mine // EVERY_WHOLE_LINE)):
                for cut in cuts(project.files, wanted, rng, whole_lines=whole_lines):
                    yield Asked(project=project, cut=cut, memory=shelf.memory(cut))


def _outcomes(languages: Sequence[str], arguments: argparse.Namespace) -> Iterator[Outcome]:
    places = list(asked("heldout", languages, arguments.cuts, arguments.seed))
    answers: list[dict[str, Answer]] = []
    for number, it in enumerate(places):
        answers.append({"memory": from_memory(it), "as shown": as_shown(it), "back-off": backed_off(it)})
        if sys.stderr.isatty() and number % 50 == 0:
            print(f"\r{number} of {len(places)}", end="", file=sys.stderr)
    if arguments.model != "none":
        for way, said in asyncio.run(models_answers(places, arguments.model)).items():
            for known, answer in zip(answers, said, strict=True):
                known[way] = answer
    for it, known in zip(places, answers, strict=True):
        yield Outcome(language=it.project.language, project=it.project.name, cut=it.cut, answers=known)


def _print(outcomes: Sequence[Outcome], languages: Sequence[str]) -> None:
    ways = list(outcomes[0].answers)
    for language in languages:
        mine = [it for it in outcomes if it.language == language]
        print(f"\n## {language}, {len({it.project for it in mine})} projects\n")
        print("| cut | n | " + " | ".join(f"{it} exact | similarity" for it in ways) + " |")
        print("|---" * (2 + 2 * len(ways)) + "|")
        anywhere = [it for it in mine if it.cut.kind != "whole_line"]
        for name, part in [
            ("anywhere", anywhere),
            *((kind, [it for it in mine if it.cut.kind == kind]) for kind in KINDS),
        ]:
            if part:
                cells = " | ".join(f"{_interval(part, it)} | {_mean_similarity(part, it):.2f}" for it in ways)
                print(f"| {name} | {len(part)} | {cells} |")
        if "both" in ways:
            print(f"\nAnywhere, exact lines, both less memory as shown: {_difference(anywhere, 'as shown')}")
            print(f"both less model: {_difference(anywhere, 'model')}")
        print(f"\nShown exact / coverage, anywhere, by threshold on the chance ({language}):\n")
        print("| from | " + " | ".join(ways) + " |\n" + "|---" * (1 + len(ways)) + "|")
        for threshold in THRESHOLDS:
            print(f"| {threshold:.2f} | " + " | ".join(_shown(anywhere, it, threshold) for it in ways) + " |")
    for way in ways:
        times = sorted(it.answers[way].ms for it in outcomes)
        cut = quantiles(times, n=100)
        print(f"\n{way}: p50 {cut[49]:.2f} ms, p95 {cut[94]:.2f} ms, p99 {cut[98]:.2f} ms per answer")
        drafted = sum(it.answers[way].drafted for it in outcomes)
        if drafted:
            accepted = sum(it.answers[way].accepted for it in outcomes)
            print(f"{way}: {accepted} of {drafted} drafted tokens accepted ({accepted / drafted:.0%})")


def _shown(part: Sequence[Outcome], way: str, threshold: float) -> str:
    shown = [it for it in part if it.answers[way].text and threshold <= it.answers[way].chance]
    if not shown:
        return "nothing"
    return f"{fmean(it.exact(way) for it in shown):.1%} / {len(shown) / len(part):.1%}"


def _interval(part: Sequence[Outcome], way: str) -> str:
    hits = [it.exact(way) for it in part]
    rng = random.Random(0)
    means = sorted(fmean(rng.choices(hits, k=len(hits))) for _ in range(RESAMPLES))
    return f"{fmean(hits):.1%} ({means[RESAMPLES // 40]:.1%} to {means[-RESAMPLES // 40]:.1%})"


def _difference(part: Sequence[Outcome], other: str) -> str:
    """What both together have more exact lines than another way, place by place."""
    apart = [it.exact("both") - it.exact(other) for it in part]
    rng = random.Random(0)
    means = sorted(fmean(rng.choices(apart, k=len(apart))) for _ in range(RESAMPLES))
    return f"{fmean(apart):+.1%} ({means[RESAMPLES // 40]:+.1%} to {means[-RESAMPLES // 40]:+.1%})"


def _mean_similarity(part: Sequence[Outcome], way: str) -> float:
    return fmean(it.similarity(way) for it in part)


def _json(it: Outcome) -> dict[str, Any]:
    """Without any of the code: what was right, how sure, how long it took."""
    return {
        "language": it.language,
        "project": it.project,
        "kind": it.cut.kind,
        "answers": {
            way: {
                "exact": it.exact(way),
                "similarity": round(it.similarity(way), 3),
                "shown": bool(answer.text),
                "chance": round(answer.chance, 4),
                "ms": round(answer.ms, 3),
            }
            for way, answer in it.answers.items()
        },
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.memory", description=__doc__)
    parser.add_argument("--languages", default=",".join(ENDINGS))
    parser.add_argument("--cuts", type=int, default=600, help="random places for each language")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--model", default="none", help="a model to compare with and to add: starter, or a file"
    )
    parser.add_argument("--fit", action="store_true", help="learn the numbers on the other projects")
    parser.add_argument("--json", action="store_true")
    return parser


if __name__ == "__main__":
    sys.exit(main())
