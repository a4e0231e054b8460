"""Agent mode through a real server process: its steps, what the user is asked, what is changed, notes."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types as lsp

from chat import sent
from tests.chat import mcp_servers
from tests.chat.desks import said
from tests.chat.test_agent import calls
from tests.e2e.editor import Editor
from tests.e2e.test_chat import ask, coder, project, turns, window, words
from tests.models.loopback.server import serving

__all__ = ["project"]  # a fixture

pytestmark = pytest.mark.e2e

BLOCK = (
    "With tax:\n\ncart.py\n<<<<<<< SEARCH\n        return sum(it.price for it in self.lines)\n=======\n"
    "        return 1.19 * sum(it.price for it in self.lines)\n>>>>>>> REPLACE\n"
)


def test_server(*allowed: str) -> dict[str, Any]:
    """An MCP server in the user's settings."""
    server = {"command": sys.executable, "args": [str(Path(mcp_servers.__file__)), "good", "${workspace}"]}
    return {"mcpServers": {"test": server}, "mcpAllowed": list(allowed)}


test_server.__test__ = False  # type: ignore[attr-defined]  # it is none


def answering(it: Editor, choose: Callable[[str], str | None]) -> list[str]:
    """Answer what the server asks the user; what it has asked."""
    asked: list[str] = []

    def answer(params: lsp.ShowMessageRequestParams) -> lsp.MessageActionItem | None:
        asked.append(params.message)
        title = choose(params.message)
        return lsp.MessageActionItem(title=title) if title else None

    it.client.protocol.fm.features[lsp.WINDOW_SHOW_MESSAGE_REQUEST] = answer
    return asked


def applied(it: Editor) -> list[lsp.ApplyWorkspaceEditParams]:
    """What the server wants the editor to change; the editor does."""
    wanted: list[lsp.ApplyWorkspaceEditParams] = []

    def apply(params: lsp.ApplyWorkspaceEditParams) -> lsp.ApplyWorkspaceEditResult:
        wanted.append(params)
        return lsp.ApplyWorkspaceEditResult(applied=True)

    it.client.protocol.fm.features[lsp.WORKSPACE_APPLY_EDIT] = apply
    return wanted


def happened(told: list[Any]) -> list[str]:
    """The kinds of what was told, bars left out."""
    return [it["kind"] for it in told if it["kind"] not in ("begin", "report", "end")]


async def test_it_looks_around_and_answers(hearth_home: Path, project: Path) -> None:
    """Each step is told as it happens; the answer is a turn of the conversation, which goes on."""
    async with (
        serving(calls(("symbols", {"query": "Cart"})), said("Cart ", "does."), said("Yes.")) as server,
        window(hearth_home, project, chat=coder(server)) as (it, told),
    ):
        answer = await ask(it, mode="agent", partialResultToken="p")
        again = await ask(it, mode="agent", text="Sure?", conversation=answer.conversation)
    assert happened(told)[:8] == [
        "begun", "calling", "called", "decided", "calling", "called", "text", "text",
    ]  # fmt: skip
    called = [value for value in told if value["kind"] == "called"]
    assert called[1]["result"].startswith("cart.py:1  class  class Cart")
    assert (answer.markdown, answer.tier, answer.isWhole) == ("Cart does.", "local", True)
    assert answer.markdown in words(told)
    assert again.markdown == "Yes."
    assert [turn.shown for turn in turns(hearth_home, answer.conversation)] == ["Cart does.", "Yes."]
    assert [message["content"] for message in server.requests[2].json["messages"][1:3]] == [
        "How is the total of a cart computed?",
        "Cart does.",
    ]


async def test_a_mode_that_there_is_not(hearth_home: Path, project: Path) -> None:
    """One sentence."""
    async with window(hearth_home, project) as (it, _):
        assert (await ask(it, mode="root")).problem == "There is no mode 'root'; there is agent."


async def test_without_a_model_the_code_answers(hearth_home: Path, project: Path) -> None:
    """As in chat."""
    async with window(hearth_home, project) as (it, told):
        answer = await ask(it, text="Where is Cart?", mode="agent", partialResultToken="p")
    assert answer.tier == "extractive"
    assert "(cart.py#L1" in answer.markdown
    assert words(told) == answer.markdown


