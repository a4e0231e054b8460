"""Training moves questions to their code, goes on where it stopped, and does the same each time."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="training needs the extra `train`; nothing else does")

from models.train.embedder_data import Lessons, Texts
from models.train.embedder_recipe import load_embedder_recipe
from models.train.embedder_train import learned, train_embedder

TOKENS = 64
CODES = 128
RECIPE = load_embedder_recipe(
    changed={
        "dimensions": 16, "batch": 32, "clump": 8, "epochs": 20, "warm_up": 2, "hidden": 0.0, "rate": 0.02
    }
)  # fmt: skip


def texts(rows: list[list[int]]) -> Texts:
    return Texts(
        tokens=np.array([it for row in rows for it in row], np.int32),
        times=np.ones(sum(map(len, rows)), np.float32),
        starts=np.cumsum([0, *map(len, rows)]),
    )


@pytest.fixture(scope="module")
def lessons() -> Lessons:
    """Questions speak of a thing with one word, codes with another one."""
    draw = np.random.default_rng(0)
    things = [sorted(draw.choice(TOKENS // 2, 3, replace=False).tolist()) for _ in range(CODES)]
    return Lessons(
        codes=texts([[it + TOKENS // 2 for it in row] for row in things]),
        questions=texts(things),
        answers=np.arange(CODES),
        kinds=np.zeros(CODES, np.int64),
        said=np.arange(CODES),
        projects=np.arange(CODES) % 3,
        places=np.arange(CODES),
    )


def right(lessons: Lessons, kept: Path) -> float:
    """The share of questions whose code is the nearest."""
    rows, weights = learned(kept)
    worth = rows * weights[:, None]

    def vectors(of: Texts) -> np.ndarray:  # type: ignore[type-arg]
        summed = np.add.reduceat(worth[of.tokens], of.starts[:-1])
        return summed / np.linalg.norm(summed, axis=1, keepdims=True)

    nearest = (vectors(lessons.questions) @ vectors(lessons.codes).T).argmax(axis=1)
    return float((nearest == lessons.answers).mean())


@pytest.mark.parametrize("start", ["meaning", "chance"])
def test_other_words_for_the_same_thing_are_learned(lessons: Lessons, tmp_path: Path, start: str) -> None:
    """Nothing but the pairs says which words belong together."""
    recipe = replace(RECIPE, start=start)
    kept = tmp_path / "table.pt"
    assert not train_embedder(lessons, recipe, TOKENS, kept, 0.0)
    before = right(lessons, kept)
    assert train_embedder(lessons, recipe, TOKENS, kept, 60.0)
    assert before < 0.3
    assert 0.8 < right(lessons, kept)


def test_it_goes_on_where_it_stopped(lessons: Lessons, tmp_path: Path) -> None:
    """A call that is done has nothing to do; the same recipe gives the same table."""
    one, other = tmp_path / "one.pt", tmp_path / "other.pt"
    assert train_embedder(lessons, RECIPE, TOKENS, one, 60.0)
    train_embedder(lessons, RECIPE, TOKENS, other, 0.0)
    assert train_embedder(lessons, RECIPE, TOKENS, other, 60.0)
    assert np.allclose(learned(one)[0], learned(other)[0], atol=1e-5)
    assert train_embedder(lessons, RECIPE, TOKENS, one, 60.0)
    assert np.array_equal(learned(one)[0], learned(one)[0])
