"""Pure: the shapes of Python's definitions, by its own syntax; none for a text that does not parse."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from chat.edits_lines import split
from chat.shape import Body, Branch, Parameter, Raised, Shape

Function = ast.FunctionDef | ast.AsyncFunctionDef
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
_DECIDES = (ast.If, ast.IfExp, ast.For, ast.AsyncFor, ast.While, ast.ExceptHandler, ast.comprehension)
_LOOPS = (ast.For, ast.AsyncFor, ast.While)
_BLOCKS = (*_LOOPS, ast.If, ast.Try, ast.With, ast.AsyncWith, ast.Match)
_CLOSED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
LONGEST_CONDITION = 120


@dataclass(frozen=True, slots=True)
class Module:
    """A parsed text."""

    tree: ast.Module
    lines: Sequence[str]


def module(text: str) -> Module | None:
    """A text by its syntax; None if Python cannot read it."""
    text = text.removeprefix("\ufeff")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return Module(ast.parse(text), split(text).texts)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def definitions(tree: ast.AST, scope: tuple[str, ...] = ()) -> Iterator[tuple[Definition, tuple[str, ...]]]:
    """All definitions with the names around them, outer ones first."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, Definition):
            yield node, scope
            yield from definitions(node, (*scope, node.name))
        else:
            yield from definitions(node, scope)


def shape(found: Module, name: str, line: int) -> Shape | None:
    """The definition whose name stands on this line, counted from 1."""
    for node, scope in definitions(found.tree):
        if node.name == name and node.lineno == line:
            return (
                _class(node, scope, found)
                if isinstance(node, ast.ClassDef)
                else _function(node, scope, found)
            )
    return None


def node_of(found: Module, name: str, line: int) -> Definition | None:
    """The same, as a node."""
    return next((it for it, _ in definitions(found.tree) if it.name == name and it.lineno == line), None)


def own(node: ast.AST) -> Iterator[ast.AST]:
    """What is in a body, without what is in the functions and classes in it."""
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, _CLOSED):
            yield child
            yield from own(child)


def _class(node: ast.ClassDef, scope: tuple[str, ...], found: Module) -> Shape:
    makers = [it for it in node.body if isinstance(it, Function) and it.name == "__init__"]
    parameters = _parameters(makers[0].args, receiver=True)[1] if makers else _fields(node)
    decorators = tuple(ast.unparse(it) for it in node.decorator_list)
    return Shape(
        name=node.name,
        what="class",
        language="python",
        scope=scope,
        lead=min([it.lineno for it in node.decorator_list], default=node.lineno) - 1,
        first=node.lineno - 1,
        header=_header(node, found),
        last=(node.end_lineno or node.lineno) - 1,
        indent=found.lines[node.lineno - 1][: node.col_offset],
        parameters=parameters,
        decorators=decorators,
        is_exported=not node.name.startswith("_"),
    )


def _fields(node: ast.ClassDef) -> tuple[Parameter, ...]:
    """The parameters of a data class: its annotated fields."""
    if not any("dataclass" in ast.unparse(it) for it in node.decorator_list) and not any(
        ast.unparse(it).rpartition(".")[2] in ("NamedTuple", "BaseModel") for it in node.bases
    ):
        return ()
    only_named = any("kw_only=True" in ast.unparse(it) for it in node.decorator_list)
    found = []
    for it in node.body:
        if isinstance(it, ast.AnnAssign) and isinstance(it.target, ast.Name):
            kind = ast.unparse(it.annotation)
            if not kind.startswith(("ClassVar", "typing.ClassVar")):
                default = ast.unparse(it.value) if it.value else ""
                found.append(
                    Parameter(
                        name=it.target.id,
                        type=kind,
                        default=default,
                        kind="keyword" if only_named else "plain",
                        is_optional=bool(default),
                    )
                )
    return tuple(found)


