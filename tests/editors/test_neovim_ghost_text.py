"""Ghost text in real Neovims, from a scripted server: showing, accepting, cycling, dismissing."""

from __future__ import annotations

import psutil
import pytest

from tests.editors.neovim import Editor

pytestmark = pytest.mark.e2e

ADD = "def add(a, b):\n    return a + b"
REST = "d(a, b):\n    return a + b"


def type_def(editor: Editor) -> None:
    """Begin a function that the server knows how to finish."""
    editor.set_script([ADD])
    editor.type("idef ad")
    editor.until_ghost(REST)


def test_typing_shows_ghost_text_and_accepting_inserts_it(scripted: Editor) -> None:
    """What is shown is virtual: the text changes only when it is accepted, and then the command runs."""
    type_def(scripted)
    assert scripted.lines() == ["def ad"]
    assert scripted.ghosts() == [(0, 6, REST)]
    assert scripted.call("accept")
    scripted.until_lines("def add(a, b):", "    return a + b")
    assert tuple(scripted.nvim.current.window.cursor) == (2, 16)
    [accepted] = scripted.until(lambda: scripted.requests("hearth.accepted"), "the item's command is run")
    assert accepted["arguments"] == [REST]
    assert not scripted.ghost()


def test_nothing_shown_means_nothing_to_accept(scripted: Editor) -> None:
    """Every function says whether it did something, so that a key can fall through."""
    scripted.type("ix")
    scripted.until_lines("x")
    for function in ("accept", "accept_word", "accept_line", "next", "prev", "dismiss"):
        assert scripted.call(function) is False, function
    assert scripted.lines() == ["x"]


def test_accepting_word_by_word(scripted: Editor) -> None:
    """After each word the rest is there at once; with the last one the command runs."""
    type_def(scripted)
    text, words = "def ad", ["d", "(", "a", ",", " b", "):", "\n    return", " a", " +", " b"]
    for index, word in enumerate(words):
        assert not scripted.requests("hearth.accepted")
        assert scripted.call("accept_word")
        text += word
        scripted.until_lines(*text.split("\n"))
        assert scripted.ghost() == "".join(words[index + 1 :])
    scripted.until(lambda: scripted.requests("hearth.accepted"), "the item's command is run")


def test_accepting_line_by_line(scripted: Editor) -> None:
    """The first line, then the line break with the next one."""
    type_def(scripted)
    assert scripted.call("accept_line")
    scripted.until_lines("def add(a, b):")
    assert scripted.ghost() == "\n    return a + b"
    assert scripted.call("accept_line")
    scripted.until_lines("def add(a, b):", "    return a + b")


def test_the_server_takes_over_after_a_word(scripted: Editor) -> None:
    """The next answer replaces what was left: the ghost text is there once, and can be accepted."""
    type_def(scripted)
    assert scripted.call("accept_word")
    scripted.until(
        lambda: any(it["before"] == "def add" for it in scripted.requests()), "the server is asked again"
    )
    scripted.until_ghost("(a, b):\n    return a + b")
    assert [(0, 7, "(a, b):\n    return a + b")] == scripted.ghosts()
    assert scripted.call("accept")
    scripted.until_lines(*ADD.split("\n"))


def test_typing_what_is_suggested_keeps_it(scripted: Editor) -> None:
    """The ghost text shrinks by what is typed, with no answer from the server."""
    type_def(scripted)
    scripted.set_script(answer="null")
    scripted.type("d(")
    scripted.until_ghost("a, b):\n    return a + b")
    assert scripted.call("accept")
    scripted.until_lines(*ADD.split("\n"))


def test_typing_something_else_never_spoils_the_text(scripted: Editor) -> None:
    """A suggestion made for other text is not inserted."""
    type_def(scripted)
    scripted.set_script(answer="null")
    scripted.type("x")
    scripted.until_lines("def adx")
    scripted.call("accept")
    scripted.never(lambda: scripted.lines() != ["def adx"], "a suggestion for other text is inserted")
    assert not scripted.ghost()


def test_an_empty_answer_hides_the_ghost_text(scripted: Editor) -> None:
    """Null means nothing new; an empty list means nothing to show."""
    type_def(scripted)
    scripted.set_script(answer="empty")
    scripted.type("d")
    scripted.until_ghost("")


def test_several_suggestions_can_be_cycled(scripted: Editor) -> None:
    """Forwards, backwards and round the end; the shown one is accepted."""
    scripted.set_script([ADD, "def address(user): ...", "def adder(): ..."])
    scripted.type("idef ad")
    scripted.until_ghost(REST)
    assert scripted.call("next")
    scripted.until_ghost("dress(user): ... (2/3)")
    assert scripted.call("prev")
    scripted.until_ghost(f"{REST} (1/3)")
    assert scripted.call("prev")
    scripted.until_ghost("der(): ... (3/3)")
    assert scripted.call("accept")
    scripted.until_lines("def adder(): ...")


def test_the_server_is_told_where_somebody_begins_to_type(scripted: Editor) -> None:
    """Before the first key; and what was sent away, so that the server does not offer it again."""
    type_def(scripted)
    scripted.until(lambda: scripted.requests("cursor"), "the cursor is told")
    assert scripted.requests("cursor")[-1]["position"][0] == 0
    told = len(scripted.requests("hearth.dismissed"))
    assert scripted.call("dismiss")
    scripted.until(lambda: told < len(scripted.requests("hearth.dismissed")), "the dismissal is told")


