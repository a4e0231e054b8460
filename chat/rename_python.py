"""Pure: what a name means in a text of Python: whose scope it is of, whether it is a keyword of a call."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from chat.shapes import python

Role = Literal["name", "attribute", "keyword", "import", "definition", "parameter", "exported"]
Spot = tuple[int, int]
"""A line, counted from 1, and a column in characters."""
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_SCOPES = (*_FUNCTIONS, *_COMPREHENSIONS, ast.ClassDef)
Scope = ast.AST | None


@dataclass(frozen=True, slots=True)
class Place:
    """One place where a name stands."""

    spot: Spot
    role: Role
    home: Scope
    """The function, class or comprehension that binds it; None: the module, or nobody here."""
    within: tuple[ast.AST, ...] = field(default=())


def places(text: str, name: str) -> tuple[Place, ...] | None:
    """Where a name stands, and as what; None if Python cannot read the text."""
    found = python(text)
    if found is None or not name.isascii():
        return None
    lines = found.lines
    binds: dict[int, bool] = {}

    def bound(scope: ast.AST) -> bool:
        if id(scope) not in binds:
            binds[id(scope)] = _binds(scope, name)
        return binds[id(scope)]

    result = []
    for spot, role, around in _spots(found.tree, name, lines, ()):
        is_bare = role not in ("attribute", "keyword")
        home = next((it for it in _in_sight(around) if bound(it)), None) if is_bare else None
        result.append(Place(spot, role, home, around))
    return tuple(result)


def _in_sight(around: tuple[ast.AST, ...]) -> Iterator[ast.AST]:
    """The scopes whose names are seen from within: a class's only directly in it."""
    is_within = False
    for it in reversed(around):
        if not (isinstance(it, ast.ClassDef) and is_within):
            yield it
        is_within = is_within or isinstance(it, _FUNCTIONS)


def _binds(scope: ast.AST, name: str) -> bool:
    """Whether a scope makes the name its own."""
    if isinstance(scope, _COMPREHENSIONS):
        targets = [one for it in scope.generators for one in ast.walk(it.target)]
        return any(isinstance(it, ast.Name) and it.id == name for it in targets)
    if isinstance(scope, _FUNCTIONS):
        args = scope.args
        every = [*args.posonlyargs, *args.args, *args.kwonlyargs, args.vararg, args.kwarg]
        if any(it is not None and it.arg == name for it in every):
            return True
    body = scope.body if isinstance(scope, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) else []
    found = False
    for it in _flat(body):
        if isinstance(it, ast.Global | ast.Nonlocal) and name in it.names:
            return False
        found = found or _makes(it, name)
    return found


def _makes(it: ast.AST, name: str) -> bool:
    if isinstance(it, ast.Name):
        return it.id == name and isinstance(it.ctx, ast.Store | ast.Del)
    if isinstance(it, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.ExceptHandler):
        return it.name == name
    if isinstance(it, ast.alias):
        return (it.asname or it.name.partition(".")[0]) == name
    return isinstance(it, ast.MatchAs | ast.MatchStar) and it.name == name


