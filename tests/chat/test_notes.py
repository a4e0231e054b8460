"""Notes of a project: kept whole, changed by several at once, bounded, and of one project only."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from chat import notes
from chat.notes import NotNoted

ROOT = Path(__file__).resolve().parent.parent.parent
WRITER = """
import sys
from pathlib import Path
from chat import notes
for number in range(20):
    notes.add(Path(sys.argv[1]), sys.argv[2], f"{sys.argv[3]} {number}")
"""


def texts(data: Path, root: Path) -> list[str]:
    return [it.text for it in notes.read(data, str(root))]


def test_what_is_noted_is_there(tmp_path: Path) -> None:
    """In its order, under numbers that are never given twice."""
    data, root = tmp_path / "data", str(tmp_path)
    assert notes.read(data, root) == ()
    assert [notes.add(data, root, it).id for it in ("Tests:\n  make test", "b", "c")] == [1, 2, 3]
    notes.remove(data, root, 3)
    assert notes.add(data, root, "d").id == 4
    changed = notes.edit(data, root, 2, "B")
    assert [it.text for it in notes.read(data, root)] == ["Tests: make test", "B", "d"]
    assert changed in notes.read(data, root)
    assert notes.texts(data, [root, root]) == ("Tests: make test", "B", "d")


def test_each_project_has_its_own(tmp_path: Path) -> None:
    """A link to a project is the project."""
    one, other, link = tmp_path / "one", tmp_path / "other", tmp_path / "link"
    one.mkdir()
    other.mkdir()
    link.symlink_to(one)
    notes.add(tmp_path / "data", str(one), "a")
    assert texts(tmp_path / "data", link) == ["a"]
    assert texts(tmp_path / "data", other) == []


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda d, r: notes.add(d, r, " \n "), "There is nothing to note: the text is empty."),
        (lambda d, r: notes.add(d, r, "x" * 501), "A note has at most 500 characters, this has 501."),
        (lambda d, r: notes.add(d, r, " first "), "This is noted already."),
        (lambda d, r: notes.edit(d, r, 7, "x"), "There is no note 7."),
        (lambda d, r: notes.edit(d, r, 1, ""), "There is nothing to note: the text is empty."),
        (lambda d, r: notes.remove(d, r, 7), "There is no note 7."),
    ],
)
def test_what_cannot_be_noted(tmp_path: Path, change: Callable[[Path, str], object], says: str) -> None:
    """One sentence, and what is there stays."""
    notes.add(tmp_path, "/p", "first")
    with pytest.raises(NotNoted) as refused:
        change(tmp_path, "/p")
    assert str(refused.value) == says
    assert texts(tmp_path, Path("/p")) == ["first"]


def test_there_is_a_bound(tmp_path: Path) -> None:
    """All of them go into every prompt."""
    for it in range(notes.MOST):
        notes.add(tmp_path, "/p", f"note {it}")
    with pytest.raises(NotNoted, match="There are 100 notes already"):
        notes.add(tmp_path, "/p", "one more")
    assert len(notes.read(tmp_path, "/p")) == 100


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"notes": 3}', b"\xff", b'{"notes": [1, 2]}'])
def test_a_damaged_file_is_put_aside(tmp_path: Path, content: bytes) -> None:
    """Nothing is read from it, nothing of it is lost, and there is a new one."""
    notes.add(tmp_path, "/p", "old")
    (path,) = (tmp_path / "notes").glob("*.json")
    path.write_bytes(content)
    assert notes.read(tmp_path, "/p") == ()
    notes.add(tmp_path, "/p", "new")
    assert texts(tmp_path, Path("/p")) == ["new"]
    assert path.with_suffix(".damaged").read_bytes() == content


def test_only_the_user_can_read_it(tmp_path: Path) -> None:
    """They may say much about a project."""
    notes.add(tmp_path, "/p", "a")
    (path,) = (tmp_path / "notes").glob("*.json")
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)


def test_a_folder_that_cannot_be_written_to(tmp_path: Path) -> None:
    """One sentence that says where."""
    (tmp_path / "notes").write_text("in the way")
    with pytest.raises(NotNoted, match="cannot be changed"):
        notes.add(tmp_path, "/p", "a")
    assert notes.read(tmp_path, "/p") == ()


@pytest.mark.e2e
def test_several_processes_at_once(tmp_path: Path) -> None:
    """No note is lost, and none is half."""
    running = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path), "/p", str(it)], cwd=ROOT)
        for it in range(3)
    ]
    assert [it.wait() for it in running] == [0, 0, 0]
    found = notes.read(tmp_path, "/p")
    assert sorted(it.text for it in found) == sorted(f"{who} {it}" for who in range(3) for it in range(20))
    assert sorted(it.id for it in found) == list(range(1, 61))
