"""What each shape of the trials would cost its users: file size, and the time of a cold prompt."""

from __future__ import annotations

import csv
import random
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Final

import torch
from llama_cpp import Llama

from models.train.export import export
from models.train.model import Model, Shape, count_parameters
from models.train.trial import Trial, tokenizer_of

PROMPT_TOKENS: Final = 1_000
CONTEXT: Final = 2_048
ROUNDS: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Speed:
    """One shape in llama.cpp; the time is the best of ``ROUNDS``."""

    shape: str
    parameters: int
    q8_0_bytes: int
    prompt_ms: int
    token_ms: float


def write_speeds(trials: Sequence[Trial], work: Path, out: Path, *, threads: int) -> None:
    """One line per shape, with the name of the first trial that has it; the weights do not matter."""
    seen: list[dict[str, Any]] = []
    with out.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [it.name for it in fields(Speed)], lineterminator="\n")
        writer.writeheader()
        for it in trials:
            if it.recipe.shape not in seen:
                seen.append(it.recipe.shape)
                found = _speed(it, work, threads)
                print(found, flush=True)
                writer.writerow(asdict(found))


def _speed(trial: Trial, work: Path, threads: int) -> Speed:
    model = Model(Shape(**trial.recipe.shape))
    with tempfile.TemporaryDirectory() as folder:
        checkpoint, file = Path(folder, "model.pt"), Path(folder, "model.gguf")
        torch.save({"model": model.state_dict(), "shape": model.shape.as_dict()}, checkpoint)
        tokenizer = tokenizer_of(work, trial.recipe.shape["vocabulary"])
        export(checkpoint, tokenizer, file, quantization="q8_0", context=CONTEXT, averaged=False)
        prompt, token = _times(file, threads)
        return Speed(
            shape=trial.name,
            parameters=count_parameters(model),
            q8_0_bytes=file.stat().st_size,
            prompt_ms=round(prompt * 1000),
            token_ms=round(token * 1000, 2),
        )


def _times(file: Path, threads: int) -> tuple[float, float]:
    """Seconds of a prompt from nothing, and of a token after it."""
    llama = Llama(
        str(file),
        n_ctx=CONTEXT,
        n_batch=512,
        n_threads=threads,
        n_threads_batch=threads,
        verbose=False,
    )
    rng = random.Random(1)
    prompts, tokens = [], []
    for _ in range(ROUNDS):
        ids = [rng.randrange(llama.n_vocab() // 2) for _ in range(PROMPT_TOKENS)]
        llama.reset()
        begun = time.perf_counter()
        llama.eval(ids)
        prompts.append(time.perf_counter() - begun)
        for token in ids[:10]:
            begun = time.perf_counter()
            llama.eval([token])
            tokens.append(time.perf_counter() - begun)
    return min(prompts), min(tokens)
