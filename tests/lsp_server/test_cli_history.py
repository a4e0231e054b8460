"""`hearth history`: what was talked about is found, read, exported, deleted, or a sentence says why not."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from chat.conversation import Conversation, Turn
from chat.history import History, located
from lsp_server.commands import run
from models import paths

SHOWN = "It is in [cart](shop/cart.py#L5).\n\n```python\nreturn 3\n```"
Typed = Callable[..., tuple[int, str, str]]


@pytest.fixture
def typed(
    hearth_home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Typed:
    """Type a command in some folder: its exit code, what it said, what it complained about."""
    monkeypatch.chdir(tmp_path)

    def type_it(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["hearth", "history", *arguments])
        code = run([])
        return code, *capsys.readouterr()

    return type_it


def keep(identity: str, title: str, root: str = "/elsewhere", asked: str = "How is it made?") -> None:
    """A conversation of one question."""
    turn = Turn(id=f"t-{identity}", at=1_700_000_000.0, asked=asked, shown=SHOWN, is_whole=True)
    History(located(paths.data_dir())).keep(Conversation(id=identity, title=title, root=root), [turn])


def test_nothing_is_kept(typed: Typed) -> None:
    """One sentence, and no failure."""
    assert typed() == (0, "", "hearth: No conversation is kept; hearth chat begins one.\n")
    assert typed("list", "--json")[:2] == (0, "[]\n")
    assert typed("search", "total") == (0, "", "hearth: No conversation has all of these words.\n")
    assert typed("delete", "--all") == (0, "Deleted 0 conversations.\n", "")
    assert typed("show", "abc")[0] == 1


def test_the_list(typed: Typed, tmp_path: Path) -> None:
    """The latest first, each with its id's beginning, its name and its folder; or those of this project."""
    keep("aaaa11112222", "Prices \x1b[2J")
    keep("bbbb11112222", "", root=str(tmp_path.resolve()))
    code, out, err = typed()
    first, second = out.splitlines()
    assert (code, err) == (0, "")
    assert first.startswith("bbbb1111  20")
    assert first.endswith(f"  (no name)  1 question  {tmp_path.resolve()}")
    assert second.endswith("  Prices ·[2J  1 question  /elsewhere")
    assert typed("list", "--here")[1].splitlines() == [first]
    assert typed("list", "-n", "1")[1].splitlines() == [first]
    (said,) = json.loads(typed("list", "--json", "-n", "1")[1])
    assert (said["id"], said["turns"]) == ("bbbb11112222", 1)


def test_words_are_found(typed: Typed) -> None:
    """In questions and answers, with what stands around them."""
    keep("aaaa11112222", "One", asked="How are taxes rounded?")
    keep("bbbb11112222", "Two")
    out = typed("search", "taxes", "roun")[1].splitlines()
    assert out[0].startswith("aaaa1111  ")
    assert out[1] == "  How are taxes rounded?"
    (said,) = json.loads(typed("search", "taxes", "--json")[1])
    assert said["conversation"]["id"] == "aaaa11112222"


def test_it_is_read_and_exported(typed: Typed) -> None:
    """As Markdown or as JSON; the beginning of an id is enough if no other has it."""
    keep("aaaa11112222", "One")
    keep("aaab11112222", "Two")
    code, out, _ = typed("show", "aaaa")
    assert code == 0
    assert f"> How is it made?\n\n{SHOWN}\n" in out
    assert typed("export", "aaaa")[1] == out
    assert json.loads(typed("export", "aaaa", "--as", "json")[1])["title"] == "One"
    assert typed("show", "aaaa", "--json")[1] == typed("export", "aaaa", "--as", "json")[1]
    several = "hearth: 2 conversations begin with aaa; some more of its id tells which.\n"
    assert typed("show", "aaa") == (1, "", several)
    nobody = "hearth: There is no conversation %; hearth history list shows what there is.\n"
    assert typed("show", "%") == (1, "", nobody)


def test_it_is_renamed(typed: Typed) -> None:
    """Its name in the list is the new one."""
    keep("aaaa11112222", "One")
    assert typed("rename", "aaaa", "Taxes ", "and  prices") == (0, "", "")
    assert "  Taxes and prices  " in typed()[1]
    assert typed("rename", "aaaa", " ")[0] == 2
    assert typed("rename", "zzzz", "x")[0] == 1


def test_it_is_deleted(typed: Typed) -> None:
    """Those that are named, or all; if one of them is not there, none is."""
    for it in ("aaaa", "bbbb", "cccc", "dddd"):
        keep(f"{it}11112222", it)
    assert typed("delete", "aaaa", "zzzz")[0] == 1
    assert len(typed()[1].splitlines()) == 4
    assert typed("delete", "aaaa", "bbbb", "aaaa1") == (0, "Deleted 2 conversations.\n", "")
    assert typed("delete")[0] == typed("delete", "cccc", "--all")[0] == 2
    assert typed("delete", "--all") == (0, "Deleted 2 conversations.\n", "")
    assert typed()[1] == ""


def test_a_damaged_history(typed: Typed) -> None:
    """It is put aside, one sentence says where, and there is a history again."""
    located(paths.data_dir()).write_bytes(b"no database at all, but long enough to look like one" * 100)
    code, out, err = typed()
    assert (code, out) == (0, "")
    assert "hearth: The history was damaged; it is kept as " in err
    keep("aaaa11112222", "One")
    assert typed()[1].startswith("aaaa1111")


def test_a_history_that_cannot_be_read(typed: Typed) -> None:
    """A folder where the file should be: one sentence, and exit code 1."""
    located(paths.data_dir()).mkdir()
    code, out, err = typed()
    assert (code, out) == (1, "")
    assert err.startswith("hearth: The history in ")
    assert err.count("\n") == 1
