"""How tokens are spelled is guessed from the model's file; llama.cpp has the last word."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.shape_model import byte_vocabulary, write
from models import registry
from models.engine.llama import Limits, Llama
from models.engine.spelled import Guess, byte_level
from models.gguf_header import read_header
from tests.models.conftest import TINY
from tests.models.engine.test_families import FAMILIES, vocabulary

LIMITS = Limits(context_tokens=256, sequences=1, threads=1)
TEXTS = st.lists(st.binary(min_size=1, max_size=12), unique=True, min_size=1, max_size=40)


def in_file(data: bytes) -> bytes:
    """As a file has it, by the rule of GPT-2: bytes that cannot be printed get characters from 256 on."""
    plain = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [it for it in range(256) if it not in plain]
    return "".join(chr(it if it in plain else 256 + others.index(it)) for it in data).encode()


@given(TEXTS)
def test_bytes_come_back(texts: list[bytes]) -> None:
    """All of them, in the order of the vocabulary, and sorted."""
    guess = byte_level([in_file(it) for it in texts])
    assert guess is not None
    assert list(guess.pieces) == texts
    assert [texts[it] for it in guess.order] == sorted(texts)


@pytest.mark.parametrize("strange", ["\u2581the".encode(), b"\xff", b"a b", b"a\nb", "漢".encode()])
def test_another_alphabet_is_not_guessed(strange: bytes) -> None:
    """Where it is not one special token among many, it is another kind of vocabulary."""
    assert byte_level([b"a", strange, b"b"]) is None


def test_special_tokens_may_have_their_own_alphabet() -> None:
    """They are asked for."""
    words = [b"x%d" % it for it in range(200)]
    guess = byte_level([*words, "<｜begin▁of｜>".encode()])
    assert guess is not None
    assert list(guess.pieces) == [*words, b""]
    assert list(guess.unknown) == [200]


def spelled(path: Path, guess: Guess | None) -> tuple[list[bytes], list[int]]:
    llama = Llama(path, LIMITS, lambda _: True, lambda: guess)
    try:
        return list(llama.spelling.pieces), llama.spelling.order.tolist()
    finally:
        llama.close()


@pytest.mark.parametrize("name", FAMILIES)
def test_it_is_the_same_as_asking_for_each_token(tmp_path: Path, name: str) -> None:
    """Whatever the family, and whatever its file calls special."""
    path, made = tmp_path / "model.gguf", vocabulary(FAMILIES[name])
    write(path, ftype="F32", shape=replace(TINY, n_vocab=len(made.tokens), n_layer=1), vocabulary=made)
    guess = byte_level(read_header(path).words)
    assert (guess is None) is FAMILIES[name].sentencepiece
    assert spelled(path, guess) == spelled(path, None)


def test_the_bundled_model_is_guessed_right() -> None:
    """And it is guessed."""
    path = registry.find(registry.STARTER).path
    guess = byte_level(read_header(path).words)
    assert guess is not None
    assert spelled(path, guess) == spelled(path, None)


@pytest.mark.parametrize("wrong", ["other", "shorter"])
def test_a_wrong_guess_is_noticed(tmp_path: Path, wrong: str) -> None:
    """Then each token is asked for."""
    path, made = tmp_path / "model.gguf", byte_vocabulary(400)
    write(path, ftype="F32", shape=replace(TINY, n_vocab=400, n_layer=1), vocabulary=made)
    words = list(read_header(path).words)
    bad = [words[1], words[0], *words[2:]] if wrong == "other" else words[:-1]
    guess = byte_level(bad)
    assert guess is not None
    assert spelled(path, guess) == spelled(path, None)


def test_the_words_of_a_file_are_its_vocabulary(tmp_path: Path) -> None:
    """In order, as bytes."""
    path, made = tmp_path / "model.gguf", byte_vocabulary(300)
    write(path, ftype="F32", shape=replace(TINY, n_vocab=300, n_layer=1), vocabulary=made)
    assert [it.decode() for it in read_header(path).words] == list(made.tokens)
