"""What each quantization costs: file size, the types llama.cpp really takes, and nats on held-out files."""

from __future__ import annotations

import csv
import ctypes
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import gguf
import llama_cpp
import numpy as np

from models.train.check_export import mean_nats

TYPES: Final = {
    "Q8_0": llama_cpp.LLAMA_FTYPE_MOSTLY_Q8_0,
    "Q6_K": llama_cpp.LLAMA_FTYPE_MOSTLY_Q6_K,
    "Q5_K_M": llama_cpp.LLAMA_FTYPE_MOSTLY_Q5_K_M,
    "Q4_K_M": llama_cpp.LLAMA_FTYPE_MOSTLY_Q4_K_M,
}
SOURCE: Final = "F16"


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantized:
    """One quantization of a model."""

    name: str
    bytes: int
    nats: float
    types: dict[str, int]
    """How many matrices really have each type: a row that no block fits gets another."""


def quantizations(
    source: Path, folder: Path, texts: Sequence[str], *, context: int, threads: int
) -> list[Quantized]:
    """Quantize an F16 file in every way, and judge each on the first tokens of some texts."""
    folder.mkdir(parents=True, exist_ok=True)
    made = {SOURCE: source}
    for name, kind in TYPES.items():
        made[name] = folder / f"{source.stem}-{name}.gguf"
        quantize(source, made[name], kind, threads=threads)
    return [
        Quantized(
            name=name,
            bytes=file.stat().st_size,
            nats=mean_nats(file, texts, context=context, threads=threads),
            types=_types(file),
        )
        for name, file in made.items()
    ]


def quantize(source: Path, out: Path, kind: int, *, threads: int) -> None:
    """As llama.cpp's own tool does it; raises ``RuntimeError`` if it fails."""
    asked = llama_cpp.llama_model_quantize_default_params()
    asked.ftype, asked.nthread = kind, threads
    if llama_cpp.llama_model_quantize(str(source).encode(), str(out).encode(), ctypes.byref(asked)) != 0:
        raise RuntimeError(f"{source.name} could not be quantized as {out.name}.")


def write_quantizations(rows: Sequence[tuple[str, Quantized]], path: Path) -> None:
    """One line per model and quantization, with what it costs beside F16."""
    base = {model: it.nats for model, it in rows if it.name == SOURCE}
    with path.open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(["model", "quantization", "bytes", "nats_per_token", "nats_lost", "matrices"])
        for model, it in rows:
            types = " ".join(f"{kind}:{count}" for kind, count in sorted(it.types.items()))
            out.writerow([model, it.name, it.bytes, f"{it.nats:.4f}", f"{it.nats - base[model]:+.4f}", types])


def _types(file: Path) -> dict[str, int]:
    tensors = gguf.GGUFReader(file).tensors
    return dict(Counter(it.tensor_type.name for it in tensors if 1 < np.count_nonzero(it.shape > 1)))
