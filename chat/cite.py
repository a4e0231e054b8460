"""Citations in an answer: ``[3]`` becomes a link to what the number stands for, also while it streams.

What is not to be seen is never shown, not even for a moment: half a bracket waits for its other half.
A number that stands for nothing disappears, and so does the target of a link to a file that nobody gave the
model. Code, in fences and between backticks, stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from chat.code import Code
from chat.types import Place

LONGEST_LABEL = 300  # Characters between brackets that may still become a link.
LONGEST_TARGET = 1_000
MOST_IN_A_RANGE = 20
LONGEST_WORD = 80  # Characters before a bracket that are looked at.

_NUMBERS = re.compile(r"\^?\s*\d{1,3}(?:\s*(?:[,;&–—-]|and)\s*\d{1,3})*\s*(?:†.*)?")
_PART = re.compile(r"(\d{1,3})(?:\s*[-–—]\s*(\d{1,3}))?")
_EDGE = re.compile(r"[ \t]*(`{3,}|~{3,})")
_MAY_BE_EDGE = re.compile(r"[ \t]*(?:`*|~*)\Z")
_LINES = re.compile(r"#L(\d+)(?:-L?(\d+))?\Z|:(\d+)(?:-(\d+))?\Z")
_ELSEWHERE = re.compile(r"(?!file:)[a-z][a-z0-9+.-]+:(?!\d)|//|#", re.IGNORECASE)
_HEX = re.compile(r"(?:%[0-9A-Fa-f]{2})+")
_IN_CODE = re.compile(r"[._$]|\w\(|[a-z][A-Z]")
_CITED = re.compile(r"(?:\[[^\[\]]*\])+\Z")
_MARKUP = re.compile(r"([\\\[\]*`<>])")
_PLAIN = re.compile(r"[^\n`\[【 \t\\]+")
_CLOSING = {"[": "]", "【": "】"}

Step = tuple[int, str]
"""Where the next part ends, and what is shown for it."""


def expand(text: str, numbers: Mapping[int, Place]) -> tuple[str, tuple[Place, ...]]:
    """The text with links, and the places that it cites, each once, in order."""
    stream = Stream(numbers)
    return stream.feed(text) + stream.end(), stream.places


async def resolve(places: Iterable[Place], code: Code) -> tuple[Place, ...]:
    """Those of the places that are there now; lines behind the end of a file are left out."""
    found: list[Place] = []
    lengths: dict[str, int] = {}
    for it in places:
        if it.path not in lengths:
            text = await code.text(it.path)
            lengths[it.path] = text.count("\n") + (not text.endswith("\n")) if text else 0
        last = min(it.last_line, lengths[it.path])
        if 1 <= it.first_line <= last:
            found.append(it if last == it.last_line else _lines(it.path, it.first_line, last))
    return tuple(found)


def link(place: Place) -> str:
    """A place as Markdown: its path and lines, to click on."""
    label = _MARKUP.sub(r"\\\1", place.link)
    return f"[{label}]({target(place)})"


def target(place: Place) -> str:
    """Where the link of a place goes; what Markdown would take for its end stands in hexadecimal."""
    return re.sub(
        r"[\s()<>\\%\x00-\x1f]", lambda it: "".join(f"%{byte:02X}" for byte in it[0].encode()), place.link
    )


class Stream:
    """An answer that comes in pieces: together, what is shown of them is what ``expand`` makes of all."""

    def __init__(self, numbers: Mapping[int, Place]) -> None:
        self._numbers = dict(numbers)
        self._places: dict[Place, None] = {}
        self._waiting = ""
        self._before = ""
        """The end of what has been read: what a bracket stands behind."""
        self._is_line_begun = False
        self._fence = ""
        """The marks that opened the block of code we are in."""
        self._span = ""
        """The backticks that opened the code within this line."""

    @property
    def places(self) -> tuple[Place, ...]:
        """What has been cited so far."""
        return tuple(self._places)

    def feed(self, piece: str) -> str:
        """What can be shown now."""
        self._waiting += piece
        return self._read(is_end=False)

    def end(self) -> str:
        """What was still waiting: nothing comes any more."""
        return self._read(is_end=True)

    def _read(self, *, is_end: bool) -> str:
        shown: list[str] = []
        text, at = self._waiting, 0
        while at < len(text):
            step = self._step(text, at, is_end)
            if step is None:
                break
            to, out = step
            shown.append(out)
            self._before = (self._before + text[at:to])[-LONGEST_WORD:]
            at = to
        self._waiting = text[at:]
        return "".join(shown)

    def _step(self, text: str, at: int, is_end: bool) -> Step | None:
        """The next part; None: it depends on what comes."""
        if not self._is_line_begun:
            return self._begun(text, at, is_end)
        letter = text[at]
        if letter == "\n":
            self._span, self._is_line_begun = "", False
            return at + 1, letter
        if self._fence:
            return _as_it_is(text, at, re.compile(r"[^\n]+"))
        if letter == "`":
            return self._backticks(text, at, is_end)
        if self._span:
            return _as_it_is(text, at, re.compile(r"[^\n`]+"))
        if letter in " \t":
            return self._blanks(text, at, is_end)
        if letter in _CLOSING:
            return self._bracket(text, at, at, is_end)
        if letter == "\\":
            return (
                (at + 2, text[at : at + 2]) if at + 1 < len(text) else ((at + 1, letter) if is_end else None)
            )
        return _as_it_is(text, at, _PLAIN)

    def _begun(self, text: str, at: int, is_end: bool) -> Step | None:
        """The beginning of a line, which may be the edge of a block of code."""
        end = text.find("\n", at)
        line = text[at:] if end < 0 else text[at:end]
        if end < 0 and not is_end and _MAY_BE_EDGE.match(line):
            return None
        edge = _EDGE.match(line)
        if self._fence and edge and edge[1].startswith(self._fence) and not line[edge.end() :].strip():
            if end < 0 and not is_end:
                return None
            self._fence = ""
            self._is_line_begun = True
            return at + len(line), line
        self._is_line_begun = True
        if edge and not self._fence and not (edge[1][0] == "`" and "`" in line[edge.end() :]):
            if end < 0 and not is_end:
                self._is_line_begun = False
                return None  # The rest of the line says whether it is one.
            self._fence = edge[1]
            return at + len(line), line
        indent = len(line) - len(line.lstrip(" \t"))
        return at + indent, line[:indent]

    def _backticks(self, text: str, at: int, is_end: bool) -> Step | None:
        to = _behind(text, at, "`")
        if to == len(text) and not is_end:
            return None
        run = text[at:to]
        if not self._span:
            self._span = run
        elif self._span == run:
            self._span = ""
        return to, run

    def _blanks(self, text: str, at: int, is_end: bool) -> Step | None:
        to = _behind(text, at, " \t")
        if to == len(text):
            return (to, text[at:]) if is_end else None
        return self._bracket(text, at, to, is_end) if text[to] in _CLOSING else (to, text[at:to])

    def _bracket(self, text: str, start: int, at: int, is_end: bool) -> Step | None:
        """A citation, a link, or a bracket like others, with the blanks from ``start`` before it."""
        literal = at + 1, text[start : at + 1]
        close = _closing(text, at, _CLOSING[text[at]], LONGEST_LABEL)
        if close is None:
            return literal if is_end or _is_decided(text, at, LONGEST_LABEL) else None
        if close + 1 == len(text) and not is_end:
            return None
        label, to, goal = text[at + 1 : close], close + 1, None
        if text[to : to + 1] == "(":
            last = _closing(text, to, ")", LONGEST_TARGET)
            if last is None and not is_end and not _is_decided(text, to, LONGEST_TARGET):
                return None
            if last is not None:
                goal, to = text[close + 2 : last], last + 1
        blanks = text[start:at]
        if _NUMBERS.fullmatch(label):
            shown = self._cited(label, "" if blanks else self._before)
            if shown is not None:
                return to, blanks + shown if shown else ""
            return literal
        if goal is None or text[at] != "[":
            return literal
        return to, blanks + self._linked(label, goal, text[at:to])

    def _cited(self, label: str, before: str) -> str | None:
        """The links of a citation; empty if its numbers stand for nothing; None if it is none."""
        wanted = list(_numbers(label))
        word = (
            _CITED.sub("", before).rpartition(" ")[2].rpartition("\n")[2].rpartition("`")[2].rstrip(".,;:!?")
        )
        known = [self._numbers[it] for it in dict.fromkeys(wanted) if it in self._numbers]
        is_attached = bool(word) and (word[-1].isalnum() or word[-1] in "_)") and before.endswith(word[-1])
        if 0 in wanted or not wanted or (is_attached and (not known or _IN_CODE.search(word))):
            return None
        self._places.update(dict.fromkeys(known))
        return ", ".join(link(it) for it in known)

    def _linked(self, label: str, goal: str, whole: str) -> str:
        """A link that the model wrote itself: kept if it goes elsewhere, or to a file that it was shown."""
        goal = goal.strip()
        bare = goal[1:].partition(">")[0] if goal.startswith("<") else (goal.split() or [""])[0]
        if _ELSEWHERE.match(bare):
            return whole
        bare = _HEX.sub(lambda it: bytes.fromhex(it[0].replace("%", "")).decode("utf-8", "replace"), bare)
        lines = _LINES.search(bare)
        path = (bare[: lines.start()] if lines else bare).removeprefix("./").partition("#")[0]
        there = [it for it in self._numbers.values() if it.path == path]
        if not there:
            return label
        place = there[0]
        if lines:
            first = int(lines[1] or lines[3])
            last = int(lines[2] or lines[4] or first)
            if any(it.first_line <= first <= last <= it.last_line for it in there):
                place = _lines(path, first, last)
        self._places[place] = None
        return f"[{label}]({target(place)})"


def _lines(path: str, first: int, last: int) -> Place:
    return Place(path=path, first_line=first, last_line=last)


def _numbers(label: str) -> Iterator[int]:
    for it in _PART.finditer(label.partition("†")[0]):
        first, last = int(it[1]), int(it[2] or it[1])
        yield from range(first, last + 1) if last - first < MOST_IN_A_RANGE else (first, last)


def _as_it_is(text: str, at: int, pattern: re.Pattern[str]) -> Step:
    match = pattern.match(text, at)
    to = match.end() if match else at + 1
    return to, text[at:to]


def _behind(text: str, at: int, letters: str) -> int:
    while at < len(text) and text[at] in letters:
        at += 1
    return at


def _closing(text: str, at: int, close: str, most: int) -> int | None:
    """Where what opens here is closed, in the same line and not too far; None if it is not, so far."""
    depth = 0
    for place in range(at, min(len(text), at + most)):
        if text[place] == "\n":
            return None
        depth += (text[place] == text[at]) - (text[place] == close)
        if depth == 0:
            return place
    return None


def _is_decided(text: str, at: int, most: int) -> bool:
    """Whether more text cannot close it any more."""
    return at + most <= len(text) or 0 <= text.find("\n", at)
