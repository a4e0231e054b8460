"""Training rows have the run-time prompt's shape, fit their budget, and come again for the same seed."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest

tokenizers = pytest.importorskip("tokenizers", reason="training needs the extra `train`; nothing else does")

TEXT = "".join(f"def function_{n}(value):\n    return value + {n}\n\n\n" for n in range(60))
CONTEXT = 256


def bytes_tokenizer() -> Any:
    """One token per byte: no training needed, and every length is known."""
    from models.train.tokenizer import SPECIALS

    alphabet = sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet())
    tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE({it: n for n, it in enumerate(alphabet)}, []))
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = tokenizers.decoders.ByteLevel()
    tokenizer.add_special_tokens(list(SPECIALS))
    return tokenizer


def test_rows_are_full_and_the_same_for_the_same_number() -> None:
    """A resumed run sees the rows it would have seen."""
    from models.train.clean import SourceFile
    from models.train.examples import corpus, row
    from models.train.recipe import load_recipe

    files = [SourceFile(project="p", path=f"{n}.py", language="python", text=TEXT) for n in range(3)]
    source, tokenizer, mixture = corpus(files), bytes_tokenizer(), load_recipe().mixture
    for number in range(30):
        made = row(source, tokenizer, mixture, seed=1, number=number, context=CONTEXT)
        assert (len(made.ids), len(made.weights)) == (CONTEXT, CONTEXT)
        assert made == row(source, tokenizer, mixture, seed=1, number=number, context=CONTEXT)


def test_an_example_is_prefix_suffix_middle_end() -> None:
    """The order and the marks of the run-time prompt; near text is kept, far text gives way."""
    from models.train.cuts import cut
    from models.train.examples import fim_row
    from models.train.recipe import load_recipe

    tokenizer, mixture = bytes_tokenizer(), load_recipe().mixture
    made = cut(TEXT, random.Random(2), kind="line")
    assert made is not None
    row = fim_row(tokenizer, mixture, made, CONTEXT, suffix_share=0.3)
    text = tokenizer.decode(row.ids, skip_special_tokens=False)
    prefix, rest = text.removeprefix("<|fim_prefix|>").split("<|fim_suffix|>")
    suffix, rest = rest.split("<|fim_middle|>")
    assert len(row.ids) == CONTEXT
    assert made.prefix.endswith(prefix)
    assert made.suffix.startswith(suffix)
    assert rest == made.middle + "<|endoftext|>"
    assert row.weights[-1] == mixture.middle_weight


def test_the_mixture_says_what_is_learned() -> None:
    """With no weight outside of the middle, a row that is no fill-in-the-middle teaches nothing."""
    from models.train.clean import SourceFile
    from models.train.examples import corpus, row
    from models.train.recipe import changed, load_recipe

    changes = {"mixture": {"plain_share": 0.5, "other_weight": 0.0, "middle_weight": 3.0}}
    mixture = changed(load_recipe(), changes).mixture
    source = corpus([SourceFile(project="p", path="a.py", language="python", text=TEXT)])
    tokenizer = bytes_tokenizer()
    rows = [row(source, tokenizer, mixture, seed=1, number=it, context=CONTEXT) for it in range(30)]
    assert {weight for it in rows for weight in it.weights} == {0.0, 3.0}
    assert any(not any(it.weights) for it in rows)


def test_languages_are_drawn_by_their_shares() -> None:
    """However much there is of each; what has no share is never drawn."""
    from models.train.clean import SourceFile
    from models.train.examples import corpus

    files = [
        SourceFile(project=name, path=f"{name}.x", language=name, text=TEXT * often)
        for name, often in (("python", 1), ("go", 9), ("java", 5))
    ]
    source = corpus(files, {"python": 0.75, "go": 0.25})
    chosen = random.Random(1).choices(source.files, cum_weights=source.sums, k=4_000)
    drawn = Counter(it.language for it in chosen)
    assert drawn["java"] == 0
    assert 2_850 < drawn["python"] < 3_150
