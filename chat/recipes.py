"""Commands of the user's own: a TOML file each, in the user's own configuration folder and nowhere else.

A recipe is a row of the table of commands and some steps: ``retrieve`` code, ``prompt`` a model, ``check``
its answer, ``apply`` it as edits. It cannot run programs, and what it applies goes the way of every edit. No
file of a repository is ever read as one. Each mistake is a sentence that names the file and the key; a file
with mistakes is no command.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

from chat.commands import ALIASES, BY_NAME, About, Command, Gives, slash_word
from chat.prompts import HOLE
from chat.types import Task

FOLDER = "recipes"  # within the user's configuration folder
NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")
KIND = re.compile(r"(?:quickfix|refactor|refactor\.(?:extract|inline|rewrite)|source)(?:\.[a-zA-Z]+)*")
MOST_FILES = 64
MOST_BYTES = 64 * 1024
MOST_STEPS = 12
HOLES = frozenset(
    {"path", "language", "lines", "code", "selected", "context", "answer", "instruction", "problem", "notes"}
)
SEEN = ("diff", "problems", "callers", "callees", "outline")
SYSTEM = "You help with code. Do what is asked and nothing else."


@dataclass(frozen=True, slots=True, kw_only=True)
class Retrieve:
    """Look for code: by one of these three ways."""

    query: str = ""
    files: tuple[str, ...] = ()
    """Patterns, as in a `.gitignore`."""
    what: str = ""
    """One of ``SEEN``."""
    paths: tuple[str, ...] = ()
    """Where a query looks."""
    limit: int = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """Ask a model."""

    text: str
    system: str = SYSTEM
    tokens: int = 1024
    """Of the answer, at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """What an answer must be like; once it is asked for again, with what was wrong."""

    contains: str = ""
    """A regular expression."""
    lacks: str = ""
    most_lines: int = 0
    """0: as many as there are."""
    says: str = ""
    """What to say if it is not so; empty: what was looked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Apply:
    """Read the answer as edits of the code that was asked about."""


Step = Retrieve | Prompt | Check | Apply


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """A command of the user's own."""

    command: Command
    steps: tuple[Step, ...]
    choice: str = ""
    """Who is to be asked: a tier or a server's name. Whether it may be, the settings say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipes:
    """What was found in the folder, and what of it could not be used, as sentences."""

    all: tuple[Recipe, ...] = ()
    problems: tuple[str, ...] = ()

    def find(self, name: str) -> Recipe | None:
        """The recipe of this name."""
        return next((it for it in self.all if it.command.name == name), None)

    def slash(self, text: str) -> tuple[Recipe, str] | None:
        """The recipe that a line typed in a chat begins with, and the rest of it."""
        word = slash_word(text)
        recipe = self.find(word[0]) if word else None
        return (recipe, word[1]) if word and recipe else None


def load(config: Path) -> Recipes:
    """The recipes in the user's configuration folder; no folder is no mistake."""
    folder = config / FOLDER
    found: list[Recipe] = []
    problems: list[str] = []
    paths = sorted(folder.glob("*.toml")) if folder.is_dir() else []
    if MOST_FILES < len(paths):
        problems.append(f"`{FOLDER}` has more than {MOST_FILES} files: the first ones are used.")
    for path in paths[:MOST_FILES]:
        try:
            with path.open("rb") as file:
                data = file.read(MOST_BYTES + 1)
        except OSError as exc:
            problems.append(f"`{FOLDER}/{path.name}` cannot be read: {exc.strerror or type(exc).__name__}.")
            continue
        recipe = read(path.name, data)
        if isinstance(recipe, Recipe):
            found.append(recipe)
        else:
            problems += recipe
    return Recipes(all=tuple(found), problems=tuple(problems))


