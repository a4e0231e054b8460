"""Pure: what the first bytes of a GGUF say, and whether they make sense, without loading anything.

llama.cpp believes most of what a file claims. Reading the header ourselves first turns a damaged download
into one sentence instead of a crash, and tells how much memory a model will want before it takes it.
Format: the GGUF specification, version 2 and 3 (little endian).
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from models.errors import ModelError

MAGIC = b"GGUF"
VERSIONS = (2, 3)
STRING, ARRAY = 8, 9
SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
MAX_STRING = 16 * 2**20  # Bytes. Chat templates are the longest strings in a header, some 10 KB.
MAX_ENTRIES = 2**24  # Far above any real count of keys, tensors or tokens.

Scalar = int | float | bool | str


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """The scalars of a model file's metadata, and its size on disk in bytes."""

    path: Path
    size: int
    tensors: int
    values: Mapping[str, Scalar]

    @property
    def architecture(self) -> str:
        return str(self.values.get("general.architecture", ""))

    def number(self, key: str) -> int | None:
        """An integer under ``<architecture>.<key>``."""
        value = self.values.get(f"{self.architecture}.{key}")
        return value if isinstance(value, int) else None

    def kv_bytes(self, tokens: int) -> int:
        """Bytes of an f16 KV cache of ``tokens`` positions; 0 when the file does not say its shape."""
        layers, width = self.number("block_count"), self.number("embedding_length")
        heads = self.number("attention.head_count")
        if not (layers and width and heads):
            return 0
        kv_heads = self.number("attention.head_count_kv") or heads
        key = self.number("attention.key_length") or width // heads
        value = self.number("attention.value_length") or width // heads
        return layers * kv_heads * (key + value) * 2 * tokens


def read_header(path: Path) -> Header:
    """Read the header of a GGUF file. Raises ``ModelError`` with one sentence when it is not a sound one."""
    try:
        with path.open("rb") as file:
            size = path.stat().st_size
            return _read(file, path, size)
    except OSError as exc:
        raise ModelError(f"{path} cannot be read: {exc.strerror or exc}.") from exc
    except (struct.error, ValueError, EOFError) as exc:
        raise ModelError(f"{path.name} is damaged or incomplete; fetch it again.") from exc


def _read(file: BinaryIO, path: Path, size: int) -> Header:
    if file.read(4) != MAGIC:
        raise ModelError(f"{path.name} is not a GGUF model file.")
    (version,) = struct.unpack("<I", _take(file, 4))
    if version not in VERSIONS:
        raise ModelError(f"{path.name} is GGUF version {version}; versions 2 and 3 are supported.")
    tensors, entries = struct.unpack("<QQ", _take(file, 16))
    if MAX_ENTRIES < tensors or MAX_ENTRIES < entries:
        raise ValueError("absurd counts")
    values: dict[str, Scalar] = {}
    for _ in range(entries):
        key = _string(file)
        (kind,) = struct.unpack("<I", _take(file, 4))
        value = _value(file, kind)
        if value is not None:
            values[key] = value
    for _ in range(tensors):
        _string(file)
        (dimensions,) = struct.unpack("<I", _take(file, 4))
        if not 1 <= dimensions <= 4:
            raise ValueError("absurd tensor")
        _take(file, 8 * dimensions + 4 + 8)
    header = Header(path=path, size=size, tensors=tensors, values=values)
    if not header.architecture:
        raise ValueError("no architecture")
    return header


def _value(file: BinaryIO, kind: int) -> Scalar | None:
    """One value; arrays are stepped over."""
    if kind == STRING:
        return _string(file)
    if kind == ARRAY:
        element, count = struct.unpack("<IQ", _take(file, 12))
        if MAX_ENTRIES < count:
            raise ValueError("absurd array")
        if element == STRING:
            for _ in range(count):
                _string(file)
        else:
            _take(file, struct.calcsize("<" + SCALARS[element]) * count) if element in SCALARS else _bad(
                element
            )
        return None
    if kind not in SCALARS:
        _bad(kind)
    form = "<" + SCALARS[kind]
    value: Scalar = struct.unpack(form, _take(file, struct.calcsize(form)))[0]
    return value


def _bad(kind: int) -> None:
    raise ValueError(f"unknown value type {kind}")


def _string(file: BinaryIO) -> str:
    (length,) = struct.unpack("<Q", _take(file, 8))
    if MAX_STRING < length:
        raise ValueError("absurd string")
    return _take(file, length).decode("utf-8", "replace")


def _take(file: BinaryIO, count: int) -> bytes:
    data = file.read(count)
    if len(data) != count:
        raise EOFError
    return data
