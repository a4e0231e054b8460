"""Pure: the parts of a definition's source that tell most: its head, its documentation, a call to its end."""

from __future__ import annotations

import re
from collections.abc import Sequence

from codeindex.types import Kind, SymbolRow

LONGEST_HEAD = 14  # Lines.
LONGEST_DOC = 14
LONGEST_CALL = 12
BRACKETS = {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}
TEXTS = re.compile(r"\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'|`[^`\n]*`|(?<!\S)(?:#(?!\[)|//).*")
QUOTES = re.compile(r"\s*[rRuUbB]{0,2}(\"\"\"|''')")
COMMENT = re.compile(r"^\s*(?:///?!?|//!|/\*\*?|\*/?|#+[!:]?|--+|;+|%+)\s?")
MARKED = re.compile(r"^\s*(?:[@#]\[?\w|//go:|\[\w)")
LISTED = re.compile(
    r"^(?:\s{2,}|:\w+|@\w+|[-*] |\w+:\s*$|(?:Args|Parameters|Returns|Raises|Yields|Example)s?\b:?)"
)
BODIES = frozenset({Kind.FUNCTION, Kind.METHOD, Kind.CLASS, Kind.INTERFACE, Kind.ENUM, Kind.TYPE, Kind.MACRO})


def head(lines: Sequence[str], row: SymbolRow) -> str:
    """The definition up to its body, with its decorators, without the comment above."""
    first = _first_code(lines, row)
    if row.kind not in BODIES:
        taken = list(lines[first - 1 : min(row.last_line, first - 1 + LONGEST_HEAD)])
        return _dedented(taken)
    taken = []
    depth = 0
    for number, line in enumerate(lines[first - 1 : min(row.last_line, first + 2 * LONGEST_HEAD)], first):
        bare = TEXTS.sub("", line).rstrip()
        opens = bare.rstrip().endswith("{") and row.language != "python"
        depth += sum(BRACKETS.get(it, 0) for it in bare) - opens
        taken.append(line)
        if (
            row.line <= number
            and depth <= 0
            and (opens or bare.endswith((":", ";", "{", "=>", "=")) or row.language != "python")
        ):
            break
    if LONGEST_HEAD < len(taken) or not any(row.name in it for it in taken):
        return row.signature
    shown = _dedented(taken).rstrip()
    if row.language != "python":
        shown = re.sub(r"\s*\{\s*$", "", shown)
    return shown or row.signature


def documentation(lines: Sequence[str], row: SymbolRow) -> str:
    """What the definition's own documentation says, its lines as they are; the whole, up to some lines."""
    found = _docstring(lines, row) if row.language == "python" else _comment(lines, row)
    return clipped(found) or row.doc


def clipped(text: str) -> str:
    """The first lines of a documentation, ended where a paragraph ends."""
    lines = text.strip("\n").split("\n")
    if len(lines) <= LONGEST_DOC:
        return "\n".join(lines).strip()
    kept = lines[:LONGEST_DOC]
    while 3 < len(kept) and kept[-1].strip():
        kept.pop()
    kept = kept if 3 < len(kept) else lines[:LONGEST_DOC]
    while 1 < len(kept) and (not kept[-1].strip() or kept[-1].rstrip().endswith(":")):
        kept.pop()  # What it announces is not shown.
    return "\n".join(kept).strip() + "\n…"


def is_list(doc: str) -> bool:
    """Whether line breaks mean something in it: parameters, an example."""
    return any(LISTED.match(it) for it in doc.split("\n")[1:])


def body(lines: Sequence[str], row: SymbolRow, most: int) -> str:
    """The whole definition, or its first lines with a mark; without the comment above it."""
    first = _first_code(lines, row)
    begin, end = _docstring_at(lines, row) if row.language == "python" else (0, 0)
    taken = [
        it for number, it in enumerate(lines[first - 1 : row.last_line], first) if not begin <= number < end
    ]
    if len(taken) <= most:
        return _dedented(taken)
    inset = len(taken[most]) - len(taken[most].lstrip())
    return _dedented([*taken[:most], " " * inset + "…"])


def statement(lines: Sequence[str], line: int) -> str:
    """The statement that begins at a line, to where its brackets are closed; without its indentation."""
    taken: list[str] = []
    depth = 0
    for it in lines[line - 1 : line - 1 + LONGEST_CALL]:
        taken.append(it)
        depth += sum(BRACKETS.get(one, 0) for one in TEXTS.sub("", it).rstrip().removesuffix("{"))
        if depth <= 0 and not it.rstrip().endswith(("\\", ",")):
            break
    if 0 < depth:
        inset = taken[-1][: len(taken[-1]) - len(taken[-1].lstrip())]
        taken = [*taken[:-1], f"{inset}…"] if len(taken) < LONGEST_CALL else [*taken[:4], "…"]
    return _dedented(taken)


