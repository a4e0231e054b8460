"""The feature below the protocol: a marked document and what the model says -> what the editor shows."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types as lsp

from completion.recall import Recalled
from completion.suggestion import Suggestion
from lsp_server.convert import units_in
from lsp_server.features import commands, inline_completion, register, sync
from lsp_server.fence import fence
from lsp_server.server import Assistant
from lsp_server.wiring import Workbench
from tests.harness import Answer, Script

MARK = "‸"
URI = "file:///project/x.py"

Open = Callable[..., "Window"]


class Window:
    """An editor's window on one document."""

    def __init__(self, home: Path, monkeypatch: pytest.MonkeyPatch, *answers: str | Answer) -> None:
        model = home / "m.gguf"
        model.write_bytes(b"GGUF")
        self.script = Script(*answers)
        self.ls = Assistant(Workbench(str(model)))
        register(self.ls)
        backend = self.script.backend()

        async def ours() -> object:
            return backend

        monkeypatch.setattr(self.ls.workbench, "backend", ours)
        params: dict[str, Any] = {"processId": None, "rootUri": None, "capabilities": {}}
        message = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params}
        self.ls.protocol.answered = 1
        self.ls.protocol.handle_message(self.ls.protocol.structure_message(message))

    def open(self, marked: str) -> lsp.Position:
        """Show a document; where the mark is."""
        text = marked.replace(MARK, "")
        item = lsp.TextDocumentItem(uri=URI, language_id="python", version=1, text=text)
        sync.opened(self.ls, lsp.DidOpenTextDocumentParams(text_document=item))
        before = marked.partition(MARK)[0]
        return lsp.Position(before.count("\n"), units_in(before[before.rfind("\n") + 1 :], "utf-16"))

    def change(self, text: str, version: int) -> None:
        """Replace everything."""
        document = lsp.VersionedTextDocumentIdentifier(uri=URI, version=version)
        whole = lsp.TextDocumentContentChangeWholeDocument(text=text)
        sync.changed(
            self.ls, lsp.DidChangeTextDocumentParams(text_document=document, content_changes=[whole])
        )

    async def ask(self, at: lsp.Position, *, explicit: bool = False) -> list[lsp.InlineCompletionItem] | None:
        """What the editor is told, failures included."""
        self.ls.settled.set()  # Not before a document is open: that would load the model.
        kind = lsp.InlineCompletionTriggerKind
        params = lsp.InlineCompletionParams(
            context=lsp.InlineCompletionContext(trigger_kind=kind.Invoked if explicit else kind.Automatic),
            text_document=lsp.TextDocumentIdentifier(uri=URI),
            position=at,
        )
        answer: list[lsp.InlineCompletionItem] | None
        answer = await fence(inline_completion.handle, [])(self.ls, params)
        return answer


@pytest.fixture
def window(hearth_home: Path, monkeypatch: pytest.MonkeyPatch) -> Open:
    """Open a window whose model gives these answers."""
    return partial(Window, hearth_home, monkeypatch)


@pytest.mark.parametrize(
    ("marked", "answer", "expected"),
    [
        ("def add(a, b):\n    return ‸\n", "a + b", "def add(a, b):\n    return [a + b]\n"),
        ("s = '😀é'; print(‸)\n", "s)", "s = '😀é'; print([s])\n"),
        ("s = '😀é'; print(‸)\n", "s) or s", "s = '😀é'; print([s) or s]\n"),
        ("if x:\r\n    ‸\r\n", "y()\n    z()\n", "if x:\r\n    [y()\r\n    z()]\r\n"),
        ("x = ‸\n", "   ", None),
        ("x = 1; ‸y\n", "never asked", None),
    ],
)
async def test_what_is_shown(window: Open, marked: str, answer: str, expected: str | None) -> None:
    """Suggestions stand in brackets where they are shown; what they replace is gone."""
    it = window(answer)
    at = it.open(marked)
    items = await it.ask(at)
    assert items is not None
    if expected is None:
        assert items == []
        return
    (item,) = items
    assert item.range is not None
    document = it.ls.documents.get(URI)
    assert document is not None
    assert "\r" not in str(item.insert_text)  # An editor puts in the line breaks of its document.
    ours = str(item.insert_text).replace("\n", "\r\n" if "\r\n" in marked else "\n")
    change = lsp.TextDocumentContentChangePartial(range=item.range, text=f"[{ours}]")
    document.apply([change], 2, "utf-16")
    assert document.text == expected


async def test_failures_hide_the_ghost_and_are_said(window: Open) -> None:
    """The request is answered with nothing, and the status says why until something works again."""
    it = window(Answer(status=503, problem="Busy."), "a + b")
    at = it.open("x = ‸\n")
    assert await it.ask(at) == []
    assert (it.ls.reporter.status.state, it.ls.reporter.status.problem) == ("failed", "Busy.")
    assert await it.ask(at) != []
    assert it.ls.reporter.status.problem == ""


async def test_doubt_hides_what_was_not_asked_for(window: Open) -> None:
    """While typing, silence beats noise; who asks by hand sees it all the same."""
    unsure = Answer(text="a + b", logprob=-2.0)
    it = window(unsure, unsure)
    await it.ls.workbench.configure({"completion.confidence": 0.5})
    at = it.open("x = ‸\n")
    assert await it.ask(at) == []
    assert await it.ask(at, explicit=True) != []


