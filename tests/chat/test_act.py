"""Commands, from a place in the code to what comes of them: without a model, with one, and when it fails."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from chat import commands
from chat.act import act
from chat.act_types import Done, Event, Outcome, Subject, Working
from chat.desk import Desk
from chat.edits import apply
from chat.events import Text
from chat.extract import PROSE
from chat.types import Problem
from tests.chat.code_in_memory import InMemory
from tests.chat.desks import cut_off, near, said, sitting
from tests.models.loopback.server import Answer, Server, begins, event, plain, serving
from tests.models.loopback.shapes import delta

PATH = "shop/basket.py"
CODE = '''"""The basket."""

import json


def load(path):
    with open(path) as file:
        return json.load(file)


def has_odd(values):
    found = False
    for value in values:
        if value % 2 == 1:
            found = True
    return found
'''
SIMPLE = "def has_odd(values):\n    return any(value % 2 == 1 for value in values)"
HERE = Subject(path=PATH, first_line=12, last_line=12, language="python", version=3)


def code(text: str = CODE, **others: str) -> InMemory:
    """The file, open in an editor, and others on disk."""
    return InMemory({PATH: text, **others}, versions={PATH: 3})


def fenced(text: str) -> str:
    return f"Here it is:\n\n```python\n{text}\n```\n"


@asynccontextmanager
async def asked(
    data: Path, *answers: Answer, texts: InMemory | None = None
) -> AsyncIterator[tuple[Desk, Server]]:
    """A desk whose model gives these answers."""
    async with serving(*answers) as server, sitting(data, near(server)) as desk:
        yield replace(desk, code=texts or code()), server


@asynccontextmanager
async def alone(data: Path) -> AsyncIterator[Desk]:
    """A desk without any model."""
    async with sitting(data) as desk:
        yield replace(desk, code=code())


async def run(
    name: str, desk: Desk, subject: Subject = HERE, instruction: str = ""
) -> tuple[Outcome, list[Event]]:
    """What came of a command, and what happened before."""
    command = commands.find(name)
    assert command is not None
    events = [it async for it in act(command, subject, desk, instruction=instruction)]
    assert isinstance(events[-1], Done)
    assert not any(isinstance(it, Done) for it in events[:-1])
    return events[-1].outcome, events[:-1]


def result(outcome: Outcome, path: str = PATH) -> str:
    """The file with the edits made."""
    assert outcome.refusal == ""
    own = [it for it in outcome.edits if it.path == path]
    return apply(outcome.sources[path].text, own)


def prompts(server: Server) -> list[list[dict[str, Any]]]:
    """The conversations that the model was sent."""
    return [json.loads(it.body)["messages"] for it in server.requests]


async def test_a_models_change(tmp_path: Path) -> None:
    """The function is written anew, and only the lines that differ are edited, in the version asked about."""
    async with asked(tmp_path, said(fenced(SIMPLE))) as (desk, server):
        outcome, _ = await run("simplify", desk)
    assert result(outcome) == CODE[: CODE.index("def has_odd")] + SIMPLE + "\n"
    assert {it.version for it in outcome.edits} == {3}
    assert {it.says for it in outcome.edits} == {"Simplify: basket.py"}
    assert all(len(it.new_text) < len(SIMPLE) for it in outcome.edits)
    assert (outcome.tier, outcome.server) == ("local", "near")
    [messages] = prompts(server)
    assert [it["role"] for it in messages] == ["system", "user", "assistant", "user"]
    assert "`shop/basket.py`, lines 11 to 16, python:" in messages[-1]["content"]
    assert "def load" not in messages[-1]["content"].partition("lines 11 to 16")[2]


async def test_an_answer_of_no_use_is_asked_for_once_more(tmp_path: Path) -> None:
    """With the reason; the second answer counts."""
    async with asked(tmp_path, said("I cannot do that."), said(fenced(SIMPLE))) as (desk, server):
        outcome, events = await run("simplify", desk)
    assert SIMPLE in result(outcome)
    first, second = prompts(server)
    assert second[: len(first)] == first
    assert second[len(first)] == {"role": "assistant", "content": "I cannot do that."}
    assert second[-1]["content"].startswith("That cannot be used: The answer changes nothing: “I cannot")
    assert any(isinstance(it, Working) and it.says.startswith("Asking once more") for it in events)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ("Nothing to see here, move along.", "The answer has no code"),
        (fenced("def other(:\n    return"), "would no longer be valid python"),
        (fenced(CODE.replace("json", "toml")), "fits"),
        ("```python\ndef has_odd(values):\n", "cut off"),
    ],
)
async def test_nonsense_changes_nothing(tmp_path: Path, answer: str, says: str) -> None:
    """Twice of no use: the reason is said, and there is no edit."""
    async with asked(tmp_path, said(answer), said(answer)) as (desk, server):
        outcome, _ = await run("simplify", desk)
    assert outcome.refusal or outcome.edits
    assert not outcome.edits or "toml" in answer
    assert len(server.requests) == 2 or outcome.edits


async def test_a_model_that_dies(tmp_path: Path) -> None:
    """Half an answer is no answer: nothing is changed, and who failed is said."""
    answer = cut_off("```python\n", "def has_odd(values):\n", "    return any(")
    async with asked(tmp_path, answer) as (desk, _):
        outcome, _ = await run("simplify", desk)
    assert outcome.refusal
    assert not outcome.changes


async def test_without_a_model(tmp_path: Path) -> None:
    """What needs one says so in one sentence; nothing is sent anywhere."""
    async with alone(tmp_path) as desk:
        for name in ("simplify", "types", "extract"):
            outcome, _ = await run(name, desk, replace(HERE, is_selected=True, last_line=15))
            assert outcome.refusal == commands.NEEDS_MODEL


async def test_documentation_without_a_model(tmp_path: Path) -> None:
    """The frame of the comment, in the manner of the file, with nothing else changed."""
    async with alone(tmp_path) as desk:
        outcome, _ = await run("document", desk)
    text = result(outcome)
    assert '    """' in text
    assert text.replace(text[text.index('    """') : text.rindex('"""') + 4], "") == CODE
    assert outcome.tier == "extractive"


