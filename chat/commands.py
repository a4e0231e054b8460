"""Pure: `COMMANDS`: everything that can be asked for about a place in the code, one row each.

A row says what menus and the chat show, what the command is about, which prompt asks a model, and what is
done without one. The order is the one in which they are offered.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from chat.types import Task

About = Literal["anything", "selection", "symbol", "problem", "file"]
"""What has to be there: ``symbol`` is a definition around the cursor or the selection."""
Gives = Literal["prose", "edits"]
Part = Literal["", "explain", "docstrings", "scaffold", "rename", "imports", "summary"]
"""What is made from the code alone: the whole answer without a model, and the frame of a model's answer."""
Model = Literal["never", "better", "needed"]

_NO_CODE = (
    "csv diff git-commit html ini json json5 jsonc latex log markdown plaintext properties restructuredtext"
    " svg tex text toml xml yaml"
)
NO_CODE = frozenset(_NO_CODE.split()) | {""}
"""Languages of prose and data, as the protocol calls them."""
TYPED_AT_WILL = ("python", "typescript", "typescriptreact", "php", "ruby", "lua")
"""Languages in which types may be left out."""
NEEDS_MODEL = "This needs a chat model: set `chat.model` in your own settings."
SLASH = re.compile(r"\s*/([A-Za-z][\w-]*)(?:\s+|$)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One thing that can be asked for."""

    name: str
    """What programs call it; its slash command is this with a slash."""
    title: str
    """In menus."""
    says: str
    """What it does, in one sentence."""
    task: Task
    kind: str
    """Of a code action, as the protocol names them."""
    about: About
    gives: Gives
    part: Part = ""
    model: Model = "needed"
    asks: str = ""
    """What has to be said as well: the question to the user; empty if nothing."""
    code_only: bool = False
    """Whether it makes no sense for prose and data."""
    languages: tuple[str, ...] = ()
    """The languages that it makes sense for; none: all."""

    @property
    def prompt(self) -> str:
        """The prompt's file, by its name; empty if no model is ever asked."""
        return "" if self.model == "never" else self.name

    def is_for(self, language: str) -> bool:
        """Whether it makes sense for a file in this language."""
        if self.languages:
            return language in self.languages
        return not self.code_only or language not in NO_CODE

    @property
    def slash(self) -> str:
        """As it is typed in a chat."""
        return f"/{self.name}"


COMMANDS = (
    Command(
        name="fix",
        title="Fix this problem",
        says="Changes the code so that a diagnostic goes away; imports of missing names need no model.",
        task="fix",
        kind="quickfix.hearth.fix",
        about="problem",
        gives="edits",
        part="imports",
        model="better",
    ),
    Command(
        name="explain",
        title="Explain",
        says="Says what the code does, what it calls and who calls it.",
        task="explain",
        kind="source.hearth.explain",
        about="anything",
        gives="prose",
        part="explain",
        model="better",
    ),
    Command(
        name="document",
        title="Write documentation",
        says="Writes the documentation comment of a definition, and changes nothing else.",
        task="document",
        kind="refactor.rewrite.hearth.document",
        about="symbol",
        gives="edits",
        part="docstrings",
        model="better",
        code_only=True,
    ),
    Command(
        name="tests",
        title="Write tests",
        says="Writes tests where the project's other tests are, for the framework that it uses.",
        task="tests",
        kind="source.hearth.tests",
        about="symbol",
        gives="edits",
        part="scaffold",
        model="better",
        code_only=True,
    ),
    Command(
        name="extract",
        title="Extract function",
        says="Moves the selected lines into a function of their own.",
        task="refactor",
        kind="refactor.extract.hearth.function",
        about="selection",
        gives="edits",
        code_only=True,
    ),
    Command(
        name="simplify",
        title="Simplify",
        says="Makes the code simpler, and leaves what it does as it is.",
        task="refactor",
        kind="refactor.rewrite.hearth.simplify",
        about="symbol",
        gives="edits",
        code_only=True,
    ),
    Command(
        name="types",
        title="Add types",
        says="Adds types to parameters, results and variables.",
        task="refactor",
        kind="refactor.rewrite.hearth.types",
        about="symbol",
        gives="edits",
        languages=TYPED_AT_WILL,
    ),
    Command(
        name="convert",
        title="Convert to …",
        says="Writes the code in another form, such as a dataclass or async.",
        task="refactor",
        kind="refactor.rewrite.hearth.convert",
        about="symbol",
        gives="edits",
        asks="Into what is it to be converted?",
        code_only=True,
    ),
    Command(
        name="refactor",
        title="Refactor …",
        says="Changes the code as you say.",
        task="refactor",
        kind="refactor.rewrite.hearth.refactor",
        about="symbol",
        gives="edits",
        asks="What is to be changed?",
    ),
    Command(
        name="rename",
        title="Rename, callers too",
        says="Renames a definition and every use of it; what is not certain is marked.",
        task="refactor",
        kind="refactor.rewrite.hearth.rename",
        about="symbol",
        gives="edits",
        part="rename",
        model="never",
        asks="What is the new name?",
        code_only=True,
    ),
    Command(
        name="review",
        title="Review",
        says="Looks for mistakes, and names the lines.",
        task="review",
        kind="source.hearth.review",
        about="selection",
        gives="prose",
        part="summary",
        model="better",
    ),
    Command(
        name="summarize",
        title="Summarise this file",
        says="Says what a file is for and what is in it.",
        task="summarize",
        kind="source.hearth.summarize",
        about="file",
        gives="prose",
        part="summary",
        model="better",
    ),
)

BY_NAME = {it.name: it for it in COMMANDS}
ALIASES = {
    "doc": "document",
    "docs": "document",
    "test": "tests",
    "summarise": "summarize",
    "summary": "summarize",
}


def find(name: str) -> Command | None:
    """The command of this name, or of a usual other one."""
    return BY_NAME.get(ALIASES.get(name, name))


def slash(text: str) -> tuple[Command, str] | None:
    """The command that a line typed in a chat begins with, and the rest of it; ``None`` if it has none."""
    if (found := slash_word(text)) is None or (command := find(found[0])) is None:
        return None
    return command, found[1]


def slash_word(text: str) -> tuple[str, str] | None:
    """The word behind the slash that a text begins with, and the rest."""
    found = SLASH.match(text)
    return (found[1].lower(), text[found.end() :].strip()) if found else None


def rows() -> tuple[Command, ...]:
    """All of them, in the order in which they are offered."""
    return COMMANDS
