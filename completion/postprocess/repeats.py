"""Never offer the line that comes next, or the one just written."""

from __future__ import annotations

from dataclasses import replace

from completion.postprocess.draft import Draft
from completion.repetition import is_again, says_something
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
    below = spot.lines_below[:1]
    for number, line in enumerate(whole):
        if below and is_again(line, below[0]):
            return replace(draft, text="\n".join(lines[:number]))
    return draft


def _with_rest(line: str, rest: str) -> str:
    """The line with what follows the cursor, unless the suggestion already ends with it."""
    return line if line.endswith(rest.rstrip()) else line + rest


def _is_above(whole: list[str], above: list[str]) -> bool:
    """Whether the lines, blank ones aside, are the last ones above the cursor."""
    said = [it.rstrip() for it in whole if it.strip()]
    if not said or not above:
        return False
    if is_again(said[0], above[0]):
        return True
    last = [it.rstrip() for it in reversed(above[: len(said)])]
    return said == last and any(says_something(it) for it in said)
