"""Rows of questions and code -> arrays of token counts, and the order in which they are learned."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.train.embedder_tokens import Whole, bags, in_pieces

KINDS = ("documentation", "comment", "name", "call", "module")


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """Different tokens of many texts, one text after the other, and how often each occurs in its text."""

    tokens: NDArray[np.int32]
    times: NDArray[np.float32]
    starts: Whole
    """Of each text, and of the end."""

    def __len__(self) -> int:
        """How many texts there are."""
        return len(self.starts) - 1

    def picked(self, which: Whole) -> tuple[Whole, NDArray[np.float32], Whole]:
        """Tokens, times and lengths of these texts."""
        lengths = self.starts[which + 1] - self.starts[which]
        ends = np.cumsum(lengths)
        places = np.arange(ends[-1] if len(ends) else 0) + np.repeat(
            self.starts[which] - ends + lengths, lengths
        )
        return self.tokens[places].astype(np.int64), self.times[places], lengths


@dataclass(frozen=True, slots=True, kw_only=True)
class Lessons:
    """All that is learned: codes, questions, and which question is answered by which code."""

    codes: Texts
    questions: Texts
    answers: Whole
    """Of each question, its code."""
    kinds: Whole
    """Of each question, as numbers in ``KINDS``."""
    said: Whole
    """Of each question, a number that those that say the same have in common."""
    projects: Whole
    """Of each code."""
    places: Whole
    """Of each code, a number that those of the same place have in common."""


def read_rows(path: Path) -> Iterator[dict[str, Any]]:
    """The rows that ``scripts.embedder_pairs`` has cut."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def lessons(rows: Sequence[Mapping[str, Any]], tokenizer: Any, most: int) -> Lessons:
    """The rows as numbers."""
    projects = {it: number for number, it in enumerate(dict.fromkeys(row["project"] for row in rows))}
    asked = [(number, kind, text) for number, row in enumerate(rows) for kind, text in row["questions"]]
    return Lessons(
        codes=_texts([it["code"] for it in rows], tokenizer, most),
        questions=_texts([text for _, _, text in asked], tokenizer, most),
        answers=np.array([number for number, _, _ in asked], np.int64),
        kinds=np.array([KINDS.index(kind) for _, kind, _ in asked], np.int64),
        said=np.array([_number(text.lower()) for _, _, text in asked], np.int64),
        projects=np.array([projects[it["project"]] for it in rows], np.int64),
        places=np.array([_number(f"{it['project']} {it['at']}") for it in rows], np.int64),
    )


def save_lessons(found: Lessons, path: Path) -> None:
    """Keep them: cutting texts into tokens takes a minute."""
    arrays: dict[str, NDArray[Any]] = {}
    for field in fields(Lessons):
        value = getattr(found, field.name)
        if isinstance(value, Texts):
            arrays |= {f"{field.name}.{it.name}": getattr(value, it.name) for it in fields(Texts)}
        else:
            arrays[field.name] = value
    with path.open("wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]  # its stub takes the arrays for its one option


def load_lessons(path: Path) -> Lessons:
    """What ``save_lessons`` kept."""
    with np.load(path) as kept:
        texts = {
            name: Texts(**{it.name: kept[f"{name}.{it.name}"] for it in fields(Texts)})
            for name in ("codes", "questions")
        }
        plain: dict[str, Any] = {it.name: kept[it.name] for it in fields(Lessons) if it.name not in texts}
        return Lessons(codes=texts["codes"], questions=texts["questions"], **plain)


def chosen(found: Lessons, shares: Mapping[str, float], draw: np.random.Generator) -> Whole:
    """The questions of one round: of each code at most one, each kind as often as its share says."""
    order = draw.permutation(len(found.questions))
    share = np.array([shares.get(it, 0.0) for it in KINDS])[found.kinds[order]]
    order = order[draw.random(len(order)) < share]
    _, first = np.unique(found.answers[order], return_index=True)
    return order[first]


def in_clumps(projects: Whole, clump: int, draw: np.random.Generator) -> Whole:
    """An order in which some of the same project always stand together, and nothing else is regular."""
    order = draw.permutation(len(projects))
    order = order[np.argsort(projects[order], kind="stable")]
    _, starts = np.unique(projects[order], return_index=True)
    pieces = [
        it[start : start + clump] for it in np.split(order, starts[1:]) for start in range(0, len(it), clump)
    ]
    return np.concatenate([pieces[it] for it in draw.permutation(len(pieces))]) if pieces else order


def without_hidden(
    asked: tuple[Whole, NDArray[np.float32], Whole],
    code: tuple[Whole, NDArray[np.float32], Whole],
    share: float,
    draw: np.random.Generator,
) -> NDArray[np.float32]:
    """How often the codes' tokens occur, some of those that their questions have too taken for absent."""
    tokens, times, lengths = code
    most = max(tokens.max(initial=0), asked[0].max(initial=0)) + 1
    in_code = np.repeat(np.arange(len(lengths)), lengths) * most + tokens
    in_question = np.repeat(np.arange(len(asked[2])), asked[2]) * most + asked[0]
    is_hidden = np.isin(in_code, in_question) & (draw.random(len(in_code)) < share)
    return np.where(is_hidden, np.float32(0), times)


def _texts(texts: Sequence[str], tokenizer: Any, most: int) -> Texts:
    tokens, times, lengths = zip(*(bags(tokenizer, it, most) for it in in_pieces(texts)), strict=True)
    return Texts(
        tokens=np.concatenate(tokens).astype(np.int32),
        times=np.concatenate(times).astype(np.float32),
        starts=np.concatenate(([0], np.cumsum(np.concatenate(lengths)))).astype(np.int64),
    )


def _number(text: str) -> int:
    data = text.encode("utf-8", "replace")
    return zlib.crc32(data) << 31 | zlib.adler32(data) >> 1
