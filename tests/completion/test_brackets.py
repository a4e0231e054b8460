"""Brackets, strings and comments."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from completion.brackets import code_of, go_on, join, lex
from completion.languages import language_of, opens_block

LANGUAGES = ["python", "typescript", "go", "rust", "java", "c", "markdown", "html", "sql", "nobody-knows"]


def open_and_closed(text: str, language: str, inside: str = "") -> tuple[str, str, str]:
    lexed = lex(text, language_of(language), inside)
    return "".join(it.text for it in lexed.closes), "".join(it.text for it in lexed.opens), lexed.inside


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("python", "f(a)[b] {", ("", "{", "")),
        ("python", "a) + (b", (")", "(", "")),
        ("python", "(a]", ("]", "(", "")),
        ("python", "([a)", ("", "", "")),
        ("python", "\"(\" + '[' # {", ("", "", "\n")),
        ("python", '"""\n(\n""" (', ("", "(", "")),
        ("python", '"\\"(" (', ("", "(", "")),
        ("python", 'x = "(\ny = (', ("", "(", "")),
        ("python", 'x = "', ("", "", '"')),
        ("python", "x = '''", ("", "", "'''")),
        ("python", "// (", ("", "(", "")),
        ("typescript", "// (\n/* [ */ {", ("", "{", "")),
        ("typescript", "`${a}\n(` (", ("", "(", "")),
        ("typescript", "/* (", ("", "", "*/")),
        ("go", "'\"' + (", ("", "(", "")),
        ("rust", "fn f<'a>(x: &'a str", ("", "(", "")),
        ("rust", "'(' + '\\'' + (", ("", "(", "")),
        ("c", "#define X (", ("", "(", "")),
        ("markdown", "It's (", ("", "(", "")),
        ("html", "<!-- ( -->[", ("", "[", "")),
        ("sql", "-- (\n(", ("", "(", "")),
        ("nobody-knows", "# (", ("", "(", "")),
    ],
)
def test_what_is_open(language: str, text: str, expected: tuple[str, str, str]) -> None:
    """Closers without opener, openers without closer, and the string or comment it ends in."""
    assert open_and_closed(text, language) == expected


def test_text_that_starts_in_a_string_or_comment() -> None:
    """The quote that ends it counts as a closer."""
    assert open_and_closed('a(b")', "python", '"') == ('")', "", "")
    assert open_and_closed("a(b\n)", "python", "\n") == (")", "", "")
    assert open_and_closed("a(b */ )", "c", "*/") == (")", "", "")
    assert open_and_closed("a(b", "python", '"""') == ("", "", '"""')
    assert open_and_closed('a\\"\nb)', "python", '"') == (")", "", "")


def test_code_without_its_comment() -> None:
    """A colon in a comment opens no block."""
    assert code_of("if x:  # why: because", language_of("python")) == "if x:"
    assert code_of('x = "#" ', language_of("python")) == 'x = "#"'
    assert code_of("  // only", language_of("go")) == ""
    assert not opens_block(code_of("x = 1  # if so:", language_of("python")), language_of("python"))


@given(st.text() | st.text("()[]{}\"'`\\\n#/*-<>!"), st.sampled_from(LANGUAGES), st.data())
def test_any_text(text: str, language: str, data: st.DataObject) -> None:
    """Marks stand where they say, openers and closers in the order of the text."""
    facts = language_of(language)
    inside = data.draw(st.sampled_from(["", "\n", *facts.quotes, *facts.long_quotes, *facts.comment_ends]))
    lexed = lex(text, facts, inside)
    for marks in (lexed.closes, lexed.opens):
        assert [it.at for it in marks] == sorted({it.at for it in marks})
        assert all(text.startswith(it.text, it.at) for it in marks)
    assert 0 <= lexed.code_end <= len(text)


CODE = st.text("()[]{}\"'`\\\n#/*-<>! x", max_size=60)


@example(above=["`"], line="`", language="typescript")
@example(above=["/*"], line="", language="typescript")
@given(st.lists(CODE, max_size=4), CODE, st.sampled_from(LANGUAGES))
def test_going_on_at_a_line_sees_what_reading_all_sees(above: list[str], line: str, language: str) -> None:
    """Wherever a line begins, in strings and comments too, and however brackets are mixed up."""
    facts, head = language_of(language), "".join(f"{it}\n" for it in above)
    assert go_on(lex(head, facts), head + line, len(head), facts) == lex(head + line, facts)


@given(st.text("()\"'\n# x", max_size=30), st.text("()\"'\n# x", max_size=30))
def test_two_pieces_are_one_text(one: str, other: str) -> None:
    """Reading line by line sees what reading all at once sees, as long as brackets are nested."""
    facts = language_of("python")
    whole, first = lex(one + other, facts), lex(one, facts)
    both = join(first, lex(other, facts, first.inside))
    if one.endswith(('"', "'")) or other.startswith(('"', "'")):
        return  # A piece that ends inside three quotes reads them as one and two.
    assert [it.text for it in both.opens] == [it.text for it in whole.opens]
    assert [it.text for it in both.closes] == [it.text for it in whole.closes]
    assert both.inside == whole.inside
