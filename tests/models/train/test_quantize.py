"""What llama.cpp makes of each quantization is told, not what was asked of it."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="training needs the extra `train`; nothing else does")
pytest.importorskip("llama_cpp", reason="quantizing is llama.cpp's work")

TEXT = "def area(width, height):\n    return width * height\n" * 8
SIZES: dict[str, Any] = {
    "hidden": 64,
    "layers": 2,
    "heads": 1,
    "kv_heads": 1,
    "feed_forward": 256,
    "rope_base": 10_000.0,
}


def test_rows_that_no_block_fits_get_another_type(tmp_path: Path) -> None:
    """Rows of 64 take no K-quant; the table says what they got, how large it is, and what it loses."""
    from models.train.clean import SourceFile
    from models.train.export import export
    from models.train.model import Model, Shape
    from models.train.quantize import quantizations, write_quantizations
    from models.train.tokenizer import load_tokenizer, train_tokenizer

    file = SourceFile(project="a", path="a.py", language="python", text=TEXT)
    tokenizer, trunk, source = (tmp_path / it for it in ("tokenizer.json", "trunk.pt", "model.gguf"))
    train_tokenizer([file], tokenizer, vocabulary=320)
    torch.manual_seed(0)
    model = Model(Shape(vocabulary=load_tokenizer(tokenizer).get_vocab_size(), **SIZES))
    torch.save({"model": model.state_dict(), "shape": model.shape.as_dict()}, trunk)
    export(trunk, tokenizer, source, quantization="f16", context=64, averaged=False)

    made = quantizations(source, tmp_path / "quantized", [TEXT], context=64, threads=1)
    types = {it.name: it.types for it in made}
    assert types["F16"] == {"F16": 16}
    assert types["Q8_0"] == {"Q8_0": 16}
    assert {"Q6_K", "Q8_0"} == set(types["Q6_K"])
    assert {it.name: it.bytes for it in made}["Q4_K_M"] < {it.name: it.bytes for it in made}["Q8_0"]

    write_quantizations([("m", it) for it in made], tmp_path / "out.csv")
    with (tmp_path / "out.csv").open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert [it["quantization"] for it in rows] == ["F16", "Q8_0", "Q6_K", "Q5_K_M", "Q4_K_M"]
    assert rows[0]["nats_lost"] == "+0.0000"
