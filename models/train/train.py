"""Train: a constant-rate *trunk* that can always be continued, and a short *decay* from it for an export.

The schedule is warm-up, constant, decay. ``trunk.pt`` never sees a decayed rate, so later sessions go on
from it; ``decayed.pt`` is what gets exported. Both hold model, running average, optimizers, the row of the
data reached, and what was spent. Asked to terminate, a run saves first; killed, it loses
``CHECKPOINT_SECONDS`` of work at most.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import torch
from tokenizers import Tokenizer
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from models.train.examples import Corpus, corpus, row
from models.train.head import summed_loss
from models.train.induction import start_with_induction
from models.train.model import Model, Shape, count_parameters
from models.train.muon import Muon, fast_in_bfloat16
from models.train.pack import read_corpus
from models.train.recipe import Recipe, Training
from models.train.sources import load_shares
from models.train.tokenizer import MIDDLE, SUFFIX, load_tokenizer

CHECKPOINT_SECONDS = 300
LOG_STEPS = 20
GRADIENT_NORM = 1.0
ADAM_BETAS = (0.9, 0.95)
COUNTERS: Final = ("step", "rows", "tokens", "seconds", "fresh", "until")
GPU_WORKERS = 12  # Making rows is cheap beside a CPU's step and dear beside a GPU's.


@dataclass(slots=True, kw_only=True)
class Run:
    """A run in progress: what a checkpoint holds."""

    model: Model
    optimizers: tuple[torch.optim.Optimizer, ...]
    average: dict[str, Tensor]
    step: int = 0
    rows: int = 0
    tokens: int = 0
    seconds: float = 0.0
    fresh: int = 0
    """The step at which the optimizers began with nothing."""
    until: int = 0
    """The tokens at which a decay in progress ends; 0 if there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """What a run reads, and the checkpoint that it writes."""

    corpus: Path
    tokenizer: Path
    start: Path
    out: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """How far one call goes."""

    seconds: float
    decay: bool = False
    """Down to rate zero within these seconds, however many tokens that is."""
    until: int | None = None
    """Tokens in all after which the run is over,"""
    decay_tokens: int = 0
    """and how many of them at its end the rate takes to fall to zero: a decay that can be interrupted."""


class Rows(Dataset[tuple[Tensor, Tensor]]):
    """Row ``n`` of the endless stream, starting where the run stands."""

    def __init__(self, source: Corpus, tokenizer: Tokenizer, recipe: Recipe, first: int) -> None:
        self.source, self.tokenizer, self.recipe, self.first = source, tokenizer, recipe, first

    def __len__(self) -> int:
        return 1 << 40

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        it, number = self.recipe.training, self.first + index
        made = row(
            self.source,
            self.tokenizer,
            self.recipe.mixture,
            seed=it.seed,
            number=number,
            context=it.context + 1,
        )
        return torch.tensor(made.ids), torch.tensor(made.weights)


def train(recipe: Recipe, files: Files, stretch: Stretch, *, threads: int, compiled: bool) -> Run:
    """Go on from a checkpoint, or from nothing, for one stretch; the run as it was saved comes back."""
    torch.set_num_threads(threads)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    tokenizer = load_tokenizer(files.tokenizer)
    run = resume(recipe, files.start, tokenizer, device)
    run.until = stretch.until or 0 if stretch.decay_tokens else 0
    source = _read(files.corpus)
    states_of = torch.compile(_states) if compiled else _states
    print(f"train params={count_parameters(run.model)} step={run.step} device={device} {stretch}", flush=True)

    ended: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _: ended.append(number))
    begun, earlier = time.monotonic(), run.seconds
    saved, losses = begun, []
    for ids, weights in _batches(source, tokenizer, recipe, run.rows, device):
        spent = time.monotonic() - begun
        if ended or stretch.seconds < spent or is_over(run, stretch):
            break
        _set_rates(run, recipe.training, _warm(run, recipe.training) * _down(run, stretch, spent))
        losses.append(_learn(run.model, states_of, ids, weights, recipe.training.rows_at_once))
        torch.nn.utils.clip_grad_norm_(run.model.parameters(), GRADIENT_NORM)
        for optimizer in run.optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        _follow(run, recipe.training.average_steps)
        run.step += 1
        run.rows += ids.shape[0]
        run.tokens += ids.shape[0] * (ids.shape[1] - 1)
        run.seconds = earlier + time.monotonic() - begun
        if run.step % LOG_STEPS == 0:
            mean = torch.stack(losses).mean().item()
            print(
                f"step={run.step} tokens={run.tokens} seconds={run.seconds:.0f} loss={mean:.4f}", flush=True
            )
            losses.clear()
        if CHECKPOINT_SECONDS < time.monotonic() - saved:
            save(run, files.out)
            saved = time.monotonic()
    save(run, files.out)
    signal.signal(signal.SIGTERM, before)
    print(f"done step={run.step} tokens={run.tokens} seconds={run.seconds:.0f}", flush=True)
    return run


def is_over(run: Run, stretch: Stretch) -> bool:
    """Whether all tokens that were asked for are spent."""
    return stretch.until is not None and stretch.until <= run.tokens


def decay_in_pieces(trunk: Path, decayed: Path, tokens: int) -> tuple[Path, int]:
    """Where a decay of so many tokens starts or goes on, and at how many tokens in all it ends."""
    until = int(_state(trunk)["tokens"]) + tokens
    goes_on = decayed.exists() and _state(decayed).get("until") == until
    return decayed if goes_on else trunk, until


