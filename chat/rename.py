"""A new name for a symbol, wherever it stands: what is certain, and what somebody has to look at first.

Texts in quotes and comments are left alone and counted; where the new name is taken, nothing is renamed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from chat import rename_python, rename_script
from chat.code import Code, Occurrence
from chat.edits_lexical import family, scan
from chat.edits_lines import split
from chat.edits_types import Edit, Lines, Refusal, Source
from chat.rename_words import why_not
from chat.target import Target, at, holder_of, source_of
from codeindex.types import SymbolRow

__all__ = ["Renamed", "rename"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Renamed:
    """The edits that rename a symbol. Each is one place, so that each can be looked at by itself."""

    name: str
    new_name: str
    edits: tuple[Edit, ...]
    """Those that are certain."""
    to_confirm: tuple[Edit, ...] = ()
    """Those that may mean something else of the same name."""
    elsewhere: int = 0
    """How often the name stands in the texts and comments of these files, where nothing is changed."""

    @property
    def says(self) -> str:
        """What is done, in one sentence."""
        files = len({it.path for it in self.edits})
        said = f"Renames `{self.name}` to `{self.new_name}` in {_many(len(self.edits), 'place')}"
        said += f" of {_many(files, 'file')}" if 1 < files else ""
        if self.to_confirm:
            said += f"; {_many(len(self.to_confirm), 'place')} more to be confirmed"
        if self.elsewhere:
            said += f"; left alone {_many(self.elsewhere, 'time')} in texts and comments"
        return f"{said}."


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    source: Source
    lines: Lines
    rows: tuple[SymbolRow, ...]


async def rename(target: Target, new_name: str, code: Code) -> Renamed | Refusal:
    """What renames the symbol at a place; ``target.name`` says which, if the line has more than one."""
    source = await source_of(target.path, code, target.language)
    if isinstance(source, Refusal):
        return source
    rows = await code.outline(target.path)
    row = at(rows, target.line, target.name)
    name = target.name or (row.name if row else "")
    if not name:
        return Refusal(
            reason=f"There is nothing at line {target.line} of `{target.path}` that could be renamed."
        )
    if refusal := why_not(new_name, name, source.language):
        return refusal
    line = target.line if target.name or row is None else row.line
    found = await code.occurrences(name, path=target.path, line=line)
    keywords = await _keywords(source, name, line, code)
    files: dict[str, _File] = {}
    for path in dict.fromkeys((target.path, *(it.path for it in (*found, *keywords)))):
        other = source if path == target.path else await source_of(path, code)
        if not isinstance(other, Refusal):
            files[path] = _File(source=other, lines=split(other.text), rows=await code.outline(path))
    return decide(name, new_name, found, files, keywords, (target.path, line))


def decide(
    name: str,
    new_name: str,
    found: Sequence[Occurrence],
    files: Mapping[str, _File],
    keywords: Sequence[Occurrence] = (),
    asked: tuple[str, int] = ("", 0),
) -> Renamed | Refusal:
    """The edits for these places, or why there are none.

    ``keywords`` are arguments passed by the name; ``asked`` is where it was asked about.
    """
    defined = [it for it in found if it.is_definition and it.path in files]
    definition = next((it for it in defined if (it.path, it.line) == asked), defined[0] if defined else None)
    row = _row(definition, files) if definition else None
    is_member = bool(definition and row and holder_of(row, files[definition.path].rows))
    certain: dict[tuple[str, int], Edit] = {}
    unsure: dict[tuple[str, int], Edit] = {}
    made = [
        _edit(it, name, new_name, files[it.path], definition, is_member) for it in found if it.path in files
    ]
    made += [_plain(it, name, new_name, files[it.path]) for it in keywords if it.path in files]
    for edit, is_sure in filter(None, made):
        (certain if is_sure else unsure).setdefault((edit.path, edit.start), edit)
    for edit in _exported(name, new_name, files.get(definition.path) if definition else None):
        unsure.setdefault((edit.path, edit.start), edit)
    if not certain:
        return Refusal(reason=f"`{name}` is not known well enough to be renamed: no place of it is certain.")
    if refusal := _collision(name, new_name, row, definition, certain, files, is_member):
        return refusal
    touched = {path for path, _ in (*certain, *unsure)}
    return Renamed(
        name=name,
        new_name=new_name,
        edits=tuple(certain[it] for it in sorted(certain)),
        to_confirm=tuple(unsure[it] for it in sorted(unsure) if it not in certain),
        elsewhere=sum(_in_words(files[it].source, name) for it in touched),
    )


async def _keywords(source: Source, name: str, line: int, code: Code) -> tuple[Occurrence, ...]:
    """Where callers pass the argument by its name, if it is a parameter of Python."""
    function = rename_python.parameter_of(source.text, name, line) if source.language == "python" else None
    if function is None:
        return ()
    found = []
    for call in await code.callers(function[0], path=source.path, line=function[1]):
        text = await code.text(call.path)
        for spot in rename_python.keywords_of(text or "", function[0], call.line, name):
            sure = "certain" if call.path == source.path and call.sure == "certain" else call.sure
            found.append(
                Occurrence(path=call.path, line=spot[0], column=spot[1], length=len(name), sure=sure)
            )
    return tuple(replace(it, sure="certain") if it.path == source.path else it for it in found)


def _row(definition: Occurrence, files: Mapping[str, _File]) -> SymbolRow | None:
    rows = files[definition.path].rows
    return next((it for it in rows if (it.line, it.column) == (definition.line, definition.column)), None)


def _plain(it: Occurrence, name: str, new_name: str, file: _File) -> tuple[Edit, bool] | None:
    """A place with the new name in it, and whether it is certain; None if the name is not there."""
    lines = file.lines
    if not 0 < it.line <= len(lines.texts):
        return None
    if lines.texts[it.line - 1][it.column : it.column + len(name)] != name:
        return None
    start = lines.starts[it.line - 1] + it.column
    edit = Edit(
        path=it.path,
        version=file.source.version,
        start=start,
        end=start + len(name),
        new_text=new_name,
        says=f"Renames `{name}` to `{new_name}`",
    )
    return edit, it.sure == "certain"


def _edit(
    it: Occurrence,
    name: str,
    new_name: str,
    file: _File,
    definition: Occurrence | None,
    is_member: bool,
) -> tuple[Edit, bool] | None:
    """The same; None also if the name stands for something else there."""
    made, source = _plain(it, name, new_name, file), file.source
    if made is None:
        return None
    edit, is_sure = made
    if source.language == "python":
        known = _in_python(it, name, source, definition, is_member, is_sure)
        return None if known is None else (edit, known)
    if family(source.language) == "javascript" and source.language != "php":
        meaning = rename_script.meaning(source.text, source.language, edit.start, name, is_member=is_member)
        if meaning == "other" and not it.is_definition:
            return None
        new = rename_script.written(meaning, name, new_name)
        return replace(edit, new_text=new), is_sure and meaning != "unsure"
    return edit, is_sure


def _exported(name: str, new_name: str, file: _File | None) -> list[Edit]:
    """The name in `__all__` of the file that defines it: a text, so it is only proposed."""
    if file is None or file.source.language != "python":
        return []
    spots = [it.spot for it in rename_python.places(file.source.text, name) or () if it.role == "exported"]
    at = [
        Occurrence(path=file.source.path, line=it[0], column=it[1], length=len(name), sure="likely")
        for it in spots
    ]
    return [made[0] for it in at if (made := _plain(it, name, new_name, file))]


def _in_python(
    it: Occurrence,
    name: str,
    source: Source,
    definition: Occurrence | None,
    is_member: bool,
    is_sure: bool,
) -> bool | None:
    """Whether a place is certain; None if there the name is somebody else's."""
    known = rename_python.places(source.text, name)
    if known is None or it == definition or definition is None:
        return is_sure
    place = next((one for one in known if one.spot == (it.line, it.column)), None)
    if place is None:
        return False  # in a part of the text that its syntax does not show: an f-string, a type in quotes
    if place.role == "keyword":
        return None
    if place.role in ("attribute", "import"):
        return is_sure
    if place.role == "exported":
        return False
    if is_member:
        return is_sure if place.home is None else None
    own = (definition.line, definition.column) if definition.path == it.path else None
    home = next((one.home for one in known if one.spot == own), None)
    is_imported = any(one.role == "import" and one.home is place.home for one in known)
    return is_sure if place.home is home or is_imported else None


