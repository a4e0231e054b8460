"""What changes in a folder is told: each change, in batches, and what never belongs not at all."""

from __future__ import annotations

import queue
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from benchmarks.index_client import ROOT
from codeindex.watch import Changes, Watch, is_remote, place
from tests.codeindex.git import git, make, needs_git

PATIENCE_S = 30.0

MOUNTS = (
    "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw",
    "40 22 0:40 / /net rw shared:2 - autofs systemd-1 rw",
    "41 40 0:41 / /net/share rw shared:3 - nfs4 server:/share rw",
    "42 22 0:42 / /my\\040disk rw - fuse.sshfs me@there: rw",
    "nonsense",
)


class Heard:
    """What a watch tells."""

    def __init__(self) -> None:
        self.changes: queue.SimpleQueue[Changes] = queue.SimpleQueue()
        self.said: list[str] = []

    def until(self, fits: Callable[[set[str], bool], bool]) -> list[Changes]:
        """Wait until all that was told fits."""
        found: list[Changes] = []
        while not fits({path for it in found for path in it.paths}, any(it.everything for it in found)):
            found.append(self.changes.get(timeout=PATIENCE_S))
        return found


@pytest.fixture
def heard() -> Heard:
    """Nothing yet."""
    return Heard()


@pytest.fixture
def root(tmp_path: Path, heard: Heard) -> Iterator[Path]:
    """A folder that is watched."""
    folder = make(tmp_path / "project", {"a.py": "1\n", "src/b.py": "2\n"})
    watch = Watch(folder, heard.changes.put, heard.said.append)
    assert watch.begun(PATIENCE_S)
    assert not watch.polls
    yield folder
    watch.close()


def test_each_change_is_told(root: Path, heard: Heard) -> None:
    """New, changed, renamed, deleted; also in folders that are new themselves."""
    make(root, {"a.py": "3\n", "src/new/deep/c.py": "4\n"})
    heard.until(lambda paths, _: "a.py" in paths and any(it.startswith("src/new") for it in paths))
    (root / "a.py").rename(root / "z.py")
    heard.until(lambda paths, _: {"a.py", "z.py"} <= paths)
    shutil.rmtree(root / "src")
    heard.until(lambda paths, _: "src/b.py" in paths)


def test_what_never_belongs_is_not_told(root: Path, heard: Heard) -> None:
    """Folders that nobody walks, and git's own files."""
    make(
        root,
        {"node_modules/x/y.js": "1\n", ".git/objects/ab/cd": "2\n", ".git/HEAD": "3\n", "last.py": "4\n"},
    )
    found = heard.until(lambda paths, _: "last.py" in paths)
    paths = {path for it in found for path in it.paths}
    assert not any(path.startswith((".git/", "node_modules/")) for path in paths)


@needs_git
def test_a_checkout_is_one_batch(tmp_path: Path, heard: Heard) -> None:
    """Hundreds of files by git are told together."""
    root = make(tmp_path / "project", {f"src/f{number}.py": f"{number}\n" for number in range(250)})
    git(root, "init", "-q", "-b", "main")
    git(root, "add", ".")
    git(root, "commit", "-q", "-m", "one")
    for path in (root / "src").iterdir():
        path.write_text("changed\n")
    git(root, "commit", "-q", "-a", "-m", "two")
    watch = Watch(root, heard.changes.put, heard.said.append)
    assert watch.begun(PATIENCE_S)
    git(root, "checkout", "-q", "HEAD~1")
    found = heard.until(lambda paths, everything: everything or 250 <= len(paths))
    watch.close()
    assert len(found) == 1


def test_very_many_changes_are_everything(root: Path, heard: Heard) -> None:
    """To look at all files is quicker than to look at thousands one by one."""
    make(root, {f"lots/f{number}.py": "x\n" for number in range(3_000)})
    heard.until(lambda _, everything: everything)


def test_the_folder_goes_and_comes_back(root: Path, heard: Heard) -> None:
    """Another folder of the same name is another folder: everything is looked at, and it is watched."""
    shutil.rmtree(root)
    make(root, {"other.py": "1\n"})
    heard.until(lambda _, everything: everything)
    found: set[str] = set()
    for number in range(100):
        make(root, {f"more{number}.py": "2\n"})
        with suppress(queue.Empty):
            found |= heard.changes.get(timeout=0.5).paths
        if any(it.startswith("more") for it in found):
            break
    assert any(it.startswith("more") for it in found)


@pytest.mark.skipif(shutil.which("unshare") is None, reason="there is no way to take the watches away")
def test_no_watches_left(tmp_path: Path) -> None:
    """The system's own refusal becomes one sentence, and then somebody has to look."""
    make(tmp_path / "project", {f"d{number}/a.py": "1\n" for number in range(20)})
    program = (
        "import sys; from pathlib import Path; from codeindex.watch import Watch; said = [];"
        "w = Watch(Path(sys.argv[1]), said.append, said.append); w.begun(30); print(w.polls, said)"
    )
    script = 'echo 3 > /proc/sys/user/max_inotify_watches || exit 77; exec "$@"'
    command = [*("unshare", "-Ur", "sh", "-c", script, "sh"), sys.executable, "-c", program]
    done = subprocess.run(
        [*command, str(tmp_path / "project")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    if done.returncode in (1, 77) and "Watch" not in done.stderr:
        pytest.skip("this system does not let us take them away")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("True ['The system has no watches left")


@pytest.mark.parametrize(
    ("root", "expected"),
    [
        ("/home/you/project", False),
        ("/net/share/project", True),
        ("/net/share", True),
        ("/net/shared", False),
        ("/my disk/project", True),
    ],
)
def test_networks_are_known_by_their_mounts(root: str, expected: bool) -> None:
    """The longest mount point that a folder is below decides."""
    assert is_remote(root, MOUNTS) is expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/r/a.py", ("a.py", False)),
        ("/r/.git/index.lock", ("", True)),
        ("/r/.git/objects/ab", ("", False)),
        ("/r/.git/info/exclude", (".git/info/exclude", False)),
        ("/r/.git", ("", False)),
        ("/r/node_modules/a.js", ("", False)),
        ("/r/sub/.gitignore", ("sub/.gitignore", False)),
        ("/other/a.py", ("", False)),
        ("/r", ("", False)),
    ],
)
def test_places(path: str, expected: tuple[str, bool]) -> None:
    """What is told of a path, and whether it says that git is at work."""
    assert place("/r", path) == expected
