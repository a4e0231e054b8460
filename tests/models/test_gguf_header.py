"""What a damaged model file is told apart by, before llama.cpp sees it."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable
from pathlib import Path

import gguf
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.errors import ModelError
from models.gguf_header import BLOCKS, Header, read_header

Value = tuple[str, int, bytes]


def string(text: str | bytes) -> bytes:
    data = text.encode() if isinstance(text, str) else text
    return struct.pack("<Q", len(data)) + data


def text(key: str, value: str) -> Value:
    return key, 8, string(value)


def number(key: str, value: int) -> Value:
    return key, 4, struct.pack("<I", value)


def strings(key: str, *values: str) -> Value:
    return key, 9, struct.pack("<IQ", 8, len(values)) + b"".join(map(string, values))


def tensor(name: str, *sizes: int, kind: int = 0, offset: int = 0) -> bytes:
    return string(name) + struct.pack(f"<I{len(sizes)}QIQ", len(sizes), *sizes, kind, offset)


QWEN = (
    text("general.architecture", "qwen2"),
    number("qwen2.block_count", 24),
    number("qwen2.embedding_length", 896),
    number("qwen2.attention.head_count", 14),
    number("qwen2.attention.head_count_kv", 2),
    strings("tokenizer.ggml.tokens", "a", "b", "ab"),
    strings("tokenizer.ggml.merges", "a b", "a b"),
    ("tokenizer.ggml.token_type", 9, struct.pack("<IQ3i", 5, 3, 1, 1, 1)),
)


def model(
    *values: Value, tensors: tuple[bytes, ...] = (tensor("x", 4),), data: int = 16, version: int = 3
) -> bytes:
    """The bytes of a small GGUF: metadata, descriptions of tensors, and zeros for their data."""
    head = b"GGUF" + struct.pack("<IQQ", version, len(tensors), len(values))
    head += b"".join(string(key) + struct.pack("<I", kind) + value for key, kind, value in values)
    head += b"".join(tensors)
    return head + bytes(-len(head) % 32) + bytes(data)


@pytest.fixture
def check(tmp_path: Path) -> Callable[[bytes], str]:
    """What is said about a file with these bytes; empty for a sound one."""

    def say(data: bytes) -> str:
        path = tmp_path / "model.gguf"
        path.write_bytes(data)
        try:
            read_header(path)
        except ModelError as exc:
            return str(exc)
        return ""

    return say


def test_a_sound_header_tells_what_the_model_will_take(tmp_path: Path) -> None:
    """Qwen2.5-Coder-0.5B keeps 12 KB per position."""
    path = tmp_path / "model.gguf"
    path.write_bytes(model(*QWEN))
    header = read_header(path)
    assert (header.architecture, header.tensors, header.number("block_count")) == ("qwen2", 1, 24)
    assert header.kv_bytes(1) == 24 * 2 * (64 + 64) * 2
    assert header.size == path.stat().st_size


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "model.gguf is not a GGUF model file."),
        (b"GG", "model.gguf is not a GGUF model file."),
        (b"PK\x03\x04" + bytes(100), "model.gguf is not a GGUF model file."),
        (b"GGUF", "model.gguf is damaged or incomplete; fetch it again."),
        (model(*QWEN, version=1), "model.gguf is GGUF version 1; versions 2 and 3 are supported."),
        (
            model(*QWEN, version=3 << 24),
            "model.gguf is GGUF version 50331648; versions 2 and 3 are supported.",
        ),
        (
            model(*QWEN, data=15),
            "model.gguf is incomplete: 0.0 of 0.0 MB are there; fetch it again.",
        ),
        (
            model(*QWEN, tensors=(tensor("x", 256, 4_000_000, kind=12),)),
            "model.gguf is incomplete: 0.0 of 576.0 MB are there; fetch it again.",
        ),
    ],
)
def test_what_cannot_be_used_is_said_in_one_sentence(
    check: Callable[[bytes], str], data: bytes, sentence: str
) -> None:
    """The sentence says what to do where there is something to do."""
    assert check(data) == sentence


@pytest.mark.parametrize(
    "data",
    [
        model(),
        model(text("general.architecture", "")),
        model(*QWEN, number("qwen2.block_count", 0)),
        model(*QWEN, number("qwen2.block_count", 513)),
        model(*QWEN, number("qwen2.attention.head_count_kv", 15)),
        model(*QWEN, strings("tokenizer.ggml.tokens", "a", "a")),
        model(*QWEN, ("qwen2.attention.layer_norm_rms_epsilon", 6, struct.pack("<f", -1.0))),
        model(*QWEN, ("qwen2.attention.layer_norm_rms_epsilon", 6, struct.pack("<f", float("nan")))),
        model(*QWEN, number("general.alignment", 0)),
        model(*QWEN, ("k", 99, b"")),
        model(*QWEN, ("k", 9, struct.pack("<IQ", 9, 1))),
        model(*QWEN, ("k", 9, struct.pack("<IQ", 8, 1 << 63))),
        model(*QWEN, ("k", 9, struct.pack("<IQ", 8, 2) + struct.pack("<Q", (1 << 64) - 1))),
        model(*QWEN, ("k", 9, struct.pack("<IQ", 0, 1 << 23))),
        model(*QWEN, ("k", 8, struct.pack("<Q", 1 << 62))),
        model(*QWEN, tensors=(tensor("x"),)),
        model(*QWEN, tensors=(tensor("x", 1, 1, 1, 1, 1),)),
        b"GGUF" + struct.pack("<IQQ", 3, 1 << 60, 1 << 60),
    ],
)
def test_what_would_take_llama_cpp_down_is_refused(check: Callable[[bytes], str], data: bytes) -> None:
    """llama.cpp ends its process for some of these; the others ask for absurd amounts of memory."""
    assert check(data) == "model.gguf is damaged or incomplete; fetch it again."


def test_every_truncation_is_noticed(check: Callable[[bytes], str]) -> None:
    """However much of a download is there, it is not taken for the whole."""
    whole = model(*QWEN)
    assert check(whole) == ""
    for length in range(len(whole)):
        assert check(whole[:length]).endswith("."), length


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(flips=st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1, max_size=8))
def test_a_damaged_header_is_a_sentence_or_a_header(
    check: Callable[[bytes], str], flips: list[tuple[int, int]]
) -> None:
    """Whatever the bytes are, nothing but ``ModelError`` comes out."""
    data = bytearray(model(*QWEN))
    for place, value in flips:
        data[place % len(data)] = value
    said = check(bytes(data))
    assert said == "" or said.endswith(".")


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.binary(max_size=300))
def test_any_bytes_behind_the_magic_are_a_sentence(check: Callable[[bytes], str], data: bytes) -> None:
    """Noise is never taken for a model."""
    assert check(b"GGUF" + data).endswith(".")


def test_what_is_no_file_is_a_sentence(tmp_path: Path) -> None:
    """A folder, nothing at all, and a file whose bytes cannot be had."""
    for path in (tmp_path, tmp_path / "none.gguf", Path("/proc/self/mem")):
        if path.name != "mem" or path.exists():
            with pytest.raises(ModelError, match=r"cannot be read: .+\.$"):
                read_header(path)


@pytest.mark.skipif(getattr(os, "geteuid", lambda: 0)() == 0, reason="root may read everything")
def test_a_file_of_somebody_else_is_a_sentence(tmp_path: Path) -> None:
    """The reason is the system's own."""
    path = tmp_path / "model.gguf"
    path.write_bytes(model(*QWEN))
    path.chmod(0)
    with pytest.raises(ModelError, match=r"cannot be read: Permission denied\.$"):
        read_header(path)


def test_the_sizes_of_tensor_data_are_those_of_the_format() -> None:
    """A wrong row in our table would refuse sound files."""
    for kind, (elements, size) in BLOCKS.items():
        assert gguf.GGML_QUANT_SIZES[gguf.GGMLQuantizationType(kind)] == (elements, size)


def test_a_real_file_is_sound(tiny_model: Path) -> None:
    """What the format's own writer wrote is taken, and its last byte is missed when it is not there."""
    header = read_header(tiny_model)
    assert isinstance(header, Header)
    assert header.values["tokenizer.ggml.pre"] == "qwen2"
    short = tiny_model.with_name("short.gguf")
    short.write_bytes(tiny_model.read_bytes()[:-33])
    with pytest.raises(ModelError, match="is incomplete"):
        read_header(short)
