"""Measure what a model gets to see: whether what answers is within 500 and 1,000 tokens, and links resolve.

    python -m benchmarks.chat --data FOLDER [--split all] [--repositories gin,tokio] [--words] [--json]
    python -m benchmarks.chat --documented [--languages python,go] [--each 20]

The questions are those of ``benchmarks.retrieval``: annotated repositories, whose answers are files, and with
``--documented`` first sentences of documentation, whose answers are functions. Each is asked as chat asks it:
gathered (``chat.gather``) through the same code as in the product, and packed (``chat.pack``). Beside it, in
the same run and with the same count of tokens: hits of raw BM25 and of our own search, best first, each whole
or not at all.

An answer is seen if a line of it is in the block: "all" is the share of a question's answers, "one" whether
any is there, "code" the share of which some lines are there, not only the one that names it. Tokens are
counted twice: with the estimate that the product uses for models whose tokenizer is not at hand, rather too
high, and as 3.9 characters each, as ``benchmarks.retrieval`` does.
What decides how much of a piece is shown was fitted on the split "tune"; "decide" is what to believe.

Links: of each block all numbers are cited, some that stand for nothing, and a link to a file that is not
there; what becomes of that is looked up on disk, line by line.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import re
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import unquote

from benchmarks.retrieval.__main__ import corpora
from benchmarks.retrieval.annotated import Corpus, Question, Target
from benchmarks.retrieval.measure import CHARACTERS_PER_TOKEN, interval, mean_of_corpora
from benchmarks.retrieval.peers import Ask, raw_bm25
from benchmarks.retrieval.systems import chunks_of, embedded, indexed
from chat import cite
from chat.gather import gather
from chat.pack import Packed, pack
from chat.types import Place
from chat.types import Question as Asked
from codeindex.config import DEFAULTS
from codeindex.protocol import Options
from codeindex.store import store_folder
from lsp_server.chat_code import WorkspaceCode
from lsp_server.commands.coded import Here
from lsp_server.commands.indexed import Place as Project
from lsp_server.settings import Settings
from models import paths
from models.estimate import tokens

BUDGETS = (500, 1_000)
COUNTS: Mapping[str, Callable[[str], int]] = {
    "estimate": tokens,
    "characters": lambda it: math.ceil(len(it) / CHARACTERS_PER_TOKEN),
}
RAW, WHOLE, OURS = "raw BM25, whole hits", "Hearth's hits, whole", "Hearth, packed"
BUNDLED = Path(__file__).parent.parent / "models" / "starter" / "embedder"
HITS = 50
MADE_UP = "See [97], [98-99] and [the file](made/up.py#L3-L4)."
SOME_LINES = 3
HEADER = re.compile(r"^\[(\d+)\] \S+:\d", re.MULTILINE)
LINK = re.compile(r"\]\(([^()\s]+)\)")
LINES = re.compile(r"(?P<path>.+)#L(?P<first>\d+)(?:-L(?P<last>\d+))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One question, packed by one system within one budget."""

    corpus: str
    split: str
    question: str
    system: str
    count: str
    budget: int
    all: float
    """The share of its answers that are in the block."""
    one: float
    code: float
    """The share of its answers of which some lines are there, or a whole piece: not only one line."""
    files: int
    tokens: int
    ms: float
    """To pack it, without the search."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """Of all links in all answers."""

    made: int = 0
    resolved: int = 0
    left: int = 0
    """Numbers and targets that stand for nothing and are still there: every one is a fault."""


def main() -> int:
    """Print the tables."""
    arguments = _parser().parse_args()
    cache = arguments.cache or paths.cache_dir() / "benchmarks" / "retrieval"
    found: list[Seen] = []
    links = Links()
    for corpus in corpora(arguments, cache):
        seen, some = asyncio.run(measured(corpus, cache, None if arguments.words else arguments.model))
        found += seen
        links = Links(**{name: value + asdict(links)[name] for name, value in asdict(some).items()})
        print(f"{corpus.name}: {len(corpus.questions)} questions", file=sys.stderr)
    if not found:
        print("No questions: give --data or --documented.", file=sys.stderr)
        return 2
    if arguments.json:
        print(json.dumps({"seen": [asdict(it) for it in found], "links": asdict(links)}, indent=1))
        return 0
    for split in dict.fromkeys(it.split for it in found):
        _print([it for it in found if it.split == split], split)
    share = links.resolved / max(1, links.made)
    print(
        f"\nLinks: {links.made}, of which {share:.1%} resolve; {links.left} that stand for nothing are left."
    )
    return 0


async def measured(corpus: Corpus, cache: Path, model: Path | None) -> tuple[list[Seen], Links]:
    """All questions of a corpus, by all systems; without an embedder if there is no ``model``."""
    with indexed(corpus, cache) as reader:
        raw = raw_bm25(list(chunks_of(reader)))
        if model is not None:
            embedded(corpus, cache, model, reader)
    options = Options(config=DEFAULTS, embedder=str(model or ""))
    here = Here(
        Project(root=corpus.root, folder=store_folder(corpus.root, cache), cache=cache, options=options)
    )
    settings = Settings()
    code = WorkspaceCode(here, (), lambda: [str(corpus.root)], lambda: (), lambda: settings)
    found: list[Seen] = []
    links = Links()
    try:
        for question in corpus.questions:
            seen, some = await _packed(corpus, question, code, raw)
            found += seen
            links = Links(**{name: value + asdict(links)[name] for name, value in asdict(some).items()})
    finally:
        await here.close()
    return found, links


async def _packed(
    corpus: Corpus, question: Question, code: WorkspaceCode, raw: Ask
) -> tuple[list[Seen], Links]:
    gathered = await gather(Asked(text=question.text), code)
    ours = [
        _place(it.path, it.first_line, it.last_line) for it in await code.search(question.text, limit=HITS)
    ]
    theirs = [_place(it.path, it.first_line, it.last_line) for it in raw(question.text)]
    found: list[Seen] = []
    links = Links()
    for name, count in COUNTS.items():
        for budget in BUDGETS:
            blocks = {}
            for system, hits in ((RAW, theirs), (WHOLE, ours)):
                start = time.perf_counter()
                blocks[system] = (
                    *_whole(corpus.root, hits, budget, count),
                    1000 * (time.perf_counter() - start),
                )
            start = time.perf_counter()
            packed = pack(gathered.pieces, budget_tokens=budget, count=count, question=question.text)
            ms = 1000 * (time.perf_counter() - start)
            if budget < packed.tokens or packed.tokens != (count(packed.text) if packed.text else 0):
                raise SystemExit(f"{question.text!r}: {packed.tokens} tokens in a budget of {budget}.")
            blocks[OURS] = (list(packed.numbers.values()), packed.tokens, ms)
            read = _read(packed)
            links = _checked(corpus.root, packed.numbers, links)
            for system, (places, used, took) in blocks.items():
                shares = [_is_seen(it, places) for it in question.targets]
                lines = [_is_seen(it, read if system == OURS else places) for it in question.targets]
                found.append(
                    Seen(
                        corpus=corpus.name,
                        split=corpus.split,
                        question=question.text,
                        system=system,
                        count=name,
                        budget=budget,
                        all=sum(shares) / len(shares),
                        one=float(any(shares)),
                        code=sum(lines) / len(lines),
                        files=len({it.path for it in places}),
                        tokens=used,
                        ms=took,
                    )
                )
    return found, links


def _place(path: str, first_line: int, last_line: int) -> Place:
    return Place(path=path, first_line=first_line, last_line=last_line)


def _whole(
    root: Path, hits: Sequence[Place], budget: int, count: Callable[[str], int]
) -> tuple[list[Place], int]:
    """Hits as they are, each under its place; one that does not fit is left out, the next may fit."""
    kept: list[Place] = []
    used = 0
    for it in hits:
        lines = (root / it.path).read_text("utf-8", "replace").split("\n")[it.first_line - 1 : it.last_line]
        cost = count(
            "\n".join((f"[{len(kept) + 1}] {it.path}:{it.first_line}-{it.last_line}", *lines, "", ""))
        )
        if used + cost <= budget:
            kept.append(it)
            used += cost
    return kept, used


def _is_seen(target: Target, places: Sequence[Place]) -> bool:
    return any(
        it.path == target.path
        and (
            not target.first_line or (it.first_line <= target.last_line and target.first_line <= it.last_line)
        )
        for it in places
    )


def _read(packed: Packed) -> list[Place]:
    """The places of which more than a line is shown, or all of it."""
    starts = [(it.start(), int(it[1])) for it in HEADER.finditer(packed.text)]
    ends = [*(it for it, _ in starts[1:]), len(packed.text)]
    return [
        packed.numbers[number]
        for (start, number), end in zip(starts, ends, strict=True)
        if number not in packed.parts or SOME_LINES < len(packed.text[start:end].strip().split("\n"))
    ]


def _checked(root: Path, numbers: Mapping[int, Place], links: Links) -> Links:
    """Cite everything, and what is not there, and follow each link on disk."""
    answer = (
        " ".join(f"This is so [{it}]." for it in numbers)
        + f" All of it: [1-{max(numbers, default=1)}]. {MADE_UP}"
    )
    text, _ = cite.expand(answer, numbers)
    targets = LINK.findall(text)
    resolved = sum(_resolves(root, unquote(it)) for it in targets)
    left = text.count("made/up.py") + len(re.findall(r"\[\d+\](?!\()", text))
    return Links(made=links.made + len(targets), resolved=links.resolved + resolved, left=links.left + left)


def _resolves(root: Path, target: str) -> bool:
    match = LINES.fullmatch(target)
    if match is None or not (root / match["path"]).is_file():
        return False
    lines = (root / match["path"]).read_text("utf-8", "replace").split("\n")
    return 1 <= int(match["first"]) <= int(match["last"] or match["first"]) <= len(lines)


def _print(found: Sequence[Seen], split: str) -> None:
    questions = {(it.corpus, it.question) for it in found}
    corpora = sorted({it.corpus for it in found})
    print(f"\n{split}: {len(questions)} questions about {len(corpora)} repositories\n")
    columns = "".join(f"{it:>7}" for it in ("one", "code", "files", "used", "ms"))
    print(f"{'':22}{'tokens':>22}   {'all answers (95 %)':24}{columns}")
    for name in COUNTS:
        for budget in BUDGETS:
            for system in (RAW, WHOLE, OURS):
                own = [it for it in found if (it.system, it.budget, it.count) == (system, budget, name)]
                low, high = interval(_values(own, "all"))
                share = f"{mean_of_corpora(_values(own, 'all')):.3f} ({low:.3f} to {high:.3f})"
                print(
                    f"{system:22}{f'{budget:,} by {name}':>22}   {share:24}"
                    f"{mean_of_corpora(_values(own, 'one')):7.3f}{mean_of_corpora(_values(own, 'code')):7.3f}"
                    f"{mean_of_corpora(_values(own, 'files')):7.1f}"
                    f"{median(it.tokens for it in own):7.0f}{median(it.ms for it in own):7.1f}"
                )
    print("\nby repository, all answers within 1,000 by estimate: raw, whole, packed")
    for corpus in corpora:
        mine = [it for it in found if (it.corpus, it.budget, it.count) == (corpus, 1_000, "estimate")]
        rows = [[it.all for it in mine if it.system == system] for system in (RAW, WHOLE, OURS)]
        print(f"  {corpus:24}" + "".join(f"{sum(it) / len(it):8.3f}" for it in rows))


def _values(found: Sequence[Seen], measure: str) -> dict[str, list[float]]:
    values: dict[str, list[float]] = {}
    for it in found:
        values.setdefault(it.corpus, []).append(getattr(it, measure))
    return values


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add: Any = parser.add_argument
    add("--data", type=Path, help="a folder with repos.json and annotations/")
    add("--documented", action="store_true", help="ask for functions by their documentation")
    add("--split", choices=("tune", "decide", "all"), default="all")
    add("--repositories", default="", help="only these, separated by commas")
    add("--languages", default="", help="of the documented projects")
    add("--each", type=int, default=20, help="questions of each documented project")
    add("--model", type=Path, default=BUNDLED, help="the folder of an embedder")
    add("--words", action="store_true", help="without an embedder")
    add("--cache", type=Path, help="where sources and indexes are kept")
    add("--json", action="store_true")
    return parser


if __name__ == "__main__":
    sys.exit(main())
