"""Judge what is suggested on held-out projects: right, in the way, sure for good reason; as CSV to commit.

    python -m benchmarks.quality --quick                       # some minutes, prints only
    python -m benchmarks.quality [--minutes 3]                 # all; writes benchmarks/results/quality*.csv
    python -m benchmarks.quality --model NEW.gguf --against starter [--out FOLDER]

Three ways to answer are judged with everything shown, however unsure: the bundled model alone (``model``),
the project memory alone (``memory``), and both as the product chooses between them (``both``); then the
product at its settings (``eager``, ``balanced``, ``quiet``), which show what is likely enough. Everything
goes through the product's own code: its trigger, engine, clean-up, chance and choice. ``judge.py`` says what
every measure means, ``places.py`` what the kinds of places are. Intervals are 95 %, by bootstrap over places.

With ``--minutes`` it stops after so many, with exit code 3, and goes on where it was when it is run again;
what was answered is kept in the user's cache, for one model, one card and one state of the code.
A card (as ``starter.toml``) is looked for beside a model's file; its ``memory_weight`` counts for the bundled
model alone. The places, the judging and the intervals are the same every time. The answers nearly are: one
thread evaluates the model, but how many tokens it drafts at once follows the time they take, and a batch of
another size rounds differently, which can change a choice between two tokens that are as likely.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

from benchmarks import anchored
from benchmarks.heldout.candidate import candidate, fingerprint
from benchmarks.heldout.measures import share
from benchmarks.heldout.projects import ENDINGS, Project, projects
from benchmarks.quality import report, tables
from benchmarks.quality.ask import LEVELS, OPEN, WAYS, Answers, answers, config_of, prompt_key, prompt_ways
from benchmarks.quality.judge import Said, Tokenize, judge
from benchmarks.quality.places import Place, drawn
from codeindex.syntax import faults
from models import registry
from models.engine.llama import Limits, Llama
from models.spec import ModelSpec

RESULTS = Path(__file__).parent.parent / "results"
CUTS, PROMPTS = 1_600, 40  # Random places in Python; places of each kind for the prompts.
QUICK_CUTS, QUICK_PROMPTS = 48, 4
OTHERS = 5  # A fifth as many in each other language: the bundled model was not trained on most of them.
UNFINISHED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What is asked of every model."""

    chosen: Sequence[tuple[Project, Sequence[Place]]]
    prompts: Sequence[anchored.Place]

    @property
    def places(self) -> list[Place]:
        """All of them, in a fixed order."""
        return [it for _, places in self.chosen for it in places]


def main() -> int:
    """Print the tables, and write them down; the exit code."""
    wanted = _parser().parse_args()
    quick = wanted.quick
    cuts = wanted.cuts or (QUICK_CUTS if quick else CUTS)
    languages = wanted.languages.split(",") if wanted.languages else ["python"] if quick else list(ENDINGS)
    task = task_of(languages, cuts, QUICK_PROMPTS if quick else PROMPTS, wanted.seed)
    if not task.places:
        print("There is no held-out code here.", file=sys.stderr)
        return 2
    until = time.monotonic() + 60 * wanted.minutes
    specs = [candidate(wanted.model, wanted.card)]
    specs += [candidate(wanted.against, wanted.against_card)] if wanted.against else []
    told = []
    for spec in specs:
        asked = asyncio.run(answers(spec, task.chosen, task.prompts, until))
        if asked.missing:
            print(f"{asked.missing} places of {spec.path.name} are still to be asked: run it again to go on.")
            return UNFINISHED
        told.append((spec, asked.answers))
    about = _about(specs[0], languages, cuts, wanted.seed)
    is_all = not quick and specs[0].name == registry.STARTER
    tell(task, told, about, wanted.out or (RESULTS if is_all else None))
    return 0


