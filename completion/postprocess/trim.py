"""Take away what nobody sees or should see: special tokens, and blanks at the end."""

from __future__ import annotations

from dataclasses import replace

from completion.postprocess.draft import Draft
from completion.special import special_token_at
from completion.spot import Spot
from completion.trigger import Trigger

CLOSE_UP = ")]>;,:.\"'` \t"
"""No blank goes before these."""


def no_special_tokens(draft: Draft, spot: Spot, trigger: Trigger) -> Draft:
    """Cut at the first special token: behind it stands something else."""
    return replace(draft, text=draft.text[: special_token_at(draft.text)])


def trim(draft: Draft, spot: Spot, trigger: Trigger) -> Draft:
    """No blanks at the end of any line, but for one before a word or a brace that follows the cursor."""
    text = "\n".join(it.rstrip() for it in draft.text.rstrip().split("\n"))
    stands_apart = draft.text.endswith(" ") and spot.line_after[:1].strip(CLOSE_UP)
    return replace(draft, text=text + " " if text and stands_apart else text)