def test_dismissing_keeps_quiet_until_something_is_typed(scripted: Editor) -> None:
    """Moving the cursor about does not bring back what was sent away; the next character does."""
    type_def(scripted)
    assert scripted.call("dismiss")
    scripted.until_ghost("")
    asked = len(scripted.requests())
    scripted.type("<Left><Right>")
    scripted.never(
        lambda: scripted.ghost() or asked < len(scripted.requests()), "a dismissed suggestion is back"
    )
    scripted.type("d")
    scripted.until_ghost("(a, b):\n    return a + b")


def test_asking_by_hand(scripted: Editor) -> None:
    """The server is told that it was by hand, and a dismissed suggestion may come back."""
    type_def(scripted)
    assert scripted.call("suggest")
    scripted.until(lambda: scripted.requests()[-1]["kind"] == 1, "the server is asked by hand")
    scripted.until_ghost(REST)
    assert scripted.call("dismiss")
    scripted.until_ghost("")
    assert scripted.call("suggest")
    scripted.until_ghost(REST)
    assert [it["kind"] for it in scripted.requests()][-2:] == [1, 1]
    assert scripted.call("accept_word")
    scripted.until_lines("def add")
    assert scripted.call("accept")
    scripted.until_lines(*ADD.split("\n"))


def test_leaving_insert_mode_hides_the_ghost_text(scripted: Editor) -> None:
    """Ghost text belongs to typing."""
    type_def(scripted)
    scripted.type("<Esc>")
    scripted.until_ghost("")


def test_an_acceptance_is_one_undo_step(scripted: Editor) -> None:
    """Undo takes back what was accepted and keeps what was typed."""
    type_def(scripted)
    assert scripted.call("accept")
    scripted.until_lines(*ADD.split("\n"))
    scripted.type("<Esc>u")
    scripted.until_lines("def ad")


def test_a_closing_bracket_behind_the_cursor_is_replaced(scripted: Editor) -> None:
    """The suggestion brings its own closing bracket, and there is one afterwards."""
    scripted.set_script(["print(bar, baz)"], replaces=1)
    scripted.type("iprint()<Left>")
    scripted.until(scripted.ghost, "there is ghost text between the brackets")
    assert scripted.call("accept_word")
    scripted.until_lines("print(bar)")
    assert scripted.ghost() == ", baz"
    assert scripted.call("accept")
    scripted.until_lines("print(bar, baz)")
    assert tuple(scripted.nvim.current.window.cursor) == (1, 15)


def test_emoji_and_crlf(scripted: Editor) -> None:
    """Columns are counted as the client said it would, and line breaks are the file's."""
    path = scripted.home / "work" / "dos.py"
    scripted.open(path, "a = 1\r\nx = 'é😀'; \r\ny = 2\r\n".encode())
    scripted.set_script(["def ad(é='😀'):\n    return é"], newline="\r\n")
    scripted.type("jAdef ad")
    scripted.until_ghost("(é='😀'):\n    return é")
    assert scripted.call("accept_line")
    scripted.until_lines("a = 1", "x = 'é😀'; def ad(é='😀'):", "y = 2")
    assert scripted.call("accept")
    scripted.until_lines("a = 1", "x = 'é😀'; def ad(é='😀'):", "    return é", "y = 2")
    scripted.type("<Esc>:w<CR>")
    expected = "a = 1\r\nx = 'é😀'; def ad(é='😀'):\r\n    return é\r\ny = 2\r\n".encode()
    scripted.until(lambda: path.read_bytes() == expected, "the file has CRLF line breaks")


def test_an_error_of_the_server_is_not_shouted(scripted: Editor) -> None:
    """An error belongs in the log, not in front of somebody who types."""
    scripted.set_script(answer="error")
    scripted.type("idef ad")
    scripted.until(scripted.requests, "the server is asked")
    scripted.set_script([ADD])
    scripted.type("d")
    scripted.until_ghost("(a, b):\n    return a + b")
    assert scripted.messages() == ""


def test_pause_and_resume(scripted: Editor) -> None:
    """Paused, nothing is asked; the server knows, and says so."""
    type_def(scripted)
    scripted.call("toggle")
    scripted.until_ghost("")
    scripted.until(lambda: scripted.requests("hearth.pause"), "the server is told")
    asked = len(scripted.requests())
    scripted.type("d")
    scripted.never(lambda: asked < len(scripted.requests()), "a paused editor asks")
    assert scripted.call("status") == "hearth paused"
    scripted.call("toggle")
    scripted.until(lambda: scripted.requests("hearth.resume"), "the server is told")
    scripted.type("(")
    scripted.until_ghost("a, b):\n    return a + b")


def test_the_status_line_says_what_the_server_says(scripted: Editor) -> None:
    """Model, state and speed, from the last notification."""
    scripted.until(
        lambda: scripted.call("status") == "hearth ready scripted, 50 tokens/s", "the status is known"
    )
    scripted.nvim.command("enew")
    assert scripted.call("status") == ""


def test_a_killed_server_comes_back(scripted: Editor) -> None:
    """Its death clears the ghost text, makes no noise but one line, and is repaired."""
    type_def(scripted)
    nvim = psutil.Process(scripted.nvim.funcs.getpid())
    [server] = [it for it in nvim.children() if "scripted_lsp.py" in " ".join(it.cmdline())]
    server.kill()
    scripted.until_ghost("")
    scripted.until(lambda: scripted.requests("initialized"), "another server is there")
    scripted.wait_for_server()
    scripted.type("d")
    scripted.until_ghost("(a, b):\n    return a + b")
    assert scripted.call("accept")
    scripted.until_lines(*ADD.split("\n"))
    [line] = scripted.messages().splitlines()
    assert line.startswith("Client hearth quit with exit code 0 and signal 9.")
