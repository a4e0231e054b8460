"""Pure: the lines of a `.gitignore` -> ``Rules``, and what the last that matches says of a path, as in git.

pathspec translates what a pattern says about folders: its anchor, its depth, `**`. What stands between the
slashes is read by ``wildmatch``, and pathspec gets a stand-in for each name: there it differs from git.
Patterns without wildcards are looked up, so that a long list of names costs nothing.

Paths and patterns are *byte text*: their bytes, one character each (``byte_text``). So a file of rules needs
no encoding, and `?` is one byte, as in git.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

from codeindex.wildmatch import SPECIAL, names_of

MOST_GLOBS = 20_000  # Patterns with wildcards in one file: each costs every path some 50 ns.
MOST_DEPTHS = 3  # `**` in one pattern: what a path costs grows with this power of its length.
MOST_NAMES = 2_048  # Between the slashes of a pattern: no path is deeper than that.
CHUNK = 200  # Patterns per regular expression: few enough to be compiled at once.

FOLDER = "\0"  # Ends the path of a folder while it is matched; no name contains it.
STAND_IN = 0x100  # The first character that is no byte.
BOM = "\xef\xbb\xbf"


@dataclass(frozen=True, slots=True, kw_only=True)
class Globs:
    """Some patterns in one expression, the last one first: the first alternative that matches counts."""

    expression: re.Pattern[str]
    numbers: tuple[int, ...]
    """Of each alternative, which rule of the file it is; descending."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The rules of one file, by their number in it. The highest number that matches decides."""

    excludes: tuple[bool, ...]
    """Of each rule, whether it leaves out (else it brings back)."""
    lines: tuple[int, ...]
    """Of each rule, in which line of the file it stands; the first is 1."""
    literals: Mapping[str, int]
    """Patterns without wildcards: a name, or a slash and a path."""
    folders: Mapping[str, int]
    """The same, for folders only."""
    name_globs: tuple[Globs, ...]
    path_globs: tuple[Globs, ...]
    ignore_case: bool
    problems: tuple[str, ...]
    """What could not be honored, a sentence each."""


def byte_text(path: str) -> str:
    """The bytes of a path as characters; most paths are their own."""
    return path if path.isascii() else path.encode("utf-8", "surrogateescape").decode("latin-1")


def read_rules(data: bytes, *, ignore_case: bool = False) -> Rules:
    """The rules in a file's bytes. No content is wrong: a line that makes no sense matches nothing."""
    excludes: list[bool] = []
    places: list[int] = []
    literals: dict[str, int] = {}
    folders: dict[str, int] = {}
    name_globs: list[tuple[str, int]] = []
    path_globs: list[tuple[str, int]] = []
    problems: list[str] = []
    for place, line in enumerate(data.decode("latin-1").removeprefix(BOM).split("\n"), 1):
        pattern = _trimmed(line)
        if not pattern:
            continue
        negative = pattern[0] == "!"
        pattern = pattern[negative:]
        only_folders = pattern.endswith("/")
        pattern = pattern.removesuffix("/")
        if not pattern:
            continue
        number = len(excludes)
        excludes.append(not negative)
        places.append(place)
        rooted = "/" in pattern
        pattern = pattern.removeprefix("/")
        if SPECIAL.isdisjoint(pattern):
            key = _folded("/" * rooted + pattern, ignore_case)
            (folders if only_folders else literals)[key] = number
            continue
        expression = _expression(pattern, rooted=rooted, ignore_case=ignore_case, problems=problems)
        if expression is not None:
            tail = FOLDER if only_folders else f"{FOLDER}?"
            (path_globs if rooted else name_globs).append((expression + tail, number))
    if MOST_GLOBS < len(name_globs) + len(path_globs):
        problems.append(f"There are more than {MOST_GLOBS:,} patterns with wildcards; the first ones count.")
        last = sorted(it[1] for it in name_globs + path_globs)[MOST_GLOBS]
        name_globs = [it for it in name_globs if it[1] < last]
        path_globs = [it for it in path_globs if it[1] < last]
    return Rules(
        excludes=tuple(excludes),
        lines=tuple(places),
        literals=literals,
        folders=folders,
        name_globs=_compiled(name_globs, ignore_case),
        path_globs=_compiled(path_globs, ignore_case),
        ignore_case=ignore_case,
        problems=tuple(dict.fromkeys(problems)),
    )


