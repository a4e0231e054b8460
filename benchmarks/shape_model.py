"""Write a GGUF of exactly Qwen2.5-Coder-0.5B's shape with random weights, to measure its speed.

    python -m benchmarks.shape_model OUT.gguf --type Q4_K_M [--vocab ggml-vocab-qwen2.gguf]

Random weights cost exactly the arithmetic and the memory of real ones, so timings carry over; what such a
model writes is noise. The tokenizer is the real one when a vocabulary file is given (or found beside the
checkout), otherwise a synthetic byte-level vocabulary of the same size. Makes about 400 MB in half a minute.
"""

from __future__ import annotations

import argparse
import ctypes
import tempfile
from dataclasses import dataclass
from pathlib import Path

import gguf
import llama_cpp
import numpy as np

ROOT = Path(__file__).parents[1]
SHARED_VOCAB = ROOT.parent / "shared" / "data" / "ggml-vocab-qwen2.gguf"

# Qwen2.5-Coder's ids, from its tokenizer_config.json; the vocabulary file holds placeholders there.
SPECIAL = {
    151643: "<|endoftext|>",
    151644: "<|im_start|>",
    151645: "<|im_end|>",
    151659: "<|fim_prefix|>",
    151660: "<|fim_middle|>",
    151661: "<|fim_suffix|>",
    151662: "<|fim_pad|>",
    151663: "<|repo_name|>",
    151664: "<|file_sep|>",
}
FIRST_SPECIAL = 151643
N_VOCAB = 151936

CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n'}}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What decides the cost of a Qwen2-architecture decoder."""

    n_layer: int = 24
    n_embd: int = 896
    n_head: int = 14
    n_head_kv: int = 2
    n_ff: int = 4864
    n_ctx: int = 32768
    rope_base: float = 1e6
    rms_eps: float = 1e-6


FTYPES = {
    "F16": llama_cpp.LLAMA_FTYPE_MOSTLY_F16,
    "Q8_0": llama_cpp.LLAMA_FTYPE_MOSTLY_Q8_0,
    "Q4_K_M": llama_cpp.LLAMA_FTYPE_MOSTLY_Q4_K_M,
    "Q4_0": llama_cpp.LLAMA_FTYPE_MOSTLY_Q4_0,
}


def write(out: Path, *, ftype: str = "Q4_K_M", vocab: Path | None = None, shape: Shape | None = None) -> None:
    """Write the model to ``out``. The same arguments give the same bytes."""
    with tempfile.TemporaryDirectory(dir=out.parent) as folder:
        wide = Path(folder) / "f16.gguf"
        _write_f16(wide, shape or Shape(), vocab if vocab and vocab.is_file() else None)
        if ftype == "F16":
            wide.replace(out)
            return
        narrow = Path(folder) / "quantized.gguf"
        _quantize(wide, narrow, FTYPES[ftype])
        narrow.replace(out)


