"""What the project memory has for a spot, and who wins where the model says something else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from completion import Spot, Suggestion, Trigger, decide
from completion.recall import CANDIDATES, LEAST_WEIGHT, NOTHING, Recalled, better, is_sure, no_memory, recall
from completion.suggestion import Origin
from models.wire import MAX_CANDIDATE_CHARS, MAX_CANDIDATES, Usage
from tests.completion.fixtures import CONFIG, in_place, spot_of
from tests.completion.memory.fixtures import HERE, memory_of

BODY = "def load_settings(path):\n    found = json.load(stream)\n    return found\n"


def asked(document: str, language: str = "python", *, explicit: bool = False) -> tuple[Spot, Trigger]:
    spot = spot_of(document, language)
    return spot, decide(spot, explicit=explicit, previous=None, config=CONFIG)


def recalled(document: str, project: dict[str, str] | None = None, language: str = "python") -> Recalled:
    return recall(memory_of(document, project), HERE, *asked(document, language))


def model(text: str, confidence: float = 0.8) -> Suggestion:
    return Suggestion(
        text=text,
        confidence=confidence,
        min_confidence=confidence,
        chance=confidence * CONFIG.model_trust,
        reason="rest_of_line",
        first_ms=7.0,
    )


def memory(text: str, confidence: float) -> Suggestion:
    return Suggestion(
        text=text,
        confidence=confidence,
        min_confidence=confidence,
        chance=confidence,
        source="memory",
        origin=Origin(path="src/a", line=3),
        reason="rest_of_line",
    )


def test_what_is_recalled() -> None:
    """The text, where it stands, how likely it is, and what the model may draft from."""
    found = recalled("value = compute(‸\n", {"src/a": "x = 1\nvalue = compute(one, two)\n"})
    assert (found.suggestion.text, found.suggestion.source) == ("one, two)", "memory")
    assert found.suggestion.origin == Origin(path="src/a", line=2)
    assert found.suggestion.reason == "rest_of_line"
    assert 0 < found.suggestion.confidence == found.suggestion.min_confidence < 1
    assert not found.suggestion.cached
    assert [it.text for it in found.candidates] == ["one, two)", ""]
    assert found.candidates[0].weight == found.suggestion.confidence


def test_what_was_put_together_stands_nowhere() -> None:
    """An analogy names no line: nobody could go there."""
    found = recalled("self.height = height\nself.width = ‸\n")
    assert found.suggestion.text == "width"
    assert found.suggestion.origin is None


@pytest.mark.usefixtures("further_lines")
def test_a_block_only_where_one_is_asked_for() -> None:
    """The trigger's shape says how many lines."""
    project = {"src/a": BODY, "src/b": BODY}
    found = recalled("def load_settings(path):\n    ‸\n", project)
    assert found.suggestion.text == "found = json.load(stream)\n    return found"
    assert found.suggestion.reason == "block_opened"
    commented = recalled("def load_settings(path):\n    found = ‸\n", project)
    assert commented.suggestion.text == "json.load(stream)"


@pytest.mark.parametrize(
    ("document", "language", "shown"),
    [
        ("log(first, second)\nvalue = log(first, ‸)\n", "python", "value = log(first, ⟦second⟧)"),
        ('log("first")\nvalue = log("‸")\n', "python", 'value = log("⟦first⟧")'),
        ("log(first);\nx = log(‸);\n", "c", "x = log(⟦first⟧);"),
    ],
)
def test_what_stands_behind_the_cursor_is_not_repeated(document: str, language: str, shown: str) -> None:
    """The memory's text is cleaned like the model's."""
    spot, _ = asked(document, language)
    assert in_place(spot, recalled(document, language=language).suggestion) == shown


def test_what_stands_above_is_no_help() -> None:
    """The one line that is known here is the one just written: the reason says why nothing is shown."""
    found = recalled("now = 1\nclose_everything(now)\n‸\n")
    assert (found.suggestion.text, found.suggestion.reason) == ("", "repeats")


def test_nothing_like_it() -> None:
    """A reason for the log, and nothing for the model to draft from."""
    found = recalled("zebra‸\n", {"src/a": "value = compute(one, two)\n"})
    assert found == replace(NOTHING, suggestion=replace(NOTHING.suggestion, reason="nothing_like_it"))


