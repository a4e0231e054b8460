"""The writer as a process of its own: how it ends, who may write, what it does in idle."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from benchmarks.index_client import ROOT
from codeindex.lease import take
from codeindex.store import Reader, open_reader, store_folder
from codeindex.write import BUSY, CANNOT
from codeindex.write_idle import common_folder, siblings_of
from tests.codeindex.git import git, make, needs_git
from tests.codeindex.models import write_table

PATIENCE_S = 60.0
CODE: dict[str, str | bytes] = {
    f"f{it}.py": f"def open_{it}():\n    read_file({it})\n    sort_list()\n" for it in range(9)
}


class Writer:
    """The process, and what it says."""

    def __init__(self, root: Path, cache: Path, options: Mapping[str, Any]) -> None:
        command = [
            sys.executable,
            "-P",
            "-m",
            "codeindex",
            "write",
            "--root",
            str(root),
            "--cache",
            str(cache),
        ]
        self.process = subprocess.Popen(
            [*command, "--options", json.dumps(options)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        self.said: list[Mapping[str, Any]] = []
        self._news = threading.Condition()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def tell(self, method: str, **params: object) -> None:
        """A line."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"method": method, "params": params}).encode() + b"\n")
        self.process.stdin.flush()

    def until(self, fits: Callable[[list[Mapping[str, Any]]], bool]) -> None:
        """Wait until what it has said fits."""
        with self._news:
            assert self._news.wait_for(lambda: fits(self.said), PATIENCE_S), self.said

    def close(self) -> int:
        """The exit code."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        code = self.process.wait(PATIENCE_S)
        self._thread.join()
        self.process.stdout.close()
        return code

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._news:
                self.said.append(json.loads(line))
                self._news.notify_all()


def ready(said: list[Mapping[str, Any]]) -> bool:
    """Whether everything is indexed."""
    return bool(said) and said[-1].get("state") == "ready"


@pytest.fixture
def places(tmp_path: Path) -> tuple[Path, Path]:
    """A project and a cache."""
    return make(tmp_path / "project", CODE), tmp_path / "cache"


@pytest.fixture
def start() -> Iterator[Callable[..., Writer]]:
    """Start writers that end with the test."""
    started: list[Writer] = []

    def begin(root: Path, cache: Path, **options: object) -> Writer:
        started.append(Writer(root, cache, options))
        return started[-1]

    yield begin
    for it in started:
        it.close()


def reader_of(root: Path, cache: Path) -> Reader:
    """The index."""
    reader = open_reader(store_folder(root, cache))
    assert reader is not None
    return reader


def test_it_ends_with_its_input(places: tuple[Path, Path], start: Callable[..., Writer]) -> None:
    """In the middle of a build or after it, with exit code 0."""
    root, cache = places
    assert start(root, cache).close() == 0
    writer = start(root, cache)
    writer.until(ready)
    assert writer.close() == 0


def test_somebody_else_writes(places: tuple[Path, Path], start: Callable[..., Writer]) -> None:
    """It leaves at once with a code that says so."""
    root, cache = places
    lease = take(store_folder(root, cache))
    assert lease is not None
    with lease:
        assert start(root, cache).process.wait(PATIENCE_S) == BUSY


def test_it_cannot_write(places: tuple[Path, Path], start: Callable[..., Writer]) -> None:
    """It says why in a sentence, and leaves with a code that says so."""
    root, _ = places
    writer = start(root, root / "f1.py" / "cache")
    assert writer.process.wait(PATIENCE_S) == CANNOT
    writer.until(lambda said: bool(said) and str(said[0]["says"]).startswith("The index cannot be written"))


def test_wrong_options_are_said(places: tuple[Path, Path], start: Callable[..., Writer]) -> None:
    """And it works without them."""
    writer = start(*places, jobs="many")
    writer.until(ready)
    assert writer.said[0] == {"event": "problem", "says": "The option jobs makes no sense."}


def test_what_is_told_is_done(places: tuple[Path, Path], start: Callable[..., Writer]) -> None:
    """Saved files are read, lines that make no sense are not heard, paused it does nothing."""
    root, cache = places
    writer = start(root, cache, watch=False)
    writer.until(ready)
    make(root, {"g.py": "def g():\n    pass\n"})
    assert writer.process.stdin is not None
    writer.process.stdin.write(b"\xff\n{}\n[]\n")
    writer.tell("saved", paths=["g.py", "../outside.py", "/etc/passwd", ""])
    with reader_of(root, cache) as reader:
        before = len(writer.said)
        writer.until(lambda said: before < len(said) and ready(said))
        assert [it.path for it in reader.files(["g.py"])] == ["g.py"]
        writer.tell("pause")
        writer.until(lambda said: said[-1].get("state") == "paused")
        make(root, {"h.py": "def h():\n    pass\n"})
        writer.tell("saved", paths=["h.py"])
        writer.tell("resume")
        writer.until(ready)
        assert [it.path for it in reader.files(["h.py"])] == ["h.py"]


def test_vectors_are_made_in_idle(
    places: tuple[Path, Path], start: Callable[..., Writer], tmp_path: Path
) -> None:
    """Every chunk gets one, and so does what is saved later."""
    root, cache = places
    writer = start(root, cache, embedder=str(write_table(tmp_path / "model")))
    writer.until(ready)
    with reader_of(root, cache) as reader:

        def complete(_: object) -> bool:
            counts = reader.counts()
            return 0 < counts.chunks <= counts.vectors

        writer.until(complete)
        make(root, {"g.py": "def g():\n    list_file()\n"})
        writer.until(lambda _: any(reader.files(["g.py"])))
        writer.until(complete)


def test_a_model_that_cannot_be_used(
    places: tuple[Path, Path], start: Callable[..., Writer], tmp_path: Path
) -> None:
    """It is said once, and everything else goes on."""
    root, cache = places
    writer = start(root, cache, embedder=str(tmp_path / "nowhere"))
    writer.until(lambda said: any(it["event"] == "problem" for it in said))
    make(root, {"g.py": "def g():\n    pass\n"})
    with reader_of(root, cache) as reader:
        writer.until(lambda said: ready(said) and any(reader.files(["g.py"])))
    assert sum(it["event"] == "problem" for it in writer.said) == 1


@pytest.mark.parametrize("seconds", [0.05, 0.4, 0.6, 0.8])
def test_killed_at_a_moment(places: tuple[Path, Path], start: Callable[..., Writer], seconds: float) -> None:
    """The next one finds what there is, and does the rest."""
    root, cache = places
    make(root, {f"more/m{it}.py": f"def m{it}():\n    pass\n" * 50 for it in range(60)})
    victim = start(root, cache)
    with pytest.raises(subprocess.TimeoutExpired):
        victim.process.wait(seconds)
    victim.process.send_signal(signal.SIGKILL)
    victim.process.wait()
    start(root, cache).until(ready)
    with reader_of(root, cache) as reader:
        assert reader.counts().files == len(CODE) + 60


@needs_git
def test_worktrees_are_siblings(tmp_path: Path, start: Callable[..., Writer]) -> None:
    """Another worktree's index is found, another repository's is not."""
    root = make(tmp_path / "one", CODE)
    git(root, "init", "-q")
    git(root, "add", ".")
    git(root, "commit", "-q", "-m", "one")
    git(root, "worktree", "add", "-q", str(tmp_path / "two"))
    other = make(tmp_path / "other", CODE)
    git(other, "init", "-q")
    cache = tmp_path / "cache"
    for it in (root, tmp_path / "two", other):
        start(it, cache).until(ready)
    found = siblings_of(root, store_folder(root, cache))
    assert [str(it.rows("SELECT value FROM meta WHERE key = 'root'")[0][0]) for it in found] == [
        str(tmp_path / "two")
    ]
    for reader in found:
        reader.close()
    assert common_folder(tmp_path / "two") == common_folder(root) == str(root / ".git")
    assert common_folder(tmp_path) is None
