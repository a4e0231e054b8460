"""Tests of Python: for pytest and for unittest, as functions or methods that wait to be filled in."""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Sequence
from dataclasses import dataclass

from chat import imports_python
from chat.imports_types import Layout, Wanted
from chat.naming import snake
from chat.scaffold_cases import named, needed, subject_of, unique
from chat.scaffold_text import apply_lines, trimmed
from chat.scaffold_types import FILL, SAY_CHANGED, Case, Plan, Subject
from chat.shape import Parameter, Shape
from chat.shape_python import definitions
from chat.shapes import python

_BUILT_IN = frozenset(dir(builtins))
_EMPTY = {
    "str": '""', "int": "0", "float": "0.0", "bool": "False", "bytes": 'b""', "list": "[]", "dict": "{}",
    "set": "set()", "tuple": "()", "Sequence": "[]", "Iterable": "[]", "Mapping": "{}", "List": "[]",
    "Dict": "{}", "Set": "set()", "Tuple": "()", "frozenset": "frozenset()", "Iterator": "iter([])",
    "Collection": "[]", "complex": "0j", "MutableMapping": "{}",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How the tests of a project are written."""

    typed: bool
    """Whether they say ``-> None``."""
    mode: str
    """How coroutines are tested: ``auto``, ``mark``, ``run``; in unittest ``case``."""
    prefix: bool
    """Whether classes of tests are `TestThing` and not `ThingTest`."""


def write(
    subjects: Sequence[Subject], module: str, plan: Plan, own: frozenset[str]
) -> tuple[list[str], tuple[str, ...]]:
    """The lines of the file with the tests in it, and the tests' names."""
    manner = _manner(plan, subjects)
    lines = (plan.text or "").replace("\r\n", "\n").split("\n") if plan.text else []
    found = python(plan.text) if plan.text else None
    taken = {node.name for node, _ in definitions(found.tree)} if found else set()
    wanted = _imports(subjects, module, plan)
    if plan.framework == "pytest":
        names, blocks = _functions(subjects, manner, taken)
        body = _appended(lines, blocks)
    else:
        names, body = _cases(subjects, manner, taken, lines, plan)
    if any("asyncio.run(" in it for it in body):
        wanted.insert(0, Wanted(module="asyncio"))
    for it in wanted:
        text = "\n".join(body)
        body = apply_lines(body, imports_python.add(text, body, it, Layout(own=own, longest=88)))
    if not plan.text:
        body = _spaced(body)
    return [*trimmed(body)], names


def _manner(plan: Plan, subjects: Sequence[Subject]) -> Manner:
    text = f"{plan.text or ''}\n{plan.sample}"
    has_tests = re.search(r"def test_\w*\(", text)
    typed = bool(re.search(r"def test_\w*\([^)]*\)\s*->", text))
    if not has_tests:
        typed = any(it.shape.returns for it in subjects)
    if plan.framework == "unittest":
        mode = "case"
    elif re.search(r"asyncio_mode\s*=\s*[\"']?auto", plan.manifest):
        mode = "auto"
    else:
        mode = "mark" if "pytest.mark.asyncio" in text else "run"
    after = len(re.findall(r"class \w+Tests?\(", text))
    before = len(re.findall(r"class Test\w+", text))
    return Manner(typed=typed, mode=mode, prefix=after < before)


def _imports(subjects: Sequence[Subject], module: str, plan: Plan) -> list[Wanted]:
    wanted = [Wanted(module="pytest" if plan.framework == "pytest" else "unittest")]
    for it in subjects:
        top = (
            it.owner.scope[0] if it.owner and it.owner.scope else it.owner.name if it.owner else it.shape.name
        )
        wanted.append(Wanted(module=module, name=top))
        errors = {case.raises.partition(".")[0] for case in it.cases if case.raises}
        wanted += [Wanted(module=module, name=one) for one in sorted(errors - _BUILT_IN)]
    return list(dict.fromkeys(wanted))


def _functions(
    subjects: Sequence[Subject], manner: Manner, taken: set[str]
) -> tuple[tuple[str, ...], list[list[str]]]:
    names: list[str] = []
    blocks: list[list[str]] = []
    for it in subjects:
        bases = [f"test_{named(_name(it), case.words)}" for case in it.cases]
        if bases[0] in taken:
            continue
        for case, name in zip(it.cases, unique(bases, {*taken, *names}), strict=True):
            is_async = it.shape.is_async and manner.mode != "run"
            head = f"{'async ' * is_async}def {name}(){' -> None' * manner.typed}:"
            marks = [f'@pytest.mark.skip(reason="{FILL}")']
            marks += ["@pytest.mark.asyncio"] * (is_async and manner.mode == "mark")
            body = _body(it, case, "pytest", is_async)
            blocks.append([*marks, head, *(f"    {row}" for row in body)])
            names.append(name)
    return tuple(names), blocks


def _name(it: Subject) -> str:
    """In a test's name: the method with its class, the class for what makes one."""
    if it.owner is None:
        return it.shape.name
    return it.owner.name if it.shape.is_constructor else f"{it.owner.name}_{it.shape.name.strip('_')}"


def _cases(
    subjects: Sequence[Subject], manner: Manner, taken: set[str], lines: list[str], plan: Plan
) -> tuple[tuple[str, ...], list[str]]:
    """For unittest: a class for each class or function, or more methods in the one that is there."""
    found: list[str] = []
    body = lines
    for name, group in _by_class(subjects, manner):
        there = _class_at(body, name)
        known = taken if there else set()
        awaits = not there or "IsolatedAsyncio" in body[_head_of(body, name)]
        methods: list[list[str]] = []
        for it in group:
            bases = [f"test_{named(it.shape.name, case.words)}" for case in it.cases]
            if bases[0] in known:
                continue
            for case, test in zip(it.cases, unique(bases, {*known, *found}), strict=True):
                is_async = it.shape.is_async and awaits
                head = f"{'async ' * is_async}def {test}(self){' -> None' * manner.typed}:"
                rows = [
                    f'@unittest.skip("{FILL}")',
                    head,
                    *(f"    {row}" for row in _body(it, case, "unittest", is_async)),
                ]
                methods.append([f"    {row}" if row else "" for row in rows])
                found.append(test)
        if not methods:
            continue
        if there:
            rows = [row for method in methods for row in ("", *method)]
            body = [*body[:there], *rows, *body[there:]]
        else:
            is_async = any(it.shape.is_async for it in group)
            base = "unittest.IsolatedAsyncioTestCase" if is_async else "unittest.TestCase"
            rows = [row for at, method in enumerate(methods) for row in ([""] * (0 < at) + method)]
            body = _appended(body, [[f"class {name}({base}):", *rows]])
    if not plan.text and found:
        body = [*trimmed(body), "", "", 'if __name__ == "__main__":', "    unittest.main()"]
    return tuple(found), body


def _by_class(subjects: Sequence[Subject], manner: Manner) -> list[tuple[str, list[Subject]]]:
    groups: dict[str, list[Subject]] = {}
    for it in subjects:
        words = (
            it.owner.name.strip("_")
            if it.owner
            else "".join(part.capitalize() for part in snake(it.shape.name).split("_"))
        )
        groups.setdefault(f"Test{words}" if manner.prefix else f"{words}Test", []).append(it)
    return list(groups.items())


def _class_at(lines: Sequence[str], name: str) -> int:
    """Behind the last line of a class that is there; 0 if there is none."""
    found = python("\n".join(lines))
    for node in found.tree.body if found else ():
        if isinstance(node, ast.ClassDef) and node.name == name:
            return node.end_lineno or 0
    return 0


def _head_of(lines: Sequence[str], name: str) -> int:
    return next(at for at, it in enumerate(lines) if re.match(rf"class {name}\b", it))


def _appended(lines: Sequence[str], blocks: Sequence[Sequence[str]]) -> list[str]:
    """Behind the tests that are there, and before what starts them."""
    found = trimmed(lines)
    tail: list[str] = []
    for at in range(len(found) - 1, -1, -1):
        if re.match(r"if __name__ == ", found[at]):
            tail = ["", "", *found[at:]]
            found = trimmed(found[:at])
            break
    for it in blocks:
        found += [*([""] * 2 if found else []), *it]
    return [*found, *tail]


def _spaced(lines: Sequence[str]) -> list[str]:
    """A new file has two blank lines between its imports and what follows, and none at its top."""
    first = next((at for at, it in enumerate(lines) if it.startswith(("@", "def ", "async ", "class "))), 0)
    head = trimmed(lines[:first])
    while head and not head[0].strip():
        head = head[1:]
    return [*head, "", "", *lines[first:]]


def _body(it: Subject, case: Case, framework: str, is_async: bool) -> list[str]:
    shape = it.shape
    rows: list[str] = []
    taken = {one.name for one in shape.parameters}
    called = _callee(it, rows, taken)
    given = needed(shape, case) if not shape.is_property else ()
    for one in given:
        rows.append(f"{one.name} = {_value(one)}")
    passed = ", ".join(
        f"{one.name}={one.name}" if one.kind == "keyword" or one.is_optional else one.name for one in given
    )
    call = called if shape.is_property else f"{called}({passed})"
    return [*rows, *_acts(call, shape, case, framework, is_async)]


def _callee(it: Subject, rows: list[str], taken: set[str]) -> str:
    """What is called; what makes the object that it is called on goes into the rows."""
    shape, owner = it.shape, it.owner
    if owner is None:
        return shape.name
    full = ".".join([*owner.scope, owner.name])
    if shape.is_constructor or shape.is_static:
        return full if shape.is_constructor else f"{full}.{shape.name}"
    made = [one for one in owner.parameters if _is_needed(one)]
    subject = subject_of(owner.name, taken, "python")
    given = [f"{one.name}={_value(one)}" if one.kind == "keyword" else _value(one) for one in made]
    rows.append(f"{subject} = {full}({', '.join(given)})")
    return f"{subject}.{shape.name}"


def _is_needed(it: Parameter) -> bool:
    return not it.is_optional and it.kind in ("plain", "keyword")


def _value(it: Parameter) -> str:
    """Something of its type, where that is plain; it is to be replaced anyway."""
    bare = it.type.strip("\"'")
    if ("None" in bare and "|" in bare) or bare.startswith("Optional"):
        return "None"
    return _EMPTY.get(bare.partition("[")[0].rpartition(".")[2], "None")


def _acts(call: str, shape: Shape, case: Case, framework: str, is_async: bool) -> list[str]:
    """The call, and what is to be said of its outcome."""
    yields = shape.body is not None and shape.body.yields
    head: list[str] = []
    if shape.is_async and yields:
        act, value = call, f"[it async for it in {call}]"
        if not is_async:
            head = ["async def act():", f"    return {value}", ""]
            value = "asyncio.run(act())"
    elif shape.is_async:
        act = value = f"await {call}" if is_async else f"asyncio.run({call})"
    else:
        act = call
        value = f"list({call})" if yields else call
    raises = "pytest.raises" if framework == "pytest" else "self.assertRaises"
    if case.raises:
        return [*head, f"with {raises}({case.raises}):", f"    {value if yields else act}"]
    if not shape.gives and not yields and not shape.is_property and not shape.is_constructor:
        fail = "pytest.fail" if framework == "pytest" else "self.fail"
        return [*head, act, f'{fail}("{SAY_CHANGED}")']
    check = "assert result == ..." if framework == "pytest" else "self.assertEqual(result, ...)"
    return [*head, f"result = {value}", check]
