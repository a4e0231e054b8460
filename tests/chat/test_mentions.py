"""Mentions are read as people write them, and what only looks like one is left alone."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chat import mentions

FILES = (
    "README.md",
    "docs/guide.md",
    "src/app.py",
    "src/router/index.ts",
    "src/with space.py",
    "tests/test_app.py",
)


def named(text: str) -> list[tuple[str, str]]:
    """The kinds and values of what a text mentions."""
    return [(it.kind, it.value) for it in mentions.read(text)[1]]


READ = {
    "@codebase where are queries built?": [("codebase", "")],
    "Where, @Codebase?": [("codebase", "")],
    "@workspace explain": [("codebase", "")],
    "explain @src/app.py": [("file", "src/app.py")],
    "explain @./src/app.py, please": [("file", "src/app.py")],
    "explain @src\\app.py": [("file", "src/app.py")],
    "(see @src/app.py)": [("file", "src/app.py")],
    "@app.py:10-20 fails": [("file", "app.py:10-20")],
    "@app.py#L3 fails": [("file", "app.py#L3")],
    "@file:src/app.py": [("file", "src/app.py")],
    "@file src/app.py what": [("file", "src/app.py")],
    "@file: src/app.py": [("file", "src/app.py")],
    '@file:"src/with space.py" and more': [("file", "src/with space.py")],
    '@"src/with space.py"': [("file", "src/with space.py")],
    "what does @file do?": [("file", "")],
    "what does @this do?": [("file", "")],
    "@app/[id]/page.tsx": [("file", "app/[id]/page.tsx")],
    "@.github/workflows/ci.yml": [("file", ".github/workflows/ci.yml")],
    "@folder src/router": [("folder", "src/router")],
    "@folder:src": [("folder", "src")],
    "what is in @src/?": [("folder", "src")],
    "what is in @src/router": [("folder", "src/router")],
    "@symbol:Cart.total": [("symbol", "Cart.total")],
    "@symbol Cart::total now": [("symbol", "Cart::total")],
    "how is @Cart used?": [("symbol", "Cart")],
    "how is @parse_args.": [("symbol", "parse_args")],
    "who uses @#Cart": [],
    "#sym:Cart and #file:app.py and #selection": [("symbol", "Cart"), ("file", "app.py"), ("selection", "")],
    "summarize #changes": [("diff", "")],
    "review @diff.": [("diff", "")],
    "review @git": [("diff", "")],
    "fix @problems!": [("problems", "")],
    "shorten @selection": [("selection", "")],
    "@docs how do I deploy?": [("docs", "")],
    "@docs:guide.md how": [("docs", "guide.md")],
    "@docs docs/spec.pdf how": [("docs", "docs/spec.pdf")],
    "@docs:file:///tmp/my%20spec.pdf how": [("docs", "file:///tmp/my%20spec.pdf")],
    "@file:///tmp/spec.pdf how": [("file", "///tmp/spec.pdf")],
    "@/tmp/spec.pdf how": [("file", "/tmp/spec.pdf")],
    "@~/spec.pdf how": [("file", "~/spec.pdf")],
    "@diff @problems @src/app.py": [("diff", ""), ("problems", ""), ("file", "src/app.py")],
}
NONE = [
    "mail me at jo@example.com",
    "git@github.com:a/b.git",
    "what does @property do?",
    "what does @app.route('/x') do",
    "@dataclass(frozen=True)",
    "@retry(3) wraps it",
    "@Override in Java",
    "how is @types/node imported",
    "import x from '@acme/tools'",
    "install @angular/core please",
    "use `@Cart` here",
    "```python\n@cached\ndef f(): ...\n@src/app.py\n```",
    "fixes #12 and #fff",
    "# Title\n## Other",
    "at @ noon, @@ -1 +1 @@",
    "https://example.com/@user/post",
    "a @param tag",
    "x@y",
    "@",
    "",
]


@pytest.mark.parametrize("text", READ)
def test_what_is_mentioned(text: str) -> None:
    """Each way of writing a mention gives its kind and its name."""
    assert named(text) == READ[text]


@pytest.mark.parametrize("text", NONE)
def test_what_is_no_mention(text: str) -> None:
    """Addresses, decorators, scopes of packages, quoted code and issue numbers stay as they are."""
    assert mentions.read(text) == (text, ())


def test_the_question_reads_well_without_the_marks() -> None:
    """Names stay as words of the question; marks that name nothing by themselves go."""
    assert (
        mentions.read("@codebase where is @Cart.total in @src/app.py:3-9 ?")[0]
        == "where is Cart.total in src/app.py?"
    )
    assert mentions.read("review @diff, please")[0] == "review the changes, please"


@given(st.text(st.sampled_from("@#:/\\.\"'`()[] \nabCd_3-"), max_size=60) | st.text(max_size=40))
@settings(max_examples=300, deadline=None)
def test_any_text_is_read(text: str) -> None:
    """Whatever is typed: no error, and each mention is where it says, in order, apart from the others."""
    rest, found = mentions.read(text)
    at = 0
    for it in found:
        assert at <= it.start < it.end <= len(text)
        assert text[it.start] in "@#"
        at = it.end
    assert found or rest == text


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a.py", ("a.py", 0, 0)),
        ("a.py:3", ("a.py", 3, 3)),
        ("a.py:3-9", ("a.py", 3, 9)),
        ("a.py#L3-L9", ("a.py", 3, 9)),
        ("a.py:9-3", ("a.py", 9, 9)),
        (":3", (":3", 0, 0)),
    ],
)
def test_lines_of_a_path(value: str, expected: tuple[str, int, int]) -> None:
    """Editors' and forges' ways of writing lines are understood."""
    assert mentions.lines_in(value) == expected


def test_what_is_suggested() -> None:
    """Kinds first, then files, folders and symbols that begin so or contain it, of the chosen kind."""
    assert mentions.suggest("@", FILES, ("Cart",))[:3] == ("@codebase", "@file:", "@folder:")
    assert mentions.suggest("@app", FILES, ("App", "Cart")) == ("@src/app.py", "@tests/test_app.py", "@App")
    assert mentions.suggest("@file:with", FILES, ()) == ('@file:"src/with space.py"',)
    assert mentions.suggest("@folder:", FILES, ()) == (
        "@folder:docs/",
        "@folder:src/",
        "@folder:src/router/",
        "@folder:tests/",
    )
    assert mentions.suggest("@symbol:ca", FILES, ("Cart",)) == ("@symbol:Cart",)
    assert mentions.suggest("@docs:", FILES, ()) == ("@docs:README.md", "@docs:docs/guide.md")
    assert mentions.suggest("app", FILES, ()) == ()


@pytest.mark.parametrize("path", FILES)
def test_a_suggestion_is_read_as_what_it_suggests(path: str) -> None:
    """What the panel inserts names the very file."""
    for prefix in ("@", "@file:"):
        (found,) = (it for it in mentions.suggest(prefix, FILES, (), limit=99) if path in it)
        assert named(f"see {found} now") == [("file", path)]