def resume(recipe: Recipe, path: Path, tokenizer: Tokenizer, device: torch.device) -> Run:
    """The run as its checkpoint left it, or a fresh one that can already copy."""
    torch.manual_seed(recipe.training.seed)
    model = Model(Shape(**recipe.shape))
    if recipe.training.start == "induction":
        middle_mark, suffix_mark = tokenizer.token_to_id(MIDDLE), tokenizer.token_to_id(SUFFIX)
        start_with_induction(model, suffix_mark=suffix_mark, middle_mark=middle_mark)
    model.to(device)
    optimizers = _optimizers(model, recipe.training)
    average = {name: it.detach().clone() for name, it in model.state_dict().items()}
    run = Run(model=model, optimizers=optimizers, average=average)
    if path.exists():
        state: dict[str, Any] = torch.load(path, map_location=device, weights_only=True)
        model.load_state_dict(state["model"])
        run.average = state.get("average") or {
            name: it.detach().clone() for name, it in model.state_dict().items()
        }
        for counter in COUNTERS:
            setattr(run, counter, state.get(counter, 0))
        if "optimizers" in state:
            for optimizer, saved in zip(run.optimizers, state["optimizers"], strict=True):
                optimizer.load_state_dict(saved)
        else:  # Revived, or carried from another machine.
            run.fresh = run.step
    return run


def save(run: Run, path: Path) -> None:
    """Write the checkpoint beside its place first, so that a kill leaves the old one whole."""
    state = {
        "model": run.model.state_dict(),
        "average": run.average,
        "optimizers": [it.state_dict() for it in run.optimizers],
        "shape": run.model.shape.as_dict(),
    } | {counter: getattr(run, counter) for counter in COUNTERS}
    partial = path.with_suffix(".partial")
    torch.save(state, partial)
    partial.replace(path)


def _state(path: Path) -> dict[str, Any]:
    state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    return state


@lru_cache(maxsize=1)
def _read(path: Path) -> Corpus:
    """Several trials in one process read it once."""
    return corpus(read_corpus(path), load_shares())


def _optimizers(model: Model, training: Training) -> tuple[torch.optim.Optimizer, ...]:
    """Their groups stand in the order of ``_set_rates``: matrices, embedding, output, vectors."""
    matrices = [it for it in model.blocks.parameters() if it.dim() == 2]
    vectors = [it for it in model.parameters() if it.dim() == 1]
    groups = [{"params": [model.embedding.weight]}, {"params": [model.output.weight]}, {"params": vectors}]
    if training.optimizer == "adamw":
        decayed = {"params": matrices, "weight_decay": training.weight_decay}
        return (torch.optim.AdamW([decayed, *groups], betas=ADAM_BETAS, weight_decay=0.0),)
    muon = Muon(matrices, lr=training.matrix_rate, weight_decay=training.weight_decay)
    return muon, torch.optim.AdamW(groups, betas=ADAM_BETAS, weight_decay=0.0)


def _batches(
    source: Corpus, tokenizer: Tokenizer, recipe: Recipe, first: int, device: torch.device
) -> Iterator[tuple[Tensor, Tensor]]:
    rows = Rows(source, tokenizer, recipe, first)
    workers = GPU_WORKERS if device.type == "cuda" else 0
    for ids, weights in DataLoader(rows, batch_size=recipe.training.rows, num_workers=workers):
        yield ids.to(device), weights.to(device)


def _learn(
    model: Model, states_of: Callable[[Model, Tensor], Tensor], ids: Tensor, weights: Tensor, at_once: int
) -> Tensor:
    """Add the gradients of one step, a few rows at a time; the weighted mean loss in nats."""
    fast = fast_in_bfloat16(ids.device)
    targets, shares = ids[:, 1:], weights[:, 1:] / weights[:, 1:].sum().clamp(min=1.0)
    loss = torch.zeros((), device=ids.device)
    for first in range(0, len(ids), at_once):
        rows = slice(first, first + at_once)
        with torch.autocast(ids.device.type, torch.bfloat16, enabled=fast):
            states = states_of(model, ids[rows, :-1]).flatten(0, 1)
        if fast:
            states = states.bfloat16()
        part = summed_loss(states, model.output.weight, targets[rows].flatten(), shares[rows].flatten())
        part.backward()  # type: ignore[no-untyped-call]
        loss += part.detach()
    return loss


def _states(model: Model, ids: Tensor) -> Tensor:
    return model.states(ids)


@torch.no_grad()
def _follow(run: Run, steps: int) -> None:
    """Keep the average of the latest steps: nearly as good as a decay, and free."""
    share = max(1 / steps, 1 / (run.step - run.fresh + 1))
    names = list(run.average)
    state = run.model.state_dict()
    torch._foreach_lerp_([run.average[it] for it in names], [state[it] for it in names], share)


def _warm(run: Run, training: Training) -> float:
    return min(1.0, (run.step - run.fresh + 1) / training.warm_up)


def _down(run: Run, stretch: Stretch, spent: float) -> float:
    """How much of the rate is left: by the clock, by the tokens, or all of it."""
    if stretch.decay:
        return 1 - spent / stretch.seconds
    if stretch.until is None or not stretch.decay_tokens:
        return 1.0
    return min(1.0, (stretch.until - run.tokens) / stretch.decay_tokens)


def _set_rates(run: Run, training: Training, factor: float) -> None:
    """The recipe's rates, not the checkpoint's: a changed recipe takes effect at once."""
    rates = (training.matrix_rate, training.embedding_rate, training.output_rate, training.vector_rate)
    groups = [group for optimizer in run.optimizers for group in optimizer.param_groups]
    for group, rate in zip(groups, rates, strict=True):
        group["lr"] = rate * factor
