"""Read brackets, strings and comments the way a lexer would: what is open, and what closes nothing."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

from completion.languages import CLOSERS, OPENER_OF, OPENERS, Language

Kind = Literal["bracket", "quote", "unfinished"]
LINE_END = "\n"
"""What ends a line comment; ``inside`` has this value in one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A bracket or a closing quote, and where it stands."""

    at: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Lexed:
    """What a piece of text leaves to its surroundings."""

    closes: tuple[Mark, ...]
    """Closers (and the quote that ends the string the text started in) that have no opener in the text."""
    opens: tuple[Mark, ...]
    """Openers that the text does not close, outermost first."""
    inside: str
    """What ends the string or comment in which the text ends; empty in code."""
    code_end: int
    """Where the last line's code ends and its comment, if it has one, begins."""


def lex(text: str, language: Language, inside: str = "") -> Lexed:
    """Read ``text``; ``inside`` says what ends the string or comment in which it starts."""
    return go_on(Lexed(closes=(), opens=(), inside=inside, code_end=0), text, 0, language)


def go_on(known: Lexed, text: str, start: int, language: Language) -> Lexed:
    """Read ``text`` of which ``known`` is what was read of it up to ``start``, where a line begins.

    What was read before begins in code, so that a string which is open at ``start`` was opened there.
    """
    closes, opens = list(known.closes), list(known.opens)
    depth = Counter(it.text for it in opens)
    open_end, code_end = "", len(text)
    for kind, mark in _marks(text, start, language, known.inside):
        if kind == "unfinished":
            began = known.code_end if start and known.inside and mark.at == start else mark.at
            open_end, code_end = mark.text, began if _is_comment(mark.text, language) else len(text)
        elif mark.text in OPENERS:
            opens.append(mark)
            depth[mark.text] += 1
        elif kind == "quote" and start:
            continue
        elif kind == "quote" or not depth[OPENER_OF[mark.text]]:
            closes.append(mark)
        else:
            _close(OPENER_OF[mark.text], opens, depth)
    return Lexed(closes=tuple(closes), opens=tuple(opens), inside=open_end, code_end=code_end)


def join(one: Lexed, other: Lexed) -> Lexed:
    """What two pieces of text leave open together.

    The first one starts in code, and the second one was read with the ``inside`` of the first.
    """
    opens = list(one.opens)
    depth = Counter(it.text for it in opens)
    closes = list(one.closes)
    for mark in sorted((*other.closes, *other.opens), key=lambda it: it.at):
        if mark.text in OPENERS:
            opens.append(mark)
            depth[mark.text] += 1
        elif mark.text in CLOSERS and depth[OPENER_OF[mark.text]]:
            _close(OPENER_OF[mark.text], opens, depth)
        elif mark.text in CLOSERS:  # Else it is the quote that ends the first one's string.
            closes.append(mark)
    return Lexed(closes=tuple(closes), opens=tuple(opens), inside=other.inside, code_end=other.code_end)


def code_of(line: str, language: Language) -> str:
    """The line without its trailing comment and blanks."""
    return line[: lex(line, language).code_end].rstrip()


def in_comment(inside: str, language: Language) -> bool:
    """Whether ``inside`` stands for a comment, not a string."""
    return bool(inside) and _is_comment(inside, language)


def _is_comment(inside: str, language: Language) -> bool:
    return inside == LINE_END or any(inside == end for _, end in language.block_comments)


def _marks(text: str, at: int, language: Language, inside: str) -> Iterator[tuple[Kind, Mark]]:
    """From ``at`` on: brackets, the quote that ends a string begun before, and what is left unfinished."""
    starts, ends = _patterns(language)
    if inside:
        start = at
        at, how = _end(text, at, inside, language)
        if how == "open":
            yield "unfinished", Mark(at=start, text=inside)
        elif how == "closed" and not _is_comment(inside, language):
            yield "quote", Mark(at=at - len(inside), text=inside)
    while found := starts.search(text, at):
        at, mark = found.end(), found.group()
        if mark in OPENERS or mark in CLOSERS:
            yield "bracket", Mark(at=found.start(), text=mark)
        elif found.lastgroup != "literal":
            end = ends.get(mark, LINE_END)
            at, how = _end(text, at, end, language)
            if how == "open":
                yield "unfinished", Mark(at=found.start(), text=end)


def _close(opener: str, opens: list[Mark], depth: Counter[str]) -> None:
    """Take away the innermost such opener and those inside it, whose closers somebody has forgotten."""
    while (innermost := opens.pop().text) != opener:
        depth[innermost] -= 1
    depth[opener] -= 1


def _end(text: str, at: int, inside: str, language: Language) -> tuple[int, Literal["closed", "cut", "open"]]:
    """Where the string or comment that ``inside`` ends is over, and how: a line end cuts a short string."""
    if _is_comment(inside, language):
        found = text.find(inside, at)
        if found < 0:
            return len(text), "open"
        return (found if inside == LINE_END else found + len(inside)), "closed"
    for match in _string_end(inside, inside not in language.long_quotes).finditer(text, at):
        if match.group() == LINE_END:
            return match.start(), "cut"
        if match.group() == inside:
            return match.end(), "closed"
    return len(text), "open"


@cache
def _string_end(quote: str, one_line: bool) -> re.Pattern[str]:
    ends: Sequence[str] = (re.escape(quote), LINE_END) if one_line else (re.escape(quote),)
    return re.compile(r"\\[\s\S]|" + "|".join(ends))


@cache
def _patterns(language: Language) -> tuple[re.Pattern[str], dict[str, str]]:
    """What starts something, and what ends it."""
    ends = dict(language.block_comments)
    ends |= {it: it for it in language.long_quotes}
    ends |= {it: it for it in language.quotes}
    alternatives = [rf"(?P<literal>{language.literal})"] if language.literal else []
    alternatives += [re.escape(start) for start, _ in language.block_comments]
    alternatives += language.line_comments
    alternatives += [re.escape(it) for it in language.long_quotes]
    alternatives.append("[" + re.escape(OPENERS + CLOSERS + language.quotes) + "]")
    return re.compile("|".join(alternatives)), ends


@dataclass(frozen=True, slots=True, kw_only=True)
class Bare:
    """One line, bare of all that is inside something."""

    text: str
    """Strings are ``""``, brackets that close are empty, comments are gone."""
    open_quote: int | None
    """Where a string begins that the line does not end; ``None`` if there is none."""


def bare(line: str, language: Language, inside: str = "") -> Bare:
    """What a line looks like to its grammar; ``inside`` says what ends the string or comment it begins in."""
    starts, ends = _patterns(language)
    parts: list[str] = []
    opened: list[int] = []
    at, open_quote = 0, None
    if inside:
        at, _ = _end(line, 0, inside, language)
        parts += [] if _is_comment(inside, language) else ['""']
    while found := starts.search(line, at):
        parts.append(line[at : found.start()])
        at, mark = found.end(), found.group()
        if mark in OPENERS:
            opened.append(len(parts))
            parts.append(mark)
        elif mark in CLOSERS:
            if opened and parts[opened[-1]] == OPENER_OF[mark]:
                del parts[opened.pop() + 1 :]
            parts.append(mark)
        elif found.lastgroup == "literal":
            parts.append(mark)
        else:
            end = ends.get(mark, LINE_END)
            at, how = _end(line, at, end, language)
            if not _is_comment(end, language):
                parts.append('""')
                open_quote = found.start() if how != "closed" and end in language.quotes else open_quote
    return Bare(text="".join([*parts, line[at:]]), open_quote=open_quote)
