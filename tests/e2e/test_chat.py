"""Chat through a real server process: streamed answers, stops and kills, and a model in the real engine."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcRequestCancelled

from benchmarks.shape_model import Shape, write
from chat.conversation import Turn
from chat.history import History, located
from models import process, supervise
from tests.chat.desks import said
from tests.e2e.editor import Editor, editor, until
from tests.models.loopback.server import Server, begins, event, serving
from tests.models.loopback.shapes import delta

pytestmark = pytest.mark.e2e

CART = "class Cart:\n    def total(self):\n        return sum(it.price for it in self.lines)\n"
QUESTION = "How is the total of a cart computed?"
ALONE = {"memory": {"enabled": False}}
CHATS = Shape(n_vocab=600, n_layer=2, n_embd=64, n_head=4, n_head_kv=2, n_ff=128, n_ctx=16384, rope_base=1e4)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A workspace of one file."""
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "cart.py").write_text(CART)
    return tmp_path / "shop"


@pytest.fixture
def engines(hearth_home: Path) -> Iterator[None]:
    """The end of every engine that was started."""
    yield
    for it in supervise.engines(process.place()):
        it.kill()


def own(home: Path, **settings: Any) -> None:
    """The user's own settings."""
    (home / "config").mkdir(exist_ok=True)
    (home / "config" / "settings.json").write_text(json.dumps(settings))


def coder(server: Server) -> dict[str, Any]:
    """A model server of the user's own."""
    return {"provider": "ollama", "model": "coder", "url": server.url}


@asynccontextmanager
async def window(
    home: Path, project: Path, *arguments: str, **settings: Any
) -> AsyncIterator[tuple[Editor, list[Any]]]:
    """An editor on the project, its index ready; and what it is told of answers, as it comes."""
    own(home, **settings)
    async with editor(home, "neovim", *arguments, root=project, options=ALONE) as it:
        told: list[Any] = []
        it.client.protocol.fm.features[lsp.PROGRESS] = lambda params: told.append(params.value)
        for _ in range(600):
            if (await it.status()).index.state == "ready":
                break
            await asyncio.sleep(0.05)
        yield it, told


def ask(it: Editor, **params: Any) -> asyncio.Future[Any]:
    """A question on its way."""
    request = it.client.protocol.send_request_async("hearth/chat", {"text": QUESTION, **params}, msg_id="q")
    asking: asyncio.Future[Any] = asyncio.ensure_future(request)
    return asking


def words(told: list[Any]) -> str:
    """The words of the answer so far."""
    return "".join(it["text"] for it in told if it["kind"] == "text")


def kept(home: Path) -> History:
    """What is kept."""
    return History(located(home / "data"))


def turns(home: Path, identity: str) -> tuple[Turn, ...]:
    """What is kept of a conversation."""
    found = kept(home).get(identity)
    assert found
    return found.turns


async def test_an_answer_as_it_comes(hearth_home: Path, project: Path) -> None:
    """Who answers and why, then its words, then all of it with places; the next question goes on from it."""
    async with (
        serving(said("It sums ", "[1", "]."), said("Yes.")) as server,
        window(hearth_home, project, chat=coder(server)) as (it, told),
    ):
        answer = await ask(it, partialResultToken="p", workDoneToken="w")
        again = await ask(it, text="Is that all?", conversation=answer.conversation)
    assert [value["kind"] for value in told[:5]] == ["begin", "begun", "gathered", "decided", "report"]
    assert told[-1] == {"kind": "end"}
    assert words(told) == answer.markdown == "It sums [cart.py#L1-L3](cart.py#L1-L3)."
    assert (answer.tier, answer.server, answer.isWhole, answer.turn) == ("local", "Ollama", True, 0)
    assert answer.places[0].uri == (project / "cart.py").as_uri()
    assert (answer.places[0].range.start.line, answer.places[0].range.end.line) == (0, 3)
    assert (again.conversation, again.turn, again.markdown) == (answer.conversation, 1, "Yes.")
    one, two = (request.json["messages"] for request in server.requests)
    assert two[: len(one)] == one


