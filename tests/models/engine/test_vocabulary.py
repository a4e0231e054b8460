"""Fill-in-the-middle prompts as lists of tokens: their order, what is cut, and that the cut stands still."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.engine.vocabulary import FimText, FimTokens, fim_prompt

# Letters stand for text, these for special tokens.
PREFIX, SUFFIX, MIDDLE, REPO, FILE, BOS = map(ord, "⟨⟩⟪⌂▤^")
PSM = FimTokens(prefix=PREFIX, suffix=SUFFIX, middle=MIDDLE, repository=REPO, separator=FILE)
SPM = FimTokens(
    prefix=PREFIX, suffix=SUFFIX, middle=None, repository=None, separator=None, suffix_text="[SUFFIX]"
)


def letters(text: str, *, goes_on: bool = False) -> Sequence[int]:
    """A tokenizer of one token per character."""
    return list(map(ord, text))


def prompt(text: FimText, *, fim: FimTokens = PSM, bos: int | None = None, room: int = 1000) -> str:
    return "".join(map(chr, fim_prompt(text, fim, bos, letters, room).tokens))


SNIPPETS = (("b", "BB"), ("c", "CC"))
WHOLE = FimText(prefix="a", suffix="z", path="p", repository="r", snippets=SNIPPETS)


@pytest.mark.parametrize(
    ("text", "fim", "bos", "room", "expected"),
    [
        (FimText(prefix="a", suffix="z"), PSM, None, 99, "⟨a⟩z⟪"),
        (FimText(prefix="a", suffix="z", middle="m"), PSM, None, 99, "⟨a⟩z⟪m"),
        (FimText(prefix="a", suffix="z"), PSM, BOS, 99, "^⟨a⟩z⟪"),
        (FimText(prefix="", suffix=""), PSM, None, 99, "⟨⟩⟪"),
        (FimText(prefix="a", suffix="z", middle="m"), SPM, BOS, 99, "^⟩z⟨am"),
        (FimText(prefix="a", suffix="z", path="p"), PSM, None, 99, "⟨a⟩z⟪"),
        (FimText(prefix="a", suffix="z", path="p", repository="r"), PSM, None, 99, "⌂r\n▤p\n⟨a⟩z⟪"),
        (
            WHOLE,
            PSM,
            None,
            99,
            "⌂r\n▤b\nBB\n▤c\nCC\n▤p\n⟨a⟩z⟪",
        ),
        (FimText(prefix="a", suffix="z", snippets=SNIPPETS), PSM, None, 99, "▤b\nBB\n▤c\nCC\n▤⟨a⟩z⟪"),
        (FimText(prefix="a", suffix="z", snippets=SNIPPETS), SPM, None, 99, "⟩z⟨a"),
        # The first files go first, then the repository, then all context, then the far ends of the text.
        (WHOLE, PSM, None, 17, "⌂r\n▤c\nCC\n▤p\n⟨a⟩z⟪"),
        (WHOLE, PSM, None, 14, "▤c\nCC\n▤p\n⟨a⟩z⟪"),
        (WHOLE, PSM, None, 10, "▤p\n⟨a⟩z⟪"),
        (WHOLE, PSM, None, 7, "⟨a⟩z⟪"),
        (FimText(prefix="abcdef", suffix="uvwxyz"), PSM, None, 11, "⟨abcdef⟩uv⟪"),
        (FimText(prefix="abcdefgh", suffix="uvwxyz"), PSM, None, 11, "⟨cdefgh⟩uv⟪"),
        (FimText(prefix="a", suffix="z"), PSM, None, 0, "⟨⟩⟪"),
    ],
)  # fmt: skip
def test_the_order_and_the_cut(
    text: FimText, fim: FimTokens, bos: int | None, room: int, expected: str
) -> None:
    """The exact tokens that the model sees."""
    assert prompt(text, fim=fim, bos=bos, room=room) == expected


WORDS = st.text("abc", max_size=300)


@given(
    text=st.builds(
        FimText,
        prefix=WORDS,
        suffix=WORDS,
        middle=st.text("m", max_size=90),
        path=st.sampled_from(["", "p"]),
        repository=st.sampled_from(["", "r"]),
        snippets=st.lists(st.tuples(st.text("s", max_size=9), WORDS), max_size=3).map(tuple),
    ),
    fim=st.sampled_from([PSM, SPM]),
    bos=st.sampled_from([None, BOS]),
    room=st.integers(4, 700),
)
def test_the_room_is_kept(text: FimText, fim: FimTokens, bos: int | None, room: int) -> None:
    """Whatever the sizes, the text around the cursor stays."""
    made = prompt(text, fim=fim, bos=bos, room=room)
    assert len(made) <= room
    head = made.replace("⟪", "").partition("⟨")[2].partition("⟩")[0].removesuffix(text.middle)
    assert text.prefix.endswith(head) or fim is SPM
    assert made.endswith(text.middle[max(len(text.middle) - max(room - 4, 0), 0) :])
    if len(text.prefix + text.suffix) + 4 + (64 if text.middle else 0) + len(text.middle) <= room:
        assert f"⟨{text.prefix}" in made
        assert f"⟩{text.suffix}" in made


def changes(prompts: list[str]) -> int:
    """How often the KV of a prompt is of no use for the next one, except for its end."""
    return sum(not after.startswith(before[: before.index("⟩")]) for before, after in pairwise(prompts))


def test_typing_on_in_a_long_file_hardly_moves_the_cut() -> None:
    """A cut that followed each key would evaluate the whole prompt each time."""
    text = "".join(chr(0x4E00 + it % 5000) for it in range(2000))
    prompts = [prompt(FimText(prefix=text[:end], suffix="z" * 500), room=800) for end in range(300, 2000)]
    assert changes(prompts) <= (2000 - 300) // (800 // 8) + 2


def test_a_growing_middle_hardly_moves_the_cut() -> None:
    """The same when what is typed stands behind a fixed prefix and suffix."""
    text = "".join(chr(0x4E00 + it % 5000) for it in range(2000))
    typed = [FimText(prefix=text, suffix="z" * 500, middle="m" * it) for it in range(1, 129)]
    prompts = [prompt(it, room=800) for it in typed]
    assert changes(prompts) == 1


def test_what_is_far_away_is_not_even_tokenized() -> None:
    """A file of many megabytes costs no more than one of the context's size."""
    seen = 0

    def tokenize(text: str, *, goes_on: bool = False) -> Sequence[int]:
        nonlocal seen
        seen += len(text)
        return letters(text)

    fim_prompt(FimText(prefix="a" * 10**6, suffix="z" * 10**6), PSM, None, tokenize, 1000)
    assert seen <= 16_000
