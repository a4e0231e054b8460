"""What the measures of quality mean, on cases made by hand."""

from __future__ import annotations

import random
from functools import partial

import pytest

from benchmarks.heldout.cuts import Cut
from benchmarks.heldout.measures import bins, calibration_error, is_exact, share, similarity
from benchmarks.heldout.projects import File, Project
from benchmarks.quality.ask import config_of
from benchmarks.quality.judge import (
    Said,
    continued,
    judge,
    line_said,
    repeats,
    same_first_token,
    syntax,
    without_continuation,
)
from benchmarks.quality.places import KINDS, Place, PlaceKind, between_brackets, drawn
from codeindex.syntax import faults
from models import registry

CONFIG = config_of(registry.find(registry.STARTER), None)


def place(marked: str, kind: PlaceKind = "at_border", language: str = "python", ending: str = ".py") -> Place:
    """A file in which ``‸`` is the cursor and ``‸…‸`` what is hidden; ``closers`` hide nothing at its end."""
    before, rest, after = marked.split("‸")
    if kind == "closers":  # All of the line's rest is the truth; the closers are on screen as well.
        rest, after = rest + after.partition("\n")[0], after
    drawn_as = kind if kind not in ("line_end", "closers") else "at_border"
    cut = Cut(path=f"a{ending}", kind=drawn_as, before=before, after=after, rest=rest)  # type: ignore[arg-type]
    return Place(language=language, project="p", kind=kind, cut=cut)


def words(text: str) -> list[int]:
    """A tokenizer that tells characters apart and takes letters two by two."""
    return [hash(text[at : at + 2]) for at in range(0, len(text), 2)]


def spoken(it: Place, said: Said) -> tuple[bool, bool, bool, bool]:
    """Judged, breaks, left open, worse than nothing: of the real grammar."""
    found = syntax(it, said, partial(faults, language=it.language), CONFIG)
    return found.judged, found.breaks, found.left_open, found.worse


@pytest.mark.parametrize(
    ("marked", "kind", "text", "line"),
    [
        ("x = ‸a + b‸\n", "at_border", "a + b", "a + b"),
        ("x = ‸a + b‸\n", "at_border", "a + b  \n", "a + b"),
        ("x = ‸a + b‸\r\ny\r\n", "at_border", "a + b\r\n    c", "a + b"),
        ("x = ‸a‸\n", "at_border", "", ""),
        ("x = ‸'naïve 🦔'‸\n", "in_word", "'naïve 🦔'", "'naïve 🦔'"),
        ("def f():‸    pass‸\ny\n", "line_end", "\n    pass\n    more", "    pass"),
        ("def f():‸    pass‸\ny\n", "line_end", "  # goes on", ""),
        ("foo(‸a, b‸)\n", "closers", "a, b", "a, b)"),
        ("‸    return 1‸\n", "whole_line", "    return 1", "    return 1"),
    ],
)
def test_the_line_that_was_said(marked: str, kind: PlaceKind, text: str, line: str) -> None:
    """Line breaks of either kind, blocks, blanks at the end and closers on screen make one line of it."""
    assert line_said(place(marked, kind), Said(text=text)) == line


def test_what_takes_the_closers_place_has_them_once() -> None:
    """A suggestion that goes on behind the closers replaces them, and is not judged with them twice."""
    it = place("foo(‸a‸)\n", "closers")
    assert it.truth == "foo(a)\n"
    assert line_said(it, Said(text="a)", replace_after=1)) == "a)"
    assert line_said(it, Said(text="a)")) == "a))"


def test_a_file_is_put_together_again() -> None:
    """What is hidden and what is there are the real file, for every kind."""
    text = "".join(f"def name_{it}(value):\n    return value(name_{it})\n\n\n" for it in range(60))
    project = Project(name="p", language="python", split="heldout", files=(File(path="a.py", text=text),))
    ((_, places),) = drawn([project], 40, 1)
    assert {it.kind for it in places} == set(KINDS)
    for it in places:
        assert it.truth == text
        assert it.cut.rest.strip()
    fewer = next(drawn([project], 20, 1))[1]
    assert {it.key for it in fewer} < {it.key for it in places}
    assert [it.key for it in next(drawn([project], 40, 1))[1]] == [it.key for it in places]


