"""`hearth index` and questions to it as they are typed: real processes, and what may go wrong with them."""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest

from codeindex.lease import holder, take
from codeindex.store import store_folder
from codeindex.store.disk import NAME

pytestmark = pytest.mark.e2e

HEARTH = (sys.executable, "-P", "-m", "lsp_server.cli")
FILES = {
    "pyproject.toml": "",
    ".gitignore": "build/\n",
    "shop/cart.py": '"""Carts."""\n\n\nclass Cart:\n    def total_price(self):\n        return round_up(3)\n',
    "shop/round.py": "def round_up(value):\n    return value + 1\n",
    "shop/main.ts": "export function paint(color: string) { return color; }\n",
    "build/made.py": "def round_up_never():\n    pass\n",
}
IMPORT = "from shop.round import round_up\n"
Typed = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project outside of any git repository."""
    folder = tmp_path / "project"
    for path, text in FILES.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    cart = folder / "shop" / "cart.py"
    cart.write_text(IMPORT + cart.read_text())
    return folder


@pytest.fixture
def typed(hearth_home: Path, project: Path) -> Typed:
    """Type a command in the project's folder."""

    def run(*arguments: str, cwd: Path = project) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [*HEARTH, *arguments], cwd=cwd, capture_output=True, text=True, check=False, env=dict(os.environ)
        )
        assert "Traceback" not in done.stderr
        return done

    return run


def database(project: Path, home: Path) -> Path:
    return store_folder(project, home / "cache") / NAME


def sentences(done: subprocess.CompletedProcess[str]) -> list[str]:
    return [it for it in done.stderr.splitlines() if it.startswith("hearth: ")]


def test_a_life(typed: Typed, project: Path, hearth_home: Path) -> None:
    """Nothing, built, looked at, changed, brought up to date, checked, cleaned up."""
    assert "There is no index yet." in typed("index", "status").stdout
    done = typed("index")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("5 files are indexed, 5 read now, ")
    said = json.loads(typed("index", "status", "--json").stdout)
    assert (said["root"], said["files"], said["problem"]) == (str(project), 5, "")
    assert {"language": "typescript", "files": 1, "lines": 1} in said["languages"]
    (project / "shop" / "round.py").write_text("def round_up(value):\n    return value + 2\n")
    (project / "shop" / "main.ts").unlink()
    again = json.loads(typed("index", "build", "--json", str(project)).stdout)
    assert (again["outcome"], again["files"], again["lines"], again["gone"]) == ("done", 4, 2, 1)
    assert 1 <= again["read"]  # Files that had just been written when they were read are read once more.
    (project / "new.py").write_text("def fresh():\n    pass\n")
    assert typed("index", "update", "new.py").stdout.startswith("1 file is looked at, 1 read now")
    assert typed("index", "verify").stdout == "The index is sound.\n"
    assert typed("index", "gc", "--now").stdout.startswith("2 texts taken away; ")
    assert json.loads(typed("index", "gc", "--json").stdout)["texts"] == 0
    status = typed("index", "status").stdout
    assert f"{project}: 5 files, " in status
    assert re.search(r"^python +3 +", status, re.MULTILINE)
    assert not list(project.rglob("*.sqlite*"))


def test_search_builds_by_itself(typed: Typed, project: Path) -> None:
    """The first question builds the index, the next ones bring it up to date; the output is plain."""
    done = typed("search", "total", "price")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("shop/cart.py:6  Cart  class\n")
    assert "  6      def total_price(self):\n" in done.stdout
    assert "\x1b" not in done.stdout
    assert typed("search", "total", "price").stdout == done.stdout
    (project / "late.py").write_text("def total_price_of_all():\n    pass\n")
    assert "late.py:1" in typed("search", "total_price_of_all").stdout
    (project / "later.py").write_text("def total_price_of_none():\n    pass\n")
    assert "later.py" not in typed("search", "--as-is", "total_price_of_none").stdout


def test_search_for_programs(typed: Typed, project: Path) -> None:
    """All of every hit, and why it is where it is."""
    said = json.loads(typed("search", "round_up", "--why", "--json", "-n", "1").stdout)
    (hit,) = said["hits"]
    assert (hit["path"], hit["name"], hit["text"]) == (
        *("shop/round.py", "round_up"),
        "def round_up(value):\n    return value + 1",
    )
    assert hit["why"][-1]["score"] == pytest.approx(hit["score"])
    assert all(it["reason"] for it in hit["why"])
    shown = typed("search", "round_up", "--why", "-n", "1").stdout
    assert all(it["reason"] in shown for it in hit["why"])


