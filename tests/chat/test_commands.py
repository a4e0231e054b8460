"""The table of commands: names that can be typed, prompts that are there, and no row that does nothing."""

from __future__ import annotations

import pytest

from chat import commands
from chat.commands import ALIASES, BY_NAME, COMMANDS, Command
from chat.prompt_files import FOLDER

KINDS = ("quickfix.", "refactor.extract.", "refactor.rewrite.", "source.")


@pytest.mark.parametrize("command", COMMANDS, ids=lambda it: it.name)
def test_every_row_does_something(command: Command) -> None:
    """Without a model there is a part made from the code, or the row says that it needs one."""
    assert command.kind.startswith(KINDS)
    assert command.part or command.model == "needed"
    assert command.prompt or command.part
    assert command.says.endswith(".")
    assert commands.find(command.name) is command


def test_there_is_a_prompt_for_each_and_no_other() -> None:
    """A prompt that nobody asks with is dead text; `ask` belongs to the chat."""
    files = {it.stem for it in FOLDER.glob("*.md")}
    assert files - {"ask", "system"} == {it.prompt for it in COMMANDS if it.prompt}


def test_names_are_unique() -> None:
    """Also among the other names for them."""
    assert len(BY_NAME) == len(COMMANDS)
    assert not ALIASES.keys() & BY_NAME.keys()
    assert set(ALIASES.values()) <= BY_NAME.keys()
    assert commands.rows() == COMMANDS


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/explain", ("explain", "")),
        ("  /tests  edge cases, please ", ("tests", "edge cases, please")),
        ("/Fix\nthis", ("fix", "this")),
        ("/doc the return value", ("document", "the return value")),
        ("/nothing of ours", None),
        ("explain /tests", None),
        ("/explain.py is broken", None),
        ("/usr/bin", None),
        ("//explain", None),
        ("/", None),
        ("", None),
    ],
)
def test_slash_commands(text: str, expected: tuple[str, str] | None) -> None:
    """Only a whole word behind a slash at the very beginning is a command; a path is none."""
    found = commands.slash(text)
    assert (found and (found[0].name, found[1])) == expected
