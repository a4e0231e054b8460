"""Write embedders of given shapes with random weights: a static table, or an encoder as ONNX, float or int8.

    python -m benchmarks.shape_onnx FOLDER --kind static|encoder|int8 [--layers 3] [--width 256]

Random weights cost exactly the arithmetic and the memory of real ones, so timings carry over; what such a
model finds is noise. The tokenizer is trained on this environment's own sources, in seconds. The graph is
written as the format's wire bytes, without its library: a model is a few kinds of messages.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import struct
import sysconfig
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

KINDS = ("static", "encoder", "int8")
IR_VERSION = 8
OPSET = 17  # The first with LayerNormalization.
TYPES = {"float32": 1, "uint8": 2, "int8": 3, "int32": 6, "int64": 7, "bool": 9, "float16": 10}
MASKED = -1e4
LONGEST = 512
VOCABULARY = 16_000
WORDPIECES = 30_000

Value = int | float | str | Sequence[int]


def field(number: int, value: int | bytes | str) -> bytes:
    """A field of a message: a whole number, or bytes with their length."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value & (1 << 64) - 1)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def varint(value: int) -> bytes:
    """Seven bits a byte, the lowest first."""
    found = bytearray()
    while 0x80 <= value:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*found, value])


def node(kind: str, inputs: Sequence[str], outputs: Sequence[str], **attributes: Value) -> bytes:
    """One operation of a graph."""
    parts = [*(field(1, it) for it in inputs), *(field(2, it) for it in outputs), field(4, kind)]
    return b"".join([*parts, *(field(5, _attribute(name, it)) for name, it in attributes.items())])


def _attribute(name: str, value: Value) -> bytes:
    if isinstance(value, float):
        return field(1, name) + varint(2 << 3 | 5) + struct.pack("<f", value) + field(20, 1)
    if isinstance(value, int):
        return field(1, name) + field(3, value) + field(20, 2)
    if isinstance(value, str):
        return field(1, name) + field(4, value) + field(20, 3)
    return field(1, name) + b"".join(field(8, it) for it in value) + field(20, 7)


def graph(
    nodes: Iterable[bytes],
    weights: Mapping[str, NDArray[Any]],
    inputs: Mapping[str, tuple[str, Sequence[int | str]]],
    outputs: Mapping[str, tuple[str, Sequence[int | str]]],
) -> bytes:
    """A whole model file. Inputs and outputs: name -> type and shape, with names for sizes that vary."""
    parts = [*(field(1, it) for it in nodes), field(2, "shape")]
    parts += [field(5, _tensor(name, it)) for name, it in weights.items()]
    parts += [field(11, _said(name, *it)) for name, it in inputs.items()]
    parts += [field(12, _said(name, *it)) for name, it in outputs.items()]
    opset = field(1, "") + field(2, OPSET)
    return field(1, IR_VERSION) + field(7, b"".join(parts)) + field(8, opset)


def _tensor(name: str, array: NDArray[Any]) -> bytes:
    dims = b"".join(field(1, it) for it in array.shape)
    return dims + field(2, TYPES[array.dtype.name]) + field(8, name) + field(9, array.tobytes())


def _said(name: str, kind: str, shape: Sequence[int | str]) -> bytes:
    dims = b"".join(field(1, field(1, it) if isinstance(it, int) else field(2, it)) for it in shape)
    return field(1, name) + field(2, field(1, field(1, TYPES[kind]) + field(2, dims)))


