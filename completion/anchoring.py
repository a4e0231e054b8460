"""Pure: the prompt that stays as it is while somebody types, and whether it still says what is on screen.

A prompt has three parts in the order prefix, suffix, middle, and an engine keeps what it has read. So the
text typed since the prompt was made goes to its end, the middle, and each key costs the model its own token
and nothing else. Prefix and suffix belong to an ``Anchor``, which is set at the start of a line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from completion.brackets import lex
from completion.config import CompletionConfig
from completion.languages import CLOSER_OF
from completion.prompt import anchor_at, prefix, sampling, suffix
from completion.spot import Spot
from completion.trigger import MAY_FOLLOW, Trigger
from models.wire import MAX_CHOICES, CompletionRequest, Sampling, Snippet

MOST_GROWTH = 3
"""A middle this many times as long as one that is due for a new anchor is no question a model knows."""
SURE_FACTOR = 0.5
"""Half of what is worth showing: what is shown is judged by its arithmetic mean, and what has begun badly
may end well."""
MOST_CLOSING = 64  # Characters: the closers of some nested blocks with their indentation.
CLOSING = re.compile(r"(?:\s*(?:[)\]}>\"'`;]|</[\w.:-]*>))*")
"""What editors insert behind the cursor: closers, end tags, and the line breaks of a block just opened."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """The parts of a prompt that stay."""

    prompt: str
    """The text before the middle, as far as the model sees it."""
    suffix: str
    """The text behind the cursor and what the editor has closed there, as far as the model sees it."""
    place: tuple[int, int]
    """The line and column, from 0, at which the middle began when the anchor was set."""
    from_start: bool
    """Whether ``prompt`` began where the document does."""
    to_end: bool
    """Whether ``suffix`` ends where the document does."""
    small: bool = False
    """Whether there was more to see, and it was left out to be quick."""
    path: str = ""
    repository: str = ""
    snippets: tuple[Snippet, ...] = ()

    @property
    def characters(self) -> int:
        """How much text it is, without the middle."""
        return len(self.prompt) + len(self.suffix) + sum(len(it.text) for it in self.snippets)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """The document reads: the anchor's prompt, ``typed``, the cursor, ``closers``, the anchor's suffix."""

    typed: str
    closers: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfit:
    """The document does not read like that any more, or the cursor is elsewhere; one word says what."""

    reason: str


def new_anchor(
    spot: Spot,
    config: CompletionConfig,
    snippets: Sequence[Snippet] = (),
    repository: str = "",
    *,
    tokens: int | None = None,
) -> Anchor:
    """An anchor that fits ``spot``; with ``tokens`` one of about that size, and without other files.

    It stands at the start of the cursor's line, or so many lines above as the model's card wants: a
    backspace then stays behind it. Closers of what the line itself has opened stay between cursor and suffix,
    for whoever types over them to find the anchor still there.
    """
    full = _anchor(spot, config, config.prefix_characters, config.suffix_characters)
    if tokens is not None:
        small = replace(config, prefix_tokens=tokens - tokens // 4, suffix_tokens=tokens // 4)
        quick = _anchor(spot, small, small.prefix_characters, small.suffix_characters)
        if snippets or (quick.prompt, quick.suffix) != (full.prompt, full.suffix):
            return replace(quick, small=True)
    return replace(full, snippets=tuple(snippets), repository=repository)


def fit(anchor: Anchor, spot: Spot, config: CompletionConfig) -> Fit | Unfit:
    """How the anchor's parts make up what is on screen at ``spot``, or why they do not."""
    if anchor.path != spot.path:
        return Unfit(reason="elsewhere")
    closers = _closers(anchor, spot)
    if closers is None:
        return Unfit(reason="after")
    most = MOST_GROWTH * config.middle_characters
    starts = list(_middles(anchor, spot, most))
    if not starts:
        return Unfit(reason="before")
    start = starts[0]
    if 1 < len(starts):  # The same text more than once: the place nearest to where it was.
        start = min(starts, key=lambda it: _distance(_place(spot, it), anchor.place))
    if most < len(spot.before) - start:
        return Unfit(reason="long")
    return Fit(typed=spot.before[start:], closers=closers)


def stale(anchor: Anchor, found: Fit, spot: Spot, config: CompletionConfig) -> str:
    """Why a new anchor should be made ready while this one still answers; empty if it need not."""
    if anchor.small:
        return "small"
    if config.middle_characters < len(found.typed):
        return "long"
    if anchor.from_start and len(anchor.prompt) + len(found.typed) < len(spot.before):
        return "above"
    return ""


def anchored_request(
    anchor: Anchor, found: Fit, trigger: Trigger, config: CompletionConfig, model: str
) -> CompletionRequest:
    """What to ask the model. From key to key only ``middle`` changes, and while typing it only grows."""
    return replace(
        prefill_request(anchor, found, model),
        priority="typing",
        choices=MAX_CHOICES if trigger.explicit else 1,
        least_probability=SURE_FACTOR * config.confidence_threshold,
        sampling=sampling(trigger, config),
    )