def _function(node: Function, scope: tuple[str, ...], found: Module) -> Shape:
    decorators = tuple(ast.unparse(it) for it in node.decorator_list)
    bare = {it.partition("(")[0].rpartition(".")[2] for it in decorators}
    in_class = _is_in_class(node, found)
    is_static = "staticmethod" in bare
    receiver, parameters = _parameters(node.args, receiver=in_class and not is_static)
    only_doc = all(
        isinstance(it, ast.Pass) or (isinstance(it, ast.Expr) and isinstance(it.value, ast.Constant))
        for it in node.body
    )
    return Shape(
        name=node.name,
        what="method" if in_class else "function",
        language="python",
        scope=scope,
        lead=min([it.lineno for it in node.decorator_list], default=node.lineno) - 1,
        first=node.lineno - 1,
        header=_header(node, found),
        last=(node.end_lineno or node.lineno) - 1,
        indent=found.lines[node.lineno - 1][: node.col_offset],
        parameters=parameters,
        returns=ast.unparse(node.returns) if node.returns else "",
        receiver=receiver,
        body=None if only_doc and not node.returns else _body(node),
        is_async=isinstance(node, ast.AsyncFunctionDef),
        is_static=is_static or "classmethod" in bare,
        is_property="property" in bare or "cached_property" in bare,
        is_abstract="abstractmethod" in bare,
        is_constructor=node.name == "__init__",
        is_exported=not node.name.startswith("_"),
        decorators=decorators,
    )


def _is_in_class(node: Function, found: Module) -> bool:
    return any(node in it.body for it in ast.walk(found.tree) if isinstance(it, ast.ClassDef)) or any(
        isinstance(it, ast.ClassDef) and any(node is one for one in own(it)) for it in ast.walk(found.tree)
    )


def _header(node: Definition, found: Module) -> int:
    """The last line before the body: above its first statement, its decorators and the comments there."""
    first = node.body[0]
    at = min([it.lineno for it in getattr(first, "decorator_list", ())], default=first.lineno) - 1
    before = found.lines[at].encode()[: first.col_offset]
    if at == node.lineno - 1 or (at == first.lineno - 1 and before.strip()):
        return at  # the body begins on the head's last line
    at -= 1
    while node.lineno - 1 < at and (not found.lines[at].strip() or found.lines[at].lstrip().startswith("#")):
        at -= 1
    return at


def _parameters(args: ast.arguments, *, receiver: bool) -> tuple[str, tuple[Parameter, ...]]:
    plain = [*args.posonlyargs, *args.args]
    defaults: list[ast.expr | None] = [*[None] * (len(plain) - len(args.defaults)), *args.defaults]
    found = [_parameter(it, default) for it, default in zip(plain, defaults, strict=True)]
    first = found[0].name if receiver and found else ""
    found = found[1:] if first else found
    if args.vararg:
        found.append(_parameter(args.vararg, None, "rest"))
    for it, default in zip(args.kwonlyargs, args.kw_defaults, strict=True):
        found.append(_parameter(it, default, "keyword"))
    if args.kwarg:
        found.append(_parameter(args.kwarg, None, "keywords"))
    return first, tuple(found)


def _parameter(it: ast.arg, default: ast.expr | None, kind: str = "plain") -> Parameter:
    return Parameter(
        name=it.arg,
        type=ast.unparse(it.annotation) if it.annotation else "",
        default=ast.unparse(default) if default is not None else "",
        kind=kind,  # type: ignore[arg-type]  # one of three words, all of them kinds
        is_optional=default is not None,
    )


def _body(node: Function) -> Body:
    nodes = [it for statement in node.body for it in _with(statement)]
    returned = [it for it in nodes if isinstance(it, ast.Return)]
    return Body(
        gives=any(it.value is not None and not _is_none(it.value) for it in returned),
        yields=any(isinstance(it, ast.Yield | ast.YieldFrom) for it in nodes),
        raises=tuple({it.name: it for it in reversed(list(_raises(node.body, (), ())))}.values())[::-1],
        branches=tuple(_branches(node.body)),
        decisions=sum(isinstance(it, _DECIDES) for it in nodes)
        + sum(len(it.values) - 1 for it in nodes if isinstance(it, ast.BoolOp))
        + sum(len(it.cases) for it in nodes if isinstance(it, ast.Match)),
        loops=sum(isinstance(it, _LOOPS) for it in nodes),
        depth=_depth(node.body),
    )


