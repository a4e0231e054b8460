"""Whatever is edited and however it is written down: exactly that comes out, or a refusal."""

from __future__ import annotations

import difflib
import json
import string
from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from chat.edits import Edit, Refusal, Source, apply, check, place, read, still_fits
from chat.edits_lines import split

WORDS = [
    "x = 1",
    "y = x",
    "return x",
    "if x:",
    "}",
    "foo(x)",
    "",
    "  ",
    "a  b",
    "# note",
    "é = 😀",
    "f\x0cg",
    "u\u2028v",
]
INDENTS = ["", "    ", "  ", "\t", "        "]
LINE = st.sampled_from([*WORDS, *(indent + it for it in WORDS if it.strip() for indent in INDENTS)])
LINES = st.lists(LINE, max_size=14)
LANGUAGES = st.sampled_from(["python", "javascript", "go", "text", "yaml"])
ENDS = st.sampled_from(["\n", "\r\n"])
PATH = "src/a.txt"


def in_blocks(old: list[str], new: list[str]) -> str:
    """Search/replace, a block for each change with a line around it."""
    found = []
    for rows in _hunks(old, new, 1):
        found += ["<<<<<<< SEARCH", *rows[0], "=======", *rows[1], ">>>>>>> REPLACE", ""]
    return "\n".join(["Here:", "", *found])


def in_fenced_blocks(old: list[str], new: list[str]) -> str:
    """The same, each in a fence of its own."""
    found = []
    for rows in _hunks(old, new, 2):
        found += ["````", "<<<<<<< SEARCH", *rows[0], "=======", *rows[1], ">>>>>>> REPLACE", "````", ""]
    return "\n".join(found)


def in_one_block(old: list[str], new: list[str]) -> str:
    """Search/replace of the whole text."""
    return "\n".join(["<<<<<<< SEARCH", *old, "=======", *new, ">>>>>>> REPLACE"])


def in_diff(old: list[str], new: list[str]) -> str:
    """A unified diff with everything as it should be."""
    rows = difflib.unified_diff(old, new, "a/" + PATH, "b/" + PATH, n=3, lineterm="")
    return "\n".join(["````diff", *rows, "````"])


def in_sloppy_diff(old: list[str], new: list[str]) -> str:
    """A diff without numbers and file names."""
    rows = [
        it
        for it in difflib.unified_diff(old, new, n=2, lineterm="")
        if not it.startswith(("--- \n", "+++ \n"))
    ]
    rows = ["@@ ... @@" if it.startswith("@@") else it for it in rows[2:]]
    return "\n".join(["````diff", *rows, "````"])


def in_json(old: list[str], new: list[str]) -> str:
    """Search/replace as JSON."""
    rows = [{"path": PATH, "search": "\n".join(a), "replace": "\n".join(b)} for a, b in _hunks(old, new, 2)]
    return json.dumps({"edits": rows})


def in_tags(old: list[str], new: list[str]) -> str:
    """Search/replace between tags."""
    rows = [
        "<search>\n" + "\n".join(a) + "\n</search>\n<replace>\n" + "\n".join(b) + "\n</replace>"
        for a, b in _hunks(old, new, 2)
    ]
    return "\n".join(rows)


FORMATS = (in_blocks, in_fenced_blocks, in_one_block, in_diff, in_sloppy_diff, in_json, in_tags)


def _hunks(old: list[str], new: list[str], around: int) -> list[tuple[list[str], list[str]]]:
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    groups = matcher.get_grouped_opcodes(around)
    return [(old[it[0][1] : it[-1][2]], new[it[0][3] : it[-1][4]]) for it in groups]


def text_of(lines: list[str], end: str, last: bool) -> str:
    """Lines with their ends; one blank line without an end is no text at all."""
    return end.join(lines) + (end if last and lines else "")


def run(answer: str, text: str, language: str) -> tuple[Edit, ...] | Refusal:
    """Read and place an answer for one document."""
    documents = {PATH: Source(path=PATH, text=text, version=3, language=language)}
    proposed = read(answer, language=language, task="refactor")
    return proposed if isinstance(proposed, Refusal) else place(proposed, documents)


def check_edits(edits: tuple[Edit, ...], text: str) -> None:
    """Within the document, in order, apart, of its version, and no line in them for nothing."""
    assert still_fits(edits, 3)
    assert not still_fits(edits, 4)
    at = -1
    for it in edits:
        assert at < it.start <= it.end <= len(text)
        at = it.end
        old, new = text[it.start : it.end], it.new_text
        assert old != new
        one, other = split(old).texts, split(new).texts
        if one and other and it.end < len(text):
            assert one[0] != other[0]
            assert one[-1] != other[-1]


