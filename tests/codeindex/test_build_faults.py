"""Killed, short of room, several at once: what no accident does to the index. All of it is real."""

from __future__ import annotations

import os
import random
import resource
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from codeindex.build import Options, build, open_site
from codeindex.build_pool import PARSER
from codeindex.build_report import Outcome
from codeindex.build_rules import rules
from codeindex.config import DEFAULTS
from codeindex.lease import holder
from codeindex.store import StoreError, open_reader, open_writer, store_folder
from codeindex.store.errors import Full
from codeindex.types import Filters
from tests.codeindex.git import make
from tests.codeindex.index_view import view
from tests.codeindex.real_sources import SOURCES

REPOSITORY = Path(__file__).resolve().parents[2]
KILLS = int(os.environ.get("INDEX_KILLS", "12"))
SLOW = "tests.codeindex.parsers:slow"
ONE = Options(jobs=1)
MARK = "\n# mark "
PYTHON = [text for suffix, text in SOURCES if suffix == ".py"]
BUILDS = """
import sys
from pathlib import Path
from codeindex.build import Options, open_site
from codeindex.config import DEFAULTS
from codeindex.store.collect import Collecting

root, cache, parser, seconds = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], float(sys.argv[4])
with open_site(root, cache, DEFAULTS, Options(jobs=2, parser=parser)) as site:
    if site is None:
        print("busy")
        sys.exit()
    site.build(on_progress=lambda it: print(it.files, flush=True))
    site.writer.collect(Collecting(grace_s=0.0, least_s=0.0, share=0.1))
    print("done", flush=True)
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project with files enough for some batches."""
    return make(tmp_path / "project", {f"d{it % 7}/f{it}.py": text(it) for it in range(150)})


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """Hearth's cache folder."""
    return tmp_path / "cache"


def text(number: int) -> str:
    """Real code, of which no other file has the same."""
    return f"{PYTHON[number % len(PYTHON)]}\n\ndef f{number}(x):\n    call_{number}(x)\n"


def start(root: Path, cache: Path, parser: str = SLOW) -> subprocess.Popen[str]:
    """A build in a process of its own."""
    command = [sys.executable, "-c", BUILDS, str(root), str(cache), parser, "0"]
    return subprocess.Popen(
        command, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def mark(paths: list[Path], number: int) -> None:
    """Have each end with the same comment."""
    for path in paths:
        path.write_text(f"{path.read_text().partition(MARK)[0]}{MARK}{number}\n")


def problems(folder: Path) -> list[str]:
    """What a look at everything finds."""
    with open_writer(folder, rules=rules()) as writer:
        assert "damaged" not in writer.notice
        return writer.verify()


@pytest.mark.e2e
def test_killed_at_any_moment(root: Path, cache: Path, tmp_path: Path) -> None:
    """The index agrees with itself, readers see files as they once were, the next build does the rest."""
    chance = random.Random(7)
    folder = store_folder(root, cache)
    once: dict[str, set[str]] = {}
    killed = 0
    for number in range(KILLS):
        for it in chance.sample(range(150), 25):
            path = root / f"d{it % 7}/f{it}.py"
            if number and chance.random() < 0.3:
                path.unlink(missing_ok=True)
            else:
                path.write_text(text(it) + f"# {number}\n")
        for path in root.rglob("*.py"):
            once.setdefault(path.relative_to(root).as_posix(), set()).add(path.read_text())
        process = start(root, cache)
        assert process.stdout is not None
        heard = [process.stdout.readline() for _ in range(chance.randrange(1, 4))]  # It is at work.
        time.sleep(chance.random() * 0.7)
        process.kill()
        out, error = process.communicate()
        killed += process.returncode == -signal.SIGKILL
        assert process.returncode in (0, -signal.SIGKILL), error
        assert "busy" not in "".join([*heard, out])
        assert problems(folder) == []
        reader = open_reader(folder)
        assert reader is not None
        with reader:
            for file in reader.files():
                assert reader.text(file.content) in once[file.path]
    assert KILLS / 3 <= killed
    assert build(root, cache, DEFAULTS, options=ONE).outcome is Outcome.DONE
    build(root, tmp_path / "other", DEFAULTS, options=ONE)
    words = ("call", "path", "self")
    assert view(folder, words) == view(store_folder(root, tmp_path / "other"), words)
    assert problems(folder) == []


@pytest.mark.e2e
def test_the_first_build_goes_on_where_it_was_killed(root: Path, cache: Path) -> None:
    """What had been committed is not even opened again, also not by a second one that is killed."""
    time.sleep(2.1)  # What has changed just now would be read again in any case.
    folder = store_folder(root, cache)
    done = [0]
    for _ in range(2):
        process = start(root, cache)
        assert process.stdout is not None
        while int(process.stdout.readline()) == 0:
            pass
        process.kill()
        process.communicate()
        with open_writer(folder, rules=rules()) as writer:
            done.append(len(writer.known()))
    assert done == sorted(set(done)), "each has done some"
    assert done[-1] < 150
    report = build(root, cache, DEFAULTS, options=ONE)
    assert (report.outcome, report.read, report.files) == (Outcome.DONE, 150 - done[-1], 150)
    assert report.lines > 0
    assert problems(folder) == []


@pytest.mark.e2e
def test_no_worker_outlives_its_master(root: Path, cache: Path) -> None:
    """Killed as it is, it leaves nothing running: the workers see that nobody listens."""
    process = start(root, cache)
    assert process.stdout is not None
    process.stdout.readline()
    children = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(process.pid)], capture_output=True, text=True, check=False
    ).stdout.split()
    assert len(children) == 2
    process.kill()
    process.communicate()
    for _ in range(300):
        if not any(_runs(int(it)) for it in children):
            break
        time.sleep(0.1)
    assert not any(_runs(int(it)) for it in children)


