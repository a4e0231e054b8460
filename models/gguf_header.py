"""What the head of a GGUF says, and whether it makes sense, without loading anything.

llama.cpp believes some of what a file claims, and ends the whole process where that makes no sense. Reading
the head ourselves first turns a damaged download into one sentence instead of a crash, and tells how much
memory a model will want before it takes it.
Format: the GGUF specification, version 2 and 3 (little endian).
"""

from __future__ import annotations

import math
import mmap
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from models.errors import ModelError

MAGIC = b"GGUF"
VERSIONS = (2, 3)
STRING, ARRAY = 8, 9
SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
MAX_STRING = 16 * 2**20  # Bytes. Chat templates are the longest strings in a header, some 10 KB.
MAX_ENTRIES = 2**24  # Far above any real count of keys, tensors or tokens.
MAX_LAYERS = 512  # llama.cpp asserts it.
TOKENS = "tokenizer.ggml.tokens"

# Elements per block and bytes per block of each kind of tensor data; a kind not listed here is not checked.
BLOCKS = {
    0: (1, 4), 1: (1, 2), 2: (32, 18), 3: (32, 20), 6: (32, 22), 7: (32, 24), 8: (32, 34), 10: (256, 84),
    11: (256, 110), 12: (256, 144), 13: (256, 176), 14: (256, 210), 15: (256, 292), 16: (256, 66),
    17: (256, 74), 18: (256, 98), 19: (256, 50), 20: (32, 18), 21: (256, 110), 22: (256, 82), 23: (256, 136),
    24: (1, 1), 25: (1, 2), 26: (1, 4), 27: (1, 8), 28: (1, 8), 29: (256, 56), 30: (1, 2), 34: (256, 54),
    35: (256, 66), 39: (32, 17),
}  # fmt: skip

Scalar = int | float | bool | str

NONSENSE = (struct.error, ValueError, EOFError, OverflowError)

_length = struct.Struct("<Q").unpack_from


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """The scalars of a model file's metadata, and its size on disk in bytes."""

    path: Path
    size: int
    tensors: int
    values: Mapping[str, Scalar]
    words: Sequence[bytes] = field(default=(), repr=False)
    """The vocabulary's tokens, as the file spells them."""

    @property
    def architecture(self) -> str:
        return str(self.values.get("general.architecture", ""))

    def number(self, key: str) -> int | None:
        """A positive integer under ``<architecture>.<key>``."""
        value = self.values.get(f"{self.architecture}.{key}")
        return value if isinstance(value, int) and 0 < value else None

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
            if file.read(len(MAGIC)) != MAGIC:
                raise ModelError(f"{path.name} is not a GGUF model file.")
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                return _Reader(data).header(path)
    except OSError as exc:
        raise ModelError(f"{path} cannot be read: {exc.strerror or exc}.") from exc
    except NONSENSE as exc:
        raise ModelError(f"{path.name} is damaged or incomplete; fetch it again.") from exc


class _Reader:
    """A place in the bytes of a file; what it raises for nonsense is in ``NONSENSE``."""

    def __init__(self, data: mmap.mmap) -> None:
        self._data = data
        self._at = len(MAGIC)
        self._words: Sequence[bytes] = ()

    def header(self, path: Path) -> Header:
        (version,) = self._take("<I")
        if version not in VERSIONS:
            raise ModelError(f"{path.name} is GGUF version {version}; versions 2 and 3 are supported.")
        tensors, entries = self._take("<QQ")
        if MAX_ENTRIES < tensors or MAX_ENTRIES < entries:
            raise ValueError("absurd counts")
        values: dict[str, Scalar] = {}
        for _ in range(entries):
            key = self._string()
            (kind,) = self._take("<I")
            value = self._value(key, kind)
            if value is not None:
                values[key] = value
        ends = max((self._tensor() for _ in range(tensors)), default=0)
        size = len(self._data)
        header = Header(path=path, size=size, tensors=tensors, values=values, words=self._words)
        _check(header)
        _check_size(header, self._at, ends)
        return header

    def _value(self, key: str, kind: int) -> Scalar | None:
        """One value; arrays are stepped over."""
        if kind == STRING:
            return self._string()
        if kind == ARRAY:
            self._array(are_words=key == TOKENS)
            return None
        value: Scalar = self._take("<" + _scalar(kind))[0]
        return value

    def _array(self, *, are_words: bool) -> None:
        element, count = self._take("<IQ")
        if MAX_ENTRIES < count:
            raise ValueError("absurd array")
        if element == STRING:
            self._strings(count, are_words=are_words)
        else:
            self._skip(struct.calcsize("<" + _scalar(element)) * count)

    def _strings(self, count: int, *, are_words: bool) -> None:
        """Step over strings: there are 300,000 in a real file, so this is the loop that takes the time."""
        data, at = self._data, self._at
        words = []
        for _ in range(count):
            (length,) = _length(data, at)
            start = at + 8
            at = start + length
            if are_words:
                words.append(data[start:at])
        self._at = at
        self._skip(0)
        if are_words:
            self._words = words
            if len(set(words)) < count:
                raise ValueError("a token twice")

    def _tensor(self) -> int:
        """Step over one tensor's description; returns where its data ends, behind where all data begins."""
        self._string()
        (dimensions,) = self._take("<I")
        if not 1 <= dimensions <= 4:
            raise ValueError("absurd tensor")
        sizes = self._take(f"<{dimensions}Q")
        kind, offset = self._take("<IQ")
        elements, size = BLOCKS.get(kind, (1, 0))
        end: int = offset + math.prod(sizes) // elements * size
        return end

    def _string(self) -> str:
        (length,) = self._take("<Q")
        if MAX_STRING < length:
            raise ValueError("absurd string")
        start = self._at
        self._skip(length)
        return self._data[start : self._at].decode("utf-8", "replace")

    def _take(self, form: str) -> tuple[int, ...]:
        values = struct.unpack_from(form, self._data, self._at)
        self._at += struct.calcsize(form)
        return values

    def _skip(self, count: int) -> None:
        self._at += count
        if len(self._data) < self._at:
            raise EOFError


def _check(header: Header) -> None:
    """Refuse what llama.cpp would end the process for."""
    if not header.architecture:
        raise ValueError("no architecture")
    heads, kv_heads = header.number("attention.head_count"), header.number("attention.head_count_kv")
    if heads and kv_heads and heads < kv_heads:
        raise ValueError("absurd heads")
    for key, value in header.values.items():
        number = value if isinstance(value, int | float) else math.nan
        if key == f"{header.architecture}.block_count" and not 1 <= number <= MAX_LAYERS:
            raise ValueError("absurd layers")
        if key.endswith("epsilon") and not 0 <= number < math.inf:
            raise ValueError("absurd epsilon")


def _check_size(header: Header, described: int, ends: int) -> None:
    """Refuse what was not fetched to its end."""
    alignment = header.values.get("general.alignment", 32)
    if not isinstance(alignment, int) or alignment <= 0:
        raise ValueError("absurd alignment")
    wanted = -(-described // alignment) * alignment + ends
    if header.size < wanted:
        raise ModelError(
            f"{header.path.name} is incomplete: {header.size / 1e6:.1f} of {wanted / 1e6:.1f} MB are there;"
            " fetch it again."
        )


def _scalar(kind: int) -> str:
    if kind not in SCALARS:
        raise ValueError(f"unknown value type {kind}")
    return SCALARS[kind]
