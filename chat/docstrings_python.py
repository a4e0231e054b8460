"""Pure: the docstring of a definition of Python: written where there is none, else completed."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from itertools import groupby

from chat.docstrings_items import Item, missing, places
from chat.docstrings_styles import Manner, Style, headed, items, sections, style_of, there
from chat.edits_indent import indent_of, unit_of
from chat.edits_types import LineEdit, Refusal
from chat.naming import function_says, property_says, sentence, thing_says
from chat.shape import Shape
from chat.shape_python import Definition

SAYS = "Documents `{}`"


def document(
    lines: Sequence[str], node: Definition, shape: Shape, manner: Manner
) -> list[LineEdit] | Refusal:
    """The changes of a file's lines that document one definition."""
    first = node.body[0]
    doc = first if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) else None
    if doc is not None and isinstance(doc.value, ast.Constant) and isinstance(doc.value.value, str):
        return _completed(lines, doc, doc.value.value, shape, manner)
    return _written(lines, node, shape, manner)


def summary(shape: Shape, manner: Manner) -> str:
    """The first sentence, as far as the name says it."""
    if shape.is_constructor:
        owner = thing_says(shape.scope[-1]) if shape.scope else ""
        of = owner.partition(" ")[2] if owner.startswith(("A ", "An ")) else ""
        verb = "Initializes" if manner.third else "Initialize"
        return f"{verb} the {of}." if of else "..."
    if shape.what == "class":
        return sentence(thing_says(shape.name))
    if shape.is_property:
        return sentence(property_says(shape.name))
    gives = shape.gives or (shape.body is not None and shape.body.yields)
    return sentence(function_says(shape.name, gives=gives, third=manner.third))


def _written(lines: Sequence[str], node: Definition, shape: Shape, manner: Manner) -> list[LineEdit]:
    says = SAYS.format(shape.name)
    first = node.body[0]
    at = min([it.lineno for it in getattr(first, "decorator_list", ())], default=first.lineno) - 1
    head = lines[shape.header]
    is_on_head = at <= shape.header
    indent = shape.indent + (unit_of(lines) or "    ") if is_on_head else indent_of(lines[at])
    new = _text(summary(shape, manner), items(shape, manner), manner, indent)
    if is_on_head:
        column = len(head.encode()[: first.col_offset].decode())
        before, after = head[:column].rstrip(), head[column:]
        texts = (before, *new, f"{indent}{after}")
        return [LineEdit(first=shape.header, last=shape.header + 1, texts=texts, says=says)]
    row = shape.header + 1
    is_tight = bool(lines[row].strip())
    blank = ("",) if shape.what == "class" and is_tight else ()
    return [LineEdit(first=row, last=row, texts=(*new, *blank), says=says)]


def _text(said: str, parts: Sequence[Item], manner: Manner, indent: str) -> list[str]:
    quotes = manner.quotes
    if not parts:
        return [f"{indent}{quotes}{said}{quotes}"]
    rows = _grouped(parts, manner)
    start = [f"{indent}{quotes}", f"{indent}{said}"] if manner.below else [f"{indent}{quotes}{said}"]
    return [*start, *(f"{indent}{it}" if it else "" for it in rows), f"{indent}{quotes}"]


def _grouped(parts: Sequence[Item], manner: Manner) -> list[str]:
    """Sections with a blank line above each; the fields of reST under a single one."""
    rows: list[str] = [""] if manner.style == "rest" else []
    for _, group in groupby(parts, key=lambda it: it.rank):
        rows += [*([] if manner.style == "rest" else [""]), *headed(list(group), manner.style)]
    return rows


def _completed(
    lines: Sequence[str], node: ast.Expr, doc: str, shape: Shape, manner: Manner
) -> list[LineEdit] | Refusal:
    own = style_of(doc)
    style = manner.style if own == "plain" else own
    manner = Manner(
        style=style,
        third=manner.third,
        types=manner.types and own in ("plain", manner.style),
        says_return=":return:" in doc or manner.says_return,
    )
    first, end = node.lineno - 1, node.end_lineno or node.lineno
    rows = list(lines[first:end])
    wanted, indent = items(shape, manner), indent_of(rows[0])
    opened = _opened(rows, node)
    said = there(opened[:-1] if opened else rows, style)
    if not missing(wanted, said) or "inheritdoc" in doc.lower():
        return Refusal(reason=f"`{shape.name}` is documented already, with all that can be seen of it.")
    if opened is None:
        return Refusal(
            reason=f"The docstring of `{shape.name}` is written in a way that leaves no room for more."
        )
    new = _merged(opened, wanted, manner, indent)
    return [
        LineEdit(first=first, last=end, texts=tuple(new), says=f"Completes the docstring of `{shape.name}`")
    ]


