"""Pure: where a suggestion ends. The same rules cut a text that still grows and one that is finished."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from completion.brackets import Lexed, join, lex
from completion.indentation import first_line, width
from completion.languages import CLOSERS
from completion.repetition import is_again, is_common, loop_start, runs_in_circles, says_something
from completion.special import special_token_at
from completion.spot import Spot
from completion.trigger import Trigger

MOST_BLANK_LINES = 2  # A model that starts with more has nothing to say here.
SPLIT = re.compile(r"[^\n]*\n|[^\n]+")  # Unlike splitlines(): a form feed or U+2028 ends no line of code.
CLOSING = CLOSERS + ";, \t"
"""What a line that only closes something consists of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of the suggestion, as it would stand in the document."""

    start: int
    """Where it starts in the suggestion."""
    said: str
    """What the model said of it, with its line break."""
    text: str
    """All of it: with what the user typed before it, without its line break."""
    complete: bool

    @property
    def end(self) -> int:
        """Where it ends in the suggestion."""
        return self.start + len(self.said.removesuffix("\n"))

    @property
    def only_closes(self) -> bool:
        """Whether it has closing brackets and nothing else."""
        return bool(self.text.strip()) and not self.text.strip(CLOSING)


@dataclass(slots=True)
class Block:
    """What the lines so far have established."""

    lexed: Lexed
    """The brackets and strings that they leave open."""
    base: int | None = None
    """The columns at which the block's own lines stand."""
    lines: list[Line] = field(default_factory=list)
    """Those that are not blank."""
    gap: int | None = None
    """Where the blank lines before the current line start."""
    blank: int = 0
    """How many blank lines there are before the current line."""

    def end_before(self, line: Line) -> int:
        """Where the block ends if this line is none of it."""
        return line.start if self.gap is None else self.gap


def enough(text: str, spot: Spot, trigger: Trigger) -> int | None:
    """Where to cut a text that may still grow; ``None`` while it has not said enough."""
    if trigger.shape == "line":
        return _line_end(text)
    return _block_end(text, spot, trigger, grows=True)


def end_of(text: str, spot: Spot, trigger: Trigger, *, whole: bool, lines_only: bool = False) -> int:
    """Where to cut a text that will not grow. It is not ``whole`` when the model had more to say.

    Then half a line at the end of a block is dropped, and with ``lines_only`` every unfinished line is.
    """
    find = _line_end(text) if trigger.shape == "line" else None
    if trigger.shape == "block":
        find = _block_end(text, spot, trigger, grows=False)
    if find is not None:
        return find
    last_break = text.rfind("\n")
    if lines_only:
        return max(last_break, 0)
    if not whole and trigger.shape == "block" and text[: last_break + 1].strip():
        return last_break
    return len(text)


def _line_end(text: str) -> int | None:
    cuts = [special_token_at(text), text.find("\n") if "\n" in text else None]
    if runs_in_circles(text):
        cuts.append(0)
    return min((it for it in cuts if it is not None), default=None)


def _block_end(text: str, spot: Spot, trigger: Trigger, *, grows: bool) -> int | None:
    token = special_token_at(text)
    if token is not None:
        inner = _block_end(text[:token], spot, trigger, grows=False)
        return token if inner is None else inner
    block = Block(lexed=lex("", spot.facts, spot.inside))
    if spot.on_blank_line:
        first = first_line(text, spot)
        block.base = min(first.given, first.wanted) if first.body else None
    for line in _lines(text, spot, grows=grows):
        lexed = join(block.lexed, lex(line.said, spot.facts, block.lexed.inside))
        cut = _cut_at(line, lexed, block, spot)
        if cut is not None:
            return cut
        block.lexed = lexed
        if line.complete and trigger.max_lines <= len(block.lines):
            return line.end
    return None


def _lines(text: str, spot: Spot, *, grows: bool) -> Iterator[Line]:
    start = 0
    for said in SPLIT.findall(text):
        whole = (spot.line_before if start == 0 else "") + said.removesuffix("\n")
        yield Line(start=start, said=said, text=whole, complete=said.endswith("\n") or not grows)
        start += len(said)


def _cut_at(line: Line, lexed: Lexed, block: Block, spot: Spot) -> int | None:
    """Where to cut because of this line, which leaves ``lexed`` open; notes what it says about the block."""
    if block.lexed.inside:
        return None  # It goes on with a string that started further up: its blanks say nothing.
    if not line.text.strip():
        return _cut_at_blank(line, block)
    if line.start == 0 and not spot.on_blank_line:
        block.lines.append(line)  # The rest of the line that opens the block.
        return None
    if block.base is None:
        block.base = max(width(line.text), width(spot.line_before) + (not spot.on_blank_line))
    cut = _cut_at_scope_end(line, lexed, block, spot)
    if cut is None and line.complete:
        cut = _cut_at_repetition(line, lexed, block, spot)
    block.lines.append(line)
    block.gap, block.blank = None, 0
    return cut


def _cut_at_blank(line: Line, block: Block) -> int | None:
    """Blank lines at the start are skipped; two in a row end anything."""
    if not line.complete:
        return None
    block.blank += 1
    if not block.lines:
        return 0 if MOST_BLANK_LINES < block.blank else None
    if block.gap is None:
        block.gap = line.start
    return block.gap if 1 < block.blank else None


def _cut_at_scope_end(line: Line, lexed: Lexed, block: Block, spot: Spot) -> int | None:
    """A line that stands less deep ends the block, and one at its level behind a blank line the paragraph."""
    depth = width(line.text)
    own_opens = bool(block.lexed.opens)
    if block.base is None or line.start == 0 or (own_opens and line.only_closes):
        return None
    if block.base <= depth:
        is_next_paragraph = block.base == depth and block.gap is not None and not own_opens
        return block.gap if is_next_paragraph else None
    if not line.only_closes:
        return block.end_before(line)
    if not line.complete:
        return None
    closed = "".join(it.text for it in lexed.closes)
    return line.end if closed and spot.owed.startswith(closed) else block.end_before(line)


def _cut_at_repetition(line: Line, lexed: Lexed, block: Block, spot: Spot) -> int | None:
    """The next line of the document, or the same lines over and over, are no help."""
    below = spot.lines_below[0].rstrip() if spot.lines_below else ""
    is_next = line.text.rstrip() == below
    is_its_end = is_next and not says_something(below) and bool(lexed.closes)
    if is_its_end or (is_again(line.text, below) and not is_common(below)) or runs_in_circles(line.text):
        return block.end_before(line)
    lines = [*block.lines, line]
    again = loop_start([it.text for it in lines])
    return None if again is None else lines[again].start
