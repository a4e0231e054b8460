"""Pure: an import in its place, in languages other than Python: among those that are there, in order."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from chat.edits_imports import Import, imports
from chat.edits_lexical import family, is_comment, scan
from chat.edits_types import LineEdit
from chat.imports_types import Wanted

SAYS = "Imports `{}`"


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """How a file of JavaScript writes its imports."""

    quote: str
    end: str
    requires: bool


def add(text: str, lines: Sequence[str], language: str, wanted: Wanted) -> list[LineEdit]:
    """The change that brings a name in; none if it is there already."""
    kind = "php" if language == "php" else family(language)
    if language in ("kotlin", "scala", "csharp"):
        kind = language
    if kind == "javascript":
        return _script(lines, language, wanted)
    if kind == "go":
        return _go(lines, wanted)
    if kind in _STATEMENTS:
        return _sorted(lines, language, kind, wanted)
    return []


def text_of(language: str, wanted: Wanted, style: Style | None = None) -> str:
    """The statement alone."""
    kind = "php" if language == "php" else family(language)
    kind = language if language in ("kotlin", "scala", "csharp") else kind
    if kind == "javascript":
        return _script_text(wanted, style or Style(quote='"', end=";", requires=False))
    if kind == "go":
        return f'import "{wanted.module}"'
    made = _STATEMENTS.get(kind)
    return made[1](wanted) if made else ""


# JavaScript and TypeScript


def _script_text(it: Wanted, style: Style) -> str:
    module = f"{style.quote}{it.module}{style.quote}"
    called = it.called or it.name
    if style.requires:
        taken = (
            called if it.form != "name" else f"{{ {it.name}{': ' + called if called != it.name else ''} }}"
        )
        return f"const {taken} = require({module}){style.end}"
    if it.form == "default":
        return f"import {called} from {module}{style.end}"
    if it.form == "module":
        return f"import * as {called} from {module}{style.end}"
    name = it.name if called == it.name else f"{it.name} as {called}"
    return f"import {{ {name} }} from {module}{style.end}"


def style_of(lines: Sequence[str], language: str) -> Style:
    """How the imports of a file look; else how its other lines do."""
    have = imports(lines, language)
    text = "\n".join(it.text for it in have) or "\n".join(lines)
    ends = [it.text.rstrip().endswith(";") for it in have] or [
        it.rstrip().endswith(";") for it in lines if it.strip()[-1:] in (";", ")")
    ]
    is_module = any(re.match(r"\s*(?:import|export)\b", it) for it in lines)
    requires = not is_module and any("require(" in it or "module.exports" in it for it in lines)
    return Style(
        quote="'" if text.count('"') < text.count("'") else '"',
        end=";" if not ends or len(ends) <= 2 * sum(ends) else "",
        requires=requires,
    )


def _script(lines: Sequence[str], language: str, wanted: Wanted) -> list[LineEdit]:
    have = imports(lines, language)
    style = style_of(lines, language)
    says = SAYS.format(wanted.called or wanted.name or wanted.module)
    for it in have:
        if wanted.form == "name" and _module_of(it) == wanted.module and "import type" not in it.text:
            if re.search(rf"[{{,]\s*(?:type\s+)?{re.escape(wanted.name)}\s*[,}}]", it.text):
                return []
            if change := _into_braces(lines, it, wanted, says):
                return [change]
    line = _script_text(wanted, style)
    if have:
        at = have[-1].last + 1 if not style.requires else _last_require(have)
        is_tight = at < len(lines) and lines[at].strip() and not lines[at].startswith(("import", "const"))
        rest = ("",) if is_tight else ()
        return [LineEdit(first=at, last=at, texts=(line, *rest), says=says)]
    at = _behind_head(lines, language)
    rest = ("",) if at < len(lines) and lines[at].strip() else ()
    return [LineEdit(first=at, last=at, texts=(line, *rest), says=says)]


def _last_require(have: Sequence[Import]) -> int:
    """Behind the first run of them: others further down stand where they are needed."""
    last = have[0].last
    for it in have[1:]:
        if it.first != last + 1:
            break
        last = it.last
    return last + 1


def _module_of(it: Import) -> str:
    found = re.search(r"(?:from|require\()\s*[\"']([^\"']+)[\"']", it.text)
    return found[1] if found else ""


def _into_braces(lines: Sequence[str], it: Import, wanted: Wanted, says: str) -> LineEdit | None:
    """The name put among those that come from the same module."""
    is_require = "require(" in it.text
    name = wanted.name
    if wanted.called not in ("", name):
        name = f"{name}: {wanted.called}" if is_require else f"{name} as {wanted.called}"
    found = re.search(r"\{([^{}]*)\}", it.text)
    if not found or "//" in found[1]:
        return None
    if "\n" not in it.text:
        inner = [one.strip() for one in found[1].split(",") if one.strip()]
        names = [*inner, name]
        names = sorted(names, key=str.lower) if inner == sorted(inner, key=str.lower) else names
        pad = " " if found[1].startswith(" ") or not found[1] else ""
        text = it.text[: found.start()] + "{" + pad + ", ".join(names) + pad + "}" + it.text[found.end() :]
        return LineEdit(first=it.first, last=it.last + 1, texts=(text,), says=says)
    rows = it.text.split("\n")
    at = next(number for number, row in enumerate(rows) if "}" in row)
    if rows[at].strip().startswith("}") and 1 < at:
        above = rows[at - 1].rstrip()
        indent = rows[at - 1][: len(above) - len(above.lstrip())]
        comma = above.endswith(",")
        new = (above if comma else f"{above},", f"{indent}{name}{',' if comma else ''}")
        return LineEdit(first=it.first + at - 1, last=it.first + at, texts=new, says=says)
    return None


_HEADS = ("#!", "'use ", '"use ', "package ", "namespace ", "<?php", "//!", "declare(")


def _behind_head(lines: Sequence[str], language: str) -> int:
    """Behind what a file begins with: `#!`, a licence, `"use strict"`, `package`, attributes of the crate."""
    seen = scan("\n".join(lines), language)
    at = end = 0
    while at < len(lines):
        line = lines[at].strip()
        is_comment_line = seen.inside[at] == -1 or (bool(line) and is_comment(lines[at]))
        is_head = line.startswith(_HEADS)
        if line and not is_comment_line and not is_head:
            break
        if is_head or (is_comment_line and not _is_doc(line)):
            end = at + 1
        elif _is_doc(line):
            break
        at += 1
    if end and end < len(lines) and lines[end].strip():
        return _above_comment(lines, end)  # that comment is of the code below it
    return end + 1 if 0 < end < len(lines) else end


def _is_doc(line: str) -> bool:
    return line.startswith(("/**", "///"))


def _is_head(line: str) -> bool:
    return line.strip().startswith(_HEADS)


def _above_comment(lines: Sequence[str], end: int) -> int:
    while end and lines[end - 1].strip() and is_comment(lines[end - 1]) and not _is_head(lines[end - 1]):
        end -= 1
    return end


# Go


def _go(lines: Sequence[str], wanted: Wanted) -> list[LineEdit]:
    have = imports(lines, "go")
    quoted = f'"{wanted.module}"'
    new = f"{wanted.called} {quoted}" if wanted.called else quoted
    says = SAYS.format(wanted.module)
    if any(quoted in it.text for it in have):
        return []
    if not have:
        at = next((number for number, it in enumerate(lines) if it.startswith("package ")), -1) + 1
        return [LineEdit(first=at, last=at, texts=("", f"import {new}"), says=says)]
    block = next((it for it in have if "(" in lines[it.first]), None)
    if block is None:
        names = sorted({it.text.removeprefix("import").strip() for it in have} | {new}, key=_go_key)
        one = have[0]
        if len(have) == 1:
            texts = ("import (", *_go_rows(names), ")")
            return [LineEdit(first=one.first, last=one.last + 1, texts=texts, says=says)]
        at = have[-1].last + 1
        return [LineEdit(first=at, last=at, texts=(f"import {new}",), says=says)]
    rows = [(at, lines[at].strip()) for at in range(block.first + 1, block.last)]
    same = [it for it in rows if '"' in it[1] and _is_standard(it[1]) == _is_standard(new)]
    if same:
        before = [it for it in same if _go_key(it[1]) <= _go_key(new)]
        at = before[-1][0] + 1 if before else same[0][0]
        return [LineEdit(first=at, last=at, texts=(f"\t{new}",), says=says)]
    if _is_standard(new):
        return [LineEdit(first=block.first + 1, last=block.first + 1, texts=(f"\t{new}", ""), says=says)]
    return [LineEdit(first=block.last, last=block.last, texts=("", f"\t{new}"), says=says)]


def _go_rows(names: Sequence[str]) -> list[str]:
    standard = [f"\t{it}" for it in names if _is_standard(it)]
    others = [f"\t{it}" for it in names if not _is_standard(it)]
    return [*standard, *([""] if standard and others else []), *others]


def _is_standard(row: str) -> bool:
    found = re.search(r'"([^"/]*)', row)
    return found is not None and "." not in found[1]


def _go_key(row: str) -> str:
    found = re.search(r'"([^"]*)"', row)
    return found[1] if found else row


# One statement a line

Make = Callable[[Wanted], str]


def _of_rust(it: Wanted) -> str:
    called = f" as {it.called}" if it.called not in ("", it.name) else ""
    return f"use {it.module}::{it.name}{called};" if it.name else f"use {it.module}{called};"


def _of_c(it: Wanted) -> str:
    return f"#include {it.module}" if it.module.startswith("<") else f'#include "{it.module}"'


_STATEMENTS: dict[str, tuple[re.Pattern[str], Make]] = {
    "rust": (re.compile(r"(?:pub\s+)?use\s+"), _of_rust),
    "java": (re.compile(r"import\s+(?!static)"), lambda it: f"import {it.module}.{it.name};"),
    "kotlin": (re.compile(r"import\s+"), lambda it: f"import {it.module}.{it.name}"),
    "scala": (re.compile(r"import\s+"), lambda it: f"import {it.module}.{it.name}"),
    "csharp": (re.compile(r"using\s+[\w.]+;"), lambda it: f"using {it.module};"),
    "php": (re.compile(r"use\s+[\w\\]+"), lambda it: f"use {it.module}\\{it.name};"),
    "c": (re.compile(r"#\s*include\b"), _of_c),
}


def _sorted(lines: Sequence[str], language: str, kind: str, wanted: Wanted) -> list[LineEdit]:
    pattern, make = _STATEMENTS[kind]
    new = make(wanted)
    says = SAYS.format(wanted.called or wanted.name or wanted.module)
    seen = scan("\n".join(lines), language)
    have = [at for at, it in enumerate(lines) if pattern.match(it) and seen.inside[at] == 0]
    if any(_plain(lines[at]) == _plain(new) for at in have):
        return []
    if kind == "c":
        have = [at for at in have if ("<" in lines[at]) == ("<" in new)] or have
    if have:
        before = [at for at in have if lines[at].lower() <= new.lower()]
        at = _end(before[-1], seen.inside) if before else have[0]
        return [LineEdit(first=at, last=at, texts=(new,), says=says)]
    at = _behind_head(lines, language)
    lead = ("",) if at and lines[at - 1].strip() else ()
    rest = ("",) if at < len(lines) and lines[at].strip() else ()
    return [LineEdit(first=at, last=at, texts=(*lead, new, *rest), says=says)]


def _end(at: int, inside: Sequence[int]) -> int:
    at += 1
    while at < len(inside) and inside[at]:
        at += 1
    return at


def _plain(line: str) -> str:
    return re.sub(r"\s+", "", line)
