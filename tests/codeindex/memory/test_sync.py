"""A workspace's memory on disk: what is found again, what leaves the disk, and what no accident can break."""

from __future__ import annotations

import base64
import logging
import os
import random
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from filelock import FileLock

from codeindex.memory import __main__ as program
from codeindex.memory import sync as sync_module
from codeindex.memory import writer as writer_module
from codeindex.memory.coded import coded
from codeindex.memory.config import DEFAULTS, MemoryConfig
from codeindex.memory.manifest import NAME, read_manifest
from codeindex.memory.occurrence import Source
from codeindex.memory.shelf import ShelfState, read_shelf, shared_folder, shelf_folder, stamp
from codeindex.memory.snapshot import Snapshot
from codeindex.memory.sync import Outcome, Progress, Report, sync
from tests.codeindex.git import make

REPOSITORY = Path(__file__).resolve().parents[3]


class Workspace:
    """A small project with an environment of its own, and a cache."""

    def __init__(self, folder: Path) -> None:
        self.root = make(folder / "project", {"a.py": "value_a = first\n", "m/b.py": "value_b = second\n"})
        self.cache = folder / "cache"
        self.steps: list[Progress] = []
        base = make(folder / "base", {"bin/python3.12": "", "lib/python3.12/os.py": "standard = library\n"})
        packages = folder / "project" / ".venv"
        site = packages / "lib" / "python3.12" / "site-packages"
        make(packages, {"pyvenv.cfg": f"home = {base / 'bin'}\nversion = 3.12.4\n", "bin/python": ""})
        make(site, {"dep/__init__.py": "dependency = here\n"})
        make(
            site / "dep-1.0.dist-info",
            {"METADATA": "Name: dep\nVersion: 1.0\n", "RECORD": "dep/__init__.py,,\n"},
        )
        self.site = site

    @property
    def shelf(self) -> Path:
        return shelf_folder(self.root, self.cache)

    def sync(self, config: MemoryConfig = DEFAULTS) -> Report:
        return sync(self.root, self.cache, config, {}, self.steps.append)

    def read(self, previous: ShelfState | None = None) -> ShelfState:
        return read_shelf(self.root, self.cache, previous)

    def texts(self) -> dict[str, bytes]:
        """The project's documents in the newest generation; each is there once."""
        found: dict[str, bytes] = {}
        for layer in self.read().layers:
            if layer.source is Source.PROJECT:
                for number, it in enumerate(layer.segment.documents):
                    if number not in layer.dead:
                        assert it.path not in found
                        found[it.path] = layer.segment.coded(number)
        return found

    def on_disk(self) -> dict[str, bytes]:
        """All files of the cache."""
        return {
            str(it.relative_to(self.cache)): it.read_bytes() for it in self.cache.rglob("*") if it.is_file()
        }

    def write(self, name: str, text: str) -> None:
        make(self.root, {name: text})
        later = time.time_ns() + random.Random(text).randrange(10**9)
        os.utime(self.root / name, ns=(later, later))


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path)


def test_everything_is_found_in_its_place(workspace: Workspace) -> None:
    """The project, what is installed for it, and the standard library, each known as what it is."""
    assert workspace.sync().outcome is Outcome.DONE
    state = workspace.read()
    snapshot = Snapshot(state.layers)
    found = {
        context: snapshot.near(context, path="m/c.py", line=1)[0]
        for context in (b"value_a = ", b"value_b = ", b"dependency = ", b"standard = ")
    }
    assert [(it.source, it.after) for it in found.values()] == [
        (Source.PROJECT, b"first\n"),
        (Source.FOLDER, b"second\n"),
        (Source.DEPENDENCY, b"here\n"),
        (Source.STANDARD, b"library\n"),
    ]
    assert found[b"dependency = "].path == (workspace.site / "dep/__init__.py").resolve().as_posix()
    assert [it.step for it in workspace.steps] == ["project", "standard", "dependencies"]
    assert [it.generation for it in workspace.steps] == [1, 2, 3]
    assert set(state.versions) == {"a.py", "m/b.py"}


def test_nothing_to_do(workspace: Workspace) -> None:
    """A second sync leaves the generation as it is, and reads no file."""
    workspace.sync()
    before, disk_before = stamp(workspace.root, workspace.cache), workspace.on_disk()
    report = workspace.sync()
    assert (report.files, report.outcome) == (0, Outcome.DONE)
    assert (stamp(workspace.root, workspace.cache), workspace.on_disk()) == (before, disk_before)


