"""Other ways to rank the same chunks, and another tool's own index: functions from a question to hits."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import Tokenizer
from tokenizers.models import WordLevel

from benchmarks.retrieval.measure import Found
from codeindex import identifiers

DEPTH = 50
Ask = Callable[[str], list[Found]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A chunk and what it says."""

    found: Found
    text: str


def raw_bm25(chunks: Sequence[Text]) -> Ask:
    """bm25s as it comes: words in lower case, English stop words left out."""
    bm25s = import_module("bm25s")

    def words(texts: list[str]) -> list[list[str]]:
        tokens: list[list[str]] = bm25s.tokenize(texts, stopwords="en", return_ids=False, show_progress=False)
        return tokens

    return _bm25(chunks, words)


def split_bm25(chunks: Sequence[Text]) -> Ask:
    """bm25s over the words that we index: identifiers whole and in parts, without stop words or stems."""
    return _bm25(chunks, lambda texts: [identifiers.searchable(it).split() for it in texts])


def _bm25(chunks: Sequence[Text], words: Callable[[list[str]], list[list[str]]]) -> Ask:
    index = import_module("bm25s").BM25()
    index.index(words([it.text for it in chunks]), show_progress=False)

    def ask(question: str) -> list[Found]:
        tokens = [it for it in words([question])[0] if it in index.vocab_dict]
        if not tokens:
            return []
        scores = index.get_scores(tokens)
        order = np.argsort(-scores, kind="stable")[:DEPTH]
        return [chunks[it].found for it in order if 0 < scores[it]]

    return ask


def semble(root: Path) -> Ask | None:
    """The tool semble: its own index, its BM25 and its ranking rules; None where it is not installed.

    Its weights come from a model hub. Without them its other half cannot run: it gets a table of noise, and
    a weight of nothing.
    """
    try:
        model2vec, package = import_module("model2vec"), import_module("semble")
    except ImportError:
        return None
    with tempfile.TemporaryDirectory() as folder:
        tokenizer: Any = Tokenizer(WordLevel({"[UNK]": 0, "a": 1}, unk_token="[UNK]"))
        noise = np.random.default_rng(0).normal(size=(2, 8)).astype(np.float32)
        model2vec.StaticModel(noise, tokenizer).save_pretrained(folder)
        index: Any = package.SembleIndex.from_path(root, model_path=folder)

    def ask(question: str) -> list[Found]:
        found = index.search(question, top_k=DEPTH, alpha=0.0)
        return [
            Found(
                path=it.chunk.file_path,
                first_line=it.chunk.start_line,
                last_line=it.chunk.end_line,
                characters=len(it.chunk.content),
            )
            for it in found
        ]

    return ask