async def test_documentation_by_a_model(tmp_path: Path) -> None:
    """Its words stand in the frame, at the frame's place and indentation."""
    comment = '"""Whether any is odd.\n\nArgs:\n    values: Whole numbers.\n\nReturns:\n    Whether.\n"""'
    async with asked(tmp_path, said(fenced(comment))) as (desk, server):
        outcome, _ = await run("document", desk)
    text = result(outcome)
    assert '    """Whether any is odd.\n\n    Args:\n        values: Whole numbers.\n' in text
    assert text.count('"""') == CODE.count('"""') + 2
    assert "The comment to be filled in:\n```python\n" in prompts(server)[0][-1]["content"]


@pytest.mark.parametrize(
    "comment",
    [
        'import os\n"""Text."""',
        '"""Text."""\nos.remove("a")',
        '"""Text.""" + os.name + """x"""',
        "# Text",
        '"""',
        '""" """',
        SIMPLE,
    ],
)
async def test_documentation_brings_no_code(tmp_path: Path, comment: str) -> None:
    """An answer with more in it than a comment is cut to the comment, or the frame is what there is."""
    async with asked(tmp_path, said(fenced(comment)), said(fenced(comment))) as (desk, _):
        outcome, _ = await run("document", desk)
    text = result(outcome)
    assert "os" not in text[text.index("def has_odd") :]
    assert "return any" not in text
    start = text.index('    """')
    assert text[:start] + text[text.index('"""', start + 7) + 4 :] == CODE


