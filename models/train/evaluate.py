"""Judge a GGUF file on held-out projects through llama.cpp: exact lines, similarity, nats, confidence."""

from __future__ import annotations

import csv
import difflib
import math
import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from llama_cpp import Llama
from numpy.typing import NDArray

from models.train.clean import SourceFile
from models.train.cuts import KINDS, Cut, anchored_above, cut
from models.train.tokenizer import MIDDLE, PREFIX, SUFFIX

SUFFIX_ROOM = 0.25  # Of the prompt: what follows the cursor matters, what precedes it matters more.
LINE_TOKENS = 40  # Enough for nearly every rest of a line.
BLOCK_TOKENS = 120
BLOCK_KINDS: Final = frozenset({"end", "block"})
FILE_CHARACTERS = 6_000  # Of a file's surroundings; more would not fit the context anyway.
THRESHOLDS: Final = (0.0, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One cut and what the model made of it."""

    language: str
    kind: str
    anchored: bool
    exact: bool
    similarity: float
    nats: float
    tokens: int
    characters: int
    confidence: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """A loaded model with the bytes of every token."""

    llama: Llama
    pieces: tuple[bytes, ...]
    context: int


def load_judge(file: Path, *, context: int, threads: int) -> Judge:
    llama = Llama(
        str(file),
        n_ctx=context,
        n_batch=context,
        n_threads=threads,
        n_threads_batch=threads,
        logits_all=True,
        verbose=False,
    )
    pieces = tuple(llama.detokenize([token], special=False) for token in range(llama.n_vocab()))
    return Judge(llama=llama, pieces=pieces, context=context)


def evaluate(
    judge: Judge, files: Sequence[SourceFile], *, count: int, lines_above: int, seed: int = 7
) -> list[Outcome]:
    """``count`` cuts for each language and kind, judged at the cursor and anchored some lines above it."""
    outcomes = []
    for language in sorted({it.language for it in files}):
        projects: dict[str, list[SourceFile]] = defaultdict(list)
        for it in files:
            if it.language == language:
                projects[it.project].append(it)
        for kind in KINDS:
            for number in range(count):
                rng = random.Random(f"{seed}/{language}/{kind}/{number}")
                text = _window(rng.choice(projects[rng.choice(sorted(projects))]).text, rng)
                made = cut(text, rng, kind=kind)
                if made is not None and made.middle.strip():
                    outcomes.append(judge_cut(judge, made, language))
                    outcomes.append(judge_cut(judge, anchored_above(made, lines_above), language))
    return outcomes


def judge_cut(judge: Judge, made: Cut, language: str) -> Outcome:
    """Complete one cut greedily, and compare with what stood there."""
    missing = made.middle[made.typed :]
    room = BLOCK_TOKENS if made.kind in BLOCK_KINDS else LINE_TOKENS
    prompt, typed = _prompt(judge, made, room)
    text, confidence = _complete(judge, prompt, typed, whole_block=made.kind in BLOCK_KINDS, limit=room)
    nats, tokens = _nats(judge, prompt, made)
    return Outcome(
        language=language,
        kind=made.kind,
        anchored=made.typed > 0,
        exact=_first_line(text) == _first_line(missing),
        similarity=difflib.SequenceMatcher(None, text.rstrip(), missing.rstrip(), autojunk=False).ratio(),
        nats=nats,
        tokens=tokens,
        characters=len(missing),
        confidence=confidence,
    )


def write_scores(outcomes: Sequence[Outcome], path: Path) -> None:
    """One row per language, place of the anchor and kind, and one over the kinds."""
    groups: dict[tuple[str, str, str], list[Outcome]] = defaultdict(list)
    for it in outcomes:
        for kind in (it.kind, "(all)"):
            groups[it.language, "above" if it.anchored else "cursor", kind].append(it)
    header = "language anchor kind cuts exact_line edit_similarity nats_per_token bits_per_character"
    rows = [[*key, *_scores(them)] for key, them in sorted(groups.items())]
    _write(path, [header.split(" "), *rows])


def write_confidence(outcomes: Sequence[Outcome], path: Path) -> None:
    """How much would be shown at each threshold, and how much of that is right; anchored above only."""
    outcomes = [it for it in outcomes if it.anchored]
    rows: list[list[str]] = [["threshold", "shown_share", "exact_of_shown", "similarity_of_shown"]]
    for threshold in THRESHOLDS:
        shown = [it for it in outcomes if threshold <= it.confidence]
        if shown:
            numbers = (len(shown) / len(outcomes), _mean(it.exact for it in shown))
            rows.append([f"{it:.3f}" for it in (threshold, *numbers, _mean(it.similarity for it in shown))])
    _write(path, rows)


def _scores(outcomes: Sequence[Outcome]) -> list[str]:
    nats = sum(it.nats for it in outcomes)
    bits = nats / math.log(2) / sum(it.characters for it in outcomes)
    means = (_mean(it.exact for it in outcomes), _mean(it.similarity for it in outcomes))
    return [
        str(len(outcomes)),
        *(f"{it:.3f}" for it in (*means, nats / sum(it.tokens for it in outcomes), bits)),
    ]


def _mean(values: Iterable[float]) -> float:
    return float(np.mean(list(values)))


def _write(path: Path, rows: Iterable[Sequence[str]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)


def _window(text: str, rng: random.Random) -> str:
    if len(text) <= FILE_CHARACTERS:
        return text
    start = rng.randint(0, len(text) - FILE_CHARACTERS)
    return text[text.rfind("\n", 0, start) + 1 : start + FILE_CHARACTERS]


def _prompt(judge: Judge, made: Cut, room: int) -> tuple[list[int], str]:
    """The prompt up to the middle's mark, and the typed text that the middle begins with."""
    typed = made.middle[: made.typed]
    middle = len(_tokens(judge, made.middle))
    space = judge.context - 8 - room - middle
    suffix = _tokens(judge, made.suffix)[: int(SUFFIX_ROOM * space)]
    prefix = _tokens(judge, made.prefix)[-max(1, space - len(suffix)) :]
    return [*_mark(judge, PREFIX), *prefix, *_mark(judge, SUFFIX), *suffix, *_mark(judge, MIDDLE)], typed


def _complete(
    judge: Judge, prompt: list[int], typed: str, *, whole_block: bool, limit: int
) -> tuple[str, float]:
    """Greedy tokens; the last typed token is held back, because the model may go on inside it."""
    given = _tokens(judge, typed)
    held = judge.pieces[given.pop()] if given else b""
    start = len(held)
    judge.llama.reset()
    judge.llama.eval([*prompt, *given])
    text, logs = b"", []
    for _ in range(limit):
        logits = judge.llama.scores[judge.llama.n_tokens - 1]
        token = _choose(judge, logits, held[len(text) :])
        logs.append(_log_probability(logits, token))
        if token == judge.llama.token_eos():
            break
        text += judge.pieces[token]
        new = text[start:].lstrip(b"\n") if whole_block else text[start:]
        if not whole_block and b"\n" in new:
            break
        judge.llama.eval([token])
    return text[start:].decode("utf-8", "replace"), float(np.exp(np.mean(logs)))


def _choose(judge: Judge, logits: NDArray[np.float32], held: bytes) -> int:
    if not held:
        return int(np.argmax(logits))
    fits = [
        n
        for n, piece in enumerate(judge.pieces)
        if piece and (piece.startswith(held) or held.startswith(piece))
    ]
    return int(max(fits, key=lambda n: logits[n]))


def _nats(judge: Judge, prompt: list[int], made: Cut) -> tuple[float, int]:
    """Nats of the missing text, and its tokens; the typed part is given."""
    ids = _tokens(judge, made.middle)
    judge.llama.reset()
    judge.llama.eval([*prompt, *ids])
    typed, seen, nats, count = len(made.middle[: made.typed].encode()), 0, 0.0, 0
    for at, token in enumerate(ids):
        seen += len(judge.pieces[token])
        if typed < seen:
            nats -= _log_probability(judge.llama.scores[len(prompt) + at - 1], token)
            count += 1
    return nats, count


def _first_line(text: str) -> str:
    return text.lstrip("\n").partition("\n")[0].rstrip()


def _log_probability(logits: NDArray[np.float32], token: int) -> float:
    shifted = logits - logits.max()
    return float(shifted[token] - np.log(np.exp(shifted).sum()))


def _tokens(judge: Judge, text: str) -> list[int]:
    return judge.llama.tokenize(text.encode(), add_bos=False, special=False) if text else []


def _mark(judge: Judge, token: str) -> list[int]:
    ids = judge.llama.tokenize(token.encode(), add_bos=False, special=True)
    if len(ids) != 1:
        raise ValueError(f"the model has no {token}")
    return list(ids)
