"""Pure: which lines of a file a command is about, and as which values they go into its prompt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from chat.act_types import Subject
from chat.commands import Command
from chat.edits_types import Refusal, Source
from chat.prompts import fenced, numbered
from chat.target import WITH_BODIES
from chat.types import Problem
from codeindex.types import SymbolRow

SHORT_FILE = 200  # lines: a script without definitions is looked at whole
LONGEST_DEFINITION = 400  # lines: nobody writes a longer one anew without a mistake
SELECT = "Select the lines that this is about."
AROUND = 20  # lines on each side of a problem that stands in no definition


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """The lines that a command looks at."""

    source: Source
    first_line: int
    """1-based."""
    last_line: int
    """Inclusive."""
    selected: str = ""
    """The lines that were selected within."""
    is_definition: bool = False

    @property
    def text(self) -> str:
        """These lines."""
        return lines_of(self.source.text, self.first_line, self.last_line)

    @property
    def focused(self) -> Source:
        """The source, with these lines as what the question is about."""
        return replace(self.source, focus=(self.first_line, self.last_line))


def view(source: Source, rows: Sequence[SymbolRow], subject: Subject, command: Command) -> View | Refusal:
    """What a command looks at: what is selected, the definition around it, or all of the file."""
    lines = source.text.split("\n")
    count = len(lines) - (lines[-1] == "")
    if not source.text.strip():
        return Refusal(reason=f"`{source.path}` is empty.")
    first = min(max(1, subject.first_line), count)
    last = min(max(first, subject.last_line), count)
    selected = lines_of(source.text, first, last) if subject.is_selected else ""
    here = View(source=source, first_line=first, last_line=last, selected=selected)
    if command.about == "file":
        return replace(here, first_line=1, last_line=count)
    if command.gives == "prose" and selected:
        whole = any(it.first_line <= first <= it.line and it.last_line == last for it in rows)
        return replace(here, is_definition=whole and command.about != "selection")
    if command.about == "selection" and command.gives == "edits" and not selected.strip():
        return Refusal(reason=SELECT)
    if command.model == "never":
        return here
    row = _definition(rows, first, last, subject.name)
    if row is not None:
        return _of(row, here, count, command)
    if selected:
        return here
    if command.about == "problem":
        return replace(here, first_line=max(1, first - AROUND), last_line=min(count, last + AROUND))
    if count <= SHORT_FILE or command.gives == "prose":
        return replace(here, first_line=1, last_line=count)
    return Refusal(reason=f"There is no definition here: {SELECT[0].lower()}{SELECT[1:]}")


def _of(row: SymbolRow, here: View, count: int, command: Command) -> View | Refusal:
    """A definition, or what is selected of one that is too long to be written anew."""
    last_line = min(row.last_line, count)
    if command.gives == "edits" and not command.part and LONGEST_DEFINITION < last_line - row.first_line:
        too_long = Refusal(reason=f"`{row.name}` is too long to be written anew: select a part of it.")
        return here if here.selected else too_long
    return replace(here, first_line=row.first_line, last_line=last_line, is_definition=True)


def values(view: View, command: Command, *, instruction: str, problems: Sequence[Problem]) -> dict[str, str]:
    """What a prompt's holes are filled with, the code first of all."""
    language = view.source.language
    code = numbered(view.text, view.first_line) if command.task == "review" else view.text
    last = f" to {view.last_line}" if view.first_line < view.last_line else ""
    return {
        "path": view.source.path,
        "language": language or "text",
        "lines": f"{view.first_line}{last}",
        "code": fenced(code, language),
        "selected": fenced(view.selected or view.text, language),
        "instruction": instruction,
        "problem": "\n".join(_says(it) for it in problems),
    }


def shortened(view: View, lines: int) -> View:
    """Only the first lines of it."""
    return replace(view, last_line=min(view.last_line, view.first_line + max(1, lines) - 1))


def lines_of(text: str, first: int, last: int) -> str:
    """Some lines of a text, 1-based and inclusive."""
    return "\n".join(text.split("\n")[first - 1 : last])


def _definition(rows: Sequence[SymbolRow], first: int, last: int, name: str) -> SymbolRow | None:
    """The smallest definition around all of these lines."""
    whole = [it for it in rows if it.kind in WITH_BODIES and it.first_line <= first and last <= it.last_line]
    if name:
        whole = [it for it in whole if it.name == name] or [
            it for it in rows if it.name == name and it.kind in WITH_BODIES
        ]
    return min(whole, key=lambda it: it.last_line - it.first_line, default=None)


def _says(problem: Problem) -> str:
    who = f" ({problem.source} {problem.code})".replace(" )", ")") if problem.source else ""
    return f"Problem in line {problem.first_line}: {problem.message}{who}"
