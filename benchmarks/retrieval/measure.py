"""Pure: how good a ranking is, and how sure that is: NDCG, MRR, recall within tokens, bootstrap intervals."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.retrieval.annotated import Target

DEPTH = 10
CHARACTERS_PER_TOKEN = 3.9  # Of a code model's vocabulary; only for what fits a budget.
RESAMPLES = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A hit, as far as the measures look at it."""

    path: str
    first_line: int
    last_line: int
    characters: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """One question's measures, each 0 to 1."""

    chunks: float
    """NDCG@10 of the hits as given: a file that comes again takes a rank and gains nothing."""
    files: float
    """NDCG@10 of the files: each at the rank among files of its first hit."""
    reciprocal: float
    """1 / rank of the first hit that answers, within ten."""
    recall_1k: float
    """Share of the answers seen within 1,000 tokens of the hits' text."""
    recall_4k: float


def score(hits: Sequence[Found], targets: Sequence[Target]) -> Score:
    """The measures of one ranking, best hit first."""
    first_of_file: dict[str, Found] = {}
    for it in hits:
        first_of_file.setdefault(it.path, it)
    as_files = [Target(path=it) for it in dict.fromkeys(it.path for it in targets)]
    ranks = [
        rank for rank, it in enumerate(hits[:DEPTH], 1) if any(_answers(it, target) for target in targets)
    ]
    return Score(
        chunks=_ndcg(hits, targets),
        files=_ndcg(list(first_of_file.values()), as_files),
        reciprocal=1 / ranks[0] if ranks else 0.0,
        recall_1k=_recall(hits, targets, 1_000),
        recall_4k=_recall(hits, targets, 4_000),
    )


def _answers(hit: Found, target: Target) -> bool:
    if hit.path != target.path:
        return False
    return not target.first_line or (
        hit.first_line <= target.last_line and target.first_line <= hit.last_line
    )


def _ndcg(hits: Sequence[Found], targets: Sequence[Target]) -> float:
    """Binary gains: a rank gains if it is the first that answers some target."""
    gaining = set()
    for target in targets:
        rank = next((rank for rank, it in enumerate(hits[:DEPTH], 1) if _answers(it, target)), None)
        if rank is not None:
            gaining.add(rank)
    ideal = sum(1 / math.log2(rank + 1) for rank in range(1, min(DEPTH, len(targets)) + 1))
    return sum(1 / math.log2(rank + 1) for rank in gaining) / ideal if ideal else 0.0


def _recall(hits: Sequence[Found], targets: Sequence[Target], tokens: int) -> float:
    left = tokens * CHARACTERS_PER_TOKEN
    seen = []
    for it in hits:
        left -= it.characters
        if left < 0:
            break
        seen.append(it)
    answered = sum(any(_answers(it, target) for it in seen) for target in targets)
    return answered / len(targets) if targets else 0.0


def mean_of_corpora(values: Mapping[str, Sequence[float]]) -> float:
    """The mean over corpora of each one's mean: a large one counts as much as a small one."""
    return float(np.mean([np.mean(it) for it in values.values()]))


def interval(values: Mapping[str, Sequence[float]], seed: int = 0) -> tuple[float, float]:
    """The 95 % interval of that mean by bootstrap over the questions within each corpus."""
    rng = np.random.default_rng(seed)
    drawn = []
    for _, row in sorted(values.items()):
        row_values = np.asarray(row)
        picks = rng.integers(0, len(row_values), (RESAMPLES, len(row_values)))
        drawn.append(row_values[picks].mean(axis=1))
    low, high = np.percentile(np.mean(drawn, axis=0), [2.5, 97.5])
    return float(low), float(high)