async def test_right_after_installation(hearth_home: Path, project: Path) -> None:
    """No model: the code itself answers, unsaved text included, and no engine is asked."""
    async with window(hearth_home, project) as (it, told):
        uri = (project / "cart.py").as_uri()
        it.open(CART + "\n\ndef parcel_weight(cart):\n    return 1\n", uri)
        answer = await ask(it, text="Where is parcel_weight?", partialResultToken="p")
        assert "(cart.py#L6" in answer.markdown
        assert words(told) == answer.markdown
        assert (answer.tier, answer.isWhole, answer.problem) == ("extractive", True, "")
        why = await it.client.protocol.send_request_async("hearth/why", {})
        assert [decision.tier for decision in why.decisions] == ["extractive"]


async def test_cancel_is_stop(hearth_home: Path, project: Path) -> None:
    """The server is hung up on, the request ends as cancelled, and what was said is in the history."""
    parts = begins(event(delta("One")), event(delta(" two")))
    async with serving(parts) as server, window(hearth_home, project, chat=coder(server)) as (it, told):
        asked = ask(it, partialResultToken="p")
        await until(lambda: words(told) == "One two")
        it.client.protocol.notify("$/cancelRequest", lsp.CancelParams(id="q"))
        with pytest.raises(JsonRpcRequestCancelled):
            await asked
        async with asyncio.timeout(20):
            await server.hung_up.wait()
        listed = await it.client.protocol.send_request_async("hearth/chatHistory", {})
        (conversation,) = listed.conversations
        found = await it.client.protocol.send_request_async(
            "hearth/chatOpen", {"conversation": conversation.id}
        )
        (turn,) = found.conversation.turns
        assert (turn.asked, turn.markdown, turn.isWhole) == (QUESTION, "One two", False)


async def test_a_newer_question_takes_the_place(hearth_home: Path, project: Path) -> None:
    """In the same conversation: the older answer ends where it was, and both are kept."""
    hanging = begins(event(delta("Half")))
    async with (
        serving(said("First."), hanging) as one,
        window(hearth_home, project, chat=coder(one)) as (it, told),
    ):
        first = await ask(it)
        older = ask(it, text="And then?", conversation=first.conversation, partialResultToken="p")
        await until(lambda: words(told) == "Half")
        request = {"text": "/nothing", "conversation": first.conversation}
        newer = await it.client.protocol.send_request_async("hearth/chat", request)
        assert (await older).problem == "A newer question has taken its place."
    assert newer.turn == 2
    assert newer.problem.startswith("There is no command /nothing; there are /")
    assert [turn.shown for turn in turns(hearth_home, first.conversation)] == ["First.", "Half", ""]


async def test_asked_anew(hearth_home: Path, project: Path) -> None:
    """From an earlier turn on, with other words or the same: what came behind is dropped."""
    async with (
        serving(said("One."), said("Two."), said("Three."), said("Four.")) as server,
        window(hearth_home, project, chat=coder(server)) as (it, _),
    ):
        first = await ask(it)
        identity = first.conversation
        await ask(it, text="And it?", conversation=identity)
        edited = await ask(it, text="Or it?", conversation=identity, turn=1)
        assert (edited.turn, edited.markdown) == (1, "Three.")
        again = await ask(it, text="", conversation=identity, turn=0)
        assert (again.turn, again.asked, again.markdown) == (0, QUESTION, "Four.")
    assert [len(request.json["messages"]) for request in server.requests] == [4, 6, 6, 4]
    assert server.requests[3].json["temperature"] != server.requests[0].json["temperature"]
    assert [turn.shown for turn in (kept(hearth_home).get(identity) or pytest.fail("gone")).turns] == [
        "Four."
    ]


async def test_killed_in_the_middle_of_an_answer(hearth_home: Path, project: Path) -> None:
    """The question is there when the next window opens, and at most a second of the answer is lost."""
    async with serving(begins(event(delta("One"))), said("Two.")) as server:
        async with window(hearth_home, project, chat=coder(server)) as (it, told):
            asked = ask(it, partialResultToken="p")
            await until(lambda: words(told) == "One")
            process_ = it.client._server
            assert process_
            process_.kill()
            asked.cancel()
            await process_.wait()
            (listed,) = kept(hearth_home).list()
            (turn,) = turns(hearth_home, listed.id)
            assert (turn.asked, turn.is_whole) == (QUESTION, False)
            it.client.shutdown_session = _nothing  # There is nobody left.
        async with window(hearth_home, project, chat=coder(server)) as (it, _):
            answer = await ask(it, text="And?", conversation=listed.id)
            assert (answer.markdown, answer.turn) == ("Two.", 1)


