"""Judge a trial in torch on fixed held-out places, in numbers that do not depend on the tokenizer.

Everything is counted in characters: nats per character of files by how far into the file they stand, and of
the missing rest of a line behind a short and a long prompt. A line counts as exact if greedy tokens
would write it: each token of the right answer is the likeliest, read in one pass.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import torch
from tokenizers import Tokenizer
from torch import Tensor

from models.train.clean import SourceFile
from models.train.cuts import Cut, anchored_above, cut
from models.train.examples import token_id
from models.train.model import Model
from models.train.muon import fast_in_bfloat16
from models.train.tokenizer import END, MIDDLE, PREFIX, SUFFIX

SPANS: Final = ((0, 2_000), (2_000, 4_000), (4_000, 8_000))  # About 512, 1,024 and 2,048 tokens.
LONG = SPANS[-1][1]
KINDS: Final = ("word", "inside", "bracket", "line")  # The rest of a line.
LINES_ABOVE = 2  # As the product anchors the starter.
SHORT_PROMPT: Final = (1_200, 300)  # Characters before and after the missing text: about 400 tokens,
LONG_PROMPT: Final = (4_800, 1_200)  # and about 1,550, which is what a user's files give.


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """What every trial is judged on."""

    texts: tuple[str, ...]
    cuts: tuple[Cut, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """Nats per character, and the share of exact lines."""

    near: float
    middle: float
    far: float
    short_prompt: float
    long_prompt: float
    exact_short: float
    exact_long: float


def places(files: Sequence[SourceFile], *, texts: int, cuts: int, seed: int = 11) -> Places:
    """Long files of every language, half of them Python; as many cuts of each file as of any other."""
    rng = random.Random(seed)
    by_language: dict[str, list[SourceFile]] = defaultdict(list)
    for it in files:
        if it.text.isascii() and LONG <= len(it.text):  # Then a token's place in bytes is its place in text.
            by_language[it.language].append(it)
    others = sorted(set(by_language) - {"python"})
    chosen: list[SourceFile] = []
    for language in ("python", *others):
        share = texts // 2 if language == "python" else texts // 2 // len(others)
        chosen += rng.sample(by_language[language], min(share, len(by_language[language])))
    made: list[Cut] = []
    for number in range(cuts if chosen else 0):
        found = _cut(chosen[number % len(chosen)].text, rng, KINDS[number % len(KINDS)])
        if found is not None:
            made.append(found)
    return Places(texts=tuple(it.text for it in chosen), cuts=tuple(made))


@torch.inference_mode()
def score(model: Model, tokenizer: Tokenizer, judged: Places) -> Score:
    """Everything, one text at a time."""
    near, middle, far = _by_distance(model, tokenizer, judged.texts)
    pieces = [tokenizer.decode([it]) for it in range(tokenizer.get_vocab_size())]
    short, exact_short = _lines(model, tokenizer, pieces, judged.cuts, SHORT_PROMPT)
    long, exact_long = _lines(model, tokenizer, pieces, judged.cuts, LONG_PROMPT)
    return Score(
        near=near,
        middle=middle,
        far=far,
        short_prompt=short,
        long_prompt=long,
        exact_short=exact_short,
        exact_long=exact_long,
    )


def _cut(text: str, rng: random.Random, kind: str) -> Cut | None:
    """A cut with the whole long prompt before it, and something to find."""
    for _ in range(20):
        made = cut(text, rng, kind=kind)
        if made is not None and LONG_PROMPT[0] // 2 <= len(made.prefix) and made.middle.strip():
            return anchored_above(made, LINES_ABOVE)
    return None


def _by_distance(model: Model, tokenizer: Tokenizer, texts: Sequence[str]) -> list[float]:
    """Nats per character in each of the spans, over all texts."""
    nats = [0.0] * len(SPANS)
    for text in texts:
        made = tokenizer.encode(text[:LONG], add_special_tokens=False)
        logs = _log_probabilities(model, made.ids, first=1)
        starts = [start for start, _ in made.offsets[1:]]
        for start, log in zip(starts, logs, strict=True):
            nats[next(n for n, span in enumerate(SPANS) if start < span[1])] -= log
    return [total / (end - start) / len(texts) for total, (start, end) in zip(nats, SPANS, strict=True)]


def _lines(
    model: Model, tokenizer: Tokenizer, pieces: Sequence[str], cuts: Sequence[Cut], prompt: tuple[int, int]
) -> tuple[float, float]:
    """Nats per missing character, and how many of the lines are exact."""
    nats, characters, exact = 0.0, 0, 0
    for it in cuts:
        asked, answer, offsets = _prompt(tokenizer, it, prompt)
        logits = _logits(model, asked + answer, first=len(asked))
        logs = logits.log_softmax(-1)
        right = True
        for at, (token, (start, end)) in enumerate(zip(answer, offsets, strict=True)):
            if end <= it.typed:
                continue
            nats -= float(logs[at, token])
            held = it.middle[start : it.typed] if start < it.typed else ""
            right = right and _greedy(logits[at], pieces, held) == token
        final = _greedy(logits[-1], pieces, "")
        ends = final == token_id(tokenizer, END) or pieces[final].startswith("\n")
        characters += len(it.middle) - it.typed
        exact += right and ends
    return nats / characters, exact / len(cuts)


def _prompt(
    tokenizer: Tokenizer, made: Cut, size: tuple[int, int]
) -> tuple[list[int], list[int], list[tuple[int, int]]]:
    """The prompt up to the middle's mark, the middle, and where its tokens stand in its text."""
    ids: list[int] = []
    before, after = size
    for mark, text in ((PREFIX, made.prefix[-before:]), (SUFFIX, made.suffix[:after]), (MIDDLE, "")):
        ids.append(token_id(tokenizer, mark))
        ids += tokenizer.encode(text, add_special_tokens=False).ids
    middle = tokenizer.encode(made.middle, add_special_tokens=False)
    return ids, list(middle.ids), list(middle.offsets)


def _greedy(logits: Tensor, pieces: Sequence[str], held: str) -> int:
    """The likeliest token; of those that begin with the typed half of one, if there is such a half."""
    if not held:
        return int(logits.argmax())
    fits = [number for number, piece in enumerate(pieces) if piece.startswith(held)]
    return fits[int(logits[fits].argmax())]


def _log_probabilities(model: Model, ids: Sequence[int], *, first: int) -> list[float]:
    logs = _logits(model, ids, first=first)[:-1].log_softmax(-1)
    wanted = torch.tensor(ids[first:])[:, None]
    found: list[float] = logs.gather(1, wanted)[:, 0].tolist()
    return found


def _logits(model: Model, ids: Sequence[int], *, first: int) -> Tensor:
    """The scores for every token from ``first`` on, and for what comes after the last."""
    device = torch.device("cpu")
    with torch.autocast("cpu", torch.bfloat16, enabled=fast_in_bfloat16(device)):
        states = model.states(torch.tensor([ids]))[0, first - 1 :]
        logits: Tensor = model.output(states)
    return logits.float()
