"""What a question at the prompt is about: `FILE`, `FILE:LINE` or `FILE:FIRST-LAST`, or a name in the code."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lsp_server.commands.complete import language_of

if TYPE_CHECKING:
    from chat.act_types import Subject
    from chat.code import Code
    from chat.types import Selection

LINES = re.compile(r"(?P<file>.+?)(?::|#L)(?P<first>\d+)(?:(?:-L?|:|,)(?P<last>\d+))?", re.DOTALL)
NOWHERE = "Say what it is about: --file FILE:LINE, or its name, as in /explain Cart.total."


class Nothing(Exception):
    """There is nothing of that kind; the message is one sentence for the user."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """Some lines of a file of the project; all of it, if no line was said."""

    path: str
    """From the root, with slashes."""
    text: str
    """Of the whole file."""
    first: int = 1
    last: int = 1
    has_lines: bool = False

    @property
    def language(self) -> str:
        """As an editor would call it."""
        return language_of(self.path)

    @property
    def selection(self) -> Selection:
        """As a question has it."""
        from chat.types import Selection

        lines = self.text.split("\n")[self.first - 1 : self.last]
        return Selection(
            path=self.path,
            language=self.language,
            first_line=self.first,
            last_line=self.last,
            text="\n".join(lines) + "\n",
        )

    @property
    def subject(self) -> Subject:
        """As a command has it."""
        from chat.act_types import Subject

        return Subject(
            path=self.path,
            first_line=self.first,
            last_line=self.last,
            language=self.language,
            is_selected=self.first < self.last,
        )


def parse(text: str) -> tuple[str, int, int]:
    """``FILE``, its first line and its last; 0 and 0 for none. Also ``a.py#L3-L9``, as links have it."""
    match = LINES.fullmatch(text)
    if match is None or int(match["first"]) < 1:
        return text, 0, 0
    first = int(match["first"])
    return match["file"], first, max(first, int(match["last"] or first))


async def spot_of(text: str, code: Code, root: Path) -> Spot:
    """What was typed, as a place of the project; raises ``Nothing`` for what is not there."""
    name, first, last = parse(text)
    for typed, lines in ((name, (first, last)), (text, (0, 0))):
        path = _within(typed, root)
        whole = await code.text(path) if path else None
        if path and whole is not None:
            count = whole.rstrip("\n").count("\n") + 1
            if count < lines[0]:
                raise Nothing(f"{path} has {count:,} lines, none {lines[0]:,}.")
            if lines[0]:
                return Spot(path=path, text=whole, first=lines[0], last=min(lines[1], count), has_lines=True)
            return Spot(path=path, text=whole, last=count)
    if _within(name, root) and (root / _within(name, root)).is_file():
        raise Nothing(f"{name} is not read: it is ignored, or may hold secrets; hearth index why says more.")
    raise Nothing(f"There is no file {name} in {root}.")


async def named(text: str, code: Code, root: Path) -> tuple[Spot, str]:
    """What a line is about, and the rest of it: a file, a symbol, with the mark of a mention or bare."""
    from chat.mentions import read

    _, mentions = read(text)
    for it in mentions:
        rest = (text[: it.start] + text[it.end :]).strip()
        if it.kind == "file" and it.value:
            return await spot_of(it.value, code, root), rest
        if it.kind == "symbol" and it.value and (found := await _symbol(it.value, code)):
            return found, rest
    word, _, rest = text.strip().partition(" ")
    if word:
        try:
            return await spot_of(word, code, root), rest.strip()
        except Nothing:
            if found := await _symbol(word, code):
                return found, rest.strip()
            if "/" in word or "." in word:
                raise
    raise Nothing(f"Nothing here is called {word}. {NOWHERE}" if word else NOWHERE)


async def _symbol(name: str, code: Code) -> Spot | None:
    """The lines of the definition that is called so; with its scope, as in ``Cart.total``."""
    scope, _, last = name.replace("::", ".").rstrip("()").rpartition(".")
    found = await code.symbols(name, limit=50) or await code.symbols(last, limit=50)
    rows = [it for it in found if it.row.name == last]
    around = scope.rpartition(".")[2]  # A class, or the module that it is in.
    rows = [it for it in rows if not scope or around in (it.row.scope.rpartition(".")[2], Path(it.path).stem)]
    for it in rows:
        text = await code.text(it.path)
        if text is not None:
            row = it.row
            return Spot(path=it.path, text=text, first=row.first_line, last=row.last_line, has_lines=True)
    return None


def _within(typed: str, root: Path) -> str:
    """A file as the project has it, typed from here or from the root; empty if it is outside."""
    if not typed or "\0" in typed:
        return ""
    here = Path(os.path.normpath(Path.cwd() / typed))
    for full in (here, Path(os.path.realpath(here))):
        if full.is_relative_to(root) and full.is_file():
            return full.relative_to(root).as_posix()
    if Path(typed).is_absolute():
        return ""
    inside = Path(os.path.normpath(root / typed))
    return inside.relative_to(root).as_posix() if inside.is_relative_to(root) else ""