def test_no_memory() -> None:
    """Until the memory is built, the model answers alone."""
    found = no_memory(*asked("value = ‸\n"))
    assert (found.suggestion.text, found.suggestion.reason, found.candidates) == ("", "no_memory", ())
    assert not is_sure(found.suggestion, replace(CONFIG, memory_at_once=0.0))


def test_few_candidates_that_may_be_right() -> None:
    """The engine compares each with every token: what is hardly ever right costs more than it gives."""
    lines = "aaaaabbbbcccddefghij"
    project = {f"src/{at}": f"value = compute({name}, two)\n" for at, name in enumerate(lines)}
    found = recalled("value = compute(‸\n", project)
    assert 1 <= len([it for it in found.candidates if it.text]) <= CANDIDATES
    assert len(found.candidates) <= MAX_CANDIDATES
    assert all(LEAST_WEIGHT <= it.weight for it in found.candidates)
    assert sum(it.weight for it in found.candidates) <= 1 + 1e-9


@pytest.mark.usefixtures("further_lines")
def test_no_candidate_is_longer_than_the_engine_takes() -> None:
    """It refuses the whole request otherwise."""
    document = f"def load_settings(path):\n{' ' * MAX_CANDIDATE_CHARS}‸\n"
    found = recalled(document, {"src/a": BODY, "src/b": BODY, "src/c": BODY})
    assert MAX_CANDIDATE_CHARS < len(found.suggestion.text)
    assert max(len(it.text) for it in found.candidates) == MAX_CANDIDATE_CHARS


@pytest.mark.parametrize(
    ("text", "confidence", "sure"),
    [("x", 0.5, True), ("x", 0.49, False), ("x", 1.0, True), ("", 1.0, False), ("", 0.0, False)],
)
def test_is_sure(text: str, confidence: float, sure: bool) -> None:
    """From the threshold on, and only with something to show."""
    assert is_sure(memory(text, confidence), CONFIG) is sure


@pytest.mark.parametrize(
    ("said", "known", "source"),
    [
        (model("x"), memory("x", 0.01), "both"),
        (model("x", 0.3), memory("x", 0.99), "both"),
        (model("x", 0.8), memory("y", 0.3), "model"),
        (model("x", 0.8), memory("y", 0.4), "model"),
        (model("x", 0.8), memory("y", 0.41), "memory"),
        (model("x", 0.3), memory("y", 0.19), "model"),
        (model("x", 0.3), memory("y", 0.2), "memory"),
        (model("x"), memory("", 0.99), "model"),
        (model(""), memory("y", 0.2), "memory"),
        (model(""), memory("y", 0.19), "model"),
        (model(""), memory("", 0.0), "model"),
        (model("x"), NOTHING.suggestion, "model"),
    ],
)
def test_better(said: Suggestion, known: Suggestion, source: str) -> None:
    """The likelier one, and the model's where there is nothing to choose; with what asking has cost."""
    usage = Usage(prompt_tokens=1, cached_tokens=0, completion_tokens=1, decode_ms=1.0)
    chosen = better(replace(said, usage=usage), known, CONFIG)
    assert chosen.source == source
    assert chosen.text == (known if source == "memory" else said).text
    sure = {"model": said, "memory": known, "both": max(said, known, key=lambda it: it.confidence)}[source]
    assert chosen.confidence == sure.confidence
    assert chosen.chance == (max(said.chance, known.chance) if source == "both" else sure.chance)
    assert chosen.origin == (None if source == "model" else known.origin)
    assert (chosen.usage, chosen.first_ms) == (usage, 7.0)


def test_the_likelier_line_is_shown() -> None:
    """A model whose probabilities mean nothing gives way to any suggestion worth showing."""
    said, known = model("x", 1.0), memory("y", 0.3)
    assert better(replace(said, chance=0.2), known, CONFIG).source == "memory"
    assert better(replace(said, chance=0.4), known, CONFIG).source == "model"


def test_asked_by_hand_the_memory_answers_too() -> None:
    """Somebody who asks wants an answer, and gets it as quickly."""
    document = "value = compute(one, two)\nvalue = compute(‸\n"
    by_hand = recall(memory_of(document), HERE, *asked(document, explicit=True))
    assert by_hand.suggestion == recalled(document).suggestion
