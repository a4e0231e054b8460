"""Does llama.cpp see the same model? Token ids and logits of the exported file against the torch model's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from llama_cpp import Llama
from numpy.typing import NDArray

from models.train.export import load_model
from models.train.tokenizer import load_tokenizer


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """How far the exported file is from what was trained."""

    texts: int
    texts_tokenized_alike: int
    largest_logit_difference: float
    mean_nats_torch: float
    mean_nats_llama: float


def check_export(
    checkpoint: Path, tokenizer: Path, file: Path, texts: Sequence[str], *, context: int, averaged: bool
) -> Agreement:
    """Compare on some texts, each cut to the model's context."""
    model, ours = load_model(checkpoint, averaged=averaged), load_tokenizer(tokenizer)
    llama = Llama(str(file), n_ctx=context, n_batch=context, logits_all=True, verbose=False)
    alike, difference, nats_ours, nats_theirs = 0, 0.0, [], []
    for text in texts:
        ids = ours.encode(text, add_special_tokens=False).ids
        alike += ids == llama.tokenize(text.encode(), add_bos=False, special=False)
        ids = ids[:context]
        with torch.inference_mode():
            expected = model(torch.tensor([ids]))[0].numpy()
        llama.reset()
        llama.eval(ids)
        actual = np.asarray(llama.scores[: len(ids)], dtype=np.float32)
        difference = max(difference, float(np.abs(expected - actual).max()))
        nats_ours.append(_nats(expected, ids))
        nats_theirs.append(_nats(actual, ids))
    return Agreement(
        texts=len(texts),
        texts_tokenized_alike=alike,
        largest_logit_difference=difference,
        mean_nats_torch=float(np.mean(nats_ours)),
        mean_nats_llama=float(np.mean(nats_theirs)),
    )


def mean_nats(file: Path, texts: Sequence[str], *, context: int, threads: int) -> float:
    """What llama.cpp makes of the first ``context`` tokens of some texts, in nats per token, text by text."""
    llama = Llama(
        str(file),
        n_ctx=context,
        n_batch=context,
        n_threads=threads,
        n_threads_batch=threads,
        logits_all=True,
        verbose=False,
    )
    nats = []
    for text in texts:
        ids = llama.tokenize(text.encode(), add_bos=False, special=False)[:context]
        llama.reset()
        llama.eval(ids)
        nats.append(_nats(np.asarray(llama.scores[: len(ids)], dtype=np.float32), ids))
    return float(np.mean(nats))


def _nats(logits: NDArray[np.float32], ids: Sequence[int]) -> float:
    scores = logits[:-1] - logits[:-1].max(axis=1, keepdims=True)
    logs = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
    return float(-logs[np.arange(len(ids) - 1), ids[1:]].mean())
