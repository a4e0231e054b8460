"""A fresh model can already copy, also across the suffix."""

from __future__ import annotations

from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="training needs the extra `train`; nothing else does")

PREFIX, MIDDLE, SUFFIX = 4090, 4091, 4092  # any three tokens will do as marks
LETTERS = 4000  # the tokens below are text


def fresh_model() -> Any:
    from models.train.induction import start_with_induction
    from models.train.model import Model, Shape
    from models.train.recipe import load_recipe

    torch.manual_seed(0)
    model = Model(Shape(**load_recipe().shape))
    start_with_induction(model, suffix_mark=SUFFIX, middle_mark=MIDDLE)
    return model.eval()


def predictions(model: Any, ids: Any) -> Any:
    with torch.inference_mode():
        return model(ids).argmax(-1)


def test_a_fresh_model_goes_on_where_a_sequence_repeats() -> None:
    """The hand-made layers find what followed the same two tokens, and predict it."""
    model = fresh_model()
    once = torch.randint(0, LETTERS, (1, 60))
    copied = predictions(model, torch.cat((once, once), dim=1))[:, 61:119] == once[:, 2:60]
    assert 0.95 < copied.float().mean().item()


def test_a_fresh_model_bridges_the_suffix() -> None:
    """The first token of a middle continues the prefix, although the suffix stands between them."""
    model = fresh_model()
    count, cut = 16, 60
    text, suffix = torch.randint(0, LETTERS, (count, 100)), torch.randint(0, LETTERS, (count, 40))
    marks = [torch.full((count, 1), it) for it in (PREFIX, SUFFIX, MIDDLE)]
    prompt = torch.cat((marks[0], text, text[:, :cut], marks[1], suffix, marks[2]), dim=1)
    right = predictions(model, prompt)[:, -1] == text[:, cut]
    assert 0.5 < right.float().mean().item()
