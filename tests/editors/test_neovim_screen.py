"""What a user sees: a Neovim drawn on a screen, and one in a terminal, set up as the documentation says."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.editors import neovim
from tests.editors.neovim import CODE, MODEL, NEWEST, ROOT, Editor

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

SETTLE_S = 0.3  # A terminal is drawn in less.
PAGE = ROOT / "docs" / "editors" / "neovim.md"

STATUS_LINE = """
vim.o.swapfile = false
vim.o.statusline = "%{v:lua.require'hearth'.status()} answers=%{g:answers}"
"""
SCREEN = """
local rows = {}
for row = 1, vim.o.lines do
  local cells = {}
  for column = 1, vim.o.columns do cells[column] = vim.fn.screenstring(row, column) end
  rows[row] = (table.concat(cells):gsub('%s+$', ''))
end
return rows
"""


def test_ghost_text_on_the_screen(scripted: Editor) -> None:
    """The first line continues the cursor's line, the others push the text below down."""
    scripted.nvim.ui_attach(60, 12)
    try:
        scripted.nvim.current.buffer[:] = ["", "print()"]
        scripted.nvim.command("setlocal tabstop=8")
        scripted.set_script(["def add(a, b):\n\treturn a + b"])
        scripted.type("idef ad")
        expands_tabs = scripted.front.ghost_text == "own"
        wanted = ["def add(a, b):", "        return a + b" if expands_tabs else None, "print()"]
        rows: list[str] = []

        def is_drawn() -> bool:
            scripted.nvim.command("redraw")
            rows[:] = scripted.lua(SCREEN)[:3]
            return all(want in (None, row) for want, row in zip(wanted, rows, strict=True))

        scripted.until(is_drawn, f"the screen shows {wanted}")
        assert scripted.lines() == ["def ad", "print()"]
    finally:
        scripted.nvim.ui_detach()


@dataclass(frozen=True, slots=True, kw_only=True)
class Terminal:
    """A program in a terminal of tmux."""

    socket: Path

    def tmux(self, *arguments: str) -> str:
        """Run a tmux command on this terminal's server."""
        command = ["tmux", "-S", str(self.socket), "-f", "/dev/null", *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout

    def type(self, text: str) -> None:
        """Type text letter by letter."""
        self.tmux("send-keys", "-l", "-t", "0", text)

    def press(self, *keys: str) -> None:
        """Press keys by name."""
        self.tmux("send-keys", "-t", "0", *keys)

    def rows(self) -> list[str]:
        """What the terminal shows."""
        return [row.rstrip() for row in self.tmux("capture-pane", "-p", "-t", "0").split("\n")]

    def until(self, condition: Callable[[list[str]], bool], what: str) -> list[str]:
        """Wait until the screen is as wanted."""
        deadline = time.monotonic() + neovim.DEADLINE_S
        while not condition(rows := self.rows()):
            assert time.monotonic() < deadline, f"{what}; the terminal shows:\n" + "\n".join(rows)
            time.sleep(neovim.POLL_S)
        return rows


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    """A terminal without a program yet."""
    if not shutil.which("tmux"):
        pytest.skip("tmux is not installed")
    folder = Path(tempfile.mkdtemp(prefix="x-", dir=Path(os.environ["HEARTH_HOME"]).parent))
    it = Terminal(socket=folder / "tmux")
    yield it
    subprocess.run(["tmux", "-S", str(it.socket), "kill-server"], capture_output=True, check=False)


def documented_init(heading: str) -> str:
    """The first Lua block of the page's install section that stands after ``heading``, for this checkout."""
    after = PAGE.read_text(encoding="utf-8").split(heading, 1)[1]
    found = re.search(r"```lua\n(.*?)```", after, re.DOTALL)
    assert found
    return found[1].replace("/path/to/hearth", str(ROOT))


def test_a_user_with_the_documented_configuration(terminal: Terminal) -> None:
    """An `init.lua` from the page, the real server and model: type, see ghost text, press Tab, save."""
    home = terminal.socket.parent
    nvim = neovim.program(NEWEST.version)
    values = neovim.environment(nvim, home)
    values["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), values["PATH"]])
    values["TERM"] = "screen"
    init = Path(values["XDG_CONFIG_HOME"]) / "nvim" / "init.lua"
    init.parent.mkdir(parents=True)
    init.write_text(documented_init("By hand") + neovim.COUNT_ANSWERS + STATUS_LINE)
    settings = Path(values["HEARTH_HOME"]) / "config" / "settings.json"
    settings.parent.mkdir(parents=True)
    settings.write_text(json.dumps({"model": MODEL, "completion": {"confidence": 0, "deadlineMs": 60000}}))
    file = home / "files.py"
    file.write_text(CODE)

    pairs = [f"{key}={value}" for key, value in values.items()]
    terminal.tmux("new-session", "-d", "-x", "90", "-y", "40", "env", "-i", *pairs, str(nvim), str(file))
    terminal.until(lambda rows: any(row.startswith("hearth ") for row in rows), "the server is attached")
    terminal.press("G", "o")
    typed, answers = "", 0
    for piece in ("def load_names", "(", "path", ")", ":"):
        terminal.type(piece)
        typed += piece
        rows = terminal.until(answered(typed, answers), f"the server answers to {typed!r}")
        shown = ghost_rows(rows, typed)
        time.sleep(SETTLE_S)  # What was shown before is taken away a moment after the answer.
        if shown and ghost_rows(terminal.rows(), typed) == shown:
            break
        answers = answers_in(rows)
    else:
        pytest.fail(f"the model {MODEL} suggested nothing for {typed!r}:\n" + "\n".join(terminal.rows()))
    terminal.press("Tab")
    terminal.press("Escape")
    terminal.type(":wq")
    terminal.press("Enter")
    deadline = time.monotonic() + neovim.DEADLINE_S
    while [row.rstrip() for row in file.read_text().split("\n")][-1 - len(shown) : -1] != shown:
        assert time.monotonic() < deadline, f"{shown!r} is not the end of {file.read_text()!r}"
        time.sleep(neovim.POLL_S)


def ghost_rows(rows: list[str], typed: str) -> list[str]:
    """The last rows of the text, from the typed one on, once they show more than was typed; else nothing."""
    first = next((number for number, row in enumerate(rows) if row.startswith(typed)), len(rows))
    shown = rows[first : rows.index("~")] if "~" in rows else []
    return [] if shown == [typed] else shown


def answered(typed: str, seen: int) -> Callable[[list[str]], bool]:
    """Whether there is ghost text, or an answer that has none."""
    return lambda rows: bool(ghost_rows(rows, typed)) or seen < answers_in(rows)


def answers_in(rows: list[str]) -> int:
    """How often the server has answered, from the status line."""
    return max([int(number) for row in rows for number in re.findall(r"answers=(\d+)", row)], default=0)
