"""Pure: code without its strings and comments, and which bracket belongs to which."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

_HASH_COMMENT = r"\#[^\n]*"
_C_COMMENT = r"//[^\n]*|/\*(?s:.*?)(?:\*/|\Z)"
_SHORT = r'"(?:\\[\s\S]|[^"\\\n])*(?:"|$|\Z)' + r"|'(?:\\[\s\S]|[^'\\\n])*(?:'|$|\Z)"
_DOUBLE = r'"(?:\\[\s\S]|[^"\\\n])*(?:"|$|\Z)'
_LONG = r'"""(?:\\[\s\S]|(?!""")[\s\S])*(?:"""|\Z)' + r"|'''(?:\\[\s\S]|(?!''')[\s\S])*(?:'''|\Z)"
_BACKTICK = r"`(?:\\[\s\S]|[^`\\])*(?:`|\Z)"
_RAW_BACKTICK = r"`[^`]*(?:`|\Z)"
_CHARACTER = r"'(?:\\[^\n']+|\\'|[^'\\\n])'"
_RUST_RAW = r'r(?P<hashes>#*)"(?s:.*?)(?:"(?P=hashes)|\Z)'
_REGEX = r"(?:(?<=[(,=:\[!&|?{};])|(?<=return)) *(?!//|/\*)/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\[\n])+/[a-z]*"

_PYTHON = f"{_HASH_COMMENT}|{_LONG}|{_SHORT}"
_SCRIPT = f"{_C_COMMENT}|{_BACKTICK}|{_SHORT}|{_REGEX}"
_BY_LANGUAGE = {
    "c": f"{_C_COMMENT}|{_CHARACTER}|{_DOUBLE}",
    "go": f"{_C_COMMENT}|{_RAW_BACKTICK}|{_CHARACTER}|{_DOUBLE}",
    "html": r"<!--(?s:.*?)(?:-->|\Z)",
    "java": f'{_C_COMMENT}|"""(?s:.*?)(?:"""|\\Z)|{_CHARACTER}|{_DOUBLE}',
    "javascript": _SCRIPT,
    "lua": rf"--\[\[(?s:.*?)(?:\]\]|\Z)|--[^\n]*|\[\[(?s:.*?)(?:\]\]|\Z)|{_SHORT}",
    "python": _PYTHON,
    "ruby": f"{_HASH_COMMENT}|{_SHORT}",
    "rust": f'{_C_COMMENT}|{_RUST_RAW}|{_CHARACTER}|"(?:\\\\[\\s\\S]|[^"\\\\])*(?:"|\\Z)',
    "shellscript": rf"(?<!\S)\#[^\n]*|{_SHORT}",
    "sql": rf"--[^\n]*|/\*(?s:.*?)(?:\*/|\Z)|{_SHORT}",
    "yaml": rf"(?<!\S)\#[^\n]*|{_SHORT}",
}
_LIKE = {
    "cpp": "c", "objective-c": "c", "objective-cpp": "c", "cuda-cpp": "c", "zig": "c", "css": "c",
    "proto": "c",
    "csharp": "java", "kotlin": "java", "scala": "java", "swift": "java", "groovy": "java",
    "javascriptreact": "javascript", "typescript": "javascript", "typescriptreact": "javascript",
    "dart": "javascript", "php": "javascript", "json": "javascript", "jsonc": "javascript",
    "toml": "python", "starlark": "python", "bazel": "python", "elixir": "python", "perl": "ruby",
    "xml": "html", "markdown": "html", "vue": "html", "svelte": "html", "dockerfile": "yaml",
}  # fmt: skip
BY_INDENTATION = frozenset({"python", "yaml", "markdown", "restructuredtext", "starlark", "bazel", "nim"})
PAIRS = {")": "(", "]": "[", "}": "{"}
_COMMENT = re.compile(r"\s*(?:#(?!\[|!\[|include|define|if|else|end|pragma)|//|/\*|\*|--(?!\w)|<!--|;;)")


def family(language: str) -> str:
    """The language whose strings and comments look the same; itself, if it is not known."""
    return _LIKE.get(language, language)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """Code as a lexer sees it; of the same length and with the same lines as the text."""

    blank: str
    """Blanks in the place of everything in strings and comments."""
    pairs: dict[int, int]
    """From where a bracket opens to where it closes."""
    whole: bool
    """Whether each bracket and each long string is closed, in order."""
    inside: tuple[int, ...]
    """For each line, whether it begins in a string or comment (-1), or in how many brackets."""
    curly: tuple[int, ...]
    """For each line, in how many curly brackets it begins."""
    starts: tuple[int, ...]


def scan(text: str, language: str) -> Scan:
    """Read a text once, from front to back; lines end in a line feed."""
    pattern = _pattern(family(language))
    spans = [it.span() for it in pattern.finditer(text) if it.end() != it.start()] if pattern else []
    parts, at = [], 0
    for start, end in spans:
        parts += [text[at:start], re.sub(r"[^\n]", " ", text[start:end])]
        at = end
    blank = "".join([*parts, text[at:]])
    pairs: dict[int, int] = {}
    open_: list[int] = []
    whole = not _is_open(text, spans)
    depths, curly, starts = [0], [0], [0]
    braces = 0
    for found in re.finditer(r"[()\[\]{}\n]", blank):
        mark = found.group()
        if mark == "\n":
            depths.append(len(open_))
            curly.append(braces)
            starts.append(found.end())
        elif mark in "([{":
            open_.append(found.start())
            braces += mark == "{"
        elif open_ and blank[open_[-1]] == PAIRS[mark]:
            pairs[open_.pop()] = found.start()
            braces -= mark == "}"
        else:
            whole = False
    inside = list(depths)
    for line in _lines_within(text, spans):
        inside[line] = -1
    return Scan(
        blank=blank,
        pairs=pairs,
        whole=whole and not open_,
        inside=tuple(inside),
        curly=tuple(curly),
        starts=tuple(starts),
    )


def is_comment(line: str) -> bool:
    """Whether a line is a comment and nothing else, in most languages."""
    return bool(_COMMENT.match(line))


def _lines_within(text: str, spans: list[tuple[int, int]]) -> list[int]:
    """The numbers of the lines that begin in a string or comment."""
    found: list[int] = []
    line, at = 0, 0
    for start, end in spans:
        line += text.count("\n", at, start)
        breaks = text.count("\n", start, end)
        found += range(line + 1, line + breaks + 1)
        line += breaks
        at = end
    return found


def _is_open(text: str, spans: list[tuple[int, int]]) -> bool:
    """Whether the last string or comment reaches the end of the text without having ended."""
    if not spans or spans[-1][1] != len(text):
        return False
    last = text[slice(*spans[-1])]
    if last.startswith("/*"):
        return not last.endswith("*/") or len(last) < len("/**/")
    mark = last[:3] if last[:3] in ('"""', "'''") else last[:1]
    return mark in ('"""', "'''", "`") and (len(last) < 2 * len(mark) or not last.endswith(mark))


@cache
def _pattern(language: str) -> re.Pattern[str] | None:
    found = _BY_LANGUAGE.get(language)
    return re.compile(found, re.MULTILINE) if found else None