def _opened(rows: list[str], node: ast.Expr) -> list[str] | None:
    """The docstring's lines, the closing quotes on a line of their own; None if it is no long string."""
    start = len(rows[0].encode()[: node.col_offset].decode())
    prefix = rows[0][start : start + 1] if rows[0][start : start + 1] in "rRuU" else ""
    at = start + len(prefix)
    quotes = rows[0][at : at + 3]
    end = len(rows[-1].encode()[: node.end_col_offset].decode())
    if quotes not in ('"""', "'''"):
        mark = rows[0][at : at + 1]
        if len(rows) != 1 or mark not in "\"'" or '"""' in rows[0]:
            return None
        body = rows[0][at + 1 : end - 1]
        if body.endswith('"') or "\\" in body or not mark:
            return None
        return [f'{rows[0][:start]}{prefix}"""{body}', f'{indent_of(rows[0])}"""{rows[0][end:]}']
    if rows[-1][end - 3 : end] != quotes:
        return None
    last, behind = rows[-1][: end - 3], rows[-1][end - 3 :]
    if len(rows) == 1:
        last = rows[0][: end - 3].rstrip() if rows[0][start:end].count(quotes) == 2 else ""
        if not last:
            return None
        return [last, f"{indent_of(rows[0])}{behind}"]
    if last.strip():
        return [*rows[:-1], last.rstrip(), f"{indent_of(rows[0])}{behind}"]
    return rows


def _merged(rows: list[str], wanted: Sequence[Item], manner: Manner, indent: str) -> list[str]:
    """The lines with what they lack, each part in its section."""
    style = manner.style
    parts = there(rows[:-1], style)
    ranks = {it.rank for it in parts} | {it.rank for it in sections(rows[:-1], style)} - {None}
    closing = len(rows) - 1
    while 1 < closing and not rows[closing - 1].strip():
        closing -= 1
    inserts: list[tuple[int, int, list[str]]] = []
    if style == "rest":
        for at, group, alone in places(wanted, parts, closing):
            lead = [""] if alone and rows[at - 1].strip() else []
            inserts.append((at, 0, [*lead, *(line for it in group for line in it.lines)]))
    else:
        by_rank = {
            rank: list(group) for rank, group in groupby(missing(wanted, parts), key=lambda it: it.rank)
        }
        for rank, lacking in by_rank.items():
            if rank in ranks:
                inserts += _into(rows, [it for it in wanted if it.rank == rank], rank, style, indent)
            else:
                inserts.append((*_between(rows, rank, style, closing), ["", *headed(lacking, style)]))
    found = list(rows)
    for at, _, new in sorted(inserts, key=lambda it: (it[0], it[1]), reverse=True):
        is_before = bool(new) and new[0] == "" and at < closing and rows[at].strip() != ""
        body = [*new[1:], ""] if is_before else new
        found[at:at] = [f"{indent}{it}" if it else "" for it in body]
    return found


def _into(
    rows: Sequence[str], wanted: Sequence[Item], rank: int, style: Style, indent: str
) -> list[tuple[int, int, list[str]]]:
    """Parts for a section that is there, as deep as what stands in it."""
    section = next(it for it in sections(rows[:-1], style) if it.rank == rank)
    filled = [it for it in rows[section.first : section.end] if it.strip()]
    usual = indent + ("    " if style == "google" else "")
    depth = min((indent_of(it) for it in filled), key=len, default=usual)
    extra = depth[len(indent) :] if depth.startswith(indent) else usual[len(indent) :]
    known = [it for it in there(rows[:-1], style) if it.rank == rank]
    found = []
    for at, group, _ in places(wanted, known, section.end):
        found.append((at, rank, [f"{extra}{line}" for it in group for line in it.lines]))
    return found


def _between(rows: Sequence[str], rank: int, style: Style, closing: int) -> tuple[int, int]:
    """Where a section goes that is not there: behind those that come before it, else before the next."""
    known = [it for it in sections(rows[:-1], style) if it.rank is not None]
    before = [it.end for it in known if it.rank is not None and it.rank < rank]
    after = [it.head for it in known if it.rank is not None and rank < it.rank]
    others = [it.head for it in sections(rows[:-1], style) if it.rank is None]
    if before:
        return max(before), rank
    if after or others:
        return min([*after, *others]), rank
    return closing, rank
