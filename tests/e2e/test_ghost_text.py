"""Ghost text over the wire, as three editors ask for it, with a scripted engine at the other end."""

from __future__ import annotations

from pathlib import Path

import pytest
from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException

from lsp_server import protocol
from tests.e2e.editor import URI, editor, texts, until
from tests.e2e.scripted_engine import ScriptedEngine
from tests.harness import Answer

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize("client", ["neovim", "vscode", "lsp-mode"])
async def test_three_editors_see_ghost_text(hearth_home: Path, client: str) -> None:
    """Each is offered it, whatever it says about itself, and gets a range in its own units."""
    marked = "x = '😀'; print(‸)\n"
    async with ScriptedEngine(hearth_home, "x) or x") as engine, editor(hearth_home, client) as it:
        assert it.capabilities.inline_completion_provider is not None
        assert it.capabilities.execute_command_provider is not None
        at = it.open(marked)
        items = await it.ask(at)
        assert it.accepted(marked, items[0]) == "x = '😀'; print(x) or x\n"
        assert items[0].command.command in it.capabilities.execute_command_provider.commands
        assert engine.script.requests[0]["hearth"]["middle"] == "x = '😀'; print("
        assert engine.script.requests[0]["hearth"]["path"] == "sample.py"


@pytest.mark.parametrize("client", ["neovim", "vscode"])
async def test_the_first_request_waits_for_the_settings(hearth_home: Path, client: str) -> None:
    """A key pressed at once must not be answered by a model, or a switch, the user did not set."""
    off = {"completion": {"enabled": False}}
    async with ScriptedEngine(hearth_home) as engine, editor(hearth_home, client, options=off) as it:
        assert await it.ask(it.open("def add(‸\n")) == []
        assert engine.script.requests == []


async def test_the_newest_request_wins(hearth_home: Path) -> None:
    """Neovim never cancels: what was overtaken gets null, not an empty list, and its stream is closed."""
    async with (
        ScriptedEngine(hearth_home, Answer(text="slow", endless=True), "a, b):") as engine,
        editor(hearth_home) as it,
    ):
        at = it.open("def ‸\n")
        overtaken = it.ask(at)
        await until(lambda: engine.script.requests)
        newest = it.ask(it.insert(at, "add(", 2))
        assert await overtaken is None
        assert texts(await newest) == ["a, b):"]
        await until(lambda: engine.script.cancelled == 1)


async def test_an_answer_for_an_old_version_is_dropped(hearth_home: Path) -> None:
    """The document moved on while the model was thinking, and nobody has asked again yet."""
    async with (
        ScriptedEngine(hearth_home, Answer(text="a + b\n", endless=True)) as engine,
        editor(hearth_home, options={"completion": {"deadlineMs": 700}}) as it,
    ):
        at = it.open("    return ‸\n")
        asked = it.ask(at)
        await until(lambda: engine.script.requests)
        it.insert(at, "z", 2)
        assert await asked is None


async def test_a_cancelled_request_stops_the_engine(hearth_home: Path) -> None:
    """VS Code cancels at every key: the answer is the cancel error, and the stream is closed."""
    async with (
        ScriptedEngine(hearth_home, Answer(text="slow", endless=True)) as engine,
        editor(hearth_home, "vscode") as it,
    ):
        asked = it.ask(it.open("def ‸\n"), message_id="one")
        await until(lambda: engine.script.requests)
        it.client.cancel_request(lsp.CancelParams(id="one"))
        with pytest.raises(JsonRpcException) as caught:
            await asked
        assert caught.value.code == -32800
        await until(lambda: engine.script.cancelled == 1)


