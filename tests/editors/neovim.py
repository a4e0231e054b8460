"""A real Neovim to test with: getting one, starting it, typing into it, reading its screen."""

from __future__ import annotations

import functools
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pynvim
import pytest

ROOT = Path(__file__).resolve().parents[2]
PLUGIN = ROOT / "editors" / "neovim"

DEADLINE_S = 60.0  # Generous: a busy machine is slow, and nothing waits for it in vain when all is well.
POLL_S = 0.02
QUIET_S = 0.5  # Longer than Neovim's own 200 ms pause before it asks, with room for the answer.

MODEL = os.environ.get("TEST_MODEL", "starter")  # Another one can be tried while it is being trained.

# Repetition is what even the smallest model continues.
CODE = '"""Read the files."""\n\nimport json\n\n' + "".join(
    f"\ndef load_{name}(path):\n    with open(path) as file:\n        return json.load(file)\n\n"
    for name in ("users", "groups", "rights", "events", "colors", "places")
)

COUNT_ANSWERS = """
vim.g.answers = 0
vim.api.nvim_create_autocmd('LspRequest', { callback = function(event)
  local request = event.data.request
  if request.method == 'textDocument/inlineCompletion' and request.type == 'complete' then
    vim.g.answers = vim.g.answers + 1
    vim.cmd.redrawstatus()
  end
end })
"""

GHOST = """
local texts = {}
for name, id in pairs(vim.api.nvim_get_namespaces()) do
  if name == 'hearth.ghost' or name == 'nvim.lsp.inline_completion' then
    for _, mark in ipairs(vim.api.nvim_buf_get_extmarks(0, id, 0, -1, { details = true })) do
      local lines = {}
      for _, chunks in ipairs({ mark[4].virt_text or {}, unpack(mark[4].virt_lines or {}) }) do
        local line = ''
        for _, chunk in ipairs(chunks) do line = line .. chunk[1] end
        table.insert(lines, line)
      end
      table.insert(texts, { mark[2], mark[3], table.concat(lines, '\\n') })
    end
  end
end
return texts
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Front:
    """A Neovim version, and who asks for ghost text in it."""

    version: str
    ghost_text: str

    def __str__(self) -> str:
        return f"{self.version}-{self.ghost_text}"


FRONTS = (
    Front(version="0.12", ghost_text="builtin"),
    Front(version="0.12", ghost_text="own"),
    Front(version="0.10", ghost_text="own"),
)
NEWEST, OLDEST = FRONTS[0], FRONTS[-1]


class Unavailable(Exception):
    """There is no such Neovim here, and it cannot be had; the message says why."""


def program(version: str) -> Path:
    """A Neovim of this version: the one on PATH if it is one, else a downloaded one."""
    try:
        return _program(version)
    except Unavailable as error:
        if os.environ.get("CI") == "true":
            pytest.fail(f"Neovim {version} could not be had on CI: {error}")
        pytest.skip(f"no Neovim {version}: {error}")


@functools.cache
def _program(version: str) -> Path:
    installed = shutil.which("nvim")
    if installed and _version(installed).startswith(f"v{version}."):
        return Path(installed)
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    command = [str(ROOT / "scripts" / "get_neovim.sh"), "", version]
    try:
        done = subprocess.run(
            command, env={**os.environ, "PATH": path}, capture_output=True, text=True, timeout=600
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(str(error)) from error
    if done.returncode != 0:
        raise Unavailable(done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "no reason given")
    return Path(done.stdout.strip())


def _version(nvim: str) -> str:
    done = subprocess.run([nvim, "--version"], capture_output=True, text=True, timeout=60, check=False)
    found = re.search(r"v\d+\.\d+\.\d+", done.stdout)
    return found[0] if found else ""


def environment(nvim: Path, home: Path, hearth_home: Path | None = None) -> dict[str, str]:
    """Private folders, so that neither the user's configuration nor an earlier run is seen."""
    values = {
        key: value for key, value in os.environ.items() if not key.startswith(("XDG_", "NVIM", "HEARTH_"))
    }
    for name in ("config", "data", "state", "cache", "run"):
        folder = home / name
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        values["XDG_RUNTIME_DIR" if name == "run" else f"XDG_{name.upper()}_HOME"] = str(folder)
    values["HEARTH_HOME"] = str(hearth_home or home / "hearth")
    runtime = nvim.parents[1] / "share" / "nvim" / "runtime"
    if runtime.is_dir():
        values["VIMRUNTIME"] = str(runtime)
    return values


