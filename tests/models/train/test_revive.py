"""A training whose checkpoint is lost goes on from the model file that was exported."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="training needs the extra `train`; nothing else does")

TEXT = 'def area(self) -> float:\n    """Ünder <|fim_middle|>."""\n    return self.width * self.height\n'
SIZES: dict[str, Any] = {
    "vocabulary": 320,
    "hidden": 64,
    "layers": 2,
    "heads": 2,
    "kv_heads": 1,
    "feed_forward": 96,
    "rope_base": 10_000.0,
}


@pytest.fixture
def exported(tmp_path: Path) -> Path:
    """A small random model in a file, beside the checkpoint and the tokenizer that it was made of."""
    from models.train.clean import SourceFile
    from models.train.export import export
    from models.train.model import Model, Shape
    from models.train.tokenizer import train_tokenizer

    file = SourceFile(project="a", path="a.py", language="python", text=TEXT * 3)
    tokenizer, trunk, path = (tmp_path / it for it in ("tokenizer.json", "trunk.pt", "model.gguf"))
    train_tokenizer([file], tokenizer, vocabulary=SIZES["vocabulary"])
    torch.manual_seed(0)
    model = Model(Shape(**SIZES))
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter)
    torch.save({"model": model.state_dict(), "average": model.state_dict(), "shape": SIZES}, trunk)
    export(trunk, tokenizer, path, quantization="f16", context=64, averaged=False)
    return path


def test_weights_and_tokenizer_come_back(exported: Path, tmp_path: Path) -> None:
    """What is read back has the weights that were exported, and cuts text the same way."""
    from models.train.revive import revive
    from models.train.tokenizer import load_tokenizer

    work = tmp_path / "work"
    work.mkdir()
    assert revive(exported, work, tokens=640).as_dict() == SIZES
    assert _weights(work) == _weights(tmp_path)
    first, second = (load_tokenizer(it / "tokenizer.json") for it in (tmp_path, work))
    assert first.encode(TEXT).ids == second.encode(TEXT).ids
    assert first.get_vocab() == second.get_vocab()


def test_a_trunk_is_not_replaced(exported: Path, tmp_path: Path) -> None:
    """A checkpoint knows more than the file: it is never overwritten."""
    from models.train.revive import revive

    before = (tmp_path / "trunk.pt").read_bytes()
    with pytest.raises(FileExistsError, match="move it away first"):
        revive(exported, tmp_path, tokens=0)
    assert (tmp_path / "trunk.pt").read_bytes() == before


def _weights(work: Path) -> dict[str, Any]:
    """In the precision of the file."""
    from models.train.export import load_model

    state = load_model(work / "trunk.pt", averaged=False).state_dict()
    return {name: it.half().tolist() for name, it in state.items()}