async def test_overtaken_moved_on_and_closed(window: Open) -> None:
    """None of them may change what the editor shows."""
    slow = Answer(text="slow", endless=True)
    it = window(slow, "a + b")
    at = it.open("x = ‸\n")
    first = asyncio.create_task(it.ask(at, explicit=True))
    while not it.script.requests:  # noqa: ASYNC110  # one turn of the loop at a time
        await asyncio.sleep(0)
    assert await it.ask(at, explicit=True) != []
    assert await first is None
    assert it.script.cancelled == 1

    it = window("a + b", "a + b")
    at = it.open("x = ‸\n")
    moving = asyncio.create_task(it.ask(at))
    await asyncio.sleep(0)
    it.change("y = \n", 2)
    assert await moving is None

    it.ls.workbench.cache = type(it.ls.workbench.cache)()
    closing = asyncio.create_task(it.ask(at))
    await asyncio.sleep(0)
    sync.closed(it.ls, lsp.DidCloseTextDocumentParams(lsp.TextDocumentIdentifier(uri=URI)))
    assert await closing is None
    assert await it.ask(at) is None


async def test_no_suggestion_right_after_a_deletion(window: Open) -> None:
    """Who deletes is not asking; who asks by hand is, and who has moved away since is typing again."""
    it = window("1", "2")
    it.open("x = 12\ny = \n‸")
    document = it.ls.documents.get(URI)
    assert document is not None
    gone = lsp.Range(lsp.Position(0, 4), lsp.Position(0, 6))
    document.apply([lsp.TextDocumentContentChangePartial(range=gone, text="")], 2, "utf-16")
    assert await it.ask(lsp.Position(0, 4)) == []
    assert it.script.requests == []
    assert await it.ask(lsp.Position(0, 4), explicit=True) != []
    assert await it.ask(lsp.Position(1, 4)) != []


async def test_the_memory_answers_for_a_model_that_fails(
    window: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Something is shown, where it came from is counted, and why there is no model is said all the same."""
    it = window(Answer(status=503, problem="Busy."))
    recalled = Suggestion(text="a + b", source="memory", confidence=0.3, chance=0.3, reason="test")

    async def recall(*question: object) -> Recalled:
        return Recalled(suggestion=recalled)

    monkeypatch.setattr(it.ls.workbench.memory, "recall", recall)
    items = await it.ask(it.open("x = ‸\n"))
    assert [item.insert_text for item in items or []] == ["a + b"]
    status = it.ls.reporter.status
    assert (status.state, status.problem) == ("failed", "Busy.")
    for said in (items[0].command.arguments, ["nonsense"], []) if items and items[0].command else ():
        await commands.accepted(it.ls, *(said or ()))
    counts = it.ls.reporter.status.json()["bySource"]
    assert counts["memory"] == {"shown": 1, "accepted": 1}
    assert counts["model"] == {"shown": 0, "accepted": 2}


async def test_several_by_hand(window: Open) -> None:
    """Each is an item of its own, to cycle through."""
    it = window(Answer(text="a + b", others=("b + a", "a + b")))
    items = await it.ask(it.open("def add(a, b):\n    return ‸\n"), explicit=True)
    assert [item.insert_text for item in items or []] == ["a + b", "b + a"]
    assert it.ls.reporter.status.shown == 1


async def test_what_was_sent_away_stays_away_until_its_line_changes(window: Open) -> None:
    """Nothing comes back by itself; who asks by hand gets it, and so does another line."""
    it = window("a + b", Answer(text="a + b"), "c")
    at = it.open("def add(a, b):\n    return ‸\n\nx = \n")
    assert await it.ask(at) != []
    await commands.dismissed(it.ls)
    assert await it.ask(at) == []
    assert await it.ask(at, explicit=True) != []
    assert await it.ask(at) != []
    await commands.dismissed(it.ls)
    await commands.dismissed(it.ls)
    assert await it.ask(at) == []
    assert await it.ask(lsp.Position(3, 4)) != []
    it.change("def add(a, b):\n    return a\n\nx = \n", 2)
    items = await it.ask(lsp.Position(at.line, at.character + 1))
    assert [item.insert_text for item in items or []] == [" + b"]


async def test_accepting_finds_the_next_one_there(window: Open) -> None:
    """While one is shown, the one on the next line is made."""
    it = window("1")
    it.script.ahead_answers = [Answer(text=""), Answer(text="y = 2")]
    at = it.open("x = ‸\n")
    assert await it.ask(at) != []
    while it.ls.workbench.ahead.is_busy:  # noqa: ASYNC110  # it rests a moment first
        await asyncio.sleep(0.01)
    it.change("x = 1\n", 2)
    assert await it.ask(lsp.Position(0, 5)) == []
    it.change("x = 1\n\n", 3)
    items = await it.ask(lsp.Position(1, 0))
    assert [item.insert_text for item in items or []] == ["y = 2"]
    assert len(it.script.requests) == 1


async def test_no_look_ahead_for_who_wants_none(window: Open) -> None:
    """It costs processor time."""
    it = window("1")
    await it.ls.workbench.configure({"completion.lookAhead": False})
    assert await it.ask(it.open("x = ‸\n")) != []
    assert not it.ls.workbench.ahead.is_busy


async def test_a_key_that_disagrees_ends_the_look_ahead(window: Open) -> None:
    """What was shown is typed through and it goes on; anything else and nobody needs it."""
    it = window("12", "3")
    at = it.open("x = ‸\n")
    assert await it.ask(at) != []
    it.change("x = 1\n", 2)
    assert await it.ask(lsp.Position(0, 5)) != []
    assert it.ls.workbench.ahead.is_busy
    it.change("x = 4\n", 3)
    asked = asyncio.create_task(it.ask(lsp.Position(0, 5)))
    while len(it.script.requests) < 2:  # noqa: ASYNC110  # one turn of the loop at a time
        await asyncio.sleep(0)
    assert not it.ls.workbench.ahead.is_busy
    await asked