@dataclass(slots=True, kw_only=True)
class Editor:
    """A running Neovim with the plugin on its runtime path."""

    nvim: Any
    front: Front
    home: Path
    script: Path = field(init=False)
    log: Path = field(init=False)

    def __post_init__(self) -> None:
        self.script = self.home / "script.json"
        self.log = self.home / "log.jsonl"
        self.log.touch()

    def lua(self, code: str, *arguments: Any) -> Any:
        """Run Lua in the editor."""
        return self.nvim.exec_lua(code, *arguments)

    def set_script(self, *blocks: Sequence[str], **values: Any) -> None:
        """Choose what the scripted server answers from now on."""
        new = self.script.with_suffix(".new")
        new.write_text(json.dumps({"blocks": blocks, **values}), encoding="utf-8")
        new.replace(self.script)

    def setup(self, command: Sequence[str] | None = None, **options: Any) -> None:
        """Set the plugin up; without a command, with the scripted server."""
        scripted = [sys.executable, str(Path(__file__).with_name("scripted_lsp.py"))]
        chosen = list(command) if command else [*scripted, str(self.script), str(self.log)]
        ghost_text = self.front.ghost_text
        self.lua("require('hearth').setup(...)", {"cmd": chosen, "ghost_text": ghost_text, **options})

    def open(self, path: Path, text: str | bytes = "") -> None:
        """Write a file and edit it; the language server is attached when this returns."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        self.nvim.command(f"edit {path}")
        self.wait_for_server()

    def reset(self) -> None:
        """Close every file and forget what earlier tests did."""
        self.nvim.command("stopinsert")
        self.lua("require('hearth').resume()")
        self.nvim.command("silent! %bwipeout!")
        self.nvim.command("messages clear")
        self.set_script()
        self.log.write_text("")

    def wait_for_server(self) -> None:
        """What is typed before the server is attached asks for nothing."""
        ready = """
        local client = vim.lsp.get_clients({ name = 'hearth', bufnr = 0 })[1]
        return client ~= nil and client.initialized and client.server_capabilities ~= nil
        """
        self.until(lambda: self.lua(ready), "the language server is attached")

    def type(self, keys: str) -> None:
        """Press keys, as `<Esc>` and the like are written in Vim."""
        self.nvim.input(keys)

    def call(self, function: str) -> Any:
        """Call one of the plugin's functions, such as ``accept``."""
        return self.lua(f"return require('hearth').{function}()")

    def lines(self) -> list[str]:
        """The buffer's text."""
        return list(self.nvim.current.buffer[:])

    def ghosts(self) -> list[tuple[int, int, str]]:
        """Row, column and text of everything drawn as ghost text."""
        return [(row, column, text) for row, column, text in self.lua(GHOST)]

    def ghost(self) -> str:
        """The ghost text; empty when there is none."""
        return "\n".join(text for _, _, text in self.ghosts())

    def messages(self) -> str:
        """What Neovim has told the user."""
        return str(self.lua("return vim.api.nvim_exec2('messages', { output = true }).output"))

    def requests(self, method: str = "inlineCompletion") -> list[dict[str, Any]]:
        """What the scripted server was asked."""
        entries = [json.loads(line) for line in self.log.read_text(encoding="utf-8").splitlines()]
        return [entry for entry in entries if entry["method"] == method]

    def until(self, condition: Callable[[], Any], what: str) -> Any:
        """Wait for a condition; fail with what the editor shows."""
        deadline = time.monotonic() + DEADLINE_S
        while True:
            if value := condition():
                return value
            if deadline < time.monotonic():
                raise AssertionError(
                    f"not in {DEADLINE_S:.0f} s: {what}; lines {self.lines()!r}, ghost {self.ghosts()!r}, "
                    f"messages {self.messages()!r}, last requests {self.requests()[-3:]!r}"
                )
            time.sleep(POLL_S)

    def never(self, condition: Callable[[], Any], what: str) -> None:
        """Make sure that something does not happen; only the absence of an event needs real time."""
        deadline = time.monotonic() + QUIET_S
        while time.monotonic() < deadline:
            assert not condition(), what
            time.sleep(POLL_S)

    def until_ghost(self, text: str) -> None:
        """Wait for exactly this ghost text."""
        self.until(lambda: self.ghost() == text, f"the ghost text is {text!r}")

    def until_lines(self, *lines: str) -> None:
        """Wait for exactly this text in the buffer."""
        self.until(lambda: self.lines() == list(lines), f"the text is {list(lines)!r}")

    def close(self) -> None:
        """Leave Neovim; its language server leaves with it."""
        try:
            self.nvim.command("qall!", async_=True)
            self.nvim.run_loop(None, None)
        except (OSError, EOFError, pynvim.NvimError):
            pass
        finally:
            self.nvim.close()


def start(front: Front, home: Path, hearth_home: Path | None = None) -> Editor:
    """Start Neovim with nothing but the plugin, in a workspace of its own."""
    nvim = program(front.version)
    (home / "work" / ".git").mkdir(parents=True, exist_ok=True)
    command = ["env", *(f"{key}={value}" for key, value in environment(nvim, home, hearth_home).items())]
    command += [str(nvim), "--clean", "--embed", "--headless", "-n"]
    command += ["--cmd", f"set runtimepath^={PLUGIN}", "--cmd", f"cd {home / 'work'}"]
    return Editor(nvim=pynvim.attach("child", argv=command), front=front, home=home)
