"""What the engine has read, what it reads next in the background, and which anchor answers meanwhile."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from completion import Spot, SuggestionCache, complete, decide
from completion.complete import look_ahead
from completion.config import CHARACTERS_PER_TOKEN
from completion.pace import Pace
from completion.recall import NOTHING
from completion.sessions import KEPT_SECONDS, MOST_READ, Session, Sessions
from completion.trigger import Trigger
from models.backend import Backend
from models.errors import Unreachable
from models.wire import Snippet, Usage
from tests.completion.fixtures import CONFIG, CURSOR, reach, spot_of
from tests.harness import Answer, Script

LINES = [f"value_{it} = compute({it}, first, second)\n" for it in range(400)]
FIRST_CHARACTERS = Pace().first_tokens * CHARACTERS_PER_TOKEN


def document(line: int, typed: str, *, more: str = "") -> str:
    """A long document with something typed on a line of its own."""
    return "".join([*LINES[:line], more, typed, CURSOR, "\n", *LINES[line:]])


def at(marked: str) -> tuple[Spot, Trigger]:
    spot = spot_of(marked)
    return spot, decide(spot, explicit=False, previous=None, config=CONFIG)


def open_session(sessions: Sessions, script: Script, name: str = "a") -> Session:
    return sessions.session(name, "m", CONFIG, reach(script.backend()))


def full(script: Script) -> list[dict[str, Any]]:
    """What was read ahead, without the small prompts that are read first."""
    return [it for it in script.ahead if FIRST_CHARACTERS < len(it["prompt"])]


async def rest(sessions: Sessions) -> None:
    """Until nothing is read in the background any more."""
    while sessions.is_reading:  # noqa: ASYNC110  # one turn of the loop at a time
        await asyncio.sleep(0)


async def test_after_a_jump_a_small_prompt_answers_and_the_full_one_takes_over() -> None:
    """The first answer waits for little; what is typed next is asked with all that there is to see."""
    sessions, script = Sessions(), Script()
    session = open_session(sessions, script)
    first = session.request(*at(document(200, "x = ")))
    assert len(first.prompt) + len(first.suffix or "") + len(first.middle) <= FIRST_CHARACTERS
    session.prepare(at(document(200, "x = "))[0])
    second = session.request(*at(document(200, "x = 1")))
    assert (second.prompt, second.suffix) == (first.prompt, first.suffix)
    await rest(sessions)
    (read,) = script.ahead
    assert (read["max_tokens"], read["hearth"]["middle"]) == (0, "x = ")
    third = session.request(*at(document(200, "x = 12")))
    assert (third.prompt, third.suffix) == (read["prompt"], read["suffix"])
    assert third.middle == "x = 12"
    assert len(third.prompt) == pytest.approx(CONFIG.prefix_characters, rel=0.5)
    session.prepare(at(document(200, "x = 12"))[0])
    assert not sessions.is_reading


async def test_where_somebody_may_type_a_small_prompt_is_read_first() -> None:
    """The key that comes soon after finds at least that, and need not wait for its reading."""
    sessions, script = Sessions(), Script()
    session = open_session(sessions, script)
    session.hint(at(document(200, ""))[0])
    while len(script.ahead) < 2:  # noqa: ASYNC110  # one turn of the loop at a time
        await asyncio.sleep(0)
    small, full = script.ahead
    assert len(small["prompt"]) + len(small["suffix"]) <= FIRST_CHARACTERS < len(full["prompt"])
    request = session.request(*at(document(200, "x")))
    assert (request.prompt, request.suffix) == (small["prompt"], small["suffix"])
    await rest(sessions)
    assert session.request(*at(document(200, "x"))).prompt == full["prompt"]
    session.hint(at(document(200, "x"))[0])
    assert not sessions.is_reading


async def test_what_is_near_is_asked_with_what_is_known() -> None:
    """A few lines further down all above is read already: only less of what follows is, for the moment."""
    sessions, script = Sessions(), Script()
    session = open_session(sessions, script)
    session.hint(at(document(200, ""))[0])
    await rest(sessions)
    text = "".join([*LINES[:200], "\n", *LINES[200:]])
    down = text.replace(LINES[201], f"{LINES[201]}x = {CURSOR}\n", 1)
    request = session.request(*at(down))
    assert request.prompt.startswith(script.ahead[1]["prompt"])
    assert len(request.suffix or "") < CONFIG.suffix_characters / 4
    session.prepare(at(down)[0])
    await rest(sessions)
    assert script.ahead[2]["prompt"] == request.prompt
    assert script.ahead[2]["suffix"].startswith(request.suffix)
    assert session.request(*at(down)).suffix == script.ahead[2]["suffix"]


async def test_typing_on_keeps_the_anchor_until_the_next_one_is_there() -> None:
    """A middle that has become long is asked with until its lines belong to a prompt of their own."""
    sessions, script = Sessions(), Script()
    session = open_session(sessions, script)
    session.hint(at(document(180, ""))[0])
    await rest(sessions)
    written = "a = b\n" * (CONFIG.middle_characters // 6 + 1)
    spot, trigger = at(document(180, "c = ", more=written))
    before = session.request(spot, trigger)
    assert before.middle == f"{written}c = "
    session.prepare(spot)
    assert session.request(spot, trigger) == before
    await rest(sessions)
    after = session.request(spot, trigger)
    assert after.middle == "c = "
    assert after.prompt.endswith(written)
    assert after.prompt[: len(before.prompt)] == before.prompt


async def test_an_overtaken_reading_is_cancelled() -> None:
    """One thing at a time: somebody who has jumped again wants the other place."""
    sessions, script = Sessions(), Script()

    async def never() -> Backend:
        await asyncio.Event().wait()
        raise AssertionError("unreachable")

    stuck = sessions.session("a", "m", CONFIG, never)
    stuck.hint(at(document(100, ""))[0])
    await asyncio.sleep(0)
    session = open_session(sessions, script)
    session.hint(at(document(300, ""))[0])
    await rest(sessions)
    assert all(it["prompt"].endswith(LINES[299]) for it in script.ahead)
    assert session.request(*at(document(300, "x"))).prompt == script.ahead[-1]["prompt"]


async def test_a_reading_that_will_do_goes_on() -> None:
    """The key that comes while a hinted place is read does not begin it anew."""
    sessions, script = Sessions(), Script()
    session = open_session(sessions, script)
    session.hint(at(document(100, ""))[0])
    session.request(*at(document(100, "x")))
    session.prepare(at(document(100, "x"))[0])
    session.hint(at(document(100, "xy"))[0])
    await rest(sessions)
    assert len(script.ahead) == 2


async def test_who_types_while_something_is_read_is_told_of_once_a_second() -> None:
    """The engine leaves them a processor; where nothing is read there is nothing to say."""
    clock = [0.0]
    sessions, script = Sessions(lambda: clock[0]), Script()
    session = open_session(sessions, script)
    session.hint(at(document(100, ""))[0])
    for clock[0] in (0.0, 0.5, 1.5):
        session.prepare(at(document(100, "x"))[0])
    await rest(sessions)
    session.prepare(at(document(100, "xy"))[0])
    await sessions.close()
    assert script.typed == 2


async def test_an_answer_made_ahead_says_nothing_about_speed() -> None:
    """It has fewer processors than one for which somebody waits."""
    sessions, cache = Sessions(), SuggestionCache()
    script = Script("first + second + third\n")
    script.ahead_answers = [Answer(text="first + second + third\n")]
    session = open_session(sessions, script)
    spot, trigger = at(document(200, "x = "))
    session.request(spot, trigger)
    await look_ahead(reach(script.backend()), cache, spot, trigger, CONFIG, "m", NOTHING, session)
    assert sessions._pace == Pace()
    await complete(reach(script.backend()), SuggestionCache(), spot, trigger, CONFIG, "m", session=session)
    assert sessions._pace != Pace()
    await sessions.close()


async def test_documents_have_anchors_of_their_own() -> None:
    """Coming back to the other one finds it as it was left; closing it forgets it."""
    sessions, script = Sessions(), Script()
    a, b = open_session(sessions, script, "a"), open_session(sessions, script, "b")
    for session, line in ((a, 100), (b, 300)):
        session.hint(at(document(line, ""))[0])
        await rest(sessions)
    prompts = [it["prompt"] for it in full(script)]
    assert [a.request(*at(document(100, "x"))).prompt, b.request(*at(document(300, "x"))).prompt] == prompts
    sessions.forget("a")
    assert sessions.anchors("a") == ()
    assert len(sessions.anchors("b")) == 1
    for line in range(0, 400, 40):
        b.request(*at(document(line, "y")))
    assert len(sessions.anchors("b")) == MOST_READ


async def test_what_was_not_used_for_a_while_is_read_again() -> None:
    """The engine makes room: only what was used last is surely still there."""
    now = 0.0
    sessions, script = Sessions(lambda: now), Script()
    a, b = open_session(sessions, script, "a"), open_session(sessions, script, "b")
    for session, line in ((a, 100), (b, 300)):
        session.hint(at(document(line, ""))[0])
        await rest(sessions)
    now = KEPT_SECONDS
    assert b.request(*at(document(300, "x"))).prompt == full(script)[1]["prompt"]
    assert len(a.request(*at(document(100, "x"))).prompt) < len(full(script)[0]["prompt"]) / 4
    a.hint(at(document(100, "x"))[0])
    await rest(sessions)
    assert a.request(*at(document(100, "xy"))).prompt == full(script)[2]["prompt"]
    assert full(script)[2]["prompt"] == full(script)[0]["prompt"]


@pytest.mark.parametrize("how", ["lost", "model"])
async def test_what_an_engine_has_read_goes_with_it(how: str) -> None:
    """Another engine, or another model, begins with a small prompt again."""
    sessions, script = Sessions(), Script()
    session = open_session(sessions, script)
    session.hint(at(document(100, ""))[0])
    await rest(sessions)
    if how == "lost":
        sessions.lost()
    else:
        session = sessions.session("a", "other", CONFIG, reach(script.backend()))
    small = session.request(*at(document(100, "x")))
    assert len(small.prompt) < len(full(script)[0]["prompt"]) / 4


async def test_a_reading_that_fails_harms_nothing() -> None:
    """The old anchor answers, and what was refused is not tried at every key."""
    sessions = Sessions()
    times = 0

    async def away() -> Backend:
        nonlocal times
        times += 1
        raise Unreachable("No engine answers.")

    session = sessions.session("a", "m", CONFIG, away)
    for typed in ("x", "xy"):
        spot, trigger = at(document(100, typed))
        assert session.request(spot, trigger).middle == typed
        session.prepare(spot)
        await rest(sessions)
    assert times == 1
    await sessions.close()


async def test_a_fast_engine_reads_more_at_once() -> None:
    """How much is read before the first answer follows from what reading has cost."""
    sessions, script = Sessions(), Script()
    session = open_session(sessions, script)
    for _ in range(20):
        session.learn(
            Usage(prompt_tokens=1000, cached_tokens=0, completion_tokens=0, prompt_ms=50.0, decode_ms=0.0)
        )
    request = session.request(*at(document(200, "x = ")))
    assert FIRST_CHARACTERS * 4 < len(request.prompt)
    session.prepare(at(document(200, "x = "))[0])
    assert not sessions.is_reading


async def test_context_belongs_to_the_anchor() -> None:
    """It stays while its prompt can be kept; who comes from another document gets what is new there."""
    sessions, script = Sessions(), Script()
    pieces = [Snippet(path="b.py", text="B = 2\n")]

    def context(before: str, after: str, tokens: int) -> tuple[tuple[Snippet, ...], str]:
        assert LINES[99] in before
        assert tokens == CONFIG.snippet_tokens
        return tuple(pieces), "project"

    session = sessions.session("a", "m", CONFIG, reach(script.backend()), context)
    session.hint(at(document(100, ""))[0])
    await rest(sessions)
    ours = script.ahead[1]["hearth"]
    assert (ours["snippets"], ours["repository"]) == ([{"path": "b.py", "text": "B = 2\n"}], "project")
    pieces.append(Snippet(path="c.py", text="C = 3\n"))
    session.hint(at(document(100, "x"))[0])
    assert not sessions.is_reading
    open_session(sessions, script, "b").request(*at("x = ‸\n"))
    session.hint(at(document(100, "x"))[0])
    await rest(sessions)
    assert len(script.ahead[-1]["hearth"]["snippets"]) == 2


async def test_accepting_shows_the_next_suggestion_at_once() -> None:
    """It was made while the first one was on screen; where there is none, that is known as well."""
    sessions, script, cache = Sessions(), Script("1\n"), SuggestionCache()
    script.ahead_answers = [Answer(text="y = 2\n"), Answer(text="")]
    session = open_session(sessions, script)

    async def unwanted() -> Backend:
        raise AssertionError("the engine is asked although the answer is known")

    spot, trigger = at("x = ‸\n")
    shown = await complete(reach(script.backend()), cache, spot, trigger, CONFIG, "m", session=session)
    assert shown.text == "1"
    for marked, text in (("x = 1\n‸\n", "y = 2"), ("x = 1‸\n", "")):
        later, why = at(marked)
        found = await look_ahead(reach(script.backend()), cache, later, why, CONFIG, "m", NOTHING, session)
        assert found is not None
        answer = await complete(unwanted, cache, later, why, CONFIG, "m", session=session)
        assert (answer.text, answer.cached) == (text, True)
    assert [it["hearth"]["priority"] for it in script.ahead] == ["prefill", "prefill"]
    assert script.ahead[0]["prompt"] == script.requests[0]["prompt"]


async def test_what_is_made_ahead_does_not_wait_for_what_is_read() -> None:
    """After a jump the full window takes seconds to read: that stops, and goes on behind what is made."""
    sessions, script, cache = Sessions(), Script(), SuggestionCache()
    session = open_session(sessions, script)
    spot, trigger = at(document(200, "x = "))
    session.request(spot, trigger)
    script.ahead_answers = [Answer(text="1\n", delay=0.05)]
    session.prepare(spot)
    looking = look_ahead(reach(script.backend()), cache, spot, trigger, CONFIG, "m", NOTHING, session)
    made = asyncio.create_task(looking)
    while len(script.ahead) < 2:  # noqa: ASYNC110  # one turn of the loop at a time
        await asyncio.sleep(0)
    assert (sessions.is_reading, len(sessions.anchors("a"))) == (True, 1)
    suggestion = await made
    assert suggestion is not None
    assert suggestion.text == "1"
    await rest(sessions)
    read, looked, again = script.ahead
    assert looked["max_tokens"] > 0
    assert read == again
    assert len(sessions.anchors("a")) == 2


async def test_what_made_way_is_dropped_with_its_document() -> None:
    """It does not go on when nobody wants it any more."""
    sessions, script = Sessions(), Script()
    session = open_session(sessions, script)
    spot, trigger = at(document(200, "x = "))
    session.request(spot, trigger)
    session.prepare(spot)
    with session.aside():
        sessions.forget("a")
    assert not sessions.is_reading
    await asyncio.sleep(0.01)
    assert script.ahead == []


async def test_nothing_is_looked_for_ahead_where_no_anchor_is() -> None:
    """It would cost the reading of a whole prompt, for what may never be asked."""
    sessions, script, cache = Sessions(), Script(), SuggestionCache()
    session = open_session(sessions, script)
    spot, trigger = at(document(100, "x = "))
    found = await look_ahead(reach(script.backend()), cache, spot, trigger, CONFIG, "m", NOTHING, session)
    assert found is None
    assert script.ahead == []


async def test_what_fails_ahead_is_not_remembered() -> None:
    """Nobody has asked: nothing is said, and the next request asks as usual."""
    sessions, script, cache = Sessions(), Script("1\n"), SuggestionCache()
    session = open_session(sessions, script)
    spot, trigger = at("x = ‸\n")
    session.request(spot, trigger)
    script.ahead_answers = [Answer(text="1", problem="It broke.")]
    assert (
        await look_ahead(reach(script.backend()), cache, spot, trigger, CONFIG, "m", NOTHING, session) is None
    )
    script.ahead_answers = [Answer(text="1", endless=True)]
    hasty = replace(CONFIG, deadline_ms=20)
    assert (
        await look_ahead(reach(script.backend()), cache, spot, trigger, hasty, "m", NOTHING, session) is None
    )
    answer = await complete(reach(script.backend()), cache, spot, trigger, CONFIG, "m", session=session)
    assert (answer.text, answer.cached) == ("1", False)