def _flat(body: Sequence[ast.AST]) -> Iterator[ast.AST]:
    """What is in a body; of functions in it only themselves, of comprehensions nothing but what they take."""
    for it in body:
        yield it
        if isinstance(it, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            continue
        if isinstance(it, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
            yield from (one for one in ast.walk(it) if isinstance(one, ast.NamedExpr))
            continue
        yield from _flat(list(ast.iter_child_nodes(it)))


def _spots(
    node: ast.AST, name: str, lines: Sequence[str], around: tuple[ast.AST, ...]
) -> Iterator[tuple[Spot, Role, tuple[ast.AST, ...]]]:
    outside = {id(it) for it in _outside(node)}
    for it in ast.iter_child_nodes(node):
        seen_from = around[:-1] if id(it) in outside else around
        yield from _from(it, name, lines, seen_from)


def _from(
    it: ast.AST, name: str, lines: Sequence[str], around: tuple[ast.AST, ...]
) -> Iterator[tuple[Spot, Role, tuple[ast.AST, ...]]]:
    yield from ((spot, role, around) for spot, role in _of_node(it, name, lines))
    if isinstance(it, ast.arguments):  # the values that parameters have are worked out outside
        for one in (*it.defaults, *(one for one in it.kw_defaults if one)):
            yield from _from(one, name, lines, around[:-1])
        for arg in (*it.posonlyargs, *it.args, *it.kwonlyargs, it.vararg, it.kwarg):
            if arg is not None:
                yield from _from(arg, name, lines, around)
    elif isinstance(it, _COMPREHENSIONS):
        inner = (*around, it)
        first = it.generators[0].iter  # worked out outside, too
        yield from _from(first, name, lines, around)
        children = list(ast.iter_child_nodes(it))
        children += list(ast.iter_child_nodes(it.generators[0]))
        for child in children:
            if child is not it.generators[0] and child is not first:
                yield from _from(child, name, lines, inner)
    else:
        inner = (*around, it) if isinstance(it, _SCOPES) else around
        yield from _spots(it, name, lines, inner)


def _outside(node: ast.AST) -> list[ast.AST]:
    """The parts of a definition that are seen from where it stands, not from within."""
    if isinstance(node, ast.ClassDef):
        return [*node.decorator_list, *node.bases, *node.keywords]
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return [*node.decorator_list, *([node.returns] if node.returns else [])]
    return []


def _of_node(it: ast.AST, name: str, lines: Sequence[str]) -> Iterator[tuple[Spot, Role]]:
    """Where a node itself has the name."""
    if isinstance(it, ast.Name) and it.id == name:
        yield _spot(lines, it.lineno, it.col_offset), "name"
    elif isinstance(it, ast.arg) and it.arg == name:
        yield _spot(lines, it.lineno, it.col_offset), "parameter"
    elif isinstance(it, ast.keyword) and it.arg == name:
        yield _spot(lines, it.lineno, it.col_offset), "keyword"
    elif isinstance(it, ast.Attribute) and it.attr == name:
        line, end = _spot(lines, it.end_lineno or it.lineno, it.end_col_offset or 0)
        yield (line, end - len(name)), "attribute"
    elif isinstance(it, ast.alias) and name in (it.name.rpartition(".")[2], it.asname):
        yield from ((spot, "import") for spot in _of_alias(it, name, lines))
    else:
        yield from _of_statement(it, name, lines)


def _of_statement(it: ast.AST, name: str, lines: Sequence[str]) -> Iterator[tuple[Spot, Role]]:
    if isinstance(it, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and it.name == name:
        _, start = _spot(lines, it.lineno, it.col_offset)
        yield (it.lineno, lines[it.lineno - 1].find(f" {name}", start) + 1), "definition"
    elif isinstance(it, ast.Global | ast.Nonlocal) and name in it.names:
        line = lines[it.lineno - 1]
        yield (it.lineno, line.find(name, line.find("al") + 2)), "name"
    elif isinstance(it, ast.Assign):
        is_all = any(isinstance(one, ast.Name) and one.id == "__all__" for one in it.targets)
        for one in ast.walk(it.value) if is_all else ():
            if isinstance(one, ast.Constant) and one.value == name:
                line_, column = _spot(lines, one.lineno, one.col_offset)
                yield (line_, lines[line_ - 1].find(name, column)), "exported"


def _of_alias(it: ast.alias, name: str, lines: Sequence[str]) -> Iterator[Spot]:
    line, column = _spot(lines, it.lineno, it.col_offset)
    if it.name.rpartition(".")[2] == name:
        yield line, column + len(it.name) - len(name)
    if it.asname == name and it.end_col_offset is not None:
        end = _spot(lines, it.end_lineno or it.lineno, it.end_col_offset)
        yield end[0], end[1] - len(name)


def _spot(lines: Sequence[str], line: int, column: int) -> Spot:
    """Columns of the tree are bytes."""
    text = lines[line - 1]
    return line, column if text.isascii() else len(text.encode()[:column].decode())


def keywords_of(text: str, function: str, line: int, name: str) -> tuple[Spot, ...]:
    """Where calls of a function on this line pass an argument by this name."""
    found = python(text)
    if found is None:
        return ()
    spots = []
    for it in ast.walk(found.tree):
        if isinstance(it, ast.Call) and it.lineno <= line <= (it.end_lineno or it.lineno):
            called = it.func.attr if isinstance(it.func, ast.Attribute) else getattr(it.func, "id", "")
            if called == function:
                spots += [
                    _spot(found.lines, one.lineno, one.col_offset) for one in it.keywords if one.arg == name
                ]
    return tuple(dict.fromkeys(spots))


def parameter_of(text: str, name: str, line: int) -> tuple[str, int] | None:
    """The function that has a parameter of this name, at or around a line: its name and its line."""
    found = places(text, name)
    for it in found or ():
        if isinstance(it.home, ast.FunctionDef | ast.AsyncFunctionDef) and it.spot[0] == line:
            args = it.home.args
            if any(one.arg == name for one in (*args.posonlyargs, *args.args, *args.kwonlyargs)):
                return it.home.name, it.home.lineno
    return None
