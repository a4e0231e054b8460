"""What holds across the packages: no source text in logs, no settings from a repository, no words to others.

The invariants of ARCHITECTURE.md that live in one package are tested there.
"""

from __future__ import annotations

import json
import logging
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from completion import SuggestionCache, complete, decide, spot_at
from lsp_server import resolve, settings, wiring
from models.errors import BackendError
from tests.completion.fixtures import CONFIG, reach
from tests.harness import MODEL, Answer, scripted

SECRET = "swordfish_4711"  # Stands for the user's code, before and behind the cursor and in the answer.
PLANTED = {
    "settings.json": {"model": f"/{SECRET}.gguf", "hearth": {"model": f"/{SECRET}.gguf"}, "cloud": True},
    ".hearth/settings.json": {"model": f"/{SECRET}.gguf", "cloud": True},
    ".hearth.json": {"model": f"/{SECRET}.gguf"},
    ".vscode/settings.json": {"hearth.model": f"/{SECRET}.gguf", "hearth.cloud": True},
    "config/settings.json": {"model": f"/{SECRET}.gguf"},
    "hearth/settings.json": {"model": f"/{SECRET}.gguf"},
}


@pytest.mark.parametrize(
    "answer",
    [
        Answer(text=f"{SECRET}_more"),
        Answer(text=SECRET, dropped=True),
        Answer(text=SECRET, problem="out of memory"),
        Answer(status=500, problem="broken"),
    ],
    ids=["all is well", "the engine dies", "the engine gives up", "the engine refuses"],
)
async def test_no_source_text_is_logged(answer: Answer, caplog: pytest.LogCaptureFixture) -> None:
    """I9: whatever happens on the way to a suggestion, no log above DEBUG holds a word of the user's code."""
    text = f"{SECRET} = 1\nprint()\n{SECRET}.close()\n"
    spot = spot_at(
        text, text.index("()") + 1, path=f"/home/you/{SECRET}/a.py", language="python", config=CONFIG
    )
    trigger = decide(spot, explicit=True, previous=None, config=CONFIG)
    with caplog.at_level(logging.DEBUG):
        try:
            await complete(reach(scripted(answer)), SuggestionCache(), spot, trigger, CONFIG, MODEL)
        except BackendError as error:
            logging.getLogger(__name__).warning("degraded: %s", error)  # as the server does
    loud = [it.getMessage() + (it.exc_text or "") for it in caplog.records if logging.DEBUG < it.levelno]
    assert [it for it in loud if SECRET in it] == []


def test_a_repository_cannot_change_a_setting(
    tmp_path: Path, hearth_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """I8: no file that lies in a repository, under whatever likely name, is taken for settings."""
    for name, content in PLANTED.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content))
    monkeypatch.chdir(tmp_path)
    assert wiring.Workbench().settings == settings.Settings()
    assert resolve.settings_file().is_relative_to(hearth_home)


def test_tests_reach_no_network() -> None:
    """The guard in conftest.py stands: neither a name nor an address outside this machine can be reached."""
    for attempt in (lambda: socket.getaddrinfo("example.org", 80), lambda: connect("192.0.2.1")):
        with pytest.raises(PermissionError, match="tests use no network"):
            attempt()


@pytest.mark.e2e
def test_a_completion_leaves_no_source_text_behind(tmp_path: Path, hearth_home: Path) -> None:
    """I9, I14: a real completion leaves no source text in Hearth's files, and the user's as they were."""
    code = tmp_path / "code.py"
    text = f"{SECRET} = [1, 2, 3]\nfor it in {SECRET}"
    code.write_text(text)
    environment = {**os.environ, "HEARTH_HOME": str(hearth_home)}
    command = [sys.executable, "-m", "lsp_server.cli", "complete", "--json", f"{code}:2"]
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False, cwd=tmp_path, timeout=120
    )
    assert done.returncode == 0, done.stderr
    kept = [it for it in hearth_home.rglob("*") if it.is_file()]
    assert [it for it in kept if SECRET.encode() in it.read_bytes()] == []
    assert SECRET not in done.stderr
    assert code.read_text() == text
    assert list(tmp_path.iterdir()) == [code]


def connect(address: str) -> None:
    with socket.socket() as it:
        it.connect((address, 80))