def _write_f16(path: Path, shape: Shape, vocab: Path | None) -> None:
    rng = np.random.default_rng(20261121)
    writer = gguf.GGUFWriter(path, "qwen2")
    writer.add_name("qwen2.5-coder-0.5b-shape, random weights")
    writer.add_block_count(shape.n_layer)
    writer.add_context_length(shape.n_ctx)
    writer.add_embedding_length(shape.n_embd)
    writer.add_feed_forward_length(shape.n_ff)
    writer.add_head_count(shape.n_head)
    writer.add_head_count_kv(shape.n_head_kv)
    writer.add_rope_freq_base(shape.rope_base)
    writer.add_layer_norm_rms_eps(shape.rms_eps)
    writer.add_file_type(llama_cpp.LLAMA_FTYPE_MOSTLY_F16)
    _add_tokenizer(writer, vocab)

    def weight(name: str, rows: int, columns: int) -> None:
        data = rng.standard_normal((rows, columns), dtype=np.float32) * (columns**-0.5)
        writer.add_tensor(name, data.astype(np.float16))

    def vector(name: str, size: int, value: float) -> None:
        writer.add_tensor(name, np.full(size, value, dtype=np.float32))

    head = shape.n_embd // shape.n_head
    weight("token_embd.weight", N_VOCAB, shape.n_embd)
    vector("output_norm.weight", shape.n_embd, 1.0)
    for layer in range(shape.n_layer):
        block = f"blk.{layer}"
        vector(f"{block}.attn_norm.weight", shape.n_embd, 1.0)
        vector(f"{block}.ffn_norm.weight", shape.n_embd, 1.0)
        weight(f"{block}.attn_q.weight", shape.n_embd, shape.n_embd)
        vector(f"{block}.attn_q.bias", shape.n_embd, 0.0)
        for kind in ("k", "v"):
            weight(f"{block}.attn_{kind}.weight", shape.n_head_kv * head, shape.n_embd)
            vector(f"{block}.attn_{kind}.bias", shape.n_head_kv * head, 0.0)
        weight(f"{block}.attn_output.weight", shape.n_embd, shape.n_embd)
        weight(f"{block}.ffn_gate.weight", shape.n_ff, shape.n_embd)
        weight(f"{block}.ffn_up.weight", shape.n_ff, shape.n_embd)
        weight(f"{block}.ffn_down.weight", shape.n_embd, shape.n_ff)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _add_tokenizer(writer: gguf.GGUFWriter, vocab: Path | None) -> None:
    tokens, types, merges = _real_vocabulary(vocab) if vocab else _synthetic_vocabulary()
    for token_id, text in SPECIAL.items():
        tokens[token_id], types[token_id] = text, int(gguf.TokenType.CONTROL)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list(tokens)
    writer.add_token_types(types)
    writer.add_token_merges(merges)
    writer.add_eos_token_id(151643)
    writer.add_pad_token_id(151643)
    writer.add_bos_token_id(151643)
    writer.add_add_bos_token(False)
    writer.add_chat_template(CHAT_TEMPLATE)


def _real_vocabulary(vocab: Path) -> tuple[list[str], list[int], list[str]]:
    fields = gguf.GGUFReader(vocab).fields
    names = ("tokens", "token_type", "merges")
    tokens, types, merges = (list(fields[f"tokenizer.ggml.{name}"].contents()) for name in names)
    return tokens, types, merges


def _synthetic_vocabulary() -> tuple[list[str], list[int], list[str]]:
    """Byte-level BPE over all pairs and triples of printable bytes: as many tokens, denser than nothing."""
    letters = [chr(code) for code in _byte_letters()]
    known, merges = list(letters), []
    for size in (1, 2):
        for left in [it for it in known if len(it) == size]:
            for right in letters:
                if FIRST_SPECIAL <= len(known):
                    break
                known.append(left + right)
                merges.append(f"{left} {right}")
    types = [int(gguf.TokenType.NORMAL)] * len(known)
    while len(known) < N_VOCAB:
        known.append(f"[PAD{len(known)}]")
        types.append(int(gguf.TokenType.UNUSED))
    return known, types, merges


def _byte_letters() -> list[int]:
    """GPT-2's reversible map from bytes to printable characters, as code points."""
    printable = [
        *range(ord("!"), ord("~") + 1),
        *range(ord("¡"), ord("¬") + 1),
        *range(ord("®"), ord("ÿ") + 1),
    ]
    rest = [byte for byte in range(256) if byte not in printable]
    return printable + [256 + index for index in range(len(rest))]


def _quantize(source: Path, target: Path, ftype: int) -> None:
    params = llama_cpp.llama_model_quantize_default_params()
    params.ftype = ftype
    params.nthread = 0
    status = llama_cpp.llama_model_quantize(bytes(source), bytes(target), ctypes.byref(params))
    if status != 0:
        raise RuntimeError(f"llama.cpp's quantizer failed with status {status}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("out", type=Path)
    parser.add_argument("--type", choices=sorted(FTYPES), default="Q4_K_M")
    parser.add_argument("--vocab", type=Path, default=SHARED_VOCAB)
    arguments = parser.parse_args()
    write(arguments.out, ftype=arguments.type, vocab=arguments.vocab)
    print(f"{arguments.out}: {arguments.out.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
