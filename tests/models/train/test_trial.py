"""Trials cost what they are allowed, go on where they stopped, and are told apart in one table."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="training needs the extra `train`; nothing else does")

RECIPE = Path(__file__).parents[3] / "models" / "train"
BODY = "".join((RECIPE / it).read_text(encoding="utf-8") for it in ("cuts.py", "examples.py"))
TABLE = """
[budget]
fresh = 3e9
branch = 4e8
texts = 2
cuts = 8
[common.shape]
vocabulary = 320
hidden = 192
layers = 4
feed_forward = 64
[common.training]
context = 128
rows = 2
warm_up = 2
[[trial]]
name = "small"
about = "as it is"
weights = ["average", "last"]
[[trial]]
name = "plain"
about = "another optimizer, another vocabulary"
shape = { vocabulary = 300 }
training = { start = "plain", optimizer = "adamw", matrix_rate = 0.003 }
[[trial]]
name = "on"
about = "from the trunk"
branch = "average"
training = { context = 256 }
"""


@pytest.fixture(autouse=True)
def short_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tenth of the characters: what is judged here is the driver."""
    from models.train import trial_score

    monkeypatch.setattr(trial_score, "SPANS", ((0, 200), (200, 400), (400, 800)))
    monkeypatch.setattr(trial_score, "LONG", 800)
    monkeypatch.setattr(trial_score, "SHORT_PROMPT", (120, 30))
    monkeypatch.setattr(trial_score, "LONG_PROMPT", (480, 120))


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A work folder with a small corpus, its tokenizer, and held-out files."""
    from models.train.clean import SourceFile
    from models.train.tokenizer import train_tokenizer

    files = [SourceFile(project="p", path=f"{n}.py", language="python", text=BODY) for n in range(3)]
    for name in ("train", "heldout"):
        _write(tmp_path / f"{name}.jsonl.gz", files)
    train_tokenizer(files, tmp_path / "tokenizer.json", vocabulary=320)
    (tmp_path / "trials.toml").write_text(TABLE)
    return tmp_path


def _write(path: Path, files: list[Any]) -> None:
    import gzip
    import json
    from dataclasses import asdict

    with gzip.open(path, "wt", encoding="utf-8") as out:
        out.writelines(json.dumps(asdict(it)) + "\n" for it in files)


def _table(work: Path) -> Any:
    from models.train.recipe import load_recipe
    from models.train.trial import load_trials

    return load_trials(load_recipe(), work / "trials.toml")


def _try(work: Path, *names: str, seconds: float = 600.0) -> list[dict[str, str]]:
    from models.train.trial import try_out

    try_out(_table(work), names, work, work / "trials.csv", seconds=seconds, threads=1)
    if not (work / "trials.csv").exists():
        return []
    with (work / "trials.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_trial_spends_its_budget_and_writes_its_lines(work: Path) -> None:
    """Equal arithmetic, whatever the shape; the average and the last weights are judged apart."""
    rows = _try(work, "small", "plain")
    assert [(it["name"], it["weights"]) for it in rows] == [
        ("small", "average"),
        ("small", "last"),
        ("plain", "average"),
    ]
    assert all(3e9 <= float(it["flops"]) < 4.2e9 for it in rows)
    assert rows[0]["parameters"] != rows[2]["parameters"]
    assert 0.0 < float(rows[0]["near"]) < 6.0
    assert 0.0 < float(rows[0]["short_prompt"])


def test_an_interrupted_trial_is_the_same_trial(work: Path) -> None:
    """Stopped in the middle and asked again, it has seen the same rows and ends with the same weights."""
    from models.train.export import load_model
    from models.train.train import Stretch, train
    from models.train.trial import trial_files

    table = _table(work)
    (small, *_) = table.trials
    whole = _try(work, "small")
    first = load_model(work / "trials" / "small.pt", averaged=False)
    (work / "trials" / "small.pt").unlink()
    (work / "trials.csv").unlink()

    half = Stretch(seconds=600.0, until=small.tokens // 2)
    train(small.recipe, trial_files(small, work), half, threads=1, compiled=False)
    again = _try(work, "small")
    second = load_model(work / "trials" / "small.pt", averaged=False)
    assert [_scores(it) for it in again] == [_scores(it) for it in whole]
    for one, other in zip(first.parameters(), second.parameters(), strict=True):
        torch.testing.assert_close(one, other)


def _scores(line: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in line.items() if name != "seconds"}


def test_a_branch_leaves_the_trunk_alone(work: Path) -> None:
    """It starts with the trunk's weights, counts its own tokens, and may have longer rows."""
    from models.train.train import Files, Stretch, train
    from models.train.trial import trial_files

    small, _, on = _table(work).trials
    files = Files(
        corpus=work / "train.jsonl.gz",
        tokenizer=work / "tokenizer.json",
        start=work / "trunk.pt",
        out=work / "trunk.pt",
    )
    train(small.recipe, files, Stretch(seconds=600.0, until=1_000), threads=1, compiled=False)
    before = (work / "trunk.pt").read_bytes()
    (row,) = _try(work, "on")
    assert (row["start"], row["weights"], row["context"]) == ("trunk average", "last", "256")
    assert on.tokens <= int(row["tokens"]) < on.tokens + 2 * 256
    assert (work / "trunk.pt").read_bytes() == before
    assert trial_files(on, work).out != work / "trunk.pt"


