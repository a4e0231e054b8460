"""Measure what pieces of other open files bring: the likelihood of the true rest of a line, with and without.

    python -m benchmarks.context [--cuts 60] [--model FILE.gguf] [--window 200] [--context 200] [--json]
    python -m benchmarks.context --names --cuts 600      # no model: do the pieces show the names that come?

A cut is a random place outside of words in a held-out project; the rest of its line is hidden. Open are its
own file and those that share the rarest names with the lines around it, as somebody's editor would have them.
What the product chooses of them (``lsp_server/context.py``) stands before the prompt. Beside it, on the same
cuts: the same window without context, other pieces of the same files drawn at random, and a window that is
larger by as many tokens as the context takes. Differences are to the window without context, with 95 %
intervals by bootstrap over cuts.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np

from benchmarks.heldout.cuts import Cut, cuts
from benchmarks.heldout.projects import File, Project, projects
from completion.context import blocks, names_in, piece
from lsp_server.context import Context
from lsp_server.documents import Document
from models.engine.llama import N_OUTPUTS, Limits, Llama
from models.engine.vocabulary import FimText, fim_prompt
from models.engine.worker import default_threads
from models.registry import STARTER_FILE
from models.wire import Snippet

OPEN_FILES = 6
CHARACTERS_PER_TOKEN = 3.9  # Of the starter's vocabulary on held-out Python; its card says so.
AFTER = 0.25  # Of the window: the text behind the cursor.
ANCHOR_LINES = 2  # The middle begins so many lines above, as the starter wants it.
NEAR_LINES = 10  # Around the cursor: whose names make other files related.
ANSWER_TOKENS = 64
RESAMPLES = 2000
WAYS = ("window", "context", "random pieces", "larger window")


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """What the model makes of one cut in one way."""

    nats: float
    """Of the true rest of the line, its end included."""
    exact: bool
    tokens: int
    """Of the prompt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One cut in every way."""

    project: str
    characters: int
    """Of the true rest, its end included."""
    pieces: int
    """How many the product chose."""
    missing: int
    """Names in the true rest that the window does not show,"""
    shown: Mapping[str, int]
    """and how many of them the pieces show: chosen, at random, or all of the open files."""
    scores: Mapping[str, Score]
    """Empty without a model."""


def main() -> int:
    """Print the table."""
    arguments = _parser().parse_args()
    llama = None
    if not arguments.names:
        limits = Limits(context_tokens=4096, sequences=1, threads=default_threads())
        llama = Llama(arguments.model.resolve(), limits, lambda _: True)
    found = list(_outcomes(llama, arguments))
    if arguments.json:
        print(json.dumps([_json(it) for it in found], indent=1))
        return 0
    given = sum(0 < it.pieces for it in found)
    print(f"\n{len(found)} cuts of {len({it.project for it in found})} projects; pieces chosen for {given}\n")
    if llama is not None:
        _print(found)
        llama.close()
    _print_names(found)
    return 0


def _outcomes(llama: Llama | None, arguments: argparse.Namespace) -> Iterator[Outcome]:
    languages = tuple(arguments.languages.split(","))
    every = [it for it in projects("heldout", languages) if 1 < len(it.files)]
    for number, project in enumerate(every):
        rng = random.Random(f"{arguments.seed} {project.name}")
        share = (number + 1) * arguments.cuts // len(every) - number * arguments.cuts // len(every)
        spread = _spread(project)
        drawn = cuts(project.files, 10 * share, rng)
        for cut in [it for it in drawn if it.kind != "in_word"][:share]:
            yield _outcome(llama, project, cut, related(project, cut, spread), arguments, rng)
            print(".", end="", file=sys.stderr, flush=True)


def _spread(project: Project) -> Counter[str]:
    """In how many files each name stands."""
    return Counter(name for it in project.files for name in names_in(it.text))


def related(project: Project, cut: Cut, spread: Mapping[str, int]) -> list[File]:
    """The files that somebody who writes here may have open: those that share the rarest names."""
    near = "\n".join(cut.before.split("\n")[-NEAR_LINES:] + cut.after.split("\n")[:NEAR_LINES])
    names = names_in(near)

    def shared(file: File) -> float:
        both = names & names_in(file.text)
        return sum(math.log(len(project.files) / spread[it]) for it in sorted(both))

    others = [it for it in project.files if it.path != cut.path]
    return sorted(others, key=lambda it: (-shared(it), it.path))[:OPEN_FILES]


def _outcome(
    llama: Llama | None,
    project: Project,
    cut: Cut,
    files: Sequence[File],
    arguments: argparse.Namespace,
    rng: random.Random,
) -> Outcome:
    budget = arguments.context
    small, large = window(cut, arguments.window), window(cut, arguments.window + budget)
    chosen = chosen_pieces(cut, files, small, budget)
    drawn = random_pieces(files, budget, rng)
    missing = names_in(cut.rest) - names_in("\n".join(small))
    texts = {
        "chosen": [it.text for it in chosen],
        "at random": [it.text for it in drawn],
        "all of the open files": [cut.text, *(it.text for it in files)],
    }
    return Outcome(
        project=project.name,
        characters=len(cut.rest) + 1,
        pieces=len(chosen),
        missing=len(missing),
        shown={way: len(missing & names_in("\n".join(it))) for way, it in texts.items()},
        scores={} if llama is None else _scores(llama, cut, small, large, chosen, drawn, arguments),
    )


def _scores(
    llama: Llama,
    cut: Cut,
    small: tuple[str, str],
    large: tuple[str, str],
    chosen: tuple[Snippet, ...],
    drawn: tuple[Snippet, ...],
    arguments: argparse.Namespace,
) -> dict[str, Score]:
    """The four ways to ask."""
    score = _scorer(llama, cut, arguments.window + arguments.context + ANSWER_TOKENS)
    plain = score(small, ())
    return {
        "window": plain,
        "context": score(small, chosen) if chosen else plain,
        "random pieces": score(small, drawn) if drawn else plain,
        "larger window": score(large, ()),
    }


def window(cut: Cut, tokens: int) -> tuple[str, str]:
    """The text before and behind the cursor, in whole lines, of about so many tokens."""
    characters = int(tokens * CHARACTERS_PER_TOKEN)
    before, after = cut.before, cut.after[: int(AFTER * characters)]
    if characters - len(after) < len(before):
        before = before[-(characters - len(after)) :].partition("\n")[2] or before[-characters:]
    if len(after) < len(cut.after):
        after = after[: after.rfind("\n") + 1] or after
    return before, after


def chosen_pieces(
    cut: Cut, files: Sequence[File], shown: tuple[str, str], budget: int
) -> tuple[Snippet, ...]:
    """What the product shows when these files are open, the most related one opened last."""
    root = Path("/project").as_uri()
    context = Context()
    context.within([root])
    for it in reversed(files):
        context.opened(Document(f"{root}/{it.path}", "python", 1, it.text))
    uri = f"{root}/{cut.path}"
    context.opened(Document(uri, "python", 1, cut.text))
    context.wait()
    return context.snippets(uri, cut.path, *shown, budget)


def random_pieces(files: Sequence[File], budget: int, rng: random.Random) -> tuple[Snippet, ...]:
    """Any pieces of the same files, as many as there is room for."""
    places = [(it, first, last) for it in files for first, last in blocks(it.text.split("\n"))]
    rng.shuffle(places)
    found: list[Snippet] = []
    for file, first, last in places:
        it = piece(file.path, file.text.split("\n"), first, last)
        if it is not None and it.cost <= budget:
            budget -= it.cost
            found.append(Snippet(path=it.path, text=it.text))
    return tuple(found)


def _scorer(llama: Llama, cut: Cut, room: int) -> Callable[[tuple[str, str], tuple[Snippet, ...]], Score]:
    """How to score one cut: its prompt is built by the engine's own rules."""
    rest = llama.tokenize(f"{cut.rest}\n", goes_on=True)

    def score(shown: tuple[str, str], snippets: tuple[Snippet, ...]) -> Score:
        before, after = shown
        at = len(before)
        for _ in range(ANCHOR_LINES + 1):
            at = max(before.rfind("\n", 0, at), 0)
        at += before[at : at + 1] == "\n"
        text = FimText(
            prefix=before[:at],
            suffix=after,
            middle=before[at:],
            path=cut.path,
            snippets=tuple((it.path, it.text) for it in snippets),
        )
        prompt = fim_prompt(text, llama.fim, llama.bos, llama.tokenize, room).tokens
        llama.trim(0, 0)
        _read(llama, 0, prompt)
        nats = _nats(llama, len(prompt), rest)
        llama.trim(0, len(prompt) - 1)
        _read(llama, len(prompt) - 1, prompt[-1:])
        return Score(nats=nats, exact=_says(llama, len(prompt), cut.rest.encode()), tokens=len(prompt))

    return score


