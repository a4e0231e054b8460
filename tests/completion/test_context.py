"""Which pieces stand before the prompt: about the same names, edited lately, within the budget, in order."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from completion.context import (
    CHARACTERS_PER_TOKEN,
    EDITED_LINES,
    PIECE_LINES,
    Place,
    Recent,
    blocks,
    choose,
    grown,
    piece,
    recent,
    told,
)
from models.wire import Snippet

HERE = Place(path="shop/cart.py", before="def total(cart):\n    price = invoice_rows(cart", after=")\n")
INVOICE = "def invoice_rows(cart):\n    for row in cart.rows:\n        yield row.price"
USES = "def report(cart):\n    rows = list(invoice_rows(cart))\n    return len(rows)"
OTHER = "def connect(address):\n    stream = open_socket(address)\n    return stream"
BUDGET = 1000


def paths(*pieces: Recent, place: Place = HERE, budget: int = BUDGET) -> list[str]:
    return [it.path for it in choose(pieces, place, budget)]


def cost(snippets: tuple[Snippet, ...]) -> float:
    return sum((len(it.path) + len(it.text)) / CHARACTERS_PER_TOKEN for it in snippets)


def test_what_shares_rare_names_is_shown_and_nothing_else() -> None:
    """The best one is last, nearest to the prompt: who defines a name before who uses it."""
    many = [recent(f"lib/{at}.py", f"def connect_{at}(address):\n    return cart_{at}") for at in range(9)]
    chosen = paths(recent("defines.py", INVOICE), recent("uses.py", USES), recent("other.py", OTHER), *many)
    assert chosen == ["uses.py", "defines.py"]


def test_words_of_the_grammar_count_for_nothing() -> None:
    """Sharing `def`, `return` and `self` is sharing nothing."""
    place = Place(path="a.py", before="class A:\n    def get(self):\n        return self.", after="")
    assert paths(recent("b.py", "class B:\n    def put(self):\n        return None"), place=place) == []


def test_the_last_edit_is_shown_whatever_it_is_about() -> None:
    """Older ones only if they share a name; a document that is merely open does not count as edited."""
    pieces = [recent(f"{at}.py", OTHER.replace("address", f"address_{at}"), when=at) for at in range(4)]
    pieces = [
        recent(it.path, it.text.replace("open_socket", f"open_{it.when}").replace("stream", f"s_{it.when}"))
        if it.when == 0
        else it
        for it in pieces
    ]
    assert paths(*pieces) == ["3.py"]


def test_the_place_that_is_being_written_is_not_the_last_edit() -> None:
    """What the window shows has no rank: the edit before it is the last one elsewhere."""
    here = recent(HERE.path, f"{HERE.before}{HERE.after}", when=9)
    assert paths(here, recent("other.py", OTHER, when=3)) == ["other.py"]


def test_another_kind_of_file_counts_less() -> None:
    """A page that mentions the name comes after a source that does."""
    text = "invoice_rows yields what a customer has to pay\nas many rows as there are"
    assert paths(recent("readme.md", text), recent("rows.py", text)) == ["rows.py"]
    assert paths(recent("readme.md", text)) == ["readme.md"]


def test_what_the_window_shows_is_not_shown_again() -> None:
    """Neither the same lines, nor indented otherwise, nor half of them, nor three in a row."""
    place = Place(path="a.py", before=f"{INVOICE}\n\n\ninvoice_rows(", after=")\n")
    indented = "\n".join(f"  {it}" for it in INVOICE.split("\n"))
    longer = INVOICE + "".join(f"\n    invoice_rows(number_{at}, cart)" for at in range(9))
    half = INVOICE.rpartition("\n")[0] + "\n    invoice_rows(of_another_cart)\n    return None or nothing"
    for text in (INVOICE, indented, longer, half):
        assert choose([recent("b.py", text)], place, BUDGET) == ()
    assert choose([recent("b.py", USES)], place, BUDGET) != ()


def test_own_pieces_do_not_overlap_the_window() -> None:
    """Two lines in a row are the window's edge in the document itself, and a coincidence elsewhere."""
    edge = "\n".join(f"invoice_rows(cart, number_{at})" for at in range(9))
    place = Place(
        path="a.py", before=edge.replace("number_", "other_").replace("other_8", "number_8"), after=""
    )
    place = Place(path="a.py", before=f"{place.before}\ninvoice_rows(cart, number_7)\n", after="")
    assert choose([recent("a.py", edge)], place, BUDGET) == ()
    assert choose([recent("b.py", edge)], place, BUDGET) != ()


