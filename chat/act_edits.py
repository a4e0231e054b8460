"""Pure: a model's answer to a command -> edits of what was asked about, or why it cannot be used."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from chat import edits
from chat.act_view import View
from chat.cite import target
from chat.commands import Command
from chat.edits_fences import split as split_fences
from chat.edits_lines import compare, split
from chat.edits_lines import edits as as_edits
from chat.edits_types import Edit, NewFile, Refusal, Source
from chat.types import Place, Task

LONGEST_SAYS = 60  # characters of a line in a menu

LINE = re.compile(
    r"^(\s*(?:[-*]|\d+[.)])\s+)\**[Ll]ines? (\d+)(?:\s*(?:-|–|to)\s*(\d+))?\**(:? ?)", re.MULTILINE
)
CLOSED = (('"""', '"""'), ("'''", "'''"), ("/**", "*/"), ("/*", "*/"), ("<#", "#>"), ("(*", "*)"))
LONGEST_COMMENT = 400  # lines
LINES = ("///", "//!", "//", "##", "#'", "#", "---", "--", ";;", ";", "%")


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What an answer becomes."""

    edits: tuple[Edit, ...] = ()
    files: tuple[NewFile, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A documentation comment with gaps, in the document as it would be."""

    text: str
    """The whole document with it."""
    first: int
    """The comment's first line, counted from 0."""
    last: int
    """Inclusive."""
    marks: tuple[str, ...]
    """What it begins and ends with, or what each of its lines begins with."""

    @property
    def comment(self) -> str:
        """The comment alone."""
        return "\n".join(self.text.split("\n")[self.first : self.last + 1])


def proposed(
    answer: str, sources: Mapping[str, Source], *, task: Task, says: str, finished: bool | None
) -> Made | Refusal:
    """The edits that an answer stands for; they are called what the command does."""
    language = next(iter(sources.values())).language
    read = edits.read(answer, language=language, task=task, finished=finished)
    if isinstance(read, Refusal):
        return read
    placed = edits.place(read, sources)
    return placed if isinstance(placed, Refusal) else Made(edits=named(placed, says))


def named(found: Sequence[Edit], says: str) -> tuple[Edit, ...]:
    """The edits, each saying what it is for."""
    return tuple(replace(it, says=says) for it in found)


def texts_after(found: Sequence[Edit], sources: Mapping[str, Source]) -> dict[str, str]:
    """The documents with their edits made."""
    paths = dict.fromkeys(it.path for it in found)
    return {path: edits.apply(sources[path].text, [it for it in found if it.path == path]) for path in paths}


def between(source: Source, text: str, says: str) -> tuple[Edit, ...]:
    """The edits that make another text of a document: of whole lines, and of none that stay."""
    lines = split(source.text)
    changes = compare(lines.texts, split(text).texts, 0, says)
    return as_edits(source, lines, changes)


def frame_of(source: Source, found: Sequence[Edit]) -> Frame | None:
    """The documentation comment that these edits make or complete; ``None`` if they make something else."""
    text = edits.apply(source.text, found)
    lines = text.split("\n")
    first, last, moved = len(lines), 0, 0
    for it in found:
        start = it.start + moved
        kept = it.new_text.lstrip("\n")
        begin = start + len(it.new_text) - len(kept)
        first = min(first, text.count("\n", 0, begin))
        last = max(last, text.count("\n", 0, begin + len(kept.rstrip("\n"))))
        moved += len(it.new_text) - (it.end - it.start)
    if not found or len(lines) <= last:
        return None
    for at in range(first, max(-1, first - LONGEST_COMMENT), -1):
        for opening, closing in CLOSED:
            if _opens(lines[at].strip(), opening):
                end = _end_of(lines, at, opening, closing)
                fits = end is not None and last <= end
                return Frame(text=text, first=at, last=end or at, marks=(opening, closing)) if fits else None
        if lines[at].strip() and not lines[at].strip().startswith(LINES) and at < first:
            break
    return _marked_frame(text, lines, first, last)


def _marked_frame(text: str, lines: Sequence[str], first: int, last: int) -> Frame | None:
    for mark in LINES:
        if all(it.strip().startswith(mark) for it in lines[first : last + 1]):
            while 0 < first and lines[first - 1].strip().startswith(mark):
                first -= 1
            while last + 1 < len(lines) and lines[last + 1].strip().startswith(mark):
                last += 1
            return Frame(text=text, first=first, last=last, marks=(mark,))
    return None


def commented(answer: str, frame: Frame, source: Source, says: str) -> Made | Refusal:
    """The edits that write a documentation comment, with the answer's words in place of the frame's.

    The comment must begin and end as the frame does, so that no code can come in with it.
    """
    lines = frame.text.split("\n")
    indent = re.match(r"[ \t]*", lines[frame.first])
    found = _comment_lines(answer, frame)
    if isinstance(found, Refusal):
        return found
    margin = indent[0] if indent else ""
    least = min((len(it) - len(it.lstrip()) for it in found if it.strip()), default=0)
    moved = [f"{margin}{it[least:].rstrip()}" if it.strip() else "" for it in found]
    text = "\n".join([*lines[: frame.first], *moved, *lines[frame.last + 1 :]])
    if not is_same_code(source, text):
        return Refusal(reason="The answer would change code, and not only its documentation.")
    made = between(source, text, says)
    return Made(edits=made) if made else Refusal(reason="The answer's comment is what is there already.")


def is_same_code(source: Source, text: str) -> bool:
    """Whether only documentation differs, as far as that can be told: in Python, by its syntax tree."""
    if source.language != "python":
        return True
    try:
        return _bare(source.text) == _bare(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return True  # It was no Python before, or it is checked elsewhere.


def _bare(text: str) -> str:
    """Python without its docstrings."""
    tree = ast.parse(text.removeprefix("\ufeff"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0] if node.body else None
            if (
                isinstance(first, ast.Expr)
                and isinstance(first.value, ast.Constant)
                and isinstance(first.value.value, str)
            ):
                node.body = node.body[1:] or [ast.Pass()]
    return ast.dump(tree)


def _comment_lines(answer: str, frame: Frame) -> list[str] | Refusal:
    blocks, prose = split_fences(answer.split("\n"), "")
    lines = list(blocks[0].lines) if blocks else list(prose)
    return _closed(lines, *frame.marks) if len(frame.marks) == 2 else _marked(lines, *frame.marks)


def _end_of(lines: Sequence[str], first: int, opening: str, closing: str) -> int | None:
    """The line in which a comment ends."""
    start = lines[first].index(opening) + len(opening)
    for at in range(first, min(len(lines), first + LONGEST_COMMENT)):
        if closing in lines[at][start if at == first else 0 :]:
            return at
    return None


def _opens(line: str, opening: str) -> bool:
    return line.lstrip("rRuUbB").startswith(opening)


def _closed(lines: Sequence[str], opening: str, closing: str) -> list[str] | Refusal:
    """The comment that begins and ends with these marks, and nothing around it."""
    missing = Refusal(reason=f"The answer is not a comment between `{opening}` and `{closing}`.")
    first = next((at for at, it in enumerate(lines) if _opens(it.strip(), opening)), None)
    if first is None:
        return missing
    start = lines[first].index(opening) + len(opening)
    for last in range(first, len(lines)):
        at = lines[last].find(closing, start if last == first else 0)
        if at < 0:
            continue
        if lines[last][at + len(closing) :].strip():
            return missing
        body = [*lines[first:last], lines[last][: at + len(closing)]]
        says = "\n".join(body)[start:].removesuffix(closing).strip(" \t\n*")
        return body if says else Refusal(reason="The answer's comment says nothing.")
    return Refusal(reason="The answer's comment has no end.")


def _marked(lines: Sequence[str], mark: str) -> list[str] | Refusal:
    """The lines that begin with the mark: the first ones that stand together."""
    found: list[str] = []
    for it in lines:
        if it.strip().startswith(mark):
            found.append(it)
        elif found:
            break
    if not any(it.strip().removeprefix(mark).strip() for it in found):
        return Refusal(reason=f"The answer is not a comment of lines with `{mark}`.")
    return found


def label(command: Command, path: str) -> str:
    """What an edit is called where it is shown."""
    return f"{command.title.rstrip(' …')}: {path.rpartition('/')[2]}"[:LONGEST_SAYS]


def with_links(text: str, view: View) -> str:
    """A review's lines as links to the lines that they are about, where they are in what was looked at."""

    def link(found: re.Match[str]) -> str:
        first = int(found[2])
        last = int(found[3] or first)
        if not view.first_line <= first <= last <= view.last_line:
            return found[1]
        place = Place(path=view.source.path, first_line=first, last_line=last)
        words = f"line {first}" if first == last else f"lines {first} to {last}"
        return f"{found[1]}[{words}]({target(place)}){found[4]}"

    return LINE.sub(link, text)
