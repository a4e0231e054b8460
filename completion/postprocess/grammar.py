"""Pure: lines that no grammar takes, told by a few named rules.

What is remembered of another place may fit the words before the cursor and not the brackets and quotes around
it. The rules look at single lines, bare of what is inside strings and brackets, and at the bracket that the
suggestion ends in. They speak only where a line is wrong whatever follows it: what is left open may still be
closed by whoever goes on typing.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from completion.brackets import Lexed, Mark, bare, join, lex
from completion.languages import CLOSERS
from completion.postprocess.draft import Draft
from completion.spot import Spot, lexed_before
from completion.trigger import Trigger

SCRIPTS = frozenset({"javascript", "javascriptreact", "typescript", "typescriptreact", "vue", "svelte"})
BRACES = SCRIPTS | {"c", "cpp", "csharp", "go", "java", "rust"}
"""Where a semicolon ends a statement, and a brace begins a block."""
METHODS = SCRIPTS | {"c", "cpp", "csharp", "java"}
"""Where nothing that has been called is followed by a block."""
SHORT_STRINGS = SCRIPTS | {"c", "cpp", "csharp", "go", "java", "python"}
"""Where a string in simple quotes ends with its line."""
REGEX = re.compile(r"/[^/*\s][^\n]*/|'[(\[]'")
"""What may hold a bracket that is none: an expression between slashes, a lifetime beside a character."""
PYTHON_HEADS = "def|class|if|elif|else|for|while|with|try|except|finally|match|case"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line as it would be, and where it stands."""

    bare: str
    begins_in: Mark | None
    """The innermost bracket that is open where the line begins."""
    ends_in: Mark | None
    """The same where it ends."""
    text: str
    """The document to the end of the line."""
    start: int
    """Where the line begins in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One way for a line to be wrong."""

    name: str
    languages: frozenset[str]
    is_broken: Callable[[Line], bool]


def _never(pattern: str, unless: str = r"(?!)") -> Callable[[Line], bool]:
    """Bare lines that look like this are wrong, unless they look like that, too."""
    wrong, right = re.compile(pattern), re.compile(unless)
    return lambda it: wrong.search(it.bare) is not None and right.search(it.bare) is None


def _ends_statement_in_brackets(line: Line) -> bool:
    """``take(x;``: only the head of a ``for`` has semicolons in brackets."""
    inner = line.ends_in
    if inner is None or inner.text == "{" or not line.bare.rstrip().endswith(";"):
        return False
    begins = line.text.rfind("\n", 0, inner.at) + 1
    if REGEX.search(line.text, begins) or "for" in line.bare:
        return False
    return re.search(r"\bfor\s*$", line.text[begins : inner.at]) is None


def _opens_python_block_nowhere(line: Line) -> bool:
    """``x = 1:``: only some words begin a line that ends with a colon."""
    if not line.bare.rstrip().endswith(":") or line.text[: line.start].endswith("\\\n"):
        return False
    if line.ends_in is not None:
        return line.ends_in.text == "(" and "lambda" not in line.bare
    if line.begins_in is not None:
        return False
    return re.match(rf"\s*(?:async\s+)?(?:{PYTHON_HEADS})\b", line.bare) is None


def _lists_imports(line: Line) -> bool:
    """Go's groups of imports and constants have a line each, and no commas."""
    inner = line.begins_in
    if inner is None or inner.text != "(" or not line.bare.rstrip().endswith(","):
        return False
    head = line.text[: inner.at].rpartition("\n")[2]
    return re.fullmatch(r"\s*(?:import|const|var|type)\s*", head) is not None


