"""Write a GGUF of exactly Qwen2.5-Coder-0.5B's shape with random weights, to measure its speed.

    python -m benchmarks.shape_model [OUT.gguf] --type Q4_K_M|Q4_0 [--vocab ggml-vocab-qwen2.gguf] [--words]

Random weights cost exactly the arithmetic and the memory of real ones, so timings carry over; what such a
model writes is noise. With ``--words`` the noise is plain words and never a line's end, so that an answer is
as long as it may be. The tokenizer is the real one when a vocabulary file is given (or found beside the
checkout), otherwise a synthetic byte-level vocabulary of the same size. Makes about 400 MB in half a minute;
without ``OUT.gguf`` once for all, of words, in the folder where the benchmarks look for it.
"""

from __future__ import annotations

import argparse
import ctypes
import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import gguf
import llama_cpp
import numpy as np

from models import paths

ROOT = Path(__file__).parents[1]
SHARED_VOCAB = ROOT.parent / "shared" / "data" / "ggml-vocab-qwen2.gguf"

# Qwen2.5-Coder's ids, from its tokenizer_config.json; the vocabulary file holds placeholders there.
SPECIAL = {
    "<|endoftext|>": 151643,
    "<|im_start|>": 151644,
    "<|im_end|>": 151645,
    "<|fim_prefix|>": 151659,
    "<|fim_middle|>": 151660,
    "<|fim_suffix|>": 151661,
    "<|fim_pad|>": 151662,
    "<|repo_name|>": 151663,
    "<|file_sep|>": 151664,
}
N_VOCAB = 151936

WORD = re.compile("\u0120?[a-z]{3,}")  # In byte-level vocabularies, that letter is a blank.
WORDS_EMBEDDING = 0.05  # Of the usual size: a token that sees mostly itself would say itself again and again.
WORDS_SHARPNESS = 3.0
WORDS_OUTPUT = 200.0  # Scores as far apart as those of a model that knows what it wants.

CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n'}}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What decides the cost of a Qwen2-architecture decoder."""

    n_vocab: int = N_VOCAB
    n_layer: int = 24
    n_embd: int = 896
    n_head: int = 14
    n_head_kv: int = 2
    n_ff: int = 4864
    n_ctx: int = 32768
    rope_base: float = 1e6
    rms_eps: float = 1e-6
    sharpness: float = 1.0
    """Weight of the norm before attention: larger ones look at single tokens, as trained models do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """A tokenizer as a GGUF carries it; the first of its ``special`` tokens also ends and pads a text."""

    tokens: Sequence[str]
    types: Sequence[int]
    special: Mapping[str, int]
    model: str = "gpt2"
    pre: str = "qwen2"
    merges: Sequence[str] = ()
    scores: Sequence[float] = ()
    """What SentencePiece (model ``llama``) has in place of merges."""
    chat_template: str = CHAT_TEMPLATE
    bos: bool = False
    """Whether every text begins with the first special token."""
    space_prefix: bool = True
    """Whether SentencePiece puts a blank before each text."""


WIDE = {"F32": np.float32, "F16": np.float16}  # Written as they are; the others are quantized from F16.
FTYPES = {
    "F32": llama_cpp.LLAMA_FTYPE_ALL_F32,
    "F16": llama_cpp.LLAMA_FTYPE_MOSTLY_F16,
    "Q8_0": llama_cpp.LLAMA_FTYPE_MOSTLY_Q8_0,
    "Q4_K_M": llama_cpp.LLAMA_FTYPE_MOSTLY_Q4_K_M,
    "Q4_0": llama_cpp.LLAMA_FTYPE_MOSTLY_Q4_0,
}


def write(
    out: Path,
    *,
    ftype: str = "Q4_K_M",
    shape: Shape | None = None,
    vocabulary: Vocabulary | None = None,
    words: bool = False,
) -> None:
    """Write the model to ``out``. The same arguments give the same bytes.

    Without a vocabulary it gets a synthetic one of the wanted size. With ``words`` it says nothing but words:
    the embeddings of all other tokens are zero, and with them their scores.
    """
    shape = shape or Shape()
    vocabulary = vocabulary or byte_vocabulary(shape.n_vocab)
    with tempfile.TemporaryDirectory(dir=out.parent) as folder:
        wide = Path(folder) / "wide.gguf"
        _write_wide(wide, shape, vocabulary, ftype if ftype in WIDE else "F16", words=words)
        if ftype in WIDE:
            wide.replace(out)
            return
        narrow = Path(folder) / "quantized.gguf"
        _quantize(wide, narrow, FTYPES[ftype])
        narrow.replace(out)


def kept(ftype: str) -> Path:
    """The model of words of this type in the cache, made first if it is not there."""
    vocabulary = read_vocabulary(SHARED_VOCAB) if SHARED_VOCAB.is_file() else None
    name = f"shape-words-{'qwen2' if vocabulary else 'bytes'}-{ftype.lower()}.gguf"
    path = paths.cache_dir() / "benchmarks" / name
    if not path.is_file():
        path.parent.mkdir(exist_ok=True)
        write(path, ftype=ftype, shape=Shape(sharpness=WORDS_SHARPNESS), vocabulary=vocabulary, words=True)
    return path


def _write_wide(path: Path, shape: Shape, vocabulary: Vocabulary, ftype: str, *, words: bool) -> None:
    rng = np.random.default_rng(20261121)
    writer = gguf.GGUFWriter(path, "qwen2")
    writer.add_name("qwen2 architecture, random weights")
    writer.add_block_count(shape.n_layer)
    writer.add_context_length(shape.n_ctx)
    writer.add_embedding_length(shape.n_embd)
    writer.add_feed_forward_length(shape.n_ff)
    writer.add_head_count(shape.n_head)
    writer.add_head_count_kv(shape.n_head_kv)
    writer.add_rope_freq_base(shape.rope_base)
    writer.add_layer_norm_rms_eps(shape.rms_eps)
    writer.add_file_type(FTYPES[ftype])
    _add_tokenizer(writer, vocabulary)

    def weight(name: str, rows: int, columns: int, silent: Sequence[bool] = ()) -> None:
        data = rng.standard_normal((rows, columns), dtype=np.float32) * (columns**-0.5)
        if silent:
            data *= WORDS_EMBEDDING
            data[list(silent)] = 0.0
        writer.add_tensor(name, data.astype(WIDE[ftype]))

    def vector(name: str, size: int, value: float) -> None:
        writer.add_tensor(name, np.full(size, value, dtype=np.float32))

    head = shape.n_embd // shape.n_head
    silent = [not WORD.fullmatch(it) for it in vocabulary.tokens] if words else []
    weight("token_embd.weight", shape.n_vocab, shape.n_embd, silent)
    vector("output_norm.weight", shape.n_embd, WORDS_OUTPUT if words else 1.0)
    for layer in range(shape.n_layer):
        block = f"blk.{layer}"
        vector(f"{block}.attn_norm.weight", shape.n_embd, shape.sharpness)
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


def _add_tokenizer(writer: gguf.GGUFWriter, vocabulary: Vocabulary) -> None:
    end = next(iter(vocabulary.special.values()))
    writer.add_tokenizer_model(vocabulary.model)
    writer.add_tokenizer_pre(vocabulary.pre)
    writer.add_token_list(vocabulary.tokens)
    writer.add_token_types(vocabulary.types)
    if vocabulary.merges:
        writer.add_token_merges(vocabulary.merges)
    if vocabulary.scores:
        writer.add_token_scores(vocabulary.scores)
    writer.add_eos_token_id(end)
    writer.add_pad_token_id(end)
    writer.add_bos_token_id(end)
    writer.add_add_bos_token(vocabulary.bos)
    if not vocabulary.space_prefix:
        writer.add_add_space_prefix(False)
    writer.add_chat_template(vocabulary.chat_template)


def read_vocabulary(path: Path) -> Vocabulary:
    """Qwen2's own tokenizer from a vocabulary file, its special tokens in their places."""
    fields = gguf.GGUFReader(path).fields
    names = ("tokens", "token_type", "merges")
    tokens, types, merges = (list(fields[f"tokenizer.ggml.{name}"].contents()) for name in names)
    for text, token in SPECIAL.items():
        tokens[token], types[token] = text, int(gguf.TokenType.CONTROL)
    return Vocabulary(tokens=tokens, types=types, merges=merges, special=SPECIAL)