def _runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


@pytest.mark.e2e
def test_two_processes_at_once(root: Path, cache: Path) -> None:
    """One builds, the other leaves; who builds can be seen; after its death the next one may at once."""
    folder = store_folder(root, cache)
    first = start(root, cache)
    assert first.stdout is not None
    first.stdout.readline()
    holds = holder(folder)
    assert holds is not None
    assert (holds.pid, holds.since < time.time()) == (first.pid, True)
    assert build(root, cache, DEFAULTS, options=ONE).outcome is Outcome.BUSY
    first.kill()
    first.communicate()
    assert holder(folder) is None
    assert build(root, cache, DEFAULTS, options=ONE).outcome is Outcome.DONE
    both = [start(root, cache, PARSER) for _ in range(2)]
    said = [it.communicate(timeout=120) for it in both]
    assert [it.returncode for it in both] == [0, 0], said
    assert "done\n" in [out.splitlines(keepends=True)[-1] for out, _ in said]
    assert problems(folder) == []


@pytest.mark.e2e
def test_readers_never_wait_and_never_see_half(root: Path, cache: Path) -> None:
    """Four of them ask without a pause while batches are written; each answer is of one generation."""
    folder = store_folder(root, cache)
    changed = sorted(root.glob("d0/*.py"))
    mark(changed, 0)
    build(root, cache, DEFAULTS, options=ONE)
    wrong: list[str] = []
    asked = [0] * 4
    over = threading.Event()

    def ask(number: int) -> None:
        reader = open_reader(folder)
        assert reader is not None
        try:
            with reader:
                while not over.is_set():
                    with reader.snapshot():
                        files = list(reader.files())
                        marks = {reader.text(it.content).partition(MARK)[2] for it in files if it.path < "d1"}
                        if 1 < len(marks):
                            wrong.append(f"half of a batch: {marks}")
                        ids = [it for it, _ in reader.lexical("call", (1.0, 1.0, 1.0), 50, Filters())]
                        if set(reader.chunks(ids)) != set(ids):
                            wrong.append("a chunk that is found is not there")
                    asked[number] += 1
        except StoreError as problem:
            wrong.append(str(problem))

    threads = [threading.Thread(target=ask, args=(it,)) for it in range(4)]
    for it in threads:
        it.start()
    with open_site(root, cache, DEFAULTS, ONE) as site:
        assert site is not None
        for number in range(15):
            mark(changed, number)
            site.update(changed)
    over.set()
    for it in threads:
        it.join()
    assert wrong == []
    assert min(asked) > 3


@pytest.mark.e2e
def test_no_room_left(root: Path, cache: Path) -> None:
    """It is one sentence, what was there before is whole, and with room again it goes on."""
    script = (
        "import resource, signal, sys\nfrom pathlib import Path\nfrom codeindex.build import Options, build\n"
        "from codeindex.config import DEFAULTS\nfrom codeindex.store import StoreError\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]),) * 2)\n"
        "try:\n    build(Path(sys.argv[1]), Path(sys.argv[2]), DEFAULTS,"
        " options=Options(jobs=1))\n"
        "except StoreError as problem:\n    print(type(problem).__name__, problem)\n"
    )
    folder = store_folder(root, cache)
    full = 0
    for size in (1_000, 20_000, 300_000, 500_000, 10**9):
        done = subprocess.run(
            [sys.executable, "-c", script, str(root), str(cache), str(size)],
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout in ("", f"Full {FULL}\n")
        full += bool(done.stdout)
        if size > 200_000:
            assert problems(folder) == []
    assert 2 <= full < 5
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 1_000
    assert len(view(folder)["files"]) == 150


FULL = "The index cannot be written here: the disk is full, or its folder is not ours."


@pytest.mark.skipif(os.geteuid() == 0 and not Path("/proc/self").exists(), reason="needs a real system")
def test_a_folder_that_cannot_be_made(root: Path, tmp_path: Path) -> None:
    """Where the cache is no folder, it is an OSError or one of ours, and the project is untouched."""
    (tmp_path / "file").write_text("")
    with pytest.raises((OSError, Full)):
        build(root, tmp_path / "file" / "cache", DEFAULTS, options=ONE)


def test_a_file_that_changes_while_it_is_read_is_read_again(root: Path, cache: Path) -> None:
    """Writes without a pause, in place: in the end the index has what the file has."""
    path = root / "d0/f0.py"
    over = threading.Event()

    def write() -> None:
        number = 0
        while not over.is_set():
            number += 1
            path.write_text(f"def f0_{number}():\n    pass\n" * 300)

    thread = threading.Thread(target=write)
    thread.start()
    with open_site(root, cache, DEFAULTS, ONE) as site:
        assert site is not None
        for _ in range(10):
            site.update([path])
        over.set()
        thread.join()
        site.build()
        assert view(site.folder)["files"]["d0/f0.py"][3] == path.read_text()
        assert site.writer.verify() == []


def test_what_cannot_be_read_is_noted_and_read_later(
    root: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the right to read a file, it is left out with that reason; with it, it comes in."""
    path = root / "d0/f0.py"
    real = path.read_bytes()
    path.unlink()
    path.symlink_to(root / "d0/f7.py")
    with open_site(root, cache, DEFAULTS, ONE) as site:
        assert site is not None
        site.build()
        assert "d0/f0.py" not in view(site.folder)["files"]
        path.unlink()
        path.write_bytes(real)
        path.chmod(0)
        report = site.update([path])
        if os.geteuid():
            assert report.left_out == (("d0/f0.py", "unreadable"),)
        path.chmod(0o600)
        site.update([path])
        assert "d0/f0.py" in view(site.folder)["files"]
