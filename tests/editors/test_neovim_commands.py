"""Commands in a real Neovim with the real server: chosen, looked at, made, and undone in one step."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.chat.desks import said
from tests.editors import neovim
from tests.editors.neovim import NEWEST, OLDEST, Editor, Front
from tests.models.loopback.server import Answer, serving

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

HEARTH = [str(Path(sys.executable).with_name("hearth"))]
SETTINGS = {"memory": {"enabled": False}, "completion": {"enabled": False}}
CODE = """def has_odd(values):
    found = False  # größer 😀
    for value in values:
        if value % 2 == 1:
            found = True
    return found
"""
MAIN = "from basket import has_odd\n\nprint(has_odd([1]))\n"
SIMPLE = "def has_odd(values):\n    return any(value % 2 == 1 for value in values)"

# The real dialog, and what it asks.
LISTEN = """
vim.g.asked = ''
local confirm = vim.fn.confirm
vim.fn.confirm = function(message, ...)
  vim.g.asked = message
  return confirm(message, ...)
end
"""
IS_READY = """
for _, it in pairs(vim.lsp.buf_request_sync(0, 'hearth/status', vim.empty_dict(), 5000) or {}) do
  if it.result and it.result.index and it.result.index.state == 'ready' then return true end
end
return false
"""
CHOOSE = """
vim.lsp.buf.code_action({ context = { only = { ... }, diagnostics = {} }, apply = true })
"""
RUN = """
local command, uri = { command = 'hearth.run', arguments = { ... } }, vim.uri_from_bufnr(0)
command.arguments[1].textDocument = { uri = uri }
vim.lsp.buf_request(0, 'workspace/executeCommand', command, function(_, result) vim.g.result = result end)
"""


@contextmanager
def model(*answers: Answer) -> Iterator[str]:
    """A model server on this machine that gives these answers; its address."""
    is_up, address = threading.Event(), []
    loop = asyncio.new_event_loop()
    over = asyncio.Event()

    async def serve() -> None:
        async with serving(*answers) as server:
            address.append(server.url)
            is_up.set()
            await over.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    try:
        assert is_up.wait(30)
        yield address[0]
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join(30)
        loop.close()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[Front, str], Editor]]:
    """Start a Neovim with a small project and the real server; its model is at the address, if any."""
    started: list[Editor] = []

    def begin(front: Front, url: str = "") -> Editor:
        home = Path(tempfile.mkdtemp(prefix="n-", dir=Path(os.environ["HEARTH_HOME"]).parent))
        if url:
            (home / "config").mkdir()
            chat = {"provider": "llama-server", "model": "scripted", "url": url}
            (home / "config" / "settings.json").write_text(json.dumps({"chat": chat}))
        it = neovim.start(front, tmp_path, home)
        started.append(it)
        (tmp_path / "work" / "main.py").write_text(MAIN)
        it.nvim.command("set cmdheight=10")  # No message is so long that a key must be pressed for it.
        it.nvim.ui_attach(100, 30)
        it.lua(LISTEN)
        it.setup([*HEARTH, "lsp"], settings=SETTINGS)
        it.open(tmp_path / "work" / "basket.py", CODE)
        it.until(lambda: it.lua(IS_READY), "the project is indexed")
        it.nvim.command("normal! 2G")
        return it

    yield begin
    for it in started:
        it.close()


def answer(it: Editor, key: str) -> None:
    """Wait for the dialog, and press a key in it."""
    it.until(lambda: it.nvim.api.get_mode()["mode"] == "r?", "the editor asks")
    it.type(key)


def undo(it: Editor) -> None:
    """One step back."""
    it.nvim.command("normal! u")


@pytest.mark.parametrize("front", [NEWEST], ids=str)
def test_a_change_is_looked_at_made_and_undone(start: Callable[..., Editor], front: Front) -> None:
    """The dialog names the edit; Yes makes it, and a single `u` takes all of it back."""
    with model(said(f"```python\n{SIMPLE}\n```")) as url:
        it = start(front, url)
        it.lua(CHOOSE, "refactor.rewrite.hearth.simplify")
        answer(it, "y")
        it.until_lines(*SIMPLE.split("\n"))
        assert "Simplify: basket.py: basket.py" in it.nvim.vars["asked"]
        undo(it)
        it.until_lines(*CODE.rstrip("\n").split("\n"))


@pytest.mark.parametrize("front", [NEWEST], ids=str)
def test_no_means_no(start: Callable[..., Editor], front: Front) -> None:
    """Nothing is changed, and the next command works."""
    it = start(front)
    it.lua(CHOOSE, "refactor.rewrite.hearth.document")
    answer(it, "n")
    it.never(lambda: it.lines() != CODE.rstrip("\n").split("\n"), "nothing changes")
    it.lua(CHOOSE, "refactor.rewrite.hearth.document")
    answer(it, "y")
    it.until(lambda: '    """Return whether it has odd.' in it.lines(), "the comment is there")
    undo(it)
    it.until_lines(*CODE.rstrip("\n").split("\n"))


@pytest.mark.parametrize("front", [OLDEST], ids=str)
def test_an_older_editor_cannot_ask(start: Callable[..., Editor], front: Front) -> None:
    """It makes the edit at once, and undoes it in one step."""
    it = start(front)
    it.lua(CHOOSE, "refactor.rewrite.hearth.document")
    it.until(lambda: '    """Return whether it has odd.' in it.lines(), "the comment is there")
    assert it.nvim.vars["asked"] == ""
    undo(it)
    it.until_lines(*CODE.rstrip("\n").split("\n"))


@pytest.mark.parametrize("front", [NEWEST, OLDEST], ids=str)
def test_what_it_says_is_a_document(start: Callable[..., Editor], front: Front) -> None:
    """An explanation opens beside the code, as Markdown with links."""
    it = start(front)
    it.lua(CHOOSE, "source.hearth.explain")
    it.until(lambda: it.nvim.current.buffer.name.endswith("Explain.md"), "the explanation is shown")
    text = "\n".join(it.lines())
    assert "**`has_odd`**" in text
    assert "From your code, without a model" in text
    assert it.nvim.eval("&filetype") == "markdown"


@pytest.mark.parametrize("front", [NEWEST], ids=str)
def test_a_new_name_in_two_files(start: Callable[..., Editor], front: Front) -> None:
    """Each file is asked about; in each, one `u` brings the old name back."""
    it = start(front)
    it.nvim.command("normal! 1G4l")
    where = {"line": 0, "character": 5}
    it.lua(RUN, {"command": "rename", "instruction": "any_odd", "range": {"start": where, "end": where}})
    answer(it, "y")
    answer(it, "y")
    new = CODE.replace("has_odd", "any_odd").rstrip("\n").split("\n")
    it.until_lines(*new)
    it.until(lambda: it.lua("return vim.g.result ~= nil"), "the command is over")
    it.nvim.command("edit main.py" if "main.py" in it.nvim.command_output("ls") else "edit! main.py")
    it.until_lines(*MAIN.replace("has_odd", "any_odd").rstrip("\n").split("\n"))
    undo(it)
    it.until_lines(*MAIN.rstrip("\n").split("\n"))
