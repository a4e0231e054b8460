"""From what the model said to what is worth showing: a visible tuple of small steps."""

from __future__ import annotations

from dataclasses import replace

from completion.postprocess.closers import fit_closers, no_lone_closers
from completion.postprocess.draft import Draft, Step
from completion.postprocess.grammar import no_broken_line
from completion.postprocess.indent import fit_first_blanks, fit_indentation, fit_tabs
from completion.postprocess.overlap import no_overlap
from completion.postprocess.repeats import no_repeats
from completion.postprocess.tab import no_indentation
from completion.postprocess.trim import no_special_tokens, trim
from completion.spot import Spot
from completion.trigger import Trigger

NO_SYNTAX = "syntax"
STEPS: tuple[tuple[str, Step], ...] = (
    ("special_token", no_special_tokens),
    ("blank", trim),
    ("blank", fit_tabs),
    ("blank", fit_indentation),
    ("blank", fit_first_blanks),
    ("overlap", no_overlap),
    ("closers", fit_closers),
    (NO_SYNTAX, no_broken_line),
    ("repeats", no_repeats),
    ("lone_closers", no_lone_closers),
    ("tab_indents", no_indentation),
    ("blank", trim),
)
"""Each step with the word for the log when it leaves nothing."""


def clean(text: str, spot: Spot, trigger: Trigger) -> Draft:
    """Run the steps; the draft has no text and a reason when one of them left nothing."""
    draft = Draft(text=text)
    if not text.strip():
        return Draft(text="", reason="nothing_said")
    for word, step in STEPS:
        draft = step(draft, spot, trigger)
        if not draft.text.strip():
            return Draft(text="", reason=word)
    return replace(draft, reason="")
