"""Ghost text in real Neovims, from a scripted server: showing, accepting, cycling, dismissing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.editors.neovim import Editor

pytestmark = pytest.mark.e2e

ADD = "def add(a, b):\n    return a + b"


@pytest.fixture
def scripted(editor: Editor, tmp_path: Path) -> Editor:
    """An editor with an empty Python file, attached to the scripted server."""
    editor.set_script([ADD])
    editor.setup()
    editor.open(tmp_path / "work" / "sums.py")
    return editor


def test_typing_shows_ghost_text_and_accepting_inserts_it(scripted: Editor) -> None:
    """What is shown is virtual: the text changes only when it is accepted."""
    scripted.type("idef ad")
    scripted.until_ghost("d(a, b):\n    return a + b")
    assert scripted.lines() == ["def ad"]
    assert scripted.call("accept")
    scripted.until_lines("def add(a, b):", "    return a + b")
    assert scripted.nvim.current.window.cursor == [2, 16]
    scripted.until(lambda: scripted.requests("hearth.accepted"), "the item's command was run")
    assert not scripted.ghost()