def verdict(rules: Rules, path: str, *, folder: bool) -> bool | None:
    """Whether the rules leave this very path out (True), bring it back (False), or do not speak of it (None).

    The path is byte text, relative to where the rules stand, without a slash at either end. What they say of
    the folders above it is another question, to be asked first.
    """
    number = deciding(rules, path, folder=folder)
    return None if number < 0 else rules.excludes[number]


def deciding(rules: Rules, path: str, *, folder: bool) -> int:
    """The number of the rule that decides about this very path; -1 for none."""
    name = path.rpartition("/")[2]
    key = _folded(name, rules.ignore_case)
    rooted = _folded("/" + path, rules.ignore_case)
    number = max(rules.literals.get(key, -1), rules.literals.get(rooted, -1))
    if folder:
        number = max(number, rules.folders.get(key, -1), rules.folders.get(rooted, -1))
        name, path = name + FOLDER, path + FOLDER
    number = _last(rules.name_globs, name, number)
    return _last(rules.path_globs, path, number)


def _last(globs: tuple[Globs, ...], subject: str, number: int) -> int:
    """The highest number of a pattern that matches, if it is above this one; else this one."""
    for chunk in globs:
        if chunk.numbers[0] <= number:
            break
        if (match := chunk.expression.fullmatch(subject)) and match.lastindex:
            return max(number, chunk.numbers[match.lastindex - 1])
    return number


def _compiled(globs: list[tuple[str, int]], ignore_case: bool) -> tuple[Globs, ...]:
    flags = re.ASCII | re.DOTALL | (re.IGNORECASE if ignore_case else 0)
    last_first = globs[::-1]
    chunks = (last_first[it : it + CHUNK] for it in range(0, len(last_first), CHUNK))
    return tuple(
        Globs(
            expression=re.compile("|".join(f"({expression})" for expression, _ in chunk), flags),
            numbers=tuple(number for _, number in chunk),
        )
        for chunk in chunks
    )


def _folded(text: str, ignore_case: bool) -> str:
    return text.encode("latin-1").lower().decode("latin-1") if ignore_case else text


def _trimmed(line: str) -> str:
    """A line without its line end, and without the spaces behind it unless a backslash keeps them."""
    if line.startswith("#"):
        return ""
    line = line.removesuffix("\r").partition("\0")[0]
    if not line.endswith(" "):
        return line
    kept = place = 0
    while place < len(line):
        if line[place] == "\\":
            place += 1
            if place == len(line):
                return line
            kept = place + 1
        elif line[place] != " ":
            kept = place + 1
        place += 1
    return line[:kept]


def _expression(pattern: str, *, rooted: bool, ignore_case: bool, problems: list[str]) -> str | None:
    """A pattern with wildcards as a regular expression; None if nothing can match it."""
    names = names_of(pattern, ignore_case=ignore_case)
    if names is None or MOST_NAMES < len(names):
        return None
    if not rooted:
        return names[-1]
    if MOST_DEPTHS < names.count("**"):
        problems.append(f"A pattern with more than {MOST_DEPTHS} times ** is left aside.")
        return None
    stand_ins = {STAND_IN + number: name for number, name in enumerate(names) if name != "**"}
    path = "/".join("**" if it == "**" else chr(STAND_IN + number) for number, it in enumerate(names))
    return _translated("/" + path).removesuffix(TAIL).translate(stand_ins)


def _translated(pattern: str) -> str:
    expression, _ = GitIgnoreSpecPattern.pattern_to_regex(pattern)
    return (expression or "").removeprefix("^")


TAIL = _translated("/" + chr(STAND_IN))[1:]
"""How pathspec ends an expression, to take what lies below too. Here only the path itself is asked about."""
