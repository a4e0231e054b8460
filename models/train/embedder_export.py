"""Write the embedder as the index reads it: ``model.json``, a tokenizer, and a table of one byte a number."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

NAME: Final = "hearth-starter-embedder"
STEPS: Final = 127  # Of a byte, on each side of zero.


def export_embedder(
    rows: NDArray[np.float32], weights: NDArray[np.float32], tokenizer: Path, folder: Path, *, tokens: int
) -> None:
    """Write the folder; what its files are is said in its ``model.json``."""
    folder.mkdir(parents=True, exist_ok=True)
    whole, scales = in_bytes(rows, weights)
    write_tensors(folder / "table.safetensors", {"embeddings": whole, "weights": scales})
    shutil.copyfile(tokenizer, folder / "tokenizer.json")
    card = {
        "format": 1,
        "name": NAME,
        "license": "Apache-2.0",
        "role": "embedder",
        "kind": "static",
        "files": {
            "model": _file(folder / "table.safetensors"),
            "tokenizer": _file(folder / "tokenizer.json"),
        },
        "dimensions": rows.shape[1],
        "pooling": "mean",
        "normalize": True,
        "max_tokens": tokens,
        "query": "{text}",
        "document": "{text}",
        "drop_unknown": True,
    }
    (folder / "model.json").write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
    size = sum(it.stat().st_size for it in folder.iterdir() if it.is_file())
    print(f"export folder={folder.name} tokens={len(rows)} dimensions={rows.shape[1]} bytes={size}")


def in_bytes(
    rows: NDArray[np.float32], weights: NDArray[np.float32]
) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Rows of whole numbers, and the weights with which they are what they were."""
    largest = np.maximum(np.abs(rows).max(axis=1), 1e-12)
    whole = np.rint(rows / largest[:, None] * STEPS).astype(np.int8)
    return whole, (weights * largest / STEPS).astype(np.float32)


def write_tensors(path: Path, tensors: dict[str, NDArray[Any]]) -> None:
    """A safetensors file: the length of a JSON header, the header, the bytes."""
    kinds = {np.dtype(np.int8): "I8", np.dtype(np.float32): "F32"}
    header: dict[str, Any] = {}
    place = 0
    for name, it in tensors.items():
        end = place + it.nbytes
        header[name] = {"dtype": kinds[it.dtype], "shape": list(it.shape), "data_offsets": [place, end]}
        place = end
    said = json.dumps(header).encode()
    said += b" " * (-len(said) % 8)
    path.write_bytes(
        len(said).to_bytes(8, "little") + said + b"".join(it.tobytes() for it in tensors.values())
    )


def _file(path: Path) -> dict[str, str]:
    return {"path": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
