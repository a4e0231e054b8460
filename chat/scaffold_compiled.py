"""Pure: tests of Go, Rust and Java: they compile as they are, and wait to be filled in."""

from __future__ import annotations

import re
from collections.abc import Sequence

from chat import imports_lines
from chat.edits_indent import indent_of
from chat.edits_types import Refusal
from chat.edits_units import outline
from chat.imports_types import Wanted
from chat.naming import camel, snake
from chat.scaffold_cases import named, subject_of, unique
from chat.scaffold_text import apply_lines, trimmed
from chat.scaffold_types import FILL, SAY_CHANGED, SAY_EXPECTED, Case, Plan, Subject
from chat.shape import Parameter, Shape
from chat.shape_parameters import split

SAY_WORDS = "say with which words"
Written = tuple[list[str], tuple[str, ...]]


# Go


def write_go(subjects: Sequence[Subject], source: str, plan: Plan) -> Written | Refusal:
    """Functions that stand beside the source, in its own package."""
    package = re.search(r"^package\s+(\w+)", plan.text or source, re.MULTILINE)
    own = re.search(r"^package\s+(\w+)", source, re.MULTILINE)
    if not package or not own:
        return Refusal(reason="The file does not say which package it is of.")
    if package[1] != own[1]:
        return Refusal(
            reason=f"The tests are of the package `{package[1]}`, which does not see what is in `{own[1]}`."
        )
    lines = (
        plan.text.replace("\r\n", "\n").split("\n")
        if plan.text
        else [f"package {own[1]}", "", 'import "testing"']
    )
    taken = set(re.findall(r"^func (Test\w+)", plan.text or "", re.MULTILINE))
    names: list[str] = []
    for it in subjects:
        owner = f"{it.owner.name}_" if it.owner else _receiver(it.shape)[1]
        base = f"Test{owner}{it.shape.name[0].upper()}{it.shape.name[1:]}"
        if base in taken:
            continue
        bases = [base + (f"_{_pascal(case.words)}" if case.words else "") for case in it.cases]
        for case, name in zip(it.cases, unique(bases, {*taken, *names}), strict=True):
            rows = [f't.Skip("{FILL}")', *_go_body(it.shape, case)]
            lines = [*trimmed(lines), "", f"func {name}(t *testing.T) {{", *(f"\t{row}" for row in rows), "}"]
            names.append(name)
    if plan.text:
        wanted = Wanted(module="testing")
        lines = apply_lines(lines, imports_lines.add("\n".join(lines), lines, "go", wanted))
    return lines, tuple(names)


def _pascal(words: str) -> str:
    return "".join(it[0].upper() + it[1:] for it in snake(words).split("_"))


def _receiver(shape: Shape) -> tuple[str, str]:
    """What makes an object to call a method on, and the name of its type before that of a test."""
    found = re.search(r"(\*?)(\w+)(\[[^\]]*\])?$", shape.receiver)
    if not shape.receiver or not found:
        return "", ""
    arguments = ", ".join("int" for _ in split(found[3][1:-1])) if found[3] else ""
    type_ = found[2] + (f"[{arguments}]" if arguments else "")
    return f"{'&' if found[1] else ''}{type_}{{}}", f"{found[2]}_"


