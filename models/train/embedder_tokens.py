"""The embedder's tokenizer: words of identifiers and of English in lower case, and parts of rare ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, trainers

Whole = NDArray[np.int64]

UNKNOWN: Final = "[UNK]"
# Where a small letter or a digit meets a capital, and before the last capital of an acronym, but not `URLs`.
HUMPS: Final = r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])(?![A-Z]s(?![a-z]))"
SIGN_COUNT: Final = 1_000  # Room in the vocabulary for what is thrown out of it again: signs.


def train_embedder_tokenizer(texts: Iterable[str], path: Path, *, vocabulary: int, longest_word: int) -> None:
    """Learn the parts of words, without signs: those say little, and nobody asks for them."""
    learner = _splitting(Tokenizer(models.WordPiece(unk_token=UNKNOWN)))
    trainer = trainers.WordPieceTrainer(
        vocab_size=vocabulary + SIGN_COUNT,
        special_tokens=[UNKNOWN],
        limit_alphabet=SIGN_COUNT // 2,
        show_progress=False,
    )
    learner.train_from_iterator(texts, trainer)
    learned = sorted(learner.get_vocab().items(), key=lambda it: it[1])
    kept = [it for it, _ in learned if it == UNKNOWN or it.removeprefix("##").isalnum()][:vocabulary]
    numbered = {it: number for number, it in enumerate(kept)}
    model = models.WordPiece(numbered, unk_token=UNKNOWN, max_input_chars_per_word=longest_word)
    _splitting(Tokenizer(model)).save(str(path))
    print(f"tokenizer vocabulary={len(kept)}")


def _splitting(tokenizer: Tokenizer) -> Tokenizer:
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.Replace(Regex(HUMPS), " "),
            normalizers.BertNormalizer(
                clean_text=True, handle_chinese_chars=False, strip_accents=True, lowercase=True
            ),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return tokenizer


def bags(tokenizer: Any, texts: Sequence[str], most: int) -> tuple[Whole, Whole, Whole]:
    """Of each text its different tokens in order, how often each occurs, and how many they are.

    Signs and whatever else is in no vocabulary do not count, but stand among the tokens that are read.
    """
    unknown = tokenizer.token_to_id(UNKNOWN)
    size = tokenizer.get_vocab_size()
    tokenizer.enable_truncation(most)
    found = tokenizer.encode_batch_fast(texts, add_special_tokens=False)
    flat = np.fromiter((it for one in found for it in one.ids), np.int64)
    owners = np.repeat(np.arange(len(texts)), [len(it.ids) for it in found])
    known = flat != unknown
    keys, times = np.unique(owners[known] * size + flat[known], return_counts=True)
    lengths = np.bincount(keys // size, minlength=len(texts)) if len(keys) else np.zeros(len(texts), int)
    return keys % size, times.astype(np.int64), lengths.astype(np.int64)


def in_pieces(texts: Sequence[str], size: int = 4_096) -> Iterator[Sequence[str]]:
    """Some at a time: tokens with all that a tokenizer says of them take much memory."""
    return (texts[start : start + size] for start in range(0, len(texts), size))
