"""Cuts are made where a cursor stands, lose no character, and are the same for the same seed."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from models.train import cuts
from models.train.cuts import (
    ANCHOR_LINES,
    BLOCK_LINES,
    KINDS,
    Cut,
    anchored_above,
    block_end,
    cut,
    line_around,
)

TEXT = Path(cuts.__file__).read_text(encoding="utf-8")


def made(kind: str, *, anchored: bool, count: int = 60) -> list[Cut]:
    """Several cuts of one kind through a file of this repository."""
    share = 1.0 if anchored else 0.0
    drawn = [cut(TEXT, random.Random(seed), kind=kind, anchored_share=share) for seed in range(count)]
    return [it for it in drawn if it is not None]


@pytest.mark.parametrize("anchored", [False, True])
@pytest.mark.parametrize("kind", sorted(KINDS))
def test_the_three_parts_are_the_text(kind: str, anchored: bool) -> None:
    """Nothing is lost or doubled at a seam."""
    them = made(kind, anchored=anchored)
    assert 50 < len(them)
    assert {it.prefix + it.middle + it.suffix for it in them} == {TEXT}
    assert {it.kind for it in them} == {kind}


def test_every_kind_occurs_by_itself() -> None:
    """Drawn without a wish, all kinds come, anchored and not."""
    drawn = [cut(TEXT, random.Random(seed), anchored_share=0.5) for seed in range(300)]
    them = [it for it in drawn if it is not None]
    assert {it.kind for it in them} == set(KINDS)
    assert {0 < it.typed for it in them} == {True, False}


def test_the_same_seed_makes_the_same_cut() -> None:
    """A resumed run sees the examples it would have seen."""
    assert cut(TEXT, random.Random(5)) == cut(TEXT, random.Random(5))


def test_a_word_cut_stands_inside_a_word() -> None:
    """Cuts fall at characters, not at token borders."""
    for it in made("word", anchored=False):
        assert (it.prefix[-1] + it.middle[0]).replace("_", "a").isalnum()


@pytest.mark.parametrize("kind", ["word", "inside", "line"])
def test_the_rest_of_the_line_ends_where_the_line_ends(kind: str) -> None:
    """The suffix begins right after the middle, with the line break."""
    for it in made(kind, anchored=False):
        assert "\n" not in it.middle
        assert it.suffix[:1] in ("\n", "")


def test_a_missing_line_is_missing_from_its_indentation_on() -> None:
    """The cursor stands where the editor's indentation put it."""
    for it in made("line", anchored=False):
        assert not it.prefix[line_around(TEXT, len(it.prefix))[0] :].strip()
        assert it.middle.strip() == it.middle.lstrip()


def test_a_bracket_cut_stands_after_a_bracket() -> None:
    """With and without the closer that an editor adds by itself."""
    them = made("bracket", anchored=False)
    assert {it.prefix[-1] for it in them} <= set("([{")
    assert {it.suffix[:1] in (")", "]", "}") for it in them} == {True, False}


@pytest.mark.parametrize("kind", ["end", "block"])
def test_a_block_is_short_and_ends_at_a_line_end(kind: str) -> None:
    """A block ends before a blank line, a dedent, or when it is long enough."""
    for it in made(kind, anchored=False):
        assert it.middle.count("\n") <= BLOCK_LINES
        assert it.suffix[:1] in ("\n", "")


def test_an_anchor_lies_before_the_cursor_and_not_far() -> None:
    """The middle begins with what was typed since, as the engine's fixed prompts have it."""
    for kind in KINDS:
        for it in made(kind, anchored=True):
            assert it.middle[: it.typed].count("\n") <= ANCHOR_LINES
            assert it.typed < len(it.middle)


def test_an_anchor_can_be_moved_up_by_whole_lines() -> None:
    """The middle then begins at a line's start; the cursor and the missing text stay where they are."""
    made = Cut(kind="word", prefix="a\nb\nc\nd = x", middle="yz", suffix="\n")
    moved = anchored_above(made, 2)
    assert moved == Cut(kind="word", prefix="a\n", middle="b\nc\nd = xyz", suffix="\n", typed=9)
    assert anchored_above(made, 9).prefix == ""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("if a:\n    b\n    c\nd\n", "if a:\n    b\n    c\nd"),
        ("    b\n    c\nd\n", "    b\n    c"),
        ("b\n\nc\n", "b"),
        ("    f(\n        a,\n    )\n    b\n", "    f(\n        a,\n    )\n    b"),
        ("a\nb\nc\nd\n", "a\nb\nc\nd"),
    ],
)
def test_a_block_ends_before_a_blank_line_or_a_dedent(text: str, expected: str) -> None:
    """What a reader would call a block."""
    assert text[: block_end(text, 0, 4)] == expected


def test_a_text_without_a_place_has_no_cut() -> None:
    """No words, no brackets: no cut, and no endless search."""
    assert cut("\n\n", random.Random(0), kind="word") is None
    assert cut("x = 1\n", random.Random(0), kind="bracket") is None