def _collision(
    name: str,
    new_name: str,
    row: SymbolRow | None,
    definition: Occurrence | None,
    certain: Mapping[tuple[str, int], Edit],
    files: Mapping[str, _File],
    is_member: bool,
) -> Refusal | None:
    """Where the new name means something already."""
    if row is not None and definition is not None:
        for it in files[definition.path].rows:
            if it.name == new_name and it.scope == row.scope:
                return Refusal(
                    reason=f"`{new_name}` is defined already, at line {it.line} of `{definition.path}`."
                )
    if is_member:
        return None
    for path in dict.fromkeys(path for path, _ in certain):
        file = files[path]
        places = [start for one, start in certain if one == path]
        if line := _used(file, new_name, name, places):
            return Refusal(reason=f"`{new_name}` is used already, at line {line} of `{path}`.")
    return None


def _used(file: _File, new_name: str, name: str, starts: Sequence[int]) -> int:
    """The line where the new name stands for what would be taken for it; 0 if there is none."""
    text, language = file.source.text, file.source.language
    if language == "python":
        theirs, ours = rename_python.places(text, new_name), rename_python.places(text, name)
        if theirs is not None and ours is not None:
            spots = {(_line_of(file, it), it - file.lines.starts[_line_of(file, it) - 1]) for it in starts}
            mine = [it for it in ours if it.spot in spots]
            for it in theirs:
                if it.role in ("attribute", "keyword", "exported"):
                    continue
                if any(_meet(it, one) for one in mine):
                    return it.spot[0]
            return 0
    blank = scan(text.replace("\r\n", "\n"), language).blank
    for number, line in enumerate(blank.split("\n"), 1):
        for hit in re.finditer(rf"(?<![\w$.]){re.escape(new_name)}(?![\w$])", line):
            if not re.match(r"\s*:(?!:)", line[hit.end() :]):
                return number
    return 0


def _meet(theirs: rename_python.Place, mine: rename_python.Place) -> bool:
    """Whether the new name, where the old one stands, would mean what has it already, or the reverse."""
    if theirs.home is mine.home:
        return True
    if theirs.home is None:
        return mine.home in theirs.within
    return theirs.home in mine.within


def _line_of(file: _File, offset: int) -> int:
    starts = file.lines.starts
    return next(at for at in range(len(starts) - 1, 0, -1) if starts[at - 1] <= offset)


def _in_words(source: Source, name: str) -> int:
    """How often a name stands in what is no code."""
    text = source.text.replace("\r\n", "\n")
    pattern = rf"(?<![\w$]){re.escape(name)}(?![\w$])"
    blank = scan(text, source.language).blank
    return len(re.findall(pattern, text)) - len(re.findall(pattern, blank))


def _many(count: int, what: str) -> str:
    return f"{count} {what}{'s' * (count != 1)}"