def test_two_pieces_do_not_say_the_same() -> None:
    """Of an edited place and the open document around it, one is shown: the one that says more."""
    region = recent("rows.py", INVOICE.partition("\n")[2].replace("row.price", "invoice_rows"), when=1)
    assert len(choose([recent("rows.py", INVOICE), recent("copy.py", INVOICE), region], HERE, BUDGET)) == 1


def test_new_pieces_come_behind_those_that_were_shown() -> None:
    """What was shown keeps its place, though something better has come; what is gone or changed goes."""
    shown = choose([recent("uses.py", USES)], HERE, BUDGET)
    both = choose([recent("uses.py", USES), recent("other.py", OTHER, when=1)], HERE, BUDGET, shown)
    assert [it.path for it in both] == ["uses.py", "other.py"]
    left = choose([recent("other.py", OTHER, when=1)], HERE, BUDGET, both)
    assert [it.path for it in left] == ["other.py"]


def test_a_much_better_set_replaces_what_was_shown() -> None:
    """Where there is no room beside it, what is about something else gives way; but not at any moment."""
    pieces = [recent("other.py", OTHER, when=1), recent("defines.py", INVOICE)]
    shown = choose(pieces[:1], HERE, 40)
    assert [it.path for it in shown] == ["other.py"]
    assert choose(pieces, HERE, 40, shown, may_change=False) == shown
    assert [it.path for it in choose(pieces, HERE, 40, shown)] == ["defines.py"]


def test_nothing_is_added_when_it_may_not_change() -> None:
    """Unless something had to go: then the prompt is read anew anyway."""
    pieces = [recent("uses.py", USES), recent("other.py", OTHER, when=1)]
    shown = choose(pieces[:1], HERE, BUDGET)
    assert choose(pieces, HERE, BUDGET, shown, may_change=False) == shown
    assert len(choose(pieces[1:], HERE, BUDGET, shown, may_change=False)) == 1


words = st.sampled_from(
    ["cart", "price", "invoice_rows", "rows", "total", "address", "stream", "self", "row"]
)
code = st.lists(st.lists(words, min_size=1, max_size=4).map(".".join), min_size=1, max_size=8).map("\n".join)
candidates = st.lists(
    st.builds(recent, st.sampled_from(["a.py", "b.py", "c.md", "shop/cart.py"]), code, st.integers(0, 9)),
    max_size=12,
)
places = st.builds(Place, path=st.just("shop/cart.py"), before=code, after=code)
budgets = st.integers(0, 120)


@given(pieces=candidates, place=places, budget=budgets, later=candidates, elsewhere=places)
def test_the_same_state_gives_the_same_pieces(
    pieces: list[Recent], place: Place, budget: int, later: list[Recent], elsewhere: Place
) -> None:
    """Asking again changes nothing, whatever was shown before: no word of the prompt is read twice for it."""
    first = choose(pieces, place, budget)
    assert choose(pieces, place, budget, first) == first
    assert choose(pieces, place, budget, first, may_change=False) == first
    moved = choose(later, elsewhere, budget, first)
    assert choose(later, elsewhere, budget, moved) == moved
    assert choose(list(reversed(pieces)), place, budget) == first


