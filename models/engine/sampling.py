"""Pure: choose the next token from its scores, or from those of two who know different things."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite, log

import numpy as np
import numpy.typing as npt

from models.errors import ModelError
from models.wire import Sampling

COLDEST = 1e-4  # Below this temperature every other token's weight is 0 for any scores that differ at all.

Scores = npt.NDArray[np.float32]


def choose(scores: Scores, sampling: Sampling, rng: np.random.Generator) -> int:
    """The next token: the best one at temperature 0, otherwise drawn within top-k and top-p.

    ``scores`` are logits of shape ``(n_vocab,)``. Raises ``ModelError`` when they are no numbers.
    """
    first = int(scores.argmax())
    if not isfinite(scores[first]):
        raise ModelError("The model computes no numbers: its file is damaged; fetch it again.")
    if sampling.temperature < COLDEST:
        return first
    k = sampling.top_k if 0 < sampling.top_k < len(scores) else len(scores)
    best = np.argpartition(scores, len(scores) - k)[len(scores) - k :]
    best = best[np.argsort(-scores[best], kind="stable")]
    weights = np.exp((scores[best] - scores[best[0]]).astype(np.float64) / sampling.temperature)
    weights /= weights.sum()
    if sampling.top_p < 1.0:
        kept = int(np.searchsorted(np.cumsum(weights), max(sampling.top_p, 0.0))) + 1
        best, weights = best[:kept], weights[:kept] / weights[:kept].sum()
    return int(rng.choice(best, p=weights))


def logprob(scores: Scores, token: int) -> float:
    """The natural logarithm of the model's own probability of ``token``, at temperature 1."""
    top = scores.max()
    shifted = scores - top
    np.exp(shifted, out=shifted)
    return float(scores[token] - top) - log(float(shifted.sum()))


def mixed(scores: Scores, shares: Mapping[int, float], weight: float) -> Scores:
    """Log-probabilities of the model's distribution mixed with another one, which is given in part.

    ``shares`` of the other one's mass stand behind these tokens. ``weight`` times what they sum up to is its
    influence: what it does not know is left to the model.
    """
    influence = min(weight * sum(shares.values()), 1.0)
    with np.errstate(invalid="ignore", divide="ignore"):  # What are no numbers comes out as none.
        own: Scores = scores - scores.max()
        own += np.log1p(np.float32(-influence)) - np.log(np.exp(own).sum())
        for token, share in shares.items():
            if weight * share:
                own[token] = np.logaddexp(own[token], log(weight * share))
    return own