def fim_request(
    spot: Spot, trigger: Trigger, config: CompletionConfig, model: str, snippets: Sequence[Snippet] = ()
) -> CompletionRequest:
    """What to ask the model once, with an anchor that nobody will use again."""
    anchor = new_anchor(spot, config, snippets)
    return anchored_request(anchor, fit_new(anchor, spot, config), trigger, config, model)


def fit_new(anchor: Anchor, spot: Spot, config: CompletionConfig) -> Fit:
    """How an anchor that was just made for ``spot`` fits it."""
    found = fit(anchor, spot, config)
    assert isinstance(found, Fit), f"a new anchor does not fit: {found.reason}"
    return found


def prefill_request(anchor: Anchor, found: Fit, model: str) -> CompletionRequest:
    """Have the anchor evaluated, and nothing said."""
    return CompletionRequest(
        model=model,
        prompt=anchor.prompt,
        suffix=anchor.suffix,
        middle=found.typed,
        repository=anchor.repository,
        path=anchor.path,
        snippets=anchor.snippets,
        heal=True,
        sampling=Sampling(max_tokens=0),
        priority="prefill",
    )


def unread(anchor: Anchor, known: Sequence[Anchor]) -> int:
    """How many characters an engine must read for ``anchor`` that has read the ``known`` ones."""
    return anchor.characters - max((_shared(anchor, it) for it in known), default=0)


def _anchor(spot: Spot, config: CompletionConfig, before_characters: int, after_characters: int) -> Anchor:
    before = prefix(spot, before_characters)
    cut = len(spot.before) - len(before)
    in_line = 0 < cut and spot.before[cut - 1] != "\n"
    at = anchor_at(before, config.anchor_lines, config.middle_characters * 2 // 3, in_line=in_line)
    skipped = len(_paired(spot))
    after = suffix(spot, after_characters, skipped)
    return Anchor(
        prompt=before[:at],
        suffix=after,
        place=_place(spot, cut + at),
        from_start=spot.first_line == 0 and not cut,
        to_end=spot.whole and skipped + len(after) == len(spot.after),
        path=spot.path,
    )


def _paired(spot: Spot) -> str:
    """The closers right behind the cursor of what its own line has opened, if nothing else stands there."""
    if not MAY_FOLLOW.fullmatch(spot.line_after):
        return ""
    line = spot.line_before
    lexed = lex(line, spot.facts)
    quote = lexed.inside if lexed.inside and lexed.inside == spot.inside and lexed.inside != "\n" else ""
    closers = quote + "".join(CLOSER_OF[it.text] for it in reversed(lexed.opens))
    length = 0
    while length < min(len(closers), len(spot.line_after)) and closers[length] == spot.line_after[length]:
        length += 1
    return closers[:length]


def _closers(anchor: Anchor, spot: Spot) -> str | None:
    """What stands between the cursor and the anchor's suffix, if editors put such things there."""
    most = CLOSING.match(spot.after)
    assert most is not None  # It matches the empty text.
    at = -1
    for _ in range(MOST_CLOSING):
        at = spot.after.find(anchor.suffix, at + 1, MOST_CLOSING + len(anchor.suffix))
        if at < 0 or most.end() < at:
            return None
        is_end = spot.whole and at + len(anchor.suffix) == len(spot.after)
        if (is_end or not anchor.to_end) and CLOSING.fullmatch(spot.after, 0, at):
            return spot.after[:at]
    return None


def _middles(anchor: Anchor, spot: Spot, most: int) -> Iterator[int]:
    """Where the middle may begin: wherever the anchor's prompt stands before it, not too far away."""
    before, length = spot.before, len(anchor.prompt)
    if not length:
        yield from _line_start(before, anchor.place[0] - spot.first_line)
        return
    lowest = max(len(before) - length - most - 1, 0)
    at = before.rfind(anchor.prompt, lowest)
    while 0 <= at:
        yield at + length
        at = before.rfind(anchor.prompt, lowest, at + length - 1)


def _line_start(text: str, number: int) -> Iterator[int]:
    """Where the line with this number, from 0, begins, if the text has it."""
    start = 0
    for _ in range(number):
        start = text.find("\n", start) + 1
        if not start:
            return
    if 0 <= number:
        yield start


def _place(spot: Spot, at: int) -> tuple[int, int]:
    """The line in the document, and the column, of a place in ``spot.before``."""
    return spot.first_line + spot.before.count("\n", 0, at), at - spot.before.rfind("\n", 0, at) - 1


def _distance(one: tuple[int, int], other: tuple[int, int]) -> tuple[int, int]:
    return abs(one[0] - other[0]), abs(one[1] - other[1])


def _shared(anchor: Anchor, other: Anchor) -> int:
    """How many characters at the start of both prompts are the same."""
    if (anchor.snippets, anchor.repository) != (other.snippets, other.repository):
        return 0
    if anchor.path != other.path and (anchor.snippets or anchor.repository):
        return 0
    length = sum(len(it.text) for it in anchor.snippets)
    prompts = _common(anchor.prompt, other.prompt)
    if prompts < max(len(anchor.prompt), len(other.prompt)):
        return length + prompts
    return length + prompts + _common(anchor.suffix, other.suffix)


def _common(one: str, other: str) -> int:
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one.startswith(other[:middle]):
            low = middle
        else:
            high = middle - 1
    return low
