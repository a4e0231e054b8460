"""Citations become links that resolve, at once or in a stream; code and unknown brackets stay as they are."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chat import cite
from chat.types import Place
from tests.chat.code_in_memory import InMemory

A = Place(path="src/a.py", first_line=3, last_line=9)
B = Place(path="lib/b.ts", first_line=1, last_line=1)
ODD = Place(path="app/[id]/my page (1).tsx", first_line=2, last_line=5)
NUMBERS = {1: A, 2: B, 4: ODD}
LINK_A, LINK_B = "[src/a.py#L3-L9](src/a.py#L3-L9)", "[lib/b.ts#L1](lib/b.ts#L1)"

EXPANDED = {
    "It is in [1].": f"It is in {LINK_A}.",
    "See [1, 2] and [2][1].": f"See {LINK_A}, {LINK_B} and {LINK_B}{LINK_A}.",
    "See [1-2], [1–2], [1; 2], [^1] and 【2†source】.": (
        f"See {LINK_A}, {LINK_B}, {LINK_A}, {LINK_B}, {LINK_A}, {LINK_B}, {LINK_A} and {LINK_B}."
    ),
    "See [1 and 2].": f"See {LINK_A}, {LINK_B}.",
    "Nobody said so [9].": "Nobody said so.",
    "Half of it [1, 9] is known.": f"Half of it {LINK_A} is known.",
    "As the router does[1].": f"As the router does{LINK_A}.",
    "As `run()`[2] does.": f"As `run()`{LINK_B} does.",
    "Done.[1]": f"Done.{LINK_A}",
    "It reads `items[1]` there.": "It reads `items[1]` there.",
    "It reads ``a`[1]`` there [1].": f"It reads ``a`[1]`` there {LINK_A}.",
    "It reads sys.argv[1] there.": "It reads sys.argv[1] there.",
    "It reads argv[7] there.": "It reads argv[7] there.",
    "Digits are [0-9] or [0].": "Digits are [0-9] or [0].",
    "In [2024] it was [x] or [ ].": "In [2024] it was [x] or [ ].",
    "```py\nx[1] = [1]\n```\nThen [1].": f"```py\nx[1] = [1]\n```\nThen {LINK_A}.",
    "~~~\n[1]\n```\n[1]\n~~~\n[2]": f"~~~\n[1]\n```\n[1]\n~~~\n{LINK_B}",
    "````\n```\n[1]\n```\n````\n[2]": f"````\n```\n[1]\n```\n````\n{LINK_B}",
    "```\nopen [1]": "```\nopen [1]",
    "An odd ` and then\n[1]": f"An odd ` and then\n{LINK_A}",
    "[1](src/other.py#L99) wrote it.": f"{LINK_A} wrote it.",
    "See [the file](src/a.py#L4-L5).": "See [the file](src/a.py#L4-L5).",
    "See [the file](./src/a.py:4).": "See [the file](src/a.py#L4).",
    "See [the file](src/a.py#L400).": "See [the file](src/a.py#L3-L9).",
    "See [the file](src/made_up.py#L4).": "See the file.",
    "See [the docs](https://example.com/a_(b)).": "See [the docs](https://example.com/a_(b)).",
    "See [below](#below).": "See [below](#below).",
    "See [it](file:///etc/passwd).": "See it.",
    "[4]": r"[app/\[id\]/my page (1).tsx#L2-L5](app/[id]/my%20page%20%281%29.tsx#L2-L5)",
    "[id](app/[id]/my%20page%20%281%29.tsx#L2)": "[id](app/[id]/my%20page%20%281%29.tsx#L2)",
    "A list [see [1]] ends": f"A list [see {LINK_A}] ends",
    "Half a bracket [1": "Half a bracket [1",
    r"Escaped \[1\] stays": r"Escaped \[1\] stays",
    "Two  [9]\nlines [1]": f"Two\nlines {LINK_A}",
    "": "",
}
LETTERS = st.sampled_from(
    [*"[]()【】`~\\ \n.,-–^123490ax", "```", "[1]", "[9]", "](", "src/a.py#L4", "~~~\n", "\n\n"]
)
ANSWERS = st.lists(LETTERS, max_size=40).map("".join)


@pytest.mark.parametrize("text", EXPANDED)
def test_citations_become_links(text: str) -> None:
    """Each way of citing is expanded; what stands for nothing goes; what is no citation stays."""
    assert cite.expand(text, NUMBERS)[0] == EXPANDED[text]


def test_what_was_cited_is_known() -> None:
    """Each place once, in the order of the answer; what stands in code was not cited."""
    assert cite.expand("[2], [1], [2], `[4]`, [9]", NUMBERS)[1] == (B, A)


@given(ANSWERS, st.lists(st.integers(0, 60), max_size=12))
@settings(max_examples=300, deadline=None)
def test_a_stream_shows_what_the_whole_would(text: str, cuts: list[int]) -> None:
    """However an answer is cut into pieces, what is shown is the same, and none of it is taken back."""
    stream = cite.Stream(NUMBERS)
    places = sorted({0, len(text), *(it for it in cuts if it < len(text))})
    shown = "".join(stream.feed(text[a:b]) for a, b in pairwise(places)) + stream.end()
    assert (shown, stream.places) == cite.expand(text, NUMBERS)


@given(ANSWERS)
@settings(max_examples=300, deadline=None)
def test_without_citations_a_text_stays_as_it_is(text: str) -> None:
    """A text in which no number is in brackets and nothing is linked comes out byte for byte."""
    bare = re.sub(r"\d", "x", text).replace("](", "] (")
    assert cite.expand(bare, NUMBERS)[0] == bare


@given(
    st.lists(st.sampled_from(["[1]", " [2, 1]", "[9]", "[a](b.py)", "[c](src/a.py#L4)", " word", "\n", ". "]))
)
@settings(max_examples=200, deadline=None)
def test_every_link_leads_to_a_place_that_was_given(parts: list[str]) -> None:
    """After expansion no target is left but those of the numbers, and lines within them."""
    text, places = cite.expand("".join(parts), NUMBERS)
    targets = re.findall(r"\]\(([^)]*)\)", text)
    assert set(targets) <= {cite.target(it) for it in places}
    assert {it.path for it in places} <= {A.path, B.path}


def test_nothing_half_is_shown() -> None:
    """Letter by letter, no bracket of a citation appears before the whole link does."""
    stream = cite.Stream(NUMBERS)
    shown = [stream.feed(it) for it in "Look [1, 2] there"]
    assert "".join(shown).startswith(f"Look {LINK_A}, {LINK_B}")
    assert not any(it in ("[", "1", "[1") for it in shown)


async def test_only_what_is_there_resolves() -> None:
    """A file that is gone, lines behind its end and secrets are no places; an end beyond it is drawn in."""
    code = InMemory({"src/a.py": "one\ntwo\nthree\nfour\n", ".env": "A=1\n", "empty.py": ""})
    wanted = [
        A,
        Place(path="src/a.py", first_line=5, last_line=5),
        Place(path="src/a.py", first_line=1, last_line=4),
        Place(path="gone.py", first_line=1, last_line=1),
        Place(path=".env", first_line=1, last_line=1),
        Place(path="empty.py", first_line=1, last_line=1),
    ]
    assert await cite.resolve(wanted, code) == (
        Place(path="src/a.py", first_line=3, last_line=4),
        Place(path="src/a.py", first_line=1, last_line=4),
    )
