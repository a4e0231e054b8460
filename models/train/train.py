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
from models.train.tokenizer import MIDDLE, SUFFIX, load_tokenizer

CHECKPOINT_SECONDS = 300
AVERAGE_STEPS = 100
LOG_STEPS = 20
GRADIENT_NORM = 1.0
ADAM_BETAS = (0.9, 0.95)
COUNTERS: Final = ("step", "rows", "tokens", "seconds")
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


class Rows(Dataset[tuple[Tensor, Tensor]]):
    """Row ``n`` of the endless stream, starting where the run stands."""

    def __init__(self, source: Corpus, tokenizer: Tokenizer, training: Training, first: int) -> None:
        self.source, self.tokenizer, self.training, self.first = source, tokenizer, training, first

    def __len__(self) -> int:
        return 1 << 40

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        it = self.training
        made = row(
            self.source, self.tokenizer, seed=it.seed, number=self.first + index, context=it.context + 1
        )
        return torch.tensor(made.ids), torch.tensor(made.weights)


def train(recipe: Recipe, work: Path, *, seconds: float, decay: bool, threads: int, compiled: bool) -> None:
    """Continue the trunk for some seconds; with ``decay``, go down from it to rate zero within them."""
    torch.set_num_threads(threads)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    tokenizer = load_tokenizer(work / "tokenizer.json")
    run = resume(recipe, work / "trunk.pt", tokenizer, device)
    source = corpus(read_corpus(work / "train.jsonl.gz"))
    states_of = torch.compile(_states) if compiled else _states
    out = work / ("decayed.pt" if decay else "trunk.pt")
    print(
        f"train params={count_parameters(run.model)} step={run.step} device={device} decay={decay}",
        flush=True,
    )

    ended: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: ended.append(number))
    begun, earlier = time.monotonic(), run.seconds
    saved, losses = begun, []
    for ids, weights in _batches(source, tokenizer, recipe.training, run.rows, device):
        spent = time.monotonic() - begun
        if ended or seconds < spent:
            break
        warm = min(1.0, (run.step + 1) / recipe.training.warm_up)
        _set_rates(run, recipe.training, warm * (1 - spent / seconds if decay else 1.0))
        losses.append(_learn(run.model, states_of, ids, weights, recipe.training.rows_at_once))
        torch.nn.utils.clip_grad_norm_(run.model.parameters(), GRADIENT_NORM)
        for optimizer in run.optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        _follow(run)
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
            save(run, out)
            saved = time.monotonic()
    save(run, out)
    print(f"done step={run.step} tokens={run.tokens} seconds={run.seconds:.0f}", flush=True)


def resume(recipe: Recipe, path: Path, tokenizer: Tokenizer, device: torch.device) -> Run:
    """The run as its checkpoint left it, or a fresh one that can already copy."""
    torch.manual_seed(recipe.training.seed)
    model = Model(Shape(**recipe.shape))
    middle_mark, suffix_mark = tokenizer.token_to_id(MIDDLE), tokenizer.token_to_id(SUFFIX)
    start_with_induction(model, suffix_mark=suffix_mark, middle_mark=middle_mark)
    model.to(device)
    matrices = [it for it in model.blocks.parameters() if it.dim() == 2]
    vectors = [it for it in model.parameters() if it.dim() == 1]
    muon = Muon(matrices, lr=recipe.training.muon_rate, weight_decay=recipe.training.weight_decay)
    groups = [{"params": [model.embedding.weight]}, {"params": [model.output.weight]}, {"params": vectors}]
    adam = torch.optim.AdamW(groups, betas=ADAM_BETAS, weight_decay=0.0)
    average = {name: it.detach().clone() for name, it in model.state_dict().items()}
    run = Run(model=model, optimizers=(muon, adam), average=average)
    if path.exists():
        state: dict[str, Any] = torch.load(path, map_location=device, weights_only=True)
        model.load_state_dict(state["model"])
        run.average = state["average"]
        if "optimizers" in state:  # A revived trunk has none.
            for optimizer, saved in zip(run.optimizers, state["optimizers"], strict=True):
                optimizer.load_state_dict(saved)
        for counter in COUNTERS:
            setattr(run, counter, state[counter])
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


def _batches(
    source: Corpus, tokenizer: Tokenizer, training: Training, first: int, device: torch.device
) -> Iterator[tuple[Tensor, Tensor]]:
    rows = Rows(source, tokenizer, training, first)
    workers = GPU_WORKERS if device.type == "cuda" else 0
    for ids, weights in DataLoader(rows, batch_size=training.rows, num_workers=workers):
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
def _follow(run: Run) -> None:
    """Keep the average of the latest steps: nearly as good as a decay, and free."""
    share = max(1 / AVERAGE_STEPS, 1 / (run.step + 1))
    names = list(run.average)
    state = run.model.state_dict()
    torch._foreach_lerp_([run.average[it] for it in names], [state[it] for it in names], share)


def _set_rates(run: Run, training: Training, factor: float) -> None:
    """The recipe's rates, not the checkpoint's: a changed recipe takes effect at once."""
    rates = (training.muon_rate, training.embedding_rate, training.output_rate, training.vector_rate)
    groups = [group for optimizer in run.optimizers for group in optimizer.param_groups]
    for group, rate in zip(groups, rates, strict=True):
        group["lr"] = rate * factor