def test_a_damaged_index_is_built_again(typed: Typed, project: Path, hearth_home: Path) -> None:
    """Verifying says so; the next question builds it again and says that, too."""
    typed("index")
    database(project, hearth_home).write_bytes(b"no database" * 1_000)
    done = typed("index", "verify")
    assert (done.returncode, "damaged" in done.stdout or "not an index" in done.stdout) == (1, True)
    said = typed("search", "round_up")
    assert (said.returncode, "shop/round.py:1" in said.stdout) == (0, True)
    assert ["damaged" in it for it in sentences(said)] == [True]
    assert typed("index", "verify").returncode == 0
    assert typed("index", "--anew").stdout.startswith("5 files are indexed, 5 read now")


@pytest.mark.parametrize("arguments", [["index"], ["search", "x"], ["index", "gc"]])
def test_a_newer_index_is_left_alone(
    arguments: list[str], typed: Typed, project: Path, hearth_home: Path
) -> None:
    """A newer Hearth may be using it."""
    typed("index")
    with closing(sqlite3.connect(database(project, hearth_home))) as connection:
        connection.execute("PRAGMA user_version = 999")
    before = database(project, hearth_home).read_bytes()
    done = typed(*arguments)
    assert done.returncode == 1
    assert "was written by a newer version of Hearth; it is left as it is." in done.stdout + done.stderr
    assert database(project, hearth_home).read_bytes() == before


def test_where_nothing_can_be_written(typed: Typed, hearth_home: Path) -> None:
    """The place of the index is taken by something else: a sentence with the place's name."""
    (hearth_home / "cache").mkdir()
    (hearth_home / "cache" / "index").write_text("in the way")
    for arguments in (["index"], ["search", "x"]):
        done = typed(*arguments)
        assert done.returncode == 1
        assert len(sentences(done)) == 1
        assert "index" in done.stderr


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="nothing is forbidden to root")
def test_without_the_right_to_write(typed: Typed, project: Path, hearth_home: Path) -> None:
    """What there is can still be asked, as it is."""
    typed("index")
    folder = database(project, hearth_home).parent
    folder.chmod(0o500)
    try:
        done = typed("search", "round_up")
    finally:
        folder.chmod(0o700)
    assert (done.returncode, "shop/round.py:1" in done.stdout) == (0, True)


def test_while_somebody_else_writes(typed: Typed, project: Path, hearth_home: Path) -> None:
    """Building says who is at it; asking goes on with what there is; without any, it says to wait."""
    folder = store_folder(project, hearth_home / "cache")
    folder.mkdir(parents=True)
    lease = take(folder)
    assert lease is not None
    with lease:
        done = typed("search", "round_up")
        assert (done.returncode, "ask again in a moment" in done.stderr) == (1, True)
    typed("index")
    lease = take(folder)
    assert lease is not None
    with lease:
        done = typed("index")
        assert (done.returncode, "Another process is writing to this index" in done.stderr) == (1, True)
        assert json.loads(typed("index", "status", "--json").stdout)["writer"]["pid"] == os.getpid()
        done = typed("search", "round_up")
        assert (done.returncode, done.stderr, "shop/round.py:1" in done.stdout) == (0, "", True)
        assert typed("index", "verify").returncode == 1


@pytest.mark.skipif(os.name != "posix", reason="needs pipes")
def test_a_broken_pipe(typed: Typed, project: Path) -> None:
    """As in `hearth map | head -0`: nobody is told anything."""
    (project / "many.py").write_text("".join(f"def function_{it}(value):\n    pass\n" for it in range(9_000)))
    typed("index")
    for arguments in ("map --tokens 900000", "search value -n 1000", "index status"):
        line = f'"{sys.executable}" -P -m lsp_server.cli {arguments} | head -0'
        done = subprocess.run(["sh", "-c", line], cwd=project, capture_output=True, text=True, check=False)
        assert done.stderr == ""


MANY = 400
SHOP = 3
BESIDE = ("pyproject.toml", ".gitignore")
TRIES = 4


