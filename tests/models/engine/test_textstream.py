"""Bytes of tokens to text: whole characters, nothing of a stop string, the same however the bytes arrive."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.engine.textstream import TextStream

WORDS = st.text("ab\n é😀", max_size=30)


def stream(parts: list[bytes], *stop: str) -> list[str]:
    """What is sent after each part, and at the end."""
    text = TextStream(stop)
    return [text.feed(it) for it in parts] + [text.rest()]


@pytest.mark.parametrize(
    ("parts", "stop", "sent"),
    [
        ([b"ab", b"c"], (), ["ab", "c", ""]),
        (["é".encode()[:1], "é".encode()[1:]], (), ["", "é", ""]),
        ([b"a" + "😀".encode()[:3]], (), ["a", ""]),
        ([b"a\xffb"], (), ["a\ufffdb", ""]),
        ([b"a\nb"], ("\n",), ["a", ""]),
        ([b"a\n", b"\nb"], ("\n\n",), ["a", "", ""]),
        ([b"a\n", b"b"], ("\n\n",), ["a", "\nb", ""]),
        ([b"a\n"], ("\n\n",), ["a", "\n"]),
        ([b"abc"], ("abc", "b"), ["a", ""]),
        ([b"ab", b"c"], ("abc", "b"), ["a", "", ""]),
        ([b"abc"], ("bc", "c"), ["a", ""]),
        ([b"aab"], ("aaab", "ab"), ["a", ""]),
        ([b"abc"], ("",), ["abc", ""]),
    ],
)
def test_what_is_sent(parts: list[bytes], stop: tuple[str, ...], sent: list[str]) -> None:
    """What may still become something else waits."""
    assert stream(parts, *stop) == sent


@given(
    text=WORDS,
    stop=st.lists(st.text("ab\n", min_size=1, max_size=4), max_size=3),
    cuts=st.sets(st.integers(0, 99)),
)
def test_any_split_gives_the_same_text(text: str, stop: list[str], cuts: set[int]) -> None:
    """Tokens cut characters and stop strings anywhere."""
    data = text.encode()
    edges = [0, *sorted(it for it in cuts if it < len(data)), len(data)]
    parts = [data[start:end] for start, end in pairwise(edges)]
    split = "".join(stream(parts, *stop))
    assert split == "".join(stream([bytes([it]) for it in data], *stop))
    assert split == "".join(stream([data], *stop))
    assert text.startswith(split)
    assert not any(it in split for it in stop)
    if not any(it in text for it in stop):
        assert split == text


@given(data=st.binary(max_size=40))
def test_no_bytes_break_it(data: bytes) -> None:
    """A model may write anything; half a character at the end is dropped."""
    text = "".join(stream([bytes([it]) for it in data]))
    assert data.decode("utf-8", "replace").startswith(text)


def test_after_the_stop_there_is_nothing() -> None:
    """Tokens that were computed already are not sent."""
    text = TextStream(("x",))
    assert [text.feed(b"axb"), text.stopped, text.feed(b"c"), text.rest()] == ["a", True, "", ""]
