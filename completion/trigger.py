"""Pure: whether this is a moment to suggest something, and whether the rest of a line or a block."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from completion.brackets import code_of, lex
from completion.config import CompletionConfig
from completion.indentation import width
from completion.languages import opens_block
from completion.spot import Spot

Shape = Literal["none", "line", "block"]

MAY_FOLLOW = re.compile(r"(?:[\s)\]}>\"'`;,:.]|/>|</[\w.:-]*>)*(?:=>)?\s*\{?\s*")
"""What may stand behind the cursor: closers and end tags that editors insert, and punctuation."""
NOTHING_NEW = ("statement_ended", "text_after_cursor")
"""Reasons for asking nothing; what was shown before and is being typed may go on there."""
STATEMENT_END = re.compile(r"[;}]\s*$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """The document's last change, in code points."""

    removed: int
    inserted: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """What to ask for, and why, in one word for logs."""

    shape: Shape
    reason: str
    max_lines: int
    explicit: bool

    @property
    def may_go_on(self) -> bool:
        """Whether the rest of an earlier suggestion may be shown."""
        return self.shape != "none" or self.reason in NOTHING_NEW


def decide(
    spot: Spot,
    *,
    explicit: bool,
    previous: Edit | None,
    config: CompletionConfig,
    has_selection: bool = False,
) -> Trigger:
    """What to suggest here: nothing, the rest of the line, or a block of up to ``config.max_lines``."""
    reason = _never(spot, has_selection=has_selection, config=config)
    if not reason and not explicit:
        reason = _not_now(spot, previous)
    if reason:
        return Trigger(shape="none", reason=reason, max_lines=0, explicit=explicit)
    shape, reason = _shape(spot)
    lines = config.max_lines if shape == "block" else 1
    return Trigger(shape=shape if lines > 1 else "line", reason=reason, max_lines=lines, explicit=explicit)


def _never(spot: Spot, *, has_selection: bool, config: CompletionConfig) -> str:
    """Why not even asking for it helps."""
    if not config.enabled:
        return "disabled"
    if has_selection:
        return "selection"
    if "\0" in spot.before or "\0" in spot.after:
        return "binary"
    return ""


def _not_now(spot: Spot, previous: Edit | None) -> str:
    """Why a suggestion that nobody asked for would be in the way."""
    if previous and previous.removed and not previous.inserted:
        return "after_deletion"
    if spot.whole and not spot.first_line and not spot.before.strip() and not spot.after.strip():
        return "empty_file"
    if not MAY_FOLLOW.fullmatch(spot.line_after):
        return "text_after_cursor"
    if STATEMENT_END.search(spot.line_before) and not spot.inside and not spot.line_after.strip():
        return "" if lex(spot.line_before, spot.facts).opens else "statement_ended"
    return ""


def _shape(spot: Spot) -> tuple[Shape, str]:
    if spot.line_after.strip():
        return "line", "mid_line"
    if spot.in_comment:
        return "line", "comment"
    if spot.inside:
        return "line", "string"
    if not spot.on_blank_line:
        return ("block", "after_opener") if _awaits_body(spot) else ("line", "rest_of_line")
    return _shape_of_blank_line(spot)


def _shape_of_blank_line(spot: Spot) -> tuple[Shape, str]:
    above = spot.lines_above
    if not above:
        return "line", "first_line"
    code = code_of(above[0], spot.facts)
    if spot.line_above.strip() and (not code or code.endswith(spot.facts.comment_ends)):
        return "block", "comment_above"
    if opens_block(code, spot.facts):
        return "block", "block_opened"
    if width(above[0]) <= width(spot.line_before):
        return "block", "blank_line"
    return "line", "dedented"


def _awaits_body(spot: Spot) -> bool:
    """Whether the line opens a block that has nothing in it yet."""
    code = code_of(spot.line_before, spot.facts)
    if not code.endswith(tuple(spot.facts.body_after)) or not opens_block(code, spot.facts):
        return False
    below = spot.lines_below
    return not below or width(below[0]) <= width(spot.line_before)