def _read(llama: Llama, position: int, tokens: Sequence[int]) -> None:
    for start in range(0, len(tokens), 512):
        llama.evaluate(0, position + start, tokens[start : start + 512], outputs=1)


def _nats(llama: Llama, position: int, rest: Sequence[int]) -> float:
    """Of the tokens that follow what was read."""
    total = _loss(llama.logits(-1), rest[0])
    for start in range(0, len(rest) - 1, N_OUTPUTS):
        part = rest[start : min(start + N_OUTPUTS, len(rest) - 1)]
        llama.evaluate(0, position + start, part, outputs=len(part))
        total += sum(_loss(llama.logits(at), rest[start + at + 1]) for at in range(len(part)))
    return total


def _loss(logits: Any, token: int) -> float:
    scores = np.asarray(logits, dtype=np.float64)
    top = scores.max()
    return float(top + np.log(np.exp(scores - top).sum()) - scores[token])


def _says(llama: Llama, position: int, rest: bytes) -> bool:
    """Whether the model says exactly this line, greedily; what is wrong already is not said to its end."""
    said = b""
    for at in range(ANSWER_TOKENS):
        token = int(llama.logits(-1).argmax())
        said += llama.piece(token)
        if llama.is_end(token) or b"\n" in said or not (rest.startswith(said) or said.startswith(rest)):
            break
        llama.evaluate(0, position + at, [token], outputs=1)
    return said.partition(b"\n")[0].rstrip() == rest


