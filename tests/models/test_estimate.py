"""The estimate of tokens stays above what a real tokenizer counts, and not far above."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.estimate import tokens

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0),
        ("return value", 2),
        ("getUserName", 3),
        ("12345", 5),
        ("a == b\n", 4),
        ("你好", 4),
        ("\n\n\n", 1),
        ("é", 2),
        ("😀", 4),
    ],
)
def test_what_is_counted(text: str, count: int) -> None:
    """Words with their blank, digits, signs, ends of lines; what is rare counts by its bytes."""
    assert tokens(text) == count


@given(st.text())
def test_it_is_never_more_than_the_bytes(text: str) -> None:
    """No tokenizer of bytes needs more, so neither does the estimate; and no text is too strange."""
    assert tokens(text) <= len(text.encode("utf-8", "replace"))


@given(st.text(), st.text())
def test_parts_are_not_cheaper_than_the_whole(one: str, two: str) -> None:
    """A budget that holds for the pieces holds for what is made of them, but for one word at the seam."""
    assert tokens(one + two) <= tokens(one) + tokens(two) + 1
