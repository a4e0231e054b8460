"""`hearth index`, `search`, `map` and `callers`: what they say, and what they say of what makes no sense."""

from __future__ import annotations

import json
import os
import re
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lsp_server.commands import run
from lsp_server.commands.search import best_lines, since_ns

FILES = {
    "pyproject.toml": "",
    ".gitignore": "build/\n",
    "shop/cart.py": "from shop.round import round_up\n\n\nclass Cart:\n    def total_price(self):\n"
    "        return round_up(3)\n",
    "shop/round.py": "def round_up(value):\n    return value + 1\n",
    "shop/main.ts": "export function paint(color: string) { return color; }\n",
    "build/made.py": "def round_up_never():\n    pass\n",
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
    """Type a command in the project's folder: its exit code, what it said, what it complained about."""

    def type_it(*arguments: str, cwd: Path = project) -> tuple[int, str, str]:
        monkeypatch.chdir(cwd)
        monkeypatch.setattr(sys, "argv", ["hearth", *arguments])
        code = run([])
        return code, *capsys.readouterr()

    before = signal.getsignal(signal.SIGINT)  # A command that is over does not listen any more.
    yield type_it
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--path", "*.ts"], {"shop/main.ts"}),
        (["--language", "typescript"], {"shop/main.ts"}),
        (["--language", "TS"], {"shop/main.ts"}),
        (["--kind", "class", "--kind", "function"], {"shop/main.ts", "shop/round.py"}),
        (["--changed-since", "1h"], {".gitignore", "shop/main.ts", "shop/round.py"}),
        (["--changed-since", "2999-01-01"], set()),
        (["--path", "shop/", "--path", "!*.ts"], {"shop/round.py"}),
    ],
)
def test_filters(arguments: list[str], expected: set[str], typed: Typed, project: Path) -> None:
    """Only what is asked for, and a sentence beside the output where that is nothing."""
    (project / "shop" / "cart.py").unlink()
    code, out, err = typed("search", "color value", *arguments)
    assert {it.split(":")[0] for it in re.findall(r"^\S+:\d+", out, re.MULTILINE)} == expected
    assert (code, err) == (0, "" if expected else "hearth: Nothing was found.\n")


def test_callers_and_callees(typed: Typed, project: Path) -> None:
    """Who calls it and what it calls, with how sure that is."""
    assert typed("callers", "round_up")[1] == (
        "shop/round.py:1  def round_up(value)\n"
        "  shop/cart.py:6  Cart.total_price  certain: imported from shop.round\n"
    )
    assert typed("callers", "Cart.total_price", "--callees")[1] == (
        "shop/cart.py:5  def total_price(self)\n"
        "  shop/cart.py:6  round_up (shop/round.py:1)  certain: imported from shop.round\n"
    )
    asked = typed("callers", "round_up", "--path", "round.py", "--json", cwd=project / "shop")
    (edge,) = json.loads(asked[1])["edges"]
    assert (edge["caller"], edge["line"], edge["confidence"]) == ("Cart.total_price", 6, "certain")
    assert typed("callers", "total_price")[::2] == (0, "hearth: Nobody in this project calls it.\n")
    assert typed("callers", "Other.total_price")[0] == 1


def test_the_map(typed: Typed, project: Path) -> None:
    """Within its budget, from a focus, and as who builds on whom."""
    assert typed("map")[1] == (
        "shop/round.py\n  def round_up(value)\n"
        "shop/main.ts\n  export function paint(color: string)\n"
        "shop/cart.py\n  class Cart\n    def total_price(self)\n"
    )
    asked = typed("map", "--tokens", "14", "--focus", "main.ts", "--json", cwd=project / "shop")
    said = json.loads(asked[1])
    assert (said["files"], said["tokens"]) == (["shop/main.ts"], 13)
    assert typed("map", "--dependencies", "--files")[1] == "shop/cart.py -> shop/round.py\n"


