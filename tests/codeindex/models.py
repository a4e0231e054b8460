"""Small real models for tests: a tokenizer of whole words, graphs and tables that numpy can check."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from benchmarks.shape_onnx import graph, node, safetensors, write_card

WORDS = (
    "[PAD]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    "[MASK]",
    "query",
    ":",
    "open",
    "read",
    "file",
    "sort",
    "list",
    ".",
)
IDS = {word: place for place, word in enumerate(WORDS)}
WIDTH = 8
ROWS: NDArray[np.float32] = np.random.default_rng(1).standard_normal((len(WORDS), WIDTH), np.float32)
MIX: NDArray[np.float32] = np.random.default_rng(2).standard_normal((WIDTH, WIDTH), np.float32)
KINDS: NDArray[np.float32] = np.random.default_rng(3).standard_normal((2, WIDTH), np.float32)
PLACES: NDArray[np.float32] = np.random.default_rng(4).standard_normal((64, WIDTH), np.float32)
INPUTS = ("input_ids", "attention_mask", "token_type_ids", "position_ids")
CARD: Mapping[str, Any] = {
    "format": 1,
    "name": "tiny",
    "license": "Apache-2.0",
    "kind": "encoder",
    "dimensions": WIDTH,
    "pooling": "mean",
    "max_tokens": 16,
}


def words(*, special: bool = True) -> Tokenizer:
    """A tokenizer with a token for each of ``WORDS``."""
    found = Tokenizer(models.WordLevel(dict(IDS), unk_token="[UNK]"))
    found.pre_tokenizer = pre_tokenizers.Whitespace()
    if special:
        found.post_processor = processors.TemplateProcessing(
            single="[CLS] $A [SEP]", special_tokens=[("[CLS]", IDS["[CLS]"]), ("[SEP]", IDS["[SEP]"])]
        )
    return found


def encoder_graph(inputs: tuple[str, ...] = INPUTS[:2], *, kind: str = "int64") -> bytes:
    """Rows of the tokens, mixed, with the sum of all that is not masked: what ``states`` computes."""
    last = "rows"
    nodes = [node("Gather", ["table", "input_ids"], ["rows"])]
    for name, table in (("token_type_ids", "kinds"), ("position_ids", "places")):
        if name in inputs:
            nodes.append(node("Gather", [table, name], [f"{table}_of"]))
            nodes.append(node("Add", [last, f"{table}_of"], [f"with_{table}"]))
            last = f"with_{table}"
    nodes += [
        node("MatMul", [last, "mix"], ["mixed"]),
        node("Tanh", ["mixed"], ["bent"]),
        node("Cast", ["attention_mask"], ["seen"], to=1),
        node("Unsqueeze", ["seen", "last"], ["wide"]),
        node("Mul", [last, "wide"], ["kept"]),
        node("ReduceSum", ["kept", "middle"], ["all"], keepdims=1),
        node("Add", ["bent", "all"], ["states"]),
    ]
    weights: dict[str, NDArray[Any]] = {"table": ROWS, "mix": MIX, "kinds": KINDS, "places": PLACES}
    weights |= {"last": np.array([2], np.int64), "middle": np.array([1], np.int64)}
    return graph(
        nodes,
        {
            name: it
            for name, it in weights.items()
            if name not in ("kinds", "places") or f"with_{name}" in str(nodes)
        },
        {it: (kind, ("texts", "tokens")) for it in inputs},
        {"states": ("float32", ("texts", "tokens", WIDTH))},
    )


def states(
    ids: list[int], *, kinds: bool = False, places: bool = False, seen: int | None = None
) -> NDArray[Any]:
    """What the graph must say of one text without padding; ``seen`` are how many tokens are looked at."""
    rows = ROWS[ids] + (KINDS[0] if kinds else 0) + (PLACES[: len(ids)] if places else 0)
    found: NDArray[Any] = np.tanh(rows @ MIX) + rows[:seen].sum(axis=0)
    return found


def write_encoder(folder: Path, model: bytes | None = None, **card: Any) -> Path:
    """A model folder with that graph."""
    folder.mkdir(parents=True, exist_ok=True)
    write_card(folder, {**CARD, **card}, model or encoder_graph(), words().to_str().encode())
    return folder


def write_table(
    folder: Path,
    tensors: Mapping[str, NDArray[Any]] | None = None,
    tokens: Tokenizer | None = None,
    **card: Any,
) -> Path:
    """A model folder with a static table; for another tokenizer, of random rows."""
    folder.mkdir(parents=True, exist_ok=True)
    said = {**CARD, "name": "table", "kind": "static", **card}
    if tensors is None:
        count = len(ROWS) if tokens is None else tokens.get_vocab_size()
        drawn = np.random.default_rng(5).standard_normal((count, WIDTH), np.float32)
        tensors = {"embeddings": ROWS if tokens is None else drawn}
    write_card(folder, said, safetensors(tensors), (tokens or words()).to_str().encode())
    return folder


def ids_of(text: str) -> list[int]:
    """The ids of a text of ``WORDS``, without special tokens."""
    return [IDS[it] for it in text.split()]


def unit(vector: NDArray[Any]) -> NDArray[Any]:
    """Of length 1."""
    found: NDArray[Any] = vector / np.linalg.norm(vector)
    return found
