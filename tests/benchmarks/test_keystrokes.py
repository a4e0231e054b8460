"""The whole benchmark with the bundled model: a few keys through the real server, and numbers that agree."""

from __future__ import annotations

import json
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from benchmarks.keystrokes.__main__ import main

pytestmark = pytest.mark.e2e

CODE = '''def area(width, height):
    """The area of a rectangle."""
    return width * height


def volume(width, height, depth):
    return area(width, height) * depth


def perimeter(width, height):
    return 2 * (width + height)
'''
FOLLOW = ("--follow", "1", "--accept", "1")
TINY = ("--model", "starter", "--tokens", "4", "--context", "512", "--rounds", "2", "--rhythm", "0")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A file to type in."""
    path = tmp_path / "shapes.py"
    path.write_text(CODE)
    return path


def samples(data: dict[str, Any], way: str) -> list[dict[str, Any]]:
    """All keystrokes of one way, the first one of the document among them."""
    found = data["closed_loop"][way]
    return [*found["first"], *found["samples"]]


def test_a_short_closed_loop(source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every key has its answer and its source; tokens, memory and the table are there, and agree."""
    out, picture = tmp_path / "out.json", tmp_path / "out.svg"
    wanted = ("--lines", "7:7", "--keys", "14", "--jumps", "1", *FOLLOW, "--peers", "bare")
    assert main([*TINY, "--file", str(source), *wanted, "--json", str(out), "--plot", str(picture)]) == 0
    data = json.loads(out.read_text())
    hearth = data["closed_loop"]["Hearth"]
    keys = samples(data, "Hearth")
    assert len(keys) == 14
    assert all(0 < it["ms"] for it in keys)
    assert hearth["summary"]["keys"] == len(hearth["samples"]) == 13
    assert sum(hearth["summary"]["sources"].values()) == 13
    for it in keys:
        if it["new"] is not None and it["prompt"] is not None:
            assert 0 <= it["new"] <= it["prompt"]
        if it["source"] == "cache":
            assert it["shown"]
    answered = [it for it in keys if it["new"] is not None]
    assert answered, "the engine was never asked"
    assert sum(it["new"] for it in answered) <= hearth["evaluated"]
    assert all(0 < it for it in hearth["memory_mb"].values())
    assert set(hearth["memory_mb"]) == {"server", "engine"}
    bare = samples(data, "5 bare decode steps")
    assert len(bare) == 14
    assert data["not_run"]["llama-server /infill"]
    assert len(data["jumps"]["at_once"]["Hearth"]) == 1
    text = capsys.readouterr().out
    assert "| Hearth |" in text
    assert "not run: no --llama-server" in text
    assert ET.parse(picture).getroot().tag.endswith("svg")


def test_a_commit_can_be_typed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The lines that a commit added are the trace; nothing else is typed."""

    def git(*arguments: str) -> None:
        who = ("-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false")
        subprocess.run(("git", "-C", str(tmp_path), *who, *arguments), check=True, capture_output=True)

    git("init", "-q")
    (tmp_path / "shapes.py").write_text(CODE)
    git("add", "shapes.py")
    git("commit", "-qm", "one")
    (tmp_path / "shapes.py").write_text(CODE.replace("2 *", "2.0 *"))
    git("commit", "-qam", "two")
    alone = ("--peers", "", "--jumps", "0", "--follow", "0", "--accept", "0", "--keys", "8")
    out = tmp_path / "out.json"
    where = ("--commit", "HEAD", "--repository", str(tmp_path))
    assert main([*TINY, *where, *alone, "--json", str(out)]) == 0
    assert (
        len(samples(json.loads(out.read_text()), "Hearth")) == 7
    )  # One of the eight only removes the old line.
    assert "7 keys in shapes.py" in capsys.readouterr().out


def test_a_trace_that_cannot_be_is_one_sentence(source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Lines that the file does not have are said, before anything is started."""
    assert main([*TINY, "--file", str(source), "--lines", "90:99"]) == 2
    assert "90:99 are not among them" in capsys.readouterr().err


def test_it_can_be_started_by_its_name() -> None:
    """`python -m benchmarks.keystrokes` is how people run it."""
    command = (sys.executable, "-m", "benchmarks.keystrokes", "--help")
    said = subprocess.run(command, check=True, capture_output=True, encoding="utf-8").stdout
    assert "--llama-server" in said
