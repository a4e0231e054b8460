"""Annotated questions of real repositories: a folder of `repos.json` and `annotations/NAME.json`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.retrieval.sources import CannotFetch, listed, source


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What answers a question: a file, or some lines of it."""

    path: str
    first_line: int = 0
    """0: anywhere in the file."""
    last_line: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question and everything that answers it."""

    text: str
    kind: str
    targets: tuple[Target, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Corpus:
    """A folder of code and the questions about it."""

    name: str
    split: str
    """"tune" or "decide"."""
    root: Path
    questions: tuple[Question, ...]
    left_out: tuple[str, ...]
    """Questions whose every answer is missing in this version."""


def annotated(data: Path, cache: Path, split: str) -> Iterator[Corpus]:
    """The annotated repositories of a split; those whose source cannot be had are told."""
    known = {it["name"]: it for it in json.loads((data / "repos.json").read_text("utf-8"))}
    for entry in listed():
        if split not in ("all", entry["split"]) or entry["name"] not in known:
            continue
        try:
            found = source(entry, known[entry["name"]].get("benchmark_root", ""), cache)
        except CannotFetch as exc:
            print(f"left out: {exc}", file=sys.stderr)
            continue
        rows = json.loads((data / "annotations" / f"{entry['name']}.json").read_text("utf-8"))
        questions, left_out = [], []
        for row in rows:
            paths = [it if isinstance(it, str) else it["path"] for it in row["relevant"] + row["secondary"]]
            here = dict.fromkeys(found.here(it) for it in paths)
            targets = tuple(Target(path=it) for it in here if (found.root / it).is_file())
            if targets:
                questions.append(Question(text=row["query"], kind=row["category"], targets=targets))
            else:
                left_out.append(row["query"])
        yield Corpus(
            name=entry["name"],
            split=entry["split"],
            root=found.root,
            questions=tuple(questions),
            left_out=tuple(left_out),
        )
