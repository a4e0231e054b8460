"""What the Neovim pages claim: their code runs, the manual is complete, the settings exist."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.editors.neovim import NEWEST, PLUGIN, ROOT, Editor, Front

StartEditor = Callable[[Front], Editor]

PAGE = ROOT / "docs" / "editors" / "neovim.md"
MANUAL = PLUGIN / "doc" / "hearth.txt"
CONFIG = (PLUGIN / "lua" / "hearth" / "config.lua").read_text(encoding="utf-8")
INIT = (PLUGIN / "lua" / "hearth" / "init.lua").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```lua\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
OPTIONS = re.findall(r"^---@field (\w+)", CONFIG, re.MULTILINE)
FUNCTIONS = sorted(set(re.findall(r"^function M\.(\w+)", INIT, re.MULTILINE)) - {"setup"})


@pytest.mark.parametrize("name", OPTIONS)
def test_every_option_is_in_the_manual(name: str) -> None:
    """A user finds each option where `:help hearth-setup` leads."""
    options = MANUAL.read_text(encoding="utf-8").split("*hearth-setup*")[1].split("*hearth-functions*")[0]
    assert re.search(rf"^{name}\b", options, re.MULTILINE)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_is_in_the_manual(name: str) -> None:
    """Each has a tag of its own."""
    manual = MANUAL.read_text(encoding="utf-8")
    assert f"*hearth.{name}()*" in manual


def test_both_pages_of_helix_show_the_same_file() -> None:
    """The page's TOML is the file."""
    page = (ROOT / "docs" / "editors" / "helix.md").read_text(encoding="utf-8")
    file = (ROOT / "editors" / "others" / "helix" / "languages.toml").read_text(encoding="utf-8")
    [block] = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    assert file.split("\n\n", 1)[1] == block


@pytest.mark.e2e
def test_the_manual_has_sound_tags(start_editor: StartEditor, tmp_path: Path) -> None:
    """No tag twice, and every reference to a tag of ours leads somewhere."""
    editor = start_editor(NEWEST)
    copy = tmp_path / "doc"
    copy.mkdir()
    (copy / "hearth.txt").write_bytes(MANUAL.read_bytes())
    editor.nvim.command(f"helptags {copy}")
    tags = {line.split("\t")[0] for line in (copy / "tags").read_text().splitlines()}
    references = set(re.findall(r"\|((?:hearth|:Hearth|Hearth)[^|\s]*)\|", MANUAL.read_text()))
    assert references <= tags


@pytest.mark.e2e
def test_every_block_of_the_page_is_lua(start_editor: StartEditor) -> None:
    """A block is a program, or a table for a plugin manager."""
    editor = start_editor(NEWEST)
    for block in BLOCKS:
        is_sound = "local code = ...; return (loadstring(code) or loadstring('return ' .. code)) ~= nil"
        assert editor.lua(is_sound, block), block


@pytest.mark.e2e
@pytest.mark.parametrize("heading", ["By hand", "With `vim.pack`", "Without `setup`"])
def test_installing_as_the_page_says(start_editor: StartEditor, tmp_path: Path, heading: str) -> None:
    """Each way ends with the server's configuration known and Tab mapped."""
    after = PAGE.read_text(encoding="utf-8").split(heading, 1)[1]
    found = re.search(r"```lua\n(.*?)```", after, re.DOTALL)
    assert found
    source = tmp_path / "hearth"
    if "vim.pack" in heading:
        make_repository(source)
    else:
        source.symlink_to(ROOT)
    editor = start_editor(NEWEST)
    editor.nvim.command(f"set runtimepath-={PLUGIN}")
    editor.lua("vim.fn.confirm = function() return 1 end")  # vim.pack asks before it installs.
    editor.lua("vim.lsp.config('*', {}); " + found[1].replace("/path/to/hearth", str(source)))
    mapping = editor.nvim.funcs.maparg("<Tab>", "i", False, True)
    assert mapping
    assert editor.lua("return require('hearth').accept()") is False
    assert editor.lua("return vim.lsp.config.hearth.cmd") == ["hearth", "lsp"]
    module = editor.lua("return debug.getinfo(require('hearth').setup).source")
    assert str(PLUGIN) not in module


def make_repository(folder: Path) -> None:
    """A repository with the plugin where Hearth has it."""
    (folder / "editors").mkdir(parents=True)
    subprocess.run(["cp", "-r", str(PLUGIN), str(folder / "editors" / "neovim")], check=True)
    who = ["-c", "user.name=Hearth", "-c", "user.email=hearth@localhost"]
    for command in (["init", "-q", "-b", "main"], ["add", "-A"], [*who, "commit", "-q", "-m", "The plugin"]):
        subprocess.run(["git", *command], cwd=folder, check=True)
