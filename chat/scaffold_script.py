"""Pure: tests of JavaScript and TypeScript: for jest, vitest and Node's own runner."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from posixpath import dirname, relpath

from chat import imports_lines
from chat.edits_types import Refusal
from chat.imports_lines import Style
from chat.imports_types import Wanted
from chat.naming import snake
from chat.scaffold_cases import needed, subject_of
from chat.scaffold_text import apply_lines, trimmed
from chat.scaffold_types import FILL, SAY_CHANGED, SAY_EXPECTED, Case, Plan, Subject
from chat.shape import Parameter, Shape

_GLOBAL_ERRORS = frozenset(
    {
        "Error",
        "RangeError",
        "TypeError",
        "SyntaxError",
        "ReferenceError",
        "URIError",
        "EvalError",
        "AggregateError",
    }
)
_EMPTY = {
    "string": '""',
    "number": "0",
    "boolean": "false",
    "bigint": "0n",
    "object": "{}",
    "Date": "new Date(0)",
}


def exported(text: str, name: str) -> Wanted | None:
    """How a file hands out a name; the module is left to be filled in."""
    word = re.escape(name)
    if re.search(
        rf"^\s*export\s+default\s+(?:(?:async\s+)?function\s*\*?|(?:abstract\s+)?class)?\s*{word}\b",
        text,
        re.MULTILINE,
    ):
        return Wanted(module="", name=name, called=name, form="default")
    kinds = r"(?:async\s+)?function\s*\*?|(?:abstract\s+)?class|const|let|var|enum"
    if re.search(rf"^\s*export\s+(?:declare\s+)?(?:{kinds})\s*{word}\b", text, re.MULTILINE):
        return Wanted(module="", name=name)
    for found in re.finditer(r"export\s*\{([^}]*)\}(?!\s*from)", text):
        for one in found[1].split(","):
            if given := re.fullmatch(rf"\s*{word}\s*(?:\s+as\s+(\w+))?\s*", one):
                is_default = given[1] == "default"
                return Wanted(
                    module="", name=name if is_default or not given[1] else given[1],
                    called=name, form="default" if is_default else "name",
                )  # fmt: skip
    if re.search(rf"(?:module\.)?exports\.{word}\s*=", text):
        return Wanted(module="", name=name)
    for found in re.finditer(
        r"module\.exports\s*=\s*(\{[^}]*\}|\w+|(?:async\s+)?function\s+\w+|class\s+\w+)", text
    ):
        if found[1].startswith("{") and re.search(rf"[{{,]\s*(?:{word}\s*[,}}(:])", found[1]):
            return Wanted(module="", name=name)
        if re.fullmatch(rf"(?:(?:async\s+)?function\s+|class\s+)?{word}", found[1]):
            return Wanted(module="", name=name, called=name, form="default")
    return None


def module_of(path: str, test: str, plan: Plan, source: str) -> str:
    """The source as the test imports it: with an ending where the runner or the project wants one."""
    there = relpath(path, dirname(test) or ".")
    there = there if there.startswith(".") else f"./{there}"
    stem, _, end = there.rpartition(".")
    texts = f"{plan.text or ''}\n{plan.sample}\n{source}"
    written = re.search(r"(?:from|require\()\s*[\"']\.[^\"']*?(\.[cm]?[jt]sx?)?[\"']", texts)
    if end in ("js", "mjs", "cjs", "jsx"):
        is_bare = not written[1] if written else "require(" in source
        bare = is_bare and plan.framework != "node:test" and end == "js"
        return stem if bare else there
    if written is not None:
        return f"{stem}{written[1] or ''}"
    return there if plan.framework == "node:test" else stem


def write(
    subjects: Sequence[Subject], path: str, source: str, plan: Plan
) -> tuple[list[str], tuple[str, ...]] | Refusal:
    """The lines of the file with the tests in it, and the tests' names."""
    module = module_of(path, plan.path, plan, source)
    wanted = _wanted(subjects, path, source, module)
    if isinstance(wanted, Refusal):
        return wanted
    known = {it.called or it.name for it in wanted} | _GLOBAL_ERRORS
    calls, typed = _word(plan), path.endswith(("ts", "tsx"))
    named = [
        (name, it, case)
        for it in subjects
        for case in it.cases
        if not _is_there(name := " ".join(filter(None, (_title(it), case.words))), plan)
    ]
    style = _style(plan, source, path)
    blocks = [_styled(_test(it, case, name, plan, calls, typed, known), style) for name, it, case in named]
    if plan.text:
        body = _more_heads(plan.text.replace("\r\n", "\n").split("\n"), plan, calls)
        for one in wanted:
            body = apply_lines(body, imports_lines.add("\n".join(body), body, "typescript", one))
    else:
        own = _together(wanted, style)
        body = [*_heads(plan, style, calls), *own]
    for block in blocks:
        body = [*trimmed(body), "", *block]
    return trimmed(body), tuple(name for name, _, _ in named)