RULES = (
    Rule(name="semicolon in brackets", languages=BRACES, is_broken=_ends_statement_in_brackets),
    Rule(name="colon of no block", languages=frozenset({"python"}), is_broken=_opens_python_block_nowhere),
    Rule(
        name="import that assigns",
        languages=frozenset({"python"}),
        is_broken=_never(r"^\s*(?:from|import)\b[^=]*="),
    ),
    Rule(
        name="statement that assigns",
        languages=frozenset({"python"}),
        is_broken=_never(
            r"^\s*(?:return|assert|del|raise|if|elif|while)\b.*(?<![=!<>:])=(?!=)", r"\blambda\b"
        ),
    ),
    Rule(
        name="block behind a call of a member",
        languages=METHODS,
        is_broken=_never(r"\.\s*\w+\(\)\s*\{", unless=r"\bnew\b"),
    ),
    Rule(
        name="block behind a called value",
        languages=METHODS,
        is_broken=_never(r"(?:[^=!<>]=|\breturn\b)\s*(?!function\b)[\w.]+\(\)\s*\{", unless=r"\bnew\b"),
    ),
    Rule(
        name="arrow behind a call",
        languages=SCRIPTS,
        is_broken=_never(r"\.\w+\(\)\s*=>"),
    ),
    Rule(
        name="import of nothing",
        languages=SCRIPTS,
        is_broken=_never(
            r"^\s*import\s+(?:\w+\s*:|\{\}\s*;)|^\s*import\b.*\bfrom\s*\"\"\s*(?!with\b|assert\b)[^\s;]"
        ),
    ),
    Rule(
        name="condition without a block",
        languages=frozenset({"rust"}),
        is_broken=_never(r"^\s*(?:if|while|match)\b[^{}]*;$"),
    ),
    Rule(
        name="semicolon at a line's end",
        languages=frozenset({"go"}),
        is_broken=_never(r";$", unless=r"^\s*(?:for|if|switch)\b"),
    ),
    Rule(
        name="colon of no case",
        languages=frozenset({"go"}),
        is_broken=_never(r":$", unless=r"^\s*(?:case\b.*|default|\w+):$"),
    ),
    Rule(name="comma between imports", languages=frozenset({"go"}), is_broken=_lists_imports),
)


def no_broken_line(draft: Draft, spot: Spot, trigger: Trigger) -> Draft:
    """Nothing, if the cursor's line or one behind it would be wrong."""
    return replace(draft, text="") if broken(draft, spot) else draft


def broken(draft: Draft, spot: Spot) -> str:
    """By which rule a suggestion is wrong; empty if by none."""
    if spot.in_comment or spot.language not in BRACES | SHORT_STRINGS:
        return ""
    first, *others = draft.text.split("\n")
    behind = spot.line_after[draft.replace_after :].rstrip()
    lines = [spot.line_before + first, *others]
    lines[-1] += behind
    known = lexed_before(spot, at_line=True)
    above = spot.before[: len(spot.before) - len(spot.line_before)]
    for number, text in enumerate(lines):
        found = bare(text, spot.facts, known.inside)
        if _leaves_string_open(text, found.open_quote, spot.language):
            return "string left open"
        after = join(known, _shifted(lex(text, spot.facts, known.inside), len(above)))
        line = Line(
            bare=found.text.rstrip(),
            begins_in=_innermost(known),
            ends_in=_innermost(after),
            text=above + text,
            start=len(above),
        )
        is_said = 0 < number or bool(first.strip())
        for rule in RULES if is_said and line.bare.strip(CLOSERS + "; \t") else ():
            if spot.language in rule.languages and rule.is_broken(line):
                return rule.name
        above, known = f"{above}{text}\n", after
    return ""


def _innermost(known: Lexed) -> Mark | None:
    return known.opens[-1] if known.opens else None


def _shifted(it: Lexed, by: int) -> Lexed:
    opens = tuple(Mark(at=mark.at + by, text=mark.text) for mark in it.opens)
    return replace(it, opens=opens, closes=tuple(Mark(at=mark.at + by, text=mark.text) for mark in it.closes))


def _leaves_string_open(line: str, at: int | None, language: str) -> bool:
    """Whether a string begins that its line should end, and is no apostrophe and no quote of another kind."""
    if at is None or language not in SHORT_STRINGS or line.endswith("\\"):
        return False
    before = line[:at]
    return not (before[-1:].isalnum() or before[-1:] in ("@", "$") or before.endswith(line[at] * 2))