def _with(node: ast.AST) -> Iterator[ast.AST]:
    if not isinstance(node, _CLOSED):
        yield node
        yield from own(node)


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _depth(body: Sequence[ast.AST]) -> int:
    deepest = 0
    for it in body:
        if isinstance(it, _CLOSED):
            continue
        inner = _depth(list(ast.iter_child_nodes(it)))
        deepest = max(deepest, inner + isinstance(it, _BLOCKS))
    return deepest


def _raises(body: Sequence[ast.AST], caught: tuple[str, ...], handled: tuple[str, ...]) -> Iterator[Raised]:
    """What leaves these statements; ``caught`` is caught around them, ``handled`` a bare one raises again."""
    for it in body:
        if isinstance(it, _CLOSED):
            continue
        if isinstance(it, ast.Raise):
            names = [_raised_name(it.exc)] if it.exc is not None else list(handled)
            yield from (
                Raised(name=name, line=it.lineno) for name in names if name and not _is_in(name, caught)
            )
        elif isinstance(it, ast.Try):
            kinds = tuple(name for one in it.handlers for name in _caught(one))
            yield from _raises(it.body, (*caught, *kinds), handled)
            for one in it.handlers:
                yield from _raises(one.body, caught, _caught(one))
            yield from _raises([*it.orelse, *it.finalbody], caught, handled)
        else:
            yield from _raises(list(ast.iter_child_nodes(it)), caught, handled)


def _is_in(name: str, caught: tuple[str, ...]) -> bool:
    return (
        name in caught or "BaseException" in caught or ("Exception" in caught and name not in _NO_EXCEPTIONS)
    )


_NO_EXCEPTIONS = ("KeyboardInterrupt", "SystemExit", "GeneratorExit", "CancelledError")


def _caught(handler: ast.ExceptHandler) -> tuple[str, ...]:
    if handler.type is None:
        return ("BaseException",)
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return tuple(_raised_name(it) for it in kinds)


def _raised_name(node: ast.expr | None) -> str:
    """The class of what is raised; nothing for a variable."""
    if isinstance(node, ast.Call):
        node = node.func
    if isinstance(node, ast.Name | ast.Attribute):
        name = ast.unparse(node)
        return name if name.rpartition(".")[2][:1].isupper() else ""
    return ""


def _branches(body: Sequence[ast.stmt]) -> Iterator[Branch]:
    """The ifs and cases whose own way ends in a return or a raise, wherever they stand."""
    for it in body:
        if isinstance(it, _CLOSED):
            continue
        if isinstance(it, ast.If):
            yield from _ending(ast.unparse(it.test), it.body, it.lineno)
            yield from _branches(it.body)
            is_chain = len(it.orelse) == 1 and isinstance(it.orelse[0], ast.If)
            if it.orelse and not is_chain:
                yield from _ending(f"not ({ast.unparse(it.test)})", it.orelse, it.orelse[0].lineno)
            yield from _branches(it.orelse)
        elif isinstance(it, ast.Match):
            for case in it.cases:
                subject = f"{ast.unparse(it.subject)} is {ast.unparse(case.pattern)}"
                yield from _ending(subject, case.body, case.pattern.lineno)
                yield from _branches(case.body)
        elif isinstance(it, ast.Try):
            yield from _branches(it.body)
            for one in it.handlers:
                kind = ast.unparse(one.type) if one.type else "an error"
                yield from _ending(f"{kind} is raised", one.body, one.lineno)
            yield from _branches([*it.orelse, *it.finalbody])
        elif isinstance(it, ast.For | ast.AsyncFor | ast.While | ast.With | ast.AsyncWith):
            yield from _branches(it.body)


def _ending(condition: str, body: Sequence[ast.stmt], line: int) -> Iterator[Branch]:
    last = body[-1] if body else None
    if LONGEST_CONDITION < len(condition):
        return
    if isinstance(last, ast.Return):
        what = ast.unparse(last.value) if last.value else ""
        yield Branch(condition=condition, ending="returns", what=what, line=line)
    elif isinstance(last, ast.Raise) and (name := _raised_name(last.exc)):
        yield Branch(condition=condition, ending="raises", what=name, line=line)
