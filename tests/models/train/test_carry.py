"""A training goes on, on another machine, from parts that are small enough to be carried there."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="training needs the extra `train`; nothing else does")

BODY = "".join(f"def area_{n}(width, height):\n    return width * height + {n}\n\n\n" for n in range(50))
PART = 100_000  # bytes
DECAY = 1_500  # tokens


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A work folder whose trunk has been trained for a few steps."""
    import gzip
    import json
    from dataclasses import asdict

    from models.train.clean import SourceFile
    from models.train.tokenizer import train_tokenizer

    files = [
        SourceFile(project=f"p{n % 5}", path=f"{n}.py", language="python", text=BODY[: 2_000 + 40 * n])
        for n in range(20)
    ]
    with gzip.open(tmp_path / "train.jsonl.gz", "wt", encoding="utf-8") as out:
        out.writelines(json.dumps(asdict(it)) + "\n" for it in files)
    train_tokenizer(files, tmp_path / "tokenizer.json", vocabulary=320)
    _train(tmp_path, tokens=2_000)
    return tmp_path


def _recipe() -> Any:
    from models.train.recipe import changed, load_recipe

    changes = {
        "shape": {"vocabulary": 320, "layers": 4, "feed_forward": 64},
        "training": {"context": 128, "rows": 2, "warm_up": 4},
    }
    return changed(load_recipe(), changes)


def _train(work: Path, *, tokens: int) -> Any:
    from models.train.train import Files, Stretch, train

    trunk = work / "trunk.pt"
    files = Files(corpus=work / "train.jsonl.gz", tokenizer=work / "tokenizer.json", start=trunk, out=trunk)
    return train(_recipe(), files, Stretch(seconds=600.0, until=tokens), threads=1, compiled=False)


def test_parts_are_small_and_make_the_trunk_again(work: Path) -> None:
    """No part is larger than was asked; the weights come back to the precision of their eight bits."""
    from models.train.carry import pack_trunk, unpack_trunk
    from models.train.export import load_model

    parts = pack_trunk(work / "trunk.pt", work / "parts", part_bytes=PART)
    assert 3 < len(parts)
    assert max(it.stat().st_size for it in parts) <= PART
    assert sum(it.stat().st_size for it in parts) < (work / "trunk.pt").stat().st_size / 5
    (work / "trunk.pt").rename(work / "old.pt")
    unpack_trunk(work / "parts", work / "trunk.pt")
    state = torch.load(work / "old.pt", weights_only=True)["model"]
    torch.save({"model": state, "shape": _recipe().shape}, work / "only.pt")
    wanted, found = (load_model(work / it, averaged=False) for it in ("only.pt", "trunk.pt"))
    for one, other in zip(found.parameters(), wanted.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=2**-8, atol=0.0)


def test_training_goes_on_from_the_parts(work: Path) -> None:
    """The counters go on; average and optimizers begin anew, behind a warm-up of their own."""
    from models.train.carry import pack_trunk, unpack_trunk

    pack_trunk(work / "trunk.pt", work / "parts")
    there = work / "there"
    there.mkdir()
    for name in ("train.jsonl.gz", "tokenizer.json"):
        (there / name).write_bytes((work / name).read_bytes())
    unpack_trunk(work / "parts", there / "trunk.pt")
    here, carried = _train(work, tokens=2_600), _train(there, tokens=2_600)
    assert (carried.step, carried.rows, carried.tokens) == (here.step, here.rows, here.tokens)
    assert (here.fresh, carried.fresh) == (0, 8)
    again = _train(there, tokens=2_900)
    assert again.fresh == 8


def test_a_checkpoint_is_not_replaced(work: Path) -> None:
    """What is there has seen more than what comes, as far as anybody knows."""
    from models.train.carry import pack_trunk, unpack_trunk

    pack_trunk(work / "trunk.pt", work / "parts")
    with pytest.raises(FileExistsError, match="move it away first"):
        unpack_trunk(work / "parts", work / "trunk.pt")
    with pytest.raises(FileNotFoundError, match=r"trunk\.part"):
        unpack_trunk(work, work / "other.pt")


def test_fewer_parts_replace_more(work: Path) -> None:
    """A part of an older checkpoint never stays behind among the new ones."""
    from models.train.carry import pack_trunk

    pack_trunk(work / "trunk.pt", work / "parts", part_bytes=PART)
    parts = pack_trunk(work / "trunk.pt", work / "parts")
    assert sorted((work / "parts").iterdir()) == parts
    assert len(parts) == 1


def test_shares_are_the_corpus(work: Path) -> None:
    """Every file stands in exactly one share, with all of its project."""
    from models.train.carry import share_corpus
    from models.train.pack import read_corpus

    shares = [read_corpus(it) for it in share_corpus(work / "train.jsonl.gz", work / "shares", shares=3)]
    projects = [{it.project for it in share} for share in shares]
    assert all(projects)
    assert sum(len(it) for it in projects) == len(set.union(*projects)) == 5
    whole = read_corpus(work / "train.jsonl.gz")
    assert sorted((it for share in shares for it in share), key=lambda it: it.path) == sorted(
        whole, key=lambda it: it.path
    )


def test_a_decay_goes_on_where_it_stopped(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked to terminate and called again, it ends at the same weights; the trunk is as it was."""
    from models.train.export import load_model
    from models.train.train import decay_in_pieces

    trunk = work / "trunk.pt"
    before = trunk.read_bytes()
    whole = _decay(work, "whole.pt")
    with monkeypatch.context() as patch:
        _terminate_after(2, patch)
        half = _decay(work, "pieces.pt")
    pieces = _decay(work, "pieces.pt")
    assert (half.step, pieces.step) == (10, whole.step)
    assert trunk.read_bytes() == before
    first, second = (load_model(work / it, averaged=False) for it in ("whole.pt", "pieces.pt"))
    for one, other in zip(first.parameters(), second.parameters(), strict=True):
        torch.testing.assert_close(one, other)
    _train(work, tokens=2_600)
    assert decay_in_pieces(trunk, work / "pieces.pt", DECAY)[0] == trunk


def _decay(work: Path, name: str) -> Any:
    from models.train.train import Files, Stretch, decay_in_pieces, train

    start, until = decay_in_pieces(work / "trunk.pt", work / name, DECAY)
    files = Files(
        corpus=work / "train.jsonl.gz", tokenizer=work / "tokenizer.json", start=start, out=work / name
    )
    stretch = Stretch(seconds=600.0, until=until, decay_tokens=DECAY)
    return train(_recipe(), files, stretch, threads=1, compiled=False)


def _terminate_after(count: int, patch: pytest.MonkeyPatch) -> None:
    """Ask this process to terminate, as a system that shuts down does, after some steps."""
    from models.train import train

    follow, done = train._follow, []

    def followed(run: Any, steps: int) -> None:
        follow(run, steps)
        done.append(run.step)
        if len(done) == count:
            signal.raise_signal(signal.SIGTERM)

    patch.setattr(train, "_follow", followed)
