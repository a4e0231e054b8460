"""What the user sees for what the model said: the cases are the data files in ``golden/``."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from completion import SuggestionCache, complete, decide
from tests.completion.fixtures import GOLDEN, cases, config_of, in_place, logprob, name_of, reach, spot_of
from tests.harness import Answer, scripted

FILES = ("complaints", "python", "typescript", "go", "rust", "java", "c")
CASES = cases(*FILES)
FIELDS = {"file", "name", "language", "document", "model", "shown", "nothing", "explicit", "crlf"}
FIELDS |= {"max_lines", "max_tokens", "probability"}


@pytest.mark.parametrize("case", CASES, ids=name_of)
async def test_what_is_shown(case: dict[str, Any]) -> None:
    """The whole way: spot, trigger, prompt, stream, stop rules, cleaning, confidence."""
    assert case.keys() <= FIELDS
    config = config_of(case)
    language = case.get("language", case["file"])
    spot = spot_of(case["document"], language, config, crlf=case.get("crlf", False))
    trigger = decide(spot, explicit=case.get("explicit", False), previous=None, config=config)
    backend = scripted(Answer(text=case["model"], logprob=logprob(case.get("probability", 0.9))))
    suggestion = await complete(reach(backend), SuggestionCache(), spot, trigger, config, "m")
    if "nothing" in case:
        assert (suggestion.text, suggestion.reason) == ("", case["nothing"])
        return
    assert suggestion.reason == trigger.reason
    assert in_place(spot, suggestion).replace(spot.line_ending, "\n") == case["shown"].removeprefix("\n")
    assert suggestion.text.count("\n") == suggestion.text.count(spot.line_ending)


def test_the_cases_are_many_and_have_names_of_their_own() -> None:
    """Each language has a file, and a failing case is found by its name."""
    assert 80 <= len(CASES)
    assert {it["file"] for it in CASES} == set(FILES)
    assert [name for name, times in Counter(map(name_of, CASES)).items() if 1 < times] == []
    assert {it.stem for it in GOLDEN.glob("*.toml")} == {*FILES, "triggers", "prompts"}