def _go_body(shape: Shape, case: Case) -> list[str]:
    rows: list[str] = []
    taken = {it.name for it in shape.parameters}
    made, _ = _receiver(shape)
    called = shape.name
    if made:
        subject = next(it for it in ("subject", "subject1") if it not in taken)
        rows.append(f"{subject} := {made}")
        called = f"{subject}.{shape.name}"
    for it in shape.parameters:
        kind = f"[]{it.type}" if it.kind == "rest" else it.type
        rows.append(f"var {it.name} {_without_types(kind, shape, 'int')}")
    passed = ", ".join(f"{it.name}..." if it.kind == "rest" else it.name for it in shape.parameters)
    results = _results(shape.returns)
    call = f"{called}({passed})"
    if case.raises == "panic":
        rows = [
            *rows,
            "defer func() {",
            "\tif recover() == nil {",
            '\t\tt.Error("want a panic")',
            "\t}",
            "}()",
        ]
        return [*rows, f"{', '.join('_' for _ in results)} = {call}" if results else call]
    if not results:
        return [*rows, call, f't.Error("{SAY_CHANGED}")']
    fails = results[-1] == "error"
    values = ["got" if len(results) - fails == 1 else f"got{at + 1}" for at in range(len(results) - fails)]
    if case.raises and fails:
        rows.append(f"{', '.join([*('_' for _ in values), 'err'])} := {call}")
        return [
            *rows,
            "if err == nil {",
            f'\tt.Error("want an error {case.words.removeprefix("fails ")}")',
            "}",
        ]
    rows.append(f"{', '.join([*values, *(['err'] if fails else [])])} := {call}")
    if fails:
        rows += ["if err != nil {", "\tt.Fatal(err)", "}"]
    if not values:
        return [*rows, f't.Error("{SAY_CHANGED}")']
    shown = ", ".join(["%v"] * len(values))
    return [*rows, f't.Errorf("{shape.name}() = {shown}: {SAY_EXPECTED.lower()}", {", ".join(values)})']


def _results(returns: str) -> list[str]:
    """`(n int, err error)` is int and error."""
    if not returns:
        return []
    if not returns.startswith("("):
        return [returns]
    parts = split(returns[1:-1])
    is_named = any(
        re.match(r"^\w+\s+[\w*\[(.]", it) and not re.match(r"^(?:chan|func|map|struct|interface)\b", it)
        for it in parts
    )
    return [it.split(None, 1)[-1] if is_named else it for it in parts]


def _without_types(kind: str, shape: Shape, stand_in: str) -> str:
    """A type with something plain in the place of the type parameters."""
    for it in shape.type_parameters:
        kind = re.sub(rf"\b{re.escape(it)}\b", stand_in, kind)
    return kind


# Rust


def write_rust(subjects: Sequence[Subject], source: str, plan: Plan) -> Written | Refusal:
    """A module of tests at the end of the source itself."""
    lines = source.replace("\r\n", "\n").split("\n")
    units = outline(lines, "rust").units
    module = next((it for it in units if it.name == "tests" and not it.scope), None)
    inside = "\n".join(lines[module.first : module.last + 1]) if module else ""
    taken = set(re.findall(r"\bfn (\w+)", inside))
    is_tokio = "tokio" in plan.manifest
    names: list[str] = []
    rows: list[str] = []
    for it in subjects:
        owner = f"{snake(it.owner.name)}_" if it.owner else ""
        bases = [f"test_{named(f'{owner}{it.shape.name}', case.words)}" for case in it.cases]
        if bases[0] in taken:
            continue
        for case, name in zip(it.cases, unique(bases, {*taken, *names}), strict=True):
            rows += ["", *_rust_test(it, case, name, is_tokio)]
            names.append(name)
    if not names:
        return lines, ()
    step = next((indent_of(it) for it in lines if it.startswith((" ", "\t"))), "    ")
    step = "    " if step.startswith(" ") else step
    rows = [f"{step}{it}".replace("    ", step) if it else "" for it in rows]
    if module:
        at = module.last
        return [*lines[:at], *rows, *lines[at:]], tuple(names)
    head = ["", "#[cfg(test)]", "mod tests {", f"{step}use super::*;"]
    return [*trimmed(lines), *head, *rows, "}"], tuple(names)


