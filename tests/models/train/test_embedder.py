"""The embedder's recipe: its tokens, its batches and its files are what it says, on texts of a few words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from codeindex.embed import open_embedder
from codeindex.embed_pieces import cut_of
from models.train.embedder_data import (
    KINDS,
    Lessons,
    chosen,
    in_clumps,
    lessons,
    load_lessons,
    save_lessons,
    without_hidden,
)
from models.train.embedder_export import export_embedder, in_bytes
from models.train.embedder_recipe import load_embedder_recipe
from models.train.embedder_tokens import bags, train_embedder_tokenizer

TEXTS = [
    "def parse_request(self): return HTTPServer.readLine(self.URLs)",
    "Read a line of the request from the server",
    "class RequestParser: parses requests, line by line, 42 of them",
] * 4
ROWS = [
    {
        "project": f"p{number % 3}",
        "at": f"{number % 8}",
        "code": f"def read_line{number}(self): return self.line",
        "questions": [["documentation", "Read a line"], ["name", f"read line {number}"]],
    }
    for number in range(24)
]


@pytest.fixture(scope="module")
def tokenizer_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tokens") / "tokenizer.json"
    train_embedder_tokenizer(TEXTS, path, vocabulary=120, longest_word=40)
    return path


@pytest.fixture(scope="module")
def tokenizer(tokenizer_path: Path) -> Any:
    from tokenizers import Tokenizer

    return Tokenizer.from_file(str(tokenizer_path))


@pytest.fixture(scope="module")
def found(tokenizer: Any) -> Lessons:
    return lessons(ROWS, tokenizer, 64)


def test_identifiers_and_english_are_the_same_words(tokenizer: Any) -> None:
    """A name written in humps or with lines below is the words that a question would have."""
    read = [it.ids for it in tokenizer.encode_batch(["readLine", "read_line", "Read line", "parseURLs"])]
    unknown = tokenizer.token_to_id("[UNK]")
    words = [[it for it in ids if it != unknown] for ids in read]
    assert words[0] == words[1] == words[2]
    assert words[3] == [it for it in tokenizer.encode("parse urls").ids if it != unknown]


def test_signs_are_no_tokens(tokenizer: Any) -> None:
    """They take no room in the table, and nothing of a text's vector."""
    assert all(it.removeprefix("##").isalnum() for it in tokenizer.get_vocab() if it != "[UNK]")
    tokens, times, lengths = bags(tokenizer, ["(){}", "line, line!"], 64)
    assert lengths.tolist() == [0, 1]
    assert times.tolist() == [2]
    assert tokens.tolist() == tokenizer.encode("line").ids


def test_the_index_reads_it_by_pieces(tokenizer: Any) -> None:
    """Else embedding a code base would take three times as long."""
    assert cut_of(tokenizer) is not None


def test_lessons_are_kept(found: Lessons, tmp_path: Path) -> None:
    """What is read again is what was written."""
    save_lessons(found, tmp_path / "lessons.npz")
    again = load_lessons(tmp_path / "lessons.npz")
    assert np.array_equal(again.codes.tokens, found.codes.tokens)
    assert np.array_equal(again.answers, found.answers)
    assert len(again.questions) == 2 * len(ROWS)


def test_questions_that_say_the_same_are_known(found: Lessons) -> None:
    """They must not count as each other's wrong answers; nor do the codes of one place."""
    assert len(np.unique(found.said[found.kinds == KINDS.index("documentation")])) == 1
    assert len(np.unique(found.places)) == 24  # The eight places of three projects.


def test_each_code_is_asked_for_once_a_round(found: Lessons) -> None:
    """Of several questions one is drawn, and of a kind without a share none."""
    draw = np.random.default_rng(1)
    once = chosen(found, {"documentation": 1.0, "name": 1.0}, draw)
    assert sorted(found.answers[once]) == list(range(24))
    assert set(found.kinds[chosen(found, {"name": 1.0}, draw)]) == {KINDS.index("name")}


def test_a_project_comes_in_clumps() -> None:
    """Wrong answers of the same project are the hard ones, and all rows come, once."""
    projects = np.repeat(np.arange(3), 40)
    order = in_clumps(projects, 8, np.random.default_rng(1))
    assert sorted(order) == list(range(120))
    assert all(len(set(projects[order[it : it + 8]])) == 1 for it in range(0, 120, 8))
    assert not np.array_equal(order, in_clumps(projects, 8, np.random.default_rng(2)))


def test_only_what_the_question_has_is_hidden() -> None:
    """A code is to be found by what else it says, and keeps all of that."""
    asked = (np.array([1, 2]), np.ones(2, np.float32), np.array([1, 1]))
    code = (np.array([1, 3, 1, 2]), np.full(4, 2, np.float32), np.array([2, 2]))
    draw = np.random.default_rng(1)
    assert without_hidden(asked, code, 1.0, draw).tolist() == [0, 2, 2, 0]
    assert without_hidden(asked, code, 0.0, draw).tolist() == [2, 2, 2, 2]


def test_bytes_are_nearly_the_numbers() -> None:
    """A row's largest number is 127 steps: none is off by more than half of one."""
    rows = np.random.default_rng(1).standard_normal((20, 16)).astype(np.float32)
    weights = np.linspace(0.1, 9, 20).astype(np.float32)
    whole, scales = in_bytes(rows, weights)
    step = np.abs(rows).max(axis=1) / 127 * weights
    assert (np.abs(whole * scales[:, None] - rows * weights[:, None]) <= 0.51 * step[:, None]).all()


def test_the_index_reads_what_is_exported(tokenizer: Any, tokenizer_path: Path, tmp_path: Path) -> None:
    """Its vectors are the weighted means of the rows that were trained."""
    size = tokenizer.get_vocab_size()
    rows = np.random.default_rng(2).standard_normal((size, 32)).astype(np.float32)
    weights = np.linspace(0.5, 2, size).astype(np.float32)
    export_embedder(rows, weights, tokenizer_path, tmp_path / "table", tokens=64)
    embedder = open_embedder(tmp_path / "table")
    got = embedder.documents(TEXTS[:3])
    for text, vector in zip(TEXTS[:3], got, strict=True):
        tokens, times, _ = bags(tokenizer, [text], 64)
        summed: NDArray[np.float64] = (times * weights[tokens]) @ rows[tokens]
        assert vector @ summed / np.linalg.norm(summed) > 0.999


def test_a_trial_changes_a_number() -> None:
    """And nothing else of the recipe."""
    usual, other = load_embedder_recipe(), load_embedder_recipe(changed={"dimensions": 64, "kinds.call": 0})
    assert (other.dimensions, other.kinds["call"]) == (64, 0)
    assert other.rate == usual.rate
    assert set(usual.kinds) == set(KINDS)
