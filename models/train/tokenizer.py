"""Train the starter model's tokenizer: byte-level BPE with Qwen2's word splitting and special tokens."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

from models.train.clean import SourceFile
from models.train.mixing import drawn

# The pattern of Qwen2's tokenizer; llama.cpp knows it by the name "qwen2".
QWEN2_WORDS: Final = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
END: Final = "<|endoftext|>"
PREFIX: Final = "<|fim_prefix|>"
MIDDLE: Final = "<|fim_middle|>"
SUFFIX: Final = "<|fim_suffix|>"
PAD: Final = "<|fim_pad|>"
REPO: Final = "<|repo_name|>"
FILE: Final = "<|file_sep|>"
SPECIALS: Final = (END, "<|im_start|>", "<|im_end|>", PREFIX, MIDDLE, SUFFIX, PAD, REPO, FILE)

SAMPLE_CHARACTERS = 40_000_000  # More text moves hardly any merge of a small vocabulary.


def train_tokenizer(
    files: Sequence[SourceFile],
    path: Path,
    *,
    vocabulary: int,
    seed: int = 0,
    shares: Mapping[str, float] | None = None,
) -> None:
    """Learn the merges from a sample of the corpus, mixed as training is, and write the tokenizer file."""
    tokenizer = word_splitting(Tokenizer(models.BPE()))
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary - len(SPECIALS),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_sample(files, seed, shares), trainer)
    tokenizer.add_special_tokens(list(SPECIALS))  # after the text tokens, as in Qwen2
    tokenizer.save(str(path))
    print(f"tokenizer vocabulary={tokenizer.get_vocab_size()}")


def word_splitting(tokenizer: Tokenizer) -> Tokenizer:
    """Give a tokenizer Qwen2's words and bytes."""
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(QWEN2_WORDS), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def load_tokenizer(path: Path) -> Tokenizer:
    """The trained tokenizer; special tokens in plain text are text, as they are for the engine."""
    tokenizer: Tokenizer = Tokenizer.from_file(str(path))
    tokenizer.encode_special_tokens = True
    return tokenizer


def _sample(files: Sequence[SourceFile], seed: int, shares: Mapping[str, float] | None) -> list[str]:
    order = list(files)
    random.Random(seed).shuffle(order)
    if shares is not None:
        return [it.text for it in drawn(order, shares, SAMPLE_CHARACTERS)]
    texts: list[str] = []
    budget = SAMPLE_CHARACTERS
    for it in order:
        if budget < 0:
            break
        texts.append(it.text)
        budget -= len(it.text)
    return texts
