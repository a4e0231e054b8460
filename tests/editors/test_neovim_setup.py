"""Setting the plugin up in real Neovims: options, keys, commands, `:checkhealth`, and doing without it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pynvim
import pytest

from tests.editors import neovim
from tests.editors.neovim import FRONTS, NEWEST, OLDEST, Editor, Front

pytestmark = pytest.mark.e2e

StartEditor = Callable[[Front], Editor]
BOTH = pytest.mark.parametrize("front", [NEWEST, OLDEST], ids=str)
ADD = "def add(a, b):\n    return a + b"
MAPPINGS = "return vim.tbl_map(function(it) return it.lhs end, vim.api.nvim_get_keymap(...))"


@BOTH
def test_no_key_is_mapped_without_asking(start_editor: StartEditor, front: Front) -> None:
    """Somebody's Tab is somebody's Tab."""
    editor = start_editor(front)
    before = [editor.lua(MAPPINGS, mode) for mode in "inv"]
    editor.set_script([ADD])
    editor.setup()
    editor.open(editor.home / "work" / "sums.py")
    editor.type("idef ad")
    editor.until(editor.ghost, "there is ghost text")
    assert [editor.lua(MAPPINGS, mode) for mode in "inv"] == before


@BOTH
def test_keys_do_what_they_did_where_there_is_no_ghost_text(start_editor: StartEditor, front: Front) -> None:
    """Tab accepts a suggestion, otherwise it is a Tab, or the mapping it was; setting up again is safe."""
    editor = start_editor(front)
    editor.nvim.command("inoremap <expr> <M-l> 'mapped'")
    editor.set_script([ADD])
    for _ in range(2):
        editor.setup(keys={"accept": "<Tab>", "accept_word": "<M-l>"})
    editor.open(editor.home / "work" / "sums.py")
    editor.type("i<Tab>")
    editor.until_lines("    ")
    editor.type("<M-l>")
    editor.until_lines("    mapped")
    editor.type("<CR>def ad")
    editor.until(editor.ghost, "there is ghost text")
    editor.type("<M-l>")
    editor.until_lines("    mapped", "    def add")
    editor.type("<Tab>")
    editor.until_lines("    mapped", "    def add(a, b):", "    return a + b")


@BOTH
def test_unusable_options_are_named_and_the_rest_is_used(start_editor: StartEditor, front: Front) -> None:
    """One sentence for each, no traceback."""
    editor = start_editor(front)
    editor.set_script([ADD])
    editor.setup(filetypes="python", pause=3, keys={"accept": 5, "fly": "<F2>"})
    said = editor.messages()
    for sentence in (
        "Hearth: setup: `filetypes` must be a list of strings.",
        "Hearth: setup: there is no option `pause`.",
        'Hearth: setup: `keys.accept` must be a key, such as "<M-l>".',
        "Hearth: setup: `keys.fly` is no function of this plugin.",
    ):
        assert sentence in said
    editor.open(editor.home / "work" / "sums.py")
    editor.type("idef ad")
    editor.until(editor.ghost, "there is ghost text")


@BOTH
def test_a_missing_program_is_one_sentence(start_editor: StartEditor, front: Front) -> None:
    """Opening files stays quiet after it."""
    editor = start_editor(front)
    editor.setup(["hearth-is-not-here", "lsp"])
    editor.nvim.command("edit sums.py | edit more.py")
    assert editor.messages().splitlines() == [
        "Hearth: there is no program `hearth-is-not-here`. See :checkhealth hearth."
    ]


@BOTH
def test_only_the_chosen_filetypes(start_editor: StartEditor, front: Front) -> None:
    """A file of another type is left alone."""
    editor = start_editor(front)
    editor.setup(filetypes=["python"])
    editor.open(editor.home / "work" / "sums.py")
    editor.nvim.command("edit notes.md")
    assert editor.call("status") == ""


def test_enable_without_setup(start_editor: StartEditor) -> None:
    """`vim.lsp.enable('hearth')` is enough: the configuration is on the runtime path."""
    editor = start_editor(NEWEST)
    editor.set_script([ADD])
    server = str(Path(__file__).with_name("scripted_lsp.py"))
    command = [sys.executable, server, str(editor.script), str(editor.log)]
    editor.lua("vim.lsp.config('hearth', { cmd = ... }); vim.lsp.enable('hearth')", command)
    editor.open(editor.home / "work" / "sums.py")
    editor.type("idef ad")
    editor.until_ghost("d(a, b):\n    return a + b")
    assert editor.call("accept_word")
    editor.until_lines("def add")


def test_two_ways_of_drawing_do_not_draw_twice(start_editor: StartEditor) -> None:
    """The plugin draws although Neovim's own inline completion is on for other servers."""
    editor = start_editor(FRONTS[1])
    editor.set_script([ADD])
    editor.lua("vim.lsp.inline_completion.enable(true)")
    editor.setup()
    editor.open(editor.home / "work" / "sums.py")
    editor.type("idef ad")
    editor.until(editor.ghost, "there is ghost text")
    editor.never(lambda: len(editor.ghosts()) != 1, "it is drawn twice")


