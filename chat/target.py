"""What a command is about: the definition at a place, with its file as it is now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chat.code import Code
from chat.edits_types import Refusal, Source
from chat.shape_text import CALLABLE, HOLDERS
from codeindex.languages import language_of
from codeindex.types import SymbolRow

WITH_BODIES = CALLABLE | HOLDERS


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A place in a file, and the name that is meant if the place alone does not say it."""

    path: str
    line: int
    """1-based: where the cursor stands, or the first line of a selection."""
    name: str = ""
    language: str = ""
    """As the editor says; empty: by the file's name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A definition, the text of its file, and what else the file defines."""

    source: Source
    row: SymbolRow
    rows: tuple[SymbolRow, ...]

    @property
    def holder(self) -> SymbolRow | None:
        """The class around it, if there is one."""
        return holder_of(self.row, self.rows)


def at(rows: Sequence[SymbolRow], line: int, name: str = "") -> SymbolRow | None:
    """The innermost definition around a line; the one of that name there, or anywhere, if a name is given."""
    around = [it for it in rows if it.first_line <= line <= it.last_line]
    if name:
        named = [it for it in around if it.name == name] or [it for it in rows if it.name == name]
        around = [it for it in named if it.line == line] or named
    with_bodies = [it for it in around if it.kind in WITH_BODIES]
    here = [it for it in around if it.line == line and it.kind in WITH_BODIES] or with_bodies or around
    return min(here, key=lambda it: (it.last_line - it.first_line, -it.first_line, -it.column), default=None)


def holder_of(row: SymbolRow, rows: Sequence[SymbolRow]) -> SymbolRow | None:
    """The class that a definition belongs to: around it, or by its scope where it stands outside."""
    if not row.scope:
        return None
    owner, _, name = row.scope.rpartition(".")
    found = [it for it in rows if it.kind in HOLDERS and it.name == name and it.scope == owner]
    around = [it for it in found if it.first_line <= row.first_line and row.last_line <= it.last_line]
    return next(iter(around or found), None)


async def source_of(path: str, code: Code, language: str = "") -> Source | Refusal:
    """A file as it is now."""
    text = await code.text(path)
    if text is None:
        return Refusal(reason=f"`{path}` is not there, or must not be read.")
    spoken = language or language_of(path.rpartition("/")[2])
    return Source(path=path, text=text, version=await code.version(path), language=spoken)


async def see(target: Target, code: Code) -> Seen | Refusal:
    """The definition that a command is about."""
    source = await source_of(target.path, code, target.language)
    if isinstance(source, Refusal):
        return source
    rows = await code.outline(target.path)
    row = at(rows, target.line, target.name)
    if row is None:
        what = f"`{target.name}`" if target.name else "a definition"
        return Refusal(
            reason=f"There is no {what.removeprefix('a ')} at line {target.line} of `{target.path}`."
        )
    return Seen(source=source, row=row, rows=rows)
