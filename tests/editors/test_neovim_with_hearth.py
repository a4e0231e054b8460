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
from tests.editors.neovim import Editor, Front

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

MODEL = os.environ.get("TEST_MODEL", "starter")
HEARTH = [str(Path(sys.executable).with_name("hearth"))]  # The command that users have.

# Repetition is what even the smallest model continues.
BEFORE = '"""Read the files."""\n\nimport json\n\n' + "".join(
    f"\ndef load_{name}(path):\n    with open(path) as file:\n        return json.load(file)\n\n"
    for name in ("users", "groups", "rights", "events", "colors", "places")
)
TYPED = ("def load_names(", "path", "):", "<CR>with open", "(path", ") as file", ":", "<CR>return json", ".load", "(")

COUNT_ANSWERS = """
vim.g.answers = 0
vim.api.nvim_create_autocmd('LspRequest', { callback = function(event)
  local request = event.data.request
  if request.method == 'textDocument/inlineCompletion' and request.type == 'complete' then
    vim.g.answers = vim.g.answers + 1
  end
end })
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
    it.lua(COUNT_ANSWERS)
    settings = {"model": MODEL, "completion": {"confidence": 0, "deadlineMs": 60000}}
    it.setup([*HEARTH, "lsp"], settings=settings)
    it.open(tmp_path / "work" / "files.py", BEFORE + "\n\n")
    it.type("Gi")
    yield it
    it.close()


def type_until_ghost(editor: Editor) -> str:
    """Type on, a piece at a time, until something is suggested."""
    for piece in TYPED:
        answers = editor.nvim.vars["answers"]
        editor.type(piece)
        editor.until(
            lambda seen=answers: seen < editor.nvim.vars["answers"] or editor.ghost(), "the server answers"
        )
        if ghost := editor.ghost():
            return ghost
    pytest.fail(f"the model {MODEL} suggested nothing for {TYPED}")


def test_what_is_shown_is_what_is_inserted(editor: Editor) -> None:
    """Real keys, a real model: the ghost text, letter by letter, in the buffer after accepting."""
    ghost = type_until_ghost(editor)
    row, column = editor.nvim.current.window.cursor
    before = "\n".join(editor.lines())
    line = editor.lines()[row - 1]
    typed = line.encode()[:column].decode()
    assert editor.call("accept")
    editor.until(lambda: "\n".join(editor.lines()) != before, "the suggestion is inserted")
    after = editor.lines()
    inserted = "\n".join([typed + ghost.split("\n")[0], *ghost.split("\n")[1:]])
    assert "\n".join(after[row - 1 :]).startswith(inserted)
    assert after[: row - 1] == before.split("\n")[: row - 1]
    assert editor.messages() == ""


def test_checkhealth_of_the_real_thing(editor: Editor) -> None:
    """Once something was suggested, nothing is wrong."""
    type_until_ghost(editor)
    editor.type("<Esc>")
    editor.nvim.command("checkhealth hearth")
    report = "\n".join(editor.lines())
    assert "attached to 1 buffer(s)" in report
    assert "engine: ready" in report
    assert "ERROR" not in report


def test_a_killed_engine_is_started_again(editor: Editor, home: Home) -> None:
    """The editor notices nothing but a pause."""
    type_until_ghost(editor)
    engine = home.engine()
    assert engine
    engine.kill()
    engine.wait(30)
    editor.type("<Esc>:%delete<CR>:put =''<CR>i")
    editor.nvim.current.buffer[:] = [*BEFORE.split("\n"), ""]
    editor.type("<Esc>Gi")
    type_until_ghost(editor)
    assert editor.messages().count("Error") == 0
