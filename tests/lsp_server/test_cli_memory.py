"""`hearth memory`, and what `hearth complete` says of it: made, looked at, used, deleted."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lsp_server.commands import run

REST = 'encoding="utf-8") as settings_file:'
CODE = f"import json\n\n\ndef load(settings_path):\n    with open(settings_path, {REST}\n        pass\n"
ASKING = "import json\n\n\ndef load(settings_path):\n    with open(settings_path, "

Hearth = Callable[..., tuple[int, str, str]]


@pytest.fixture
def hearth(hearth_home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Hearth:
    """Run the command line here: its exit code, what it said, what it complained about."""
    (hearth_home / "config").mkdir()
    (hearth_home / "config" / "settings.json").write_text('{"memory.dependencies": false}')

    def typed(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["hearth", *arguments])
        code = run([])
        return code, *capsys.readouterr()

    return typed


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project that says where it begins."""
    folder = tmp_path / "project"
    (folder / "src").mkdir(parents=True)
    (folder / "pyproject.toml").touch()
    (folder / "src" / "b.py").write_text(CODE)
    (folder / "src" / "a.py").write_text(ASKING)
    return folder


def completed(hearth: Hearth, place: Path) -> dict[str, Any]:
    code, out, err = hearth("complete", "--json", "--model", "nobody", f"{place}:5")
    assert code == 0, err
    found: dict[str, Any] = json.loads(out)
    return found


def test_a_life(hearth: Hearth, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing, built, known, used by `hearth complete` without a model, forgotten."""
    monkeypatch.chdir(project / "src")
    code, out, _ = hearth("memory", "status")
    assert (code, "Nothing of" in out) == (0, True)
    code, out, _ = hearth("memory", "build")
    assert (code, out) == (0, "3 files were new or had changed.\n")
    found = json.loads(hearth("memory", "status", "--json")[1])
    assert (found["root"], found["project"]["files"]) == (str(project), 3)
    assert (found["dependencies"]["files"], found["problems"]) == (0, [])
    assert "3 files" in hearth("memory", "status", str(project))[1]
    asked = completed(hearth, project / "src" / "a.py")
    assert (asked["suggestion"], asked["source"], asked["cached"]) == (REST, "memory", False)
    assert asked["origin"] == {"path": "src/b.py", "line": 5}
    assert (asked["memory"]["root"], asked["memory"]["read"]) == (str(project), 0)
    assert "Forgot" in hearth("memory", "forget")[1]
    assert not Path(found["folder"]).exists()
    assert json.loads(hearth("memory", "status", "--json")[1])["generation"] == 0


def test_a_project_that_nobody_has_read(hearth: Hearth, project: Path, hearth_home: Path) -> None:
    """`hearth complete` reads it by itself, says so, and keeps nothing of it."""
    asked = completed(hearth, project / "src" / "a.py")
    assert (asked["suggestion"], asked["source"]) == (REST, "memory")
    assert (asked["memory"]["read"], asked["memory"]["state"]) == (3, "ready")
    assert [it for it in (hearth_home / "cache").rglob("*") if it.is_file()] == []


def test_forgetting_everything(hearth: Hearth, project: Path, hearth_home: Path) -> None:
    """One project, or all; not both at once."""
    hearth("memory", "build", str(project))
    assert hearth("memory", "forget", "--all", str(project))[0] == 2
    assert hearth("memory", "forget", "--all")[0] == 0
    assert not (hearth_home / "cache" / "memory").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["memory"], 2, "Usage"),
        (["memory", "--help"], 0, "forget"),
        (["memory", "status", "no-such-folder"], 2, "is no folder"),
        (["memory", "build", "no-such-folder"], 2, "is no folder"),
    ],
)
def test_exit_codes(arguments: list[str], code: int, says: str, hearth: Hearth) -> None:
    """Wrong usage is said in one sentence, and never as a traceback."""
    found, out, err = hearth(*arguments)
    assert found == code
    assert says in " ".join((out + err).split())
    assert "Traceback" not in out + err


def test_switched_off(hearth: Hearth, project: Path, hearth_home: Path) -> None:
    """Nothing is built or used, and the doctor says so."""
    (hearth_home / "config" / "settings.json").write_text('{"memory.enabled": false}')
    code, _, err = hearth("memory", "build", str(project))
    assert (code, "memory.enabled is false" in err) == (1, True)
    assert hearth("complete", "--json", "--model", "nobody", f"{project / 'src' / 'a.py'}:5")[0] == 3
    assert "switched off" in hearth("doctor", "--model", "nobody")[1]
