"""A static table: a row per token, in a safetensors file that is mapped into memory, not read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codeindex.embed_pieces import Bags
from codeindex.embed_pool import Floats
from models.errors import ModelError

TYPES = {"F32": "<f4", "F16": "<f2", "F64": "<f8", "I8": "i1", "I32": "<i4", "I64": "<i8"}
ROWS = ("embeddings", "embedding.weight")
"""What the table is called: by distilled tables, and by those that were trained as a layer."""
MOST_HEADER = 10_000_000  # Bytes. A table has three tensors; more of a header is not one of ours.


class Table:
    """The rows of all tokens, and how much each token counts."""

    def __init__(self, path: Path, dimensions: int) -> None:
        """Map the file; ``ModelError`` says in one sentence why it cannot be used."""
        tensors = read_tensors(path)
        rows = next((tensors[it] for it in ROWS if it in tensors), None)
        if rows is None or rows.ndim != 2:
            raise ModelError(f"The model's table {path.name} has no tensor called {' or '.join(ROWS)}.")
        if rows.shape[1] != dimensions:
            raise ModelError(
                f"The model's table {path.name} has {rows.shape[1]} dimensions, its card says {dimensions}."
            )
        self._rows = rows
        self._weights = tensors.get("weights")
        self._mapping = tensors.get("mapping")
        if self._mapping is not None and (
            self._mapping.ndim != 1 or not _all_below(self._mapping, len(self._rows))
        ):
            raise ModelError(f"The model's table {path.name} maps a token to a row that it does not have.")
        self.tokens = len(rows) if self._mapping is None else len(self._mapping)
        if self._weights is not None and self._weights.shape != (self.tokens,):
            raise ModelError(f"The model's table {path.name} does not have a weight for each token.")

    def means(self, bags: Bags) -> Floats:
        """The weighted mean of each text's rows; a text without tokens gets zeros."""
        texts = bags.count
        found = np.zeros((texts, self._rows.shape[1]), np.float32)
        # Each row is read and converted once, however often its token occurs, and each text takes it once.
        pairs, times = np.unique(bags.texts * self.tokens + bags.ids, return_counts=True)
        tokens, places = np.unique(pairs % max(self.tokens, 1), return_inverse=True)
        rows = self._rows[tokens if self._mapping is None else self._mapping[tokens]].astype(np.float32)
        if self._weights is not None:
            rows *= self._weights[tokens, None].astype(np.float32)
        ends = np.searchsorted(pairs, np.arange(texts + 1) * self.tokens).tolist()
        shares = times.astype(np.float32)
        for text, (begin, end) in enumerate(pairwise(ends)):
            if begin < end:  # One at a time: a text's rows fit into the processor's cache, a batch's do not.
                found[text] = shares[begin:end] @ rows.take(places[begin:end], axis=0)
        counts = np.bincount(bags.texts, minlength=texts)
        found /= np.maximum(counts, 1)[:, None].astype(np.float32)
        return found


def read_tensors(path: Path) -> dict[str, NDArray[Any]]:
    """The tensors of a safetensors file, as views of the mapped file; ``ModelError`` if it is not one."""
    damaged = ModelError(f"The model's table {path.name} is not a whole safetensors file.")
    try:
        mapped = np.memmap(path, np.uint8, "r")
    except (OSError, ValueError) as exc:  # An empty file cannot be mapped.
        raise damaged from exc
    size = int.from_bytes(mapped[:8].tobytes(), "little")
    if len(mapped) < 8 or MOST_HEADER < size or len(mapped) < 8 + size:
        raise damaged
    try:
        header = json.loads(mapped[8 : 8 + size].tobytes())
        named = {key: it for key, it in header.items() if key != "__metadata__"}
        return {key: _tensor(mapped[8 + size :], it) for key, it in named.items() if it["dtype"] in TYPES}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as exc:
        raise damaged from exc


def _tensor(data: NDArray[np.uint8], said: Mapping[str, Any]) -> NDArray[Any]:
    first, last = said["data_offsets"]
    if not 0 <= first <= last <= len(data):
        raise ValueError("outside of the file")
    # Raises ValueError where the shape does not fill the bytes. A copy of nothing: all are views.
    return np.asarray(data[first:last]).view(TYPES[said["dtype"]]).reshape(said["shape"])


def _all_below(mapping: NDArray[Any], rows: int) -> bool:
    return not len(mapping) or bool(0 <= mapping.min() and mapping.max() < rows)