class Encoder:
    """Put a transformer encoder's graph together, layer by layer."""

    def __init__(self, *, layers: int, width: int, vocabulary: int, int8: bool, seed: int = 0) -> None:
        """Of this shape: heads of 64, a feed-forward part of four times the width."""
        self._random = np.random.default_rng(seed)
        self._int8 = int8
        self._width = width
        self._heads = max(width // 64, 1)
        self._nodes: list[bytes] = []
        self._weights: dict[str, NDArray[Any]] = {
            "words": self._drawn(vocabulary, width),
            "places": self._drawn(LONGEST, width),
            "split": np.array([0, 0, self._heads, -1], np.int64),
            "join": np.array([0, 0, width], np.int64),
            "ends": np.array([1, 2], np.int64),
            "one": np.array(1, np.float32),
            "masked": np.array(MASKED, np.float32),
            "half": np.array(0.5, np.float32),
            "root": np.array(2**0.5, np.float32),
            "scale": np.array((width / self._heads) ** -0.5, np.float32),
        }
        self._layers = layers

    def bytes(self) -> bytes:
        """The model file."""
        self._add("Gather", ["words", "input_ids"], "w")
        self._add("Gather", ["places", "position_ids"], "p")
        self._add("Cast", ["attention_mask"], "m", to=1)
        self._add("Sub", ["one", "m"], "hidden")
        self._add("Mul", ["hidden", "masked"], "far")
        self._add("Unsqueeze", ["far", "ends"], "bias")
        self._norm(self._add("Add", ["w", "p"], "x"), "h0")
        for layer in range(self._layers):
            self._layer(f"h{layer}", f"h{layer + 1}", f"l{layer}")
        inputs = ("input_ids", "attention_mask", "position_ids")
        return graph(
            self._nodes,
            self._weights,
            {it: ("int64", ("texts", "tokens")) for it in inputs},
            {f"h{self._layers}": ("float32", ("texts", "tokens", self._width))},
        )

    def _layer(self, x: str, out: str, name: str) -> None:
        width = self._width
        for part, turned in (("q", (0, 2, 1, 3)), ("k", (0, 2, 3, 1)), ("v", (0, 2, 1, 3))):
            flat = self._linear(x, f"{name}{part}", width, width)
            self._add("Reshape", [flat, "split"], f"{flat}s")
            self._add("Transpose", [f"{flat}s"], f"{name}{part}t", perm=turned)
        self._add("MatMul", [f"{name}qt", f"{name}kt"], f"{name}raw")
        self._add("Mul", [f"{name}raw", "scale"], f"{name}scaled")
        self._add("Add", [f"{name}scaled", "bias"], f"{name}biased")
        self._add("Softmax", [f"{name}biased"], f"{name}a", axis=-1)
        self._add("MatMul", [f"{name}a", f"{name}vt"], f"{name}av")
        self._add("Transpose", [f"{name}av"], f"{name}avt", perm=(0, 2, 1, 3))
        self._add("Reshape", [f"{name}avt", "join"], f"{name}o")
        attended = self._linear(f"{name}o", f"{name}w", width, width)
        self._norm(self._add("Add", [x, attended], f"{name}r1"), f"{name}n1")
        wide = self._linear(f"{name}n1", f"{name}u", width, 4 * width)
        self._add("Div", [wide, "root"], f"{name}g1")
        self._add("Erf", [f"{name}g1"], f"{name}g2")
        self._add("Add", [f"{name}g2", "one"], f"{name}g3")
        self._add("Mul", [wide, f"{name}g3"], f"{name}g4")
        narrow = self._linear(
            self._add("Mul", [f"{name}g4", "half"], f"{name}g5"), f"{name}d", 4 * width, width
        )
        self._norm(self._add("Add", [f"{name}n1", narrow], f"{name}r2"), out)

    def _linear(self, x: str, name: str, rows: int, columns: int) -> str:
        weight = self._drawn(rows, columns)
        if not self._int8:
            self._weights[name] = weight
            return self._add("MatMul", [x, name], f"{name}y")
        scale = np.abs(weight).max() / 127
        self._weights[name] = np.round(weight / scale).astype(np.int8)
        self._weights[f"{name}z"] = np.array(0, np.int8)
        self._weights[f"{name}s"] = np.array(scale, np.float32)
        self._nodes.append(node("DynamicQuantizeLinear", [x], [f"{name}xq", f"{name}xs", f"{name}xz"]))
        self._add("MatMulInteger", [f"{name}xq", name, f"{name}xz", f"{name}z"], f"{name}i")
        self._add("Cast", [f"{name}i"], f"{name}f", to=1)
        self._add("Mul", [f"{name}xs", f"{name}s"], f"{name}both")
        return self._add("Mul", [f"{name}f", f"{name}both"], f"{name}y")

    def _norm(self, x: str, out: str) -> None:
        self._weights[f"{out}g"] = np.ones(self._width, np.float32)
        self._weights[f"{out}b"] = np.zeros(self._width, np.float32)
        self._add("LayerNormalization", [x, f"{out}g", f"{out}b"], out, axis=-1)

    def _add(self, kind: str, inputs: Sequence[str], output: str, **attributes: Value) -> str:
        self._nodes.append(node(kind, inputs, [output], **attributes))
        return output

    def _drawn(self, rows: int, columns: int) -> NDArray[np.float32]:
        drawn: NDArray[np.float32] = self._random.standard_normal((rows, columns), np.float32) * rows**-0.5
        return drawn


def safetensors(tensors: Mapping[str, NDArray[Any]]) -> bytes:
    """A file of tensors: a header in JSON with its length before it, then their bytes."""
    names = {
        "float32": "F32",
        "float16": "F16",
        "float64": "F64",
        "int8": "I8",
        "int64": "I64",
        "int32": "I32",
    }
    header, place = dict[str, Any](), 0
    for name, it in tensors.items():
        header[name] = {
            "dtype": names[it.dtype.name],
            "shape": list(it.shape),
            "data_offsets": [place, place + it.nbytes],
        }
        place += it.nbytes
    said = json.dumps(header).encode()
    return len(said).to_bytes(8, "little") + said + b"".join(it.tobytes() for it in tensors.values())


def sources(limit: int, seed: int = 0) -> list[str]:
    """Texts of this environment's own Python files, at random."""
    files = sorted(Path(sysconfig.get_paths()["stdlib"]).rglob("*.py"))
    random.Random(seed).shuffle(files)
    return [it.read_text("utf-8", "replace") for it in files[:limit]]


def tokenizer(texts: Sequence[str], vocabulary: int = VOCABULARY) -> Tokenizer:
    """Of byte pairs, as most code models have."""
    found = Tokenizer(models.BPE(unk_token=None))
    found.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    special = ["[PAD]", "[CLS]", "[SEP]"]
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=special,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    found.train_from_iterator(texts, trainer)
    found.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 1), ("[SEP]", 2)]
    )
    return found


