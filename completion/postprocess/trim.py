"""Take away what nobody sees or should see: special tokens, and blanks at the end."""

from __future__ import annotations

from dataclasses import replace

from completion.postprocess.draft import Draft
from completion.special import special_token_at
from completion.spot import Spot
from completion.trigger import Trigger


def no_special_tokens(draft: Draft, spot: Spot, trigger: Trigger) -> Draft:
    """Cut at the first special token: behind it stands something else."""
    return replace(draft, text=draft.text[: special_token_at(draft.text)])


def trim(draft: Draft, spot: Spot, trigger: Trigger) -> Draft:
    """No blanks at the end of any line."""
    lines = draft.text.rstrip().split("\n")
    first, rest = lines[0], [it.rstrip() for it in lines[1:]]
    return replace(draft, text="\n".join([first.rstrip() if rest else first, *rest]))
