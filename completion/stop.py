"""Pure: where a suggestion ends. The same rules cut a text that still grows and one that is finished."""

from __future__ import annotations

from dataclasses import dataclass, field

from completion.brackets import Lexed, lex
from completion.indentation import first_line, width
from completion.languages import CLOSERS
from completion.repetition import is_again, is_common, loop_start, runs_in_circles, says_something
from completion.special import special_token_at
from completion.spot import Spot
from completion.trigger import Trigger

MOST_BLANK_LINES = 2  # A model that starts with more has nothing to say here.
CLOSING = CLOSERS + ";, \t"
"""What a line that only closes something consists of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of the suggestion, as it would stand in the document."""

    start: int
    """Where it starts in the suggestion."""
    text: str
    """With what the user typed before it, without its line break."""
    complete: bool

    @property
    def only_closes(self) -> bool:
        """Whether it has closing brackets and nothing else."""
        return bool(self.text.strip()) and not self.text.strip(CLOSING)


@dataclass(slots=True)
class Block:
    """What the lines so far have established."""

    base: int | None = None
    """The columns at which the block's own lines stand."""
    said: list[Line] = field(default_factory=list)
    """The lines that are not blank."""
    gap: int | None = None
    """Where the blank lines before the current line start."""
    blank: int = 0
    """How many blank lines there are before the current line."""


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
    block = Block()
    if spot.on_blank_line:
        first = first_line(text, spot)
        block.base = min(first.given, first.wanted) if first.body else None
    below = spot.lines_below[0] if spot.lines_below else ""
    for line in _lines(text, spot, grows=grows):
        cut = _cut_at(line, block, text, spot, below)
        if cut is not None:
            return cut
        if line.complete and trigger.max_lines <= len(block.said):
            return line.start + len(text[line.start :].partition("\n")[0])
    return None


def _lines(text: str, spot: Spot, *, grows: bool) -> list[Line]:
    lines = []
    start = 0
    parts = text.split("\n")
    for number, part in enumerate(parts):
        is_last = number == len(parts) - 1
        whole = spot.line_before + part if number == 0 else part
        lines.append(Line(start=start, text=whole, complete=not is_last or not grows))
        start += len(part) + 1
    return lines


def _cut_at(line: Line, block: Block, text: str, spot: Spot, below: str) -> int | None:
    """Where to cut because of this line; notes what it says about the block."""
    if not line.text.strip():
        return _cut_at_blank(line, block)
    own_opens = lex(text[: line.start], spot.facts, spot.inside).opens
    if line.start == 0 and not spot.on_blank_line:
        block.said.append(line)  # The rest of the line that opens the block.
        return None
    if block.base is None:
        block.base = max(width(line.text), width(spot.line_before) + (not spot.on_blank_line))
    cut = _cut_at_scope_end(line, block, own_opens=bool(own_opens), text=text, spot=spot)
    if cut is None and line.complete:
        cut = _cut_at_repetition(line, block, below, text, spot)
    block.said.append(line)
    block.gap, block.blank = None, 0
    return cut


def _cut_at_blank(line: Line, block: Block) -> int | None:
    """Blank lines at the start are skipped; two in a row end anything."""
    if not line.complete:
        return None
    block.blank += 1
    if not block.said:
        return 0 if MOST_BLANK_LINES < block.blank else None
    if block.gap is None:
        block.gap = line.start
    return block.gap if 1 < block.blank else None


def _cut_at_scope_end(line: Line, block: Block, *, own_opens: bool, text: str, spot: Spot) -> int | None:
    """A line that stands less deep ends the block, and one at its level behind a blank line the paragraph."""
    depth = width(line.text)
    end_before = line.start if block.gap is None else block.gap
    if own_opens and line.only_closes:
        return None
    if block.base is None or block.base <= depth:
        at_own_level = block.base == depth and block.gap is not None and not own_opens
        return end_before if at_own_level else None
    if line.start == 0:
        return None
    if not line.only_closes:
        return end_before
    if not line.complete:
        return None
    end = line.start + len(line.text)
    return end if _closes_what_is_owed(lex(text[:end], spot.facts, spot.inside), spot) else end_before


def _closes_what_is_owed(lexed: Lexed, spot: Spot) -> bool:
    closed = "".join(it.text for it in lexed.closes)
    return bool(closed) and spot.owed.startswith(closed)


def _cut_at_repetition(line: Line, block: Block, below: str, text: str, spot: Spot) -> int | None:
    """The next line of the document, or the same lines over and over, are no help."""
    end_before = line.start if block.gap is None else block.gap
    if is_again(line.text, below) and not is_common(below):
        return end_before
    if not says_something(below) and line.text.rstrip() == below.rstrip():
        end = line.start + len(line.text)
        if lex(text[:end], spot.facts, spot.inside).closes:
            return end_before
    if runs_in_circles(line.text):
        return end_before
    lines = [*block.said, line]
    again = loop_start([it.text for it in lines])
    return None if again is None else lines[again].start
