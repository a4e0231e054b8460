"""Never offer the line that comes next, or the one just written."""

from __future__ import annotations

from dataclasses import replace

from completion.postprocess.draft import Draft
from completion.repetition import is_again, is_common, says_something
from completion.spot import Spot
from completion.trigger import Trigger


def no_repeats(draft: Draft, spot: Spot, trigger: Trigger) -> Draft:
    """Cut where the suggestion becomes the next lines; drop it when it becomes the lines above."""
    lines = draft.text.split("\n")
    whole = [spot.line_before + lines[0], *lines[1:]]
    if len(lines) == 1 and spot.line_after.strip():
        whole[0] = _with_rest(whole[0], spot.line_after)
    if _is_above(whole, spot.lines_above):
        return replace(draft, text="")
    for number in range(len(whole)):
        if _is_below(whole[number:], spot.lines_below):
            return replace(draft, text="\n".join(lines[:number]))
    return draft


def _with_rest(line: str, rest: str) -> str:
    """The line with what follows the cursor, unless the suggestion already ends with it."""
    return line if line.endswith(rest.rstrip()) else line + rest


def _is_below(said: list[str], below: list[str]) -> bool:
    """Whether the lines start with the next one; one like ``try:`` counts only if it goes on like it, too."""
    if not below or not is_again(said[0], below[0]):
        return False
    goes_on = len(said) > 1 and len(below) > 1 and is_common(said[0])
    return not goes_on or below[1].startswith(said[1].rstrip())


def _is_above(whole: list[str], above: list[str]) -> bool:
    """Whether the lines, blank ones aside, are the last ones above the cursor."""
    said = [it.rstrip() for it in whole if it.strip()]
    if not said or not above:
        return False
    if is_again(said[0], above[0]) and (len(said) == 1 or not is_common(said[0])):
        return True
    last = [it.rstrip() for it in reversed(above[: len(said)])]
    return said == last and any(says_something(it) for it in said)
