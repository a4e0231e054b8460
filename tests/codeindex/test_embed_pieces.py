"""Tokens piece by piece are those of the real tokenizers, whatever the text; and the vectors are the same."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import AddedToken, Regex, Tokenizer, models, normalizers, pre_tokenizers, trainers

from benchmarks.shape_onnx import safetensors, sources, wordpiece, write_card
from codeindex import embed_pieces
from codeindex.embed import open_embedder
from codeindex.embed_pieces import PROBES, SPLITS, Cut, Pieces, bags_of, cut_of, without

MOST = 24
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
CHAT, CHAT_THREE = sorted(SPLITS, key=len)


def trained(pre_tokenizer: Any, normalizer: Any = None) -> Tokenizer:
    """Byte pairs of real code."""
    found = Tokenizer(models.BPE(unk_token=None))
    found.pre_tokenizer = pre_tokenizer
    if normalizer is not None:
        found.normalizer = normalizer
    trainer = trainers.BpeTrainer(
        vocab_size=2_000,
        special_tokens=SPECIAL,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    found.train_from_iterator(sources(6), trainer)
    return found


def split(pattern: str) -> Any:
    return pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(pattern), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )


HUMPS = r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])(?![A-Z]s(?![a-z]))"


def humps(pattern: str) -> Any:
    """Words are cut where small letters meet capitals, before anything else."""
    first = normalizers.Replace(Regex(pattern), " ")
    return normalizers.Sequence([first, normalizers.BertNormalizer(lowercase=True)])


MADE: dict[str, Callable[[], Tokenizer]] = {
    "words": lambda: wordpiece(sources(6), 2_000),
    "words as they are": lambda: wordpiece(
        sources(6), 2_000, normalizers.BertNormalizer(lowercase=False, strip_accents=False, clean_text=False)
    ),
    "parts of words": lambda: wordpiece(sources(6), 2_000, humps(HUMPS)),
    "bytes": lambda: trained(pre_tokenizers.ByteLevel(add_prefix_space=False)),
    "chat": lambda: trained(split(CHAT), normalizers.NFC()),
    "chat, digits by three": lambda: trained(split(CHAT_THREE)),
}


@cache
def tokenizer(name: str) -> Tokenizer:
    found = MADE[name]()
    found.enable_truncation(MOST)
    return found


@cache
def pieces(name: str) -> Pieces:
    cut = cut_of(tokenizer(name))
    assert cut is not None
    return Pieces(cut, reading(tokenizer(name)), MOST)


def reading(tokens: Tokenizer) -> Callable[[Any], list[list[int]]]:
    return lambda texts: [it.ids for it in tokens.encode_batch_fast(texts, add_special_tokens=False)]


def read_both(name: str, texts: list[str]) -> tuple[list[list[int]], list[list[int]]]:
    """By pieces, and as a whole; each text's tokens sorted, as their order is not kept."""
    bags = pieces(name).tokens(texts)
    assert bags.count == len(texts)
    found = [sorted(bags.ids[bags.texts == it].tolist()) for it in range(len(texts))]
    return found, [sorted(it) for it in reading(tokenizer(name))(texts)]


LETTERS = "ab_Z09 '\t\n\r\x0b\x0c\x1c\x00.,(){}[]<>=!|~`^$+é\u0301\u0338ß日ำ😀\u200b\u00a0\u2028\ufeff"
WORDS = [*SPECIAL, "def", "'s", "'LL", "URLs", "aB", "XMLa", "self", "İ", "ǅ", " ", "  ", "\n", "x" * 110]
hard = st.one_of(
    st.text(st.characters(codec="utf-8"), max_size=60),
    st.text(st.sampled_from(LETTERS), max_size=60),
    st.lists(st.sampled_from(WORDS), max_size=12).map("".join),
)


@pytest.mark.parametrize("name", MADE)
@settings(max_examples=150, deadline=None)
@given(texts=st.lists(hard, min_size=1, max_size=4))
def test_the_same_tokens(name: str, texts: list[str]) -> None:
    """For any texts, in any company, cut off where the tokenizer cuts."""
    found, expected = read_both(name, texts)
    assert found == expected


@pytest.mark.parametrize("name", MADE)
def test_the_same_tokens_of_code(name: str) -> None:
    """For real sources, in pieces as long as a model reads and longer ones."""
    texts = [
        it[place : place + 90] for it in sources(40, seed=3) for place in range(0, min(len(it), 4_000), 90)
    ]
    for some in ([*texts, "", " \n"], [it * 9 for it in texts[:200]], [""], list(PROBES)):
        found, expected = read_both(name, some)
        assert found == expected
    assert pieces(name).agrees()