def test_brackets_are_those_that_the_line_has_open() -> None:
    """Behind the cursor stand exactly the closers that an editor has put there, and something is hidden."""
    files = [File(path="a.py", text="def call(one, [two, three]):\n" * 3)]
    found = [between_brackets(files, "python", random.Random(it)) for it in range(20)]
    for cut in [it for it in found if it]:
        behind = cut.after.partition("\n")[0]
        assert behind in ("):", "]):")
        assert cut.rest.endswith(behind)
        assert cut.rest != behind
    assert any(found)
    assert between_brackets([File(path="a.py", text="x = 1\n")], "python", random.Random(0)) is None


def test_exact_and_similar() -> None:
    """A whole line is right without its indentation, another is not; nothing in common is 0."""
    assert is_exact("whole_line", "return 1", "    return 1")
    assert not is_exact("line_start", "return 1", "    return 1")
    assert not is_exact("at_border", "é", "e")
    assert (similarity("ab", "ab"), similarity("", "ab"), similarity("xy", "ab")) == (1.0, 0.0, 0.0)


def test_nothing_said_is_wrong_and_never_in_the_way() -> None:
    """An empty suggestion counts in no share of what is shown, also where closers make up a line."""
    found = judge(
        place("foo(‸a‸)\n", "closers"), Said(text=""), tokenize=words, faults=lambda _: 1, config=CONFIG
    )
    assert (found.shown, found.exact, found.first_token, found.repeats) == (False, False, False, False)
    assert (found.similarity, found.syntax.judged) == (0.0, False)


def test_a_block_is_right_by_its_first_line() -> None:
    """What comes behind it is not judged as right or wrong."""
    it = place("def f():\n    ‸return 1‸\n", "line_start")
    found = judge(it, Said(text="return 1\n    x = 2"), tokenize=words, faults=lambda _: 0, config=CONFIG)
    assert found.exact
    assert found.similarity == 1.0


def test_the_first_token_is_the_tokenizers() -> None:
    """Beginning with the same token is enough; sharing a letter is not; indentation is the editor's."""
    it = place("x = ‸abcd‸\n")
    assert same_first_token(it, Said(text="abxy"), words)
    assert not same_first_token(it, Said(text="axcd"), words)
    assert not same_first_token(it, Said(text="\nabcd"), words)
    whole = place("‸    abcd‸\n", "whole_line")
    assert same_first_token(whole, Said(text="abcd"), words)
    assert not same_first_token(whole, Said(text="   "), words)


@pytest.mark.parametrize(
    ("marked", "kind", "said", "again"),
    [
        ("x = ‸1‸\ny = 2\n", "at_border", Said(text="2"), False),
        ("y‸ = 1‸\ny = 2\n", "at_border", Said(text=" = 2"), True),
        ("y‸ = 1‸\r\n\r\n  y = 2\r\n", "at_border", Said(text=" = 2"), True),
        ("‸x = 1‸\ny = 2\n", "line_start", Said(text="x = 1\ny = 2"), True),
        ("‸y = 2‸\ny = 2\n", "line_start", Said(text="y = 2"), False),  # It really stands there twice.
        ("if (a) {\n  ‸b();‸\n}\n", "line_start", Said(text="c();\n}"), False),  # Brackets are no words.
        ("def f():‸    x = 1‸\n    y = 2\n", "line_end", Said(text="\n    y = 2"), True),
        ("foo(‸a‸)\n", "closers", Said(text="a"), False),
        ("foo(‸a‸)\n", "closers", Said(text="a)"), True),
        ("foo(‸a(b)‸)\n", "closers", Said(text="a(b)"), False),
        ("foo(‸a‸);\n", "closers", Said(text="a)"), True),
        ("foo(‸a‸);\n", "closers", Said(text="a);"), True),
        ("foo(‸a‸);\n", "closers", Said(text="b(a)"), False),
        ("foo(‸a‸)\n", "closers", Said(text="a)", replace_after=1), False),
        ("x = ‸1‸\n", "at_border", Said(text=""), False),
    ],
)
def test_what_stands_there_already(marked: str, kind: PlaceKind, said: Said, again: bool) -> None:
    """The next line, or what is right behind the cursor; not what really comes twice, nor brackets."""
    assert repeats(place(marked, kind, "python"), said) == again


