"""What cleaning must never do, whatever the model says."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from completion import Spot, decide
from completion.postprocess import STEPS, clean
from completion.postprocess.draft import Draft
from completion.suggestion import kept_logprobs, probabilities
from completion.trigger import Trigger
from models.wire import Piece
from tests.completion.fixtures import CONFIG, spot_of

WORDS = [
    "x",
    "foo",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    '"',
    "'",
    " ",
    "    ",
    "\t",
    "\n",
    ";",
    ",",
    ":",
    "#",
    "//",
]
WORDS += ["return x", "<|fim_pad|>", "é", "e\u0301", "👩🏽", "\r", "\0", "if (x) {", "});"]
DOCUMENTS = [
    "def f():\n    ‸\n    return x\n",
    "x = ‸\n",
    "foo(‸)\n",
    "foo(bar(‸));\n",
    'print("‸")\n',
    "if (x) {\n\t‸\n}\n",
    "/* ‸ */",
    "‸",
    "def f():‸\n",
    "{‸}",
    "a‸b c\n",
    "f(() => {\n  ‸\n})\n",
]
TEXT = st.lists(st.sampled_from(WORDS), max_size=25).map("".join) | st.text(max_size=50)


def cleaned(document: str, text: str, language: str = "python") -> tuple[Draft, Spot, Trigger]:
    spot = spot_of(document, language)
    trigger = decide(spot, explicit=True, previous=None, config=CONFIG)
    return clean(text, spot, trigger), spot, trigger


@given(TEXT, st.sampled_from(DOCUMENTS), st.sampled_from(["python", "typescript", "rust", "go", "?"]))
def test_any_text_in_any_document(text: str, document: str, language: str) -> None:
    """The result is something to see or has a reason, and replaces nothing or the rest of the line."""
    draft, spot, _ = cleaned(document, text, language)
    assert bool(draft.text.strip()) == bool(draft.text)
    assert bool(draft.text) != bool(draft.reason)
    assert draft.replace_after in (0, len(spot.line_after.rstrip()))
    assert not draft.text.endswith("\n")


@given(TEXT, st.sampled_from(DOCUMENTS), st.sampled_from(["python", "typescript"]))
def test_nothing_is_invented(text: str, document: str, language: str) -> None:
    """What is shown is what the model said, cut and with other blanks, and what it replaces."""
    draft, spot, _ = cleaned(document, text, language)
    said = "".join(text.split())
    shown = "".join(draft.text.split())
    replaced = "".join(spot.line_after[: draft.replace_after].split())
    assert said.startswith(shown) or any(
        said.startswith(shown[: len(shown) - length]) and shown.endswith(replaced[len(replaced) - length :])
        for length in range(1, len(replaced) + 1)
    )


@given(TEXT, st.sampled_from(DOCUMENTS))
def test_what_stands_in_the_document_stays(text: str, document: str) -> None:
    """Replaced closers are all there again, in their order: editors show insertions around them."""
    draft, spot, _ = cleaned(document, text)
    characters = iter(draft.text)
    assert all(it in characters for it in spot.line_after[: draft.replace_after])


@example(text="});\n{", document="foo(‸)\n")
@given(TEXT, st.sampled_from(DOCUMENTS))
def test_cleaning_twice_changes_nothing(text: str, document: str) -> None:
    """The rest of a typed-through suggestion may be cleaned again."""
    draft, spot, trigger = cleaned(document, text)
    if draft.text and not draft.replace_after:
        again = clean(draft.text, spot, trigger)
        assert (again.text, again.replace_after) == (draft.text, 0)


def test_every_step_has_a_word_for_the_log() -> None:
    """A suggestion that is not shown can be explained."""
    assert all(word and word == word.lower() for word, _ in STEPS)


def test_confidence_is_that_of_the_tokens_shown() -> None:
    """What was cut off does not count, and what was only moved does."""
    pieces = [Piece(text="  a", logprobs=(-1.0,)), Piece(text=" b", logprobs=(-2.0, -3.0)), Piece(text="c")]
    pieces.append(Piece(text="d", logprobs=(-9.0,)))
    raw = "".join(it.text for it in pieces)
    assert kept_logprobs(pieces, raw, "a") == [-1.0]
    assert kept_logprobs(pieces, raw, "a b") == [-1.0, -2.0, -3.0]
    assert kept_logprobs(pieces, raw, "a bcd") == [-1.0, -2.0, -3.0, -9.0]
    assert kept_logprobs(pieces, raw, "") == []


def test_mean_and_least_probability() -> None:
    """A server that tells nothing is trusted; a logarithm above 0 is a rounding error."""
    assert probabilities([]) == (1.0, 1.0)
    assert probabilities([0.0, 0.1]) == (1.0, 1.0)
    mean, least = probabilities([0.0, float("-inf")])
    assert (mean, least) == (0.5, 0.0)
