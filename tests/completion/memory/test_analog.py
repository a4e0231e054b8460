"""Lines that go on as a similar one near them does, with other names."""

from __future__ import annotations

from typing import Any

import pytest

from completion.memory.analog import analogies
from completion.memory.predict import predict
from completion.memory.question import Question, question_at
from tests.completion.fixtures import name_of, spot_of
from tests.completion.memory.fixtures import HERE, cases, memory_of, texts

CASES = cases("analog")
LANGUAGES = {"python", "typescript", "go", "rust", "java", "c"}


def asked(case: dict[str, Any]) -> Question:
    spot = spot_of(case["document"].removeprefix("\n"), case["language"])
    return question_at(memory_of(case["document"]), spot, path=HERE)


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_analogies(case: dict[str, Any]) -> None:
    """The nearest similar line says how this one goes on; what only looks similar says nothing."""
    assert case.keys() <= {"file", "name", "language", "document", "analog", "nothing"}
    question = asked(case)
    found = [rest.decode() for rest, _ in analogies(question.typed, question.line_above, question.above)]
    assert found[:1] == ([] if "nothing" in case else [case["analog"]])


@pytest.mark.parametrize("case", [it for it in CASES if "analog" in it], ids=name_of)
def test_analogies_are_among_what_is_predicted(case: dict[str, Any]) -> None:
    """Whether they win is for the ranking to say; that they are there is for us."""
    spot = spot_of(case["document"].removeprefix("\n"), case["language"])
    found = predict(memory_of(case["document"].removeprefix("\n")), spot, path=HERE)
    assert case["analog"] in texts(found)
    assert all(it.occurrence is None for it in found if it.text == case["analog"])


def test_the_cases_are_of_all_languages() -> None:
    """A rule that only fits one language's punctuation would show."""
    assert 12 <= len([it for it in CASES if "analog" in it])
    assert {it["language"] for it in CASES} == LANGUAGES