def test_why_a_file_is_left_out(typed: Typed, project: Path) -> None:
    """One file, or everything that is left out, each with its reason."""
    (project / ".env").write_text("SECRET=1\n")
    said = typed("index", "why", "shop/round.py", "build/made.py", ".env")[1].splitlines()
    assert said[0] == "shop/round.py is in the index, as python."
    assert "line 1 of .gitignore leaves it out" in said[1]
    assert "secret" in said[2]
    everything = json.loads(typed("index", "why", "--all", "--json")[1])
    assert {"build/", ".env"} <= {it["path"] for it in everything}


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["index", "no-such-folder"], 2, "is no folder"),
        (["index", "status", "no-such-folder"], 2, "is no folder"),
        (["index", "why"], 2, "either files or --all"),
        (["index", "--help"], 0, "verify"),
        (["search", "--root", "no-such-folder", "x"], 2, "is no folder"),
        (["search", "x", "--kind", "thing"], 2, "is none of class"),
        (["search", " "], 2, "it is empty: say what to look for."),
        (["search", "x", "--language", "cobol"], 0, "No file here is in cobol; there are files in"),
        (["search", "x", "--path", "*.cob"], 0, "No file here fits --path *.cob;"),
        (["search", "x", "--changed-since", "soon"], 2, "neither an age"),
        (["callers", "no_such_name"], 1, "hearth: Nothing called no_such_name is defined in this project"),
        (["callers", "round_upp"], 1, "There is: round_up."),
        (["callers", "round_up", "--path", "nowhere.py"], 1, "nowhere.py is not in the index"),
        (["map", "--focus", "nowhere.py"], 1, "nowhere.py is not in the index"),
        (["map", "--focus", "/"], 1, "/ is not in the index"),
        (["index", "verify"], 1, "There is no index yet."),
        (["index", "gc"], 1, "There is no index yet."),
        (["search", "--as-is", "x"], 1, "There is no index yet. hearth index build makes one."),
    ],
)
def test_one_sentence_says_what_is_wrong(arguments: list[str], code: int, says: str, typed: Typed) -> None:
    """Wrong usage and what is not there: a sentence and the right exit code."""
    found, out, err = typed(*arguments)
    assert found == code
    assert says in " ".join(re.sub(r"[│╭╮╰╯─]", " ", out + err).split())


def test_an_empty_folder(typed: Typed, tmp_path: Path) -> None:
    """Nothing to index is no failure; nothing is found in it."""
    empty = tmp_path / "empty"
    empty.mkdir()
    assert typed("index", cwd=empty)[1].startswith("0 files are indexed")
    assert typed("search", "x", cwd=empty) == (0, "", "hearth: Nothing was found.\n")
    said = "hearth: There is nothing to show: no code, or too few tokens for it.\n"
    assert typed("map", cwd=empty) == (0, "", said)
    assert typed("callers", "x", cwd=empty)[0] == 1


def test_a_folder_that_is_gone(typed: Typed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody has removed it under our feet: a sentence."""
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    monkeypatch.setattr(os, "chdir", lambda _: gone.rmdir())
    says = "hearth: The folder you are in is not there any more.\n"
    assert typed("search", "x", cwd=gone) == (1, "", says)


def test_the_users_home_is_no_project(typed: Typed) -> None:
    """Nobody's whole home is indexed because of a question that was asked in the wrong folder."""
    says = "hearth: This folder is no project; go to one, or name its folder.\n"
    assert typed("search", "x", cwd=Path.home()) == (1, "", says)


def test_switched_off(typed: Typed, hearth_home: Path) -> None:
    """The setting holds for the command line, too."""
    (hearth_home / "config").mkdir()
    (hearth_home / "config" / "settings.json").write_text('{"index.enabled": false}')
    code, _, err = typed("search", "x")
    assert (code, "index.enabled is false" in err) == (1, True)
    assert not (hearth_home / "cache" / "index").exists()


@pytest.mark.parametrize(
    ("text", "expected"),
    [("90s", 10), ("1.5m", 10), ("1h", 0), ("1970-01-01T00:00:50+00:00", 50), ("1960-01-01", 0)],
)
def test_ages_and_dates(text: str, expected: int) -> None:
    """So long before now, or since a date."""
    assert since_ns(text, 100.0) == expected * 1_000_000_000


def test_dates_that_are_too_far_away() -> None:
    """Never out of what the index can compare with."""
    assert since_ns("2999-01-01", 100.0) == (1 << 63) - 1


def test_the_lines_that_are_shown() -> None:
    """Those with the most of the words, in their order; without any, the first that say something."""
    lines = ["", "def parse(text):", "    text = 1", "    other = 2", "    parse(text, other)"]
    assert best_lines(lines, ["parse", "text"], 2) == [1, 4]
    assert best_lines(lines, ["nothing"], 2) == [1, 2]
    assert best_lines([], ["x"]) == []