async def test_tests_without_a_model(tmp_path: Path) -> None:
    """A new file where the project's tests are, with the import, waiting to be filled in."""
    async with alone(tmp_path) as desk:
        outcome, _ = await run("tests", desk)
    [file] = outcome.files
    assert file.path.rpartition("/")[2] == "test_basket.py"
    assert "has_odd" in file.text
    assert outcome.note == "Written for unittest."


async def test_tests_by_a_model(tmp_path: Path) -> None:
    """Its tests take the place of the empty ones; the frame's import stays."""
    answer = "def test_odd():\n    assert has_odd([1, 2])\n\n\ndef test_none():\n    assert not has_odd([2])"
    async with asked(tmp_path, said(fenced(answer))) as (desk, server):
        outcome, _ = await run("tests", desk)
    [file] = outcome.files
    assert file.text == f"import unittest\n\nfrom shop.basket import has_odd\n\n{answer}\n" or (
        "from shop.basket import has_odd\n" in file.text and file.text.endswith(f"{answer}\n")
    )
    assert "skip" not in file.text
    assert outcome.tier == "local"
    assert "The tests to be filled in, `" in prompts(server)[0][-1]["content"]


@pytest.mark.parametrize("imports", ["", "import pytest\n\nfrom shop.basket import has_odd, load\n\n\n"])
async def test_more_tests_by_a_model(tmp_path: Path, imports: str) -> None:
    """In the file of tests that is there, behind the others; nothing of it is written anew."""
    there = "from shop.basket import load\n\n\ndef test_load():\n    assert load('x')\n"
    texts = code(**{"tests/test_basket.py": there})
    answer = f"{imports}def test_odd():\n    assert has_odd([1, 2])"
    async with asked(tmp_path, said(fenced(answer)), texts=texts) as (desk, _):
        outcome, _ = await run("tests", desk)
    text = result(outcome, "tests/test_basket.py")
    assert "def test_load():\n    assert load('x')\n\n\ndef test_odd():\n    assert has_odd([1, 2])\n" in text
    assert "from shop.basket import has_odd, load\n" in text
    assert "skip" not in text


@pytest.mark.parametrize(
    "answer", ["x = 1", 'def test_odd():\n    pytest.skip("Fill in the arguments and what is expected")']
)
async def test_tests_that_test_nothing(tmp_path: Path, answer: str) -> None:
    """They are refused, and the frame says what is to be filled in."""
    async with asked(tmp_path, said(fenced(answer)), said(fenced(answer))) as (desk, _):
        outcome, _ = await run("tests", desk)
    assert "skip" in outcome.files[0].text
    assert outcome.note.startswith("The answer ")


async def test_tests_fall_back_to_the_frame(tmp_path: Path) -> None:
    """Where the model's answer is of no use, the frame is there, and why."""
    async with asked(tmp_path, said("No."), said("No.")) as (desk, _):
        outcome, _ = await run("tests", desk)
    assert "has_odd" in outcome.files[0].text
    assert "This is what your code itself gives." in outcome.note
    assert outcome.tier == "extractive"


async def test_a_new_name(tmp_path: Path) -> None:
    """In every file, each place an edit of its own; nothing is asked of a model."""
    other = "from shop.basket import has_odd\n\nprint(has_odd([1]))\n"
    async with asked(tmp_path, texts=code(**{"main.py": other})) as (desk, server):
        outcome, _ = await run("rename", desk, replace(HERE, first_line=11, word="has_odd"), "any_odd")
    assert result(outcome) == CODE.replace("has_odd", "any_odd")
    used = [it for it in (*outcome.edits, *outcome.unsure) if it.path == "main.py"]
    assert "print(any_odd([1]))" in apply(other, used)
    assert outcome.note.startswith("Renames `has_odd` to `any_odd`")
    assert server.requests == []


