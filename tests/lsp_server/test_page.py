"""An answer in a terminal: however it comes in pieces, the same is there to see in the end."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from lsp_server.commands import page as pages
from lsp_server.commands.markup import target
from lsp_server.commands.page import Pipe, Screen
from tests.terminal import seen

ANSWER = """# Prices

`total` is in [shop/cart.py:5](shop/cart.py#L5-L6), and Vec<T> too.

| name | what |
|------|------|
| a    | one  |

1. one
2. two

   more of it

```python
def total():
    return 3  # three

```

<b>bold</b>

> said

- a
- b

The end."""
SHOWN = """Prices

total is in shop/cart.py:5, and Vec<T> too.

 name  what
 ──────────
 a     one

 1 one
 2 two
   more of it

def total():
    return 3  # three

<b>bold</b>

▌ said

 • a
 • b

The end."""


def drawn(pieces: list[str], *, height: int = 12, period: float = 0.0, root: Path | None = None) -> str:
    """What was written to a terminal for an answer that came in these pieces."""
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=60, height=height, color_system="standard")
    before, pages.PERIOD_S = pages.PERIOD_S, period
    try:
        screen = Screen(console, root)
        screen.wait("Reading …")
        for it in pieces:
            screen.add(it)
        screen.end()
    finally:
        pages.PERIOD_S = before
    return out.getvalue().replace("\n", "\r\n")  # As a terminal does it.


def cut(text: str, size: int) -> list[str]:
    return [text[it : it + size] for it in range(0, len(text), size)]


@pytest.mark.parametrize("size", [1, 7, 10_000])
@pytest.mark.parametrize("height", [6, 50])
@pytest.mark.parametrize("period", [0.0, 1000.0])
def test_an_answer_is_drawn(size: int, height: int, period: float) -> None:
    """Letter by letter or at once, in a small terminal or a large one, the same stands there."""
    out = drawn(cut(ANSWER, size), height=height, period=period)
    assert seen(out).rstrip("\n") == SHOWN


def test_what_is_long_can_be_scrolled_to() -> None:
    """A block that is higher than the terminal is printed once, from top to bottom."""
    lines = [f"line_{it} = {it}" for it in range(100)]
    out = drawn(cut("```python\n" + "\n".join(lines) + "\n```\n", 9), height=10)
    assert seen(out).rstrip("\n").split("\n") == lines


words = st.text(alphabet=st.sampled_from("ab `*_#>-1.|\n\r[](){}<&~\x1b\x9b\x00\u2028é𝒳"), max_size=120)


@settings(max_examples=60)
@given(text=words, size=st.integers(1, 9))
def test_no_text_commands_the_terminal(text: str, size: int) -> None:
    """Whatever comes, in whatever pieces: no failure, and no code but our own."""
    out = drawn(cut(text, size))
    assert "\x9b" not in out
    assert "\x00" not in out
    seen(out)  # Knows our codes, and is an error for any other.


@settings(max_examples=60)
@given(words=st.lists(st.text(alphabet="abcdefgh", min_size=1, max_size=9), min_size=1, max_size=60))
def test_no_word_is_lost(words: list[str]) -> None:
    """All that is said is there, in its order, also across the drawings."""
    out = seen(drawn(cut("\n\n".join([" ".join(words[:20]), *words[20:]]), 5)))
    assert out.split() == words


def test_paths_can_be_clicked(tmp_path: Path) -> None:
    """A link leads to the file on this machine and its line; one to what is not there leads nowhere."""
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "cart.py").touch()
    out = drawn([ANSWER], root=tmp_path)
    assert f"{(tmp_path / 'shop' / 'cart.py').as_uri()}#5\x1b\\" in out
    assert "]8;" not in drawn([ANSWER], root=tmp_path / "shop")


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        ("a%20b.py#L3-L9", "/a%20b.py#3"),
        ("a b.py", "/a%20b.py"),
        ("a b.py#usage", "/a%20b.py"),
        ("./a b.py#L3", "/a%20b.py#3"),
        ("gone.py#L3", None),
        ("../outside.py", None),
        ("/etc/passwd", None),
        ("#L3", None),
        ("", None),
        ("x\0y", None),
        ("javascript:alert(1)", None),
        ("file:///etc/passwd", None),
        ("https://example.com/x#L3", "https://example.com/x#L3"),
    ],
)
def test_where_links_lead(tmp_path: Path, link: str, expected: str | None) -> None:
    """Within the project or to the web, nowhere else."""
    root = tmp_path / "project"
    root.mkdir()
    (root / "a b.py").touch()
    (tmp_path / "outside.py").touch()
    found = target(link, root)
    assert found.removeprefix(root.as_uri()) == (expected or "")


@pytest.mark.parametrize("size", [1, 9])
def test_a_pipe_gets_markdown(capsys: pytest.CaptureFixture[str], size: int) -> None:
    """As it is, with a line's end behind it; what is about the answer stands beside it."""
    pipe = Pipe(sys.stdout)
    pipe.wait("Reading …")
    for it in cut(ANSWER.replace("\n", "\r\n") + "\x1b[2J\r", size):
        pipe.add(it)
    pipe.end()
    pipe.note("local · m\x1b[2J")
    assert capsys.readouterr() == (ANSWER + "·[2J·\n", "local · m·[2J\n")


def test_an_empty_answer() -> None:
    """Nothing is drawn, and nothing is left of what was waited for."""
    assert seen(drawn([])).strip() == ""
    assert seen(drawn(["", "\n", " "])).strip() == ""
