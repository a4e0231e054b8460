"""Pure: the definitions in a piece of code, by their first lines, brackets and indentation.

It need not know a language well: what it does not find is not replaced, and what it finds wrongly no longer
parses and is refused. So it also reads code that a grammar would not: a method without its class, a function
with a part left out.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from chat.edits_lexical import Scan, family, is_comment, scan

Kind = Literal["function", "type", "value"]
LONGEST_HEADER = 600  # characters of one line in which a definition is looked for
MOST_LEVELS = 12  # of definitions in definitions
MOST_STATEMENT_LINES = 400  # a longer table is data


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """A definition; lines are counted from 0, ``last`` is its own last line."""

    name: str
    kind: Kind
    scope: tuple[str, ...]
    lead: int
    """The first of the comments and decorators above it."""
    first: int
    header: int
    """The last line of what stands before its body."""
    last: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """All definitions of a text, outer ones before inner ones."""

    lines: tuple[str, ...]
    units: tuple[Unit, ...]
    scan: Scan

    def inside(self, unit: Unit | None = None) -> tuple[Unit, ...]:
        """Those that stand directly in this one, or in none."""
        found: list[Unit] = []
        for it in self.units:
            is_in = unit is None or (unit.first < it.first and it.last <= unit.last)
            if is_in and not (found and it.first <= found[-1].last):
                found.append(it)
        return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rule:
    kind: Kind
    pattern: re.Pattern[str]
    anywhere: bool = True
    """Whether it may stand within a function; else only in a type, or on top."""


_KEYWORDS = (
    "if for while switch catch return else do try with match loop unsafe function new throw typeof sizeof"
    " foreach using lock fixed synchronized case default await yield assert elif except not and or in is"
    " defer go select goto when until unless super this self print"
)
_NO_NAMES = frozenset(_KEYWORDS.split())
_JS_EXPORT = r"\s*(?:export\s+)?(?:default\s+)?(?:declare\s+)?"


def _rules(*rows: tuple[Kind, str, bool]) -> tuple[_Rule, ...]:
    return tuple(_Rule(kind=kind, pattern=re.compile(text), anywhere=any_) for kind, text, any_ in rows)


_PYTHON = _rules(
    ("function", r"\s*(?:async\s+)?def\s+(?P<name>\w+)", True),
    ("type", r"\s*class\s+(?P<name>\w+)", True),
    ("value", r"\s*(?P<name>\w+)\s*(?::[^=\n]+)?=(?!=)", False),
)
_SCRIPT = _rules(
    ("function", _JS_EXPORT + r"(?:async\s+)?function\s*\*?\s*(?P<name>[\w$]+)", True),
    ("type", _JS_EXPORT + r"(?:abstract\s+)?(?:class|interface|enum|namespace)\s+(?P<name>[\w$]+)", True),
    ("value", _JS_EXPORT + r"(?:const|let|var)\s+(?P<name>[\w$]+)\s*(?::[^=\n]+)?=(?!=)", False),
    ("value", _JS_EXPORT + r"type\s+(?P<name>[\w$]+)[^=\n]*=", False),
    (
        "function",
        r"\s*(?:(?:public|private|protected|static|async|readonly|override|get|set|abstract)\s+)*[*#]?"
        r"(?P<name>[\w$]+)\s*(?:<[^>\n]*>)?\s*\(",
        False,
    ),
)
_GO = _rules(
    ("function", r"func\s+(?:\(\s*(?:\w+\s+)?\*?(?P<of>\w+)(?:\[[^\]]*\])?\s*\)\s*)?(?P<name>\w+)", True),
    ("type", r"type\s+(?P<name>\w+)(?:\[[^\]]*\])?\s+(?:struct|interface)\b", True),
    ("value", r"(?:const|var)\s+(?P<name>\w+)[^=\n]*=(?!=)", False),
)
_RUST = _rules(
    (
        "function",
        r"\s*(?:pub(?:\([^)]*\))?\s+)?(?:(?:default|const|async|unsafe|extern)\s+)*fn\s+(?P<name>\w+)",
        True,
    ),
    ("type", r"\s*(?:pub(?:\([^)]*\))?\s+)?(?:struct|enum|union|trait|mod)\s+(?P<name>\w+)", True),
    ("type", r"\s*(?:unsafe\s+)?(?P<name>impl\b[^{\n]*)", True),
    ("value", r"\s*(?:pub(?:\([^)]*\))?\s+)?(?:const|static)\s+(?P<name>\w+)\s*:[^=\n]*=", False),
)
_TYPED = r"\s*(?:[\w<>\[\],.?@:~]+[\s*&]+)*(?P<name>~?[\w:~]+)\s*\("
_JAVA = _rules(
    ("type", r"\s*(?:[\w@]+\s+)*(?:class|interface|enum|record|struct|object|trait)\s+(?P<name>\w+)", True),
    ("function", r"\s*(?:[\w@]+\s+)*(?:fun|func|def)\s+(?:[\w<>]+\.)?(?P<name>\w+)", True),
    ("function", _TYPED, False),
)
_C = _rules(
    ("type", r"\s*(?:typedef\s+)?(?:class|struct|union|enum|namespace)\s+(?P<name>\w+)\s*(?:$|[:{])", True),
    ("function", _TYPED, False),
)
_OTHER = _rules(
    ("function", r"\s*(?:[\w@]+\s+)*(?:fun|func|function|fn|def|sub)\s+(?:[\w<>]+\.)?(?P<name>\w+)", True),
    ("type", r"\s*(?:[\w@]+\s+)*(?:class|interface|enum|trait|module)\s+(?P<name>\w+)", True),
    ("function", r"\s*(?P<name>\w+)\s*\(\)\s*(?=\{)", False),
)
_BY_FAMILY = {"python": _PYTHON, "javascript": _SCRIPT, "go": _GO, "rust": _RUST, "java": _JAVA, "c": _C}
_PLAIN = (
    "json jsonc yaml toml markdown html xml css scss less sql text ini dockerfile makefile restructuredtext"
)
_NO_UNITS = frozenset(_PLAIN.split())
_BY_END = frozenset({"ruby", "lua", "elixir", "julia"})


def outline(lines: Sequence[str], language: str) -> Outline:
    """The definitions of a text; those whose end is not in sight are none."""
    text = "\n".join(lines)
    seen = scan(text, language)
    if language in _NO_UNITS:
        return Outline(lines=tuple(lines), units=(), scan=seen)
    rules = _BY_FAMILY.get(family(language), _OTHER)
    blank = seen.blank.split("\n")
    units: list[Unit] = []
    open_: list[Unit] = []
    for at, line in enumerate(blank):
        while open_ and open_[-1].last < at:
            open_.pop()
        if seen.inside[at] != seen.curly[at] or not line.strip() or LONGEST_HEADER < len(line):
            continue
        if MOST_LEVELS < len(open_):
            continue
        if unit := _unit(at, line, rules, language, lines, seen, open_):
            if family(language) == "c" and _is_type_alone(at, line, unit, blank):
                unit = replace(unit, first=at - 1)
            units.append(replace(unit, lead=_lead(unit.first, lines, seen, language)))
            open_.append(units[-1])
    return Outline(lines=tuple(lines), units=tuple(units), scan=seen)


def _unit(
    at: int,
    line: str,
    rules: tuple[_Rule, ...],
    language: str,
    lines: Sequence[str],
    seen: Scan,
    open_: list[Unit],
) -> Unit | None:
    parent = open_[-1] if open_ else None
    for rule in rules:
        found = rule.pattern.match(line)
        if not found or (parent and parent.kind != "type" and not rule.anywhere):
            continue
        name = re.sub(r"\s+", " ", found["name"]).strip()
        words = line.split()
        if not rule.anywhere and (name in _NO_NAMES or words[0] in _NO_NAMES):
            continue
        if rule.kind == "value" and parent is None and line[:1].isspace():
            continue
        if end := _end_of(language, rule.kind)(at, _end(found, seen, at), lines, seen):
            of = found.groupdict().get("of")
            scope = (of,) if of else (*parent.scope, parent.name) if parent else ()
            header, last = end
            return Unit(name=name, kind=rule.kind, scope=scope, lead=at, first=at, header=header, last=last)
    return None


def _is_type_alone(at: int, line: str, unit: Unit, blank: list[str]) -> bool:
    """Whether a function's type stands on the line above its name."""
    above = blank[at - 1] if at else ""
    return line.startswith(unit.name) and re.fullmatch(r"\w[\w\s*:<>]*", above) is not None


