"""The command line: what is typed is understood, or one sentence says why not, with the right exit code."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lsp_server import cli
from lsp_server.commands import doctor, run
from lsp_server.commands.complete import Target, language_of, parse
from models.version import VERSION
from tests.e2e.scripted_engine import ScriptedEngine

MARK = "‸"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a.py:3:4", Target(path="a.py", line=3, column=4)),
        ("a.py:3", Target(path="a.py", line=3)),
        ("C:\\code\\a.py:3", Target(path="C:\\code\\a.py", line=3)),
        ("C:/code/a.py:3:4", Target(path="C:/code/a.py", line=3, column=4)),
        ("a:1:2:3", Target(path="a:1", line=2, column=3)),
        ("with space.py:1:1", Target(path="with space.py", line=1, column=1)),
        ("a.py", None),
        ("C:\\code\\a.py", None),
        ("a.py:0", None),
        ("a.py:1:0", None),
        ("a.py:x", None),
        (":3", None),
        ("", None),
    ],
)
def test_places(text: str, expected: Target | None) -> None:
    """FILE:LINE:COL as compilers write it, drive letters included."""
    assert parse(text) == expected


def test_languages_are_called_as_editors_call_them() -> None:
    """The rules and the model see the same name, whoever asks."""
    names = ("x.py", "x.TSX", "lib.rs", "Makefile", "x.c", ".bashrc", "dir.d/x.go")
    assert [language_of(it) for it in names] == [
        *("python", "typescriptreact", "rust", "plaintext", "c", "plaintext", "go")
    ]


def hearth(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """Run the command line here; its exit code."""
    monkeypatch.setattr(sys, "argv", ["hearth", *arguments])
    return run([])


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["--version"], 0, f"hearth {VERSION}"),
        (["--help"], 0, "Exit codes"),
        (["complete", "--help"], 0, "FILE:LINE:COL"),
        ([], 2, "Usage"),
        (["dance"], 2, "No such command"),
        (["complete", "x.py"], 2, "is not FILE:LINE"),
        (["complete", "no-such-file.py:1"], 1, "hearth: no-such-file.py: No such file or directory."),
        (["complete", f"{__file__}:1", "--model", "nobody"], 3, "hearth: No model is called 'nobody'"),
        (["engine", "--model", "/no/such.gguf"], 3, "hearth: There is no model file at"),
        (["status"], 3, "No engine is running"),
        (["status", "--json"], 3, "null"),
    ],
)
def test_exit_codes(
    arguments: list[str],
    code: int,
    says: str,
    hearth_home: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Done, failed, wrong usage, no model or engine; a sentence each, and never a traceback."""
    assert hearth(monkeypatch, *arguments) == code
    out, err = capsys.readouterr()
    assert says in " ".join((out + err).split())
    assert "Traceback" not in out + err


def test_a_bug_is_one_sentence(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """People get a sentence; the traceback is there for who asks."""
    monkeypatch.setattr(doctor, "CHECKS", [lambda model: 1 / 0])
    assert hearth(monkeypatch, "doctor") == 1
    assert capsys.readouterr().err == (
        "hearth: This is a bug: ZeroDivisionError: division by zero. HEARTH_DEBUG=1 shows where.\n"
    )
    monkeypatch.setenv("HEARTH_DEBUG", "1")
    with pytest.raises(ZeroDivisionError):
        hearth(monkeypatch, "doctor")


def test_interrupted(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Ctrl-C is quiet."""

    def check(model: str | None) -> list[Any]:
        raise KeyboardInterrupt

    monkeypatch.setattr(doctor, "CHECKS", [check])
    assert hearth(monkeypatch, "doctor") == 130
    assert capsys.readouterr().err == ""


def test_the_doctor(
    hearth_home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is wrong is named with its remedy, and the exit code says that something is."""
    (hearth_home / "config").mkdir()
    (hearth_home / "config" / "settings.json").write_text('{"completion": {"maxLines": "many"}}')
    (hearth_home / "broken.gguf").write_bytes(b"<html>")
    monkeypatch.setattr(doctor, "SHADOWED", [])
    assert hearth(monkeypatch, "doctor", "--json", "--model", str(hearth_home / "broken.gguf")) == 1
    findings = json.loads(capsys.readouterr().out)
    states = {(it["what"], it["state"]) for it in findings}
    assert {("python", "good"), ("llama.cpp", "good"), ("folders", "good"), ("settings", "bad")} <= states
    bad = {it["what"]: it for it in findings if it["state"] == "bad"}
    assert "maxLines" in bad["settings"]["says"]
    assert all(it["advice"] for it in bad.values())
    assert any(it["says"].endswith("is no GGUF file") for it in findings)


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("raise SystemExit(1)", "cannot be imported"),
        ("import os; os.kill(os.getpid(), 4)", "crashes (signal 4)"),
    ],
)
def test_the_doctor_survives_a_broken_llama(
    script: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A build for another processor dies of an illegal instruction; the doctor says so."""
    monkeypatch.setattr(doctor, "TRY_LLAMA", script)
    (finding,) = doctor.check_llama(None)
    assert finding.state == "bad"
    assert says in finding.says


def test_other_peoples_packages_do_not_get_in_the_way(tmp_path: Path) -> None:
    """A project with a folder called models, found first on Python's path, is not taken for ours."""
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "__init__.py").write_text("raise RuntimeError('not ours')")
    (tmp_path / "chat.py").write_text("raise RuntimeError('not ours')")
    done = subprocess.run(
        [sys.executable, "-m", "lsp_server.cli", "--version"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, f"hearth {VERSION}\n", "")


def test_what_is_ours_is_left_as_it_is() -> None:
    """Nothing is rearranged where nothing is in the way."""
    before = list(sys.path)
    assert cli.put_ours_first() == []
    assert sys.path == before


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo terminal")
def test_typed_by_hand_the_server_says_what_it_is_for() -> None:
    """Three lines and a way out, instead of a cursor that waits for ever."""
    import pty

    ours, theirs = pty.openpty()
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "lsp_server.cli", "lsp"],
            stdin=theirs,
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        os.close(ours)
        os.close(theirs)
    assert done.returncode == 2
    assert done.stdout == ""
    assert "started by your editor" in done.stderr
    assert done.stderr.count("\n") == 3