@pytest.mark.parametrize("write", FORMATS, ids=lambda it: it.__name__)
@given(data=st.data(), language=LANGUAGES, end=ENDS, last=st.booleans())
def test_an_edit_comes_out_as_it_went_in(
    write: Callable[[list[str], list[str]], str], data: st.DataObject, language: str, end: str, last: bool
) -> None:
    """Exactly the edited text, or a refusal; never anything else."""
    old = data.draw(LINES.filter(lambda it: any(map(str.strip, it))))
    new = list(old)
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(new)))
        kind = data.draw(st.sampled_from(["insert", "delete", "change"]))
        if kind == "insert" or at == len(new):
            new.insert(at, data.draw(LINE))
        elif kind == "delete":
            del new[at]
        else:
            new[at] = data.draw(LINE)
    end = end if 1 < len(old) or last else "\n"  # A text without any line end says nothing of its own.
    text, wanted = text_of(old, end, last), text_of(new, end, last)
    if split(text).texts != tuple(old) or split(wanted).texts != tuple(new):
        return  # A last blank line without an end is not told from none.
    if write in (in_json, in_tags) and any(it == [""] for _, it in _hunks(old, new, 2)):
        return  # There, one blank line is not told from none.
    found = run(write(old, new), text, language)
    if isinstance(found, Refusal):
        assert found.reason.endswith((".", "”"))
        return
    check_edits(found, text)
    assert apply(text, found) == wanted


@st.composite
def functions(draw: st.DrawFn, names: list[str]) -> list[str]:
    """Functions of these names, of any lines that a body may have."""
    lines = ["import os", ""]
    for name in names:
        body = draw(
            st.lists(st.sampled_from(["x = 1", "y = f(x)", "print(x)", "for it in x: print(it)"]), max_size=5)
        )
        lines += ["", f"def {name}(x):", *(f"    {it}" for it in body), f"    return {name.upper()}", ""]
    return lines


@given(data=st.data(), base=st.sampled_from(["", "    "]), end=ENDS)
def test_a_function_is_replaced_by_its_name(data: st.DataObject, base: str, end: str) -> None:
    """A new body for one of several functions: that one is changed, to just that, and no other."""
    old = data.draw(functions(["one", "two", "three"]))
    first = old.index("def two(x):")
    last = next(at for at in range(first, len(old)) if old[at].strip().startswith("return"))
    body = data.draw(
        st.lists(
            st.sampled_from(["z = 3", "x += 1", "print(x, x)", "if x:\n        return 0"]),
            min_size=1,
            max_size=6,
        )
    )
    function = "\n".join(["def two(x):", *(f"    {it}" for it in body)]).split("\n")
    text = text_of(old, end, True)
    answer = "\n".join(["Here you are:", "", "```python", *(base + it for it in function), "```", ""])
    found = run(answer, text, "python")
    assert not isinstance(found, Refusal), found.reason
    check_edits(found, text)
    assert apply(text, found) == text_of([*old[:first], *function, *old[last + 1 :]], end, True)


@given(data=st.data(), end=ENDS, last=st.booleans())
def test_a_whole_file_becomes_the_few_lines_that_differ(data: st.DataObject, end: str, last: bool) -> None:
    """A file that is repeated with other lines in its functions: these lines, or a refusal."""
    old = data.draw(functions(["one", "two", "three"]))
    new = list(old)
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.sampled_from([at for at, it in enumerate(new) if it.startswith("    ")]))
        new[at : at + data.draw(st.integers(0, 1))] = data.draw(
            st.lists(st.sampled_from(["    z = 3", "    x += 1"]), min_size=1, max_size=2)
        )
    text = text_of(old, end, last)
    found = run("\n".join(["```python", *new, "```"]), text, "python")
    if isinstance(found, Refusal):
        return
    check_edits(found, text)
    assert apply(text, found) == text_of(new, end, last)


PIECES = st.sampled_from([
    "```", "````", "~~~", "```python\n", "```diff\n", "<<<<<<< SEARCH\n", "=======\n", ">>>>>>> REPLACE\n",
    "@@ -1,2 +3 @@\n", "--- a/a.py\n", "+++ b/a.py\n", "+", "-", " ", "\n", "\r\n", "def f():\n",
    "    return 1\n", "class A:\n", "...\n", "# ... existing code ...\n", "<think>", "</think>", "<|im_end|>",
    "<search>", "</search>", "<replace>", "</replace>", '{"search": "a", "replace": "b"}', "{", "}",
    "*** Begin Patch\n", "*** Update File: a.py\n", "1: ", "&lt;", "### a.py\n", "**a.py**\n", "x = 1\n",
    '"""', "'", "`", "\0", "\ufeff",
])  # fmt: skip
DOCUMENTS = st.sampled_from(
    [
        "",
        "\n",
        "def f():\n    return 1\n",
        "x = 1\n\n\nclass A:\n    def f(self):\n        return 2\n",
        "\ufeffx = 1",
    ]
)


