"""Questions in conversations: the code they are about, who answers, what is cited, and what is kept of it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pytest

from chat import ask_prompt, converse, history
from chat.conversation import Conversation, Turn
from chat.converse import Answer, Done, Gathered, begin, keeping, read, reply, resend
from chat.desk import Desk
from chat.events import Decided, Text
from chat.history import History
from chat.types import Place, Selection
from models.estimate import tokens
from models.wire import ChatMessage
from tests.chat.code_in_memory import InMemory
from tests.chat.desks import away, cut_off, near, said, sitting
from tests.models.loopback.server import Request, begins, event, plain, serving
from tests.models.loopback.shapes import delta

CART = """class Cart:
    def total(self):
        result = 0
        for line in self.lines:
            result += line.price * line.count
        return result

    def add(self, line):
        self.lines.append(line)
"""
SHIPPING = """def shipping_cost(weight):
    if weight < 10:
        return 4
    return 9
"""
FILES = {"src/cart.py": CART, "src/shipping.py": SHIPPING, "README.md": "# Shop\n\nA shop.\n"}
BUSY = plain(503, {"error": {"message": "no room"}})


async def talk(
    at: AbstractAsyncContextManager[Desk],
    text: str = "How is the total of a cart computed?",
    before: Conversation | None = None,
    change: Any = lambda it: it,
    **rest: Any,
) -> tuple[list[Any], Answer]:
    """All events, and the answer."""
    events: list[Any] = []
    question = rest.pop("question", None) or read(text)
    async with (
        at as desk,
        aclosing(reply(change(desk), before or begin(text), question, asked=text, **rest)) as replying,
    ):
        async for it in replying:
            events.append(it)
    assert isinstance(events[-1], Done)
    return events, events[-1].answer


def messages(request: Request) -> list[dict[str, str]]:
    """What a server was sent."""
    found: list[dict[str, str]] = request.json["messages"]
    return found


async def test_the_answer_of_a_model_with_links(tmp_path: Path) -> None:
    """Context, then question; numbers become links as they come; the turn has all that was sent and said."""
    async with serving(said("It adds up [", "1].", cached=3)) as server:
        events, answer = await talk(sitting(tmp_path, near(server), files=FILES))
    kinds = [type(it) for it in events]
    assert kinds[:2] == [Gathered, Decided]
    assert set(kinds[2:-1]) == {Text}
    place = answer.turn.numbers[1]
    assert place.path == "src/cart.py"
    assert answer.turn.shown == f"It adds up [{place.link}]({place.link})."
    assert "".join(it.text for it in events if isinstance(it, Text)) == answer.turn.shown
    assert answer.turn.said == "It adds up [1]."
    assert answer.places == (place,)
    sent = messages(server.requests[0])
    assert [it["role"] for it in sent] == ["system", "user", "assistant", "user"]
    assert sent[-1]["content"] == answer.turn.prompt
    assert "[1] src/cart.py:" in answer.turn.prompt
    assert "result += line.price * line.count" in answer.turn.prompt
    assert answer.turn.prompt.endswith("How is the total of a cart computed?")
    assert (answer.turn.tier, answer.turn.server, answer.turn.is_whole) == ("local", "near", True)
    assert answer.conversation.turns == (answer.turn,)
    assert answer.conversation.title == "How is the total of a cart computed?"
    assert answer.usage
    assert answer.usage.cached_tokens == 3


async def test_what_was_sent_is_sent_again(tmp_path: Path) -> None:
    """Byte for byte, and what the model has before it is not sent twice: numbers go on."""
    async with serving(said("It adds up [1]."), said("See [1] and [2].")) as server:
        _, first = await talk(sitting(tmp_path, near(server), files=FILES))
        _, second = await talk(
            sitting(tmp_path, near(server), files=FILES), "And where does it append?", first.conversation
        )
    one, two = (messages(it) for it in server.requests)
    assert two[: len(one)] == one
    assert two[len(one)] == {"role": "assistant", "content": "It adds up [1]."}
    assert "result += line.price" not in two[-1]["content"]
    assert not second.turn.numbers.keys() & first.turn.numbers.keys()
    assert next(it.path for it in second.places) == "src/cart.py"
    assert second.conversation.turns == (first.turn, second.turn)


async def test_what_has_changed_is_shown_again(tmp_path: Path) -> None:
    """A place whose text is another one now comes with a new number."""
    async with serving(said("It adds up [1]."), said("Now it is [1].")) as server:
        _, first = await talk(sitting(tmp_path, near(server), files=FILES))
        changed = FILES | {"src/cart.py": CART.replace("result = 0", "result = 1")}
        _, second = await talk(
            sitting(tmp_path, near(server), files=changed),
            "How is the total of the cart computed now?",
            first.conversation,
        )
    assert "result = 1" in second.turn.prompt
    assert max(first.turn.numbers) < min(second.turn.numbers)


async def test_a_file_that_is_gone_is_not_cited(tmp_path: Path) -> None:
    """A number of an earlier turn whose place is not there any more disappears."""
    async with serving(said("It adds up [1]."), said("See [1] there.")) as server:
        _, first = await talk(sitting(tmp_path, near(server), files=FILES))
        _, second = await talk(
            sitting(tmp_path, near(server), files={"README.md": "# Shop\n"}), "And it?", first.conversation
        )
    assert second.turn.shown == "See there."
    assert second.places == ()


async def test_without_a_model_the_code_answers(tmp_path: Path) -> None:
    """Nobody is asked; the answer has links, and how to get words."""
    events, answer = await talk(sitting(tmp_path, files=FILES), "Where is shipping_cost?")
    assert [type(it) for it in events] == [Decided, Text, Done]
    assert (answer.turn.tier, answer.turn.server, answer.turn.is_whole) == ("extractive", "", True)
    assert "(src/shipping.py#L1" in answer.turn.shown
    assert "`chat.model`" in answer.turn.shown
    assert "src/shipping.py" in {it.path for it in answer.places}
    assert answer.turn.prompt == ""


async def test_a_model_reads_what_the_code_had_answered(tmp_path: Path) -> None:
    """A conversation that began without a model goes on with one, in few words."""
    _, first = await talk(sitting(tmp_path, files=FILES), "Where is shipping_cost?")
    async with serving(said("Yes.")) as server:
        await talk(sitting(tmp_path, near(server), files=FILES), "Is that all?", first.conversation)
    sent = messages(server.requests[0])
    assert sent[3] == {"role": "user", "content": "Where is shipping_cost?"}
    assert sent[4]["role"] == "assistant"
    assert "shipping_cost" in sent[4]["content"]
    assert "](" not in sent[4]["content"]


async def test_a_model_that_fails_is_replaced_by_the_code(tmp_path: Path) -> None:
    """Both decisions are told, what was wrong stands with the turn, and nobody is told to set up a model."""
    async with serving(BUSY) as server:
        events, answer = await talk(sitting(tmp_path, near(server), files=FILES), "Where is shipping_cost?")
    decided = [it.decision.tier for it in events if isinstance(it, Decided)]
    assert decided == ["local", "extractive"]
    assert answer.turn.problem == "Near has no room right now (no room)."
    assert "shipping.py" in answer.turn.shown
    assert "`chat.model`" not in answer.turn.shown


async def test_an_answer_that_breaks_off(tmp_path: Path) -> None:
    """What was said stands, with the reason; the next question goes on from it."""
    async with serving(cut_off("It adds"), closes=True) as server:
        _, answer = await talk(sitting(tmp_path, near(server), files=FILES))
    assert (answer.turn.shown, answer.turn.is_whole) == ("It adds", False)
    assert answer.turn.problem
    async with serving(said("ok")) as server:
        await talk(sitting(tmp_path, near(server), files=FILES), "And then?", answer.conversation)
    assert messages(server.requests[0])[4] == {"role": "assistant", "content": "It adds"}


async def test_an_answer_that_is_too_long(tmp_path: Path) -> None:
    """It is said that there would be more."""
    async with serving(said("It adds", finish="length")) as server:
        _, answer = await talk(sitting(tmp_path, near(server), files=FILES))
    assert not answer.turn.is_whole
    assert answer.turn.problem == "The answer has reached its limit of tokens."


async def stopped(desk: Desk, kept: History, conversation: Conversation, text: str) -> None:
    """Ask, read two pieces of the answer, and stop."""
    count = 0
    replying = reply(desk, conversation, read(text), choice="local", keep=keeping(kept))
    async with aclosing(replying) as events:
        async for it in events:
            count += isinstance(it, Text)
            if count == 2:
                break


async def test_what_was_said_before_a_stop_is_kept(tmp_path: Path) -> None:
    """Stopping is closing: the server hangs up, and the history has question and words."""
    kept = History(tmp_path / history.NAME)
    conversation = begin("How is the total computed?", root="/shop")
    parts = begins(event(delta("One")), event(delta(" two")), event(delta(" three")))
    async with serving(parts) as server, sitting(tmp_path, near(server), files=FILES) as desk:
        await stopped(desk, kept, conversation, "How is the total computed?")
        async with asyncio.timeout(20):
            await server.hung_up.wait()
    found = kept.get(conversation.id)
    assert found
    assert (found.root, found.title) == ("/shop", "How is the total computed?")
    (turn,) = found.turns
    assert (turn.asked, turn.shown, turn.is_whole) == ("How is the total computed?", "One two", False)
    assert turn.server == "near"


async def test_a_cancelled_answer_is_kept_too(tmp_path: Path) -> None:
    """Whenever that is: before the first word there is the question at least."""
    kept = History(tmp_path / history.NAME)
    conversation = begin("Why?")

    async def run() -> None:
        async with aclosing(reply(desk, conversation, read("Why?"), keep=keeping(kept))) as events:
            async for _ in events:
                pass

    async with serving(begins()) as server, sitting(tmp_path, near(server), files=FILES) as desk:
        task = asyncio.create_task(run())
        async with asyncio.timeout(20):
            while not server.requests:  # noqa: ASYNC110  # the server knows no events
                await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    (turn,) = (kept.get(conversation.id) or conversation).turns
    assert (turn.asked, turn.said, turn.is_whole) == ("Why?", "", False)


async def test_a_whole_conversation_is_kept(tmp_path: Path) -> None:
    """And goes on in another window as if it had never been closed."""
    kept = History(tmp_path / history.NAME)
    async with serving(said("It adds up [1]."), said("Yes.")) as server:
        _, first = await talk(sitting(tmp_path, near(server), files=FILES), keep=keeping(kept))
        again = kept.get(first.conversation.id)
        assert again
        assert again.turns == (first.turn,)
        await talk(sitting(tmp_path, near(server), files=FILES), "Is it?", again, keep=keeping(kept))
    one, two = (messages(it) for it in server.requests)
    assert two[: len(one)] == one
    assert [it.asked for it in (kept.get(again.id) or again).turns][1:] == ["Is it?"]


async def test_a_history_that_cannot_be_written(tmp_path: Path) -> None:
    """The answer comes all the same, with one sentence about it."""
    (tmp_path / "folder").write_text("in the way")
    kept = History(tmp_path / "folder" / history.NAME)
    _, answer = await talk(sitting(tmp_path, files=FILES), "Where is shipping_cost?", keep=keeping(kept))
    assert answer.turn.is_whole
    assert len(answer.problems) == 1
    assert "cannot be written" in answer.problems[0]


async def test_the_latest_state_stays() -> None:
    """A thread that is late does not bring back what the turn was before."""

    class Slow:
        problem = ""
        states: ClassVar[list[str]] = []

        def keep(self, _conversation: Conversation, turns: Sequence[Turn]) -> None:
            self.states.append(turns[0].shown)

    slow: Any = Slow()
    keep, turn = keeping(slow), Turn(id="t", at=0.0, asked="")
    old = keep(Conversation(id="c"), replace(turn, shown="old"))
    await keep(Conversation(id="c"), replace(turn, shown="new"))
    await old
    assert slow.states in (["new"], ["old", "new"])


async def test_edit_and_ask_again(tmp_path: Path) -> None:
    """What came after the turn is dropped, and what came before is sent as it was."""
    async with serving(said("One."), said("Two."), said("Three.")) as server:
        _, first = await talk(sitting(tmp_path, near(server), files=FILES))
        _, second = await talk(sitting(tmp_path, near(server), files=FILES), "And it?", first.conversation)
        before, dropped = resend(second.conversation, 1)
        assert dropped == (second.turn.id,)
        _, third = await talk(sitting(tmp_path, near(server), files=FILES), "Or it?", before)
    assert third.conversation.turns == (first.turn, third.turn)
    two, three = (messages(it) for it in server.requests[1:])
    assert two[:-1] == three[:-1]
    assert resend(second.conversation, 0)[0].turns == ()
    assert resend(second.conversation, 7) == (second.conversation, ())


async def test_a_long_conversation_is_condensed(tmp_path: Path) -> None:
    """It never outgrows the model; the oldest turns become sentences, the last ones stay as they were."""
    conversation = begin("First")
    answers = [said(f"Answer {number}. " + "word " * 300) for number in range(12)]
    summaries = set()
    async with serving(*answers) as server:
        for number in range(12):
            _, answer = await talk(
                sitting(tmp_path, near(server, tokens=4096), files=FILES),
                f"Question {number} about the cart and its total?",
                conversation,
            )
            conversation = answer.conversation
            summaries.add(conversation.summary)
    assert conversation.condensed
    sent = messages(server.requests[-1])
    assert "Question 0 about the cart" in sent[0]["content"]
    assert sent[-3]["content"] == conversation.turns[-2].prompt
    sizes = [sum(tokens(it["content"]) for it in messages(request)) for request in server.requests]
    assert max(sizes) <= 3072
    assert len(summaries) < 6  # In large steps: most turns begin with what the last one began with.


async def test_a_question_longer_than_the_model_holds(tmp_path: Path) -> None:
    """Its beginning and its end are asked; it is kept whole."""
    text = f"What does this log say? {'line of a log ' * 20_000} That was it."
    async with serving(said("Nothing.")) as server:
        _, answer = await talk(sitting(tmp_path, near(server, tokens=2048), files=FILES), text)
    asked = messages(server.requests[0])[-1]["content"]
    assert "What does this log say?" in asked
    assert asked.endswith("That was it.")
    assert len(asked) < 8000
    assert answer.turn.asked == text


async def test_mentions_and_selections(tmp_path: Path) -> None:
    """What is named comes first and is not left out; what is not there is a sentence."""
    selection = Selection(
        path="src/shipping.py", language="python", first_line=2, last_line=3, text="    if weight < 10:\n"
    )
    question = read("Explain @selection and @file:src/none.py", selection=selection)
    async with serving(said("ok")) as server:
        events, answer = await talk(
            sitting(tmp_path, near(server), files=FILES),
            "Explain @selection and @file:src/none.py",
            question=question,
        )
    assert "if weight < 10" in answer.turn.prompt
    assert "src/shipping.py" in {it.path for it in answer.turn.numbers.values()}
    assert any("none.py" in it for it in answer.problems)
    assert answer.turn.asked == "Explain @selection and @file:src/none.py"
    assert isinstance(events[0], Gathered)


async def test_notes_of_the_user(tmp_path: Path) -> None:
    """They stand at the beginning, where they cost nothing after the first question."""
    async with serving(said("ok"), said("ok")) as server:
        for notes in (("Tests run with make check.",), ()):
            await talk(
                sitting(tmp_path, near(server), files=FILES),
                change=lambda it, notes=notes: replace(it, notes=notes),
            )
    with_notes, without = (messages(it)[0]["content"] for it in server.requests)
    assert with_notes.endswith("- Tests run with make check.")
    assert "notes" not in without


async def test_the_cloud_sees_no_secret(tmp_path: Path) -> None:
    """Neither of what is selected nor of an earlier answer, in any turn; the user sees it as it is."""
    key = "AKIA" + "Z7Q3WJ5RT2YU6PLM"
    line = f"client = Client('{key}')\n"
    files = FILES | {"src/client.py": line}
    selection = Selection(path="src/client.py", language="python", first_line=1, last_line=1, text=line)
    async with serving(said("It is [secret: aws key]."), said("Yes.")) as far:
        _, first = await talk(
            sitting(tmp_path, away(), far=far, files=files),
            choice="cloud",
            question=read("What is passed?", selection=selection),
        )
        _, second = await talk(
            sitting(tmp_path, away(), far=far, files=files), "Is it?", first.conversation, choice="cloud"
        )
    assert first.turn.shown == f"It is {key}."
    assert not any(key in it.body.decode() for it in far.requests)
    one, two = (messages(it) for it in far.requests)
    assert two[: len(one)] == one
    assert [it.value for it in second.conversation.secrets] == [key]


def test_what_a_question_goes_on_from() -> None:
    """A short one, or one that points back, is looked up with those before, back to one that stands alone."""
    old = Turn(id="s", at=0.0, asked="Where is the shipping cost of parcels computed?")
    first = Turn(id="t", at=0.0, asked="How does @Cart compute totals correctly?")
    before = Conversation(id="c", turns=(old, first))
    for text, goes_on in (
        ("And the tests?", True), ("Who calls it from the shipping module?", True),
        ("What if a parcel follows the cart somewhere?", True),
        ("Where is the shipping cost computed for parcels?", False), ("Where is @file:a.py used?", False),
    ):  # fmt: skip
        found = ask_prompt.searched(before, read(text))
        assert ("How does Cart compute" in found.text) is goes_on, text
        assert "parcels computed?" not in found.text
    longer = replace(before, turns=(*before.turns, Turn(id="u", at=0.0, asked="And then?")))
    assert ask_prompt.searched(longer, read("Who calls it?")).text == (
        "Who calls it?\nAnd then?\nHow does Cart compute totals correctly?"
    )
    assert ask_prompt.searched(Conversation(id="c"), read("And it?")).text == "And it?"


def test_places_that_moved() -> None:
    """The same lines with another text are another place."""

    async def stamp(text: str, last: int = 2) -> dict[Place, int]:
        place = Place(path="a.py", first_line=2, last_line=last)
        return await converse._stamps([place], InMemory({"a.py": text}))

    one, other = asyncio.run(stamp("a\nb\nc")), asyncio.run(stamp("x\nb\nc"))
    assert one == other
    assert one != asyncio.run(stamp("a\nx\nc"))
    assert asyncio.run(stamp("a\nb", last=9)) == {}


def test_messages_are_values() -> None:
    """What is sent for a turn that said nothing still is a turn that a template takes."""
    from chat.condense import messages_of

    turn = Turn(id="t", at=0.0, asked="Why?", prompt="[1] a\n\nWhy?")
    assert messages_of(turn) == (
        ChatMessage(role="user", content="[1] a\n\nWhy?"), ChatMessage(role="assistant", content="…"),
    )  # fmt: skip