def _print_names(found: Sequence[Outcome]) -> None:
    missing = sum(it.missing for it in found)
    print(f"\nOf {missing} names in the true rests that the window does not show, these show")
    for way in found[0].shown:
        rng = random.Random(0)
        samples = (rng.choices(found, k=len(found)) for _ in range(RESAMPLES))
        shares = sorted(_share(it, way) for it in samples)
        low, high = shares[RESAMPLES // 40], shares[-RESAMPLES // 40]
        print(f"  {way}: {_share(found, way):.1%} ({low:.1%} to {high:.1%})")


def _share(part: Sequence[Outcome], way: str) -> float:
    return sum(it.shown[way] for it in part) / max(sum(it.missing for it in part), 1)


def _print(found: Sequence[Outcome]) -> None:
    print("| way | prompt tokens | nats per character | difference | exact lines | difference |")
    print("|---" * 6 + "|")
    for way in WAYS:
        tokens = fmean(it.scores[way].tokens for it in found)
        nats, exact = _nats_of(found, way), _exact_of(found, way)
        print(
            f"| {way} | {tokens:.0f} | {nats:.4f} | {_difference(found, way, _nats_of, '+.4f')} "
            f"| {exact:.1%} | {_difference(found, way, _exact_of, '+.1%')} |"
        )


def _nats_of(part: Sequence[Outcome], way: str) -> float:
    return sum(it.scores[way].nats for it in part) / sum(it.characters for it in part)


def _exact_of(part: Sequence[Outcome], way: str) -> float:
    return fmean(it.scores[way].exact for it in part)


def _difference(
    found: Sequence[Outcome], way: str, measure: Callable[[Sequence[Outcome], str], float], form: str
) -> str:
    """To the window alone, on the same cuts."""
    if way == WAYS[0]:
        return ""
    rng = random.Random(0)
    samples = (rng.choices(found, k=len(found)) for _ in range(RESAMPLES))
    differences = sorted(measure(it, way) - measure(it, WAYS[0]) for it in samples)
    low, high = differences[RESAMPLES // 40], differences[-RESAMPLES // 40]
    return f"{measure(found, way) - measure(found, WAYS[0]):{form}} ({low:{form}} to {high:{form}})"


def _json(it: Outcome) -> dict[str, Any]:
    """Without any of the code."""
    scores = {
        way: {"nats": round(score.nats, 4), "exact": score.exact, "tokens": score.tokens}
        for way, score in it.scores.items()
    }
    known = {"project": it.project, "characters": it.characters, "pieces": it.pieces}
    return {**known, "missing": it.missing, "shown": dict(it.shown), "ways": scores}


def _parser() -> argparse.ArgumentParser:
    text = re.sub(r"``", "", __doc__ or "")
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.context",
        description=text,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--languages", default="python")
    parser.add_argument("--cuts", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--model", type=Path, default=STARTER_FILE)
    parser.add_argument("--window", type=int, default=200, help="tokens around the cursor")
    parser.add_argument("--context", type=int, default=200, help="tokens of other files")
    parser.add_argument("--names", action="store_true", help="without a model")
    parser.add_argument("--json", action="store_true")
    return parser


if __name__ == "__main__":
    sys.exit(main())
