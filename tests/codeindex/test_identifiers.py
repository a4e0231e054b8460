"""What identifiers are made of, and what of a text can be found."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codeindex.identifiers import searchable, split

IDENTIFIERS = st.text(st.sampled_from("aBcDeXYZ019_éÄß漢"), max_size=30)


@pytest.mark.parametrize(
    ("identifier", "words"),
    [
        ("parseHTTPRequest_v2", "parse http request v2"),
        ("HTTPServer", "http server"),
        ("camelCase", "camel case"),
        ("PascalCase", "pascal case"),
        ("snake_case_name", "snake case name"),
        ("SCREAMING_SNAKE", "screaming snake"),
        ("__init__", "init"),
        ("getURLs", "get urls"),
        ("base64Encode", "base64 encode"),
        ("sha256sum", "sha256 sum"),
        ("x86_64", "x86 64"),
        ("i18n", "i18n"),
        ("array2d", "array2d"),
        ("A", "a"),
        ("GrößeÄndern", "größe ändern"),
        ("ÉTATCivil", "état civil"),
        ("漢字Name", "漢字 name"),
        ("kebab-case.name", "kebab case name"),
        ("", ""),
        ("_", ""),
    ],
)
def test_an_identifier_is_split_where_a_reader_would(identifier: str, words: str) -> None:
    """Case, underscores, acronyms and digits separate words, in any alphabet."""
    assert split(identifier) == tuple(words.split())


@given(IDENTIFIERS)
def test_nothing_of_an_identifier_is_lost(identifier: str) -> None:
    """The words, put together again, are the identifier without its underscores."""
    assert "".join(split(identifier)) == identifier.replace("_", "").lower()


@given(st.text(max_size=60))
def test_letters_and_digits_of_any_text_survive_a_split(text: str) -> None:
    """What is neither punctuation nor space is in some word."""
    kept = [it for it in text if it.isalnum() or unicodedata.category(it)[0] == "M"]
    assert "".join(split(text)) == "".join(it.lower() for it in kept)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("def parse_request(self):", "def parserequest parse request self"),
        ("parseRequest()", "parserequest parse request"),
        ("if (a != b) { ++x; }", "if a b x"),
        ("2024 12345678 123456789", "2024 12345678"),
        ("Cafe\u0301 ok", "café ok"),
        ("d41d8cd98f00b204e9800998ecf8427e end", "end"),
        ('key = "' + "aGVsbG8gd29ybGQhIFRoaXMgaXMg" * 4 + '=="', "key"),
        ("src/main/java/com/example/application/services/UserServiceImpl", None),
        ("get_the_number_of_items_2_or_3", None),
    ],
)
def test_what_can_be_found(text: str, words: str | None) -> None:
    """Identifiers whole and in parts; no punctuation, no long number, no encoded data; paths stay."""
    found = searchable(text)
    if words is None:
        assert set(split(text)) <= set(found.split())
    else:
        assert found == words


@given(IDENTIFIERS.filter(lambda it: len(it) < 24))
def test_a_question_meets_what_was_indexed(identifier: str) -> None:
    """However a name is written, in a question or in the code, it is fed the same words."""
    text = f"x = {identifier}(1)"
    assert set(searchable(identifier).split()) <= set(searchable(text).split())


@given(st.text(max_size=300))
def test_any_text_becomes_plain_words(text: str) -> None:
    """Only words and single spaces come out, whatever goes in."""
    found = searchable(text)
    assert re.fullmatch(r"(\S+( \S+)*)?", found)
