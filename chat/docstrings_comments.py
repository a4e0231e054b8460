"""Pure: the comment that documents a definition: written where there is none, else completed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby

from chat.docstrings_items import Item, missing, places
from chat.docstrings_tags import RESULT, Comment, comment_of, there
from chat.edits_indent import indent_of
from chat.edits_types import LineEdit, Refusal
from chat.naming import GAP, function_says, property_says, sentence, thing_says
from chat.shape import Shape

_IS_DOC = {
    "rust": re.compile(r"\s*///(?!/)"),
    "csharp": re.compile(r"\s*///(?!/)"),
    "swift": re.compile(r"\s*///(?!/)"),
    "go": re.compile(r"\s*//(?!go:|\s*\+build|nolint)"),
    "ruby": re.compile(r"\s*#(?!!|\s*(?:rubocop|frozen_string_literal|typed):)"),
    "lua": re.compile(r"\s*--"),
}
_ANY_COMMENT = re.compile(r"\s*(?://|/\*|\*|\*/)")


def document(lines: Sequence[str], shape: Shape, text: str) -> list[LineEdit] | Refusal:
    """The changes of a file's lines that document one definition."""
    comment = comment_of(shape.language, text)
    if comment is None:
        return Refusal(reason=f"How {shape.language or 'this file'} documents a definition is not known.")
    wanted = _wanted(comment, shape, lines)
    block = _block(lines, shape, comment)
    if block is None:
        return [_written(lines, shape, comment, wanted)]
    first, end = block
    rows = list(lines[first:end])
    if not missing(wanted, there(rows, comment)) or "inheritdoc" in "".join(rows).lower():
        return Refusal(reason=f"`{shape.name}` is documented already, with all that can be seen of it.")
    new = _completed(rows, comment, wanted)
    return [
        LineEdit(
            first=first, last=end, texts=tuple(new), says=f"Completes the documentation of `{shape.name}`"
        )
    ]


def _wanted(comment: Comment, shape: Shape, lines: Sequence[str]) -> tuple[Item, ...]:
    found = comment.items(shape)
    head = " ".join(lines[shape.first : shape.header + 1]).partition("(")[0]
    if shape.language == "rust" and re.search(r"\bunsafe\b", head):
        found = (*found, Item(rank=4, key="", lines=("# Safety", "", GAP)))
    return found


def summary(shape: Shape) -> str:
    """The first sentence, as far as the name says it; in Go it begins with the name."""
    if shape.language == "go":
        return _go_summary(shape)
    if shape.is_constructor:
        owner = thing_says(shape.scope[-1] if shape.scope else shape.name)
        return sentence(f"Creates {_lower(owner)}") if owner != GAP else GAP
    if shape.what == "class":
        return sentence(thing_says(shape.name))
    if shape.is_property:
        return sentence(property_says(shape.name))
    if shape.language == "rust" and shape.name == "new" and shape.scope:
        owner = thing_says(shape.scope[-1])
        return sentence(f"Creates {_lower(owner)}") if owner != GAP else GAP
    gives = shape.gives or (shape.body is not None and shape.body.yields)
    return sentence(function_says(shape.name.rstrip("?!="), gives=gives, third=True))


def _lower(owner: str) -> str:
    return owner[:1].lower() + owner[1:] if not owner[1:2].isupper() else owner


def _go_summary(shape: Shape) -> str:
    if shape.what == "class":
        said = thing_says(shape.name)
        return f"{shape.name} {GAP}" if said == GAP else f"{shape.name} is {_lower(said)}."
    said = function_says(shape.name, gives=shape.gives, third=True)
    return f"{shape.name} {GAP}" if said == GAP else f"{shape.name} {_lower(said)}."


