"""Leave the Tab key to indentation where it means that."""

from __future__ import annotations

from dataclasses import replace

from completion.postprocess.draft import Draft
from completion.spot import Spot
from completion.trigger import Trigger


def no_indentation(draft: Draft, spot: Spot, trigger: Trigger) -> Draft:
    """Drop what begins with the indentation that the line still lacks: Tab is how one writes that."""
    return replace(draft, text="") if tab_indents(draft.text, spot, trigger) else draft


def tab_indents(text: str, spot: Spot, trigger: Trigger) -> bool:
    """Whether Tab would indent here, were it not taken by this suggestion, which nobody has asked for."""
    return spot.on_blank_line and text[:1].isspace() and not trigger.explicit