@given(
    answer=st.one_of(st.text(), st.lists(PIECES, max_size=40).map("".join)),
    text=DOCUMENTS,
    language=LANGUAGES,
)
@example(answer="```\n" * 50, text="x", language="python")
@example(answer="```\n+\n-0", text="", language="python")
@settings(max_examples=300)
def test_any_text_can_be_read(answer: str, text: str, language: str) -> None:
    """No answer makes it fail, and what is placed is an edit of the document."""
    found = run(answer, text, language)
    if isinstance(found, Refusal):
        assert found.reason
    else:
        check_edits(found, text)
        assert apply(text, found) != text


TRAPS = {
    "fences": "```\n" * 40_000,
    "openers": "```python\n" * 15_000,
    "closers far away": "````python\n" + "```\n" * 30_000,
    "marks": "<<<<<<< SEARCH\n=======\n" * 8_000,
    "marks without end": "<<<<<<< SEARCH\n" * 12_000,
    "tags": "<search>" * 20_000,
    "thoughts": "<think></think>" * 12_000,
    "template marks": "<|im_end|>" * 18_000,
    "blanks": " " * 190_000,
    "blank lines": "\n" * 190_000,
    "blanks behind a mark": "<|im_end|>" + " \t" * 90_000,
    "brackets": "```js\n" + "(" * 150_000 + "\n```",
    "braces": "```js\n" + "f() {\n" * 7_000 + "```",
    "calls": "```js\n" + "foo()\n" * 7_900 + "```",
    "quotes": "```python\n" + '"""' * 60_000 + "\n```",
    "definitions": "```python\n" + "def f(): pass\n" * 7_900 + "```",
    "nested definitions": "```python\n" + "".join(" " * it + f"def f{it}():\n" for it in range(600)) + "```",
    "elisions": "```python\ndef f():\n" + "    # ...\n    x = 1\n" * 3_900 + "```",
    "equal lines": "```python\n" + "x = 1\n" * 7_900 + "```",
    "hunks": "```diff\n" + "@@\n-x = 1\n+x = 2\n" * 2_500 + "```",
    "one long line": "```python\n" + "x" * 190_000 + "\n```",
    "a long path": "/".join(["a"] * 90_000) + ".py\n```\nx\n```",
    "words": "file name " * 19_000,
    "json": "[" * 100_000,
    "entities": "```python\n" + "&lt;" * 40_000 + "\n```",
    "numbers": "```python\n" + "".join(f"{it}: x = 1\n" for it in range(7_900)) + "```",
    "much": "x = 1\n" * 1_000_000,
}
LONG_TEXT = "".join(f"def f{it}(x):\n    x = 1\n    return x\n\n\n" for it in range(4_000))


@pytest.mark.parametrize("answer", TRAPS.values(), ids=TRAPS)
@pytest.mark.parametrize("language", ["python", "javascript", "markdown"])
def test_long_answers_come_to_an_end(answer: str, language: str) -> None:
    """What would take a careless reader hours is read or refused before the test's own limit."""
    for text in ("x = 1\n" * 20_000, LONG_TEXT):
        found = run(answer, text, language)
        assert isinstance(found, Refusal) or apply(text, found) != text


LETTERS = st.text(string.ascii_letters + " \n\t\r{}()", max_size=60)


@given(text=LETTERS, parts=st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60), LETTERS), max_size=5))
def test_edits_are_made_as_they_are(text: str, parts: list[tuple[int, int, str]]) -> None:
    """``apply`` makes sorted edits as one would by hand from the back, and takes no others."""
    edits = [Edit(path=PATH, version=1, start=a, end=b, new_text=it, says="") for a, b, it in parts]
    fits = all(it.start <= it.end <= len(text) for it in edits)
    fits = fits and all(one.end <= other.start for one, other in pairwise(edits))
    if not fits:
        with pytest.raises(ValueError, match="not sorted"):
            apply(text, edits)
        return
    wanted = text
    for it in reversed(edits):
        wanted = wanted[: it.start] + it.new_text + wanted[it.end :]
    assert apply(text, edits) == wanted


def test_what_parsed_before_parses_after() -> None:
    """More faults than before, or than anybody can count, is refused; as many as before are not."""
    text = "a = 1\n"
    documents = {PATH: Source(path=PATH, text=text, version=3, language="text")}
    edits = (Edit(path=PATH, version=3, start=0, end=6, new_text="b\n", says=""),)
    for before, after, passes in (
        (0, 0, True),
        (2, 1, True),
        (0, 1, False),
        (0, None, False),
        (None, 3, True),
    ):

        def faults(it: str, language: str, one: int | None = before, other: int | None = after) -> int | None:
            return one if it == text else other

        found = check(edits, documents, faults)
        assert found == edits if passes else isinstance(found, Refusal)
