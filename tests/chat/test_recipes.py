"""Commands of the user's own: what they may say, and one sentence for each mistake in them."""

from __future__ import annotations

from pathlib import Path

import pytest

from chat import recipes
from chat.recipes import Apply, Check, Prompt, Recipe, Retrieve

GOOD = '''
title = "Add logging"
says = "Adds log lines as this project writes them."
about = "symbol"
asks = "What is to be logged?"
choice = "local"

[[steps]]
do = "retrieve"
query = "logger {{instruction}}"
paths = ["src/**"]
limit = 3

[[steps]]
do = "prompt"
text = """
{{context}}

Add log lines to this: {{instruction}}

{{code}}
"""
tokens = 600

[[steps]]
do = "check"
contains = "logger\\\\."
lacks = "^print"
most_lines = 200
says = "It must log."

[[steps]]
do = "apply"
'''
SHORT = 'title = "T"\n[[steps]]\ndo = "prompt"\ntext = "Hello"\n'


def mistakes(text: str, file: str = "mine.toml") -> tuple[str, ...]:
    found = recipes.read(file, text.encode())
    return () if isinstance(found, Recipe) else found


def test_a_recipe() -> None:
    """It is a row like the others, and its steps in their order."""
    it = recipes.read("add-logging.toml", GOOD.encode())
    assert isinstance(it, Recipe), it
    command = it.command
    assert (command.name, command.slash, command.gives) == ("add-logging", "/add-logging", "edits")
    assert (command.kind, command.task) == ("refactor.rewrite.hearth.add-logging", "refactor")
    assert (command.model, command.about, command.asks) == ("needed", "symbol", "What is to be logged?")
    assert [type(step) for step in it.steps] == [Retrieve, Prompt, Check, Apply]
    assert it.choice == "local"


def test_what_is_not_said() -> None:
    """A prompt alone is a command that answers in prose, about anything."""
    it = recipes.read("mine.toml", SHORT.encode())
    assert isinstance(it, Recipe), it
    assert (it.command.gives, it.command.about, it.command.task) == ("prose", "anything", "ask")
    assert it.command.kind == "source.hearth.mine"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ["`steps` must be one or more tables, each written [[steps]].", "`title` is missing."]),
        (SHORT.replace('"T"', '""'), ["`title` must be a text that says something."]),
        (SHORT.replace('"T"', "3"), ["`title` must be a text that says something."]),
        ("command = 'rm'\n" + SHORT, ["`command` is no key of this."]),
        (SHORT + 'shell = "ls"\n', ["`steps[1].shell` is no key of this."]),
        (
            SHORT.replace('"prompt"', '"run"'),
            ["`steps[1].do` must be one of retrieve, prompt, check, apply."],
        ),
        (SHORT.replace("do =", "did ="), ["`steps[1].do` must be one of retrieve, prompt, check, apply."]),
        (SHORT + "tokens = 5\n", ["`steps[1].tokens` must be a whole number from 16 to 8192."]),
        (SHORT + "tokens = true\n", ["`steps[1].tokens` must be a whole number from 16 to 8192."]),
        (SHORT.replace("Hello", "{{secret}}"), ["`steps[1].text` has {{secret}}, which is none of answer, "]),
        (SHORT + '[[steps]]\ndo = "retrieve"\n', ["`steps[2].query` must be given, or files, or what:"]),
        (
            SHORT + '[[steps]]\ndo = "check"\ncontains = "("\n',
            ["`steps[2].contains` is not a regular expression: missing )"],
        ),
        ('title = "T"\n[[steps]]\ndo = "apply"\n', ["`steps[1].do` needs a prompt step before it."]),
        (
            SHORT + '[[steps]]\ndo = "apply"\n[[steps]]\ndo = "check"\n',
            ["`steps[3].do` comes behind apply, which must be the last step."],
        ),
        ("about = 'world'\n" + SHORT, ["`about` must be one of anything, selection, symbol, problem, file."]),
        ("kind = 'hello'\n" + SHORT, ["`kind` must begin with quickfix, refactor or source."]),
        (SHORT + "x = [\n", [" is not TOML: invalid value (at end of document)."]),
        (SHORT + '[[steps]]\ndo = "check"\n' * 12, ["`steps` must not be more than 12."]),
    ],
)
def test_each_mistake_is_a_sentence(text: str, expected: list[str]) -> None:
    """It names the file and the key, and what may stand there."""
    found = mistakes(text)
    assert len(found) == len(expected)
    for sentence, part in zip(found, expected, strict=True):
        assert sentence.startswith("`recipes/mine.toml`")
        assert part in sentence
        assert sentence.endswith(".")


@pytest.mark.parametrize("file", ["explain.toml", "doc.toml", "My Recipe.toml", "-x.toml", ".toml"])
def test_names_that_cannot_be_typed(file: str) -> None:
    """A recipe takes no other command's place, and its name is a word behind a slash."""
    assert len(mistakes(SHORT, file)) == 1


def test_a_folder_of_them(tmp_path: Path) -> None:
    """The good ones are there, whatever the others are like; no folder is no mistake."""
    assert recipes.load(tmp_path) == recipes.Recipes()
    folder = tmp_path / "recipes"
    folder.mkdir()
    (folder / "add-logging.toml").write_text(GOOD)
    (folder / "broken.toml").write_bytes(b"\xff\xfe")
    (folder / "large.toml").write_bytes(b"#" * 100_000)
    (folder / "notes.md").write_text("not one of them")
    (folder / "folder.toml").mkdir()
    found = recipes.load(tmp_path)
    assert [it.command.name for it in found.all] == ["add-logging"]
    assert found.problems == (
        "`recipes/broken.toml` is not UTF-8.",
        "`recipes/folder.toml` cannot be read: Is a directory.",
        "`recipes/large.toml` is larger than 64 kilobytes.",
    )
    typed = found.slash("/add-logging the retries")
    assert typed is not None
    assert (typed[0].command.name, typed[1]) == ("add-logging", "the retries")
    assert found.slash("/nothing") is None
    assert found.slash("add-logging") is None


def test_a_changed_file_counts_at_once(tmp_path: Path) -> None:
    """Nobody has to start anything again; what is gone is gone."""
    book = recipes.Book(tmp_path)
    assert book.now() == recipes.Recipes()
    (tmp_path / "recipes").mkdir()
    path = tmp_path / "recipes" / "mine.toml"
    path.write_text(SHORT)
    assert [it.command.title for it in book.now().all] == ["T"]
    assert book.now() is book.now()
    path.write_text(SHORT.replace('"T"', '"Other"'))
    assert [it.command.title for it in book.now().all] == ["Other"]
    path.unlink()
    assert book.now() == recipes.Recipes()


@pytest.mark.parametrize(
    ("check", "answer", "says"),
    [
        (Check(contains="logger"), "print()", "The answer lacks what must be in it (`logger`)."),
        (Check(contains="logger", says="Log it."), "print()", "Log it."),
        (Check(lacks="^print"), "a\nprint()", "The answer has what must not be in it (`^print`)."),
        (Check(most_lines=1), "a\nb\n", "The answer has more than 1 lines."),
        (Check(contains="a", lacks="^b", most_lines=2), "a\n b\n", ""),
    ],
)
def test_what_an_answer_must_be_like(check: Check, answer: str, says: str) -> None:
    """The first thing that is wrong is said."""
    assert recipes.failing(check, answer) == says