def _is_there(name: str, plan: Plan) -> bool:
    return any(f"{mark}{name}{mark}" in (plan.text or "") for mark in "\"'`")


def _wanted(subjects: Sequence[Subject], path: str, source: str, module: str) -> list[Wanted] | Refusal:
    """What the tests import of the source."""
    found: list[Wanted] = []
    for it in subjects:
        top = it.owner.name if it.owner else it.shape.name
        given = exported(source, top)
        if given is None:
            return Refusal(reason=f"`{top}` is not exported by `{path}`, so that a test cannot reach it.")
        errors = {case.raises for case in it.cases if case.raises} - _GLOBAL_ERRORS
        all_ = [given, *filter(None, (exported(source, one) for one in sorted(errors)))]
        found += [Wanted(module=module, name=one.name, called=one.called, form=one.form) for one in all_]
    return list(dict.fromkeys(found))


def _together(wanted: Sequence[Wanted], style: Style) -> list[str]:
    """The imports of a new file: all of one module in one statement."""
    rows: list[str] = []
    for one in wanted:
        rows = (
            apply_lines(rows, imports_lines.add("\n".join(rows), rows, "typescript", one))
            if rows
            else [imports_lines.text_of("typescript", one, style)]
        )
    return rows


def _word(plan: Plan) -> str:
    """What a test is called by: `it` where all others are."""
    text = plan.text or plan.sample
    is_it = re.search(r"^\s+it\(", text, re.MULTILINE) and not re.search(r"\btest\(", text)
    return "it" if is_it and plan.framework != "node:test" else "test"


def _style(plan: Plan, source: str, path: str) -> Style:
    """Whether a new file is of modules or of `require`, and how it is written."""
    base = imports_lines.style_of((plan.text or plan.sample or source).split("\n"), "javascript")
    try:
        said = json.loads(plan.manifest or "{}")
    except ValueError:
        said = {}
    is_module = isinstance(said, dict) and said.get("type") == "module"
    exports = re.search(r"^\s*(?:export|import)\b", source, re.MULTILINE)
    is_old = not exports and not is_module and not path.endswith((".mjs", "ts", "tsx"))
    return Style(quote=base.quote, end=base.end, requires=path.endswith(".cjs") or is_old)


def _heads(plan: Plan, style: Style, calls: str) -> list[str]:
    """What a new file needs of its framework."""
    rows: list[str] = []
    if plan.framework == "node:test":
        own = (
            Wanted(module="node:assert/strict", name="assert", form="default"),
            Wanted(module="node:test", name="test"),
        )
        rows = [imports_lines.text_of("javascript", it, style) for it in own]
    elif plan.framework == "vitest":
        rows = [_both("vitest", calls, style)]
    elif "@jest/globals" in plan.sample:
        rows = [_both("@jest/globals", calls, style)]
    return [*rows, ""] if rows else []


def _both(module: str, calls: str, style: Style) -> str:
    quoted = f"{style.quote}{module}{style.quote}"
    if style.requires:
        return f"const {{ expect, {calls} }} = require({quoted}){style.end}"
    return f"import {{ expect, {calls} }} from {quoted}{style.end}"


def _more_heads(lines: list[str], plan: Plan, calls: str) -> list[str]:
    """What a file of tests lacks of its framework."""
    text = "\n".join(lines)
    wanted: list[Wanted] = []
    if plan.framework == "node:test":
        if not re.search(r"\bassert\b", text):
            wanted.append(Wanted(module="node:assert/strict", name="assert", called="assert", form="default"))
        if not re.search(r"\btest\b[^\n]*[\"']node:test[\"']", text):
            wanted.append(Wanted(module="node:test", name="test"))
    elif plan.framework == "vitest" and '"vitest"' in text.replace("'", '"'):
        wanted += [Wanted(module="vitest", name=it) for it in ("expect", calls)]
    for it in wanted:
        lines = apply_lines(lines, imports_lines.add("\n".join(lines), lines, "typescript", it))
    return lines


