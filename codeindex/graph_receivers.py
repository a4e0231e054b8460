"""Pure: what stands before a name in a line of code, and what a file calls what it imports."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache

BARE = ""
"""Nothing stands before the name."""
EXPRESSION = "?"
"""What stands there is no plain name: a call, an index, a literal, the line above."""
LONGEST_LINE = 2_000  # Characters that are looked at: more is no code that a person wrote.
LONGEST_IMPORT = 30  # Lines of one import statement that are looked at.

CHAIN = re.compile(
    r"(?P<chain>[$@]?\w+(?:\s?(?:\??\.|->|::|\\)\s?[$@]?\w+)*)?\s*(?:[?!]?\.|!!\.|\?->|->|::|\\)\s*\Z"
)
JOINTS = (".", "?.", "->", "::")
JOINT = re.compile(r"\s?(?:\??\.|->|::|\\)\s?")
LUA = re.compile(r"(?P<chain>\w+(?:\.\w+)*):\Z")
SUPER = re.compile(r"\bsuper\(.{0,80}\)\s*\.\s*\Z")
DEFINES = re.compile(r"\b(?:def|fn|func|function|fun|class|struct|interface|trait|enum|type|sub)\s+\Z")
COMMENT = re.compile(r"(?:^|\s)(?:#|//|--|/\*)|^\s*\*")
TRIPLE = re.compile("\"\"\"|'''")
WORD = re.compile(r"[A-Za-z_]\w*")
CALLED = re.compile(r"\s*(?:\?\.)?[(!<{\[\"'`]")
RENAMED = re.compile(r"([\w.:\\]+)\s+as\s+(\w+)|([\w.\\:]+)\s*=>\s*(\w+)")
DEFAULT = re.compile(r"\bimport\s+(?:type\s+)?(\w+)\s*(?:,|from\b)")
STAR = re.compile(r"\*\s*as\s+(\w+)")
REQUIRED = re.compile(r"\b(?:const|let|var|local|import)?\s*(\w+)\s*=\s*(?:await\s+)?(?:require|import)\b")
GO_ALIAS = re.compile(r"^\s*(?:import\s+)?([\w.]+)\s+[\"`]")
PHP_ALIAS = re.compile(r"\bas\s+(\w+)\s*;")


@lru_cache(maxsize=4096)
def _found(name: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w$]){re.escape(name)}(?![\w$])")


def receivers(line: str, name: str, *, is_call: bool) -> frozenset[str]:
    """What stands before the name, wherever it stands in the line: dotted names, BARE or EXPRESSION.

    Empty if the name is not there. Of a call, the places where something follows that calls are looked at.
    """
    text = line[:LONGEST_LINE]
    places = [it for it in _found(name).finditer(text) if not DEFINES.search(text, 0, it.start())]
    if is_call:
        places = [it for it in places if CALLED.match(text, it.end())] or places
    return frozenset(_before(text[: it.start()]) for it in places)


def called_at(
    lines: Sequence[str], first: int, last: int, name: str, apart: Iterable[tuple[int, int]]
) -> list[int]:
    """The lines, 1-based, in which a name is called, from a first one to a last one.

    What is ``apart`` (first and last lines) is left out, and so is what looks like a comment or a text.
    """
    found: list[int] = []
    ends = {one: other for one, other in sorted(apart) if first < one}
    line, quote = first, ""
    while line <= min(last, len(lines)):
        text = lines[line - 1][:LONGEST_LINE]
        if line in ends and not quote:
            line = max(ends[line], line) + 1
            continue
        if not quote and name in text and any(_is_call(text, it) for it in _found(name).finditer(text)):
            found.append(line)
        for it in TRIPLE.findall(text):
            quote = it if not quote else "" if quote == it else quote
        line += 1
    return found


def _is_call(text: str, place: re.Match[str]) -> bool:
    before = text[: place.start()]
    plain = not DEFINES.search(before) and not any(before.count(it) % 2 for it in "\"'`")
    return plain and not COMMENT.search(before) and CALLED.match(text, place.end()) is not None


def receiver_of(lines: Sequence[str], line: int, column: int, *, joints: Collection[str] = ()) -> str:
    """What stands before a name at a place: 1-based line, 0-based column.

    ``joints``: which of the signs that are joints in some languages alone are so here: ``->``, ``:``.
    """
    before = lines[line - 1][:column][-LONGEST_LINE:]
    if any(it not in joints and before.rstrip().endswith(it) for it in ("->", ":")) and not (
        before.rstrip().endswith("::")
    ):
        return BARE
    above = lines[line - 2].rstrip() if 1 < line else ""
    if before.lstrip() in JOINTS or (not before.strip() and above.endswith(JOINTS)):
        before = f"{above.strip()} {before.lstrip()}"
    return _before(before)


def _before(text: str) -> str:
    if SUPER.search(text):
        return "super"
    match = CHAIN.search(text) or LUA.search(text)
    if match is None:
        return BARE
    chain = match["chain"]
    before = text[match.start("chain") - 1 : match.start("chain")] if chain else ""
    if not chain or chain[0].isdigit() or before in tuple(")]}.\"'"):
        return EXPRESSION
    return ".".join(it.lstrip("$@") for it in JOINT.split(chain))


def bases(signature: str, name: str) -> frozenset[str]:
    """The names that the head of a class has behind its own: what it inherits from is among them."""
    behind = _found(name).split(signature, maxsplit=1)[1:]
    return frozenset(WORD.findall(behind[0])) - {name} if behind else frozenset()


def renamed(lines: Iterable[str]) -> dict[str, str]:
    """What the lines of an import call what they import: by the name in this file, the name over there.

    The whole module is called ``*`` over there.
    """
    text = _statement(lines)
    found = {here: there for there, here, _, _ in RENAMED.findall(text) if here and there}
    found |= {here: there for _, _, there, here in RENAMED.findall(text) if here and there}
    for pattern in (STAR, DEFAULT, REQUIRED, GO_ALIAS):
        for here in pattern.findall(text):
            found[here] = "*"
    return found


def _statement(lines: Iterable[str]) -> str:
    """The lines up to where all brackets are closed again."""
    taken: list[str] = []
    depth = 0
    for line in lines:
        taken.append(line[:LONGEST_LINE])
        depth += sum(line.count(it) for it in "([{") - sum(line.count(it) for it in ")]}")
        if (depth <= 0 and not line.rstrip().endswith("\\")) or LONGEST_IMPORT <= len(taken):
            break
    return "\n".join(taken)