def task_of(languages: Sequence[str], cuts: int, prompts: int, seed: int) -> Task:
    """The places of every language's held-out projects; prompts are compared in those of the first."""
    chosen: list[tuple[Project, Sequence[Place]]] = []
    asked: list[anchored.Place] = []
    for language in languages:
        found = [it for it in projects("heldout", (language,)) if it.files]
        chosen += drawn(found, cuts if language == languages[0] else cuts // OTHERS, seed)
        for number, project in enumerate(found if language == languages[0] else ()):
            asked += anchored.places(
                project.files, share(number, len(found), prompts), f"{seed} {project.name}"
            )
    return Task(chosen=chosen, prompts=asked)


def judged(spec: ModelSpec, task: Task, known: Answers) -> list[tables.Judged]:
    """Every answer at every place."""
    llama = Llama(spec.path, Limits(context_tokens=64, sequences=1, threads=1), lambda _: True)
    try:
        return [
            _judged(place, known[place.key], partial(llama.tokenize, goes_on=True), spec)
            for place in task.places
        ]
    finally:
        llama.close()


def _judged(place: Place, said: dict[str, Said], tokenize: Tokenize, spec: ModelSpec) -> tables.Judged:
    count = cache(partial(faults, language=place.language))
    config = config_of(spec, None)
    ways = {way: judge(place, said[way], tokenize=tokenize, faults=count, config=config) for way in WAYS}
    return tables.Judged(language=place.language, kind=place.kind, ways=ways)


def tell(
    task: Task, told: Sequence[tuple[ModelSpec, Answers]], about: dict[str, str], folder: Path | None
) -> None:
    """Print the tables of the first model, and what it has more than the other; write them to ``folder``."""
    (spec, known), *others = told
    found = judged(spec, task, known)
    levels: dict[str, float] = {it: config_of(spec, None, it).chance_threshold for it in LEVELS}
    results = {
        "quality": list(tables.quality_rows(found, WAYS)),
        "quality-thresholds": list(tables.threshold_rows(found, OPEN, levels)),
        "quality-reliability": list(tables.reliability_rows(found, OPEN)),
        "quality-prompts": list(_prompt_rows(spec, task, known)),
    }
    for name, value in about.items():
        print(f"{name}: {value}  ")
    lines = [
        *report.quality(results["quality"]),
        *report.thresholds(results["quality-thresholds"]),
        *report.reliability(results["quality-reliability"]),
        *report.prompts(results["quality-prompts"]),
    ]
    for other, answered in others:
        rows = list(tables.against_rows(found, judged(other, task, answered), WAYS))
        results["quality-against"] = rows
        about = about | {f"against {name}": it for name, it in fingerprint(other).items()}
        lines += report.against(rows)
    print("\n".join(lines))
    if folder is not None:
        report.write(folder, results, about)


def _prompt_rows(spec: ModelSpec, task: Task, known: Answers) -> Iterator[tables.Row]:
    if not task.prompts:
        return
    ways = prompt_ways(spec)
    outcomes = [
        anchored.Outcome(place=it, said={way: known[prompt_key(it)][way].text for way in ways})
        for it in task.prompts
    ]
    yield from tables.prompt_rows(
        [it.place.kind for it in outcomes],
        {way: [it.exact(way) for it in outcomes] for way in ways},
        {way: [it.similarity(way) for it in outcomes] for way in ways},
    )


def _about(spec: ModelSpec, languages: Sequence[str], cuts: int, seed: int) -> dict[str, str]:
    count = f"{cuts} in {languages[0]}"
    if 1 < len(languages):
        count += f", {cuts // OTHERS} in each of {' '.join(languages[1:])}"
    return {**fingerprint(spec), "random places": count, "seed": str(seed)}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.quality",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--quick", action="store_true", help="Python alone, fewer places, nothing written")
    parser.add_argument("--model", default=registry.STARTER, help="starter, or a .gguf file")
    parser.add_argument("--card", type=Path, help="the model's card, if it is not beside its file")
    parser.add_argument("--against", default="", help="another model, asked at the same places")
    parser.add_argument("--against-card", type=Path, help="the other one's card")
    parser.add_argument("--languages", default="", help=f"of {', '.join(ENDINGS)}; the first has most places")
    parser.add_argument("--cuts", type=int, default=0, help="random places in the first language")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=600.0, help="how long to ask at most")
    parser.add_argument("--out", type=Path, help="where to write the files")
    return parser


if __name__ == "__main__":
    sys.exit(main())