def _rust_test(it: Subject, case: Case, name: str, is_tokio: bool) -> list[str]:
    shape, owner = it.shape, it.owner
    is_async = shape.is_async and is_tokio
    rows: list[str] = []
    generics = (
        f"<{', '.join('i32' for _ in owner.type_parameters)}>" if owner and owner.type_parameters else ""
    )
    called = shape.name
    if owner is not None and shape.receiver:
        subject = subject_of(owner.name, (one.name for one in shape.parameters), "rust")
        mutable = "mut " * ("mut" in shape.receiver)
        rows.append(f'let {mutable}{subject}: {owner.name}{generics} = todo!("{FILL.lower()}");')
        called = f"{subject}.{shape.name}"
    elif owner is not None:
        called = f"{owner.name}{'::' + generics if generics else ''}::{shape.name}"
    passed = []
    for at, one in enumerate(shape.parameters):
        made = one.name if re.fullmatch(r"\w+", one.name) else f"argument{at + 1}"
        if closure := re.match(r"(?:impl|&(?:mut )?dyn)\s+Fn\w*\(([^)]*)\)", one.type):
            gaps = ", ".join("_" for _ in split(closure[1]))
            passed.append(f"{'&' * one.type.startswith('&')}|{gaps}| todo!()")
            continue
        kind = _without_lifetimes(_without_types(one.type, shape, "i32"))
        kind = "&str" if kind.startswith("impl ") else kind
        if owner is not None:
            kind = re.sub(r"\bSelf\b", f"{owner.name}{generics}", _without_types(kind, owner, "i32"))
        rows.append(f"let {made}: {kind} = todo!();")
        passed.append(made)
    call = f"{called}({', '.join(passed)})" + ".await" * is_async
    marks = ["#[tokio::test]" if is_async else "#[test]"]
    if case.raises == "panic":
        marks.append(f'#[should_panic(expected = "{SAY_WORDS}")]')  # not the panic of the gaps
    marks.append(f'#[ignore = "{FILL.lower()}"]')
    head = f"{'async ' * is_async}fn {name}() {{"
    return [*marks, head, *(f"    {row}" for row in [*rows, *_rust_acts(call, shape, case)]), "}"]


def _without_lifetimes(kind: str) -> str:
    """`&'a str` is &str, and what needs one gets any."""
    return re.sub(r"'(?!static\b|_\b)\w+", "'_", re.sub(r"&\s*'(?!static\b)\w+\s+", "&", kind))


def _rust_acts(call: str, shape: Shape, case: Case) -> list[str]:
    if case.raises == "panic":
        return [f"let _ = {call};"]
    if case.raises == "error":
        return [f"assert!({call}.is_err());"]
    if not shape.gives:
        return [f"{call};", f'todo!("{SAY_CHANGED.lower()}");']
    return [f"let _result = {call};", f'assert!(todo!("{SAY_EXPECTED.lower()}"));']


# Java

_JAVA_EMPTY = {
    "int": "0", "long": "0L", "short": "(short) 0", "byte": "(byte) 0", "char": "'a'", "float": "0f",
    "double": "0.0", "boolean": "false", "String": '""',
}  # fmt: skip


def write_java(subjects: Sequence[Subject], source: str, plan: Plan, name: str) -> Written | Refusal:
    """A class of tests, or more methods in the one that is there."""
    owner = next((it.owner for it in subjects if it.owner), None)
    if owner is None:
        return Refusal(reason="Only the methods of a class can be tested.")
    is_new = plan.text is None
    package = re.search(r"^package\s+([\w.]+);", source, re.MULTILINE)
    lines = (plan.text or "").replace("\r\n", "\n").split("\n") if plan.text else []
    taken = set(re.findall(r"\bvoid (\w+)\(", plan.text or ""))
    tests: list[str] = []
    rows: list[str] = []
    five = plan.framework == "junit5"
    for it in subjects:
        bases = [camel(" ".join((it.shape.name, case.words))) for case in it.cases]
        if bases[0] in taken:
            continue
        for case, test in zip(it.cases, unique(bases, {*taken, *tests}), strict=True):
            skip = f'@{"Disabled" if five else "Ignore"}("{FILL}")'
            head = f"{'' if five else 'public '}void {test}() throws Exception {{"
            rows += ["", "@Test", skip, head, *(f"    {row}" for row in _java_body(it, case)), "}"]
            tests.append(test)
    rows = [f"    {it}" if it else "" for it in rows]
    if is_new:
        first = [f"package {package[1]};", ""] if package else []
        body = [*first, f"{'' if five else 'public '}class {name} {{", *rows[1:], "}"]
    else:
        end = max((at for at, it in enumerate(lines) if it.startswith("}")), default=None)
        if end is None:
            return Refusal(reason=f"`{plan.path}` has no class that more tests could go into.")
        body = [*lines[:end], *rows, *lines[end:]]
    if not tests:
        return body, ()
    return _java_imports(body, rows, source, five, is_new), tuple(tests)


