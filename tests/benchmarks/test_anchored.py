"""The quality benchmark: all ways see the same text, and what is judged is the line that was asked for."""

from __future__ import annotations

import pytest

from benchmarks.anchored import (
    HEALED,
    KINDS,
    LINES_ABOVE,
    PLAIN,
    anchored,
    first_line,
    interval,
    places,
    request,
    ways,
)
from benchmarks.heldout.projects import File

TEXT = "".join(f"def name_{number}(value):\n    return value * {number}\n\n\n" for number in range(60))
FILES = (File(path="a.py", text=TEXT),)


def test_every_kind_has_its_places() -> None:
    """As many of each kind as were asked for; what is hidden and what is there make up the file."""
    found = list(places(FILES, 5, "seed"))
    assert {kind: sum(it.kind == kind for it in found) for kind in KINDS} == dict.fromkeys(KINDS, 5)
    for it in found:
        between = "\n" if it.kind == "line end" else ""
        assert it.cut.before + between + it.wanted + it.cut.after == TEXT
        assert it.wanted.strip()


@pytest.mark.parametrize("way", ways())
def test_all_ways_see_the_same_text(way: str) -> None:
    """Only where the middle begins differs: prefix and middle are the same text, the suffix stays."""
    for it in places(FILES, 3, "seed"):
        asked, plain = request(it, way, 400, 100), request(it, PLAIN, 400, 100)
        assert asked.prompt + asked.middle == plain.prompt
        assert asked.suffix == plain.suffix == it.cut.after[:100]
        assert asked.heal == (way != PLAIN)


def test_the_middle_begins_lines_above() -> None:
    """The middle of an anchored prompt has so many line breaks, and begins with its line."""
    (it,) = [it for it in places(FILES, 1, "seed") if it.kind == "in word"]
    assert request(it, HEALED, 800, 100).middle == ""
    for lines in LINES_ABOVE:
        asked = request(it, anchored(lines), 800, 100)
        assert asked.middle.count("\n") == lines
        assert asked.prompt.endswith("\n")


def test_the_line_that_was_asked_for() -> None:
    """At a line's end the answer is the next line, and going on with the same line is wrong."""
    assert first_line("rest  \nmore", "random") == "rest"
    assert first_line("\n    next\nmore", "line end") == "    next"
    assert first_line(" goes on\n    next", "line end") == ""


def test_the_interval_is_around_the_mean() -> None:
    """Without any spread there is no doubt; with some the mean is inside."""
    assert interval([2.0] * 10) == (2.0, 2.0, 2.0)
    mean, low, high = interval([0.0, 1.0] * 50)
    assert low < mean < high
    assert mean == 0.5