def test_a_smaller_vocabulary_is_the_start_of_the_larger(work: Path) -> None:
    """The first merges are what training on the same text would have found."""
    from models.train.clean import SourceFile
    from models.train.tokenizer import load_tokenizer, train_tokenizer
    from models.train.trial import tokenizer_of

    (work / "trials").mkdir()
    cut_down = load_tokenizer(tokenizer_of(work, 300))
    file = SourceFile(project="p", path="a.py", language="python", text=BODY)
    train_tokenizer([file] * 3, work / "other.json", vocabulary=300)
    trained = load_tokenizer(work / "other.json")
    assert cut_down.get_vocab() == trained.get_vocab()
    assert cut_down.encode(BODY).ids == trained.encode(BODY).ids


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ('[[trial]]\nname = "small"\nabout = ""\n', "one name"),
        ('[[trial]]\nname = "x"\nabout = ""\ncolor = 1\n', "color"),
        ('[[trial]]\nname = "x"\nabout = ""\nbranch = "leaf"\n', "leaf"),
        ('[[trial]]\nname = "x"\nabout = ""\nshape = { depth = 1 }\n', "depth"),
        ('[[trial]]\nname = "x"\nabout = ""\ntraining = { optimizer = "sgd" }\n', "sgd"),
    ],
)
def test_a_mistake_in_the_table_is_told(work: Path, line: str, complaint: str) -> None:
    """A variant that silently changes nothing would be a result that never was."""
    (work / "trials.toml").write_text(TABLE + line)
    with pytest.raises(ValueError, match=complaint):
        _table(work)


def test_every_shape_is_timed_once(work: Path) -> None:
    """Trials that differ in anything but the shape are one line; a smaller vocabulary is a smaller file."""
    pytest.importorskip("llama_cpp", reason="the shapes are timed in llama.cpp")
    from models.train.trial_speed import write_speeds

    (work / "trials").mkdir()
    write_speeds(_table(work).trials, work, work / "shapes.csv", threads=1)
    with (work / "shapes.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [it["shape"] for it in rows] == ["small", "plain"]
    assert int(rows[1]["q8_0_bytes"]) < int(rows[0]["q8_0_bytes"])
    assert all(0 < float(it["token_ms"]) for it in rows)


def test_an_unknown_trial_is_told(work: Path) -> None:
    """With the names that there are."""
    with pytest.raises(ValueError, match="there are small, plain, on"):
        _try(work, "smal")


def test_the_projects_own_table_is_read() -> None:
    """Every row of it fits the recipe; but for the trunk itself, it costs more than a few steps."""
    from models.train.recipe import load_recipe
    from models.train.trial import load_trials

    table = load_trials(load_recipe())
    tokens = {it.name: (it.tokens, it.recipe.training) for it in table.trials}
    assert [name for name, (n, it) in tokens.items() if n < 10 * it.rows * it.context] == ["trunk"]
