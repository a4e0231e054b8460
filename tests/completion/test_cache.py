"""Typing what was suggested costs no tokens, and never shows anything that contradicts what was typed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from completion import Spot, Suggestion, SuggestionCache, Trigger, decide
from completion.cache import CAPACITY, NEAR_CHARACTERS
from tests.completion.fixtures import CONFIG, CURSOR, spot_of


def at(document: str, language: str = "python") -> tuple[Spot, Trigger]:
    spot = spot_of(document, language)
    return spot, decide(spot, explicit=False, previous=None, config=CONFIG)


def suggestion(text: str, replace_after: int = 0) -> Suggestion:
    return Suggestion(text=text, replace_after=replace_after, confidence=0.9, reason="rest_of_line")


def answer(shown_at: str, shown: Suggestion, asked_at: str, language: str = "python") -> str | None:
    """What the cache says at one document for what was shown at another, marked in place."""
    cache = SuggestionCache()
    cache.put(*at(shown_at, language), "m", shown)
    found = cache.find(*at(asked_at, language), "m")
    if found is None:
        return None
    rest = at(asked_at, language)[0].line_after[: found.replace_after]
    return found.text + (f"⟨{rest}⟩" if rest else "")


@pytest.mark.parametrize(
    ("typed", "rest"),
    [
        ("", "price * count"),
        ("p", "rice * count"),
        ("price *", " count"),
        ("price * coun", "t"),
        ("price * count", None),
        ("price / ", None),
        ("x", None),
        ("price * count + 1", None),
    ],
)
def test_typed_through(typed: str, rest: str | None) -> None:
    """The rest of the suggestion, as long as it is what the user types."""
    shown = suggestion("price * count")
    assert answer(f"total = {CURSOR}\n", shown, f"total = {typed}{CURSOR}\n") == rest


def test_a_block_is_typed_through_line_by_line() -> None:
    """Accepting a line and going on in the next one is typing, too."""
    document, shown = "def f():\n    ‸\n", suggestion("a = 1\n    return a")
    assert answer(document, shown, "def f():\n    a = 1‸\n") == "\n    return a"
    assert answer(document, shown, "def f():\n    a = 1\n    ‸\n") == "return a"
    assert answer(document, shown, "def f():\n    a = 1\n      ‸\n") is None


def test_the_editor_pairs_a_bracket_that_is_typed() -> None:
    """What is left is fitted to the closer that has appeared."""
    shown = suggestion("compute(first, second)")
    assert answer("x = ‸\n", shown, "x = compute(‸)\n") == "first, second"
    assert answer("x = ‸\n", shown, "x = compute(fir‸)\n") == "st, second"
    assert answer("x = ‸\n", suggestion("f(a).g(b)"), "x = f(‸)\n") == "a).g(b)⟨)⟩"
    assert answer("x = ‸\n", suggestion("f('a')"), "x = f('‸')\n") == "a"
    assert answer("x = ‸\n", shown, "x = compute(‸]\n") is None


def test_the_user_types_over_a_closer() -> None:
    """What is left goes on behind it."""
    shown = suggestion("a).g(b);", replace_after=2)
    assert answer("f(‸);\n", shown, "f(a‸);\n", "typescript") == ").g(b);⟨);⟩"
    assert answer("f(‸);\n", shown, "f(a)‸;\n", "typescript") == ".g(b);⟨;⟩"
    assert answer("f(‸);\n", shown, "f(a).g‸;\n", "typescript") == "(b);⟨;⟩"
    assert answer("f(‸);\n", shown, "f(x)‸;\n", "typescript") is None


@pytest.mark.parametrize(
    "document",
    ["total = ‸;\n", "toral = ‸\n", "total = ‸\nx = 1\n", "\ntotal = ‸\n", "a total = ‸\n"],
)
def test_another_place_is_another_question(document: str) -> None:
    """The text on both sides must be the same."""
    assert answer("total = ‸\n", suggestion("price"), document) is None


def test_far_away_edits_do_not_matter() -> None:
    """An import that is added at the top does not make the model think again."""
    far = "x = 1\n" * NEAR_CHARACTERS
    assert (
        answer(f"{far}total = ‸\n{far}", suggestion("price"), f"import a\n{far}total = ‸\n{far}x\n")
        == "price"
    )


def test_another_file_or_model_is_another_question() -> None:
    """Two empty files look alike, two models do not think alike."""
    cache = SuggestionCache()
    spot, trigger = at("total = ‸\n")
    cache.put(spot, trigger, "m", suggestion("price"))
    assert cache.find(replace(spot, path="other"), trigger, "m") is None
    assert cache.find(spot, trigger, "other") is None
    assert cache.find(spot, trigger, "m") is not None


def test_a_line_is_no_answer_where_a_block_is_wanted() -> None:
    """The same spot can be asked again for more."""
    cache = SuggestionCache()
    spot, trigger = at("total = ‸\n")
    cache.put(spot, trigger, "m", suggestion("price"))
    assert cache.find(spot, replace(trigger, shape="block"), "m") is None


def test_it_says_where_the_answer_comes_from() -> None:
    """A cached answer has the confidence of the first one, and costs nothing."""
    cache = SuggestionCache()
    spot, trigger = at("total = ‸\n")
    cache.put(spot, trigger, "m", replace(suggestion("price"), ms=50.0, first_ms=20.0))
    assert cache.find(spot, trigger, "m") == replace(suggestion("price"), cached=True)


def test_the_least_recently_used_one_makes_room() -> None:
    """The cache is bounded; what is asked for stays."""
    cache = SuggestionCache()
    places = [at(f"total_{number} = ‸\n") for number in range(CAPACITY + 1)]
    for spot, trigger in places[:CAPACITY]:
        cache.put(spot, trigger, "m", suggestion("price"))
    assert cache.find(*places[0], "m") is not None
    cache.put(*places[CAPACITY], "m", suggestion("price"))
    assert cache.find(*places[0], "m") is not None
    assert cache.find(*places[1], "m") is None
    assert cache.find(*places[CAPACITY], "m") is not None


PIECES = st.lists(st.sampled_from(["x", "(", ")", " ", "\n", "    ", '"', "é", "👩🏽", "a = 1"]), max_size=8)


@given(
    PIECES.map("".join), PIECES.map("".join), PIECES.map("".join), PIECES.map("".join), st.integers(0, 300)
)
def test_never_against_what_is_typed(before: str, after: str, text: str, typed: str, padding: int) -> None:
    """Whatever is typed: an answer continues it to exactly the suggestion, or there is none."""
    before = "#" * padding + "\n" + before
    shown = suggestion(text or "x")
    cache = SuggestionCache()
    cache.put(*at(before + CURSOR + after), "m", shown)
    found = cache.find(*at(before + typed + CURSOR + after), "m")
    if found is not None:
        assert before + typed + found.text == before + shown.text
    else:
        rest = shown.text.removeprefix(typed)
        line = (before + typed).rpartition("\n")[2]
        is_for_tab = not line.strip() and rest[:1].isspace()
        assert not shown.text.startswith(typed) or not rest or is_for_tab


PAIRS = {"(": ")", "[": "]", "{": "}", '"': '"', "'": "'"}


def type_with_pairing(text: str) -> list[tuple[str, str]]:
    """What stands on each side of the cursor after each key, in an editor that pairs brackets and quotes."""
    states = []
    before = after = ""
    for key in text:
        if after.startswith(key) and key in PAIRS.values():
            before, after = before + key, after[1:]
        else:
            before, after = before + key, PAIRS.get(key, "") + after
        states.append((before, after))
    return states


@pytest.mark.parametrize(
    "text",
    [
        "f(a, [b, c])",
        "f('a', \"b\")",
        "{'a': [1, (2)]}",
        "f(a)(b)",
        "f(g(h(x)))",
        "x['é'].y(👩🏽)",
        "print(')')",
    ],
)
def test_an_editor_that_pairs_everything(text: str) -> None:
    """After every key, accepting what is shown leads to the text that was suggested."""
    cache = SuggestionCache()
    cache.put(*at("x = ‸\n"), "m", suggestion(text))
    for before, after in type_with_pairing(text)[:-1]:
        found = cache.find(*at(f"x = {before}{CURSOR}{after}\n"), "m")
        if found is None:
            assert text == before + after  # All of it is there already.
        else:
            assert before + found.text + after[found.replace_after :] == text


def test_text_that_repeats_itself() -> None:
    """Where the place could be found twice, every reading of what was typed is consistent."""
    same = "x()\n" * NEAR_CHARACTERS
    shown = suggestion("x()\nx()\ny()")
    assert answer(f"{same}‸\n", shown, f"{same}‸\n") == "x()\nx()\ny()"
    assert answer(f"{same}‸\n", shown, f"{same}x‸\n") == "()\nx()\ny()"
    assert answer(f"{same}‸\n", shown, f"{same}x()\nx()\ny‸\n") == "()"
