"""Cut a source text into prefix, middle and suffix the way an editor's cursor does; pure and seeded.

Cuts fall at characters, never at token borders: a cursor stands inside words.
An *anchored* cut moves the prefix's end back before the cursor, so that the middle begins with what was typed
since (``typed`` characters of it); the engine keeps its prompt fixed in just that way.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import Final

# How often each kind of cut is made. Most ghost text is the rest of a line.
KINDS: Final = {"word": 0.25, "inside": 0.2, "bracket": 0.15, "line": 0.15, "end": 0.1, "block": 0.15}
ANCHOR_LINES = 10  # The engine moves its anchor after about so many typed lines.
BLOCK_LINES = 8  # Longer blocks are beyond a small model, and beyond what a user reads at a glance.
TRIES = 20  # Draws before a text is given up as having no place of the wanted kind.

CLOSERS: Final = {"(": ")", "[": "]", "{": "}"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """A text in three parts; the first ``typed`` characters of the middle stand before the cursor."""

    kind: str
    prefix: str
    middle: str
    suffix: str
    typed: int = 0


def cut(text: str, rng: random.Random, *, kind: str | None = None, anchored_share: float = 0.0) -> Cut | None:
    """One random cut; ``None`` where the text has no place for one."""
    wanted = kind or rng.choices(list(KINDS), weights=list(KINDS.values()))[0]
    for _ in range(TRIES):
        span = _SPANS[wanted](text, rng)
        if span is None:
            continue
        start, end = span
        anchored = rng.random() < anchored_share
        anchor = _anchor(text, start, rng) if anchored else start
        return Cut(
            kind=wanted,
            prefix=text[:anchor],
            middle=text[anchor:end],
            suffix=text[end:],
            typed=start - anchor,
        )
    return None


def anchored_above(made: Cut, lines: int) -> Cut:
    """The same cut with its anchor at the start of the line so many lines above the cursor's."""
    text = made.prefix + made.middle
    at = cursor = len(made.prefix) + made.typed
    at = line_around(text, at)[0]
    for _ in range(lines):
        at = line_around(text, max(0, at - 1))[0]
    return replace(made, prefix=text[:at], middle=text[at:], typed=cursor - at)


def line_around(text: str, at: int) -> tuple[int, int]:
    """Where the line that holds offset ``at`` starts and ends, its line break left out."""
    end = text.find("\n", at)
    return text.rfind("\n", 0, at) + 1, len(text) if end < 0 else end


def block_end(text: str, start: int, lines: int) -> int:
    """The end of the block that goes on at ``start``: before a blank line or a dedent, or after ``lines``."""
    first, end = line_around(text, start)
    depth = _indent(text[first:end])
    for _ in range(lines - 1):
        if len(text) <= end:
            break
        _, next_end = line_around(text, end + 1)
        line = text[end + 1 : next_end]
        if not line.strip() or (_indent(line) < depth and line.strip()[0] not in ")]}"):
            break
        end = next_end
    return end


def _word(text: str, rng: random.Random) -> tuple[int, int] | None:
    """The cursor stands inside a word; the rest of the line is missing."""
    at = rng.randrange(len(text))
    if at == 0 or not (_is_word(text[at - 1]) and _is_word(text[at])):
        return None
    return at, line_around(text, at)[1]


def _inside(text: str, rng: random.Random) -> tuple[int, int] | None:
    """The cursor stands anywhere after the first character of a line; the rest of the line is missing."""
    at = rng.randrange(len(text))
    start, end = line_around(text, at)
    return (at, end) if at < end and text[start:at].strip() else None


def _bracket(text: str, rng: random.Random) -> tuple[int, int] | None:
    """The cursor stands just after a bracket; its content is missing, or the rest of the line."""
    start, end = line_around(text, rng.randrange(len(text)))
    openings = [at for at in range(start, end) if text[at] in CLOSERS and text[at + 1 : end].strip()]
    if not openings:
        return None
    at = rng.choice(openings)
    closer = _closer(text, at, end)
    if (
        closer is not None and at + 1 < closer and rng.random() < 0.5
    ):  # half: the editor has closed the bracket
        return at + 1, closer
    return at + 1, end


def _line(text: str, rng: random.Random) -> tuple[int, int] | None:
    """The cursor stands at the indentation; the whole line is missing."""
    start, end = line_around(text, rng.randrange(len(text)))
    line = text[start:end]
    return (start + _indent(line), end) if line.strip() else None


def _end(text: str, rng: random.Random) -> tuple[int, int] | None:
    """The cursor stands at the end of a line; the lines after it are missing."""
    start, end = line_around(text, rng.randrange(len(text)))
    if not text[start:end].strip() or len(text) <= end + 1 or text[end + 1] == "\n":
        return None
    return end, block_end(text, end + 1, rng.randint(1, BLOCK_LINES))


def _block(text: str, rng: random.Random) -> tuple[int, int] | None:
    """The cursor stands somewhere in a line; the rest of it and of its block is missing."""
    start, end = line_around(text, rng.randrange(len(text)))
    line = text[start:end]
    if not line.strip():
        return None
    at = rng.randint(start + _indent(line), end - 1)
    return at, block_end(text, at, rng.randint(2, BLOCK_LINES))


_SPANS: Final = {
    "word": _word,
    "inside": _inside,
    "bracket": _bracket,
    "line": _line,
    "end": _end,
    "block": _block,
}


def _anchor(text: str, start: int, rng: random.Random) -> int:
    """A place up to ``ANCHOR_LINES`` lines before the cursor; near places are as common as far ones."""
    first = start
    for _ in range(rng.randint(1, ANCHOR_LINES)):
        first = max(0, text.rfind("\n", 0, max(0, first - 1)) + 1)
    return rng.randint(first, start)


def _closer(text: str, opening: int, end: int) -> int | None:
    depth = 0
    for at in range(opening, end):
        if text[at] == text[opening]:
            depth += 1
        elif text[at] == CLOSERS[text[opening]]:
            depth -= 1
            if depth == 0:
                return at
    return None


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _is_word(character: str) -> bool:
    return character.isalnum() or character == "_"