@pytest.mark.parametrize(
    ("marked", "kind", "text", "expected"),
    [
        # judged, breaks, left open, worse than nothing
        ("x = ‸1‸\n", "at_border", "2", (True, False, False, False)),
        ("x = ‸1‸\n", "at_border", "2)", (True, True, False, False)),
        ("x = 1‸ + 2‸\n", "at_border", " 2 2", (True, True, False, True)),
        ("x = ‸f(1)‸\n", "at_border", "f(1, [2", (True, False, True, False)),
        ("def f():\n    x = ‸g(‸\n        1,\n    )\n", "at_border", "1", (True, False, True, False)),
        ("‸if a:‸\n    b\n", "line_start", "return a", (True, False, False, False)),
        ("‸def f():‸\n    pass\n", "line_start", "def f(a, b,", (True, False, True, True)),
        ("‸x = 1‸\n", "line_start", "def f(a)", (True, True, False, True)),
        ("s = ‸'a'‸\n", "at_border", "'a", (True, True, False, False)),
        ("s = ‸'a'‸\n", "at_border", "'''a", (True, False, True, False)),
        ("x = ‸1 1‸\n", "at_border", "2", (False, False, False, False)),  # The real file has a fault.
        ("# ‸naïve‸\n", "at_border", "((( 🦔", (True, False, False, False)),
        ("x = ‸1‸\r\ny = 2\r\n", "at_border", "f(\r\n    2)", (True, False, False, False)),
        ("x = ‸1‸\n", "at_border", "", (False, False, False, False)),
    ],
)
def test_what_it_does_to_the_syntax(
    marked: str, kind: PlaceKind, text: str, expected: tuple[bool, bool, bool, bool]
) -> None:
    """Unfinished is no fault by itself; what cannot be finished is, and a file with faults is not judged."""
    it = place(marked, kind)
    found = judge(
        it, Said(text=text), tokenize=words, faults=partial(faults, language="python"), config=CONFIG
    ).syntax
    assert (found.judged, found.breaks, found.left_open, found.worse) == expected


def test_a_brace_is_closed_by_who_goes_on() -> None:
    """An opened block in a language of braces is left open, and a wrong closer breaks it."""
    it = place("function f() {\n  ‸return 1;‸\n}\n", "line_start", "javascript", ".js")
    assert spoken(it, Said(text="if (a) {")) == (True, False, True, True)
    assert spoken(it, Said(text="if (a) {\n    b();\n  }")) == (True, False, False, False)
    assert spoken(it, Said(text="if (a] {")) == (True, True, False, True)


def test_a_language_without_a_grammar_is_not_judged() -> None:
    """There is no telling, and so no share of it."""
    assert spoken(place("a ‸b‸\n", language="cobol", ending=".cob"), Said(text="((")) == (False,) * 4


def test_lines_that_go_on_are_taken_away_together_with_their_closer() -> None:
    """Deeper lines and the bracket under them belong to the real line; the next statement does not."""
    after = "\n    1,\n\n    2,\n)\nnext\n"
    assert without_continuation("f(", after) == "\nnext\n"
    assert without_continuation("f(", "\nnext\n    deeper\n") == "\nnext\n    deeper\n"
    assert without_continuation("f(", "") == ""
    it = place("f(‸‸\n    1,\n)\nnext\n")
    assert "f(2)\nnext\n" in list(continued(it, Said(text="2)"), CONFIG))


def test_faults_are_counted() -> None:
    """Error nodes and missing tokens, in C++ headers by their own grammar, whatever characters there are."""
    assert faults("x = 1\n", "python") == 0
    assert 1 <= (faults("f(a\nx = = 2\n", "python") or 0)
    assert faults("int a\n", "c") == 1
    assert faults("namespace a { class B {}; }\n", "c") == 0
    assert faults("", "python") == 0
    assert faults("x = '🦔\0'\n", "python") == 0
    assert faults("x", "cobol") is None


def test_the_calibration_error_is_the_mean_distance() -> None:
    """Half of what is said to be right with 0.6 is right: 0.1 off; a chance of 1 has a bin; nothing is 0."""
    rows = [(0.6, True), (0.6, False)]
    assert calibration_error(rows) == pytest.approx(0.1)
    assert calibration_error([*rows, (1.0, True), (0.999, True)]) == pytest.approx(
        (0.2 + 0.001) / 4, abs=0.06
    )
    assert [it.count for it in bins([(0.0, False), (1.0, True)])] == [1, 1]
    assert calibration_error([]) == 0


def test_shares_add_up() -> None:
    """However many projects there are, all together have as many places as were asked for."""
    assert sum(share(it, 7, 100) for it in range(7)) == 100
    assert [share(it, 3, 1) for it in range(3)] == [0, 0, 1]
