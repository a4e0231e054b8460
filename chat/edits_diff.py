"""Pure: unified diffs as models write them: wrong counts, no headers, no marks on context."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from chat import edits_paths
from chat.edits_types import Change, Mark, Marked, Unclear

_HUNK = re.compile(
    r"^\s{0,3}@@+\s*(?:-(?P<at>\d+)(?:,(?P<old>\d+))?\s+\+(?P<to>\d+)(?:,(?P<new>\d+))?\s*(?:@@+)?)?(?P<rest>.*)$"
)
_FILE = re.compile(
    r"^(?:diff --git |index [0-9a-f]{4,}|similarity index |old mode |new mode |Index: |={40,})"
)
_DELETES = re.compile(r"^(?:deleted file mode|\*\*\* Delete File:|rename (?:from|to) |\*\*\* Move to:)")
_ENVELOPE = re.compile(r"^\*\*\* (?:Begin Patch|End Patch|End of File)\s*$")
_ENVELOPE_FILE = re.compile(r"^\*\*\* (?:Update|Add) File:\s*(?P<path>\S.*)$")
NO_FILE = "/dev/null"
_MARKS: dict[str, Mark] = {" ": " ", "-": "-", "+": "+"}
_LISTS = frozenset({"markdown", "yaml", "text", "restructuredtext", "toml", "diff"})


@dataclass(slots=True, kw_only=True)
class _Hunk:
    path: str
    heading: str = ""
    at: int | None = None
    size: tuple[int, int] | None = None
    lines: list[Marked] = field(default_factory=list)


def is_diff(lines: Sequence[str], tag: str, language: str) -> bool:
    """Whether these lines are a diff, whatever the fence around them says."""
    changes = sum(it.startswith(("+", "-")) for it in lines)
    if not changes:
        return False
    if tag in ("diff", "patch", "udiff"):
        return True
    if any(_ENVELOPE_FILE.match(it) or _header(lines, at) for at, it in enumerate(lines)):
        return True
    if any(_HUNK.match(it) for it in lines):
        return True
    marks = {it[0] for it in lines if it.strip()}
    return language not in _LISTS and {"+", "-"} <= marks <= {"+", "-", " "}


def read(lines: Sequence[str], hint: str = "", path: str = "") -> tuple[Change, ...]:
    """The hunks, each as a change of its own."""
    hunks: list[_Hunk] = [_Hunk(path=path)]
    at = 0
    while at < len(lines):
        line = lines[at]
        if _DELETES.match(line):
            raise Unclear("The answer removes or renames a whole file, which is not done from here.")
        if _header(lines, at):
            path = _header_path(line, lines[at + 1])
            hunks.append(_Hunk(path=path))
            at += 1
        elif line.startswith("diff --git "):
            hunks.append(_Hunk(path=path))
        elif found := _ENVELOPE_FILE.match(line):
            path = found["path"].strip()
            hunks.append(_Hunk(path=path))
        elif found := _HUNK.match(line):
            hunks.append(_opened(found, path))
        elif not (
            _ENVELOPE.match(line) or line.startswith("\\ ") or (_FILE.match(line) and not hunks[-1].lines)
        ):
            mark = _MARKS.get(line[:1])
            hunks[-1].lines.append(Marked(mark=mark or " ", text=line[1:] if mark else line))
        at += 1
    return tuple(_change(it, hint) for it in hunks if any(line.mark != " " for line in it.lines))


def _header(lines: Sequence[str], at: int) -> bool:
    """Two lines that name a file; a removed line of dashes is none."""
    return (
        lines[at].startswith("--- ")
        and at + 1 < len(lines)
        and lines[at + 1].startswith("+++ ")
        and (_is_file(lines[at][4:]) or _is_file(lines[at + 1][4:]))
    )


def _is_file(text: str) -> bool:
    name = text.partition("\t")[0].strip()
    words = name.split()
    return name == NO_FILE or bool(words and (edits_paths.looks_like_path(words[0]) or "/" in words[0]))


def _header_path(old: str, new: str) -> str:
    names = [it[4:].partition("\t")[0].strip().split(" ")[0] for it in (old, new)]
    if names[1] == NO_FILE:
        raise Unclear("The answer removes or renames a whole file, which is not done from here.")
    name = names[1]
    return name[2:] if name.startswith(("a/", "b/", "i/", "w/")) else name


def _opened(found: re.Match[str], path: str) -> _Hunk:
    size = None
    if found["at"]:
        size = int(found["old"] or 1), int(found["new"] or 1)
    rest = re.sub(r"^[\s.@\-+,\d]*@@|@@\s*$", "", found["rest"]).strip()
    heading = "" if re.fullmatch(r"[\s.@…,\-+\d]*", rest) else rest
    return _Hunk(path=path, heading=heading, at=int(found["at"]) if found["at"] else None, size=size)


def _change(hunk: _Hunk, hint: str) -> Change:
    lines = hunk.lines
    while lines and not lines[0].text.strip() and lines[0].mark == " ":
        lines = lines[1:]
    trimmed = lines
    while trimmed and not trimmed[-1].text.strip() and trimmed[-1].mark == " ":
        trimmed = trimmed[:-1]
    old = sum(it.mark != "+" for it in hunk.lines)
    new = sum(it.mark != "-" for it in hunk.lines)
    is_true = hunk.size in ((old, new), (old - len(lines) + len(trimmed), new - len(lines) + len(trimmed)))
    skipped = len(hunk.lines) - len(lines)
    at = hunk.at + skipped if hunk.at is not None and is_true else None
    only_new = all(it.mark == "+" for it in trimmed)
    return Change(
        path=hunk.path,
        hint=hint,
        lines=_without_blank(trimmed),
        heading=hunk.heading,
        at=at,
        whole="\n".join(it.text for it in trimmed) if only_new else "",
    )


def _without_blank(lines: list[Marked]) -> tuple[Marked, ...]:
    """A blank between the mark and the code, where each changed line has one, is no indentation."""
    texts = [it.text for it in lines if it.mark != " " and it.text.strip()]
    depths = [len(it) - len(it.lstrip(" ")) for it in texts]
    around = [it.text for it in lines if it.mark == " " and it.text.strip()]
    is_even = all((len(it) - len(it.lstrip(" "))) % 2 == 0 for it in around)
    if texts and all(it % 2 for it in depths) and is_even:
        return tuple(Marked(mark=it.mark, text=it.text[1:] if it.mark != " " else it.text) for it in lines)
    return tuple(lines)
