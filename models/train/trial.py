"""Try variants of the recipe for a fixed amount of arithmetic each, and keep a table of what came out.

A trial starts from nothing, or goes on from the trunk down to rate zero; ``trials.toml`` names them all.
It may be interrupted: asked again, it goes on. A finished one writes its line into ``results/trials.csv``.
"""

from __future__ import annotations

import csv
import json
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Final

import torch
from tokenizers import Tokenizer, models

from models.train.export import export, load_model
from models.train.model import Shape, count_parameters, flops_per_token
from models.train.pack import read_corpus
from models.train.recipe import Recipe, changed
from models.train.tokenizer import SPECIALS, load_tokenizer, train_tokenizer, word_splitting
from models.train.train import Files, Stretch, is_over, train
from models.train.trial_score import Places, Score, places, score

TRIALS: Final = Path(__file__).with_name("trials.toml")
RECIPE_TABLES: Final = ("shape", "training", "mixture")
BRANCHES: Final = ("", "last", "average")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One variant, and what it may cost."""

    name: str
    about: str
    recipe: Recipe
    flops: float
    branch: str
    """Which weights of the trunk it goes on from, "last" or "average"; none if it starts from nothing."""
    decay_share: float
    weights: tuple[str, ...]

    @property
    def tokens(self) -> int:
        """As many as the budget allows."""
        each = flops_per_token(Shape(**self.recipe.shape), self.recipe.training.context)
        return int(self.flops / each)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What a trial came to: a line of the table, but for its scores."""

    name: str
    weights: str
    start: str
    parameters: int
    q8_0_bytes: int
    context: int
    tokens: int
    flops: str
    seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """All trials, and how large the judgment is."""

    trials: tuple[Trial, ...]
    texts: int
    cuts: int


def load_trials(recipe: Recipe, path: Path = TRIALS) -> Table:
    """Read the table; a row with an unknown name in it, or the name of another row, is an error."""
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    common, budget = changed(recipe, table["common"]), table["budget"]
    trials = tuple(_trial(row, common, budget) for row in table["trial"])
    names = [it.name for it in trials]
    if len(set(names)) < len(names):
        raise ValueError(f"Two trials in {path.name} have one name.")
    return Table(trials=trials, texts=budget["texts"], cuts=budget["cuts"])


def try_out(
    table: Table, names: Sequence[str], work: Path, out: Path, *, seconds: float, threads: int
) -> None:
    """Go on with the named trials, one after the other, for some seconds in all; a finished one stays so."""
    known = {it.name: it for it in table.trials}
    missing = [it for it in names if it not in known]
    if missing:
        raise ValueError(f"No trial is called {', '.join(missing)}; there are {', '.join(known)}.")
    judged = places(read_corpus(work / "heldout.jsonl.gz"), texts=table.texts, cuts=table.cuts)
    left = seconds
    for name in names:
        lines = {(it["name"], it["weights"]) for it in _rows(out)}
        if all((name, weights) in lines for weights in known[name].weights):
            continue
        if left <= 0:
            return
        left -= _go_on(known[name], work, out, judged, seconds=left, threads=threads)


def _go_on(trial: Trial, work: Path, out: Path, judged: Places, *, seconds: float, threads: int) -> float:
    """One stretch of a trial; once it is over, its scores. Returns the seconds it trained."""
    folder = work / "trials"
    folder.mkdir(exist_ok=True)
    files = trial_files(trial, work)
    checkpoint, tokenizer = files.out, files.tokenizer
    if trial.branch and not checkpoint.exists():
        _branch(work / "trunk.pt", trial.branch, checkpoint)
    stretch = Stretch(seconds=seconds, until=trial.tokens, decay_tokens=int(trial.decay_share * trial.tokens))
    earlier = _seconds(checkpoint)
    run = train(trial.recipe, files, stretch, threads=threads, compiled=False)
    if is_over(run, stretch):
        for weights in trial.weights:
            line = _line(trial, run.tokens, run.seconds, weights, folder, tokenizer)
            model = load_model(checkpoint, averaged=weights == "average")
            found = score(model, load_tokenizer(tokenizer), judged)
            _add(out, line, found)
            print(f"trial {line} {found}", flush=True)
    return run.seconds - earlier


def trial_files(trial: Trial, work: Path) -> Files:
    """Where a trial reads and writes."""
    checkpoint = work / "trials" / f"{trial.name}.pt"
    tokenizer = tokenizer_of(work, trial.recipe.shape["vocabulary"])
    return Files(corpus=work / "train.jsonl.gz", tokenizer=tokenizer, start=checkpoint, out=checkpoint)