@pytest.mark.parametrize(("name", "says"), [("load", "load"), ("two words", "two words"), ("class", "class")])
async def test_a_name_that_cannot_be(tmp_path: Path, name: str, says: str) -> None:
    """Taken, no name, or the language's own: nothing is renamed, and the sentence names it."""
    async with alone(tmp_path) as desk:
        outcome, _ = await run("rename", desk, replace(HERE, first_line=11, word="has_odd"), name)
    assert says in outcome.refusal
    assert not outcome.changes


async def test_an_explanation_without_a_model(tmp_path: Path) -> None:
    """The facts of the definition, with links, and how to get more."""
    async with alone(tmp_path) as desk:
        outcome, events = await run("explain", desk)
        lines, _ = await run("explain", desk, replace(HERE, first_line=13, last_line=15, is_selected=True))
    assert "**`has_odd`** (function, [shop/basket.py:11](shop/basket.py#L11-L16))" in outcome.markdown
    assert outcome.markdown.endswith(PROSE)
    assert [it.text for it in events if isinstance(it, Text)] == [outcome.markdown]
    assert "if value % 2 == 1" in lines.markdown


async def test_an_explanation_by_a_model(tmp_path: Path) -> None:
    """The facts are in its prompt and below its words; what would bring more is not said any more."""
    async with asked(tmp_path, said("Looks for ", "an odd number.")) as (desk, server):
        outcome, _ = await run("explain", desk)
    assert outcome.markdown.startswith("Looks for an odd number.\n\n---\n\n**`has_odd`**")
    assert PROSE not in outcome.markdown
    text = prompts(server)[0][-1]["content"]
    assert "What is known of it:\n**`has_odd`** (function, shop/basket.py:11)" in text


async def test_a_review(tmp_path: Path) -> None:
    """The lines that it names are links, where they are in what was looked at."""
    answer = "- line 14: Say `any`.\n- line 99: Not there.\n- Lines 13-15: A loop."
    subject = replace(HERE, first_line=11, last_line=16, is_selected=True)
    async with asked(tmp_path, said(answer)) as (desk, server):
        outcome, _ = await run("review", desk, subject)
    assert outcome.markdown.startswith(
        "- [line 14](shop/basket.py#L14): Say `any`.\n- Not there.\n"
    ) or outcome.markdown.startswith("- [line 14](shop/basket.py#L14): Say `any`.\n- : Not there.\n")
    assert "[lines 13 to 15](shop/basket.py#L13-L15): A loop." in outcome.markdown
    assert "14|         if value % 2 == 1:" in prompts(server)[0][-1]["content"]


async def test_prose_that_breaks_off(tmp_path: Path) -> None:
    """What was said stands, what the code itself says is there too, and why it ends is said."""
    async with asked(tmp_path, cut_off("Keeps ", "a basket.")) as (desk, _):
        outcome, events = await run("summarize", desk)
    assert outcome.markdown.startswith("Keeps a basket.")
    assert "has_odd" in outcome.markdown
    assert outcome.note
    assert not outcome.refusal
    assert "".join(it.text for it in events if isinstance(it, Text)) == outcome.markdown


async def test_a_document_that_moved_on(tmp_path: Path) -> None:
    """Nobody is asked about a version that is not there any more."""
    async with asked(tmp_path) as (desk, server):
        outcome, _ = await run("simplify", desk, replace(HERE, version=2))
    assert "has changed meanwhile" in outcome.refusal
    assert server.requests == []


async def test_what_has_to_be_said(tmp_path: Path) -> None:
    """A command that needs an instruction says what it asks; with one, it is in the prompt."""
    async with asked(tmp_path, said(fenced(SIMPLE))) as (desk, server):
        outcome, _ = await run("refactor", desk)
        assert outcome.refusal == "This has to be said as well: What is to be changed?"
        outcome, _ = await run("refactor", desk, instruction="use any")
    assert SIMPLE in result(outcome)
    assert "What to change: use any" in prompts(server)[0][-1]["content"]


