"""What comes behind an accepted suggestion, with the bundled model on the real engine.

The server's own log tells where an answer came from: ``cached=1`` is one for which nobody was asked.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from lsprotocol import types as lsp

from lsp_server.convert import units_in
from models import process, supervise
from tests.e2e.editor import URI, Editor, editor

pytestmark = pytest.mark.e2e

OPTIONS = {
    "memory": {"enabled": False},  # What the memory answers needs no engine.
    "completion": {"maxLines": 1, "confidence": 0, "deadlineMs": 60000, "pauseMs": 0},
    "logLevel": "info",
}
MARKED = "def read(path):\n    with open(path) as f:\n        text = f.‸\n"
TURN_SECONDS = 0.05
INDENT = " " * 8
"""What Enter brings along in this body, in every editor."""


@pytest.fixture
def home(hearth_home: Path) -> Iterator[Path]:
    """A home, and the end of every engine that was started in it."""
    yield hearth_home
    for it in supervise.engines(process.place()):
        it.kill()


class Log:
    """What the server says while the test goes on."""

    def __init__(self, captured: pytest.CaptureFixture[str]) -> None:
        self._captured = captured
        self._text = ""

    def lines(self, what: str) -> list[dict[str, str]]:
        """The lines about ``complete`` or ``ahead`` up to now, as names and values."""
        self._text += self._captured.readouterr().err
        found = re.findall(rf"completion\.complete {what} (.*)\n", self._text)
        return [dict(re.findall(r"(\w+)=(\S*)", it)) for it in found]

    async def until(self, what: str, count: int) -> dict[str, str]:
        """The last one of so many lines, once they are there."""
        while len(self.lines(what)) < count:  # noqa: ASYNC110  # another process writes
            await asyncio.sleep(TURN_SECONDS)
        return self.lines(what)[count - 1]


def replace(it: Editor, where: lsp.Range, text: str, version: int) -> lsp.Position:
    """Put text without line breaks in the place of another, in one change; where the cursor is then."""
    document = lsp.VersionedTextDocumentIdentifier(uri=URI, version=version)
    change = lsp.TextDocumentContentChangePartial(range=where, text=text)
    it.client.text_document_did_change(lsp.DidChangeTextDocumentParams(document, [change]))
    return lsp.Position(where.start.line, where.start.character + units_in(text, it.encoding))


@pytest.mark.parametrize("client", ["neovim", "vscode"])
async def test_the_next_one_is_there_at_once(
    home: Path, client: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """Accepted with one change, and a line further down after Enter: nobody is asked for either."""
    log = Log(capfd)
    async with editor(home, client, "--model", "starter", options=OPTIONS) as it:
        (item,) = await it.ask(it.open(MARKED))
        asked = await log.until("complete", 1)
        assert (asked["cached"], asked["source"]) == ("0", "model")
        behind = await log.until("ahead", 1)
        if behind["shown"] == "0":  # The line is whole; then the next one is made.
            await log.until("ahead", 2)
        at = replace(it, item.range, item.insert_text, 2)
        items = await it.ask(at)
        assert (await log.until("complete", 2))["cached"] == "1"
        assert bool(items) == (behind["shown"] != "0")
        if not items:
            it.insert(at, f"\n{INDENT}", 3)
            items = await it.ask(lsp.Position(at.line + 1, len(INDENT)))
            assert (await log.until("complete", 3))["cached"] == "1"
        assert items[0].insert_text
        await it.command("hearth.accepted", *items[0].command.arguments)


async def test_another_key_ends_what_is_made_ahead(home: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Who types something else is asked for at once, and what was made for the other way shows nowhere."""
    log = Log(capfd)
    async with editor(home, "neovim", "--model", "starter", options=OPTIONS) as it:
        at = it.open(MARKED)
        (item,) = await it.ask(at)
        await log.until("ahead", 1)
        other = "9" if item.insert_text[0] != "9" else "8"
        assert isinstance(await it.ask(it.insert(at, other, 2)), list)
        assert (await log.until("complete", 2))["cached"] == "0"
