"""A trial's scores mean what they say, whatever the tokenizer."""

from __future__ import annotations

import math
from typing import Any

import pytest

pytest.importorskip("torch", reason="training needs the extra `train`; nothing else does")

import torch

from tests.models.train.test_examples import bytes_tokenizer

TEXT = "".join(f"def area_{n}(width, height):\n    return width * height + {n}\n\n\n" for n in range(300))


def _places() -> Any:
    from models.train.clean import SourceFile
    from models.train.trial_score import places

    languages = ("python", "go", "python")
    files = [SourceFile(project="p", path=f"{n}", language=it, text=TEXT) for n, it in enumerate(languages)]
    return places(files, texts=4, cuts=12)


class _Knowing(torch.nn.Module):
    """Gives every right token of a text the same chance, and the rest to one wrong one."""

    def __init__(self, size: int, end: int, chance: float) -> None:
        super().__init__()
        self.size, self.end, self.chance = size, end, chance

    def states(self, ids: Any) -> Any:
        wrong = 0
        known = torch.roll(ids, -1, dims=1)
        known[:, -1] = self.end
        logits = torch.full((*ids.shape, self.size), -40.0)
        logits[..., wrong] = math.log(1 - self.chance)
        return logits.scatter(2, known[..., None], math.log(self.chance))

    def output(self, states: Any) -> Any:
        return states


@pytest.mark.parametrize("chance", [0.9, 0.1])
def test_known_chances_give_known_nats(chance: float) -> None:
    """A model that gives each byte a chance of p needs -ln p per character; above a half, it is exact."""
    from models.train.tokenizer import END
    from models.train.trial_score import score

    tokenizer = bytes_tokenizer()
    model = _Knowing(tokenizer.get_vocab_size(), tokenizer.token_to_id(END), chance)
    found = score(model, tokenizer, _places())
    nats = -math.log(chance)
    for value in (found.middle, found.far, found.short_prompt, found.long_prompt):
        assert value == pytest.approx(nats, rel=0.02)
    assert found.near == pytest.approx(nats * 1999 / 2000, rel=0.02)  # nothing precedes the first
    assert found.exact_short == found.exact_long == (1.0 if 0.5 < chance else 0.0)


def test_the_places_are_the_same_each_time_and_typed_text_is_given() -> None:
    """Every trial is judged on them; the middle begins above the cursor, as in the product."""
    first, second = _places(), _places()
    assert first == second
    assert len(first.texts) == 3
    assert 10 < len(first.cuts)
    assert all(0 < it.typed < len(it.middle) for it in first.cuts)
    assert all(it.middle[it.typed :].strip() and "\n" not in it.middle[it.typed :] for it in first.cuts)


def test_a_half_typed_token_is_healed() -> None:
    """Where the cursor stands inside a token, only tokens that begin with the typed half count."""
    from models.train.trial_score import _greedy

    pieces = ["x", "re", "return", "ret", "turn"]
    logits = torch.tensor([9.0, 1.0, 2.0, 3.0, 8.0])
    assert _greedy(logits, pieces, "") == 0
    assert _greedy(logits, pieces, "ret") == 3
    assert _greedy(logits, pieces, "retu") == 2
