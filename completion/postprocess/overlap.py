"""Never offer again what already stands behind the cursor."""

from __future__ import annotations

import re
from dataclasses import replace

from completion.brackets import lex
from completion.postprocess.draft import Draft
from completion.spot import Spot
from completion.trigger import Trigger

BLANK_LINES = re.compile(r"\n(?:[^\S\n]*\n)+")
ANGLE = re.compile(r"<(?![=\s])|(?<![-=])>(?!=)")
FOLLOWING_CHARACTERS = 1_000  # More than a suggestion is long.


def no_overlap(draft: Draft, spot: Spot, trigger: Trigger) -> Draft:
    """Cut the end of the suggestion where it equals the beginning of what follows.

    Only what leaves the brackets as they are: the ``)`` of ``len(x)`` is not the one the editor inserted.
    """
    following = spot.after[:FOLLOWING_CHARACTERS]
    length = overlap(draft.text, following, spot)
    if not length:
        length = overlap(draft.text, BLANK_LINES.sub("\n", following), spot)
    return replace(draft, text=draft.text[: len(draft.text) - length])


def overlap(text: str, following: str, spot: Spot) -> int:
    """How much of the end of ``text`` is the beginning of ``following``, and can go."""
    opens = None
    for length in range(min(len(text), len(following)), 0, -1):
        if not text.endswith(following[:length]) or _cuts_a_word(following, length):
            continue
        if opens is None:
            opens = len(lex(text, spot.facts, spot.inside).opens)
        kept = text[: len(text) - length]
        without = lex(kept, spot.facts, spot.inside)
        fits = len(without.opens) <= opens and without.inside in ("", spot.inside)
        if fits and (">" not in following[:length] or angles_left_open(kept) <= angles_left_open(text)):
            return length
    return 0


def angles_left_open(text: str) -> int:
    """How many ``<`` of types and tags have no ``>``; arrows and comparisons with ``=`` are none of them."""
    depth = 0
    for bracket in ANGLE.findall(text):
        depth = depth + 1 if bracket == "<" else max(depth - 1, 0)
    return depth


def _cuts_a_word(following: str, length: int) -> bool:
    """Whether the overlap ends inside a word of what follows, on the cursor's line."""
    inside = following[length - 1 : length + 1]
    return "\n" not in following[:length] and len(inside) == 2 and inside.isidentifier()
