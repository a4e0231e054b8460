"""Make the suggestion's closing brackets fit those that the editor inserted and those that are missing.

What stands behind the cursor is never repeated. A suggestion that ends with it is cut before it, and is a
plain insertion. One that goes on behind it takes the place of the whole rest of the line, and ends with what
it does not write itself: VS Code shows that as two insertions around the closer, and Neovim draws over the
rest of the line just what will stand there.
"""

from __future__ import annotations

from dataclasses import replace

from completion.brackets import Mark, lex
from completion.languages import CLOSER_OF, CLOSERS, OPENERS
from completion.postprocess.draft import Draft
from completion.postprocess.overlap import overlap
from completion.spot import Spot
from completion.trigger import Trigger

QUOTES = "\"'`"
ENDS = f"{CLOSERS}{QUOTES}_"
"""What an expression ends with that may go on, beside letters and digits."""
LONE = CLOSERS + ">;, \t\n"
"""What a suggestion that only closes things consists of."""


def fit_closers(draft: Draft, spot: Spot, trigger: Trigger) -> Draft:
    """Write each closer once: those behind the cursor, then those that are owed; cut at any other."""
    text, rest = draft.text, spot.line_after.rstrip()
    taken: list[Mark] = []
    lexed = lex(text, spot.facts, spot.inside)
    owed = spot.owed
    opened_again = [CLOSER_OF[it.text] for it in lexed.opens]
    for mark in lexed.closes:
        if mark.text == spot.inside and (lexed.inside == spot.inside or not rest.startswith(mark.text)):
            continue  # The quote behind the cursor ends another string, or nothing ends this one yet.
        passed = sum(len(it.text) for it in taken)
        if rest.startswith(mark.text, passed) and "\n" not in text[: mark.at]:
            taken.append(mark)
        elif owed.startswith(mark.text):
            owed = owed[len(mark.text) :]
        elif mark.text in opened_again:  # As in ``} else {``: the document's closer closes the new bracket.
            opened_again.remove(mark.text)
        else:
            return fit_closers(replace(draft, text=text[: mark.at].rstrip()), spot, trigger)
    if not taken:
        return replace(draft, text=_without_statement_end(text, rest))
    length = sum(len(it.text) for it in taken)
    if taken[0].at == len(text) - length or "\n" in text:
        # What is cut may have opened what a closer before it closes.
        return fit_closers(replace(draft, text=text[: taken[0].at]), spot, trigger)
    left = rest[length:]
    more = left[overlap(text, left, spot) :]
    if not _goes_on(text, more):
        return fit_closers(replace(draft, text=text[: taken[0].at]), spot, trigger)
    return replace(draft, text=text + more, replace_after=len(rest))


def _goes_on(text: str, more: str) -> bool:
    """Whether what stands behind the cursor's closers may follow a text that was written in their place.

    ``x).items()`` may stand before ``;``. Behind ``x) {``, ``x);`` or ``x) &&``, another line was meant.
    """
    ended, begun = text.rstrip()[-1:], more.strip()[:1]
    return not begun or (
        (ended.isalnum() or ended in ENDS) and not (begun.isalnum() or begun in OPENERS or begun in QUOTES)
    )


def _without_statement_end(text: str, rest: str) -> str:
    """``free(take(x);`` before ``);``: the model has ended the statement and forgotten a bracket."""
    return text.rstrip("; ") if rest[:1] in tuple(CLOSERS) and rest.endswith(";") else text


def no_lone_closers(draft: Draft, spot: Spot, trigger: Trigger) -> Draft:
    """On a blank line Tab indents: closing brackets alone must not take that key away."""
    is_lone = spot.on_blank_line and not trigger.explicit and not draft.text.strip(LONE)
    return replace(draft, text="") if is_lone else draft
