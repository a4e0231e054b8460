"""Train the embedder's table: a row and a weight for each token, so that questions lie near their code."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from models.train.embedder_data import Lessons, Texts, chosen, in_clumps, without_hidden
from models.train.embedder_recipe import EmbedderRecipe
from models.train.embedder_tokens import Whole

LOOKS = 2  # Rounds of power iteration: enough for directions that are only a start.
EXTRA = 16  # Directions more than are wanted, for the same reason.
AT_ONCE = 16_384  # Texts.
SHOWN = 50  # Steps between two lines of the log.
SPREAD = 0.75  # The power of the singular values that a start keeps: 1 lets the first directions rule.


class Vectors(nn.Module):
    """Bags of tokens -> vectors of length 1."""

    def __init__(self, rows: torch.Tensor, weights: torch.Tensor) -> None:
        super().__init__()
        self.rows = nn.Parameter(rows)
        self.weights = nn.Parameter(weights)
        """Logarithms: no token counts less than nothing."""

    def forward(self, bag: tuple[Whole, NDArray[np.float32], Whole]) -> torch.Tensor:
        tokens, times, lengths = map(torch.from_numpy, bag)
        starts = torch.cumsum(lengths, 0) - lengths
        shares = times * torch.exp(self.weights[tokens])
        summed = functional.embedding_bag(tokens, self.rows, starts, mode="sum", per_sample_weights=shares)
        return functional.normalize(summed, dim=-1)


def train_embedder(
    found: Lessons, recipe: EmbedderRecipe, vocabulary: int, kept: Path, seconds: float
) -> bool:
    """Go on from what is kept in this file for so long; whether it is done."""
    end = time.monotonic() + seconds
    state: dict[str, Any] = torch.load(kept, weights_only=True) if kept.exists() else {}
    torch.manual_seed(recipe.seed)
    if not state:
        rows, weights = start(found, recipe, vocabulary)
        state = {"rows": rows, "weights": weights, "step": 0, "optimizer": None}
    model = Vectors(state["rows"], state["weights"])
    optimizer = torch.optim.Adam(
        [{"params": [model.rows], "lr": recipe.rate}, {"params": [model.weights], "lr": recipe.weight_rate}],
        betas=(0.9, 0.99),
        foreach=True,
    )
    if state["optimizer"]:
        optimizer.load_state_dict(state["optimizer"])
    step, total = state["step"], steps_of(found, recipe)
    rates = (recipe.rate, recipe.weight_rate)
    losses: list[float] = []
    for questions in _from(found, recipe, step):
        if total <= step or end < time.monotonic():
            break
        for group, rate in zip(optimizer.param_groups, rates, strict=True):
            group["lr"] = rate * min(1.0, (step + 1) / recipe.warm_up) * (1 - step / total)
        draw = np.random.default_rng((recipe.seed, 2, step))
        optimizer.zero_grad()
        loss = _loss(model, found, questions, recipe, draw)
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
        step += 1
        if step % SHOWN == 0:
            print(f"step={step}/{total} loss={np.mean(losses):.4f}", flush=True)
            losses.clear()
    part = kept.with_suffix(".part")
    torch.save(
        {
            "rows": model.rows.detach(),
            "weights": model.weights.detach(),
            "step": step,
            "optimizer": optimizer.state_dict(),
        },
        part,
    )
    part.replace(kept)
    return total <= step


def steps_of(found: Lessons, recipe: EmbedderRecipe) -> int:
    """How many steps the recipe's rounds are."""
    one = len(chosen(found, recipe.kinds, np.random.default_rng((recipe.seed, 0)))) // recipe.batch
    return max(1, math.ceil(recipe.epochs * max(one, 1)))


