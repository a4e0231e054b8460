"""What becomes of canned answers: the cases are the data files in ``golden/edits``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest

from chat.edits import Refusal, apply
from codeindex.syntax import faults
from tests.chat import edits_golden
from tests.chat.edits_golden import FIELDS, cases, documents, is_right, outcome, rates, shown

CASES = cases()


def _name(case: Mapping[str, Any]) -> str:
    return f"{case['kind']}: {case['name']}"


@pytest.mark.parametrize("case", CASES, ids=_name)
def test_what_becomes_of_an_answer(case: Mapping[str, Any]) -> None:
    """The whole way: read, place, check; exactly these lines change, or exactly this is said."""
    assert case.keys() <= FIELDS
    found = outcome(case, faults)
    wanted = case["changes"].strip("\n") if "changes" in case else case["refused"]
    assert shown(case, found) == wanted
    assert is_right(case, found)


@pytest.mark.parametrize("case", [it for it in CASES if "changes" in it], ids=_name)
def test_the_edited_text_has_its_own_line_ends(case: Mapping[str, Any]) -> None:
    """A text with one kind of line end keeps it, and nothing beside the changed lines is touched."""
    found = outcome(case, faults)
    assert not isinstance(found, Refusal)
    for path, source in documents(case).items():
        own = [it for it in found if it.path == path]
        text = apply(source.text, own)
        if "\r" not in source.text:
            assert "\r" not in text
        elif source.text.count("\n") == source.text.count("\r\n"):
            assert text.count("\n") == text.count("\r\n")
        assert all(it.version == source.version and it.says for it in own)
        if own:
            assert text[: own[0].start] == source.text[: own[0].start]
            assert text.endswith(source.text[own[-1].end :])


def test_the_cases_are_many_and_have_names_of_their_own() -> None:
    """At least a hundred, of every kind and in several languages, each found by its name."""
    assert 100 <= len(CASES)
    assert [name for name, times in Counter(map(_name, CASES)).items() if 1 < times] == []
    endings = {path.rpartition(".")[2] for it in CASES for path in it["sources"]}
    assert {"py", "js", "ts", "go", "rs", "java", "c"} <= endings


def test_the_rates_tell_right_from_wrong() -> None:
    """Every case counts once, under its kind; an outcome that is not the wanted one counts as wrong."""
    found = rates(faults)
    assert sum(it.applied + it.refused for it in found) == len(CASES)
    assert sum(it.wrong for it in found) == 0
    spoiled = [{**it, "refused": "because"} for it in CASES[:5]]
    assert sum(it.wrong for it in edits_golden.rates(faults, spoiled)) == 5
