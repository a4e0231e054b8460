"""The index's service and its writer as real processes: what they answer, and what they survive."""

from __future__ import annotations

import os
import random
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from benchmarks.index_client import Client, NoAnswer
from codeindex.build_rules import rules
from codeindex.store import open_reader, open_writer, store_folder
from tests.codeindex.git import git, needs_git

pytestmark = pytest.mark.e2e


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A small project."""
    folder = tmp_path / "project"
    for number in range(12):
        write(
            folder,
            f"pkg/m{number}.py",
            f"def walrus_{number}(a):\n    return penguin_{number}(a) + {number}\n",
        )
    write(folder, "pkg/use.py", "from pkg.m1 import walrus_1\n\n\ndef caller():\n    return walrus_1(2)\n")
    return folder


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """Where the index lies."""
    return tmp_path / "cache"


@pytest.fixture
def service(root: Path, cache: Path) -> Iterator[Client]:
    """A service that has indexed the project."""
    with Client(root, cache) as client:
        client.until_ready()
        yield client


def write(root: Path, path: str, text: str) -> None:
    """Make a file."""
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text, encoding="utf-8")


def finds(client: Client, name: str) -> bool:
    """Whether a definition is found, as a hit."""
    return any(it["name"] == name for it in client.hits(name))


def complaints(root: Path, cache: Path) -> list[str]:
    """What is wrong with an index that nobody writes to."""
    with open_writer(store_folder(root, cache), rules=rules()) as writer:
        return writer.verify()


def test_every_question_is_answered(service: Client) -> None:
    """Each method gives what it says, of what is on disk."""
    assert service.hits("walrus_3")[0]["path"] == "pkg/m3.py"
    assert "why" not in service.hits("walrus_3")[0]
    assert service.hits("walrus_3", why=True)[0]["why"]
    assert service.hits("walrus_3", paths=["other/"]) == []
    assert (
        service.hits("walrus_3", limit=1, kinds=["function"], languages=["python"])[0]["name"] == "walrus_3"
    )
    names = [it["name"] for it in service.ask("symbols", query="WALRUS_1")["symbols"]]
    assert names[0] == "walrus_1"
    assert {"walrus_10", "walrus_11"} <= set(names)
    assert [it["name"] for it in service.ask("outline", path="pkg/use.py")["symbols"]] == ["caller"]
    (edge,) = service.ask("callers", name="walrus_1")["edges"]
    assert (edge["path"], edge["line"], edge["caller"]["name"]) == ("pkg/use.py", 5, "caller")
    (called,) = service.ask("callees", name="caller", path="pkg/use.py")["edges"]
    assert called["target"]["path"] == "pkg/m1.py"
    (meant,) = service.ask("definitions", names=["walrus_1"], path="pkg/use.py")["hits"]
    assert meant["text"].startswith("def walrus_1(a):")
    text = "def walrus_5(a):\n    return penguin_5(a) + 5\n"
    assert service.ask("similar", text=text, path="x.py", limit=1)["hits"][0]["path"] == "pkg/m5.py"
    assert "walrus_1" in service.ask("map", tokens=500, focus=["pkg/m1.py"])["text"]
    status = service.ask("status")
    assert (status["files"], status["writer"], status["problem"]) == (13, "here", "")


def test_a_save_is_found_and_a_deletion_is_not(service: Client, root: Path) -> None:
    """With a word from the editor and without, in old and in new folders."""
    write(root, "pkg/m1.py", "def saved_by_the_editor():\n    pass\n")
    service.tell("saved", paths=["pkg/m1.py"])
    service.until(lambda: finds(service, "saved_by_the_editor"))
    assert not finds(service, "walrus_1")
    write(root, "new/deep/er/m.py", "def from_outside():\n    pass\n")
    service.until(lambda: finds(service, "from_outside"))
    (root / "pkg/m2.py").unlink()
    assert not finds(service, "walrus_2")
    shutil.rmtree(root / "new")
    assert not finds(service, "from_outside")
    service.until(lambda: service.ask("status")["files"] == 12)


def test_buffers_count_while_they_are_unsaved(service: Client, root: Path) -> None:
    """What is on screen is found, what it replaced is not; closed, the file counts again."""
    service.tell("buffer", path="pkg/m1.py", text="def only_on_screen():\n    pass\n")
    (hit,) = (it for it in service.hits("only_on_screen") if it["name"] == "only_on_screen")
    assert (hit["path"], hit["unsaved"]) == ("pkg/m1.py", True)
    assert not finds(service, "walrus_1")
    assert [it["name"] for it in service.ask("symbols", query="only_on")["symbols"]] == ["only_on_screen"]
    assert [it["name"] for it in service.ask("outline", path="pkg/m1.py")["symbols"]] == ["only_on_screen"]
    service.tell("buffer", path="pkg/m1.py", text=None)
    assert not finds(service, "only_on_screen")
    assert finds(service, "walrus_1")


def test_a_saved_buffer_is_never_lost_from_sight(service: Client, root: Path) -> None:
    """Between the save and its commit the buffer still answers, and then the index does."""
    text = "def written_now():\n    pass\n"
    service.tell("buffer", path="pkg/m1.py", text=text)
    write(root, "pkg/m1.py", text)
    service.tell("buffer", path="pkg/m1.py", text=None)
    service.tell("saved", paths=["pkg/m1.py"])
    for _ in range(50):
        assert finds(service, "written_now")
    service.until(lambda: service.ask("definitions", names=["written_now"], path="pkg/use.py") is not None)
    write(root, "pkg/m1.py", "def changed_behind():\n    pass\n")
    assert not finds(service, "written_now")


def test_secrets_are_not_found_not_even_open(service: Client) -> None:
    """A buffer belongs by the same rules as a file."""
    service.tell("buffer", path=".env", text="WALRUS_TOKEN=abc\n")
    service.tell("buffer", path="../elsewhere.py", text="def outside_of_it():\n    pass\n")
    assert not any(it["path"] == ".env" for it in service.hits("WALRUS_TOKEN"))
    assert not finds(service, "outside_of_it")


def test_garbage_gets_a_sentence(service: Client) -> None:
    """Nothing that comes in ends the service, and every id gets exactly one answer."""
    for line in (b"\xff\xfe\n", b"{\n", b"[1]\n", b"null\n", b"{}\n", b'{"id": {}}\n', b'{"method": 7}\n'):
        service.write(line)
    wrong = [
        b'{"id": "a", "method": "no such"}\n',
        b'{"id": "b", "method": "search"}\n',
        b'{"id": "c", "method": "search", "params": [1]}\n',
        b'{"id": "d", "method": "search", "params": {"query": "x", "limit": -1}}\n',
        b'{"id": "e", "method": "search", "params": {"query": "x", "kinds": ["no"]}}\n',
        b'{"id": "f"}\n',
    ]
    for line in wrong:
        service.write(line)
    for number in "abcdef":
        with pytest.raises(NoAnswer, match=r"^[A-Z].*\.$"):
            service.wait_for(number)
    for query in ("", "\0", '" OR *', "((", "a" * 100_000, "NEAR(", "\ud800"):
        service.ask("search", query=query)
        service.ask("symbols", query=query)
    assert finds(service, "walrus_1")
    assert set(service.counts.values()) == {1}
    problems = [it["says"] for it in service.events if it["event"] == "problem"]
    assert len(problems) == 7


def test_cancelled_and_answered_once(service: Client) -> None:
    """Whoever cancels gets an answer too, one."""
    numbers = [service.send("map", tokens=2_000) for _ in range(20)]
    for it in numbers[1:]:
        service.tell("cancel", id=it)
    service.tell("cancel", id="unknown")
    service.wait_for(numbers[0])
    for it in numbers[1:]:
        with pytest.raises(NoAnswer, match="Cancelled"):
            service.wait_for(it)
    assert finds(service, "walrus_1")
    assert set(service.counts.values()) == {1}


def test_a_killed_writer_is_replaced(root: Path, cache: Path) -> None:
    """However often it dies while it indexes, in the end everything is there and agrees."""
    for number in range(150):
        write(root, f"many/n{number}.py", f"def otter_{number}():\n    return {number}\n" * 30)
    chance = random.Random(5)
    with Client(root, cache) as service:
        for _ in range(3):
            service.until(lambda: service.writer() is not None)
            time.sleep(0.4 * chance.random())
            pid = service.writer()
            if pid:
                os.kill(pid, signal.SIGKILL)
                service.until(lambda gone=pid: service.writer() != gone)  # type: ignore[misc]
        service.until_ready()
        assert service.ask("status")["files"] == 163
        assert service.hits("otter_149")[0]["path"] == "many/n149.py"
    assert complaints(root, cache) == []


def test_the_writer_ends_with_its_service(service: Client) -> None:
    """Closed or killed: nothing is left behind."""
    service.until(lambda: service.writer() is not None)
    family = psutil.Process(service.process.pid).children(recursive=True)
    assert family
    service.close()
    assert service.process.returncode == 0
    psutil.wait_procs(family, timeout=10)
    assert not any(it.is_running() for it in family)


def test_two_services_share_one_writer(service: Client, root: Path, cache: Path) -> None:
    """Both answer the same; when one is killed with its writer, the other takes over."""
    with Client(root, cache) as other:
        other.until(lambda: other.ask("status")["writer"] == "elsewhere")
        first = service.writer()
        write(root, "pkg/m1.py", "def seen_by_both():\n    pass\n")
        service.tell("saved", paths=["pkg/m1.py"])
        for client in (service, other):
            client.until(lambda it=client: finds(it, "seen_by_both"))  # type: ignore[misc]
        assert service.hits("walrus") == other.hits("walrus")
        assert other.ask("status")["state"] == "ready"
        assert first is not None
        os.kill(first, signal.SIGKILL)
        service.kill()
        other.until(lambda: other.ask("status")["writer"] == "here")
        write(root, "pkg/m2.py", "def after_the_other():\n    pass\n")
        other.until(lambda: finds(other, "after_the_other"))


def paths(service: Client, query: str) -> list[str]:
    """Where the hits are."""
    return [it["path"] for it in service.hits(query)]


@needs_git
def test_a_branch_is_switched(root: Path, cache: Path) -> None:
    """Hundreds of files at once: what the branch has is found, what it has not is not; and back again."""
    git(root, "init", "-q", "-b", "main")
    git(root, "add", ".")
    git(root, "commit", "-q", "-m", "one")
    git(root, "checkout", "-q", "-b", "other")
    for number in range(400):
        write(root, f"lots/k{number}.py", f"def heron_{number}():\n    return {number}\n")
    shutil.move(root / "pkg", root / "renamed")
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "two")
    git(root, "checkout", "-q", "main")
    with Client(root, cache) as service:
        service.until_ready()
        assert not finds(service, "heron_7")
        git(root, "checkout", "-q", "other")
        service.until(lambda: service.ask("status")["files"] == 413)
        assert finds(service, "heron_399")
        service.until(lambda: paths(service, "walrus_3")[:1] == ["renamed/m3.py"])  # It may be two batches.
        git(root, "checkout", "-q", "main")
        assert not finds(service, "heron_399")
        service.until(lambda: service.ask("status")["files"] == 13)
        service.until(lambda: paths(service, "walrus_3")[:1] == ["pkg/m3.py"])  # It may be two batches.


def test_a_folder_that_vanishes_and_comes_back(service: Client, root: Path) -> None:
    """Without the folder nothing is found and nothing breaks; when it is there again, all of it is."""
    kept = root.with_name("kept")
    root.rename(kept)
    assert not finds(service, "walrus_1")
    service.event(lambda it: "not there any more" in it.get("says", ""))
    kept.rename(root)
    assert finds(service, "walrus_1")
    write(root, "pkg/m1.py", "def back_again():\n    pass\n")
    service.until(lambda: finds(service, "back_again"))


def test_a_cache_that_cannot_be_written(root: Path, tmp_path: Path) -> None:
    """One sentence, and answers without an index."""
    (tmp_path / "file").write_text("")
    with Client(root, tmp_path / "file" / "cache") as service:
        said = service.event(lambda it: it["event"] == "problem")
        assert said["says"].startswith("The index cannot be written")
        service.until(lambda: service.ask("status")["state"] == "failed")
        assert service.hits("walrus_1") == []
        assert service.ask("symbols", query="walrus")["symbols"] == []
        assert len([it for it in service.events if it["event"] == "problem"]) == 1


def test_a_damaged_index_is_made_again(root: Path, cache: Path) -> None:
    """Damaged before it starts, or while it runs: the service stays, and everything is found again."""
    with Client(root, cache) as service:
        service.until_ready()
    path = store_folder(root, cache) / "index.sqlite"
    for it in path.parent.glob("index.sqlite-*"):
        it.unlink()
    path.write_bytes(b"no database at all" * 1_000)
    with Client(root, cache) as service:
        service.until(lambda: finds(service, "walrus_1"))
        service.until(lambda: service.ask("status")["writer"] == "here")
        service.until_ready()
        with path.open("r+b") as file:
            half = path.stat().st_size // 2
            file.seek(half)
            file.write(os.urandom(half))
        pid = service.writer()
        assert pid is not None
        os.kill(pid, signal.SIGKILL)

        def works() -> bool:
            try:
                return finds(service, "walrus_1")
            except NoAnswer:
                return False

        service.until(works)
        assert service.process.poll() is None
    assert complaints(root, cache) == []


def test_paused_and_resumed(service: Client, root: Path) -> None:
    """Paused, nothing new is indexed; resumed, what has changed meanwhile is."""
    service.tell("pause")
    service.until(lambda: service.ask("status")["state"] == "paused")
    service.event(lambda it: it.get("state") == "paused")
    write(root, "pkg/m1.py", "def while_it_slept():\n    pass\n")
    assert finds(service, "walrus_2")
    service.tell("resume")
    service.until(lambda: finds(service, "while_it_slept"))
    assert service.until_ready()["state"] == "ready"


def test_no_watches_are_left(root: Path, cache: Path) -> None:
    """Without the system's help changes are found a little later, and that is said once."""
    with Client(root, cache, {"watch": False}) as service:
        service.until_ready()
        write(root, "pkg/m1.py", "def found_by_looking():\n    pass\n")
        service.until(lambda: finds(service, "found_by_looking"))
        write(root, "pkg/m1.py", "def found_at_once():\n    pass\n")
        service.tell("saved", paths=["pkg/m1.py"])
        service.until(lambda: finds(service, "found_at_once"))


def test_who_has_no_model_does_not_pay_for_one(service: Client) -> None:
    """Neither faiss nor onnxruntime is in the memory of either process."""
    if not sys.platform.startswith("linux"):
        pytest.skip("only Linux says what a process has mapped")
    for pid in (service.process.pid, service.writer()):
        mapped = Path(f"/proc/{pid}/maps").read_text()
        assert "faiss" not in mapped
        assert "onnxruntime" not in mapped


def test_readers_see_the_same_generation(service: Client, root: Path, cache: Path) -> None:
    """What the service says it answers from is what is on disk."""
    reader = open_reader(store_folder(root, cache))
    assert reader is not None
    with reader:
        assert service.ask("search", query="walrus")["generation"] == reader.generation()
