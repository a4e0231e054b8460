"""What the project memory predicts: the cases are the data files in ``golden/``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from completion.memory.beam import Candidate
from completion.memory.predict import Continuation, predict
from completion.memory.question import Question
from completion.memory.rank import Ranked
from completion.spot import Spot
from tests.completion.fixtures import name_of, spot_of
from tests.completion.memory.fixtures import HERE, cases, memory_of, placed, predicted, texts

LINES, BLOCKS = cases("lines"), cases("blocks")
FIELDS = {"file", "name", "language", "document", "shown", "nothing", "never", "lines", "crlf"}
FIELDS |= {"project", "open_too", "dependency"}


def ask(case: dict[str, Any]) -> tuple[Spot, tuple[Continuation, ...]]:
    assert case.keys() <= FIELDS
    document, crlf = case["document"].removeprefix("\n"), case.get("crlf", False)
    documents = {it: case.get(it, {}) for it in ("project", "open_too", "dependency")}
    memory = memory_of(document, crlf=crlf, **documents)
    spot = spot_of(document, case.get("language", "python"), crlf=crlf)
    return spot, predict(memory, spot, path=HERE, max_lines=case.get("lines", 1))


@pytest.mark.usefixtures("further_lines")
@pytest.mark.parametrize("case", LINES + BLOCKS, ids=name_of)
def test_what_is_predicted(case: dict[str, Any]) -> None:
    """The likeliest text is the one that somebody who knows the project would write."""
    spot, found = ask(case)
    if "nothing" in case:
        assert texts(found) == []
        return
    assert found, "nothing is predicted"
    assert placed(spot, found[0].text) == case["shown"].removeprefix("\n")
    assert not set(texts(found)) & set(case.get("never", ()))
    assert found[0].lines == found[0].text.count("\n") + 1


@pytest.mark.parametrize(
    ("document", "texts"),
    [
        ("def load_settings(path):\n    ‸\n", ["found = json.load(stream)"]),
        ("def load_settings(path):‸\n", ["\n    found = json.load(stream)"]),
    ],
)
def test_an_unlikely_line_ends_a_block(
    document: str, texts: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wrong line costs more than a right one helps; but an opener without one has nothing to show."""
    monkeypatch.setattr("completion.memory.predict.NEXT_LINE", 1.0)
    body = "def load_settings(path):\n    found = json.load(stream)\n    return found\n"
    found = predicted(document, {"src/a": body, "src/b": body}, max_lines=12)
    assert [it.text for it in found] == texts


@pytest.mark.usefixtures("further_lines")
def test_a_block_is_as_likely_as_all_its_lines() -> None:
    """One wrong line spoils it: every further line makes it less likely."""
    body = "def load_settings(path):\n    found = json.load(stream)\n    check(found)\n    return found\n"
    document = "def load_settings(path):\n    ‸\n"
    chances = [predicted(document, {"src/a": body}, max_lines=it)[0].chance for it in (1, 2, 3)]
    assert chances == sorted(chances, reverse=True)
    assert len(set(chances)) == len(chances)


@pytest.mark.usefixtures("further_lines")
def test_the_line_below_may_be_far_below() -> None:
    """Fifty blank lines are a gap that somebody left to write in."""
    body = "def f():\n    first_of_all(now)\n    second_of_all(now)\n"
    document = f"def f():\n    first_of_all(now)\n    ‸{chr(10) * 50}second_of_all(now)\n"
    assert predicted(document, {"src/a": body, "src/b": body}, max_lines=3)[0].text == "second_of_all(now)"


def test_the_line_below_ends_a_block_however_likely_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """It follows in the project, and it stands there already."""
    monkeypatch.setattr("completion.memory.predict.NEXT_LINE", 0.0)
    body = "def f():\n    first_of_all(now)\n    second_of_all(now)\n    third_of_all(now)\n    last(now)\n"
    document = "def f():\n    first_of_all(now)\n    ‸\n    third_of_all(now)\n"
    found = predicted(document, {"src/a": body, "src/b": body}, max_lines=12)
    assert found[0].text == "second_of_all(now)"


def test_chances_are_no_more_than_one_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """A best line that is surer than its share of the scores leaves little for the others."""

    def sure_of_the_first(_question: Question, lines: Sequence[Candidate], _asked: int) -> list[Ranked]:
        return [Ranked(it, 0.0, 1 / len(lines), 0.9) for it in lines]

    monkeypatch.setattr("completion.memory.predict.ranked", sure_of_the_first)
    project = {f"src/{it}": f"value = compute({it}, one)\n" for it in "abcd"}
    chances = [it.chance for it in predicted("value = compute(‸\n", project)]
    assert len(chances) == 4
    assert chances[0] == 0.9
    assert sum(chances) == pytest.approx(1)
