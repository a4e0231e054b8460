"""What a question is taken for, and that none of its text becomes syntax."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codeindex.query import MOST_TERMS, Form, Place, asked_for, ceiling, expression, parts, read, telling

FORMS = {
    "parse_args": Form.SYMBOL,
    "Foo.bar": Form.SYMBOL,
    "HTTPServer": Form.SYMBOL,
    "std::io::Read": Form.SYMBOL,
    "parse_args()": Form.SYMBOL,
    "class Foo": Form.SYMBOL,
    "definition of parse_args": Form.SYMBOL,
    "response": Form.SYMBOL,
    "src/router.ts": Form.PATH,
    "src/router.ts:14:2": Form.PATH,
    "conftest.py": Form.PATH,
    "file src/router.ts": Form.PATH,
    "./lib/a.js": Form.PATH,
    "ValueError: invalid literal for int() with base 10: 'x'": Form.ERROR,
    'Traceback (most recent call last):\n  File "a/b.py", line 3, in foo\nKeyError: 1': Form.ERROR,
    "TypeError: x is not a function\n    at Foo.bar (src/a/b.js:10:5)": Form.ERROR,
    "java.lang.IllegalStateException: closed\n\tat org.a.B.run(B.java:12)": Form.ERROR,
    "thread 'main' panicked at src/main.rs:3:5": Form.ERROR,
    '"no such table: users"': Form.ERROR,
    "how does connection pooling work": Form.PROSE,
    "where is parse_args called": Form.PROSE,
    "read/write lock": Form.PROSE,
    "and/or": Form.PROSE,
    "": Form.PROSE,
    "()": Form.PROSE,
}


@pytest.mark.parametrize(("text", "form"), FORMS.items())
def test_a_question_is_taken_for_what_it_is(text: str, form: Form) -> None:
    """Names, paths and errors are told from prose."""
    assert read(text).form is form


def test_terms_are_identifiers_whole_and_in_parts_without_the_words_of_the_question() -> None:
    """What the index is asked for is what it was fed with."""
    assert read("how does parseHTTPRequest work").terms == ("parsehttprequest", "parse", "http", "request")


def test_a_question_of_stop_words_alone_is_still_asked() -> None:
    """Somebody may look for `with` or `for each`."""
    assert read("for each").terms == ("for", "each")


def test_a_name_keeps_its_words_though_prose_would_drop_them() -> None:
    """`use` says nothing in a sentence, and everything in `app.use`."""
    assert read("app.use").terms == ("app", "use")


@pytest.mark.parametrize(
    ("text", "names"),
    {
        "Foo.bar": [("Foo", "bar")],
        "std::io::Read": [("std.io", "Read")],
        "how res.redirect builds the Location header": [("res", "redirect")],
        "MapAccess and SeqAccess for collections": [("", "MapAccess"), ("", "SeqAccess")],
        "how does it work, e.g. here": [],
        "HTTP and JSON": [],
        "std::vector<int> growth": [("std", "vector")],
    }.items(),
)
def test_names_in_a_question_are_seen(text: str, names: list[tuple[str, str]]) -> None:
    """With the scope they are written in; what only starts a sentence is none."""
    assert [(it.scope, it.name) for it in read(text).names] == names


def test_the_frames_of_a_stack_give_paths_and_names_the_innermost_first() -> None:
    """They say where it happened better than the message does."""
    frames = '  File "a.py", line 1, in outer\n  File "b/c.py", line 2, in inner\n'
    text = f"Traceback (most recent call last):\n{frames}KeyError: 1"
    query = read(text)
    assert query.paths == ("a.py", "b/c.py")
    assert [it.name for it in query.names] == ["inner", "outer", "KeyError"]


@pytest.mark.parametrize(
    ("text", "places"),
    {
        "tests of the parser": {Place.TESTS},
        "conftest.py": {Place.TESTS},
        "example of a custom layer": {Place.EXAMPLES},
        "v3 compatibility types": {Place.COMPAT},
        "the latest attestation": set(),
        "the README": {Place.DOCS},
    }.items(),
)
def test_places_are_asked_for_by_their_names(text: str, places: set[Place]) -> None:
    """Tests are shown to who asks for tests."""
    assert asked_for(text) == places


ANY_TEXT = st.text(max_size=300) | st.text(alphabet="\"'()*^:+-{}[]NEAR AND OR NOT\0\n a1_é中", max_size=80)


@given(ANY_TEXT)
def test_no_text_becomes_syntax(text: str) -> None:
    """The expression is words in quotes joined by OR, whatever is asked."""
    found = expression(read(text).terms)
    assert not found or re.fullmatch(r'"[\w ]+"(?: OR "[\w ]+")*', found)


@given(st.lists(st.text(max_size=30)).map(tuple))
def test_no_term_becomes_syntax(terms: tuple[str, ...]) -> None:
    """Also terms that no reading would give."""
    found = expression(terms)
    assert not found or re.fullmatch(r'"[\w ]+"(?: OR "[\w ]+")*', found)


def test_a_pasted_log_is_bounded() -> None:
    """A question of a megabyte costs what one of a paragraph does."""
    assert len(read("word1 other2 " * 100_000).terms) <= MOST_TERMS


def test_words_that_stand_everywhere_are_left_out_if_others_say_enough() -> None:
    """They cost the most time and tell the least; alone, they are all there is to ask for."""
    spread = {"pool": 3, "string": 40, "connection": 9, "retry": 0, "value": 10}
    assert telling(("pool", "string", "connection", "retry"), spread, 9) == ("pool", "connection", "retry")
    assert telling(("string", "value", "pool"), spread, 9) == ("string", "value", "pool")


def test_frequent_words_only_add_to_what_rare_ones_find() -> None:
    """All at once if they are rare together; no part finds what another one does."""
    spread = {"open": 50, "socket": 3, "file": 90, "retry": 4}

    def matches(*terms: str, most: int = 10) -> tuple[str, ...]:
        return tuple(it.match for it in parts(terms, spread, most))

    assert matches("open", "socket", most=53) == ('"socket" OR "open"',)
    assert matches("open") == ('"open"',)
    assert matches() == matches("_") == ()
    assert matches("file", "socket", "open", "retry") == (
        '("socket" OR "retry") AND ("open" OR "file")',
        '(("open") AND ("file")) NOT ("socket" OR "retry")',
        '("socket" OR "retry") NOT ("open" OR "file")',
    )
    assert matches("file", "open") == ('("open") AND ("file")', '("open") NOT ("file")')


def test_a_part_cannot_score_more_than_its_terms_can() -> None:
    """Rare ones more than frequent ones; one that stands everywhere next to nothing."""
    spread = {"open": 50, "socket": 3, "self": 99}
    both, alone = parts(("open", "socket"), spread, 10)
    assert (both.terms, alone.terms) == (("socket", "open"), ("socket",))
    assert ceiling(alone, spread, 100) < ceiling(both, spread, 100)
    (everywhere,) = parts(("self",), spread, 10)
    assert 0 < ceiling(everywhere, spread, 100) < 0.001