def wordpiece(texts: Sequence[str], vocabulary: int = WORDPIECES, normalizer: Any = None) -> Tokenizer:
    """Of words and their parts, in lower case: as most encoders have, and the tables distilled from them."""
    found = Tokenizer(models.WordPiece(unk_token="[UNK]", max_input_chars_per_word=100))
    found.normalizer = normalizer or normalizers.BertNormalizer(lowercase=True)
    found.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    found.train_from_iterator(
        texts,
        trainers.WordPieceTrainer(vocab_size=vocabulary, special_tokens=special, show_progress=False),
    )
    found.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        special_tokens=[(it, special.index(it)) for it in ("[CLS]", "[SEP]")],
    )
    return found


def write(folder: Path, kind: str, words: Tokenizer, *, layers: int = 3, width: int = 256) -> None:
    """A model folder with its card."""
    folder.mkdir(parents=True, exist_ok=True)
    if kind == "static":
        rows = np.random.default_rng(0).standard_normal((words.get_vocab_size(), width), np.float32)
        model = safetensors({"embeddings": rows.astype(np.float16)})
    else:
        shape = Encoder(layers=layers, width=width, vocabulary=words.get_vocab_size(), int8=kind == "int8")
        model = shape.bytes()
    card: dict[str, Any] = {
        "format": 1,
        "name": f"random-{kind}-{layers}x{width}",
        "license": "Apache-2.0",
        "kind": "static" if kind == "static" else "encoder",
        "dimensions": width,
        "pooling": "mean",
        "max_tokens": LONGEST if kind == "static" else LONGEST // 2,
    }
    if kind != "static":
        card["inputs"] = ["input_ids", "attention_mask", "position_ids"]
    write_card(folder, card, model, words.to_str().encode())


def write_card(folder: Path, card: Mapping[str, Any], model: bytes, tokens: bytes) -> None:
    """The two files, and a card that tells their hashes."""
    files = {}
    names = {"model": "model.safetensors" if card["kind"] == "static" else "model.onnx"}
    for key, data in (("model", model), ("tokenizer", tokens)):
        name = names.get(key, "tokenizer.json")
        (folder / name).write_bytes(data)
        files[key] = {"path": name, "sha256": hashlib.sha256(data).hexdigest()}
    (folder / "model.json").write_text(json.dumps({**card, "files": files}))


def main() -> None:
    """Write one."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--kind", choices=KINDS, default="encoder")
    parser.add_argument("--layers", type=int, default=3)
    parser.add_argument("--width", type=int, default=256)
    options = parser.parse_args()
    write(options.folder, options.kind, tokenizer(sources(200)), layers=options.layers, width=options.width)
    print(options.folder)


if __name__ == "__main__":
    main()
