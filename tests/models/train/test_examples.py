"""Training rows have the run-time prompt's shape, fit their budget, and come again for the same seed."""

from __future__ import annotations

import random
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

    files = [SourceFile(project="p", path=f"{n}.py", language="python", text=TEXT) for n in range(3)]
    tokenizer = bytes_tokenizer()
    for number in range(30):
        made = row(corpus(files), tokenizer, seed=1, number=number, context=CONTEXT)
        assert (len(made.ids), len(made.weights)) == (CONTEXT, CONTEXT)
        assert made == row(corpus(files), tokenizer, seed=1, number=number, context=CONTEXT)


def test_an_example_is_prefix_suffix_middle_end() -> None:
    """The order and the marks of the run-time prompt; near text is kept, far text gives way."""
    from models.train.cuts import cut
    from models.train.examples import MIDDLE_WEIGHT, fim_row

    tokenizer = bytes_tokenizer()
    made = cut(TEXT, random.Random(2), kind="line", anchored=False)
    assert made is not None
    row = fim_row(tokenizer, made, CONTEXT, suffix_share=0.3)
    text = tokenizer.decode(row.ids, skip_special_tokens=False)
    prefix, rest = text.removeprefix("<|fim_prefix|>").split("<|fim_suffix|>")
    suffix, rest = rest.split("<|fim_middle|>")
    assert len(row.ids) == CONTEXT
    assert made.prefix.endswith(prefix)
    assert made.suffix.startswith(suffix)
    assert rest == made.middle + "<|endoftext|>"
    assert row.weights[-1] == MIDDLE_WEIGHT
