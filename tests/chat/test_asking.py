"""Nothing leaves with a secret, unkept or unallowed; the next one is asked only before the first word."""

from __future__ import annotations

import ast
import asyncio
import json
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat import asking, sent, why
from chat.asking import SAMPLING, Ended, ask, without_secrets
from chat.desk import Desk
from chat.redact import redact
from chat.router import Decision, Places, Policy, Request, decide
from models.backend import Backend
from models.client import Client
from models.errors import Refused
from models.spec import BackendSpec
from models.wire import ChatMessage, ChatRequest
from tests.chat.desks import away, cut_off, near, said, sitting, without_cloud
from tests.models.loopback.server import begins, event, plain, serving, silence
from tests.models.loopback.shapes import delta

ROOT = Path(__file__).resolve().parent.parent.parent
KEY = "AKIA" + "Z7Q3WJ5RT2YU6PLM"
TOKEN = "ghp_" + "a8Gk2LmPq9RsT4uVw7XyZ1bC3dE5fH6jK0nQ"
BUSY = plain(503, {"error": {"message": "no room"}})
TOO_LONG = plain(400, {"error": {"message": "too long", "code": "context_length_exceeded"}})


def of(*contents: str) -> asking.Messages:
    """These messages, whatever the room; the first is the system's."""

    def messages(_budget: int | None, _count: Callable[[str], int]) -> tuple[ChatMessage, ...]:
        roles = ("system", *("user", "assistant") * len(contents))
        return tuple(ChatMessage(role=role, content=it) for role, it in zip(roles, contents, strict=False))

    return messages


async def asked(
    at: AbstractAsyncContextManager[Desk],
    *contents: str,
    change: Callable[[Desk], Desk] = lambda it: it,
    **rest: Any,
) -> tuple[list[Decision], str, Ended]:
    """The decisions, the text and the end."""
    given: dict[str, Any] = {
        "task": "ask",
        "tokens_in": 20,
        "messages": of(*(contents or ("Be brief.", "Why?"))),
    } | rest
    decisions, words, ends = [], [], []
    async with at as desk, aclosing(ask(change(desk), **given)) as answer:
        async for it in answer:
            match it:
                case Decision():
                    decisions.append(it)
                case str():
                    words.append(it)
                case Ended():
                    ends.append(it)
    assert len(ends) == 1
    return decisions, "".join(words), ends[0]


async def test_the_answer_of_a_server_here(tmp_path: Path) -> None:
    """Its words as they come, its end, and nothing kept of what was asked."""
    async with serving(said("Be", "cause.", cached=5)) as server:
        decisions, text, ended = await asked(sitting(tmp_path, near(server)))
    assert [(it.tier, it.rule) for it in decisions] == [("local", "preference")]
    assert (text, ended.tier, ended.finish, ended.server, ended.problem) == (
        "Because.", "local", "stop", "near", "",
    )  # fmt: skip
    assert ended.usage
    assert ended.usage.cached_tokens == 5
    assert not sent.entries(sent.folder(tmp_path))
    assert [it.server for it in why.decisions(tmp_path)] == ["near"]


async def test_it_stays_as_it_is_on_this_machine(tmp_path: Path) -> None:
    """A model here sees what is there: nothing is taken out of what does not leave."""
    async with serving(said("ok")) as server:
        await asked(sitting(tmp_path, near(server)), "Be brief.", f"What is {KEY}?")
    assert KEY in server.requests[0].body.decode()


