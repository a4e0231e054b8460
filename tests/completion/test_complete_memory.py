"""The project memory in the flow: what it answers alone, what it tells the model, and who is shown."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace

import pytest

from completion import CompletionConfig, Spot, Suggestion, SuggestionCache, Trigger, complete, decide
from completion.recall import Recall, Recalled, recall
from completion.sessions import Connect
from completion.suggestion import Origin
from models.backend import Backend
from models.errors import Unreachable
from models.wire import Candidate
from tests.completion.fixtures import CONFIG, in_place, logprob, reach, spot_of
from tests.completion.memory.fixtures import HERE, memory_of
from tests.harness import Answer, Script, scripted


def knows(text: str, confidence: float, *others: str) -> Recall:
    """A memory that has one suggestion, and perhaps more candidates."""
    candidates = [Candidate(text=text, weight=confidence), *(Candidate(text=it, weight=0.1) for it in others)]
    origin = Origin(path="src/a", line=3)

    def remembered(_spot: Spot, trigger: Trigger) -> Recalled:
        suggestion = Suggestion(
            text=text,
            confidence=confidence,
            min_confidence=confidence,
            chance=confidence,
            source="memory",
            origin=origin,
            reason=trigger.reason,
        )
        return Recalled(suggestion=suggestion, candidates=tuple(candidates))

    return remembered


def knows_nothing_more(_spot: Spot, _trigger: Trigger) -> Recalled:
    raise AssertionError("the memory is asked although the answer is known")


async def unwanted() -> Backend:
    raise AssertionError("the engine is asked although the answer is known")


async def away() -> Backend:
    raise Unreachable("No engine answers.")


async def remember(
    remembered: Recall,
    connect: Connect,
    document: str,
    *,
    config: CompletionConfig = CONFIG,
    cache: SuggestionCache | None = None,
    explicit: bool = False,
    crlf: bool = False,
) -> Suggestion:
    spot = spot_of(document, crlf=crlf)
    trigger = decide(spot, explicit=explicit, previous=None, config=config)
    kept = SuggestionCache() if cache is None else cache
    return await complete(connect, kept, spot, trigger, config, "m", recall=remembered)


async def test_a_sure_memory_needs_no_engine() -> None:
    """What the user's own code says is there at once, whatever state the engine is in."""
    suggestion = await remember(knows("price * count", 0.9), unwanted, "total = ‸\n")
    assert (suggestion.text, suggestion.source, suggestion.cached) == ("price * count", "memory", False)
    assert (suggestion.reason, suggestion.problem, suggestion.usage) == ("rest_of_line", "", None)
    assert suggestion.origin == Origin(path="src/a", line=3)


def test_a_sure_memory_waits_for_nothing() -> None:
    """Not even for the pause between two keys: the answer is there before anything else may run."""
    config = replace(CONFIG, pause_ms=60_000)
    answering = remember(knows("price * count", 0.9), unwanted, "total = ‸\n", config=config)
    with pytest.raises(StopIteration) as done:
        answering.send(None)
    assert done.value.value.text == "price * count"


async def test_an_unsure_memory_tells_the_model_what_it_thinks() -> None:
    """The model verifies the candidates; what it says is shown."""
    script = Script("price * rate\n")
    suggestion = await remember(knows("price * count", 0.3, "price"), reach(script.backend()), "total = ‸\n")
    assert (suggestion.text, suggestion.source, suggestion.origin) == ("price * rate", "model", None)
    assert script.requests[0]["hearth"]["candidates"] == [
        {"text": "price * count", "weight": 0.3},
        {"text": "price", "weight": 0.1},
    ]