class Book:
    """The recipes as they are now: read again when a file of the folder has changed."""

    def __init__(self, config: Path) -> None:
        self._config = config
        self._signature: tuple[tuple[str, int, int], ...] | None = None
        self._recipes = Recipes()

    def now(self) -> Recipes:
        """All of them; looking costs less than a millisecond."""
        signature = self._look()
        if signature != self._signature:
            self._signature, self._recipes = signature, load(self._config)
        return self._recipes

    def _look(self) -> tuple[tuple[str, int, int], ...]:
        try:
            with os.scandir(self._config / FOLDER) as entries:
                found = [(it.name, it.stat()) for it in entries if it.name.endswith(".toml")]
        except OSError:
            return ()
        return tuple(sorted((name, it.st_mtime_ns, it.st_size) for name, it in found))


def read(file: str, data: bytes) -> Recipe | tuple[str, ...]:
    """One recipe, or its mistakes, a sentence each."""
    says = _Mistakes(f"{FOLDER}/{file}")
    name = file.removesuffix(".toml")
    if not NAME.fullmatch(name):
        says.about_file("must be called by small letters, digits and dashes, as it is typed behind a slash")
    elif name in BY_NAME or name in ALIASES:
        says.about_file(f"is called like the command `/{name}`: choose another name")
    if MOST_BYTES < len(data):
        says.about_file(f"is larger than {MOST_BYTES // 1024} kilobytes")
        return tuple(says.found)
    try:
        raw = tomllib.loads(data.decode("utf-8"))
    except UnicodeDecodeError:
        says.about_file("is not UTF-8")
    except tomllib.TOMLDecodeError as exc:
        says.about_file(f"is not TOML: {str(exc)[:1].lower()}{str(exc)[1:].rstrip('.')}")
    except RecursionError:
        says.about_file("is nested too deeply")
    else:
        recipe = _recipe(name, _Table(raw, "", says))
        if not says.found:
            return recipe
    return tuple(says.found)


def failing(check: Check, answer: str) -> str:
    """What is wrong with an answer, in one sentence; empty if nothing."""
    if check.contains and not re.search(check.contains, answer, re.MULTILINE):
        return check.says or f"The answer lacks what must be in it (`{check.contains}`)."
    if check.lacks and re.search(check.lacks, answer, re.MULTILINE):
        return check.says or f"The answer has what must not be in it (`{check.lacks}`)."
    if check.most_lines and check.most_lines < len(answer.strip().split("\n")):
        return check.says or f"The answer has more than {check.most_lines} lines."
    return ""


@dataclass(slots=True)
class _Mistakes:
    where: str
    found: list[str] = field(default_factory=list)

    def about_file(self, what: str) -> None:
        self.found.append(f"`{self.where}` {what}.")

    def about(self, key: str, what: str) -> None:
        self.found.append(f"`{self.where}`: `{key}` {what}.")


class _Table:
    """A table of the file, whose keys are each read once; what is left over is a mistake."""

    def __init__(self, raw: Mapping[str, Any], at: str, says: _Mistakes) -> None:
        self._left = dict(raw)
        self._at = at
        self.says = says

    def key(self, name: str) -> str:
        return f"{self._at}{name}"

    def take(self, name: str) -> Any:
        return self._left.pop(name, None)

    def text(self, name: str, usual: str = "", *, needed: bool = False) -> str:
        value = self.take(name)
        if value is None:
            if needed:
                self.says.about(self.key(name), "is missing")
            return usual
        if not isinstance(value, str) or (needed and not value.strip()):
            self.says.about(self.key(name), "must be a text" + (" that says something" if needed else ""))
            return usual
        return value

    def one_of(self, name: str, allowed: Iterable[str], usual: str) -> str:
        value = self.text(name, usual)
        if value not in (known := tuple(allowed)):
            self.says.about(self.key(name), f"must be one of {', '.join(known)}")
            return usual
        return value

    def whole(self, name: str, least: int, most: int, usual: int) -> int:
        value = self.take(name)
        if value is None:
            return usual
        if type(value) is not int or not least <= value <= most:
            self.says.about(self.key(name), f"must be a whole number from {least} to {most}")
            return usual
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        value = self.take(name)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(it, str) and it for it in value):
            self.says.about(self.key(name), "must be a list of texts")
            return ()
        return tuple(value)

    def template(self, name: str, usual: str = "", *, needed: bool = False) -> str:
        value = self.text(name, usual, needed=needed)
        for hole in sorted(set(HOLE.findall(value)) - HOLES):
            known = ", ".join(sorted(HOLES))
            self.says.about(self.key(name), f"has {{{{{hole}}}}}, which is none of {known}")
        return value

    def pattern(self, name: str) -> str:
        value = self.text(name)
        try:
            re.compile(value)
        except (re.error, RecursionError, OverflowError) as exc:
            self.says.about(self.key(name), f"is not a regular expression: {exc}")
            return ""
        return value

    def end(self) -> None:
        for name in self._left:
            self.says.about(self.key(name), "is no key of this")


