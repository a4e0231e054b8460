"""Pure: a spot -> the fill-in-the-middle request, within the token budget.

The engine keeps the KV of what it has read, so a prompt must change at its end only while somebody types.
The prefix therefore starts at a line whose number is a multiple of a coarse step, and stays there until the
budget is full. The suffix ends at a place that depends on the text after the cursor alone.
"""

from __future__ import annotations

from collections.abc import Sequence

from completion.config import CompletionConfig
from completion.spot import Spot, whole_character
from completion.trigger import Trigger
from models.wire import CompletionRequest, Sampling, Snippet

START_STEPS = (32, 16, 8, 4, 2, 1)
"""In lines. The first one that fills half of the budget: 32 lines of code are read again every 32 lines."""
LINE_TOKENS = 64  # The rest of one line is rarely more than 30; a model that writes on runs in circles.


def fim_request(
    spot: Spot,
    trigger: Trigger,
    config: CompletionConfig,
    model: str,
    snippets: Sequence[Snippet] = (),
) -> CompletionRequest:
    """What to ask the model. Snippets keep the order given: a stable order keeps the cache warm."""
    one_line = trigger.shape == "line"
    before = prefix(spot, config.prefix_characters)
    at = anchor(before, config.anchor_lines)
    return CompletionRequest(
        model=model,
        prompt=before[:at],
        suffix=suffix(spot, config.suffix_characters),
        middle=before[at:],
        path=spot.path,
        snippets=tuple(snippets),
        sampling=Sampling(
            max_tokens=min(config.max_tokens, LINE_TOKENS) if one_line else config.max_tokens,
            stop=("\n",) if one_line else (),
            logprobs=True,
        ),
    )


def anchor(before: str, lines: int) -> int:
    """Where the middle begins: at the cursor, or at the start of the line so many lines above its own."""
    if lines == 0:
        return len(before)
    at = len(before)
    for _ in range(lines + 1):
        at = before.rfind("\n", 0, at)
        if at < 0:
            return 0
    return at + 1


def prefix(spot: Spot, budget: int) -> str:
    """The text before the cursor, at most ``budget`` characters, from a start that rarely moves."""
    text = spot.before
    if len(text) <= budget:
        return text
    earliest = len(text) - budget
    starts = [earliest] if text[earliest - 1] == "\n" else []
    at = earliest
    while (at := text.find("\n", at, len(text) - budget // 2) + 1) > 0:
        starts.append(at)
    number = spot.first_line + text.count("\n", 0, starts[0]) if starts else 0
    for step in START_STEPS:
        for start, line in zip(starts, range(number, number + len(starts)), strict=True):
            if line % step == 0:
                return text[start:]
    step = max(budget // 4, 1)  # One line fills the budget: start inside it, at a multiple of a step.
    start = -(-earliest // step) * step
    return text[whole_character(text, start, forward=True) :]


def suffix(spot: Spot, budget: int) -> str:
    """The text after the cursor, at most ``budget`` characters, in whole lines if they are not too long."""
    text = spot.after
    if len(text) <= budget:
        return text
    line_end = text.rfind("\n", budget // 2, budget) + 1
    return text[: line_end or whole_character(text, budget, forward=False)]
