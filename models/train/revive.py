"""Go on from an exported model when its checkpoint is gone: GGUF file -> tokenizer and trunk."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import gguf
import numpy as np
import torch
from tokenizers import AddedToken, Tokenizer, models
from torch import Tensor

from models.train.export import TENSORS
from models.train.model import Shape
from models.train.tokenizer import SPECIALS, word_splitting

OWNERS: Final = {
    "token_embd.weight": "embedding.weight",
    "output_norm.weight": "norm.weight",
    "output.weight": "output.weight",
}


def revive(model: Path, work: Path, *, tokens: int) -> Shape:
    """Write ``tokenizer.json`` and ``trunk.pt`` as the file has them; the optimizers start from nothing.

    ``tokens`` is what the model has been trained on so far, for its card: the file does not say.
    Weights come back as they were quantized. Raises ``FileExistsError`` rather than replace a trunk.
    """
    trunk = work / "trunk.pt"
    if trunk.exists():
        raise FileExistsError(f"{trunk} is there already: train from it, or move it away first.")
    reader = gguf.GGUFReader(model)
    _tokenizer(reader).save(str(work / "tokenizer.json"))
    weights = {
        _name(it.name): torch.from_numpy(
            np.array(gguf.quants.dequantize(it.data, it.tensor_type), dtype=np.float32)
        )
        for it in reader.tensors
    }
    shape = _shape(reader, weights)
    counters = {"step": 0, "rows": tokens // _value(reader, "qwen2.context_length"), "seconds": 0.0}
    torch.save(
        {"model": weights, "average": weights, "shape": shape.as_dict(), "tokens": tokens} | counters, trunk
    )
    print(f"revive file={model.name} shape={shape.as_dict()} tokens={tokens}")
    return shape


def _name(exported: str) -> str:
    """Our name of an exported weight."""
    if exported in OWNERS:
        return OWNERS[exported]
    _, layer, part, kind = exported.split(".")
    ours = next(name for name, theirs in TENSORS.items() if theirs == part)
    return f"blocks.{layer}.{ours}.{kind}"


def _shape(reader: gguf.GGUFReader, weights: dict[str, Tensor]) -> Shape:
    vocabulary, hidden = weights["embedding.weight"].shape
    return Shape(
        vocabulary=vocabulary,
        hidden=hidden,
        layers=_value(reader, "qwen2.block_count"),
        heads=_value(reader, "qwen2.attention.head_count"),
        kv_heads=_value(reader, "qwen2.attention.head_count_kv"),
        feed_forward=_value(reader, "qwen2.feed_forward_length"),
        rope_base=float(_value(reader, "qwen2.rope.freq_base")),
    )


def _tokenizer(reader: gguf.GGUFReader) -> Tokenizer:
    """The tokenizer that was exported: its merges in their order, special tokens last."""
    tokens: list[str] = _value(reader, "tokenizer.ggml.tokens")
    merges = [tuple(it.split(" ")) for it in _value(reader, "tokenizer.ggml.merges")]
    texts = {token: number for number, token in enumerate(tokens) if token not in SPECIALS}
    tokenizer = word_splitting(Tokenizer(models.BPE(vocab=texts, merges=merges)))
    tokenizer.add_special_tokens([AddedToken(it, special=True) for it in tokens if it in SPECIALS])
    return tokenizer


def _value(reader: gguf.GGUFReader, key: str) -> Any:
    field = reader.get_field(key)
    if field is None:
        raise ValueError(f"The file says nothing about {key}.")
    return field.contents()