def learned(kept: Path) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The rows and how much each counts, of a file that training kept."""
    state = torch.load(kept, weights_only=True)
    return state["rows"].numpy(), np.exp(state["weights"].numpy())


def start(found: Lessons, recipe: EmbedderRecipe, vocabulary: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Rows and weights before anything is learned: rare tokens count most."""
    texts = len(found.codes)
    occurs = np.bincount(found.codes.tokens, minlength=vocabulary)
    rarity = np.log((1 + texts) / (1 + occurs)).clip(0.1)
    if recipe.start == "meaning":
        rows = _directions(found.codes, rarity, recipe.dimensions)
    else:
        rows = torch.randn(vocabulary, recipe.dimensions)
    rows = functional.normalize(rows, dim=-1)
    return rows, torch.from_numpy(np.log(rarity)).float()


def _directions(texts: Texts, rarity: NDArray[np.float64], dimensions: int) -> torch.Tensor:
    """A truncated singular value decomposition of which tokens stand in which texts, by random projection."""
    basis = torch.randn(len(rarity), dimensions + EXTRA)
    values = torch.ones(dimensions + EXTRA)
    for _ in range(LOOKS + 1):
        basis, _ = torch.linalg.qr(basis)
        basis = _through(texts, rarity, basis)
    vectors, values, _ = torch.linalg.svd(basis, full_matrices=False)
    found: torch.Tensor = vectors[:, :dimensions] * values[:dimensions] ** (SPREAD / 2)
    # A token that stands in no text has no direction yet.
    lonely = found.norm(dim=-1) < 1e-8
    found[lonely] = torch.randn(int(lonely.sum()), dimensions) * found.std()
    return found


def _through(texts: Texts, rarity: NDArray[np.float64], basis: torch.Tensor) -> torch.Tensor:
    """Tokens to texts and back."""
    back = torch.zeros_like(basis)
    for begin in range(0, len(texts), AT_ONCE):
        which = np.arange(begin, min(begin + AT_ONCE, len(texts)), dtype=np.int64)
        tokens, times, lengths = texts.picked(which)
        worth = ((1 + np.log(times)) * rarity[tokens]).astype(np.float32)
        owners = np.repeat(np.arange(len(which)), lengths)
        worth /= np.sqrt(np.bincount(owners, worth**2, len(which))).astype(np.float32)[owners]
        places, shares = torch.from_numpy(tokens), torch.from_numpy(worth)
        matrix = torch.sparse_coo_tensor(
            torch.stack((torch.from_numpy(owners), places)),
            shares,
            (len(which), len(basis)),
            check_invariants=True,
        ).coalesce()
        back += torch.sparse.mm(matrix.t(), torch.sparse.mm(matrix, basis))
    return back


def _from(found: Lessons, recipe: EmbedderRecipe, step: int) -> Iterator[Whole]:
    """Batches of questions without end, from this step on; the same each time."""
    passed, number = 0, 0
    while True:
        draw = np.random.default_rng((recipe.seed, 1, number))
        questions = chosen(found, recipe.kinds, draw)
        order = questions[in_clumps(found.projects[found.answers[questions]], recipe.clump, draw)]
        whole = max(1, len(order) // recipe.batch)
        for it in range(whole):
            if step <= passed:
                yield order[it * recipe.batch : (it + 1) * recipe.batch]
            passed += 1
        number += 1


def _loss(
    model: Vectors, found: Lessons, questions: Whole, recipe: EmbedderRecipe, draw: np.random.Generator
) -> torch.Tensor:
    """How surprising the right code is among all of the batch, and the right question."""
    answers = found.answers[questions]
    asked, code = found.questions.picked(questions), found.codes.picked(answers)
    if recipe.hidden:
        code = (code[0], without_hidden(asked, code, recipe.hidden, draw), code[2])
    alike = model(asked) @ model(code).t() / recipe.temperature
    places, said = found.places[answers], found.said[questions]
    same = (places[:, None] == places[None]) | (said[:, None] == said[None])
    np.fill_diagonal(same, False)
    alike = alike.masked_fill(torch.from_numpy(same), -math.inf)
    right = torch.arange(len(questions))
    forward = functional.cross_entropy(alike, right)
    backward = functional.cross_entropy(alike.t(), right)
    return forward + backward / 2