@BOTH
def test_the_hearth_command(start_editor: StartEditor, front: Front) -> None:
    """Every subcommand answers; a wrong one says which there are."""
    editor = start_editor(front)
    editor.nvim.command("Hearth")
    assert "no server runs" in editor.messages()
    editor.set_script()
    editor.setup()
    editor.open(editor.home / "work" / "sums.py")
    editor.until(lambda: editor.call("status") == "hearth ready scripted, 50 tokens/s", "the status is known")
    editor.nvim.command("messages clear | Hearth status")
    assert f"Hearth: ready scripted, 50 tokens/s, 1 buffer, {editor.home}/work" in editor.messages()
    editor.nvim.command("Hearth pause | messages clear | Hearth status")
    assert "Ghost text is paused" in editor.messages()
    with pytest.raises(
        pynvim.NvimError, match="say log, pause, restart, restart_engine, resume, source, status, toggle"
    ):
        editor.nvim.command("Hearth fly")
    assert editor.nvim.funcs.getcompletion("Hearth re", "cmdline") == ["restart", "restart_engine", "resume"]
    editor.nvim.command("Hearth source")
    editor.until(lambda: editor.requests("hearth.suggestionSource"), "the server is asked for the source")
    editor.nvim.command("Hearth log")
    assert str(editor.nvim.funcs.expand("%")).endswith("lsp.log")


@BOTH
def test_restart_is_a_new_process_for_the_same_buffers(start_editor: StartEditor, front: Front) -> None:
    """All buffers are attached again, and a pause stays a pause."""
    editor = start_editor(front)
    editor.set_script([ADD])
    editor.setup()
    for name in ("sums.py", "more.py"):
        editor.open(editor.home / "work" / name)
    editor.nvim.command("Hearth pause")
    nvim = psutil.Process(editor.nvim.funcs.getpid())
    [old] = nvim.children()
    editor.nvim.command("Hearth restart")
    editor.until(lambda: not old.is_running(), "the old server is gone")
    editor.until(lambda: len(editor.requests("initialized")) == 2, "a new server is there")
    editor.until(lambda: len(editor.requests("hearth.pause")) == 2, "it is told of the pause")
    editor.nvim.command("Hearth resume")
    count = "return vim.tbl_count(vim.lsp.get_clients({ name = 'hearth' })[1].attached_buffers)"
    editor.until(lambda: editor.lua(count) == 2, "both buffers are attached")
    editor.type("idef ad")
    editor.until_ghost("d(a, b):\n    return a + b")


def test_a_server_that_keeps_dying_is_left_alone(start_editor: StartEditor) -> None:
    """Three new starts in a minute, then one sentence with what to do."""
    editor = start_editor(NEWEST)
    editor.set_script()
    editor.setup()
    editor.open(editor.home / "work" / "sums.py")
    nvim = psutil.Process(editor.nvim.funcs.getpid())
    for _ in range(4):
        editor.until(lambda: editor.requests("initialized"), "the server is there")
        editor.log.write_text("")
        editor.wait_for_server()
        [server] = nvim.children()
        server.kill()
    editor.until(lambda: "Hearth stopped: its server keeps dying." in editor.messages(), "it is given up")
    assert not nvim.children()


@BOTH
def test_a_server_that_never_starts_is_not_tried_again(start_editor: StartEditor, front: Front) -> None:
    """It would fail in the same way; Neovim says where the log is."""
    editor = start_editor(front)
    dying = "import sys; sys.stdin.buffer.readline(); sys.exit(3)"
    editor.setup([sys.executable, "-c", dying], filetypes=["python"])
    editor.nvim.command("edit sums.py")
    death = "quit with exit code 3"
    editor.until(lambda: death in editor.messages(), "its death is noticed")
    editor.never(lambda: 1 < editor.messages().count(death), "it is started again")


@BOTH
def test_checkhealth_when_all_is_well(start_editor: StartEditor, front: Front, tmp_path: Path) -> None:
    """Versions, the attached client, the engine, the options."""
    editor = start_editor(front)
    editor.set_script()
    program = fake_hearth(tmp_path, editor)
    editor.setup([str(program), "lsp"], keys={"accept": "<Tab>"})
    editor.open(editor.home / "work" / "sums.py")
    editor.until(lambda: "ready" in str(editor.call("status")), "the status is known")
    report = checkhealth(editor)
    assert f"Neovim {front.version}" in report
    assert "hearth 1.2.3" in report
    assert "attached to 1 buffer(s)" in report
    assert f"positions in {'utf-8' if front == NEWEST else 'utf-16'}; ready scripted, 50 tokens/s" in report
    assert "project memory: ready, 812 files, 24.5 MB of text" in report
    assert "engine: ready, model: scripted" in report
    assert "nothing is wrong with the options" in report
    assert "ERROR" not in report
    assert "WARNING" not in report


@BOTH
def test_checkhealth_when_nothing_works(start_editor: StartEditor, front: Front) -> None:
    """Each problem comes with what to do about it."""
    editor = start_editor(front)
    editor.setup(["hearth-is-not-here"], settings=3, keys={"accept": "<Tab>"})
    editor.nvim.command("inoremap <Tab> <C-n>")
    report = checkhealth(editor)
    assert "there is no program `hearth-is-not-here`" in report
    assert "pipx install ." in report
    assert "no server is attached" in report
    assert "setup: `settings` must be a table." in report
    assert "<Tab> does not accept: another mapping has taken it" in report


def fake_hearth(folder: Path, editor: Editor) -> Path:
    """A `hearth` whose language server is the scripted one."""
    server = Path(neovim.__file__).with_name("scripted_lsp.py")
    program = folder / "hearth"
    program.write_text(
        "#!/bin/sh\n"
        'case "$*" in\n'
        f"  lsp) exec '{sys.executable}' '{server}' '{editor.script}' '{editor.log}' ;;\n"
        "  --version) echo hearth 1.2.3 ;;\n"
        """  'status --json') echo '{"state": "ready", "model": "scripted", "problem": ""}' ;;\n"""
        "  *) exit 2 ;;\n"
        "esac\n"
    )
    program.chmod(0o755)
    return program


def checkhealth(editor: Editor) -> str:
    """The text of the report."""
    editor.nvim.command("checkhealth hearth")
    return "\n".join(editor.lines())
