"""Prompts are short, have one example each, and nothing that is filled in can change them."""

from __future__ import annotations

import pytest
from inline_snapshot import snapshot

from chat import prompts
from chat.commands import COMMANDS, Command
from chat.edits import read
from chat.edits_types import Refusal
from chat.prompt_files import FOLDER, template
from chat.prompts import BadPrompt

ASKING = [it for it in COMMANDS if it.prompt]
VALUES = {"path", "lines", "language", "code", "context", "notes", "skeleton", "target", "selected"} | {
    "problem",
    "instruction",
}
LONGEST = 1_800  # characters, of which a model of 1.5 billion parameters reads about 450 tokens
QUESTION = "{{context}}\n\n{{path}}:\n{{code}}\n\nEnd."
SHORT = f"# System\n\nS\n\n# Example\n\nE\n\n# Answer\n\nA\n\n# Question\n\n{QUESTION}"


@pytest.mark.parametrize("command", ASKING, ids=lambda it: it.name)
def test_every_prompt_is_short_and_complete(command: Command) -> None:
    """One example of the wished-for form, a few hundred tokens, and only values that there are."""
    name = command.prompt
    it = template(name)
    assert it.holes <= VALUES
    assert {"path", "code", "language"} <= it.holes
    assert len(it.system + it.example + it.answer + it.question) <= LONGEST
    assert (FOLDER / f"{name}.md").read_text(encoding="utf-8").count("# Example\n") == 1


@pytest.mark.parametrize("command", [it for it in ASKING if it.gives == "edits"], ids=lambda it: it.name)
def test_every_example_can_be_read_as_an_edit(command: Command) -> None:
    """What we show as the form of an answer is one that we read."""
    it = template(command.prompt)
    found = read(it.answer, language="python", task=command.task, finished=True)
    assert not isinstance(found, Refusal)


def test_a_filled_prompt() -> None:
    """The example is a turn that has been; what has no value is left out with its paragraph."""
    messages = prompts.fill(prompts.read(SHORT), {"path": "a.py", "code": "{{context}} # System"})
    assert [(it.role, it.content) for it in messages] == snapshot(
        [("system", "S"), ("user", "E"), ("assistant", "A"), ("user", "a.py:\n{{context}} # System\n\nEnd.")]
    )


def test_after_a_refused_answer() -> None:
    """The model sees what it said and why that is of no use; a long answer is cut."""
    messages = prompts.again(prompts.fill(prompts.read(SHORT), {}), "x" * 10_000, "It is too long.")
    assert [it.role for it in messages] == ["system", "user", "assistant", "user", "assistant", "user"]
    assert len(messages[-2].content) < 7_000
    assert messages[-1].content == "That cannot be used: It is too long. Answer again, in the same form."


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Hello.",
        SHORT.replace("# Answer", "# Reply"),
        SHORT.replace("\n\nA\n", "\n\n\n"),
        "x" + SHORT,
        SHORT + "\n\n# Answer\n\nB",
        SHORT.replace("# System\n\nS\n\n", "") + "\n\n# System\n\nS",
    ],
)
def test_what_is_no_prompt(text: str) -> None:
    """A file with parts missing, doubled or in another order is refused."""
    with pytest.raises(BadPrompt):
        prompts.read(text)


@pytest.mark.parametrize("code", ["x = 1\n", "```\ncode\n```\n", "`````\n", "~~~\n"])
def test_nothing_closes_a_fence(code: str) -> None:
    """Code that has fences stands between longer ones."""
    lines = prompts.fenced(code, "python").split("\n")
    assert lines[0].removesuffix("python") == lines[-1]
    assert lines[-1] not in lines[1:-1]


def test_numbered_lines() -> None:
    """Their numbers stand in a column."""
    assert prompts.numbered("a\nb\n", 9) == " 9| a\n10| b"