def _end(found: re.Match[str], seen: Scan, line: int) -> int:
    """Where in the text a match in a line ends; a bracket it ends with is still to be read."""
    return seen.starts[line] + found.end() - found.group().endswith(("(", "{", "["))


End = Callable[[int, int, Sequence[str], Scan], "tuple[int, int] | None"]


def _end_of(language: str, kind: Kind) -> End:
    if language in _BY_END:
        return _by_end
    if family(language) == "python":
        return _statement if kind == "value" else _by_indentation
    if kind == "value":
        return _statement
    return _by_braces_go if language == "go" else _by_braces


def _by_indentation(at: int, offset: int, lines: Sequence[str], seen: Scan) -> tuple[int, int] | None:
    header = at
    while header + 1 < len(lines) and 0 < seen.inside[header + 1]:
        header += 1
    if ":" not in _blank(seen, header, header + 1):
        return None
    depth, last = width(lines[at]), header
    for line in range(header + 1, len(lines)):
        if seen.inside[line] or (lines[line].strip() and depth < width(lines[line])):
            last = line
        elif lines[line].strip():
            break
    return header, last


def _statement(at: int, offset: int, lines: Sequence[str], seen: Scan) -> tuple[int, int] | None:
    """To the end of the line in which no bracket is open and which does not go on."""
    for last in range(at, min(at + MOST_STATEMENT_LINES, len(lines))):
        if last + 1 == len(lines):
            return at, last
        goes_on = seen.inside[last + 1] != seen.inside[at]
        ends_open = re.search(r"(?:=>?|[,+(.?:&|\\])\s*$", _blank(seen, last, last + 1))
        begins_open = re.match(r"\s*(?:[.?:+]|&&|\|\||=>)", _blank(seen, last + 1, last + 2))
        if not (goes_on or ends_open or begins_open):
            return at, last
    return None


