"""docs/commands.md says what there is: every command, every key of a recipe, and an example that is one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from chat import act_parts, recipes
from chat.commands import COMMANDS, Command

PAGE = (Path(__file__).parents[2] / "docs" / "commands.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("command", COMMANDS, ids=lambda it: it.name)
def test_every_command_is_on_the_page(command: Command) -> None:
    """With what it does, and a dash where nothing is done without a model."""
    row = next(it for it in PAGE.split("\n") if it.startswith(f"| `{command.slash}` |"))
    without = row.split("|")[3].strip()
    assert (without == "–") is (command.model == "needed")
    assert command.part == "" or command.part in act_parts.MAKERS


def test_no_other_command_is_on_the_page() -> None:
    """What is gone from the table is gone from the page."""
    assert set(re.findall(r"^\| `(/\w+)` \|", PAGE, re.MULTILINE)) == {it.slash for it in COMMANDS}


def test_the_example_is_a_recipe() -> None:
    """It can be copied as it stands."""
    text = PAGE.split("```toml\n")[1].split("```")[0]
    found = recipes.read("add-logging.toml", text.encode())
    assert isinstance(found, recipes.Recipe), found
    assert [type(it).__name__ for it in found.steps] == ["Retrieve", "Prompt", "Check", "Apply"]


def test_every_hole_is_on_the_page() -> None:
    """And every step."""
    section = PAGE.split("## Recipes")[1]
    for name in (*recipes.HOLES, *recipes.STEPS, *recipes.SEEN):
        assert f"`{name}`" in section