async def test_a_problem_goes_into_the_prompt(tmp_path: Path) -> None:
    """The diagnostic in its own words, with its line."""
    problem = Problem(
        path=PATH, first_line=13, last_line=13, message="loop is slow", source="perf", code="P1"
    )
    async with asked(tmp_path, said(fenced(SIMPLE))) as (desk, server):
        outcome, _ = await run("fix", desk, replace(HERE, problems=(problem,), first_line=13, last_line=13))
    assert SIMPLE in result(outcome)
    assert "Problem in line 13: loop is slow (perf P1)" in prompts(server)[0][-1]["content"]


async def test_a_missing_import_needs_no_model(tmp_path: Path) -> None:
    """An unknown name that another file imports, or that stands in the standard library."""
    problem = Problem(path=PATH, first_line=8, last_line=8, message='"Path" is not defined')
    texts = code(**{"shop/other.py": "from pathlib import Path\n\nHERE = Path()\n"})
    async with asked(tmp_path, texts=texts) as (desk, server):
        outcome, _ = await run("fix", desk, replace(HERE, problems=(problem,), first_line=8, last_line=8))
    assert "from pathlib import Path\n" in result(outcome)
    assert "`from pathlib import Path`, as in `shop/other.py`" in outcome.note
    assert server.requests == []


async def test_a_problem_that_only_a_model_mends(tmp_path: Path) -> None:
    """Without one that is said."""
    problem = Problem(path=PATH, first_line=13, last_line=13, message="loop is slow")
    async with alone(tmp_path) as desk:
        outcome, _ = await run("fix", desk, replace(HERE, problems=(problem,)))
    assert outcome.refusal == commands.NEEDS_MODEL


async def test_the_problems_that_the_editor_told_of(tmp_path: Path) -> None:
    """Who says no problem means those on these lines."""
    problems = [
        Problem(path=PATH, first_line=it, last_line=it, message=f"slow {it}", source="perf") for it in (2, 13)
    ]
    texts = InMemory({PATH: CODE}, versions={PATH: 3}, problems=problems)
    async with asked(tmp_path, said(fenced(SIMPLE)), texts=texts) as (desk, server):
        await run("fix", desk, replace(HERE, first_line=13, last_line=13))
    text = prompts(server)[0][-1]["content"]
    assert "Problem in line 13: slow 13 (perf)" in text
    assert "Problem in line 2" not in text


async def test_closing_stops_the_model(tmp_path: Path) -> None:
    """Whoever no longer wants the answer does not keep the model busy."""
    first = begins(event(delta("```python\n")))
    async with asked(tmp_path, first) as (desk, server):
        command = commands.find("simplify")
        assert command is not None
        async with aclosing(act(command, HERE, desk)) as events:
            async for it in events:
                if isinstance(it, Text):
                    break
        await server.hung_up.wait()


async def test_a_server_that_is_not_there(tmp_path: Path) -> None:
    """The code itself answers what it can, and says who could not be asked."""
    broken = plain(500, {"error": {"message": "down"}})
    async with asked(tmp_path, broken, broken, broken) as (desk, _):
        outcome, _ = await run("document", desk)
    assert '"""' in result(outcome)[len('"""The basket."""') :]
    assert outcome.tier == "extractive"
    assert outcome.note


@pytest.mark.parametrize(
    ("texts", "subject", "says"),
    [
        ({PATH: ""}, HERE, "is empty"),
        ({}, HERE, "is not there, or must not be read"),
        ({PATH: "x = 1\n" * 500}, HERE, "There is no definition here: select the lines"),
    ],
)
async def test_places_with_nothing_to_do(
    tmp_path: Path, texts: Mapping[str, str], subject: Subject, says: str
) -> None:
    """A sentence says what is missing."""
    async with asked(tmp_path, texts=InMemory(texts, versions=dict.fromkeys(texts, 3))) as (desk, _):
        outcome, _ = await run("simplify", desk, subject)
    assert says in outcome.refusal