def _written(lines: Sequence[str], shape: Shape, comment: Comment, wanted: Sequence[Item]) -> LineEdit:
    at = shape.lead if shape.lead < len(lines) else shape.first
    indent = indent_of(lines[at])
    said = summary(shape)
    rows = ["<summary>", said, "</summary>"] if shape.language == "csharp" else [said]
    rows += _parts(wanted, comment)
    if comment.open and not wanted and comment.open == "/**":
        texts = [f"/** {said} */"]
    elif comment.open:
        body = [f"{comment.prefix}{it}".rstrip() for it in rows]
        texts = [comment.open, *body, comment.close] if 1 < len(rows) else [f"{comment.open} {said} */"]
    else:
        texts = [f"{comment.prefix}{it}".rstrip() for it in rows]
    new = tuple(f"{indent}{it}" for it in texts)
    return LineEdit(first=at, last=at, texts=new, says=f"Documents `{shape.name}`")


def _parts(wanted: Sequence[Item], comment: Comment) -> list[str]:
    rows: list[str] = [""] if comment.gap_above and wanted else []
    is_sections = any(1 < len(it.lines) for it in wanted)
    for number, (_, group) in enumerate(groupby(wanted, key=lambda it: it.rank)):
        rows += [""] if is_sections and number else []
        rows += [line for it in group for line in it.lines]
    return rows


def _block(lines: Sequence[str], shape: Shape, comment: Comment) -> tuple[int, int] | None:
    """The comment that documents a definition: directly above it, or between its attributes and its head."""
    for below in dict.fromkeys((shape.first, shape.lead)):
        if found := _above(lines, below, shape, comment):
            return found
    return None


def _above(lines: Sequence[str], below: int, shape: Shape, comment: Comment) -> tuple[int, int] | None:
    end = first = below
    if comment.open:
        if not end or not lines[end - 1].rstrip().endswith("*/"):
            return None
        first -= 1
        while 0 <= first and "/*" not in lines[first]:
            first -= 1
        is_doc = 0 <= first and lines[first].strip().startswith(comment.open)
        return (first, end) if is_doc else None
    pattern = _IS_DOC.get(shape.language) or re.compile(rf"\s*{re.escape(comment.prefix.strip())}")
    if shape.language in ("c", "cpp") and not comment.items(shape):
        pattern = _ANY_COMMENT
    while 0 < first and pattern.match(lines[first - 1]):
        first -= 1
    return (first, end) if first < end else None


def _completed(rows: list[str], comment: Comment, wanted: Sequence[Item]) -> list[str]:
    """The comment's lines with what they lack."""
    indent = indent_of(rows[0])
    prefix = indent + comment.prefix
    end = len(rows)
    if comment.open:
        rows = _opened(rows, indent, comment)
        end = len(rows) - 1
    parts = there(rows[:end] if comment.open else rows, comment)
    while 1 < end and not re.search(r"[^\s*/#-]", rows[end - 1]):
        end -= 1
    found = list(rows)
    for at, group, alone in reversed(places(wanted, parts, end)):
        lines = [line for it in group for line in it.lines]
        if any(1 < len(it.lines) for it in group):
            lines = _parts(group, comment)
            if at < end:
                lines = [*lines[1:], ""]
        elif alone and comment.gap_above:
            lines = ["", *lines]
        found[at:at] = [f"{prefix}{it}".rstrip() for it in lines]
    return found


def _opened(rows: list[str], indent: str, comment: Comment) -> list[str]:
    """A block comment whose marks stand on lines of their own."""
    marks = comment.open
    if len(rows) == 1:
        inner = rows[0].strip().removeprefix(marks).removesuffix("*/").strip()
        return [f"{indent}{marks}", f"{indent}{comment.prefix}{inner}".rstrip(), f"{indent}{comment.close}"]
    last = rows[-1].rstrip()
    if last.strip() in ("*/", "**/"):
        return rows
    kept = last.removesuffix("*/").rstrip()
    return [*rows[:-1], kept, f"{indent}{comment.close}"]


__all__ = ["RESULT", "document", "summary"]