async def test_what_leaves_is_kept_before(tmp_path: Path) -> None:
    """The very bytes, without the secret, which comes back in the answer."""
    async with serving(said("Use [secr", "et: aws", " key] there.")) as far:
        desk = sitting(tmp_path, away(), far=far)
        decisions, text, ended = await asked(desk, "Be brief.", f"key = '{KEY}'", choice="cloud")
    assert decisions[0].tier == "cloud"
    (entry,) = sent.entries(sent.folder(tmp_path))
    assert sent.body(sent.folder(tmp_path), entry.name) == far.requests[0].body
    assert KEY not in far.requests[0].body.decode()
    assert "[secret: aws key]" in far.requests[0].body.decode()
    assert entry.head.removed == ("aws key",)
    assert (entry.head.server, entry.head.task, entry.head.reason) == ("far", "ask", decisions[0].reason)
    assert text == f"Use {KEY} there."
    assert [it.value for it in ended.secrets] == [KEY]


async def test_nothing_is_sent_that_cannot_be_kept(tmp_path: Path) -> None:
    """Then the server sees no connection, and the code itself answers."""
    (tmp_path / "sent").write_text("in the way")
    async with serving(said("x")) as far:
        decisions, text, ended = await asked(sitting(tmp_path, away(), far=far), choice="cloud")
        assert far.connections == 0
    assert [it.tier for it in decisions] == ["cloud", "extractive"]
    assert (text, ended.tier) == ("", "extractive")
    assert "cannot be kept" in ended.problem


async def test_a_model_here_steps_in_for_what_cannot_be_kept(tmp_path: Path) -> None:
    """What may not leave may still be answered here."""
    (tmp_path / "sent").write_text("in the way")
    async with serving(said("x")) as far, serving(said("here")) as here:
        desk = sitting(tmp_path, away(), near(here), far=far)
        decisions, text, _ = await asked(desk, choice="cloud")
        assert far.connections == 0
    assert [it.rule for it in decisions] == ["choice", "after not_kept"]
    assert text == "here"


async def test_nothing_leaves_without_permission(tmp_path: Path) -> None:
    """Also if it was asked for by hand."""
    async with serving(said("x")) as far:
        desk = sitting(tmp_path, away(), far=far)
        decisions, _, ended = await asked(desk, change=without_cloud, choice="cloud")
        assert far.connections == 0
    assert [it.tier for it in decisions] == ["extractive"]
    assert ended == Ended(tier="extractive")


