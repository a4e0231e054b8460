"""Measure whether questions find their code: NDCG@10, MRR, recall within tokens, against raw BM25 and semble.

    python -m benchmarks.retrieval --data FOLDER [--split decide] [--repositories gin,tokio] [--json]
    python -m benchmarks.retrieval --documented [--languages python,go] [--each 20]
    python -m benchmarks.retrieval --data FOLDER --model FOLDER

FOLDER has `repos.json` and `annotations/NAME.json`; the sources come from the registries' own clients into a
cache. With ``--documented`` the questions are first sentences of documentation, which is taken out of the
code before it is indexed. With ``--model``, the folder of an embedder with its `model.json`, there are rows
for meaning alone and for words and meaning together. Numbers of the ranking were tuned on the split "tune";
"decide" is what to believe.
Means are over repositories; intervals are 95 %, by bootstrap over the questions within each.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.retrieval.annotated import Corpus, annotated
from benchmarks.retrieval.measure import Score, interval, mean_of_corpora, score
from benchmarks.retrieval.systems import OF_MODEL, SYSTEMS, TITLES, systems
from models import paths

MEASURES = tuple(it.name for it in fields(Score))
COLUMNS = ("NDCG@10", "of files", "MRR", "recall 1k", "recall 4k")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One question, asked of one system."""

    corpus: str
    split: str
    kind: str
    question: str
    system: str
    score: Score
    ms: float


def main() -> int:
    """Print the tables."""
    arguments = _parser().parse_args()
    cache = arguments.cache or paths.cache_dir() / "benchmarks" / "retrieval"
    found = [it for corpus in corpora(arguments, cache) for it in _outcomes(corpus, cache, arguments)]
    if not found:
        print("No questions: give --data or --documented.", file=sys.stderr)
        return 2
    if arguments.json:
        print(json.dumps([asdict(it) for it in found], indent=1))
        return 0
    for split in dict.fromkeys(it.split for it in found):
        _print([it for it in found if it.split == split], split, TITLES[arguments.against])
    return 0


def corpora(arguments: argparse.Namespace, cache: Path) -> Iterator[Corpus]:
    """The repositories that a command line asks for: ``data``, ``documented`` and what narrows them."""
    only = set(filter(None, arguments.repositories.split(",")))
    if arguments.data is not None:
        yield from (
            it for it in annotated(arguments.data, cache, arguments.split) if not only or it.name in only
        )
    if arguments.documented:
        from benchmarks.retrieval.documented import LANGUAGES, documented

        languages = tuple(filter(None, arguments.languages.split(","))) or LANGUAGES
        for it in documented(cache, arguments.split, languages, arguments.each):
            if not only or it.name in only:
                yield it


def _outcomes(corpus: Corpus, cache: Path, arguments: argparse.Namespace) -> Iterator[Outcome]:
    for it in corpus.left_out:
        print(
            f"left out of {corpus.name}: {it!r}: no file that answers it is in this version", file=sys.stderr
        )
    usual = (*SYSTEMS, *OF_MODEL) if arguments.model else SYSTEMS
    wanted = tuple(filter(None, arguments.systems.split(","))) or usual
    for name, ask in systems(corpus, cache, wanted, arguments.model):
        for question in corpus.questions:
            start = time.perf_counter()
            hits = ask(question.text)
            ms = 1000 * (time.perf_counter() - start)
            yield Outcome(
                corpus=corpus.name,
                split=corpus.split,
                kind=question.kind,
                question=question.text,
                system=name,
                score=score(hits, question.targets),
                ms=ms,
            )
    print(f"{corpus.name}: {len(corpus.questions)} questions", file=sys.stderr)


def _print(found: Sequence[Outcome], split: str, peer: str) -> None:
    corpora = sorted({it.corpus for it in found})
    questions = {(it.corpus, it.question) for it in found}
    print(f"\n{split}: {len(questions)} questions about {len(corpora)} repositories\n")
    names = list(dict.fromkeys(it.system for it in found))
    print(f"{'':28}" + "".join(f"{it:>11}" for it in COLUMNS) + f"{'ms':>7}   against {peer} (NDCG@10)")
    for name in names:
        own = [it for it in found if it.system == name]
        row = [mean_of_corpora(_values(own, it)) for it in MEASURES]
        numbers = "".join(f"{it:11.3f}" for it in row) + f"{median(it.ms for it in own):7.1f}"
        print(f"{name:28}{numbers}   {_against(found, name, peer) if name != peer else ''}")
    for title, key in (("repository", "corpus"), ("kind", "kind")):
        print(f"\nNDCG@10 by {title}")
        for group in dict.fromkeys(getattr(it, key) for it in found):
            rows = [
                [it.score.chunks for it in found if getattr(it, key) == group and it.system == name]
                for name in names
            ]
            print(f"  {group:24}" + "".join(f"{sum(it) / len(it):8.3f}" if it else " " * 8 for it in rows))
    print("  columns: " + ", ".join(names))


def _values(found: Sequence[Outcome], measure: str) -> dict[str, list[float]]:
    values: dict[str, list[float]] = {}
    for it in found:
        values.setdefault(it.corpus, []).append(getattr(it.score, measure))
    return values


def _against(found: Sequence[Outcome], name: str, other: str) -> str:
    """The paired difference to another system on the same questions."""
    peer = {(it.corpus, it.question): it.score.chunks for it in found if it.system == other}
    differences: dict[str, list[float]] = {}
    for it in found:
        if it.system == name and (it.corpus, it.question) in peer:
            difference = it.score.chunks - peer[it.corpus, it.question]
            differences.setdefault(it.corpus, []).append(difference)
    if not differences:
        return ""
    low, high = interval(differences)
    return f"{mean_of_corpora(differences):+.3f} [{low:+.3f}, {high:+.3f}]"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add: Any = parser.add_argument
    add("--data", type=Path, help="a folder with repos.json and annotations/")
    add("--documented", action="store_true", help="ask for functions by their documentation")
    add("--split", choices=("tune", "decide", "all"), default="decide")
    add("--repositories", default="", help="only these, separated by commas")
    add("--languages", default="", help="of the documented projects")
    add("--each", type=int, default=20, help="questions of each documented project")
    add("--systems", default="", help="only these, separated by commas")
    add("--against", choices=(*SYSTEMS, *OF_MODEL), default="raw", help="whom the others are compared with")
    add("--model", type=Path, help="the folder of an embedder")
    add("--cache", type=Path, help="where sources and indexes are kept")
    add("--json", action="store_true")
    return parser


if __name__ == "__main__":
    sys.exit(main())