def _recipe(name: str, table: _Table) -> Recipe:
    steps = _steps(table)
    gives: Gives = "edits" if any(isinstance(it, Apply) for it in steps) else "prose"
    kind = table.text("kind", "refactor.rewrite" if gives == "edits" else "source")
    if not KIND.fullmatch(kind):
        table.says.about("kind", "must begin with quickfix, refactor or source")
    usual_task = "refactor" if gives == "edits" else "ask"
    command = Command(
        name=name,
        title=table.text("title", needed=True),
        says=table.text("says"),
        task=table.one_of("task", get_args(Task), usual_task),  # type: ignore[arg-type]  # it is one of them
        kind=f"{kind}.hearth.{name}",
        about=table.one_of("about", get_args(About), "anything"),  # type: ignore[arg-type]
        gives=gives,
        model="needed" if any(isinstance(it, Prompt) for it in steps) else "never",
        asks=table.text("asks"),
    )
    choice = table.text("choice")
    table.end()
    return Recipe(command=command, steps=steps, choice=choice)


def _steps(table: _Table) -> tuple[Step, ...]:
    raw, says = table.take("steps"), table.says
    if not isinstance(raw, list) or not raw or not all(isinstance(it, dict) for it in raw):
        says.about("steps", "must be one or more tables, each written [[steps]]")
        return ()
    if MOST_STEPS < len(raw):
        says.about("steps", f"must not be more than {MOST_STEPS}")
    steps: list[Step] = []
    for number, it in enumerate(raw[:MOST_STEPS], 1):
        at = f"steps[{number}]."
        step = _step(_Table(it, at, says))
        if step is None:
            continue
        asked = any(isinstance(it, Prompt) for it in steps)
        if isinstance(step, Check | Apply) and not asked:
            says.about(f"{at}do", "needs a prompt step before it")
        if any(isinstance(it, Apply) for it in steps):
            says.about(f"{at}do", "comes behind apply, which must be the last step")
        steps.append(step)
    return tuple(steps)


def _step(table: _Table) -> Step | None:
    do = table.take("do")
    if not isinstance(do, str) or do not in STEPS:
        table.says.about(table.key("do"), f"must be one of {', '.join(STEPS)}")
        return None
    step = STEPS[do](table)
    table.end()
    return step


def _retrieve(table: _Table) -> Retrieve:
    step = Retrieve(
        query=table.template("query"),
        files=table.texts("files"),
        what=table.one_of("what", ("", *SEEN), ""),
        paths=table.texts("paths"),
        limit=table.whole("limit", 1, 50, 8),
    )
    if 1 != sum(map(bool, (step.query, step.files, step.what))):
        table.says.about(table.key("query"), "must be given, or files, or what: one of the three")
    return step


def _prompt(table: _Table) -> Prompt:
    return Prompt(
        text=table.template("text", needed=True),
        system=table.text("system", SYSTEM),
        tokens=table.whole("tokens", 16, 8192, 1024),
    )


def _check(table: _Table) -> Check:
    return Check(
        contains=table.pattern("contains"),
        lacks=table.pattern("lacks"),
        most_lines=table.whole("most_lines", 1, 10_000, 0),
        says=table.text("says"),
    )


STEPS: Mapping[str, Callable[[_Table], Step]] = {
    "retrieve": _retrieve,
    "prompt": _prompt,
    "check": _check,
    "apply": lambda table: Apply(),
}