def test_what_changed_is_known_and_what_was_deleted_is_gone(workspace: Workspace) -> None:
    """Deleted code leaves the disk with the next sync: not a byte of it is in any file of the cache."""
    workspace.write("gone.py", "password_of_the_year = 'swordfish'\n")
    workspace.sync()
    assert any(b"swordfish" in it for it in workspace.on_disk().values())
    (workspace.root / "gone.py").unlink()
    workspace.write("a.py", "value_a = changed\n")
    workspace.write("new.py", "new\n")
    before = workspace.read()
    workspace.sync()
    assert workspace.texts() == {
        "a.py": b"value_a = changed\n",
        "m/b.py": b"value_b = second\n",
        "new.py": b"new\n",
    }
    everything = b"".join(workspace.on_disk().values())
    assert b"swordfish" not in everything
    assert b"first" not in everything
    after = workspace.read(before)
    assert after.stamp != before.stamp
    assert {it for it in after.opened.values() if it in before.opened.values()} == {
        it.segment for it in after.layers if it.source is not Source.PROJECT
    }
    assert Snapshot(before.layers).near(b"value_a = ", path="x", line=1)[0].after == b"first\n"


def test_what_does_not_belong_is_never_on_disk(workspace: Workspace) -> None:
    """Ignored files and secrets are not read into the memory, by name or by what they say."""
    body = base64.encodebytes(random.Random(1).randbytes(600)).decode()
    key = f"-----BEGIN RSA PRIVATE KEY-----\n{body}-----END RSA PRIVATE KEY-----\n"
    make(workspace.root, {".gitignore": "ignored.py\n", "ignored.py": "quux = 1\n", ".env": "quux = 2\n"})
    make(workspace.root, {"key.py": f"KEY = '''{key}'''\n"})
    workspace.sync()
    assert set(workspace.texts()) == {".gitignore", "a.py", "m/b.py"}
    everything = b"".join(workspace.on_disk().values())
    assert b"quux" not in everything
    assert body[:40].encode() not in everything
    assert workspace.sync().files == 0, "A file that does not belong is not read again."


def test_files_are_private(workspace: Workspace) -> None:
    """Other users of the machine see nothing, whatever the mask for new files is."""
    old = os.umask(0)
    try:
        workspace.sync()
    finally:
        os.umask(old)
    for it in (workspace.cache / "memory").rglob("*"):
        assert stat.S_IMODE(it.stat().st_mode) == (0o700 if it.is_dir() else 0o600), it


def test_nothing_is_written_into_the_project(workspace: Workspace) -> None:
    """The workspace is the user's: a sync leaves no trace in it."""
    before = {it: it.stat() for it in workspace.root.rglob("*")}
    workspace.sync()
    assert {it: it.stat() for it in workspace.root.rglob("*")} == before


