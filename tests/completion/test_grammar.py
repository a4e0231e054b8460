"""Suggestions that no grammar takes, and those that only look like it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codeindex.syntax import faults
from completion.brackets import bare
from completion.languages import language_of
from completion.postprocess.draft import Draft
from completion.postprocess.grammar import RULES, SHORT_STRINGS, broken
from tests.completion.fixtures import spot_of

BROKEN = [
    ("typescript", "if (\n    kind === un‸\n", "defined;", "semicolon in brackets"),
    ("c", "total = sum(first[0‸\n", ";", "semicolon in brackets"),
    ("python", "check(\n    isinstance(one, int)‸\n)\n", ":", "colon of no block"),
    ("python", "total = count‸\n", "s:", "colon of no block"),
    ("python", "from .about import author‸\n", " = 'somebody'", "import that assigns"),
    ("python", "def get(self):\n    return self.values[‸]\n", "key] = value", "statement that assigns"),
    ("typescript", "const all = reader.charsets(...‸\n", "charsets) {", "block behind a call of a member"),
    ("java", "return first.next(‸\n", "it) {", "block behind a call of a member"),
    ("javascript", "const root = join(folder, 'a')‸\n", " {", "block behind a called value"),
    ("javascript", "    warn: (kind, type) => process.warn(kind, ‸\n", "name) => {},", "arrow behind a call"),
    ("javascript", "import bro‸\n", "wser:", "import of nothing"),
    ("javascript", "import {first, ‸\n", "second};", "import of nothing"),
    ("javascript", "import { join } from 'path‸\n", "': {", "import of nothing"),
    ("rust", "fn f() {\n    if self.has_‸\n", "word = true;", "condition without a block"),
    ("go", "func f() {\n\ttotal = count‸\n", "s;", "semicolon at a line's end"),
    ("go", "func f() {\n\tcheck(total)‸\n", ":", "colon of no case"),
    ("go", 'import (\n\t"fmt"‸\n)\n', ",", "comma between imports"),
    ("javascript", "if (kind !== 'undefine‸\n", "d;", "string left open"),
    ("python", "print(‸\n", "'hello, world)", "string left open"),
]
FINE = [
    ("typescript", "for (let i = 0‸\n", "; i < n;"),
    ("javascript", "const open = /[(]/g\ntext.replace(‸\n", "open, '');"),
    ("javascript", "run(function (x‸\n", ") {"),
    ("javascript", "const f = function(‸\n", "x) {"),
    ("javascript", "const f = async (‸\n", "x) => {"),
    ("javascript", "names.forEach(‸\n", "name => {"),
    ("javascript", "import { join } from 'path‸\n", "';"),
    ("javascript", "import data from './data.json'‸\n", " with { type: 'json' };"),
    ("javascript", "import {‸\n", "first,"),
    ("javascript", "// don't ‸\n", "do it;"),
    ("typescriptreact", "<p>I don‸</p>\n", "'t know"),
    ("java", "Runnable r = new a.b.Task(‸\n", "x) {"),
    ("python", "x = {\n    'a'‸\n}\n", ": 1,"),
    ("python", "call(key=‸\n", "lambda:"),
    ("python", "def f(\n    x,\n)‸\n", " -> int:"),
    ("python", "if one and \\\n    other‸\n", ":"),
    ("python", "match value‸\n", ":"),
    ("python", "return sorted(x, key=‸\n", "lambda it: it.a)"),
    ("python", "if (n := len(a))‸\n", " > 10:"),
    ("python", 'text = """it‸\n', "'s:"),
    ("python", "x = 'it\\‸\n", "'s'"),
    ("rust", "let x = if a { b } else { c }‸\n", ";"),
    ("rust", "fn f<'a>(x: &'a str‸\n", ") -> &'a str {"),
    ("go", "for i := 0‸\n", "; i < n; i++ {"),
    ("go", "switch x {\n\tcase 1‸\n", ":"),
    ("go", "call(\n\tfirst‸\n)\n", ","),
    ("kotlin", "list.forEach(‸\n", "x) {"),
    ("markdown", "Don't import‸\n", " x = 1;"),
]


@pytest.mark.parametrize(("language", "document", "said", "rule"), BROKEN)
def test_what_no_grammar_takes_is_not_shown(language: str, document: str, said: str, rule: str) -> None:
    """Each rule speaks where it should."""
    assert broken(Draft(text=said), spot_of(document, language)) == rule


@pytest.mark.parametrize(("language", "document", "said"), FINE)
def test_what_a_grammar_takes_is_left_alone(language: str, document: str, said: str) -> None:
    """What looks like a mistake and is none is shown."""
    spot = spot_of(document, language)
    assert broken(Draft(text=said, replace_after=len(spot.line_after.rstrip())), spot) == ""


def test_every_rule_is_tried() -> None:
    """No rule without a case in which it speaks."""
    assert {it.name for it in RULES} <= {rule for *_, rule in BROKEN}


@pytest.mark.parametrize(("language", "document", "said", "rule"), BROKEN)
def test_the_real_grammar_agrees(language: str, document: str, said: str, rule: str) -> None:
    """With what the rules forbid, the real grammar finds a fault."""
    assert faults(document.replace("‸", said), language)


@given(st.text(max_size=60), st.sampled_from(sorted(SHORT_STRINGS)), st.sampled_from(["", '"', "\n", "*/"]))
def test_a_bare_line_is_no_longer(line: str, language: str, inside: str) -> None:
    """Any text can be read; what is inside strings and brackets is gone, and nothing else comes in."""
    found = bare(line.replace("\n", " "), language_of(language), inside)
    assert len(found.text.replace('""', "")) <= len(line)
    assert found.open_quote is None or 0 <= found.open_quote < len(line)


def test_a_line_bare_of_what_is_inside() -> None:
    """Strings, closed brackets and comments are emptied; what stays open stays."""
    python, script = language_of("python"), language_of("typescript")
    assert bare("f(a[1], 'x)')  # why?", python).text == "f()  "
    assert bare("f(a, g(b", python).text == "f(a, g(b"
    assert bare("of it' + a[0]", python, "'").text == '"" + a[]'
    assert bare("x = 'ab", script).open_quote == 4
