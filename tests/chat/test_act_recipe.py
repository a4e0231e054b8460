"""Recipes at work: what is fetched, what the model is told, what is checked, and what comes of it."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

import pytest

from chat import recipes
from chat.act_recipe import act_recipe
from chat.act_types import Done, Outcome
from chat.commands import NEEDS_MODEL
from chat.desk import Desk
from chat.types import Problem
from tests.chat.code_in_memory import InMemory
from tests.chat.desks import said
from tests.chat.test_act import CODE, HERE, PATH, SIMPLE, alone, asked, code, fenced, prompts, result


def recipe(*steps: str, **top: str) -> recipes.Recipe:
    """A recipe of these steps."""
    head = "".join(f'{name} = "{value}"\n' for name, value in {"title": "Mine", **top}.items())
    found = recipes.read("mine.toml", (head + "".join(f"[[steps]]\n{it}\n" for it in steps)).encode())
    assert isinstance(found, recipes.Recipe), found
    return found


async def run(it: recipes.Recipe, desk: Desk, instruction: str = "") -> Outcome:
    """What comes of it."""
    async with aclosing(act_recipe(it, HERE, desk, instruction=instruction)) as events:
        async for event in events:
            if isinstance(event, Done):
                return event.outcome
    raise AssertionError("it never ended")


ASK = 'do = "prompt"\ntext = "{{context}}\\n\\nAny() please, {{instruction}}:\\n{{code}}"'


async def test_from_the_code_to_an_edit(tmp_path: Path) -> None:
    """What was fetched and said is in the prompt; the answer is an edit of the version asked about."""
    it = recipe(
        'do = "retrieve"\nfiles = ["notes.md"]',
        ASK,
        'do = "check"\ncontains = "any\\\\("',
        'do = "apply"',
        asks="How?",
    )
    texts = code(**{"notes.md": "# Notes\n\nUse any.\n"})
    async with asked(tmp_path, said(fenced(SIMPLE)), texts=texts) as (desk, server):
        outcome = await run(it, desk, "quickly")
        assert (await run(it, desk)).refusal == "This has to be said as well: How?"
    assert SIMPLE in result(outcome)
    [messages] = prompts(server)
    assert [one["role"] for one in messages] == ["system", "user"]
    assert "Use any." in messages[-1]["content"]
    assert "Any() please, quickly:" in messages[-1]["content"]


async def test_a_check_asks_once_more(tmp_path: Path) -> None:
    """With its own sentence; if the second answer is no better, that sentence is the end of it."""
    it = recipe(ASK.replace(", {{instruction}}", ""), 'do = "check"\nlacks = "loop"\nsays = "No loops."')
    async with asked(tmp_path, said("A loop."), said("All of them."), said("loop"), said("loop")) as (
        desk,
        server,
    ):
        good, bad = await run(it, desk), await run(it, desk)
    assert good.markdown == "All of them."
    assert (bad.refusal, bad.markdown) == ("No loops.", "")
    assert prompts(server)[1][-1]["content"].startswith("That cannot be used: No loops.")


async def test_two_prompts(tmp_path: Path) -> None:
    """The second is told what the first has answered."""
    it = recipe('do = "prompt"\ntext = "Plan"', 'do = "prompt"\ntext = "Do this: {{answer}}"')
    async with asked(tmp_path, said("First, rest."), said("Rested.")) as (desk, server):
        outcome = await run(it, desk)
    assert outcome.markdown == "Rested."
    assert prompts(server)[1][-1]["content"] == "Do this: First, rest."


@pytest.mark.parametrize(
    ("step", "says"),
    [
        ('query = "has_odd"', "has_odd"),
        ('files = ["*.py"]', "import json"),
        ('what = "diff"', "+new line"),
        ('what = "problems"', "loop is slow"),
        ('what = "outline"', "load"),
        ('what = "callers"', "print(has_odd([1]))"),
        ('what = "callees"', "Nothing was found."),
    ],
)
async def test_a_recipe_that_only_looks(tmp_path: Path, step: str, says: str) -> None:
    """It needs no model, and shows what it found, with links."""
    problem = Problem(path=PATH, first_line=13, last_line=13, message="loop is slow")
    texts = InMemory(
        {PATH: CODE, "main.py": "from shop.basket import has_odd\n\nprint(has_odd([1]))\n"},
        versions={PATH: 3},
        diff="+new line\n",
        problems=[problem],
    )
    async with alone(tmp_path) as desk:
        outcome = await run(recipe(f'do = "retrieve"\n{step}'), replace(desk, code=texts))
    assert says in outcome.markdown + outcome.refusal


async def test_without_a_model(tmp_path: Path) -> None:
    """A recipe with a prompt says what it needs."""
    async with alone(tmp_path) as desk:
        assert (await run(recipe(ASK), desk)).refusal == NEEDS_MODEL
