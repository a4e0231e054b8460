"""The whole way against a scripted model: what is asked, what is shown, and what happens when it breaks."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

import completion
from completion import CompletionConfig, Suggestion, SuggestionCache, Trigger, complete, decide, spot_at
from models.backend import Backend
from models.errors import BackendError, Broken, Overloaded, Unreachable
from tests.completion.fixtures import CONFIG, in_place, logprob, reach, spot_of
from tests.harness import Answer, Script, scripted


class Watched(Script):
    """A script that tells when it is asked."""

    def __init__(self, *answers: str | Answer) -> None:
        super().__init__(*answers)
        self.asked = asyncio.Event()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await super().handle_async_request(request)
        self.asked.set()
        return response


async def ask(
    backend: Backend,
    document: str,
    *,
    cache: SuggestionCache | None = None,
    config: CompletionConfig = CONFIG,
    explicit: bool = False,
    crlf: bool = False,
    language: str = "python",
) -> Suggestion:
    spot = spot_of(document, language, config, crlf=crlf)
    trigger = decide(spot, explicit=explicit, previous=None, config=config)
    return await complete(
        reach(backend), SuggestionCache() if cache is None else cache, spot, trigger, config, "m"
    )


async def test_an_answer_and_what_it_cost() -> None:
    """All that `hearth complete --json` tells."""
    script = Script("price * count\n")
    suggestion = await ask(script.backend(), "total = ‸\n")
    assert (suggestion.text, suggestion.source, suggestion.reason) == (
        "price * count",
        "model",
        "rest_of_line",
    )
    assert suggestion.confidence == pytest.approx(0.951, abs=0.001)
    assert suggestion.usage is not None
    assert suggestion.usage.completion_tokens == 5
    assert 0 < suggestion.first_ms <= suggestion.ms
    assert script.cancelled == 0
    assert script.requests[0]["model"] == "m"
    assert script.requests[0]["stop"] == ["\n"]


async def test_typed_text_asks_nothing() -> None:
    """The second question is answered by the first answer."""
    script, cache = Script("price * count\n"), SuggestionCache()
    await ask(script.backend(), "total = ‸\n", cache=cache)
    suggestion = await ask(script.backend(), "total = pri‸\n", cache=cache)
    assert (suggestion.text, suggestion.cached, suggestion.usage) == ("ce * count", True, None)
    assert len(script.requests) == 1


async def test_typing_through_the_end_of_a_statement() -> None:
    """Nothing new is asked there, and what is shown already stays."""
    script, cache = Script("a();\n  b();\n"), SuggestionCache()
    await ask(script.backend(), "if (x) {\n  ‸\n}\n", cache=cache, language="c")
    suggestion = await ask(script.backend(), "if (x) {\n  a();‸\n}\n", cache=cache, language="c")
    assert (suggestion.text, suggestion.cached) == ("\n  b();", True)
    nothing = await ask(script.backend(), "if (x) {\n  c();‸\n}\n", cache=cache, language="c")
    assert (nothing.text, nothing.reason) == ("", "statement_ended")


async def test_nothing_to_ask_asks_nothing() -> None:
    """The trigger's reason is the answer's."""
    suggestion = await ask(Script().backend(), "total = pri‸ce\n")
    assert suggestion == Suggestion(text="", reason="text_after_cursor")


async def test_enough_closes_the_stream() -> None:
    """Closing is the cancel: the engine decodes nothing for the wastebasket."""
    script = Script(Answer(text="return 1\n\n\ndef g():\n    pass\n", endless=True))
    suggestion = await ask(script.backend(), "def f():\n    ‸\n")
    assert suggestion.text == "return 1"
    assert script.cancelled == 1


async def test_the_deadline_shows_whole_lines() -> None:
    """A slow machine shows the lines that are there, and the stream is closed."""
    script = Script(Answer(text="a = 1\n    b = 2\n    c = ", endless=True))
    suggestion = await ask(script.backend(), "def f():\n    ‸\n", config=replace(CONFIG, deadline_ms=100))
    assert (suggestion.text, suggestion.reason) == ("a = 1\n    b = 2", "block_opened")
    assert script.cancelled == 1


async def test_the_deadline_with_half_a_line() -> None:
    """Half a word is not worth showing; it is not remembered either."""
    script, cache = Script(Answer(text="pri", endless=True), "price\n"), SuggestionCache()
    config = replace(CONFIG, deadline_ms=100)
    suggestion = await ask(script.backend(), "total = ‸\n", config=config, cache=cache)
    assert (suggestion.text, suggestion.reason) == ("", "deadline")
    assert (await ask(script.backend(), "total = ‸\n", cache=cache)).text == "price"


async def test_low_confidence_shows_nothing() -> None:
    """Silence beats noise; the numbers say how far it was from being shown."""
    script = Script(Answer(text="price * count", logprob=logprob(0.2)))
    suggestion = await ask(script.backend(), "total = ‸\n")
    assert (suggestion.text, suggestion.reason) == ("", "low_confidence")
    assert suggestion.confidence == pytest.approx(0.2)


async def test_a_card_says_what_a_line_is_worth() -> None:
    """With weights in the card the chance of the first line decides; who asks by hand sees it anyway."""
    card = replace(CONFIG, model_chance={"one": 1.0, "line": 1.0}, chance_threshold=0.3)
    for probability, shown in ((0.9, True), (0.1, False)):
        said = Answer(text="price * count\n", logprob=logprob(probability))
        suggestion = await ask(Script(said).backend(), "total = ‸\n", config=card)
        assert bool(suggestion.text) is shown
        assert (0.3 <= suggestion.chance) is shown
        assert suggestion.reason == ("rest_of_line" if shown else "low_confidence")
        by_hand = await ask(Script(said).backend(), "total = ‸\n", config=card, explicit=True)
        assert by_hand.text == "price * count"
    block = Answer(text="return 1\n    # and\n    # so on\n", logprob=logprob(0.9))
    first = Answer(text="return 1\n", logprob=logprob(0.9))
    of_block, of_line = [
        await ask(Script(it).backend(), "def f():\n    ‸\n", config=card) for it in (block, first)
    ]
    assert of_block.text.count("\n") > of_line.text.count("\n")
    assert of_block.evidence[1] == of_line.evidence[1], "lines further down take nothing from the first"


async def test_only_what_is_shown_is_judged() -> None:
    """A model that is lost behind the end of the block was sure inside it."""
    sure, lost = (logprob(0.9),) * 3, (logprob(0.01),) * 10
    script = Script(Answer(text="return 1\n\n\nwhatever it is", logprobs=(*sure, *lost)))
    suggestion = await ask(script.backend(), "def f():\n    ‸\n")
    assert suggestion.text == "return 1"
    assert suggestion.confidence == pytest.approx(0.9)
    assert suggestion.min_confidence == pytest.approx(0.9)


async def test_crlf_goes_out_as_lf_and_comes_back_as_crlf() -> None:
    """The model never sees a carriage return; the document never sees a bare line feed."""
    script = Script("a = 1\r\n    return a\r\n")
    suggestion = await ask(script.backend(), "def f():\n    ‸\n", crlf=True)
    assert suggestion.text == "a = 1\r\n    return a"
    assert "\r" not in script.requests[0]["prompt"] + script.requests[0]["suffix"]


async def test_an_engine_that_dies_in_the_middle() -> None:
    """Half an answer is no answer; the caller says so, and the next request is a new one."""
    script, cache = Script(Answer(text="price", dropped=True), "price * count"), SuggestionCache()
    with pytest.raises(Unreachable):
        await ask(script.backend(), "total = ‸\n", cache=cache)
    assert (await ask(script.backend(), "total = ‸\n", cache=cache)).text == "price * count"


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Answer(status=503, problem="The engine is busy."), Overloaded),
        (Answer(status=500, problem="It broke."), Broken),
        (Answer(text="pri", problem="It broke."), Broken),
    ],
)
async def test_an_engine_that_says_no(answer: Answer, error: type[BackendError]) -> None:
    """Its sentence reaches the user."""
    with pytest.raises(error, match=answer.problem):
        await ask(Script(answer).backend(), "total = ‸\n")


async def test_cancelling_closes_the_stream() -> None:
    """A key pressed in the editor stops the engine."""
    script = Watched(Answer(text="price", endless=True))
    task = asyncio.create_task(ask(script.backend(), "total = ‸\n"))
    await script.asked.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert script.cancelled == 1


async def test_fast_typing_asks_once() -> None:
    """What is overtaken within the pause has asked nothing; a request by hand does not wait."""
    script = Script("price\n")
    config = replace(CONFIG, pause_ms=60_000)
    task = asyncio.create_task(ask(script.backend(), "total = ‸\n", config=config))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert script.requests == []
    assert (await ask(script.backend(), "total = ‸\n", config=config, explicit=True)).text == "price"


async def test_no_source_text_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """One line with keys and numbers for each answer."""
    caplog.set_level(logging.DEBUG, "completion")
    await ask(Script("secret_price\n").backend(), "secret_total = ‸\n")
    lines = [it.getMessage() for it in caplog.records if it.name.startswith("completion")]
    assert len(lines) == 1
    assert lines[0].startswith(
        "complete language=python shape=line reason=rest_of_line source=model cached=0 shown=12 "
    )
    assert "secret" not in lines[0]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\0\0\x7fELF\x02" * 1000,
        "x" * 1_000_000,
        "x = 1\n" * 100_000,
        "\r\n" * 1000,
        "👩🏽" * 1000,
        "\ud800",
    ],
    ids=["empty", "binary", "megabyte line", "100k lines", "crlf", "emoji", "half a pair"],
)
@pytest.mark.parametrize("offset", [-1, 0, 500, 10**9])
@pytest.mark.parametrize("explicit", [False, True])
async def test_bad_input_has_one_answer(text: str, offset: int, explicit: bool) -> None:
    """Any text, any offset: a suggestion or a reason."""
    spot = spot_at(text, offset, path="p", language="python", config=CONFIG)
    trigger = decide(spot, explicit=explicit, previous=None, config=CONFIG)
    answer = "y = 2\n" if trigger.shape != "none" else None
    script = Script(*[answer] if answer else [])
    suggestion = await complete(reach(script.backend()), SuggestionCache(), spot, trigger, CONFIG, "m")
    assert bool(suggestion.text) or suggestion.reason
    assert script.left == 0


@given(
    st.lists(st.sampled_from(["x", "(", ")", '"', "\n", "    ", "<|x|>", "é", "return", "}"]), max_size=15),
    st.sampled_from(["x = ‸\n", "f(‸)\n", "def f():\n    ‸\n    x\n", "{‸}", '"""‸"""']),
    st.booleans(),
)
async def test_any_answer_is_shown_in_place_or_not_at_all(
    pieces: list[str], document: str, crlf: bool
) -> None:
    """What the editor gets back can be put into the document as it is."""
    suggestion = await ask(Script("".join(pieces)).backend(), document, explicit=True, crlf=crlf)
    spot = spot_of(document, crlf=crlf)
    assert bool(suggestion.text) or suggestion.reason
    assert suggestion.text.count("\n") == suggestion.text.count(spot.line_ending)
    assert 0 <= suggestion.replace_after <= len(spot.line_after)
    assert in_place(spot, suggestion).startswith(spot.line_before)


def test_the_public_names() -> None:
    """Few, and all there."""
    assert len(completion.__all__) <= 10
    assert all(hasattr(completion, it) for it in completion.__all__)
    assert Trigger.__name__ in completion.__all__


async def test_what_is_known_needs_no_engine() -> None:
    """Typing through a suggestion is answered while the engine is away."""
    cache = SuggestionCache()
    await ask(scripted("a + b"), "def add(a, b):\n    return ‸\n", cache=cache)

    async def away() -> Backend:
        raise Unreachable("No engine answers.")

    spot = spot_of("def add(a, b):\n    return a‸\n", "python", CONFIG)
    trigger = decide(spot, explicit=False, previous=None, config=CONFIG)
    suggestion = await complete(away, cache, spot, trigger, CONFIG, "m")
    assert (suggestion.text, suggestion.cached) == (" + b", True)


async def test_who_asks_by_hand_waits_longer_than_who_types() -> None:
    """The deadline for ghost text is too short for a model that is still being loaded."""
    config = replace(CONFIG, deadline_ms=1)
    slow = scripted(Answer(text="a + b", delay=0.1), Answer(text="a + b", delay=0.1))
    assert (await ask(slow, "x = ‸\n", config=config)).reason == "deadline"
    assert (await ask(slow, "x = ‸\n", config=config, explicit=True)).text == "a + b"


async def test_three_different_ones_for_who_asks_by_hand() -> None:
    """From one request, each cleaned, the best first; typing gets one."""
    answer = Answer(text="price * count\n", others=("price\n", "price * count  \n"))
    script = Script(answer, "price * count\n")
    cache = SuggestionCache()
    suggestion = await ask(script.backend(), "total = ‸\n", explicit=True, cache=cache)
    assert [suggestion.text, *(it.text for it in suggestion.others)] == ["price * count", "price"]
    assert script.requests[0]["n"] == 3
    again = await ask(script.backend(), "total = pri‸\n", explicit=True, cache=cache)
    assert [again.text, *(it.text for it in again.others)] == ["ce * count", "ce"]
    automatic = await ask(script.backend(), "total = ‸\n")
    assert automatic.others == ()
    assert "n" not in script.requests[1]


async def test_a_further_one_where_the_first_says_nothing() -> None:
    """Somebody who asks wants to see something."""
    answer = Answer(text="", others=("a\nb = 2\n", "c"))
    suggestion = await ask(Script(answer).backend(), "total = ‸\n", explicit=True)
    assert [suggestion.text, *(it.text for it in suggestion.others)] == ["a", "c"]


async def test_several_blocks_end_where_each_has_said_enough() -> None:
    """The stream is closed when the last one has, and not before."""
    others = ("return 2\n\n\ndef g():\n", "x = 3\n    return x\n\n\ndef h():\n")
    script = Script(Answer(text="return 1\n\n\ndef f():\n", others=others, endless=True))
    suggestion = await ask(script.backend(), "def f():\n    ‸\n", explicit=True)
    texts = {suggestion.text, *(it.text for it in suggestion.others)}
    assert texts == {"return 1", "return 2", "x = 3\n    return x"}
    assert script.cancelled == 1


async def test_what_was_shown_by_itself_is_no_answer_for_who_asks() -> None:
    """They want more to choose from than what they have seen."""
    script, cache = Script("price\n", Answer(text="price\n", others=("cost\n",))), SuggestionCache()
    await ask(script.backend(), "total = ‸\n", cache=cache)
    suggestion = await ask(script.backend(), "total = ‸\n", cache=cache, explicit=True)
    assert [suggestion.text, *(it.text for it in suggestion.others)] == ["price", "cost"]
    assert (await ask(script.backend(), "total = ‸\n", cache=cache)).cached


async def test_an_engine_that_has_given_up() -> None:
    """It stops when nobody would be shown the answer; a line that was finished before counts all the same."""
    unsure = Answer(text="price * ", unsure=True, logprob=logprob(0.9))
    suggestion = await ask(Script(unsure).backend(), "total = ‸\n")
    assert (suggestion.text, suggestion.reason) == ("", "low_confidence")
    lost = Answer(text="return 1\n\n\nwhatever", unsure=True, logprob=logprob(0.9))
    assert (await ask(Script(lost).backend(), "def f():\n    ‸\n")).text == "return 1"


async def test_what_is_asked_of_the_engine() -> None:
    """Half a word may be finished, and what would not be shown may be left."""
    script = Script("ce\n", "ce\n")
    await ask(script.backend(), "total = pri‸\n")
    ours = script.requests[0]["hearth"]
    assert (ours["heal"], ours["middle"], ours["priority"]) == (True, "total = pri", "typing")
    assert 0 < ours["least_probability"] < CONFIG.confidence_threshold
    certain = replace(CONFIG, confidence_threshold=0.0)
    await ask(script.backend(), "total = pri‸\n", config=certain, explicit=True)
    assert "least_probability" not in script.requests[1]["hearth"]
