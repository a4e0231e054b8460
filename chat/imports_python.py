"""An import of Python in its place: behind the docstring, in the right group, in order."""

from __future__ import annotations

import ast
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from chat.edits_types import LineEdit
from chat.imports_types import Layout, Wanted
from chat.shapes import python

STANDARD = frozenset(sys.stdlib_module_names)
FUTURE, LIBRARY, OTHERS, OWN, RELATIVE = range(5)
SAYS = "Imports `{}`"


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """An import that is there; lines are counted from 0, ``end`` is behind its last."""

    first: int
    end: int
    module: str
    names: tuple[str, ...]
    """As they are written, with ``as``; empty for ``import module``."""
    rank: int

    @property
    def key(self) -> tuple[int, bool, str]:
        """Groups in order; in a group modules first, each by its name."""
        return self.rank, bool(self.names), self.module.lower()


def text_of(it: Wanted) -> str:
    """The statement alone."""
    called = f" as {it.called}" if it.called and it.called != (it.name or it.module) else ""
    return f"from {it.module} import {it.name}{called}" if it.name else f"import {it.module}{called}"


def add(text: str, lines: Sequence[str], wanted: Wanted, layout: Layout) -> list[LineEdit]:
    """The change that brings a name in; none if it is there already, or if the text cannot be read."""
    found = python(text)
    if found is None:
        return []
    have = statements(found.tree, layout)
    shown = wanted.name or wanted.module
    says = SAYS.format(wanted.called or shown)
    named = wanted.name + (f" as {wanted.called}" if wanted.called not in ("", wanted.name) else "")
    for it in have:
        if it.module == wanted.module and bool(it.names) == bool(wanted.name):
            if not it.names or named in it.names:
                return [] if it.names or not wanted.called else _new(found.tree, lines, have, wanted, layout)
            if change := _joined(lines, it, named, layout, says):
                return [change]
    return _new(found.tree, lines, have, wanted, layout)


def statements(tree: ast.Module, layout: Layout) -> tuple[Statement, ...]:
    """The imports at the top of a file, up to its first other statement."""
    found: list[Statement] = []
    for number, node in enumerate(tree.body):
        end = node.end_lineno or node.lineno
        if isinstance(node, ast.Import):
            found += [
                Statement(
                    first=node.lineno - 1, end=end, module=it.name, names=(), rank=rank_of(it.name, layout)
                )
                for it in node.names
            ]
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            names = tuple(it.name + (f" as {it.asname}" if it.asname else "") for it in node.names)
            rank = rank_of(module, layout)
            found.append(Statement(first=node.lineno - 1, end=end, module=module, names=names, rank=rank))
        elif number or not _is_docstring(node):
            break
    return tuple(found)


def _is_docstring(node: ast.stmt) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def rank_of(module: str, layout: Layout) -> int:
    """Which group a module belongs to."""
    top = module.partition(".")[0]
    if module == "__future__":
        return FUTURE
    if module.startswith("."):
        return RELATIVE
    if top in layout.own:
        return OWN
    return LIBRARY if top in STANDARD else OTHERS


def _joined(lines: Sequence[str], it: Statement, named: str, layout: Layout, says: str) -> LineEdit | None:
    """The name put among those that come from the same module."""
    if "*" in it.names or any("#" in line for line in lines[it.first : it.end]):
        return None
    names = list(it.names)
    is_sorted = names == sorted(names, key=_name_key)
    names.append(named)
    names = sorted(names, key=_name_key) if is_sorted else names
    if it.end - it.first == 1 and ";" not in lines[it.first]:
        whole = f"from {it.module} import {', '.join(names)}"
        if "(" not in lines[it.first] and len(whole) <= layout.longest:
            return LineEdit(first=it.first, last=it.end, texts=(whole,), says=says)
    elif it.end - it.first == len(it.names) + 2:
        indent = lines[it.first + 1][: len(lines[it.first + 1]) - len(lines[it.first + 1].lstrip())]
        comma = lines[it.end - 2].rstrip().endswith(",")
        rows = [f"{indent}{name}," for name in names]
        rows[-1] = rows[-1] if comma else rows[-1].rstrip(",")
        return LineEdit(first=it.first + 1, last=it.end - 1, texts=tuple(rows), says=says)
    if it.end - it.first == 1 and ";" not in lines[it.first]:
        rows = [f"from {it.module} import (", *(f"    {name}," for name in names), ")"]
        return LineEdit(first=it.first, last=it.end, texts=tuple(rows), says=says)
    return None


def _name_key(name: str) -> tuple[int, str, str]:
    """Constants, then classes, then the rest, as sorters of imports have it."""
    bare = name.partition(" ")[0]
    kind = 0 if bare.isupper() and 1 < len(bare) else 1 if bare[:1].isupper() else 2
    return kind, bare.lower(), name


def _new(
    tree: ast.Module, lines: Sequence[str], have: Sequence[Statement], wanted: Wanted, layout: Layout
) -> list[LineEdit]:
    """A statement of its own."""
    rank = rank_of(wanted.module, layout)
    says = SAYS.format(wanted.called or wanted.name or wanted.module)
    line = text_of(wanted)
    if not have:
        return [_first(tree, lines, line, says)]
    new = Statement(
        first=0, end=0, module=wanted.module, names=(wanted.name,) if wanted.name else (), rank=rank
    )
    group = [it for it in have if it.rank == rank]
    if group:
        before = [it for it in group if it.key <= new.key]
        at = before[-1].end if before else group[0].first
        return [LineEdit(first=at, last=at, texts=(line,), says=says)]
    lower = [it for it in have if it.rank < rank]
    if lower:
        at = lower[-1].end
        return [LineEdit(first=at, last=at, texts=("", line), says=says)]
    at = have[0].first
    return [LineEdit(first=at, last=at, texts=(line, ""), says=says)]


def _first(tree: ast.Module, lines: Sequence[str], line: str, says: str) -> LineEdit:
    """The first import of a file: behind its docstring, or the comments it begins with."""
    if tree.body and _is_docstring(tree.body[0]):
        at = tree.body[0].end_lineno or 1
        below = ("",) if at < len(lines) and lines[at].strip() else ()
        return LineEdit(first=at, last=at, texts=("", line, *below), says=says)
    at = 0
    while at < len(lines) and lines[at].startswith("#"):
        at += 1
    if at and at < len(lines) and lines[at].strip():
        at = 1 if lines[0].startswith("#!") else 0  # the comment is of the code below it
    lead: tuple[str, ...] = ("",) if at and lines[at - 1].strip() else ()
    rest: tuple[str, ...] = ("", "") if at < len(lines) and lines[at].strip() else ()
    return LineEdit(first=at, last=at, texts=(*lead, line, *rest), says=says)