def _title(it: Subject) -> str:
    if it.owner is None:
        return it.shape.name
    return it.owner.name if it.shape.is_constructor else f"{it.owner.name}.{it.shape.name}"


def _test(
    it: Subject, case: Case, name: str, plan: Plan, calls: str, typed: bool, known: set[str]
) -> list[str]:
    shape, owner = it.shape, it.owner
    rows = [f"// {FILL}, then let it run: `{calls}(`"]
    given = _given(shape, case)
    names = [_called(one, at) for at, one in enumerate(given)]
    if owner is None:
        called = shape.name
    elif shape.is_constructor:
        called = f"new {owner.name}"
    elif shape.is_static:
        called = f"{owner.name}.{shape.name}"
    else:
        subject = subject_of(owner.name, names, "javascript")
        made = [_value(one, typed) for one in owner.parameters if not one.is_optional and one.kind == "plain"]
        nothing = "undefined as never" if typed else "undefined"
        value = nothing if owner.is_abstract else f"new {owner.name}({', '.join(made)})"
        rows.append(f"const {subject}{f': {owner.name}' * (typed and owner.is_abstract)} = {value};")
        called = f"{subject}.{shape.name}"
    if not shape.is_property:
        rows += [f"const {one} = {_value(it_, typed)};" for one, it_ in zip(names, given, strict=True)]
    call = called if shape.is_property else f"{called}({', '.join(names)})"
    rows += _acts(call, shape, case, plan, known)
    is_async = shape.is_async or any("await " in row for row in rows)
    head = f'{calls}.skip("{name}", {"async " * is_async}() => {{'
    return [head, *(f"  {row}" for row in rows), "});"]


def _given(shape: Shape, case: Case) -> list[Parameter]:
    """The arguments up to the last one that is needed: they are passed by their places."""
    wanted = needed(shape, case)
    last = max((at for at, it in enumerate(shape.parameters) if it in wanted), default=-1)
    return [it for it in shape.parameters[: last + 1] if it.kind == "plain"]


def _called(it: Parameter, at: int) -> str:
    return (
        (snake(it.type) if it.type.isidentifier() else "") or f"argument{at + 1}"
        if it.is_pattern
        else it.name
    )


def _value(it: Parameter, typed: bool) -> str:
    if it.is_pattern and not it.type:
        return "{}" if it.name.startswith("{") else "[]"
    kind = it.type.strip()
    if kind.endswith("[]") or kind.startswith(("Array<", "readonly ")):
        return "[]"
    if kind in _EMPTY:
        return _EMPTY[kind]
    return "undefined as never" if typed else "undefined"


def _acts(call: str, shape: Shape, case: Case, plan: Plan, known: set[str]) -> list[str]:
    is_async = shape.is_async or shape.returns.startswith("Promise<")
    value = f"await {call}" if is_async else call
    is_node = plan.framework == "node:test"
    if case.raises:
        error = case.raises if case.raises in known else ""
        if is_node:
            verb, more = (
                ("await assert.rejects", f", {error}") if is_async else ("assert.throws", f", {error}")
            )
            return [f"{verb}(() => {call}{more if error else ''});"]
        if is_async:
            return [f"await expect({call}).rejects.toThrow({error});"]
        return [f"expect(() => {call}).toThrow({error});"]
    yields = shape.body is not None and shape.body.yields
    if not shape.gives and not yields and not shape.is_property and not shape.is_constructor:
        fails = f'assert.fail("{SAY_CHANGED}");' if is_node else f'throw new Error("{SAY_CHANGED}");'
        return [f"{value};", fails]
    check = (
        f'assert.deepEqual(result, "{SAY_EXPECTED}");'
        if is_node
        else f'expect(result).toEqual("{SAY_EXPECTED}");'
    )
    return [f"const result = {f'[...{call}]' if yields and not is_async else value};", check]


def _styled(lines: Sequence[str], style: Style) -> list[str]:
    """With the quotes and the ends of lines that the project's files have."""
    found = []
    for it in lines:
        line = re.sub(r'"([^"\'\\]*)"', rf"{style.quote}\1{style.quote}", it)
        found.append(line.removesuffix(";") if not style.end else line)
    return found