async def _nothing() -> None:
    """For a session that has ended already."""


async def test_two_windows_on_one_history(hearth_home: Path, project: Path) -> None:
    """Both ask in the same conversation; each sees what the other has added."""
    async with (
        serving(said("One."), said("Two."), said("Three.")) as server,
        window(hearth_home, project, chat=coder(server)) as (one, _),
        window(hearth_home, project, chat=coder(server)) as (two, _),
    ):
        first = await ask(one)
        second = await ask(two, text="And it?", conversation=first.conversation)
        third = await ask(one, text="Or it?", conversation=first.conversation)
    assert [it.turn for it in (first, second, third)] == [0, 1, 2]
    assert "Two." in server.requests[2].body.decode()


async def test_a_damaged_history(hearth_home: Path, project: Path) -> None:
    """The answer comes, a sentence says what happened, and the next ones are kept."""
    (hearth_home / "data").mkdir(mode=0o700)
    located(hearth_home / "data").write_bytes(b"no database " * 1000)
    async with window(hearth_home, project) as (it, _):
        answer = await ask(it, text="Where is Cart?")
        assert answer.isWhole
        assert len(answer.problems) == 1
        assert "The history was damaged" in answer.problems[0]
        assert (await ask(it, text="Where?", conversation=answer.conversation)).turn == 1


async def test_bad_input(hearth_home: Path, project: Path) -> None:
    """Whatever is sent, there is one answer, and it says in a sentence what was wrong."""
    async with window(hearth_home, project) as (it, _):
        protocol = it.client.protocol
        for params, says in (
            ({}, "text must say something"),
            ({"text": 5}, "text must say something"),
            ({"text": "x", "task": "dance"}, "There is no task 'dance'"),
            ({"text": "x", "conversation": "none"}, "There is no such conversation"),
            ({"text": "x", "turn": 0}, "turn counts the turns"),
            ({"text": "/explain"}, "is about a place in a document"),
            ({"text": "x" * 1_000_001}, "longer than 1,000,000"),
        ):
            answer = await protocol.send_request_async("hearth/chat", params)
            assert says in answer.problem
            assert not answer.isWhole
        for method in ("chatOpen", "chatExport", "chatDelete", "chatRename", "chatHistory", "chatSuggest"):
            for params in ({}, {"conversation": 7, "query": [], "text": {}, "format": "x", "limit": -1}):
                assert await protocol.send_request_async(f"hearth/{method}", params) is not None
        gone = await protocol.send_request_async("hearth/sent", {"name": "../settings.json"})
        assert gone.body is None


async def test_a_command_with_a_slash(hearth_home: Path, project: Path) -> None:
    """It is a turn like others: explained from the code, at the selection."""
    async with window(hearth_home, project) as (it, _):
        uri = (project / "cart.py").as_uri()
        it.open(CART, uri)
        where = {"start": {"line": 1, "character": 0}, "end": {"line": 2, "character": 9}}
        answer = await ask(
            it, text="/explain", textDocument={"uri": uri}, selection=where, partialResultToken="p"
        )
        assert "total" in answer.markdown
        assert (answer.task, answer.tier, answer.isWhole) == ("explain", "extractive", True)
        opened = await it.client.protocol.send_request_async(
            "hearth/chatOpen", {"conversation": answer.conversation}
        )
        assert opened.conversation.turns[0].markdown == answer.markdown


async def test_a_model_in_the_engine(hearth_home: Path, project: Path, engines: None) -> None:
    """It streams beside the one that completes, and reads of the second question little more than is new."""
    model = hearth_home / "chats.gguf"
    write(model, ftype="F32", shape=CHATS)
    chat = {"model": str(model), "contextTokens": 8192}
    async with window(hearth_home, project, "--model", "starter", chat=chat) as (it, told):
        at = it.open("def add(a, b):\n    return ‸\n")
        answering = ask(it, partialResultToken="p")
        await until(lambda: words(told))
        assert isinstance(await it.ask(at, explicit=True), list)
        answer = await answering
        assert (answer.tier, answer.server) == ("local", "chats")
        assert words(told) == answer.markdown != ""
        assert answer.usage.answerTokens
        second = await ask(it, text="And it?", conversation=answer.conversation)
        assert answer.usage.promptTokens - 16 <= second.usage.cachedTokens
