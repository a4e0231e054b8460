"""Where the cursor rests is read before the first key; a hint is cheap, and nonsense is no hint."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from lsprotocol import types as lsp

from lsp_server.features import code_action, hints, sync
from tests.lsp_server.test_inline_completion import URI, Window

LINES = "".join(f"value_{it} = compute({it})\n" for it in range(300))


@pytest.fixture
def it(hearth_home: Path, monkeypatch: pytest.MonkeyPatch) -> Window:
    """A window whose model is never asked, only told to read."""
    return Window(hearth_home, monkeypatch)


async def read(window: Window, times: int) -> list[dict[str, Any]]:
    """What the model was given to read, so many times."""
    window.ls.settled.set()
    while len(window.script.ahead) < times or window.ls.workbench.sessions.is_reading:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    return window.script.ahead


def cursor(uri: Any, line: Any, character: Any = 0) -> SimpleNamespace:
    document, position = SimpleNamespace(uri=uri), SimpleNamespace(line=line, character=character)
    return SimpleNamespace(textDocument=document, position=position)


async def test_opening_a_document_reads_its_start(it: Window) -> None:
    """And the next time where the cursor was last."""
    it.open(LINES)
    first, whole = await read(it, 2)
    assert (first["prompt"], first["max_tokens"]) == ("", 0)
    assert LINES.startswith(whole["suffix"])
    assert whole["suffix"].startswith(first["suffix"])
    hints.cursor(it.ls, cursor(URI, 200))
    sync.closed(it.ls, lsp.DidCloseTextDocumentParams(lsp.TextDocumentIdentifier(uri=URI)))
    assert it.ls.workbench.sessions.anchors(URI) == ()
    it.open(LINES)
    second = (await read(it, 4))[-1]
    assert second["prompt"].endswith("value_199 = compute(199)\n")


async def test_of_several_hints_the_last_one_counts(it: Window) -> None:
    """A cursor on its way passes many lines."""
    it.open(LINES)
    for line in (10, 20, 30):
        hints.cursor(it.ls, cursor(URI, line))
    place = lsp.Position(100, 4)
    params = lsp.CodeActionParams(
        text_document=lsp.TextDocumentIdentifier(uri=URI),
        range=lsp.Range(place, place),
        context=lsp.CodeActionContext(diagnostics=[]),
    )
    await code_action.handle(it.ls, params)
    _first, only = await read(it, 2)
    assert only["prompt"].endswith("value_99 = compute(99)\n")
    params.range = lsp.Range(lsp.Position(0, 0), place)
    await code_action.handle(it.ls, params)
    assert it.ls.cursors[URI] == place


@pytest.mark.parametrize(
    "params",
    [
        None,
        SimpleNamespace(),
        cursor(None, 1),
        cursor(URI, "x"),
        cursor(URI, 1, None),
        cursor("file:///other", 1),
        cursor(URI, 10**9, 10**9),
        cursor(URI, -1, -1),
    ],
)
async def test_nonsense_is_no_hint(it: Window, params: Any) -> None:
    """Nothing happens, or what can be done with it."""
    it.open(LINES)
    hints.cursor(it.ls, params)
    hints.cursor(it.ls, cursor(URI, 50))
    assert (await read(it, 1))[0]["prompt"].endswith("value_49 = compute(49)\n")
    hints.cursor(it.ls, params)
    await asyncio.sleep(0.2)


async def test_who_wants_no_ghost_text_reads_nothing(it: Window) -> None:
    """Switched off or paused, the processor is left alone."""
    await it.ls.workbench.configure({"completion.enabled": False})
    it.ls.settled.set()
    it.open(LINES)
    await asyncio.sleep(0.2)
    await it.ls.workbench.configure({})
    it.ls.workbench.paused = True
    hints.cursor(it.ls, cursor(URI, 50))
    await asyncio.sleep(0.2)
    assert it.script.ahead == []
