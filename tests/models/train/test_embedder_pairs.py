"""What the embedder learns from: a question never stands in its own code, and nothing judged is learned."""

from __future__ import annotations

from models.train.clean import SourceFile
from models.train.sources import load_packages
from scripts.embedder_pairs import (
    Row,
    is_copy,
    judged_projects,
    rows_of_project,
    sentences,
    telling_lines,
    without_documentation,
)

PYTHON = '''"""Talk to a machine over its serial port."""

import serial


class SerialPort:
    """A port that was opened by its name."""

    def read_until_prompt(self, limit):
        """Read bytes until the machine asks for more. Give up after a second.

        Args:
            limit: How many bytes.
        """
        found = b""
        # whoever is at the other end may be slow to answer
        while len(found) < limit:
            found += self.port.read(1)
        return found


def first_answer(name):
    machine = SerialPort(name, speed=9600)
    return machine.read_until_prompt(limit=80)
'''
SCRIPT = """/**
 * Adds the items of a basket up.
 * @param basket what is bought
 */
export function totalPrice(basket) {
  return basket.items.reduce((sum, it) => sum + it.price, 0);
}
"""


def rows(text: str, language: str) -> list[Row]:
    return rows_of_project([SourceFile(project="p", path="a", language=language, text=text)])


def asked(found: list[Row], kind: str) -> dict[str, str]:
    return {text: it.code for it in found for of, text in it.questions if of == kind}


def test_documentation_finds_code_without_it() -> None:
    """Each sentence of it, up to its parameters."""
    found = asked(rows(PYTHON, "python"), "documentation")
    code = found["Read bytes until the machine asks for more"]
    assert code == found["Give up after a second"]
    assert "self.port.read(1)" in code
    assert not any(it in code for it in ("asks for more", "Give up", "How many"))


def test_documentation_in_comments() -> None:
    """A language without docstrings documents above."""
    found = asked(rows(SCRIPT, "javascript"), "documentation")
    assert "basket.items.reduce" in found["Adds the items of a basket up"]
    assert "@param" not in found["Adds the items of a basket up"]


def test_a_comment_finds_what_is_around_it() -> None:
    """The comment itself is gone, all else is there."""
    code = asked(rows(PYTHON, "python"), "comment")["whoever is at the other end may be slow to answer"]
    assert "slow" not in code
    assert 'found = b""' in code
    assert "while len(found)" in code


def test_a_name_is_hidden_where_it_is_asked_for() -> None:
    """As one word; its parts may well stand in the code."""
    code = asked(rows(PYTHON, "python"), "name")["serial port"]
    assert "SerialPort" not in code
    assert "A port that was opened" in code


def test_a_call_finds_what_is_called() -> None:
    """If the project has one definition of that name."""
    found = asked(rows(PYTHON, "python"), "call")
    assert "class SerialPort" in found["machine = SerialPort(name, speed=9600)"]
    assert not asked(rows(PYTHON + "\n\nclass SerialPort:\n    pass\n", "python"), "call")


def test_a_module_is_found_by_what_it_says_of_itself() -> None:
    """In code that does not say it."""
    found = asked(rows(PYTHON, "python"), "module")
    assert "serial port." not in found["Talk to a machine over its serial port"].lower()


def test_lines_are_counted_anew_without_documentation() -> None:
    """Each documentation comes with the line of its definition in the text that is left."""
    bare, said, of_module = without_documentation(PYTHON, "python")
    lines = bare.split("\n")
    heads = {text.partition(".")[0]: lines[line - 1].strip() for text, line in said}
    assert heads["A port that was opened by its name"] == "class SerialPort:"
    assert heads["Read bytes until the machine asks for more"] == "def read_until_prompt(self, limit):"
    assert of_module == "Talk to a machine over its serial port."


def test_the_same_rows_each_time() -> None:
    """What is drawn depends on the project alone."""
    assert rows(PYTHON, "python") == rows(PYTHON, "python")


def test_what_is_no_question() -> None:
    """Too short, another alphabet, numbers, instructions to tools."""
    for it in ("Too short", "noqa because of the line", "1 2 3 4 5 6 7 8 = 9 / 4", "日本語 の テキスト です"):
        assert sentences(it) == []


def test_copies_are_recognized() -> None:
    """Code that repeats, for the most part, what must not be learned."""
    known = telling_lines([PYTHON])
    assert is_copy("\n".join(PYTHON.split("\n")[8:20]), known)
    assert not is_copy(SCRIPT, known)
    assert not is_copy("", known)


def test_no_judged_project_is_learned() -> None:
    """All that rankings are judged on or fitted to is known by name; enough is left."""
    judged = judged_projects()
    assert {"aiohttp", "fastapi", "zod", "express", "model2vec", "tenacity", "click", "starlette"} <= judged
    left = [it for it in load_packages() if it.split == "train" and it.name not in judged]
    assert 100 < len(left)
