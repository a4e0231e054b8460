"""The first hits put in order by a real model, tiny and random; nothing is changed where that fails."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from codeindex.embed import Reranker, open_reranker
from codeindex.query import Query, read
from codeindex.search import search
from codeindex.search_rerank import TOP, Reranking, fused
from codeindex.types import Hit
from models.errors import ModelError
from tests.codeindex.models import write_encoder
from tests.codeindex.searched import Workspace, workspace

QUESTION = "where is the list"
FILES = {f"f{it}.py": f"def function_{it}(list):\n    return {word} (list)\n" for it, word in enumerate(
    ("read", "open", "sort", "file") * 10
)}  # fmt: skip


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Reranker:
    """A real one, with random weights."""
    folder = tmp_path_factory.mktemp("model")
    return open_reranker(write_encoder(folder, role="reranker", pooling="none", special_tokens=False))


@pytest.fixture(scope="module")
def still(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """A workspace with forty files that have the same words."""
    made = workspace(tmp_path_factory.mktemp("still"), FILES)
    yield made
    made.reader.close()


def hit(text: str, score: float) -> Hit:
    """A hit of which only that matters."""
    return Hit(
        path="a.py",
        first_line=1,
        last_line=1,
        text=text,
        score=score,
        language="python",
        kind=None,
        name="",
        scope="",
        signature="",
        doc="",
        unsaved=False,
    )


def asked(still: Workspace, question: str, reranking: Reranking | None, limit: int = 10) -> list[Hit]:
    """What is found."""
    return search(still.reader, question, root=still.root, limit=limit, reranking=reranking)


def ignore(problem: ModelError) -> None:
    """Nobody is told."""


def test_both_orders_count() -> None:
    """What is first in both stays first; scores go down as before, and each hit says what the model said."""
    hits = [hit("one", 4.0), hit("two", 3.0), hit("three", 2.0), hit("four", 1.0)]
    assert [it.text for it in fused(hits, [0.9, 0.1, 0.2, 0.8])] == ["one", "two", "four", "three"]
    found = fused(hits, [0.1, 0.2, 0.3, 0.4])
    assert [it.score for it in found] == [4.0, 3.0, 2.0, 1.0]
    last = next(it for it in found if it.text == "four")
    assert (last.why[-1].name, last.why[-1].value) == ("reranker", 0.4)
    assert last.why[-1].reason == "number 1 of the 4 that a model read"


def test_a_model_puts_the_first_hits_in_order(still: Workspace, model: Reranker) -> None:
    """More are read than shown, by what the model really says of their texts."""
    before = asked(still, QUESTION, None, limit=TOP)
    found = asked(still, QUESTION, Reranking(model, ignore, budget_s=60))
    said = model.scores(read(QUESTION).text, [it.text for it in before])
    assert [it.path for it in found] == [it.path for it in fused(before, said)][:10]
    assert {it.why[-1].name for it in found} == {"reranker"}
    assert [it.path for it in found] != [it.path for it in before][:10]


@pytest.mark.parametrize("question", ["function_3", "f3.py", "ValueError: no such list to read"])
def test_only_questions_in_words_are_read(question: str, still: Workspace, model: Reranker) -> None:
    """A name, a path and a message say themselves what answers them."""
    assert asked(still, question, Reranking(model, ignore, budget_s=60)) == asked(still, question, None)


class Slow:
    """A real model on a machine that takes a while for each text, by a clock of its own."""

    def __init__(self, model: Reranker, seconds: float, monkeypatch: pytest.MonkeyPatch) -> None:
        self.model = model
        self.seconds = seconds
        self.now = 1_000.0
        self.read: list[int] = []
        monkeypatch.setattr("codeindex.search_rerank.monotonic", lambda: self.now)

    def scores(self, query: str, texts: Sequence[str]) -> list[float]:
        """The same, later."""
        self.now += self.seconds * len(texts)
        self.read.append(len(texts))
        return self.model.scores(query, texts)


def test_a_model_that_is_too_slow_changes_nothing(
    still: Workspace, model: Reranker, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is stopped after a few hits, the log says so, and the next questions do not wait for it."""
    slow = Slow(model, 0.2, monkeypatch)
    reranking = Reranking(slow, ignore, budget_s=0.3)
    with caplog.at_level(logging.INFO):
        assert asked(still, QUESTION, reranking) == asked(still, QUESTION, None)
    assert slow.read == [1]
    assert "too slow" in caplog.text
    assert asked(still, QUESTION, reranking) == asked(still, QUESTION, None)
    assert slow.read == [1]
    slow.now += 61
    asked(still, QUESTION, reranking)
    assert slow.read == [1, 1]


def test_so_many_hits_are_read_as_there_is_time_for(
    still: Workspace, model: Reranker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those behind them stay behind; the same question is answered the same the next time."""
    slow = Slow(model, 0.02, monkeypatch)
    reranking = Reranking(slow, ignore, budget_s=0.3)
    before = asked(still, QUESTION, None, limit=20)
    found = asked(still, QUESTION, reranking, limit=20)
    assert slow.read == [1, 3, 8]
    assert found[12:] == before[12:]
    assert {it.path for it in found[:12]} == {it.path for it in before[:12]}
    assert found[0].why[-1].reason.endswith("of the 12 that a model read")
    assert asked(still, QUESTION, reranking, limit=20) == found


def test_a_model_that_fails_changes_nothing_and_is_told_of_once(still: Workspace, tmp_path: Path) -> None:
    """A real graph that stops working: the order stays, and one sentence says so."""
    model = open_reranker(write_encoder(tmp_path, role="reranker", pooling="none", special_tokens=False))
    told: list[str] = []
    reranking = Reranking(model, lambda problem: told.append(str(problem)))
    model._graph._output = "none"
    assert asked(still, QUESTION, reranking) == asked(still, QUESTION, None)
    assert asked(still, QUESTION, reranking) == asked(still, QUESTION, None)
    assert told == ["The model tiny failed on a text."]


def test_nothing_to_read_is_nothing_read(model: Reranker) -> None:
    """Also where there are no hits."""
    query: Query = read(QUESTION)
    assert Reranking(model, ignore).reranked(query, []) == []
