"""Any text in any language is read: nothing raises, no line is lost, and what is there is found."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from inline_snapshot import snapshot

from codeindex.languages import BY_EXTENSION
from codeindex.parse import LONGEST, parse
from codeindex.parse_grammar import SOURCES, grammar
from codeindex.types import Kind, Parsed
from tests.codeindex.parse import FILES, outline

LANGUAGES = sorted(SOURCES)
TOKENS = [
    "def f(", "class A", "{", "}", "(", ")", "[", "]", "<", ">", ":", ";", ",", ".", "=", "=>", "'", '"', "`",
    '"""', "/*", "*/", "//", "#", "--", "\n", "\n\n", "\n    ", "\t", " ", "\r", "\0", "é", "漢",
    "\U0001f34e", "\ufeff", "\u2028", "fn x", "import a.b", "use a::{b, c::*}", "@x", "1", "if", "end", "do",
    "<?php ", "<h1>", "---", "x: 1", "- ", "~~~", "```", "template<", "\\", "$", "%", "&", "\ud800",
]  # fmt: skip


def check_whole(text: str, parsed: Parsed) -> None:
    """Chunks tile the lines; symbols lie within the text, and names are used where they stand."""
    lines = text.split("\n")
    covered = [line for it in parsed.chunks for line in range(it.first_line, it.last_line + 1)]
    assert covered == sorted(set(covered))
    assert {at for at, line in enumerate(lines, 1) if line.strip()} <= set(covered)
    assert parsed.lines == len(lines) - (lines[-1] == "")
    for at, it in enumerate(parsed.symbols):
        assert 1 <= it.first_line <= it.line <= it.last_line <= len(lines)
        assert it.name
        assert "\n" not in it.name + it.signature + it.doc
        assert len(it.signature) <= 200
        assert len(it.doc) <= 300
        assert it.parent is None or it.parent < at
    for use in parsed.references:
        assert use.name
        assert use.name in lines[use.line - 1].encode("utf-8", "replace").decode()
        assert use.symbol is None or use.symbol < len(parsed.symbols)
    defined = [it for chunk in parsed.chunks for it in chunk.defines]
    assert sorted(defined) == list(range(len(parsed.symbols)))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_grammar_loads(language: str) -> None:
    """Each that we name is installed, fits the library, and understands our queries."""
    assert grammar(language) is not None
    assert language in set(BY_EXTENSION.values())


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_file_is_read_whole(language: str) -> None:
    """The small files of all languages, and each of them cut off anywhere or without its brackets."""
    path = FILES / f"{'cpp' if language == 'cuda-cpp' else language}.txt"
    text = path.read_text(encoding="utf-8")
    for piece in (text, text[: len(text) // 2], text[len(text) // 3 :], text.replace("}", ""), text * 3):
        parsed = parse(piece, language)
        check_whole(piece, parsed)
        assert not parsed.degraded


@settings(deadline=None)
@given(st.sampled_from([*LANGUAGES, "scss", "text", ""]), st.lists(st.sampled_from(TOKENS), max_size=60))
def test_any_tokens_in_any_language(language: str, tokens: list[str]) -> None:
    """Broken code is code that is being written."""
    text = "".join(tokens)
    check_whole(text, parse(text, language))


@settings(deadline=None)
@given(st.sampled_from(LANGUAGES), st.text(max_size=300))
def test_any_text_in_any_language(language: str, text: str) -> None:
    """And anything may be in a file with a language's name."""
    check_whole(text, parse(text, language))


@pytest.mark.parametrize("language", [*LANGUAGES, "none"])
@pytest.mark.parametrize("text", ["", "\n", "  \n\t\n\n", "\r\n", "\0"])
def test_nothing_is_read_from_nothing(language: str, text: str) -> None:
    """An empty text has no symbols, and no chunks unless something stands there."""
    parsed = parse(text, language)
    assert (parsed.symbols, parsed.references, parsed.imports) == ((), (), ())
    assert bool(parsed.chunks) == bool(text.strip())


@pytest.mark.parametrize("language", ["python", "javascript", "rust", "json"])
@pytest.mark.parametrize("bracket", ["(", "([{"])
def test_deep_nesting(language: str, bracket: str) -> None:
    """A hundred thousand open brackets are no reason to fail, with lines or without."""
    for text in (bracket * 100_000, (bracket + "\n") * 5_000):
        check_whole(text, parse(text, language))


def test_what_is_too_long_is_still_chunked() -> None:
    """A text beyond the limit is cut along its lines; one long line stays whole."""
    text = "x = 1\n" * (LONGEST // 6 + 1)
    parsed = parse(text, "python")
    assert parsed.degraded
    check_whole(text, parsed)
    line = "a" * 500_000
    (chunk,) = parse(line, "javascript").chunks
    assert (chunk.first_line, chunk.last_line) == (1, 1)


def test_an_unknown_language_is_cut_along_its_paragraphs() -> None:
    """Nothing is known of it but its lines."""
    text = ("word " * 100 + "\n\n") * 6
    parsed = parse(text, "klingon")
    assert parsed.degraded
    assert parsed.symbols == ()
    assert [(it.first_line, it.last_line) for it in parsed.chunks] == [(1, 3), (5, 7), (9, 11)]


def test_broken_code_keeps_what_is_there() -> None:
    """A line being typed takes no symbol away that stands before it."""
    for typed in ("x = foo.", "if x ==", "for it in", "x = [1, 2", "@"):
        text = f"def before():\n    return 1\n\n{typed}\n\nclass After:\n    pass\n"
        assert "before" in {it.name for it in parse(text, "python").symbols}
        check_whole(text, parse(text, "python"))
    text = "function before() {}\nx = y) ];\nfunction after() { return 1; }\n"
    assert {"before", "after"} <= {it.name for it in parse(text, "javascript").symbols}


def test_columns_are_characters() -> None:
    """Whatever stands before a name on its line, and however many bytes it takes."""
    text = "/* äöü漢\U0001f34e */ function größe() { return fläche(); }\n"
    (symbol,) = parse(text, "javascript").symbols
    assert symbol.name == "größe"
    assert text[symbol.column :].startswith("größe()")
    assert [it.name for it in parse(text, "javascript").references] == ["fläche"]


def test_carriage_returns_do_not_move_lines() -> None:
    """Lines end where line feeds are; an old editor's line ends do not."""
    text = "x = 1\r\ny = 2\rz = 3\ndef f():\r\n    return x\r\n"
    parsed = parse(text, "python")
    assert [(it.name, it.line) for it in parsed.symbols if it.kind is Kind.FUNCTION] == [("f", 3)]
    check_whole(text, parsed)


def test_a_zero_does_not_end_a_file() -> None:
    """What follows it is read, too."""
    parsed = parse("def a():\n    pass\n# \0\ndef b():\n    pass\n", "python")
    assert [it.name for it in parsed.symbols] == ["a", "b"]


def test_a_header_of_cpp_is_read_as_such() -> None:
    """Its name says C; what is in it decides."""
    text = "#pragma once\nnamespace shop {\nclass Basket {\npublic:\n  int size() const;\n};\n}\n"
    parsed = parse(text, "c")
    assert [(it.kind, it.name) for it in parsed.symbols] == [
        (Kind.MODULE, "shop"), (Kind.CLASS, "Basket"), (Kind.METHOD, "size"),
    ]  # fmt: skip
    assert parsed.language == "c"


def test_a_name_is_told_once_for_every_symbol_that_uses_it() -> None:
    """At its first place; a call anywhere makes it called; parameters and variables are no references."""
    text = "def f(a):\n    b = a\n    g = load\n    for c in b:\n        load(c, other.a)\n\nload()\n"
    assert outline(parse(text, "python")) == snapshot("""\
1-5 function f @1:4
    def f(a)
f uses load() other a
the file uses load()
""")


def test_chunks_of_a_class() -> None:
    """Its head with its fields, then its methods, each with its decorator and its comment."""
    body = "\n".join(f"        self.items[{it}] = compute_the_price_of(item, {it})" for it in range(8))
    methods = "".join(
        f"\n    # Counts.\n    @cached\n    def method_{it}(self, item):\n{body}\n" for it in range(3)
    )
    text = f'class Basket(Holder):\n    """Apples."""\n\n    size: int = 0\n{methods}\n\nLIMIT = 1\n'
    found = parse(text, "python").chunks
    assert [(it.first_line, it.last_line, it.scope, it.name) for it in found] == snapshot(
        [
            (1, 4, "", "Basket"),
            (6, 16, "Basket", "method_0"),
            (18, 28, "Basket", "method_1"),
            (30, 40, "Basket", "method_2"),
            (43, 43, "", "LIMIT"),
        ]
    )


def test_our_own_sources() -> None:
    """Every module of this package is read whole, and its public functions are found."""
    for path in sorted((Path(__file__).parents[2] / "codeindex").glob("*.py")):
        text = path.read_text(encoding="utf-8")
        parsed = parse(text, "python")
        assert not parsed.degraded
        check_whole(text, parsed)
        functions = {line[4:].partition("(")[0] for line in text.split("\n") if line.startswith("def ")}
        assert functions <= {it.name for it in parsed.symbols}
