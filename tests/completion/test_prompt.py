"""What the model is sent: the cases are ``golden/prompts.toml``, and what must stay the same while typing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from completion import decide, spot_at
from completion.anchoring import fim_request
from completion.prompt import anchor_at, prefix, suffix
from tests.completion.fixtures import CONFIG, CURSOR, cases, config_of, name_of, spot_of

LINE = "value = compute(first, second)\n"


@pytest.mark.parametrize("case", cases("prompts"), ids=name_of)
def test_prompt(case: dict[str, Any]) -> None:
    """The prompt is a pure function of the spot, so its text can be written down."""
    asks = {it: case[it] for it in ("prefix_tokens", "suffix_tokens", "anchor_lines") if it in case}
    config = replace(CONFIG, **asks, max_tokens=case.get("max_new_tokens", CONFIG.max_tokens))
    spot = spot_of(case["document"], "python", config, crlf=case.get("crlf", False))
    trigger = decide(spot, explicit=case.get("explicit", False), previous=None, config=config)
    request = fim_request(spot, trigger, config, "some-model")
    assert request.prompt == case["prompt"]
    assert request.middle == case.get("middle", "")
    assert request.suffix == case["suffix"]
    assert list(request.sampling.stop) == case["stop"]
    assert request.sampling.max_tokens == case["max_tokens"]


@pytest.mark.parametrize(
    ("before", "lines", "most", "in_line", "expected"),
    [
        ("a\nb\nc\nd = ", 0, 100, False, "d = "),
        ("a\nb\nc\nd = ", 2, 100, False, "b\nc\nd = "),
        ("a\nb\nc\nd = ", 9, 100, False, "a\nb\nc\nd = "),
        ("a\nb\nc\nd = ", 9, 100, True, "b\nc\nd = "),
        ("a\nb\nc\nd = ", 2, 7, False, "c\nd = "),
        ("first second third", 0, 12, False, "third"),
        ("first second third", 0, 12, True, "third"),
        ("first", 0, 100, True, "first"[3:]),
        ("", 0, 100, False, ""),
        ("a\n", 0, 100, False, ""),
    ],
)
def test_where_the_middle_begins(before: str, lines: int, most: int, in_line: bool, expected: str) -> None:
    """At a line's start, unless that makes it too long; then at a word's."""
    assert before[anchor_at(before, lines, most, in_line=in_line) :] == expected


def test_the_start_stays_while_lines_are_typed() -> None:
    """Each move of the start makes the engine read the whole prefix again."""
    starts = set()
    moves = 0
    last = ""
    for lines in range(200, 400):
        start = prefix(spot_of(LINE * lines + CURSOR), CONFIG.prefix_characters)
        fits_behind = start.startswith(last)
        moves += not fits_behind
        last = start
        starts.add(len(start))
    assert moves <= 200 // 32 + 1
    assert max(starts) <= CONFIG.prefix_characters
    assert CONFIG.prefix_characters // 2 <= min(starts)


def test_the_start_stays_while_one_very_long_line_is_typed() -> None:
    """A minified file has no line starts to hold on to."""
    moves = 0
    last = ""
    for length in range(1_000_000, 1_002_000, 10):
        start = prefix(spot_of("x" * length + CURSOR), CONFIG.prefix_characters)
        moves += not start.startswith(last)
        last = start
    assert moves <= 2_000 // (CONFIG.prefix_characters // 4) + 1


def test_the_suffix_stays_while_typing() -> None:
    """It depends on nothing before the cursor."""
    after = LINE * 100
    ends = {suffix(spot_of(LINE * lines + CURSOR + after), CONFIG.suffix_characters) for lines in range(5)}
    assert len(ends) == 1


@given(st.text(max_size=400), st.text(max_size=400), st.integers(1, 40), st.integers(1, 40))
def test_any_text_keeps_to_the_budget(before: str, after: str, head_tokens: int, tail_tokens: int) -> None:
    """What is sent is the end of what stands before the cursor and the start of what stands after it."""
    config = config_of({"prefix_tokens": head_tokens, "suffix_tokens": tail_tokens})
    spot = spot_at(before + after, len(before), path="p", language="python", config=config)
    head, tail = prefix(spot, config.prefix_characters), suffix(spot, config.suffix_characters)
    assert spot.before.endswith(head)
    assert spot.after.startswith(tail)
    assert len(head) <= config.prefix_characters
    assert len(tail) <= config.suffix_characters