@given(pieces=candidates, place=places, budget=budgets, later=candidates)
def test_pieces_fit_and_repeat_nothing(
    pieces: list[Recent], place: Place, budget: int, later: list[Recent]
) -> None:
    """Never more than the budget, never a piece of which half stands in the window, never one twice."""
    window = set(told(f"{place.before}{place.after}"))
    for chosen in (
        choose(pieces, place, budget),
        choose(later, place, budget, choose(pieces, place, budget)),
    ):
        assert cost(chosen) <= budget
        assert len(set(chosen)) == len(chosen)
        for it in chosen:
            lines = list(told(it.text))
            assert 2 * sum(line in window for line in lines) < len(lines)


@given(pieces=candidates, place=places, budget=budgets, typed=code)
def test_what_was_shown_stays_in_front(pieces: list[Recent], place: Place, budget: int, typed: str) -> None:
    """While somebody types elsewhere and nothing may change, what is still good is a prefix of the answer."""
    first = choose(pieces, place, budget)
    then = Place(path=place.path, before=f"{place.before}\n{typed}", after=place.after)
    window = set(told(f"{then.before}{then.after}"))
    second = choose(pieces, then, budget, first, may_change=False)
    if all(not window & set(told(it.text)) for it in first):
        assert second[: len(first)] == first


@given(
    st.lists(st.sampled_from(["", "  ", "a", "    b", "class C:", "    def d(self):", "\tx"]), max_size=120)
)
def test_a_document_falls_into_blocks(lines: list[str]) -> None:
    """Every line that says something is in exactly one block, and no block is too long."""
    found = list(blocks(lines))
    inside = [at for first, last in found for at in range(first, last)]
    assert inside == sorted(set(inside))
    assert {at for at, it in enumerate(lines) if it.strip()} <= set(inside)
    assert all(0 < last - first <= PIECE_LINES for first, last in found)


def test_functions_are_blocks() -> None:
    """A blank line inside a function does not end it, the one behind it does."""
    body = "def a():\n    x = 1\n\n    y = 2\n    return x, y\n\n\ndef b():\n    pass\n"
    lines = f"import os\nimport re\nimport sys\n\n{body}".split("\n")
    assert [lines[first] for first, _ in blocks(lines)] == ["import os", "def a():", "def b():"]


@pytest.mark.parametrize(
    ("text", "first", "expected"),
    [
        ("class A:\n    x = 1\n\n    def b(self):\n        pass\n", 3, "class A:"),
        ("def f(\n    a,\n    b,\n) -> None:\n    x = a\n    y = b\n", 5, "def f("),
        ("x = 1\ny = 2\n", 1, "y = 2"),
        ("if (a) {\n  b();\n\n  c();\n}\n", 3, "if (a) {"),
    ],
)
def test_a_piece_stands_below_the_line_it_belongs_to(text: str, first: int, expected: str) -> None:
    """The class of a method, the head of a body, also one of many lines; nothing where there is none."""
    lines = text.split("\n")
    found = piece("a.py", lines, first, first + 1)
    assert found is not None
    assert found.text.split("\n")[0] == expected
    assert found.text.split("\n")[-1] == lines[first].rstrip()


def test_a_piece_has_no_blank_ends_and_no_endless_lines() -> None:
    """Only blank lines are no piece, nor is a line that nobody wrote to be read."""
    assert piece("a.py", ["", "  ", "\n"], 0, 3) is None
    assert piece("a.py", ["x" * 10_000], 0, 1) is None
    found = piece("a.py", ["\r\n", "x = 1\r\n", "y = 2\r\n", "\r\n"], 0, 4)
    assert found is not None
    assert found.text == "x = 1\ny = 2"


def test_an_edited_place_is_shown_with_its_paragraph() -> None:
    """Up and down to the next blank line, as far as there is room."""
    lines = ["a", "", "b", "c", "d", "", "e"]
    assert grown(lines, 3, 4) == (2, 5)
    assert grown(["x"] * 200, 100, 100 + EDITED_LINES) == (100, 100 + EDITED_LINES)
    first, last = grown(["x"] * 200, 100, 101)
    assert first < 100
    assert 101 < last
    assert last - first <= EDITED_LINES
