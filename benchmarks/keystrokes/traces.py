"""What somebody types, key by key: lines of a file, the lines that a commit added, jumps to other places.

Values in, values out; the same seed gives the same places and the same rhythm.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import pairwise

CLOSER_OF = {"(": ")", "[": "]", "{": "}"}
SHORTEST_LINE = 16  # Characters that a line must have to be jumped to: a closing bracket tells little.
NEAR_LINES = 100
FIRST_WORD = re.compile(r"\s*(\w+)")
JUMP_LINES = 40  # As far from what is typed, and from other jumps, as a screen is high.


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One key: what it does to the document, and where the cursor stands then. All in code points."""

    at: int
    remove: int = 0
    insert: str = ""
    cursor: int
    asks: bool = True
    """Whether the editor asks for a suggestion; it does not for the edits that prepare the next passage."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """What the editor does by itself."""

    auto_indent: bool = False
    """Enter brings the indentation of the line above."""
    auto_close: bool = False
    """An opening bracket brings its closer, which is typed over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A document as it is opened, and the keys that are pressed in it."""

    path: str
    text: str
    keys: tuple[Key, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hole:
    """A line of which the rest is still to be written."""

    line: int
    """From 0."""
    column: int
    rest: str


def pressed(text: str, key: Key) -> str:
    """The document after a key."""
    return text[: key.at] + key.insert + text[key.at + key.remove :]


def lines_typed(path: str, text: str, first: int, last: int, habits: Habits) -> Passage:
    """The lines ``first`` to ``last`` (from 1, both included) typed in their place."""
    lines = _lines(text)
    if not 1 <= first <= last <= len(lines):
        raise ValueError(f"{path} has {len(lines)} lines; {first}:{last} are not among them.")
    body = "".join(lines[first - 1 : last])
    ending = "\n" if body.endswith("\n") else ""
    body = body.removesuffix(ending)
    before = "".join(lines[: first - 1])
    after = ending + "".join(lines[last:])
    return Passage(path=path, text=before + after, keys=tuple(typing(before, body, after, habits)))


def middle_lines(text: str, count: int) -> tuple[int, int]:
    """So many lines of code, first and last from 1, as near to the middle of a file as they come.

    Lines that call, assign or decide something are code; of these, those that begin with many different words
    are ordinary code, and neither a table nor a list of calls.
    """
    lines = _lines(text)
    count = min(count, len(lines))
    words = [_first_word(it) for it in lines]
    middle = (len(lines) - count) // 2
    near = range(max(0, middle - NEAR_LINES), min(len(lines) - count, middle + NEAR_LINES) + 1)
    first = max(near, key=lambda it: (len({*words[it : it + count]} - {""}), -abs(it - middle)))
    return first + 1, first + count


def change_typed(path: str, old: str, new: str, habits: Habits) -> Passage:
    """Every changed place of a document: the old lines go at once, the new ones are typed."""
    before, after = _lines(old), _lines(new)
    keys: list[Key] = []
    text = old
    for tag, first, last, start, end in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag == "equal":
            continue
        at = sum(map(len, after[:start]))
        gone = sum(map(len, before[first:last]))
        body = "".join(after[start:end])
        ending = "\n" if body.endswith("\n") else ""
        if gone or ending:
            keys.append(Key(at=at, remove=gone, insert=ending, cursor=at, asks=False))
            text = pressed(text, keys[-1])
        for key in typing(text[:at], body.removesuffix(ending), text[at:], habits):
            keys.append(key)
            text = pressed(text, key)
    return Passage(path=path, text=old, keys=tuple(keys))


def typing(before: str, body: str, after: str, habits: Habits) -> Iterator[Key]:
    """The keys that turn ``before + after`` into ``before + body + after``."""
    line = before[before.rfind("\n") + 1 :]
    cursor = len(before)
    pending = ""  # The closers that the editor has put behind the cursor.
    skip = 0
    for index, character in enumerate(body):
        if skip:
            skip -= 1
            continue
        insert = character
        if pending and character == pending[0]:
            insert, pending = "", pending[1:]
        elif habits.auto_close and character in CLOSER_OF:
            insert += CLOSER_OF[character]
            pending = CLOSER_OF[character] + pending
        surplus = 0
        if character == "\n" and habits.auto_indent:
            brought = _blanks(line)
            wanted = _blanks(body[index + 1 :].partition("\n")[0])
            skip = _common(brought, wanted)
            surplus = len(brought) - skip
            insert += brought
        line = "" if character == "\n" else line + character
        step = 1 + skip + surplus
        yield Key(at=cursor, insert=insert, cursor=cursor + step)
        cursor += step
        if character == "\n":
            line = body[index + 1 : index + 1 + skip]
        if surplus:
            cursor -= surplus
            yield Key(at=cursor, remove=surplus, cursor=cursor)
    if pending:
        yield Key(at=cursor, remove=len(pending), cursor=cursor, asks=False)


def holes(text: str, count: int, seed: int, *, keep_off: tuple[int, int] = (0, -1)) -> tuple[Hole, ...]:
    """Random places in lines of code, far from each other, in random order.

    ``keep_off`` are lines (from 0, both included) that no place is near to.
    """
    rng = random.Random(seed)
    lines = text.split("\n")
    order = [number for number, it in enumerate(lines) if SHORTEST_LINE <= len(it.strip())]
    rng.shuffle(order)
    found: list[Hole] = []
    for apart in (JUMP_LINES, JUMP_LINES // 8, 1):  # A short file has room for few places far apart.
        for number in order:
            near = any(abs(number - it.line) < apart for it in found)
            if near or keep_off[0] - apart < number < keep_off[1] + apart or len(found) == count:
                continue
            line = lines[number]
            indent = len(_blanks(line))
            column = rng.randrange(indent + 2, len(line.rstrip()) - 2)
            found.append(Hole(line=number, column=column, rest=line[column:]))
    return tuple(found)


def with_holes(text: str, made: Sequence[Hole]) -> str:
    """The document without the rests of these lines."""
    lines = text.split("\n")
    for it in made:
        lines[it.line] = lines[it.line][: it.column]
    return "\n".join(lines)


def jumps(path: str, text: str, made: Sequence[Hole]) -> Passage:
    """At every hole in turn, the next character is typed; all holes are there from the beginning."""
    document = with_holes(text, made)
    keys = []
    now = document
    for it in made:
        at = place_of(now, it)
        keys.append(Key(at=at, insert=it.rest[0], cursor=at + 1))
        now = pressed(now, keys[-1])
    return Passage(path=path, text=document, keys=tuple(keys))


def place_of(text: str, hole: Hole) -> int:
    """Where a hole is in a document whose lines are those it was made of."""
    return sum(len(it) + 1 for it in text.split("\n")[: hole.line]) + hole.column


def rhythm(count: int, median_s: float, spread: float, seed: int) -> tuple[float, ...]:
    """Seconds between keys: log-normal, as typing is, around a median."""
    rng = random.Random(seed)
    return tuple(median_s * rng.lognormvariate(0.0, spread) for _ in range(count))


def segments(count: int, rounds: int) -> list[range]:
    """``count`` keys in so many pieces of about the same size, none empty."""
    rounds = max(1, min(rounds, count))
    cuts = [number * count // rounds for number in range(rounds + 1)]
    return [range(first, last) for first, last in pairwise(cuts)]


def _first_word(line: str) -> str:
    """What a line of code begins with; empty if it is none."""
    is_code = any(it in line for it in "(=:") and not line.lstrip().startswith(("#", "//", "*"))
    word = FIRST_WORD.match(line)
    return word[1] if is_code and word else ""


def _lines(text: str) -> list[str]:
    """The lines with their breaks; unlike ``splitlines``, a form feed breaks none."""
    lines = [it + "\n" for it in text.split("\n")]
    lines[-1] = lines[-1][:-1]
    return [it for it in lines if it]


def _blanks(line: str) -> str:
    return line[: len(line) - len(line.lstrip(" \t"))]


def _common(one: str, other: str) -> int:
    at = 0
    while at < min(len(one), len(other)) and one[at] == other[at]:
        at += 1
    return at
