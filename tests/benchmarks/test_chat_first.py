"""How long until an answer begins: what is said about what was measured."""

from __future__ import annotations

import pytest

from benchmarks.chat_first import First, Report, main, markdown


def first(ms: float, prompt: int, cached: int) -> First:
    """One question."""
    return First(ms=ms, prompt_tokens=prompt, cached_tokens=cached)


REPORT = Report(
    model="m",
    very_first=first(5000, 1000, 0),
    first=(first(1000, 1000, 200), first(3000, 1000, 100), first(2000, 1000, 200)),
    going_on=(first(300, 1300, 1100), first(200, 1200, 1100), first(900, 2000, 1100)),
)


def test_the_table() -> None:
    """Medians of what was measured, and what was read anew as a share of the question before."""
    lines = markdown(REPORT).splitlines()
    assert lines[2] == "| the very first, engine and model not there yet | 5,000 | 1,000 | 1,000 |"
    assert lines[3] == "| a first question | 2,000 | 1,000 | 800 |"
    assert lines[4] == "| a question that goes on | 300 | 1,300 | 200 |"
    assert lines[-1] == "What is read for the second question is 20% of the first one's prompt."


def test_what_cannot_be_measured() -> None:
    """No conversation has no time."""
    with pytest.raises(SystemExit):
        main(["--rounds", "0"])
