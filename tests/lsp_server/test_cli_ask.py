"""`hearth ask`: what makes no sense is one sentence, whoever would have answered."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from chat.act_types import Outcome
from chat.edits_types import Edit, NewFile, Source
from lsp_server.commands import run
from lsp_server.commands.said import Said, changes, patch
from lsp_server.commands.subjects import parse

FILES = {
    "pyproject.toml": "",
    "shop/cart.py": '"""Carts."""\n\nfrom shop.round import round_up\n\n\nclass Cart:\n'
    '    """What somebody wants to buy."""\n\n    def total_price(self, taxes: float = 0.2) -> int:\n'
    "        return round_up(3 * (1 + taxes))\n",
    "shop/round.py": '"""Rounding."""\n\n\ndef round_up(value: float) -> int:\n'
    '    """The next whole number."""\n    return int(value) + 1\n',
    ".env": "API_TOKEN=swordfish\n",
}
Typed = Callable[..., tuple[int, str, str]]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project outside of any git repository."""
    folder = tmp_path / "project"
    for path, text in FILES.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return folder


@pytest.fixture
def typed(
    hearth_home: Path, project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Typed]:
    """Type a question in the project's folder: its exit code, what it said, what it complained about."""
    monkeypatch.chdir(project)

    def type_it(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["hearth", "ask", *arguments])
        code = run([])
        return code, *capsys.readouterr()

    before = signal.getsignal(signal.SIGINT)
    yield type_it
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        ((" ",), 2, "it is empty"),
        (("x", "--task", "sing"), 2, "'sing' is none of ask, "),
        (("x", "--file", "gone.py"), 1, "There is no file gone.py in "),
        (("x", "--file", "../outside.py"), 1, "There is no file ../outside.py in "),
        (("x", "--file", "shop/round.py:99"), 1, "shop/round.py has 6 lines, none 99."),
        (("x", "--file", ".env"), 1, ".env is not read: it is ignored, or may hold secrets"),
        (("/sing aloud",), 1, "There is no command /sing; there are /fix, "),
        (("/explain",), 1, "Say what it is about: --file FILE:LINE, or its name"),
        (("/explain nothing_of_that_name",), 1, "Nothing here is called nothing_of_that_name."),
        (("x", "--root", "nowhere"), 2, "nowhere"),
    ],
)
def test_what_makes_no_sense(typed: Typed, arguments: tuple[str, ...], code: int, says: str) -> None:
    """One sentence, nothing on the standard output, and an exit code that says whose fault it is."""
    found, out, err = typed(*arguments)
    assert (found, out) == (code, "")
    assert says in " ".join(err.split())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a.py", ("a.py", 0, 0)),
        ("a.py:3", ("a.py", 3, 3)),
        ("a.py:3-9", ("a.py", 3, 9)),
        ("a.py:3:9", ("a.py", 3, 9)),
        ("a.py#L3-L9", ("a.py", 3, 9)),
        ("a.py:9-3", ("a.py", 9, 9)),
        ("a.py:0", ("a.py:0", 0, 0)),
        ("C:\\a.py:3", ("C:\\a.py", 3, 3)),
        (":3", (":3", 0, 0)),
        ("", ("", 0, 0)),
    ],
)
def test_lines_of_a_file(text: str, expected: tuple[str, int, int]) -> None:
    """As compilers, forges and people write them."""
    assert parse(text) == expected


def test_a_patch_has_the_lines_as_they_are() -> None:
    """Only a line feed ends a line; a last one without it is marked; the fence is longer than any within."""
    text = patch("a.md", "one\x0c1\u2028\n```\nend", "one\x0c2\u2028\n```\nend")
    assert text == (
        "````diff\n--- a/a.md\n+++ b/a.md\n@@ -1,3 +1,3 @@\n-one\x0c1\u2028\n+one\x0c2\u2028\n ```\n"
        " end\n\\ No newline at end of file\n````"
    )


def test_what_is_unsure_stands_apart() -> None:
    """First the changes that are certain, then those to be looked at, on top of them."""
    source = Source(path="a.py", text="one\ntwo\n", version=None, language="python")
    first, second = (
        Edit(path="a.py", version=None, start=0, end=4, new_text="1\n", says=""),
        Edit(path="a.py", version=None, start=4, end=8, new_text="2\n", says=""),
    )
    outcome = Outcome(
        command="rename",
        title="Rename",
        edits=(first,),
        unsure=(second,),
        files=(NewFile(path="b.py", text="new\n"),),
        sources={"a.py": source},
    )
    sure, new, says, unsure, last = changes(outcome).split("\n\n")
    assert "-one\n+1\n two\n" in sure
    assert "--- /dev/null\n+++ b/b.py\n" in new
    assert says == "These may be meant as well; look at each of them:"
    assert " 1\n-two\n+2\n" in unsure
    assert last.startswith("Nothing was changed")


def test_the_line_below_an_answer() -> None:
    """Who, why, what is to be known; only what there is."""
    assert Said(answer="").line == "extractive"
    said = Said(answer="", tier="local", server="m", reason="You asked.", note="For pytest.", is_stopped=True)
    assert said.line == "local · m · You asked. · For pytest. · stopped"