async def test_an_unsure_memory_waits_for_the_pause() -> None:
    """Fast typing asks the memory for every key, and the model once."""
    script = Script()
    config = replace(CONFIG, pause_ms=60_000)
    asking = asyncio.create_task(
        remember(knows("price", 0.3), reach(script.backend()), "total = ‸\n", config=config)
    )
    await asyncio.sleep(0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert script.requests == []


async def test_both_say_the_same() -> None:
    """Agreement is worth telling, and so is where it stands."""
    backend = scripted("price * count\n")
    suggestion = await remember(knows("price * count", 0.01), reach(backend), "total = ‸\n")
    assert (suggestion.text, suggestion.source) == ("price * count", "both")
    assert suggestion.origin == Origin(path="src/a", line=3)
    assert suggestion.confidence == pytest.approx(0.951, abs=0.001)


@pytest.mark.parametrize(
    "answer",
    [
        Answer(text="price * rate", logprob=logprob(0.35)),
        Answer(text="price * rate", logprob=logprob(0.1)),
        Answer(text=""),
    ],
    ids=["less likely right", "not worth showing", "silent"],
)
async def test_the_memory_wins(answer: Answer) -> None:
    """Whoever is likelier right is shown; what the model has cost is told all the same."""
    suggestion = await remember(knows("price * count", 0.4), reach(scripted(answer)), "total = ‸\n")
    assert (suggestion.text, suggestion.source, suggestion.reason) == (
        "price * count",
        "memory",
        "rest_of_line",
    )
    assert suggestion.usage is not None


async def test_the_memory_answers_when_the_model_is_late() -> None:
    """A slow machine shows what is known by then."""
    backend = scripted(Answer(text="pri", endless=True))
    config = replace(CONFIG, deadline_ms=50)
    suggestion = await remember(knows("price * count", 0.3), reach(backend), "total = ‸\n", config=config)
    assert (suggestion.text, suggestion.source) == ("price * count", "memory")


async def test_the_memory_answers_when_the_model_cannot() -> None:
    """Ghost text goes on without an engine, and says what is wrong with it."""
    suggestion = await remember(knows("price * count", 0.3), away, "total = ‸\n")
    assert (suggestion.text, suggestion.source) == ("price * count", "memory")
    assert suggestion.problem == "No engine answers."
    broken = scripted(Answer(text="pri", problem="It broke."))
    suggestion = await remember(knows("price * count", 0.3), reach(broken), "total = ‸\n")
    assert (suggestion.text, suggestion.problem) == ("price * count", "It broke.")


async def test_a_guess_does_not_hide_that_the_model_is_away() -> None:
    """What is not worth showing beside a model is not worth showing without one."""
    with pytest.raises(Unreachable):
        await remember(knows("price * count", 0.1), away, "total = ‸\n")
    with pytest.raises(Unreachable):
        await remember(knows("", 0.9), away, "total = ‸\n")


@pytest.mark.parametrize("confidence", [0.9, 0.3])
async def test_what_the_memory_said_is_typed_through(confidence: float) -> None:
    """The rest of it asks nobody, and still says who said it."""
    cache = SuggestionCache()
    remembered = knows("price * count", confidence)
    await remember(remembered, reach(scripted("")), "total = ‸\n", cache=cache)
    suggestion = await remember(knows_nothing_more, unwanted, "total = pri‸\n", cache=cache)
    assert (suggestion.text, suggestion.cached, suggestion.source) == ("ce * count", True, "memory")
    assert suggestion.origin == Origin(path="src/a", line=3)
    assert suggestion.confidence == confidence


async def test_where_nothing_is_suggested_the_memory_is_not_asked() -> None:
    """In the middle of a word there is nothing to know."""
    suggestion = await remember(knows_nothing_more, unwanted, "total = pri‸ce\n")
    assert suggestion == Suggestion(text="", reason="text_after_cursor")


async def test_the_memory_writes_the_line_breaks_of_the_document() -> None:
    """It knows one kind, the document may have another."""
    suggestion = await remember(knows("a = 1\n    return a", 0.9), unwanted, "def f():\n    ‸\n", crlf=True)
    assert suggestion.text == "a = 1\r\n    return a"


@pytest.mark.usefixtures("further_lines")
async def test_the_whole_way_from_the_project_to_the_suggestion() -> None:
    """A real memory, really asked."""
    document = "def load_settings(path):\n    ‸\n"
    body = "def load_settings(path):\n  found = json.load(stream)\n  return found\n"
    memory = memory_of(document, {f"src/{it}": body for it in "abcd"})
    spot = spot_of(document)
    trigger = decide(spot, explicit=False, previous=None, config=CONFIG)
    config = replace(CONFIG, memory_at_once=0.0)
    suggestion = await complete(
        unwanted,
        SuggestionCache(),
        spot,
        trigger,
        config,
        "m",
        recall=lambda at, why: recall(memory, HERE, at, why),
    )
    assert in_place(spot, suggestion) == "    ⟦found = json.load(stream)\n    return found⟧"


async def test_no_text_of_the_memory_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Its name, and numbers."""
    caplog.set_level(logging.DEBUG, "completion")
    await remember(knows("secret_price", 0.9), unwanted, "secret_total = ‸\n")
    (line,) = [it.getMessage() for it in caplog.records if it.name.startswith("completion")]
    assert "reason=rest_of_line source=memory cached=0 shown=12 confidence=0.90" in line
    assert "secret" not in line


async def test_who_asks_by_hand_sees_what_both_say() -> None:
    """The memory is not alone in knowing something, however sure it is; what both say is there once."""
    answer = Answer(text="price * rate\n", others=("price * count\n", "1\n"))
    suggestion = await remember(
        knows("price * count", 0.9), reach(scripted(answer)), "total = ‸\n", explicit=True
    )
    assert (suggestion.text, suggestion.source) == ("price * count", "memory")
    assert [(it.text, it.source) for it in suggestion.others] == [("price * rate", "model"), ("1", "model")]
    alone = await remember(knows("price * count", 0.9), away, "total = ‸\n", explicit=True)
    assert (alone.text, alone.problem) == ("price * count", "No engine answers.")


async def test_the_memorys_suggestion_is_among_those_to_choose_from() -> None:
    """Less likely than the model's, and still one of three."""
    answer = Answer(text="a\n", others=("b\n", "c\n"))
    suggestion = await remember(
        knows("price * count", 0.3), reach(scripted(answer)), "total = ‸\n", explicit=True
    )
    texts = [suggestion.text, *(it.text for it in suggestion.others)]
    assert texts == ["a", "price * count", "b"]