def byte_vocabulary(n_vocab: int = N_VOCAB, special: Sequence[str] = tuple(SPECIAL)) -> Vocabulary:
    """Byte-level BPE over pairs and triples of bytes, as many as there is room for.

    The special tokens stand where Qwen2.5-Coder has them, or at the end of a vocabulary of another size.
    """
    first = n_vocab - len(special)
    ids = SPECIAL if n_vocab == N_VOCAB else {text: first + index for index, text in enumerate(special)}
    letters = [chr(code) for code in _byte_letters()]
    tokens, merges = list(letters), []
    room = min(ids.values())
    for size in (1, 2):
        for left in [it for it in tokens if len(it) == size]:
            for right in letters[: room - len(tokens)]:
                tokens.append(left + right)
                merges.append(f"{left} {right}")
    types = [int(gguf.TokenType.NORMAL)] * len(tokens)
    names = {token: text for text, token in ids.items()}
    for token in range(len(tokens), n_vocab):
        tokens.append(names.get(token, f"[PAD{token}]"))
        types.append(int(gguf.TokenType.CONTROL if token in names else gguf.TokenType.UNUSED))
    return Vocabulary(tokens=tokens, types=types, merges=merges, special=ids)


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
    parser.add_argument("out", type=Path, nargs="?")
    parser.add_argument("--type", choices=sorted(FTYPES), default="Q4_K_M")
    parser.add_argument("--vocab", type=Path, default=SHARED_VOCAB)
    parser.add_argument("--words", action="store_true", help="let it say nothing but plain words")
    arguments = parser.parse_args()
    if arguments.out is None:
        out = kept(arguments.type)
    else:
        out = arguments.out
        vocabulary = read_vocabulary(arguments.vocab) if arguments.vocab.is_file() else None
        shape = Shape(sharpness=WORDS_SHARPNESS) if arguments.words else None
        write(out, ftype=arguments.type, shape=shape, vocabulary=vocabulary, words=arguments.words)
    print(f"{out}: {out.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