class _Elsewhere:
    """A way to servers that leads to another one than was meant."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def __call__(self, spec: BackendSpec) -> Client:
        return Backend(replace(spec, url=self._url, socket=None))


async def test_what_is_of_this_machine_stays_here(tmp_path: Path) -> None:
    """A server whose address turns out to be elsewhere is not asked, whatever was decided."""
    async with serving() as here:
        elsewhere = _Elsewhere("https://api.example.com")
        decisions, _, ended = await asked(
            sitting(tmp_path, near(here)), change=lambda it: replace(it, connect=elsewhere)
        )
    assert decisions[-1].tier == "extractive"
    assert ended.problem == "The model of this machine is not on this machine, so it is not asked."


async def test_what_was_decided_does_not_outlive_the_permission(tmp_path: Path) -> None:
    """The permission is looked at again where it counts, behind every rule."""
    decision = decide(Request(task="ask", tokens_in=1), Places(servers=(away(),)), Policy(cloud_allowed=True))
    async with serving(said("x")) as far, sitting(tmp_path, away(), far=far) as desk:
        client = await desk.connect(away().spec)
        with pytest.raises(Refused):
            asking._leaves(client, decision, without_cloud(desk))
        assert far.connections == 0


@pytest.mark.parametrize(
    ("answer", "says"),
    [(BUSY, "near"), (cut_off(), "near"), (plain(401, {}), "near")],
    ids=["503", "cut", "401"],
)
async def test_the_next_one_is_asked_before_the_first_word(tmp_path: Path, answer: bytes, says: str) -> None:
    """One that fails before it says anything is replaced, and the reason says so."""
    async with serving(answer, closes=True) as here, serving(said("far")) as far:
        decisions, text, ended = await asked(sitting(tmp_path, near(here), away(), far=far))
    assert [it.tier for it in decisions] == ["local", "cloud"]
    assert says in decisions[1].reason
    assert (text, ended.tier, ended.server, ended.problem) == ("far", "cloud", "far", "")
    assert len(why.decisions(tmp_path)) == 2


async def test_nobody_goes_on_for_another(tmp_path: Path) -> None:
    """After the first word a failure ends the answer: what was said stands, and a sentence says why."""
    async with serving(cut_off("Because ", "of"), closes=True) as here, serving(said("far")) as far:
        decisions, text, ended = await asked(sitting(tmp_path, near(here), away(), far=far))
        assert far.connections == 0
    assert len(decisions) == 1
    assert text == "Because of"
    assert ended.finish is None
    assert "near" in ended.problem


async def test_who_chose_this_machine_stays_here(tmp_path: Path) -> None:
    """Also when the model here fails."""
    async with serving(BUSY) as here, serving(said("far")) as far:
        decisions, _, ended = await asked(sitting(tmp_path, near(here), away(), far=far), choice="local")
        assert far.connections == 0
    assert [it.tier for it in decisions] == ["local", "extractive"]
    assert ended.problem == "Near has no room right now (no room)."


async def test_nobody_is_there(tmp_path: Path) -> None:
    """Without a model the caller answers from the code, and the note says so."""
    decisions, text, ended = await asked(sitting(tmp_path))
    assert [it.backend for it in decisions] == [None]
    assert (text, ended) == ("", Ended(tier="extractive"))
    assert why.decisions(tmp_path)[0].tier == "extractive"


async def test_too_long_is_asked_again_with_half(tmp_path: Path) -> None:
    """A server knows better than we do how much fits; after some tries it is the next one's turn."""
    budgets: list[int | None] = []

    def messages(budget: int | None, count: Callable[[str], int]) -> tuple[ChatMessage, ...]:
        budgets.append(budget)
        return (ChatMessage(role="user", content="why " * 2000),)

    async with serving(TOO_LONG, TOO_LONG, said("ok")) as here:
        decisions, text, _ = await asked(sitting(tmp_path, near(here, tokens=8192)), messages=messages)
    assert text == "ok"
    assert len(decisions) == 1
    room = decisions[0].budget_tokens or 0
    assert budgets == [room, room // 2, room // 4]
    async with serving(*[TOO_LONG] * 9) as here:
        decisions, text, ended = await asked(sitting(tmp_path, near(here, tokens=None)), messages=messages)
    assert [it.tier for it in decisions] == ["local", "extractive"]
    assert len(here.requests) == 2  # With less than that, there would be no room for a question.
    assert ended.problem


async def test_each_has_the_room_that_it_has(tmp_path: Path) -> None:
    """The prompt is made anew for the next server, which may hold more or less."""
    budgets: list[int | None] = []

    def messages(budget: int | None, count: Callable[[str], int]) -> tuple[ChatMessage, ...]:
        budgets.append(budget)
        assert 0 < count("some words")
        return (ChatMessage(role="user", content="why"),)

    async with serving(BUSY) as here, serving(said("ok")) as far:
        desk = sitting(tmp_path, near(here, tokens=4096), away(tokens=100_000), far=far)
        await asked(desk, messages=messages)
    assert budgets == [4096 - SAMPLING.max_tokens, 100_000 - SAMPLING.max_tokens]


async def test_the_answer_leaves_room_for_the_question(tmp_path: Path) -> None:
    """A small model's answer is at most half of what it holds."""
    async with serving(said("ok")) as here:
        await asked(sitting(tmp_path, near(here, tokens=1024)))
    assert here.requests[0].json["max_tokens"] == 512


async def test_stopping_hangs_up(tmp_path: Path) -> None:
    """Closing the generator closes the connection: the server stops."""
    parts = begins(event(delta("One")), event(delta(" two")))
    async with serving(parts) as here, sitting(tmp_path, near(here)) as desk:
        async with aclosing(ask(desk, task="ask", messages=of("s", "q"), tokens_in=1)) as answer:
            async for it in answer:
                if isinstance(it, str):
                    break
        async with asyncio.timeout(20):
            await here.hung_up.wait()


async def test_cancelling_hangs_up(tmp_path: Path) -> None:
    """Also where it is cancelled before a word has come."""
    async with serving(silence) as here:
        task = asyncio.create_task(asked(sitting(tmp_path, near(here))))
        async with asyncio.timeout(20):
            while not here.requests:  # noqa: ASYNC110  # the server knows no events
                await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        async with asyncio.timeout(20):
            await here.hung_up.wait()


async def test_secrets_keep_their_names(tmp_path: Path) -> None:
    """The next question of a conversation sends the same bytes for what was sent before."""
    async with serving(said("a"), said("b")) as far:
        _, _, first = await asked(sitting(tmp_path, away(), far=far), "s", f"one {TOKEN}", choice="cloud")
        contents = ("s", f"one {TOKEN}", "a", f"two {KEY} {TOKEN}")
        await asked(sitting(tmp_path, away(), far=far), *contents, choice="cloud", secrets=first.secrets)
    one, two = (it.json["messages"] for it in far.requests)
    assert two[: len(one)] == one


def turns(*contents: str) -> list[ChatMessage]:
    """Of a user and an assistant."""
    roles = ("user", "assistant") * len(contents)
    return [ChatMessage(role=role, content=it) for role, it in zip(roles, contents, strict=False)]


def test_a_secret_of_a_later_message_is_taken_out_of_an_earlier_one() -> None:
    """What shows to be secret in one message is secret in all of them."""
    value = "x7Kq-93mZ.pw2"
    clean, found = without_secrets(turns(f"What about {value}?", "Tell me.", f'password = "{value}"'))
    assert value not in "".join(it.content for it in clean)
    assert [it.value for it in found] == [value]


@given(st.lists(st.sampled_from(("a word", KEY, TOKEN, f"key = {KEY}", "", "\n", "[secret: x]")), max_size=6))
def test_nothing_is_left(contents: Sequence[str]) -> None:
    """However they are spread over the messages; and once clean, it stays as it is."""
    clean, found = without_secrets(turns(*contents))
    whole = "\n\n".join(it.content for it in clean)
    assert KEY not in whole
    assert TOKEN not in whole
    assert without_secrets(clean, found) == (clean, found)
    assert redact(whole, found).text == whole


async def test_what_is_no_message_is_looked_at_too(tmp_path: Path) -> None:
    """Whatever stands in the body beside the messages stops the sending if it holds a secret."""
    decision = decide(Request(task="ask", tokens_in=1), Places(servers=(away(),)), Policy(cloud_allowed=True))
    request = ChatRequest(model="big", messages=tuple(turns("q")))
    async with sitting(tmp_path, away()) as desk:
        question = asking._Question(desk, of("s", "q"), SAMPLING, ())
        keep = asking._keeping(question, decision, request)
    keep("https://api.example.com/v1", json.dumps({"messages": [{"role": "user", "content": "q"}]}).encode())
    assert len(sent.entries(sent.folder(tmp_path))) == 1
    for body in ({"tools": [{"doc": KEY}]}, {"stop": [TOKEN]}, {KEY: 1}):
        with pytest.raises(asking.HoldsSecret):
            keep("https://api.example.com/v1", json.dumps(body).encode())
    assert len(sent.entries(sent.folder(tmp_path))) == 1


def test_nobody_else_asks() -> None:
    """``Client.chat`` has one caller in the product: what leaves goes through there."""
    callers = set()
    for path in [
        *ROOT.glob("chat/**/*.py"),
        *ROOT.glob("lsp_server/**/*.py"),
        *ROOT.glob("completion/**/*.py"),
    ]:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr == "chat"
            ):
                callers.add(path.relative_to(ROOT).as_posix())
    assert callers == {"chat/asking.py"}
