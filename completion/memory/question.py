"""Pure: a spot -> ``Question``: what prediction looks at around the cursor, coded as the memory's text is."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from completion.memory.evidence import CONTEXT_BYTES, DEEPER, UP, Memory
from completion.spot import Spot

LETTER = rb"(?:\w|[\xc2-\xdf][\x80-\xbf])"
"""Of a word, in UTF-8: ASCII, and the letters of two bytes (Latin, Greek, Cyrillic, Hebrew, Arabic)."""
PIECE = re.compile(
    rb" ?(?:" + LETTER + rb"+|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}|[^\w\s]|\n)|[ \t]+|.",
    re.DOTALL,
)
"""What one step predicts: a word or a sign with the blank before it; of other scripts a character."""
WORD_END = re.compile(LETTER + rb"+\Z")
NAME = re.compile(rb"[A-Za-z_]\w\w+")
NAMES_BEFORE = 2_048
NAMES_AFTER = 1_024
"""Characters around the cursor whose names count as known here: a screen of code."""
CODED_BEFORE = 4_096
"""Characters before the cursor that tell how deep its line stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One place where something may follow."""

    context: bytes
    """What stands before the cursor, coded, at most ``CONTEXT_BYTES``."""
    typed: bytes
    """The cursor's line up to the cursor, without its indentation."""
    partial: int
    """The length of the word that ends at the cursor, in bytes: whatever follows has to continue it."""
    pieces: tuple[int, ...]
    """How many whole pieces the last ``n`` bytes of the context hold, for ``n`` up to ``CONTEXT_BYTES``."""
    above: tuple[bytes, ...]
    """The nearest lines above that are not blank, nearest first, without their indentation."""
    line_below: bytes
    """The nearest line below that is not blank, without its indentation."""
    names: frozenset[bytes]
    """The names around the cursor."""
    path: str
    line: int
    """From 1."""
    free: bool = False
    """Whether the line may stand at another depth than the cursor's: it has not been begun."""
    below: bool = False
    """Whether it is a line that nobody has gone to yet: it may as well be blank."""

    @property
    def line_above(self) -> bytes:
        """The nearest line above that is not blank, without its indentation."""
        return self.above[0] if self.above else b""

    @property
    def at_start(self) -> bool:
        """Whether nothing has been typed on the line."""
        return not self.typed


def question_at(memory: Memory, spot: Spot, *, path: str) -> Question:
    """What to ask ``memory`` at ``spot``. ``path`` is the document's name in the memory."""
    free = not spot.line_before and bool(spot.lines_above)
    start = spot.before.find("\n", max(0, len(spot.before) - CODED_BEFORE)) + 1
    context = memory.context(spot.before[start:] if CODED_BEFORE < len(spot.before) else spot.before)
    if free:  # At the margin the line's depth is still open.
        context = context.rstrip(DEEPER + UP)
    typed = spot.line_before.lstrip().encode("utf-8", "replace")
    word = WORD_END.search(typed)
    around = (spot.before[-NAMES_BEFORE:] + "\n" + spot.after[:NAMES_AFTER]).encode("utf-8", "replace")
    return Question(
        context=context[-CONTEXT_BYTES:],
        typed=typed,
        partial=len(word.group()) if word else 0,
        pieces=pieces_within(context[-CONTEXT_BYTES:]),
        above=tuple(_coded(it) for it in spot.lines_above),
        line_below=_coded(_below(spot.after)),
        names=frozenset(NAME.findall(around)),
        path=path,
        line=spot.first_line + spot.before.count("\n") + 1,
        free=free,
    )


def question_below(question: Question, text: bytes) -> Question:
    """The same place, a line further down, once ``text`` has finished the line."""
    context = (question.context + text + b"\n")[-CONTEXT_BYTES:]
    finished = question.typed + text
    return replace(
        question,
        context=context,
        typed=b"",
        partial=0,
        pieces=pieces_within(context),
        above=(finished.strip(b"\x01\x02 "), *question.above),
        free=True,
        below=True,
    )


def pieces_within(context: bytes) -> tuple[int, ...]:
    """For each length ``n`` up to ``CONTEXT_BYTES``: how many pieces start within the last ``n`` bytes."""
    starts = {len(context) - it.start() for it in PIECE.finditer(context)}
    count = 0
    table = [0]
    for length in range(1, CONTEXT_BYTES + 1):
        count += length in starts
        table.append(count)
    return tuple(table)


def _below(after: str) -> str:
    """The nearest line below that is not blank."""
    rest = after.partition("\n")[2].lstrip()
    return rest.partition("\n")[0]


def _coded(line: str) -> bytes:
    return line.strip().encode("utf-8", "replace")