def _by_end(at: int, offset: int, lines: Sequence[str], seen: Scan) -> tuple[int, int] | None:
    depth = width(lines[at])
    for line in range(at + 1, len(lines)):
        if lines[line].strip() and not seen.inside[line] and width(lines[line]) <= depth:
            return (at, line) if re.match(r"\s*end\b", lines[line]) else None
    return None


def _blank(seen: Scan, first: int, last: int) -> str:
    """The lines from ``first`` up to ``last``, without strings and comments."""
    end = seen.starts[last] - 1 if last < len(seen.starts) else len(seen.blank)
    return seen.blank[seen.starts[first] : end]


_MARK = re.compile(r"[({\[;}]|\n[ \t]*\n|=>")
_IS_TYPE = re.compile(r"[:<|&,]$")  # before a bracket that opens a type and no body
_IS_GO_TYPE = re.compile(r"\b(?:interface|struct)$")


def _by_braces(
    at: int, offset: int, lines: Sequence[str], seen: Scan, opens_type: re.Pattern[str] = _IS_TYPE
) -> tuple[int, int] | None:
    """From its header to the bracket that closes its body; a declaration without a body is none."""
    text, limit = seen.blank, offset + LONGEST_HEADER * 4
    start = offset
    while found := _MARK.search(text, offset, limit):
        mark, here = found.group(), found.start()
        if mark == "(" and start < offset and "\n" in text[offset:here]:
            return None  # the next statement
        if mark == "=>":
            return _statement(at, offset, lines, seen)
        if here not in seen.pairs:
            return None
        end = seen.pairs[here]
        if mark == "{" and not opens_type.search(text[max(0, here - 40) : here].rstrip()):
            header, last = bisect_right(seen.starts, here) - 1, bisect_right(seen.starts, end) - 1
            rest = _blank(seen, last, last + 1)[end + 1 - seen.starts[last] :]
            return (header, last) if re.fullmatch(r"[\s;,)]*|\s*\w+;", rest) else None
        offset = end + 1
    return None


def _by_braces_go(at: int, offset: int, lines: Sequence[str], seen: Scan) -> tuple[int, int] | None:
    """In Go a function may return a type with brackets of its own."""
    return _by_braces(at, offset, lines, seen, _NEVER if lines[at].startswith("type") else _IS_GO_TYPE)


_NEVER = re.compile(r"(?!)")


def _lead(at: int, lines: Sequence[str], seen: Scan, language: str) -> int:
    """The first of the comments and decorators that stand directly above a line."""
    first = line = at
    while 0 < line:
        line -= 1
        if _says_or_sets(line, lines[line], seen, language):
            first = line
        elif not 0 <= seen.curly[line] < seen.inside[line] or not lines[line].strip():
            break  # It is not within the brackets of a decorator either.
    return first


def _says_or_sets(at: int, line: str, seen: Scan, language: str) -> bool:
    """Whether a line is a comment, or a decorator."""
    if is_decorator(line, language):
        return seen.inside[at] == seen.curly[at]
    return is_comment(line) and _comments_here(line, seen.inside[at], seen.curly[at], language)


def _comments_here(line: str, inside: int, curly: int, language: str) -> bool:
    if family(language) == "python":
        return inside == 0 or inside == curly
    return inside == -1 or not line.lstrip().startswith("*")


def is_decorator(line: str, language: str) -> bool:
    """Whether a line says something about the definition below it."""
    text = line.strip()
    if language == "csharp":
        return text.startswith("[") and text.endswith("]")
    if language == "rust":
        return text.startswith("#[")
    if language in ("cpp", "c"):
        return text.startswith(("template", "[[")) and not text.endswith((";", "{"))
    return text.startswith("@") and not text.startswith("@interface")


def width(line: str) -> int:
    """How deep a line stands, in columns of tabs that are four wide."""
    depth = 0
    for it in line:
        if it == "\t":
            depth += 4 - depth % 4
        elif it == " ":
            depth += 1
        else:
            break
    return depth
