"""Rows of training tokens, made on the fly.

Row ``n`` of a seed is always the same, so a run resumes by counting.
Prefix, suffix and middle are tokenized apart, as at run time.
Most rows are fill-in-the-middle; some begin with another file of the same project, some are plain text.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from tokenizers import Tokenizer

from models.train import mixing
from models.train.clean import SourceFile
from models.train.cuts import Cut, cut
from models.train.recipe import Mixture
from models.train.tokenizer import END, FILE, MIDDLE, PAD, PREFIX, REPO, SUFFIX

CHARACTERS_PER_TOKEN = 4.0  # Generous, so that a window overfills its budget; the token count decides.
SMALLEST = 96  # Tokens; less room than this is padded.


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Token ids of one row and the weight of predicting each of them."""

    ids: list[int]
    weights: list[float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Corpus:
    """Files with the running sum of how often each is drawn: of one language, every character alike."""

    files: Sequence[SourceFile]
    sums: Sequence[float]
    projects: dict[str, list[int]] = field(repr=False)


def corpus(files: Sequence[SourceFile], shares: Mapping[str, float] | None = None) -> Corpus:
    """Files to draw from by their size, and where ``shares`` are given, each language by its share."""
    projects: dict[str, list[int]] = defaultdict(list)
    for number, it in enumerate(files):
        projects[it.project].append(number)
    often = [float(len(it.text)) for it in files] if shares is None else mixing.weights(files, shares)
    return Corpus(files=files, sums=list(accumulate(often)), projects=dict(projects))


def row(
    source: Corpus, tokenizer: Tokenizer, mixture: Mixture, *, seed: int, number: int, context: int
) -> Row:
    """Row ``number``: examples until the context is full, then padding that counts nothing."""
    rng = random.Random(f"{seed}/{number}")
    ids: list[int] = []
    weights: list[float] = []
    budget = context if rng.random() < 1 - mixture.pair_share else rng.randint(context // 4, context * 3 // 4)
    while SMALLEST <= context - len(ids):
        made = _example(source, tokenizer, mixture, rng, min(budget, context - len(ids)))
        ids += made.ids
        weights += made.weights
        budget = context
    rest = context - len(ids)
    return Row(ids=ids + [token_id(tokenizer, PAD)] * rest, weights=weights + [0.0] * rest)


def _example(source: Corpus, tokenizer: Tokenizer, mixture: Mixture, rng: random.Random, budget: int) -> Row:
    file = rng.choices(source.files, cum_weights=source.sums)[0]
    style = rng.random()
    if style < mixture.plain_share:
        return _plain(file, tokenizer, rng, budget, mixture.other_weight)
    head: list[int] = []
    if style < mixture.plain_share + mixture.repo_share and 3 * SMALLEST < budget:
        head = _repository(source, file, tokenizer, rng, budget // 3)
    made = cut(_window(file.text, rng, budget - len(head)), rng, anchored_share=mixture.anchored_share)
    if made is None:
        return _plain(file, tokenizer, rng, budget, mixture.other_weight)
    share = rng.uniform(0, mixture.suffix_share)
    return fim_row(tokenizer, mixture, made, budget, suffix_share=share, head=head)


def fim_row(
    tokenizer: Tokenizer,
    mixture: Mixture,
    made: Cut,
    budget: int,
    *,
    suffix_share: float,
    head: Sequence[int] = (),
) -> Row:
    """One fill-in-the-middle example in at most ``budget`` tokens: far prefix and far suffix give way."""
    prefix, suffix, middle = (_encode(tokenizer, it) for it in (made.prefix, made.suffix, made.middle))
    room = budget - len(head) - 4
    middle = middle[: room // 2]  # a middle that fills the window teaches nothing about its surroundings
    suffix = suffix[: int(suffix_share * (room - len(middle)))]
    prefix = prefix[max(0, len(prefix) + len(suffix) + len(middle) - room) :]
    start = [
        *head,
        token_id(tokenizer, PREFIX),
        *prefix,
        token_id(tokenizer, SUFFIX),
        *suffix,
        token_id(tokenizer, MIDDLE),
    ]
    # The marks themselves are given by the prompt: predicting them is not learned.
    given = {token_id(tokenizer, it) for it in (PREFIX, SUFFIX, MIDDLE)}
    weights = [0.0 if it in given else mixture.other_weight for it in start]
    whole = [*middle, token_id(tokenizer, END)]
    return Row(ids=start + whole, weights=weights + [mixture.middle_weight] * len(whole))


def _plain(file: SourceFile, tokenizer: Tokenizer, rng: random.Random, budget: int, weight: float) -> Row:
    ids = _encode(tokenizer, _window(file.text, rng, budget))[: budget - 1]
    ids.append(token_id(tokenizer, END))
    return Row(ids=ids, weights=[weight] * (len(ids) - 1) + [0.0])


def _repository(
    source: Corpus, file: SourceFile, tokenizer: Tokenizer, rng: random.Random, budget: int
) -> list[int]:
    """The repository's name and a piece of another of its files, as the repository-level prompt has them."""
    other = source.files[rng.choice(source.projects[file.project])]
    texts = (file.project + "\n", f"{other.path}\n{_window(other.text, rng, budget)}", f"{file.path}\n")
    name, piece, path = (_encode(tokenizer, it) for it in texts)
    separator = token_id(tokenizer, FILE)
    return [token_id(tokenizer, REPO), *name, separator, *piece[:budget], separator, *path]


def _window(text: str, rng: random.Random, budget: int) -> str:
    """A piece that starts at a line and holds about ``budget`` tokens; often the file's own start."""
    size = int(budget * CHARACTERS_PER_TOKEN)
    if len(text) <= size:
        return text
    start = rng.randint(-size // 4, len(text) - size)
    if start <= 0:
        return text[:size]
    return text[text.rfind("\n", 0, start) + 1 : start + size]


def _encode(tokenizer: Tokenizer, text: str) -> list[int]:
    ids: list[int] = tokenizer.encode(text, add_special_tokens=False).ids
    return ids


def token_id(tokenizer: Tokenizer, token: str) -> int:
    """The number of a token that must be there."""
    number = tokenizer.token_to_id(token)
    if number is None:
        raise ValueError(f"the tokenizer has no {token}")
    return int(number)
