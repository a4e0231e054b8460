"""Write a checkpoint as a GGUF file that llama.cpp loads by the same path as Qwen2.5-Coder."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import gguf
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.train.model import EPSILON, Model, Shape
from models.train.tokenizer import END, FILE, MIDDLE, PAD, PREFIX, REPO, SPECIALS, SUFFIX

NAME: Final = "hearth-starter"
LICENCE: Final = "apache-2.0"
QUANTIZED: Final = {
    "f16": (gguf.GGMLQuantizationType.F16, gguf.LlamaFileType.MOSTLY_F16),
    "q8_0": (gguf.GGMLQuantizationType.Q8_0, gguf.LlamaFileType.MOSTLY_Q8_0),
}
# Our layer names -> llama.cpp's.
TENSORS: Final = {
    "input_norm": "attn_norm",
    "attention.q_proj": "attn_q",
    "attention.k_proj": "attn_k",
    "attention.v_proj": "attn_v",
    "attention.o_proj": "attn_output",
    "post_norm": "ffn_norm",
    "gate_proj": "ffn_gate",
    "up_proj": "ffn_up",
    "down_proj": "ffn_down",
}


def load_model(checkpoint: Path, *, averaged: bool) -> Model:
    """The torch model of a checkpoint, on the CPU; the average of a trunk's latest steps, if wanted."""
    state: dict[str, Any] = torch.load(checkpoint, map_location="cpu", weights_only=True)
    model = Model(Shape(**state["shape"]))
    model.load_state_dict(state["average" if averaged else "model"])
    return model.eval()


def export(
    checkpoint: Path, tokenizer: Path, out: Path, *, quantization: str, context: int, averaged: bool
) -> None:
    """Write the GGUF file; matrices are quantized, norms and biases stay in f32."""
    model = load_model(checkpoint, averaged=averaged)
    kind, file_type = QUANTIZED[quantization]
    writer = gguf.GGUFWriter(out, "qwen2")
    _describe(writer, model.shape, context, file_type)
    _add_tokenizer(writer, json.loads(tokenizer.read_text(encoding="utf-8")))
    for name, tensor in tensors(model.state_dict()):
        values: NDArray[np.float32] = tensor.float().numpy()
        if values.ndim == 1:
            writer.add_tensor(name, values)
        else:
            writer.add_tensor(name, gguf.quants.quantize(values, kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    print(f"export file={out.name} bytes={out.stat().st_size} quantization={quantization}")


def tensors(state: Mapping[str, Tensor]) -> Iterator[tuple[str, Tensor]]:
    """Every weight under llama.cpp's name."""
    for name, tensor in state.items():
        owner, _, kind = name.rpartition(".")
        if owner == "embedding":
            yield "token_embd.weight", tensor
        elif owner == "norm":
            yield "output_norm.weight", tensor
        elif owner == "output":
            yield "output.weight", tensor
        else:
            _, layer, part = owner.split(".", 2)
            yield f"blk.{layer}.{TENSORS[part]}.{kind}", tensor


def _describe(writer: gguf.GGUFWriter, shape: Shape, context: int, file_type: int) -> None:
    writer.add_type(gguf.GGUFType.MODEL)
    writer.add_name(NAME)
    writer.add_license(LICENCE)
    writer.add_size_label(f"{_parameters(shape) / 1e6:.1f}M")
    writer.add_description(
        "Hearth's bundled starter model: fills in code until a larger model is downloaded."
    )
    writer.add_file_type(file_type)
    writer.add_context_length(context)
    writer.add_embedding_length(shape.hidden)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.feed_forward)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.kv_heads)
    writer.add_rope_freq_base(shape.rope_base)
    writer.add_layer_norm_rms_eps(EPSILON)


def _parameters(shape: Shape) -> int:
    return sum(it.numel() for it in Model(shape).parameters())


def _add_tokenizer(writer: gguf.GGUFWriter, tokenizer: dict[str, Any]) -> None:
    ids = dict(tokenizer["model"]["vocab"]) | {it["content"]: it["id"] for it in tokenizer["added_tokens"]}
    tokens = sorted(ids, key=lambda token: ids[token])
    merges = [it if isinstance(it, str) else " ".join(it) for it in tokenizer["model"]["merges"]]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list(tokens)
    kinds = [gguf.TokenType.CONTROL if it in SPECIALS else gguf.TokenType.NORMAL for it in tokens]
    writer.add_token_types(kinds)
    writer.add_token_merges(merges)
    writer.add_eos_token_id(ids[END])
    writer.add_eot_token_id(ids[END])
    writer.add_pad_token_id(ids[PAD])
    writer.add_bos_token_id(ids[END])
    writer.add_add_bos_token(False)
    keys = gguf.Keys.Tokenizer
    for key, token in (
        (keys.FIM_PRE_ID, PREFIX),
        (keys.FIM_SUF_ID, SUFFIX),
        (keys.FIM_MID_ID, MIDDLE),
        (keys.FIM_PAD_ID, PAD),
        (keys.FIM_REP_ID, REPO),
        (keys.FIM_SEP_ID, FILE),
    ):
        writer.add_uint32(key, ids[token])
