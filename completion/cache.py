"""Typed-through answers: what the user types of a suggestion is answered by the rest of it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, replace

from completion.brackets import lex
from completion.languages import CLOSER_OF
from completion.postprocess import clean
from completion.postprocess.tab import tab_indents
from completion.spot import Spot
from completion.stop import end_of
from completion.suggestion import Suggestion
from completion.trigger import Shape, Trigger

CAPACITY = 64  # Suggestions are small; people return to the last few places they were at.
NEAR_CHARACTERS = 256  # Of the text on each side that must be the same; what is further away may be edited.


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What must be the same for a suggestion to fit."""

    model: str
    path: str
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    r"""A suggestion, with ``\n`` line breaks, and how it was asked for."""

    suggestion: Suggestion
    shape: Shape
    inside: str
    explicit: bool
    """Whether it was asked for by hand: then there may be several, and unsure ones."""


def place_of(spot: Spot, model: str) -> Place:
    """The place of a spot."""
    return Place(
        model=model,
        path=spot.path,
        before=spot.before[-NEAR_CHARACTERS:],
        after=spot.after[: 2 * NEAR_CHARACTERS],
    )


class SuggestionCache:
    """The suggestions shown last, newest last."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._kept: OrderedDict[Place, Kept] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def put(self, spot: Spot, trigger: Trigger, model: str, suggestion: Suggestion) -> None:
        """Remember a suggestion that was shown here; the least recently used one makes room.

        One without text says that there is nothing to suggest here.
        """
        place = place_of(spot, model)
        self._kept[place] = Kept(
            suggestion=suggestion, shape=trigger.shape, inside=spot.inside, explicit=trigger.explicit
        )
        self._kept.move_to_end(place)
        while len(self._kept) > self._capacity:
            self._kept.popitem(last=False)

    def find(self, spot: Spot, trigger: Trigger, model: str) -> Suggestion | None:
        """The rest of a suggestion that the user has typed or accepted a part of, or all of it again.

        One without text where it is known that there is nothing to suggest; ``None`` where nothing is known.
        """
        nothing: Suggestion | None = None
        for place in reversed(self._kept):
            kept = self._kept[place]
            if (place.model, place.path) != (model, spot.path) or (trigger.explicit and not kept.explicit):
                continue
            if not kept.suggestion.text and _is_at(place, spot) and kept.shape == trigger.shape:
                nothing = nothing or replace(kept.suggestion, cached=True, usage=None, ms=0.0, first_ms=0.0)
            for typed in _typed(place, kept.suggestion.text, spot.before):
                if not typed and kept.shape == "line" and trigger.shape == "block":
                    continue
                rest = _rest(place, kept, typed, spot, trigger)
                if rest and rest.text and not tab_indents(rest.text, spot, trigger):
                    self._kept.move_to_end(place)
                    return replace(rest, cached=True, usage=None, ms=0.0, first_ms=0.0)
        return nothing


def _typed(place: Place, text: str, before: str) -> Iterator[str]:
    """The beginnings of ``text`` which, put behind the place, lead to the cursor; fewest characters first."""
    length = len(place.before)
    if length < NEAR_CHARACTERS:  # All that stood before it: the document starts there.
        near, at = before, 0 if before.startswith(place.before) else -1
    else:
        near = before[-length - len(text) :]
        at = near.rfind(place.before)
    while at >= 0:
        typed = near[at + length :]
        if len(typed) < len(text) and text.startswith(typed):
            yield typed
        at = near.rfind(place.before, 0, at + length - 1) if at else -1


def _rest(place: Place, kept: Kept, typed: str, spot: Spot, trigger: Trigger) -> Suggestion | None:
    """What is left of the suggestion, if the text after the cursor is what it should be by now."""
    shown = kept.suggestion
    rest = replace(shown, text=shown.text[len(typed) :], others=())
    if _near(spot.after, place.after):
        return replace(rest, others=_others(shown, typed))
    lexed = lex(typed, spot.facts, kept.inside)
    passed = "".join(it.text for it in lexed.closes)
    if 0 < len(passed) <= shown.replace_after and _near(spot.after, place.after[len(passed) :]):
        return replace(rest, replace_after=shown.replace_after - len(passed))  # Closers were typed over.
    quote = lexed.inside if lexed.inside != kept.inside else ""
    paired = quote + "".join(CLOSER_OF[it.text] for it in reversed(lexed.opens))
    if paired and not shown.replace_after and _near(spot.after, paired + place.after):
        text = rest.text[: end_of(rest.text, spot, trigger, whole=True)]
        draft = clean(text, spot, trigger)
        return replace(rest, text=draft.text, replace_after=draft.replace_after)
    return None


def _others(shown: Suggestion, typed: str) -> tuple[Suggestion, ...]:
    """What is left of the other suggestions that begin with what was typed."""
    going_on = (it for it in shown.others if it.text.startswith(typed) and len(typed) < len(it.text))
    return tuple(replace(it, text=it.text[len(typed) :], cached=True) for it in going_on)


def _is_at(place: Place, spot: Spot) -> bool:
    return spot.before[-NEAR_CHARACTERS:] == place.before and _near(spot.after, place.after)


def _near(one: str, other: str) -> bool:
    return one[:NEAR_CHARACTERS] == other[:NEAR_CHARACTERS]
