"""Pure: the names between the slashes of an ignore pattern -> regular expressions, as git's matcher reads.

It works on bytes, knows `[[:alpha:]]` and escapes within brackets, never lets brackets match a slash, and
takes `**` behind a pattern's literal beginning as if it stood at the start. No name makes it try everything.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

SPECIAL = frozenset("*?[\\")
ANY = r"[^/\0]"  # NUL is no byte of a name: it marks the end of a folder's path.
NOTHING = "(?!)"

# `**` as a name of its own, by what follows it: the end, a slash, an escaped slash (which has to be there).
DEPTH: Mapping[str, tuple[str, ...]] = {"": ("**", f"{ANY}+"), "/": ("**",), "\\/": (f"{ANY}+", "**")}
# `**` behind a literal beginning, `src**/x`: git takes the beginning off first.
DEPTH_WITHIN: Mapping[str, str] = {"": r"[^\0]*", "/": r"(?:[^\0]*/)?", "\\/": r"[^\0]*/"}

BLANK = frozenset(b" \t\n\v\f\r")
DIGITS, LOWER = frozenset(range(48, 58)), frozenset(range(97, 123))
UPPER, PRINTED = frozenset(range(65, 91)), frozenset(range(32, 127))
ALNUM = DIGITS | LOWER | UPPER
CLASSES: Mapping[str, frozenset[int]] = {
    "alnum": ALNUM,
    "alpha": LOWER | UPPER,
    "blank": frozenset(b" \t"),
    "cntrl": frozenset(range(32)) | {127},
    "digit": DIGITS,
    "graph": PRINTED - {32},
    "lower": LOWER,
    "print": PRINTED,
    "punct": PRINTED - ALNUM - {32},
    "space": BLANK - frozenset(b"\v\f"),  # git counts four blanks, not C's six.
    "upper": UPPER,
    "xdigit": DIGITS | frozenset(b"abcdefABCDEF"),
}


class _Unmatchable(Exception):
    """A pattern that git reads and never matches: brackets without an end, a backslash before nothing."""


def names_of(pattern: str, *, ignore_case: bool) -> list[str] | None:
    """An expression for each name between the slashes, `**` for any depth; None if nothing can match.

    The pattern is byte text, with at least one of ``SPECIAL``, and without a slash at either end.
    """
    names: list[str] = []
    parts = [""]  # of the name that is being read: what stands between its stars
    kind = end = ""
    try:
        for kind, text in _tokens(pattern, ignore_case):
            end = text
            if kind == "text":
                parts[-1] += text
            elif kind == "*":
                parts.append("")
            elif kind == "/":
                names.append(_joined(parts))
                parts = [""]
            elif parts == [""]:
                names += DEPTH[text][names[-1:] == ["**"] and text == "/" :]
            else:
                parts[-1] += DEPTH_WITHIN[text]
        if (kind, end, parts) == ("**", "", [""]):
            return names
        return [*names, _joined(parts)]
    except _Unmatchable:
        return None


def _joined(parts: list[str]) -> str:
    """The parts of a name with stars between them. Each star but the last takes the first fit, for good."""
    if parts == [""]:
        raise _Unmatchable
    first, *rest = parts
    if not rest:
        return first
    *middle, last = rest
    return first + "".join(f"(?>{ANY}*?{it})" for it in middle if it) + f"{ANY}*{last}"


def _tokens(pattern: str, ignore_case: bool) -> Iterator[tuple[str, str]]:
    """The kinds are text (an expression), `/`, `*`, and `**` with the slash behind it, if there is one."""
    literal = next(place for place, it in enumerate(pattern) if it in SPECIAL)
    place = 0
    while place < len(pattern):
        start, it = place, pattern[place]
        place += 1
        if it == "*":
            stars = re.compile(r"\*+").match(pattern, start)
            place = stars.end() if stars else place
            behind = re.compile(r"\\?/|\Z").match(pattern, place)
            begins = start in (0, literal) or pattern[start - 1] == "/"
            if 1 < place - start and begins and behind:
                place = behind.end()
                yield "**", behind.group()
            else:
                yield "*", ""
        elif it == "[":
            text, place = _bracket(pattern, place, ignore_case)
            yield "text", text
        elif it == "\\":
            text, place = _escaped(pattern, place)
            # git folds the letters of a path, and of a pattern except here and in brackets.
            yield "/" if text == "/" else "text", _literal(text, ignore_case)
        else:
            yield "/" if it == "/" else "text", ANY if it == "?" else re.escape(it)


def _literal(it: str, ignore_case: bool) -> str:
    return NOTHING if ignore_case and ord(it) in UPPER else re.escape(it)


def _escaped(pattern: str, place: int) -> tuple[str, int]:
    """The character at this place and the next place."""
    if place == len(pattern):
        raise _Unmatchable
    return pattern[place], place + 1


def _bracket(pattern: str, place: int, ignore_case: bool) -> tuple[str, int]:
    """What is in brackets, from behind the opening one, as an expression, and where it ends."""
    negative = pattern.startswith(("!", "^"), place)
    place += negative
    members: set[int] = set()
    previous = 0  # A range starts at the character before its hyphen, unless that ended a range or a class.
    first = True
    while first or not pattern.startswith("]", place):
        first = False
        it, place = _escaped(pattern, place)
        if it == "-" and previous and place < len(pattern) and pattern[place] != "]":
            last, place = _escaped(pattern, place + (pattern[place] == "\\"))
            span = range(previous, ord(last) + 1)
            members |= {*span, *(it + 32 for it in UPPER.intersection(span) if ignore_case)}
            previous = 0
        elif it == "[" and (named := _named(pattern, place)):
            place += len(named) + 3
            members |= _class(named, ignore_case)
            previous = 0
        else:
            if it == "\\":
                it, place = _escaped(pattern, place)
            members.add(ord(it))
            previous = ord(it)
    if ignore_case:
        members = {it for it in range(1, 256) if (it + 32 if it in UPPER else it) in members}
    members = (set(range(1, 256)) - members if negative else members) - {0, ord("/")}
    expression = "[" + "".join(f"\\x{it:02x}" for it in sorted(members)) + "]" if members else NOTHING
    return expression, place + 1


def _named(pattern: str, place: int) -> str:
    """The name in `:name:]` at this place, or nothing: then the bracket before it is one like any other."""
    if not pattern.startswith(":", place):
        return ""
    close = pattern.find("]", place + 1)
    if close < 0:
        raise _Unmatchable
    if close - 1 <= place or pattern[close - 1] != ":":
        return ""
    return pattern[place + 1 : close - 1] or ":"


def _class(name: str, ignore_case: bool) -> frozenset[int]:
    found = CLASSES.get(name)
    if found is None:
        raise _Unmatchable
    return LOWER | UPPER if ignore_case and found is UPPER else found
