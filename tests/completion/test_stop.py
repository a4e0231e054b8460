"""When enough has been said, piece by piece."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from completion import decide
from completion.repetition import loop_start, runs_in_circles
from completion.stop import end_of, enough
from tests.completion.fixtures import CONFIG, spot_of


def stopped(document: str, text: str, language: str = "python") -> tuple[str, str]:
    """What is kept of the text, and how much had to be said, by the character, before that was known."""
    spot = spot_of(document, language)
    trigger = decide(spot, explicit=True, previous=None, config=CONFIG)
    for length in range(len(text) + 1):
        cut = enough(text[:length], spot, trigger)
        if cut is not None:
            return text[:cut], text[:length]
    return text[: end_of(text, spot, trigger, whole=True)], text


def test_a_line_ends_at_the_first_line_break() -> None:
    """Not one token later."""
    assert stopped("x = ‸\n", "1\ny = 2") == ("1", "1\n")


def test_a_less_deep_line_is_known_by_its_first_character() -> None:
    """The rest of that line would be decoded for nothing."""
    kept, said = stopped("def f():\n    ‸\n", "return 1\ndef g():")
    assert (kept.strip(), said) == ("return 1", "return 1\nd")


def test_a_closing_line_is_read_to_its_end() -> None:
    """It may be what the document lacks."""
    assert stopped("f(() => {\n  ‸\n", "x;\n});\nf();", "typescript") == ("x;\n});", "x;\n});\n")
    assert stopped("f(() => {\n  ‸\n});\n", "x;\n});\nf();", "typescript")[0].strip() == "x;"


def test_the_second_blank_line_ends_anything() -> None:
    """Two of them stand between functions."""
    kept, said = stopped("# A.\n‸\n", "a = 1\n\n\nb = 2\n")
    assert (kept.strip(), said) == ("a = 1", "a = 1\n\n\n")


def test_the_next_line_is_known_when_it_is_complete() -> None:
    """Until then it could be another one."""
    kept, said = stopped("if x:\n    ‸\n    return total\n", "a = 1\n    return total\n    more")
    assert (kept.strip(), said) == ("a = 1", "a = 1\n    return total\n")


def test_a_special_token_stops_at_once() -> None:
    """Whatever stands behind it belongs to another file."""
    assert stopped("x = ‸\n", "1<|endoftext|>import") == ("1", "1<|endoftext|>")
    assert stopped("if x:\n    ‸\n", "a()\n    b()<EOT>x\n")[0] == "a()\n    b()"


def test_max_lines() -> None:
    """A block has as many lines as the config says."""
    text = "".join(f"    call_{number}()\n" for number in range(40)).lstrip()
    assert stopped("if x:\n    ‸\n", text)[0].count("\n") == CONFIG.max_lines - 1


def test_half_a_line_at_the_deadline_is_dropped() -> None:
    """Only whole lines are worth showing then."""
    spot = spot_of("if x:\n    ‸\n")
    trigger = decide(spot, explicit=False, previous=None, config=CONFIG)
    text = "a()\n    bc"
    assert text[: end_of(text, spot, trigger, whole=False, lines_only=True)] == "a()"
    assert end_of("ab", spot, trigger, whole=False, lines_only=True) == 0
    assert end_of("ab", spot, trigger, whole=False) == 2


def test_loops() -> None:
    """The same line three times, or the same few lines twice; a line of brackets is no loop."""
    assert loop_start(["call()"] * 2) is None
    assert loop_start(["call()"] * 3) == 1
    assert loop_start(["first()", "second()"] * 2) == 2
    assert loop_start(["}", "}", "}"]) is None
    assert loop_start(["one()", "two()", "three()", "one()", "two()"]) is None


def test_circles_in_a_line() -> None:
    """A ruler is drawn with one character, and a list of zeros is short."""
    assert runs_in_circles("a, b, " * 10)
    assert not runs_in_circles("-" * 80)
    assert not runs_in_circles("[0, 0, 0, 0]")
    assert not runs_in_circles("")


@given(
    st.lists(
        st.sampled_from(["x()", "\n", "    ", "}", "{", "(", ")", '"', "return", "# a", "<|x|>", "\t", "é"])
    ),
    st.sampled_from(
        ["def f():\n    ‸\n    x()\n", "x = ‸\n", "f(‸)\n", "if (x) {\n  ‸\n}\n", '"""a\n‸\n"""', "def f():‸"]
    ),
    st.sampled_from(["python", "typescript"]),
)
def test_any_stream_is_cut_inside_what_was_said(pieces: list[str], document: str, language: str) -> None:
    """A cut is a place in the text, and what is said later does not change one that was final."""
    spot = spot_of(document, language)
    trigger = decide(spot, explicit=True, previous=None, config=CONFIG)
    text = ""
    for piece in pieces:
        text += piece
        cut = enough(text, spot, trigger)
        if cut is not None:
            assert 0 <= cut <= len(text)
            return
    assert 0 <= end_of(text, spot, trigger, whole=True) <= len(text)
    assert 0 <= end_of(text, spot, trigger, whole=False, lines_only=True) <= len(text)
