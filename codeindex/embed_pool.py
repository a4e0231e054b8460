"""Pure: vectors of tokens -> one vector of a text, and how near vectors are to each other."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from codeindex.model_card import Pooling

Floats = NDArray[np.float32]
Mask = NDArray[np.int64]


def pooled(states: Floats, mask: Mask, pooling: Pooling) -> Floats:
    """One vector for each text, of ``states`` (texts, tokens, dimensions); ``mask`` is 0 where padding is."""
    if pooling is Pooling.MEAN:
        weights = mask[:, :, None].astype(np.float32)
        sums: Floats = (states * weights).sum(axis=1, dtype=np.float32)
        means: Floats = sums / np.maximum(weights.sum(axis=1), 1.0)
        return means
    places = np.arange(mask.shape[1])
    at = np.where(mask > 0, places, -1).max(axis=1) if pooling is Pooling.LAST else mask.argmax(axis=1)
    picked: Floats = states[np.arange(len(states)), at]
    return picked


def unit(vectors: Floats) -> Floats:
    """Of length 1, along the last axis; a vector of zeros stays as it is."""
    lengths = np.sqrt(np.square(vectors).sum(axis=-1, keepdims=True))
    units: Floats = np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)
    return units


def max_sim(query: Floats, document: Floats) -> float:
    """For each token of the query the nearest of the document, averaged: 1 is the same text, 0 a stranger.

    The mean instead of the usual sum gives the same order and a number that does not grow with the query.
    """
    if not len(query) or not len(document):
        return 0.0
    return float((query @ document.T).max(axis=1).mean())