def test_many_small_generations_are_merged(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """However often something is added, a question has few segments to ask; large ones stay apart."""
    monkeypatch.setattr(writer_module, "SEGMENT_BYTES", 2_000)
    monkeypatch.setattr(sync_module, "SEGMENT_BYTES", 2_000)
    expected = {"a.py": b"value_a = first\n", "m/b.py": b"value_b = second\n"}
    for number in range(20):
        workspace.write(f"n{number}.py", f"number = {number}\n" * 10)
        expected[f"n{number}.py"] = coded(f"number = {number}\n" * 10)
        workspace.sync()
        own = [it for it in workspace.read().layers if it.source is Source.PROJECT]
        assert len(own) <= 7
    assert workspace.texts() == expected
    files = [it for it in workspace.shelf.iterdir() if it.suffix == ".segment"]
    assert len(files) == len(own)


def test_the_newest_files_come_first(workspace: Workspace) -> None:
    """A project beyond the budget is known by what was worked on last, and the report says that it is."""
    for number in range(6):
        make(workspace.root, {f"n{number}.py": f"x{number}\n" * 100})
        os.utime(workspace.root / f"n{number}.py", (2e9 + number, 2e9 + number))
    report = workspace.sync(replace(DEFAULTS, project_bytes=700))
    assert (set(workspace.texts()), report.left_out) == ({"n4.py", "n5.py"}, 6)


def test_dependencies_have_a_budget(workspace: Workspace) -> None:
    """Standard libraries are always there; what does not fit beside them is left out."""
    report = workspace.sync(replace(DEFAULTS, dependency_bytes=10))
    assert report.dependencies_left_out == 1
    assert [it.source for it in workspace.read().layers] == [Source.PROJECT, Source.STANDARD]


def spoil_text(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[90] ^= 1
    path.write_bytes(data)


def become_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


DAMAGES: dict[str, Callable[[Path], object]] = {
    "a flipped bit": spoil_text,
    "cut": lambda path: path.write_bytes(path.read_bytes()[:100]),
    "empty": lambda path: path.write_bytes(b""),
    "another format": lambda path: path.write_bytes(path.read_bytes().replace(b"MS\x01", b"MS\x07", 1)),
    "gone": Path.unlink,
    "a folder": become_a_folder,
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
@pytest.mark.parametrize("where", ["project", "shared"])
def test_a_damaged_segment_is_built_again(
    damage: Callable[[Path], object],
    where: str,
    workspace: Workspace,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Readers go on without it, the next sync makes it anew, the log has one sentence."""
    monkeypatch.setattr(writer_module, "CHECK_S", 0)
    workspace.sync()
    whole = workspace.texts()
    folder = workspace.shelf if where == "project" else shared_folder(workspace.cache)
    victim = next(it for it in folder.iterdir() if it.suffix == ".segment")
    damage(victim)
    for layer in workspace.read().layers:
        Snapshot([layer]).near(b"value_a = ", path="x.py", line=1)
    caplog.clear()
    assert workspace.sync().outcome is Outcome.DONE
    assert len([it for it in caplog.records if it.levelno == logging.WARNING]) == 1
    assert "value" not in caplog.text
    assert workspace.texts() == whole
    assert workspace.read().problems == ()
    assert len(workspace.read().layers) == 3


@pytest.mark.parametrize("content", [b"", b"{", b"[]\n", b'{"format":1}\n', b'{"format":"x"}\n', b"\xff\xfe"])
def test_a_damaged_manifest_is_an_empty_one(content: bytes, workspace: Workspace) -> None:
    """Readers know nothing and say why; the next sync builds everything anew and leaves nothing behind."""
    workspace.sync()
    (workspace.shelf / NAME).write_bytes(content)
    state = workspace.read()
    assert (state.layers, len(state.problems)) == ((), 1)
    workspace.sync()
    assert set(workspace.texts()) == {"a.py", "m/b.py"}
    assert {it.suffix for it in workspace.shelf.iterdir()} == {".segment", ".json", ""}
    assert len(list(workspace.shelf.iterdir())) == 3


def test_a_newer_memory_is_left_alone(workspace: Workspace) -> None:
    """After going back to an older Hearth, the newer one's files are as they were."""
    workspace.sync()
    body = (workspace.shelf / NAME).read_bytes().replace(b'"format":2', b'"format":3')
    (workspace.shelf / NAME).write_bytes(body)
    before = workspace.on_disk()
    assert workspace.sync().outcome is Outcome.NEWER
    assert workspace.on_disk() == before
    state = workspace.read()
    assert (state.layers, state.generation) == ((), 0)
    assert "newer" in state.problems[0]


def test_only_one_writes(workspace: Workspace) -> None:
    """While one process is at it, another leaves at once and touches nothing."""
    workspace.sync()
    workspace.write("a.py", "later\n")
    with FileLock(workspace.shelf / writer_module.LOCK):
        before = workspace.on_disk()
        assert workspace.sync() == Report(outcome=Outcome.BUSY)
        assert workspace.on_disk() == before
    assert workspace.sync().files == 1


def test_other_rules_look_at_everything_again(workspace: Workspace) -> None:
    """What belongs is decided anew when the rules are others, and what does not any more is gone."""
    workspace.write("big.py", "word = 1\n" * 100)
    workspace.sync()
    assert "big.py" in workspace.texts()
    smaller = replace(DEFAULTS, walk=replace(DEFAULTS.walk, max_bytes=500))
    workspace.sync(smaller)
    assert set(workspace.texts()) == {"a.py", "m/b.py"}
    assert b"word" not in b"".join(workspace.on_disk().values())


def test_an_emptied_project_is_forgotten(workspace: Workspace) -> None:
    """The last file that goes takes the last segment with it."""
    workspace.sync()
    (workspace.root / "a.py").unlink()
    shutil.rmtree(workspace.root / "m")
    workspace.sync()
    assert workspace.texts() == {}
    assert [it.name for it in workspace.shelf.iterdir() if it.suffix == ".segment"] == []


def test_what_nobody_uses_goes_after_a_month(workspace: Workspace) -> None:
    """Shared segments of dependencies that were replaced, and files of a process that died."""
    workspace.sync()
    shared = shared_folder(workspace.cache)
    for name, days in (("old.segment", 31), ("new.segment", 29), ("dead.segment.1.part", 1)):
        (shared / name).write_bytes(b"")
        then = time.time() - days * 86_400
        os.utime(shared / name, (then, then))
    workspace.sync()
    names = {it.name for it in shared.iterdir()}
    assert "new.segment" in names
    assert names & {"old.segment", "dead.segment.1.part"} == set()


def test_a_deleted_workspace_is_forgotten(workspace: Workspace, tmp_path: Path) -> None:
    """Who deletes a project deletes its code here too, as soon as any other workspace is looked at."""
    workspace.sync()
    other = Workspace(tmp_path / "other")
    other.cache = workspace.cache
    other.sync()
    assert workspace.shelf.is_dir()
    shutil.rmtree(workspace.root)
    other.sync()
    assert not workspace.shelf.exists()
    assert set(other.texts()) == {"a.py", "m/b.py"}


KILLED_AT = """
import os, signal, sys
from pathlib import Path
left = int(sys.argv[1])
def deadly(function):
    def called(*arguments, **named):
        global left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*arguments, **named)
    return called
from codeindex.memory import disk
from codeindex.memory.config import DEFAULTS
from codeindex.memory.sync import sync
for name in ("open", "write", "fsync", "replace", "unlink"):
    setattr(os, name, deadly(getattr(os, name)))
disk.PIECE = 64
sync(Path(sys.argv[2]), Path(sys.argv[3]), DEFAULTS, {}, lambda it: None)
print("done")
"""


@pytest.mark.e2e
def test_killed_at_any_moment(workspace: Workspace) -> None:
    """Readers see whole generations only, each file as it once was; the next sync repairs the rest."""
    rng = random.Random(5)
    history: dict[str, set[bytes]] = {"a.py": {b"value_a = first\n"}, "m/b.py": {b"value_b = second\n"}}
    killed = 0
    for number in range(12):
        for name in rng.sample(["a.py", "m/b.py", "c.py", "d.py", "e.py"], 3):
            text = f"version = {number}\n" * rng.randrange(1, 60)
            workspace.write(name, text)
            history.setdefault(name, set()).add(coded(text))
        moment = rng.randrange(1, 400)
        command = [sys.executable, "-c", KILLED_AT, str(moment), str(workspace.root), str(workspace.cache)]
        done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
        killed += done.returncode == -signal.SIGKILL
        assert done.returncode in (0, -signal.SIGKILL), done.stderr
        state = workspace.read()
        assert state.problems == ()
        for name, text_now in workspace.texts().items():
            assert text_now in history[name]
    assert 3 <= killed
    workspace.sync()
    assert workspace.texts() == {name: coded((workspace.root / name).read_text()) for name in history}
    needed = {it.file for it in read_manifest(workspace.shelf).segments}
    left = {it.name for it in workspace.shelf.iterdir()} - {NAME, writer_module.LOCK}
    assert left <= needed


@pytest.mark.e2e
def test_two_processes_at_once(workspace: Workspace) -> None:
    """As two editor windows do: both end well, the memory is whole, and each line they say is JSON."""
    for number in range(40):
        workspace.write(f"n{number}.py", f"line = {number}\n" * 200)
    command = [sys.executable, "-m", "codeindex.memory", "sync"]
    command += ["--root", str(workspace.root), "--cache", str(workspace.cache)]
    both = [
        subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    said = [it.communicate(timeout=120) for it in both]
    assert [it.returncode for it in both] == [0, 0], said
    assert any('"outcome": "done"' in out for out, _ in said)
    assert len(workspace.texts()) == 42
    assert workspace.read().problems == ()


def test_the_program_says_what_it_does(
    workspace: Workspace, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server shows these lines; a full disk is a sentence, not a traceback."""
    monkeypatch.setattr(program, "NICE", 0)
    monkeypatch.setattr(logging, "basicConfig", lambda **_: None)
    arguments = ["sync", "--root", str(workspace.root), "--cache", str(workspace.cache)]
    assert program.main(arguments) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith('{"step": "project", "files": 2, "bytes": 35, "seconds": ')
    assert '"outcome": "done"' in lines[-1]

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(writer_module, "write_segment", full)
    workspace.write("a.py", "more\n")
    assert program.main(arguments) == 1
    out = capsys.readouterr().out
    assert '"says": "The memory cannot be written: No space left on device."' in out
    assert set(workspace.texts()) == {"a.py", "m/b.py"}