def test_few_pieces_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was forgotten is asked for again, and is the same; many new ones are asked for as one text."""
    asked: list[str] = []

    def counting(texts: list[str]) -> list[list[int]]:
        asked.extend(texts)
        return reading(tokenizer("words"))(texts)

    cut = cut_of(tokenizer("words"))
    assert cut is not None
    mine = Pieces(cut, counting, MOST)  # type: ignore[arg-type]  # It is given lists.
    texts = ["def open(path)", "open file", "return path"]
    first = [mine.tokens([it]).ids.tolist() for it in texts]
    assert asked == ["!", "def!open!path", "(!)", "file", "return"]
    assert [mine.tokens([it]).ids.tolist() for it in texts] == first
    assert len(asked) == 5
    monkeypatch.setattr(embed_pieces, "MOST_PIECES", 3)
    assert [mine.tokens([it]).ids.tolist() for it in texts * 2] == first * 2
    assert 5 < len(asked)
    monkeypatch.setattr(embed_pieces, "MOST_PIECES", 100)
    monkeypatch.setattr(embed_pieces, "MOST_CHARACTERS", 8)
    assert [mine.tokens([it]).ids.tolist() for it in texts * 2] == first * 2


def strange() -> dict[str, Tokenizer]:
    """Tokenizers that are not known to be the same piece by piece."""
    found = {
        "prefix": trained(pre_tokenizers.ByteLevel(add_prefix_space=True)),
        "unigram": Tokenizer(models.Unigram([("<unk>", 0.0), ("a", -1.0)], 0, False)),
        "other pattern": trained(split(r"\w+|\W+")),
        "normalized": trained(pre_tokenizers.ByteLevel(add_prefix_space=False), normalizers.Prepend("x")),
        "merged": trained(pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(CHAT), "merged_with_next"),
                                                   pre_tokenizers.ByteLevel(False, use_regex=False)])),
        "metaspace": wordpiece(sources(2), 300),
        "chance": trained(pre_tokenizers.ByteLevel(add_prefix_space=False)),
        "greedy token": wordpiece(sources(2), 300),
        "looks over signs": wordpiece(sources(2), 300, humps(r"(?<=[^a-z])(?=[A-Z])")),
        "signs in a range": wordpiece(sources(2), 300, humps(r"(?<=[A-z])(?=[A-Z])")),
        "any sign": wordpiece(sources(2), 300, humps(r"(?<=.)(?=[A-Z])")),
    }  # fmt: skip
    found["metaspace"].pre_tokenizer = pre_tokenizers.Metaspace()
    found["chance"].model.dropout = 0.1
    found["greedy token"].add_tokens([AddedToken("x y", normalized=True)])
    return found


def test_strange_tokenizers_read_whole_texts() -> None:
    """A tokenizer that is not exactly of a known kind is not taken apart."""
    for name, it in strange().items():
        assert cut_of(it) is None, name


def test_a_wrong_cut_is_found_out() -> None:
    """If a tokenizer is not what it seems, the trial at the beginning says so."""
    bert = r"[^\t\n\r !-/:-@\[-`{-~]+|[!-/:-@\[-`{-~]"
    wrong = (
        ("words", Cut(pattern=r"\w+|[^\w\s]", ascii=False, whole=())),
        ("words", Cut(pattern=bert, ascii=False, whole=())),
        ("bytes", Cut(pattern=bert, ascii=True, whole=tuple(SPECIAL))),
        ("chat", Cut(pattern=cut_pattern("bytes"), ascii=True, whole=tuple(SPECIAL))),
    )
    for name, cut in wrong:
        assert not Pieces(cut, reading(tokenizer(name)), MOST).agrees(), (name, cut)


def cut_pattern(name: str) -> str:
    cut = cut_of(tokenizer(name))
    assert cut is not None
    return cut.pattern


def test_without_a_token() -> None:
    """Left out wherever it is, also where nothing else is."""
    bags = without(bags_of([[1, 2, 1], [], [1], [3]]), 1)
    assert bags.ids.tolist() == [2, 3]
    assert bags.texts.tolist() == [0, 3]
    assert bags.count == 4


@pytest.mark.parametrize("name", ["words", "bytes"])
def test_the_same_vectors(name: str, tmp_path: Path) -> None:
    """Many texts at once, which are read by pieces, and one by one, which are not: the same vectors."""
    rows = np.random.default_rng(0).standard_normal((tokenizer(name).get_vocab_size(), 16), np.float32)
    card = {"format": 1, "name": "t", "license": "MIT", "kind": "static", "dimensions": 16,
            "pooling": "mean", "max_tokens": MOST, "document": "passage: {text}"}  # fmt: skip
    write_card(tmp_path, card, safetensors({"embeddings": rows}), tokenizer(name).to_str().encode())
    embedder = open_embedder(tmp_path)
    texts = [*PROBES, *[it[:300] for it in sources(20)], "open \udc80 file"]
    alone = np.stack([embedder.documents([it])[0] for it in texts])
    assert np.allclose(embedder.documents(texts), alone, atol=1e-6)
    assert embedder._tokens._pieces is not None