async def test_typing_what_was_suggested_costs_no_request(hearth_home: Path) -> None:
    """The rest is answered from memory; a deletion is answered with nothing, which hides the ghost."""
    async with ScriptedEngine(hearth_home, "a + b") as engine, editor(hearth_home) as it:
        at = it.open("def add(a, b):\n    return ‸\n")
        assert texts(await it.ask(at)) == ["a + b"]
        assert texts(await it.ask(it.insert(at, "a", 2))) == [" + b"]
        assert len(engine.script.requests) == 1
        gone = lsp.TextDocumentContentChangePartial(
            range=lsp.Range(at, lsp.Position(at.line, at.character + 1)), text=""
        )
        document = lsp.VersionedTextDocumentIdentifier(uri=URI, version=3)
        it.client.text_document_did_change(
            lsp.DidChangeTextDocumentParams(text_document=document, content_changes=[gone])
        )
        assert await it.ask(at) == []


async def test_the_suggest_widgets_entry_is_extended(hearth_home: Path) -> None:
    """The item has the widget's range and begins with its text."""
    async with ScriptedEngine(hearth_home, ".join(a)") as engine, editor(hearth_home, "vscode") as it:
        at = it.open("import os\nos.pa‸\n")
        where = lsp.Range(lsp.Position(at.line, at.character - 2), at)
        items = await it.ask(at, selected=lsp.SelectedCompletionInfo(range=where, text="path"))
        assert engine.script.requests[0]["hearth"]["middle"] == "os.path"
        assert [(texts(items), items[0].range)] == [(["path.join(a)"], where)]


async def test_commands_and_status(hearth_home: Path) -> None:
    """Accepting is counted, pausing hides everything, and the status says both, asked or not."""
    async with ScriptedEngine(hearth_home, "a + b") as engine, editor(hearth_home) as it:
        at = it.open("def add(a, b):\n    return ‸\n")
        items = await it.ask(at)
        accepted = items[0].command
        await it.command(accepted.command, *accepted.arguments)
        await it.command(protocol.PAUSE, "whatever", ["it"], {"sends": None})
        assert await it.ask(at, explicit=True) == []
        await engine.say(tokens_per_second=61.4)
        await until(lambda: it.statuses and it.statuses[-1].tokensPerSecond == 61)
        status = await it.status()
        assert (status.shown, status.accepted, status.paused, status.state) == (1, 1, True, "ready")
        await it.command(protocol.RESUME)
        assert texts(await it.ask(at)) == ["a + b"]


async def test_loading_a_model_shows_progress(hearth_home: Path) -> None:
    """It is loaded when a document is open, with a bar while that takes long, and the bar always ends."""
    async with ScriptedEngine(hearth_home) as engine, editor(hearth_home) as it:
        await until(lambda: engine.leases == 1)
        assert engine.loads == 0
        it.open("‸")
        await until(lambda: engine.loads == 1)
        await engine.say(state="loading", progress=0.25)
        await until(lambda: it.client.progress_reports)
        bar = next(iter(it.client.progress_reports.values()))
        await until(lambda: any(getattr(step, "percentage", 0) == 25 for step in bar))
        await engine.say(state="ready", progress=1.0)
        await until(lambda: isinstance(bar[-1], lsp.WorkDoneProgressEnd))
        assert [it.state for it in it.statuses][-1] in ("loading", "ready")


async def test_an_engine_that_dies_in_the_middle(hearth_home: Path) -> None:
    """The request gets an answer, the status says why, and the next engine is found by the next request."""
    async with editor(hearth_home) as it:
        async with ScriptedEngine(hearth_home, Answer(text="slow", endless=True)) as engine:
            at = it.open("def add(a, b):\n    return ‸\n")
            asked = it.ask(at)
            await until(lambda: engine.script.requests)
            await engine.die()
            assert await asked == []
        await until(lambda: it.statuses and it.statuses[-1].state == "failed")
        assert it.statuses[-1].problem.endswith(".")
        async with ScriptedEngine(hearth_home, "a + b"):
            assert texts(await it.ask(at)) == ["a + b"]
            await until(lambda: it.statuses[-1].state == "ready")