@pytest.fixture
def large(project: Path) -> Path:
    """A project with more files than are read in a moment."""
    (project / "large").mkdir()
    body = "".join(f"def function_{it}(value):\n    return other_{it}(value)\n\n" for it in range(60))
    for it in range(MANY):
        (project / "large" / f"m{it}.py").write_text(f"# {it}\n{body}")
    return project


@contextmanager
def in_a_terminal(project: Path, stdout: int = subprocess.PIPE) -> Iterator[subprocess.Popen[str]]:
    """`hearth index` in a process group of its own, where Ctrl-C means what it does in a terminal."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # Else it is ignored where ours is.
    try:
        process = subprocess.Popen(
            [*HEARTH, "index"],
            cwd=project,
            stdout=stdout,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
    finally:
        signal.signal(signal.SIGINT, before)
    with process:
        try:
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


def interrupted_at_its_start(project: Path, home: Path) -> tuple[int, str, str]:
    """Build; Ctrl-C comes when it holds the lease, and nothing can be written before it has come.

    Nothing is left to chance: until then another connection has the database.
    """
    folder = store_folder(project, home / "cache")
    with (
        closing(sqlite3.connect(database(project, home), isolation_level=None)) as connection,
        in_a_terminal(project) as process,
    ):
        connection.execute("BEGIN IMMEDIATE")
        while process.poll() is None and not is_held(folder, process.pid):
            time.sleep(0.005)
        os.kill(process.pid, signal.SIGSTOP)
        os.killpg(process.pid, signal.SIGINT)
        connection.execute("ROLLBACK")
        os.kill(process.pid, signal.SIGCONT)
        out, err = process.communicate()
        return process.returncode, out, err


def is_held(folder: Path, pid: int) -> bool:
    it = holder(folder)
    return it is not None and it.pid == pid


@pytest.mark.skipif(os.name != "posix", reason="needs process groups")
def test_interrupted(typed: Typed, large: Path, hearth_home: Path) -> None:
    """Ctrl-C, to everybody in the terminal: what was read is kept, and the next build does the rest."""
    typed("index", "update", "shop")
    for _ in range(TRIES):
        code, out, err = interrupted_at_its_start(large, hearth_home)
        if "Another process is writing" not in err:  # It does not wait for the database forever.
            break
    assert (code, out) == (130, ""), err
    said = re.fullmatch(r"hearth: Stopped after (\d+) files?; hearth index goes on from there\.\n", err)
    assert said, err
    assert 0 < int(said[1]) < MANY
    assert typed("index", "verify").returncode == 0
    kept = json.loads(typed("index", "status", "--json").stdout)
    assert SHOP < kept["files"] < MANY
    rest = json.loads(typed("index", "--json").stdout)
    assert (rest["outcome"], rest["files"]) == ("done", MANY + SHOP + len(BESIDE))
    assert rest["lines"] < sum(len(it.read_text().splitlines()) for it in (large / "large").iterdir())


@pytest.mark.skipif(os.name != "posix", reason="needs process groups")
def test_interrupted_when_it_is_done(project: Path, hearth_home: Path) -> None:
    """Ctrl-C that comes after the last file comes too late: the success is said, and nothing else."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    with suppress(BlockingIOError):
        while os.write(writing, b" " * 4096):  # What it says has to wait: the pipe is full.
            pass
    os.set_blocking(writing, True)
    folder = store_folder(project, hearth_home / "cache")
    with in_a_terminal(project, writing) as process, open(reading, encoding="utf-8") as said:
        os.close(writing)
        while process.poll() is None and not is_complete(project, hearth_home):
            time.sleep(0.005)
        while process.poll() is None and is_held(folder, process.pid):
            time.sleep(0.005)
        os.killpg(process.pid, signal.SIGINT)
        out = said.read()
        _, err = process.communicate()
    assert (process.returncode, err) == (0, "")
    assert out.strip().startswith("5 files are indexed, 5 read now")


def is_complete(project: Path, home: Path) -> bool:
    """Whether all files are in the index."""
    address = f"file:{database(project, home)}?mode=ro"
    with suppress(sqlite3.Error), closing(sqlite3.connect(address, uri=True)) as connection:
        return bool(connection.execute("SELECT count(*) = 5 FROM file").fetchone()[0])
    return False