def purpose(text: str, language: str) -> str:
    """What a file says that it is for: the docstring, comment or paragraph at its top."""
    lines = text.split("\n", 60)[:60]
    at = 0
    while at < len(lines) and (
        not lines[at].strip() or lines[at].startswith("#!") or "coding:" in lines[at][:20]
    ):
        at += 1
    rest = lines[at:]
    if not rest:
        return ""
    if language in ("markdown", "restructuredtext", "text"):
        return _paragraph(rest)
    is_quoted = language == "python" and QUOTES.match(rest[0]) is not None
    return _untitled(_quoted(rest) if is_quoted else _leading_comment(rest))


def _untitled(text: str) -> str:
    """Without a title that is underlined: the file's name says the same."""
    return re.sub(r"\A\s*\S.*\n[~=\-*^]{3,}\s*\n+", "", text)


def _paragraph(lines: Sequence[str]) -> str:
    """The first paragraph that is neither a heading, a badge nor a line."""
    taken: list[str] = []
    for it in lines:
        is_text = bool(re.match(r"\s*[^\s#=\-<!\[|>*`~]", it)) or (bool(taken) and bool(it.strip()))
        if is_text and not re.fullmatch(r"\s*[=\-~^]+\s*", it):
            taken.append(it.strip())
        elif taken:
            break
    return " ".join(taken)


def _leading_comment(lines: Sequence[str]) -> str:
    taken: list[str] = []
    for it in lines:
        if not COMMENT.match(it) and not (
            taken and taken[0].lstrip().startswith(("/*",)) and "*/" not in "".join(taken)
        ):
            break
        if re.match(r"#\s*(?:include|define|if|pragma|ifndef)\b|#\[", it.strip()):
            break
        taken.append(it)
        if "*/" in it:
            break
    said = _without_marks(taken)
    is_license = re.search(r"(?i)copyright|licen[cs]e|SPDX", said)
    return "" if is_license else said


def _docstring(lines: Sequence[str], row: SymbolRow) -> str:
    begin, end = _docstring_at(lines, row)
    return _quoted(lines[begin - 1 : row.last_line]) if begin < end else _comment(lines, row)


def _docstring_at(lines: Sequence[str], row: SymbolRow) -> tuple[int, int]:
    """The first line of the docstring, and the one behind its last; the same twice where there is none."""
    depth = 0
    for number in range(row.line, min(row.last_line, row.line + 2 * LONGEST_HEAD) + 1):
        bare = TEXTS.sub("", lines[number - 1]).rstrip()
        depth += sum(BRACKETS.get(it, 0) for it in bare)
        if depth <= 0 and bare.endswith(":"):
            break
    else:
        return 0, 0
    number += 1
    while number <= row.last_line and not lines[number - 1].strip():
        number += 1
    found = QUOTES.match(lines[number - 1]) if number <= row.last_line else None
    if found is None:
        return 0, 0
    rest = "\n".join(lines[number - 1 : row.last_line])
    size = rest[found.end() :].partition(found[1])[0].count("\n")
    return number, number + size + 1


def _quoted(lines: Sequence[str]) -> str:
    """A text in three quotes that begins on the first line."""
    found = QUOTES.match(lines[0])
    if found is None:
        return ""
    rest = "\n".join([lines[0][found.end() :], *lines[1:200]])
    text = rest.partition(found[1])[0]
    first, _, more = text.partition("\n")
    return "\n".join([first.strip(), _dedented(more.split("\n"))]).strip("\n")


def _comment(lines: Sequence[str], row: SymbolRow) -> str:
    above = lines[row.first_line - 1 : row.line - 1]
    return _without_marks([it for it in above if COMMENT.match(it) and not MARKED.match(it)])


def _without_marks(lines: Sequence[str]) -> str:
    bare = [re.sub(r"\s*\*/\s*$", "", COMMENT.sub("", it)).rstrip() for it in lines]
    return _dedented(bare).strip()


def _first_code(lines: Sequence[str], row: SymbolRow) -> int:
    """The first line of a definition that is no comment."""
    for number in range(row.first_line, row.line):
        text = lines[number - 1] if number <= len(lines) else ""
        if text.strip() and (MARKED.match(text) or not COMMENT.match(text)):
            return number
    return row.line


def _dedented(lines: Sequence[str]) -> str:
    inset = min((len(it) - len(it.lstrip()) for it in lines if it.strip()), default=0)
    return "\n".join(it[inset:].rstrip() for it in lines).strip("\n")
