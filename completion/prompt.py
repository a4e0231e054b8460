"""Pure: how much of a document goes into a prompt, and where its parts begin and end.

The engine keeps the KV of what it has read, so two prompts for one neighborhood should begin alike. The
prefix therefore starts at a line whose number is a multiple of a coarse step, and stays there until the
budget is full. The suffix ends at a place that depends on the text after the cursor alone.
"""

from __future__ import annotations

import re

from completion.config import CompletionConfig
from completion.spot import Spot, whole_character
from completion.trigger import Trigger
from models.wire import Sampling

START_STEPS = (32, 16, 8, 4, 2, 1)
"""In lines. The first one that fills half of the budget: 32 lines of code are read again every 32 lines."""
WORD_START = re.compile(r"(?<!\w)(?=\w)")
LINE_TOKENS = 64  # The rest of one line is rarely more than 30; a model that writes on runs in circles.


def sampling(trigger: Trigger, config: CompletionConfig) -> Sampling:
    """How much may be said: the rest of a line, or a block."""
    one_line = trigger.shape == "line"
    return Sampling(
        max_tokens=min(config.max_tokens, LINE_TOKENS) if one_line else config.max_tokens,
        stop=("\n",) if one_line else (),
        logprobs=True,
    )


def anchor_at(before: str, lines: int, most: int, *, in_line: bool) -> int:
    """Where the middle begins: at the start of the line so many lines above the cursor's.

    A middle of more than ``most`` characters gives up the lines above, then the start of its line.
    ``in_line`` says that ``before`` begins inside a line.
    """
    at, starts = len(before), []
    for _ in range(lines + 1):
        at = before.rfind("\n", 0, at)
        if 0 <= at or not in_line:
            starts.append(at + 1)
        if at < 0:
            break
    for start in reversed(starts):
        if len(before) - start <= most:
            return start
    at = len(before) - min(most, len(before)) // 2
    word = WORD_START.search(before, at)
    return word.start() if word else whole_character(before, at, forward=False)


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


def suffix(spot: Spot, budget: int, skip: int = 0) -> str:
    """The text from ``skip`` characters behind the cursor on, at most ``budget`` characters of it.

    It ends with a whole line if its lines are not too long.
    """
    text = spot.after[skip:]
    if len(text) <= budget:
        return text
    line_end = text.rfind("\n", budget // 2, budget) + 1
    return text[: line_end or whole_character(text, budget, forward=False)]
