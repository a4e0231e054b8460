"""Make the suggestion's closing brackets fit those that the editor inserted and those that are missing.

What stands behind the cursor is never repeated. A suggestion that ends with it is cut before it, and is a
plain insertion. One that goes on behind it takes the place of the whole rest of the line, and ends with what
it does not write itself: VS Code shows that as two insertions around the closer, and Neovim draws over the
rest of the line just what will stand there.
"""

from __future__ import annotations

from dataclasses import replace

from completion.brackets import lex
from completion.postprocess.draft import Draft
from completion.postprocess.overlap import overlap
from completion.spot import Spot
from completion.trigger import Trigger

LONE = ")]}>;, \t\n"
"""What a suggestion that only closes things consists of."""


def fit_closers(draft: Draft, spot: Spot, trigger: Trigger) -> Draft:
    """Write each closer once: those behind the cursor, then those that are owed; cut at any other."""
    text, rest = draft.text, spot.line_after.rstrip()
    taken = 0
    first_taken = after_taken = 0
    owed = spot.owed
    for mark in lex(text, spot.facts, spot.inside).closes:
        on_first_line = "\n" not in text[: mark.at]
        if on_first_line and rest.startswith(mark.text, taken):
            taken += len(mark.text)
            first_taken = first_taken or mark.at
            after_taken = mark.at + len(mark.text)
        elif owed.startswith(mark.text):
            owed = owed[len(mark.text) :]
        elif mark.text == spot.inside:
            continue  # It ends a string that the document has not ended.
        else:
            text = text[: mark.at].rstrip()
            break
    if not taken:
        return replace(draft, text=text)
    if not text[after_taken:].strip():
        return replace(draft, text=text[: after_taken - taken])
    if "\n" in text:
        return replace(draft, text=text[:first_taken])
    left = rest[taken:]
    written = overlap(text, left, spot)
    return replace(draft, text=text + left[written:], replace_after=len(rest))


def no_lone_closers(draft: Draft, spot: Spot, trigger: Trigger) -> Draft:
    """On a blank line Tab indents: closing brackets alone must not take that key away."""
    is_lone = spot.on_blank_line and not trigger.explicit and not draft.text.strip(LONE)
    return replace(draft, text="") if is_lone else draft
