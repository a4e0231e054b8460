"""`hearth notes`: noted, listed, changed and removed, each for the project it is about."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.lsp_server.test_cli import hearth


def ran(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str
) -> tuple[int, str, str]:
    """The exit code, the output and what was said beside it."""
    code = hearth(monkeypatch, "notes", *arguments)
    said = capsys.readouterr()
    return code, said.out, said.err


def test_from_the_first_note_to_the_last(
    hearth_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """By their numbers; another project has none of them."""
    (tmp_path / "one" / "sub").mkdir(parents=True)
    (tmp_path / "one" / "pyproject.toml").touch()
    monkeypatch.chdir(tmp_path / "one" / "sub")
    assert ran(monkeypatch, capsys)[2].startswith("hearth: Nothing is noted about this project;")
    assert ran(monkeypatch, capsys, "add", "tests", "run with", "make") == (0, "Noted as 1.\n", "")
    assert ran(monkeypatch, capsys, "add", "b\x1b[31m")[:2] == (0, "Noted as 2.\n")
    assert ran(monkeypatch, capsys, "list")[:2] == (0, "  1  tests run with make\n  2  b·[31m\n")
    assert ran(monkeypatch, capsys, "edit", "1", "no tests")[:2] == (0, "Changed note 1.\n")
    assert ran(monkeypatch, capsys, "remove", "2")[:2] == (0, "Removed: b·[31m\n")
    said = json.loads(ran(monkeypatch, capsys, "list", "--json")[1])
    assert said["root"] == str((tmp_path / "one").resolve())
    assert [(it["id"], it["text"]) for it in said["notes"]] == [(1, "no tests")]
    assert json.loads(ran(monkeypatch, capsys, "list", "--json", "--root", str(tmp_path))[1])["notes"] == []


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("add", " "), 1, "hearth: There is nothing to note: the text is empty.\n"),
        (("add", "x" * 501), 1, "hearth: A note has at most 500 characters, this has 501.\n"),
        (("edit", "7", "x"), 1, "hearth: There is no note 7.\n"),
        (("remove", "7"), 1, "hearth: There is no note 7.\n"),
        (("remove", "x"), 2, "hearth notes remove"),
        (("list", "--root", "/no/such/folder"), 2, "is no folder"),
    ],
)
def test_what_cannot_be_done(
    hearth_home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    code: int,
    says: str,
) -> None:
    """One sentence and the right exit code."""
    monkeypatch.chdir(tmp_path)
    found = ran(monkeypatch, capsys, *arguments)
    assert found[0] == code
    assert says in found[2]
