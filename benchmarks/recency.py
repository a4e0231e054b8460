"""What it is worth to know which documents were edited last, on the history of a git repository.

    python -m benchmarks.recency [--repository .] [--language python] [--cuts 800]

A cut is a random place in a line that a commit adds; the rest of the line is hidden. What the same commit
changes in other files is what somebody has just edited; everything else is as it was before the commit. The
weight of such documents is tried in steps on the older half of the commits, by the probability of the pieces
that really follow, and judged on the newer half: exact lines with it, beside exact lines where these
documents count as if they were only open, or only files of the project.
"""

from __future__ import annotations

import argparse
import random
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean

import numpy as np

from benchmarks.heldout.answers import Asked, from_memory, open_config, spot_of
from benchmarks.heldout.cuts import Cut, cuts
from benchmarks.heldout.fit import choice_loss, steps, use
from benchmarks.heldout.projects import ENDINGS, LARGEST_FILE, File, Project
from codeindex.memory.coded import coded
from codeindex.memory.occurrence import Source
from codeindex.memory.segment import Segment, Written, build_segment
from codeindex.memory.snapshot import Layer, Snapshot
from completion.memory import coefficients, evidence
from completion.memory.question import question_at

MOST_FILES = 12  # A commit that changes more is an import or a renaming, not somebody's afternoon.
EDITED = 4  # Of the other files that it changes.
PER_COMMIT = 25  # Places at most.
TRIED = (-1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0)
RESAMPLES = 500
HUNK = re.compile(r"^@@ -\S+ \+(\d+)(?:,(\d+))? @@", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A cut, and the memory of its moment in three ways."""

    edited: Asked
    open: Asked
    project: Asked


def main() -> int:
    """Print the likelihood of each weight on the older half, and what comes of it on the newer one."""
    arguments = _parser().parse_args()
    repository = Path(arguments.repository)
    try:
        commits = _git(repository, "log", "--format=%H", "--no-merges", "--reverse").split()
    except (OSError, subprocess.CalledProcessError):
        print(f"{repository} is no git repository.", file=sys.stderr)
        return 1
    rng = random.Random(arguments.seed)
    found = [list(_places(repository, it, arguments.language, rng)) for it in commits]
    used = [it for it in found if it]
    older, newer = (
        [place for part in half for place in part][: arguments.cuts]
        for half in (used[: len(used) // 2], used[len(used) // 2 :])
    )
    if not older or not newer:
        print("There are too few commits that change several files of this language.", file=sys.stderr)
        return 1
    print(f"{len(used)} commits, {len(older)} places in the older half, {len(newer)} in the newer one\n")
    print("| weight beside open documents | nats per piece, older half |\n|---|---|")
    loss = choice_loss([step for it in older for step in _steps(it.edited)])
    base = (*coefficients.WEIGHTS, *coefficients.ORDERS)
    values = {more: loss(np.array(_with(base, more)))[0] for more in TRIED}
    for more, value in values.items():
        print(f"| {more:+.1f} | {value:.4f} |")
    best = min(values, key=values.__getitem__)
    use(WEIGHTS=_with(coefficients.WEIGHTS, best))
    exact = {
        f"edited, {best:+.1f}": [_exact(it.edited) for it in newer],
        "only open": [_exact(it.open) for it in newer],
        "only files": [_exact(it.project) for it in newer],
    }
    print("\n| these documents are | exact, newer half | more than as files |\n|---|---|---|")
    for name, hits in exact.items():
        print(f"| {name} | {fmean(hits):.1%} | {_difference(hits, exact['only files'], rng)} |")
    return 0


def _steps(asked: Asked) -> Iterator[tuple[list[list[float]], list[bool]]]:
    question = question_at(asked.memory, spot_of(asked, open_config()), path=asked.cut.path)
    return steps(asked, question)


def _places(repository: Path, commit: str, language: str, rng: random.Random) -> Iterator[Place]:
    """The cuts of one commit."""
    endings = ENDINGS[language]
    names = _git(repository, "show", "--format=", "--name-only", "--diff-filter=AM", commit).splitlines()
    changed = [it for it in names if it.endswith(endings)]
    if not 2 <= len(changed) <= MOST_FILES:
        return
    after = {it: _git(repository, "show", f"{commit}:{it}") for it in changed}
    listed = _git(repository, "ls-tree", "-r", "--name-only", f"{commit}^").splitlines()
    kept = [it for it in listed if it.endswith(endings)]
    before = {it: _git(repository, "show", f"{commit}^:{it}") for it in kept}
    files = tuple(File(path=it, text=text) for it, text in before.items() if len(text) < LARGEST_FILE)
    project = Project(name=repository.name, language=language, split="history", files=files)
    layer = Layer(segment=_segment(files), source=Source.PROJECT)
    for name in changed:
        added = _added(repository, commit, name)
        others = [File(path=it, text=after[it]) for it in rng.sample(changed, len(changed)) if it != name]
        wanted = max(1, PER_COMMIT // len(changed))
        for cut in _cuts_in(File(path=name, text=after[name]), added, wanted, rng):
            yield _place(project, layer, cut, others[:EDITED])


def _place(project: Project, layer: Layer, cut: Cut, others: Sequence[File]) -> Place:
    mine = Layer(segment=_segment([File(path=cut.path, text=cut.text)]), source=Source.BUFFER)
    theirs = Layer(segment=_segment(others), source=Source.BUFFER)
    hidden = frozenset((cut.path, *(it.path for it in others)))
    ways = {
        "edited": replace(theirs, edited=frozenset(range(len(others)))),
        "open": theirs,
        "project": replace(theirs, source=Source.PROJECT),
    }
    asked = {}
    for way, it in ways.items():
        # As files they are the newest version, too: only how much they count differs.
        shown = frozenset() if way == "project" else hidden
        old = replace(layer, dead=_numbers(layer, hidden)) if way == "project" else layer
        asked[way] = Asked(project=project, cut=cut, memory=Snapshot((mine, it, old), hidden=shown))
    return Place(**asked)


def _numbers(layer: Layer, paths: frozenset[str]) -> frozenset[int]:
    known = layer.segment.numbers
    return frozenset(known[it] for it in paths if it in known)


def _cuts_in(file: File, lines: frozenset[int], count: int, rng: random.Random) -> Iterator[Cut]:
    """Random places in these lines of a file."""
    for cut in cuts([file], 20 * count, rng):
        if cut.before.count("\n") + 1 in lines and count:
            count -= 1
            yield cut


def _added(repository: Path, commit: str, name: str) -> frozenset[int]:
    """The numbers of the lines that a commit adds to a file."""
    diff = _git(repository, "show", "--format=", "--unified=0", commit, "--", name)
    spans = [(int(it[1]), int(it[2] or 1)) for it in HUNK.finditer(diff)]
    return frozenset(line for first, count in spans for line in range(first, first + count))


def _segment(files: Sequence[File]) -> Segment:
    return build_segment([Written(path=it.path, text=coded(it.text)) for it in files])


def _with(weights: Sequence[float], more: float) -> list[float]:
    """The weights, with edited documents counting so much more than open ones."""
    changed = list(weights)
    changed[evidence.Source.EDITED] = weights[evidence.Source.OPEN] + more
    return changed


def _exact(asked: Asked) -> bool:
    return from_memory(asked).text == asked.cut.rest


def _difference(hits: Sequence[bool], others: Sequence[bool], rng: random.Random) -> str:
    apart = [one - other for one, other in zip(hits, others, strict=True)]
    means = sorted(fmean(rng.choices(apart, k=len(apart))) for _ in range(RESAMPLES))
    return f"{fmean(apart):+.1%} ({means[RESAMPLES // 40]:+.1%} to {means[-RESAMPLES // 40]:+.1%})"


def _git(repository: Path, *arguments: str) -> str:
    command = ["git", "-C", str(repository), *arguments]
    return subprocess.run(command, capture_output=True, check=True).stdout.decode("utf-8", "replace")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.recency", description=__doc__)
    parser.add_argument("--repository", default=".")
    parser.add_argument("--language", default="python", choices=ENDINGS)
    parser.add_argument("--cuts", type=int, default=800, help="places in each half of the history at most")
    parser.add_argument("--seed", type=int, default=1)
    return parser


if __name__ == "__main__":
    sys.exit(main())