async def completed(home: Path, marked: str, *arguments: str) -> tuple[int, str]:
    """Run `hearth complete` at the mark; exit code and output."""
    before = marked.partition(MARK)[0]
    line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
    (home / "sample.py").write_bytes(marked.replace(MARK, "").encode())
    (home / "m.gguf").write_bytes(b"GGUF")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "lsp_server.cli", "complete", f"sample.py:{line}:{column}"),
        *("--model", "m.gguf", *arguments),
        cwd=home,
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode()


@pytest.mark.e2e
async def test_complete_shows_what_the_editor_would(hearth_home: Path) -> None:
    """The ghost text stands in its place, between what is there."""
    async with ScriptedEngine(hearth_home, "a + b"):
        marked = "# 😀\r\ndef add(a, b):\r\n    return ‸\r\n\r\nx = 1"
        code, out = await completed(hearth_home, marked)
    assert code == 0
    assert "def add(a, b):\n    return a + b\n\nx = 1\n" in out
    assert "95% sure" in out


@pytest.mark.e2e
async def test_complete_for_programs(hearth_home: Path) -> None:
    """Everything there is to know about the suggestion, or why there is none."""
    async with ScriptedEngine(hearth_home, "a + b"):
        code, out = await completed(hearth_home, "def add(a, b):\n    return ‸\n", "--json")
        said = json.loads(out)
        assert (code, said["suggestion"], said["trigger"], said["source"]) == (0, "a + b", "line", "model")
        assert 0.9 < said["confidence"] < 1
        assert {"prompt_tokens", "cached_tokens", "ms", "first_ms", "reason"} <= said.keys()
        code, out = await completed(hearth_home, "x = 1;‸ y\n", "--json", "--auto")
        said = json.loads(out)
        assert (code, said["suggestion"], said["trigger"], said["reason"]) == (
            0,
            "",
            "none",
            "text_after_cursor",
        )


@pytest.mark.e2e
async def test_complete_shows_no_more_than_a_terminal_can_bear(hearth_home: Path) -> None:
    """A line of a megabyte is cut around the cursor, and what would command the terminal is not passed on."""
    async with ScriptedEngine(hearth_home, "a + b"):
        code, out = await completed(hearth_home, "x" * 1_000_000 + "\x1b[2J\x9b2J = ‸\n")
    assert code == 0
    assert "·[2J·2J = a + b\n" in out
    assert len(out) < 10_000


@pytest.mark.parametrize(
    ("sent", "code", "says"),
    [
        (b"", 1, ""),
        (b"hello\n", 1, ""),
        (b"GET / HTTP/1.1\r\n\r\n", 2, "hearth: this is no language client: a message has no length.\n"),
        (b"\0" * 20_000, 2, "hearth: this is no language client: the header never ends.\n"),
    ],
)
def test_what_is_no_editor_is_told_so(sent: bytes, code: int, says: str) -> None:
    """A file or another program at the other end of the pipe: a sentence, and the end."""
    done = subprocess.run(
        [sys.executable, "-P", "-m", "lsp_server.cli", "lsp"], input=sent, capture_output=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr.decode()) == (code, b"", says)


def test_a_terminal_without_unicode(hearth_home: Path) -> None:
    """What it cannot show is replaced; what is good and what is bad can still be told apart."""
    done = subprocess.run(
        [sys.executable, "-P", "-m", "lsp_server.cli", "doctor", "--model", "mödel"],
        env={**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"},
        capture_output=True,
        check=False,
    )
    out = done.stdout.decode("ascii")
    assert done.returncode == 1
    assert "ok python:" in out
    assert "!! model: No model is called 'm?del'" in out