def _java_imports(body: list[str], rows: Sequence[str], source: str, five: bool, is_new: bool) -> list[str]:
    """With what the tests use: of the framework, and of what the source itself imports."""
    home = "org.junit.jupiter.api" if five else "org.junit"
    text = "\n".join(rows)
    wanted = [Wanted(module=home, name=it) for it in ("Test", "Disabled" if five else "Ignore")]
    for found in re.finditer(r"^import\s+([\w.]+)\.(\w+);", source, re.MULTILINE):
        if re.search(rf"\b{found[2]}\b", text):
            wanted.append(Wanted(module=found[1], name=found[2]))
    for it in wanted:
        body = apply_lines(body, imports_lines.add("\n".join(body), body, "java", it))
    return _java_asserts(body, f"{home}.{'Assertions' if five else 'Assert'}", text, is_new)


def _java_asserts(body: list[str], home: str, text: str, is_new: bool) -> list[str]:
    """With the static imports of what asserts: all at once, or one by one where the file has it so."""
    said = "\n".join(body)
    used = [it for it in ("assertEquals", "assertThrows", "fail") if f"{it}(" in text]
    missing = [it for it in used if not re.search(rf"import static [\w.]+\.(?:{it}|\*);", said)]
    if not missing:
        return body
    have = [at for at, it in enumerate(body) if it.startswith(f"import static {home}.")]
    if have:
        rows = [f"import static {home}.{it};" for it in missing]
        return [*body[: have[-1] + 1], *rows, *body[have[-1] + 1 :]]
    at = next((at for at, it in enumerate(body) if it.startswith("import ")), 0)
    return [*body[:at], f"import static {home}.*;", *([""] if is_new else []), *body[at:]]


def _java_body(it: Subject, case: Case) -> list[str]:
    shape, owner = it.shape, it.owner
    assert owner is not None
    rows: list[str] = []
    names = [one.name for one in shape.parameters]
    kind = owner.name + ("<>" if owner.type_parameters else "")
    declared = owner.name + (
        f"<{', '.join('Object' for _ in owner.type_parameters)}>" if owner.type_parameters else ""
    )
    called = f"{owner.name}.{shape.name}"
    if shape.is_constructor:
        called = f"new {kind}"
    elif not shape.is_static:
        subject = subject_of(owner.name, names, "java")
        made = ", ".join(_java_value(one, owner) for one in owner.parameters)
        value = "null" if owner.is_abstract else f"new {kind}({made})"
        rows.append(f"{declared} {subject} = {value};")
        called = f"{subject}.{shape.name}"
    for one in shape.parameters:
        type_ = _java_type(one, shape, owner)
        rows.append(f"{type_} {one.name} = {_java_value(one, shape)};")
    call = f"{called}({', '.join(names)})"
    if case.raises:
        return [*rows, f"assertThrows({case.raises}.class, () -> {call});"]
    if not shape.gives and not shape.is_constructor:
        return [*rows, f"{call};", f'fail("{SAY_CHANGED}");']
    result = declared if shape.is_constructor else "Object"
    return [*rows, f"{result} result = {call};", f'assertEquals("{SAY_EXPECTED}", result);']


def _java_type(it: Parameter, shape: Shape, owner: Shape) -> str:
    kind = _without_types(_without_types(it.type, shape, "Object"), owner, "Object")
    return f"{kind}[]" if it.kind == "rest" else kind


def _java_value(it: Parameter, shape: Shape) -> str:
    if it.kind == "rest":
        kind = _without_types(it.type.partition("<")[0], shape, "Object")
        base, bracket, more = kind.partition("[")
        return f"new {base}[0]{bracket}{more}"
    return _JAVA_EMPTY.get(it.type, "null")