@pytest.mark.parametrize("is_wanted", [True, False])
async def test_a_change_is_the_users_to_make(hearth_home: Path, project: Path, is_wanted: bool) -> None:
    """It is offered with its places; only a yes has the editor make it, and no file is written by us."""
    async with (
        serving(said(BLOCK)) as server,
        window(hearth_home, project, chat=coder(server)) as (it, _),
    ):
        it.open((project / "cart.py").read_text(), (project / "cart.py").as_uri())
        asked = answering(it, lambda _: "Make these changes" if is_wanted else "Leave it as it is")
        wanted = applied(it)
        answer = await ask(it, text="Add tax.", task="refactor", mode="agent")
    assert "1.19" not in (project / "cart.py").read_text()
    is_annotated = [edit.change_annotations for edit in (params.edit for params in wanted)]
    if not asked:  # An editor that shows changes asks by itself.
        assert is_annotated[0]
        assert all(one.needs_confirmation for one in is_annotated[0].values())
        return
    assert "cart.py:3" in asked[0]
    assert len(wanted) == int(is_wanted)
    assert ("The proposed changes were not made." in answer.problems) != is_wanted


async def test_each_call_of_others_is_the_users_to_allow(hearth_home: Path, project: Path) -> None:
    """All of it is shown; a yes calls it, a no and no answer do not."""
    steps = [calls(("test__echo", {"text": f"number {at}\u202e"})) for at in range(3)]
    replies = iter(["Allow this call", "Do not allow it", None])
    async with (
        serving(*steps, said("Done.")) as server,
        window(hearth_home, project, chat=coder(server) | test_server()) as (it, told),
    ):
        asked = answering(it, lambda _: next(replies))
        answer = await ask(it, mode="agent", partialResultToken="p")
    assert answer.markdown == "Done."
    assert [f"number {at}\\u202e" in message for at, message in enumerate(asked)] == [True] * 3
    assert all("echo of your MCP server test" in message for message in asked)
    called = [value for value in told if value["kind"] == "called"][1:]
    assert [value["isRefused"] for value in called] == [False, True, True]
    assert json.loads(called[0]["result"]) == {"text": "number 0\u202e"}


async def test_what_the_user_has_allowed_once_for_all(hearth_home: Path, project: Path) -> None:
    """Nobody is asked, and the server is told where the project is, but does not run there."""
    async with (
        serving(calls(("test__where", {})), said("Done.")) as server,
        window(hearth_home, project, chat=coder(server) | test_server("test/where")) as (it, told),
    ):
        asked = answering(it, lambda _: None)
        await ask(it, mode="agent", partialResultToken="p")
    result = [value for value in told if value["kind"] == "called"][1]["result"]
    assert asked == []
    assert f'"args": ["good", "{project}"]' in result
    assert f'"cwd": "{hearth_home / "cache"}"' in result


async def test_a_call_that_cannot_be_shown_is_not_made(hearth_home: Path, project: Path) -> None:
    """Nobody can allow what they cannot read."""
    async with (
        serving(calls(("test__echo", {"text": "x" * 9000})), said("Done.")) as server,
        window(hearth_home, project, chat=coder(server) | test_server()) as (it, told),
    ):
        asked = answering(it, lambda _: "Allow this call")
        await ask(it, mode="agent", partialResultToken="p")
    assert asked == []
    assert [value for value in told if value["kind"] == "called"][1]["isRefused"] is True


async def test_notes_are_kept_and_used(hearth_home: Path, project: Path) -> None:
    """An editor adds, changes and removes them; each question is asked with them."""
    async with (
        serving(said("ok"), said("ok")) as server,
        window(hearth_home, project, chat=coder(server)) as (it, _),
    ):
        send = it.client.protocol.send_request_async
        added = await send("hearth/notes", {"action": "add", "text": "Prices are in cents."})
        assert [(note.id, note.text) for note in added.notes] == [(1, "Prices are in cents.")]
        assert added.root == str(project)
        for params, says in (
            ({"action": "add", "text": " "}, "There is nothing to note: the text is empty."),
            ({"action": "remove", "id": 9}, "There is no note 9."),
            ({"action": "burn"}, "action is one of list, add, edit, remove."),
            ({"root": "/elsewhere"}, "/elsewhere is not open."),
        ):
            assert (await send("hearth/notes", params)).problem == says
        changed = await send("hearth/notes", {"action": "edit", "id": 1, "text": "Prices are in euros."})
        assert [note.text for note in changed.notes] == ["Prices are in euros."]
        await ask(it)
        await ask(it, mode="agent")
        gone = await send("hearth/notes", {"action": "remove", "id": 1})
        assert gone.notes == []
    for request in server.requests:
        assert "Prices are in euros." in request.json["messages"][0]["content"]
    assert not sent.entries(sent.folder(hearth_home / "data"))