def _trial(row: dict[str, Any], common: Recipe, budget: dict[str, Any]) -> Trial:
    branch = row.get("branch", "")
    if branch not in BRANCHES:
        raise ValueError(f"The trial {row['name']} cannot go on from {branch!r}.")
    known = {"name", "about", "branch", "flops", "decay_share", "weights", *RECIPE_TABLES}
    if unknown := sorted(set(row) - known):
        raise ValueError(f"The trial {row['name']} has {', '.join(unknown)}, which means nothing.")
    return Trial(
        name=row["name"],
        about=row["about"],
        recipe=changed(common, {it: row[it] for it in RECIPE_TABLES if it in row}),
        flops=row.get("flops", budget["branch" if branch else "fresh"]),
        branch=branch,
        decay_share=row.get("decay_share", 1.0 if branch else 0.0),
        weights=tuple(row.get("weights", ["last" if branch else "average"])),
    )


def _branch(trunk: Path, weights: str, checkpoint: Path) -> None:
    """A copy of the trunk that counts its own tokens and seconds; the trunk stays as it is."""
    state: dict[str, Any] = torch.load(trunk, map_location="cpu", weights_only=True)
    chosen = state["average" if weights == "average" else "model"]
    torch.save(state | {"model": chosen, "tokens": 0, "seconds": 0.0}, checkpoint)


def _seconds(checkpoint: Path) -> float:
    if not checkpoint.exists():
        return 0.0
    state: dict[str, Any] = torch.load(checkpoint, map_location="cpu", weights_only=True, mmap=True)
    return float(state["seconds"])


def _line(trial: Trial, tokens: int, seconds: float, weights: str, folder: Path, tokenizer: Path) -> Line:
    averaged, context = weights == "average", trial.recipe.training.context
    checkpoint, file = folder / f"{trial.name}.pt", folder / f"{trial.name}.gguf"
    export(checkpoint, tokenizer, file, quantization="q8_0", context=context, averaged=averaged)
    model = load_model(checkpoint, averaged=averaged)
    return Line(
        name=trial.name,
        weights=weights,
        start=f"trunk {trial.branch}" if trial.branch else trial.recipe.training.start,
        parameters=count_parameters(model),
        q8_0_bytes=file.stat().st_size,
        context=context,
        tokens=tokens,
        flops=f"{tokens * flops_per_token(model.shape, context):.3g}",
        seconds=round(seconds),
    )


def _add(out: Path, line: Line, found: Score) -> None:
    """Put a line into the table, in the place of an older one of the same trial."""
    header = [it.name for it in fields(Line)] + [it.name for it in fields(Score)]
    new = {it: str(value) for it, value in asdict(line).items()}
    new |= {it: f"{value:.4f}" for it, value in asdict(found).items()}
    rows = [it for it in list(_rows(out)) if (it["name"], it["weights"]) != (line.name, line.weights)]
    with out.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, header, lineterminator="\n")
        writer.writeheader()
        writer.writerows([*rows, new])


def _rows(path: Path) -> Iterator[dict[str, str]]:
    if path.exists():
        with path.open(newline="", encoding="utf-8") as file:
            yield from csv.DictReader(file)


def tokenizer_of(work: Path, vocabulary: int) -> Path:
    """The work folder's own, if it has that many tokens; else one made for the trials."""
    own, path = work / "tokenizer.json", work / "trials" / f"tokenizer-{vocabulary}.json"
    size = load_tokenizer(own).get_vocab_size()
    if size == vocabulary:
        return own
    if not path.exists() and vocabulary < size:
        smaller(Tokenizer.from_file(str(own)), vocabulary).save(str(path))
    elif not path.exists():
        train_tokenizer(read_corpus(work / "train.jsonl.gz"), path, vocabulary=vocabulary)
    return path


def smaller(tokenizer: Tokenizer, vocabulary: int) -> Tokenizer:
    """The tokenizer that the same text would have given with fewer tokens: its first merges."""
    model = json.loads(tokenizer.to_str())["model"]
    room = vocabulary - len(SPECIALS)
    kept = {token: number for token, number in model["vocab"].items() if number < room}
    merges = [tuple(it if isinstance(it, list) else it.split(" ")) for it in model["merges"]]
    made = word_splitting(
        Tokenizer(models.BPE(vocab=kept, merges=[it for it in merges if "".join(it) in kept]))
    )
    made.add_special_tokens(list(SPECIALS))
    return made
