"""When nothing is shown, through the real server: doubt, Esc, a deletion, a line that Tab indents."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from lsprotocol import types as lsp

from lsp_server import protocol
from models import process, supervise
from tests.e2e.editor import URI, Editor, editor, texts
from tests.e2e.scripted_engine import ScriptedEngine

pytestmark = pytest.mark.e2e

PLACES = (  # Short documents: whatever the engine has read already, the model sees all of each.
    "class Point:\n    def __init__(self, x, y):\n        self.x = x\n        self.‸\n",
    "import os\n\n\ndef read(path):\n    with open(path) as f:\n        return ‸\n",
    "def add(a, b):\n    return a ‸\n",
    "for i in range(len(items‸\n",
    "if __name__ == ‸\n",
    "if __name__ == '__main__‸\n",
    "try:\n    import json\nexcept ImportError‸\n",
    "def main(argv):\n    args = parser.‸\n",
    "class Error(Exc‸\n",
    "values = []\nfor value in val‸\n",
    "def area(width, height):\n    return width * ‸\n",
    "function add(a, b) {\n  return a ‸\n}\n",
    "const fs = require(‸\n",
    "for (let i = 0; i < list.len‸\n",
    "while True:\n    line = f.read‸\n",
    "x = [‸\n",
)
LEVELS = ("eager", "balanced", "quiet")


@pytest.fixture
def home(hearth_home: Path) -> Iterator[Path]:
    """A home, and the end of every engine that was started in it."""
    yield hearth_home
    for it in supervise.engines(process.place()):
        it.kill()


async def shown_at(home: Path, confidence: str) -> frozenset[int]:
    """The places at which something is shown by itself."""
    options = {
        "memory": {"enabled": False},
        "completion": {"confidence": confidence, "lookAhead": False, "deadlineMs": 60000, "pauseMs": 0},
    }
    found = set()
    async with editor(home, "neovim", "--model", "starter", options=options) as it:
        for number, marked in enumerate(PLACES):
            script = "function" in marked or "let" in marked or "const" in marked
            suffix, language = ("js", "javascript") if script else ("py", "python")
            uri = f"file:///project/place_{number}.{suffix}"
            if await it.ask(it.open(marked, uri=uri, language=language), uri=uri):
                found.add(number)
    return frozenset(found)


async def test_who_wants_to_see_more_sees_more(home: Path) -> None:
    """Eager shows what balanced shows and more, and that what quiet shows; the model is the same."""
    eager, balanced, quiet = [await shown_at(home, it) for it in LEVELS]
    assert quiet <= balanced <= eager
    assert quiet < eager, "at none of these places does the setting matter"
    assert balanced


def remove(it: Editor, start: lsp.Position, end: lsp.Position, version: int) -> None:
    """Delete a piece of one line."""
    document = lsp.VersionedTextDocumentIdentifier(uri=URI, version=version)
    change = lsp.TextDocumentContentChangePartial(range=lsp.Range(start, end), text="")
    it.client.text_document_did_change(lsp.DidChangeTextDocumentParams(document, [change]))


async def test_silence_after_esc(hearth_home: Path) -> None:
    """The line stays without, nobody is asked about it; typing on, or asking by hand, brings one back."""
    async with ScriptedEngine(hearth_home, "a + b", "a - b", "c") as engine, editor(hearth_home) as it:
        at = it.open("x = ‸\n")
        assert texts(await it.ask(at)) == ["a + b"]
        await it.command(protocol.DISMISSED)
        assert await it.ask(at) == []
        assert len(engine.script.requests) == 1
        assert texts(await it.ask(at, explicit=True)) == ["a - b"]
        await it.command(protocol.DISMISSED)
        assert await it.ask(at) == []
        assert texts(await it.ask(it.insert(at, "b", 2))) == ["c"]
        assert len(engine.script.requests) == 3


async def test_no_request_on_backspace(hearth_home: Path) -> None:
    """However often; the engine hears nothing of it, and the next letter is asked about again."""
    async with ScriptedEngine(hearth_home, "a + b", "c") as engine, editor(hearth_home) as it:
        at = it.open("x = yz‸\n")
        assert texts(await it.ask(at)) == ["a + b"]
        for version, end in enumerate((at.character, at.character - 1), 2):
            gone = lsp.Position(at.line, end - 1)
            remove(it, gone, lsp.Position(at.line, end), version)
            assert await it.ask(gone) == []
        assert len(engine.script.requests) == 1
        assert texts(await it.ask(it.insert(gone, "b", 4))) == ["c"]
        assert len(engine.script.requests) == 2


async def test_tab_still_indents(hearth_home: Path) -> None:
    """At the start of a line that lacks its indentation nothing takes the Tab key, unless asked for."""
    async with (
        ScriptedEngine(hearth_home, "    return 1", "    return 1") as engine,
        editor(hearth_home) as it,
    ):
        at = it.open("def one():\n‸\n")
        assert await it.ask(at) == []
        assert len(engine.script.requests) == 1
        (text,) = texts(await it.ask(at, explicit=True))
        assert text.strip() == "return 1"
