"""The whole of Hearth in a real Neovim: the language server, the engine and the bundled model.

What a small model suggests is not known beforehand. What is shown must be what accepting inserts.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from tests.editors import neovim
from tests.editors.neovim import CODE, MODEL, Editor, Front

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

HEARTH = [str(Path(sys.executable).with_name("hearth"))]  # The command that users have.

TYPED = ("def load_names(", "path", "):", "<CR>with open", "(path", ") as file", ":", "<CR>return ", "json.")

IS_ANSWERED = """
local client = vim.lsp.get_clients({ name = 'hearth', bufnr = 0 })[1]
return 0 < vim.g.answers and client ~= nil and vim.tbl_isempty(client.requests)
"""
REMEMBERS = """
local client = vim.lsp.get_clients({ name = 'hearth', bufnr = 0 })[1]
return client ~= nil and vim.startswith(require('hearth.status').memory(client.id), 'ready')
"""
# In one step, so that no answer of the server's comes between looking and accepting.
LOOK_AND_ACCEPT = f"""
local shown = (function() {neovim.GHOST} end)()
require('hearth').accept()
return shown
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """Hearth's own folder, shared by the editors, and so the engine is too."""

    path: Path

    def engine(self) -> psutil.Process | None:
        """The engine's process, if there is one."""
        done = subprocess.run(
            [*HEARTH, "status", "--json"],
            env={**os.environ, "HEARTH_HOME": str(self.path)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        health = json.loads(done.stdout or "null")
        return psutil.Process(health["pid"]) if health else None


@pytest.fixture(scope="module")
def home() -> Home:
    """A fresh home for Hearth, inside the test session's: its engine is stopped in the end."""
    return Home(path=Path(tempfile.mkdtemp(prefix="n-", dir=Path(os.environ["HEARTH_HOME"]).parent)))


@pytest.fixture
def editor(front: Front, home: Home, tmp_path: Path) -> Iterator[Editor]:
    """A Neovim that talks to the real `hearth lsp`."""
    it = neovim.start(front, tmp_path, home.path)
    it.lua(neovim.COUNT_ANSWERS)
    settings = {"model": MODEL, "completion": {"confidence": 0, "deadlineMs": 60000}}
    it.setup([*HEARTH, "lsp"], settings=settings)
    it.open(tmp_path / "work" / "files.py", CODE + "\n\n")
    it.type("Gi")
    yield it
    it.close()


def type_until_ghost(editor: Editor) -> None:
    """Type on, a piece at a time, until something is suggested."""
    for piece in TYPED:
        editor.nvim.vars["answers"] = 0
        editor.type(piece)
        editor.until(lambda: editor.ghost() or editor.lua(IS_ANSWERED), "the server answers")
        if editor.ghost():
            return
    pytest.fail(f"the model {MODEL} suggested nothing for {TYPED}")


def test_what_is_shown_is_what_is_inserted(editor: Editor) -> None:
    """Real keys, a real model: the ghost text, letter by letter, in the buffer after accepting."""
    type_until_ghost(editor)
    before = editor.lines()
    [[row, column, ghost]] = editor.lua(LOOK_AND_ACCEPT)
    editor.until(lambda: editor.lines() != before, "the suggestion is inserted")
    typed = before[row].encode()[:column].decode()
    after = "\n".join(editor.lines()[row:])
    assert after.startswith(typed + ghost)
    assert editor.lines()[:row] == before[:row]
    assert editor.messages() == ""


@pytest.mark.parametrize("front", [neovim.NEWEST, neovim.OLDEST], indirect=True, ids=str)
def test_where_a_suggestion_came_from(editor: Editor) -> None:
    """`:Hearth source` names the line of the user's own code that is suggested again, in another buffer."""
    line = "with open(settings_path, encoding='utf-8') as settings_file:"
    editor.type("<Esc>")
    editor.nvim.current.buffer[:] = ["import json", "", "def load(settings_path):", f"    {line}"]
    editor.open(editor.home / "work" / "other.py", "import json\n\ndef load(settings_path):\n")
    editor.until(lambda: editor.lua(REMEMBERS), "the project is remembered")
    editor.type("Go<C-u>    with open(settings_path, ")
    editor.until(lambda: editor.ghost() == "encoding='utf-8') as settings_file:", "the line is suggested")
    editor.type("<Esc>")
    editor.nvim.command("Hearth source")
    editor.until(lambda: "files.py line 4." in editor.messages(), "the server says where it stands")


@pytest.mark.parametrize("front", [neovim.NEWEST, neovim.OLDEST], indirect=True, ids=str)
def test_checkhealth_of_the_real_thing(editor: Editor) -> None:
    """Once something was suggested, nothing is wrong."""
    type_until_ghost(editor)
    editor.type("<Esc>")
    editor.nvim.command("checkhealth hearth")
    report = "\n".join(editor.lines())
    assert "attached to 1 buffer(s)" in report
    assert "engine: ready" in report
    assert "ERROR" not in report


@pytest.mark.parametrize("front", [neovim.NEWEST], indirect=True, ids=str)
def test_a_killed_engine_is_started_again(editor: Editor, home: Home) -> None:
    """The editor notices nothing but a pause."""
    type_until_ghost(editor)
    engine = home.engine()
    assert engine
    engine.kill()
    engine.wait(30)
    editor.type("<Esc>")
    editor.nvim.current.buffer[:] = [*CODE.split("\n"), ""]
    editor.type("<Esc>Gi")
    type_until_ghost(editor)
    assert editor.messages().count("Error") == 0
