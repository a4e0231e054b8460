"""How an engine process begins and ends: exit codes, one sentence each, nothing left behind."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import httpx
import pytest

from models.engine.__main__ import main
from tests.conftest import HOME
from tests.models.engine.process import PATIENCE_S, ROOT, command, engine, run

pytestmark = pytest.mark.e2e

COMPLETIONS = "/v1/completions"


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a path short enough for a socket."""
    path = Path(tempfile.mkdtemp(prefix="f-", dir=HOME))
    yield path
    shutil.rmtree(path)


def test_a_second_engine_leaves_quietly(tiny_model: Path) -> None:
    """Many windows start one at once; whoever holds the lock stays, and its socket is not touched."""
    with engine(tiny_model) as first:
        second = run("--model", tiny_model, "--socket", first.socket, "--lock", first.folder / "lock")
        assert (second.returncode, second.stdout) == (0, "")
        with first.client() as client:
            assert client.get("/health").json()["pid"] == first.process.pid


def test_a_signal_ends_it_whoever_holds_it(tiny_model: Path) -> None:
    """A lease and a running answer do not keep it; the socket goes, the lock is free, the next one starts."""
    with engine(tiny_model) as it:
        with it.client() as client, client.stream("GET", "/hearth/events") as lease:
            lines = lease.iter_lines()
            next(lines)
            assert it.end() == 0
        assert not it.socket.exists()
        assert "Traceback" not in it.log
        assert "Cancel" not in it.log, "nothing had to be broken off"
        with engine(tiny_model, folder=it.folder):
            pass


def test_a_signal_in_the_middle_of_an_answer(tiny_model: Path) -> None:
    """Each client gets its answer, or hears that there will be none; the exit code is still 0."""
    statuses: list[int | str] = []

    def ask(connection: HTTPConnection) -> None:
        body = {"prompt": "x = ", "max_tokens": 2000, "temperature": 9.0, "top_k": 0, "seed": 5}
        try:
            connection.request("POST", COMPLETIONS, json.dumps(body), {"Content-Type": "application/json"})
            statuses.append(connection.getresponse().status)
        except (HTTPException, OSError):
            statuses.append("closed")

    with engine(tiny_model) as it, ExitStack() as clients:
        connections = [clients.enter_context(it.connected()) for _ in range(6)]
        threads = [threading.Thread(target=ask, args=(connection,)) for connection in connections]
        for thread in threads:
            thread.start()
        it.wait_for(lambda: it.metric("ready"), 1)
        assert it.end() == 0
        for thread in threads:
            thread.join()
        assert len(statuses) == len(threads)
        assert set(statuses) <= {200, 503, "closed"}
        assert "Traceback" not in it.log


def test_it_ends_by_itself_when_nobody_needs_it(tiny_model: Path) -> None:
    """Held while somebody listens to its events, gone soon after."""
    with engine(tiny_model, "--linger", "0.5") as it:
        with it.client() as client, client.stream("GET", "/hearth/events") as lease:
            lines = lease.iter_lines()
            next(lines)
            with pytest.raises(subprocess.TimeoutExpired):
                it.process.wait(1.5)
        assert it.process.wait(PATIENCE_S) == 0
        assert not it.socket.exists()


def test_it_ends_when_it_is_asked_to(tiny_model: Path) -> None:
    """Another version wants to take its place."""
    with engine(tiny_model) as it, it.client() as client:
        assert client.post("/hearth/shutdown").status_code == 202
        assert it.process.wait(PATIENCE_S) == 0


def test_a_stale_socket_is_replaced(tiny_model: Path) -> None:
    """It was killed and left its file."""
    with engine(tiny_model) as it:
        it.process.kill()
        it.process.wait()
        assert it.socket.exists()
        with engine(tiny_model, folder=it.folder) as next_one, next_one.client() as client:
            assert client.get("/health").json()["pid"] == next_one.process.pid


def test_a_port_needs_the_token(tiny_model: Path, folder: Path) -> None:
    """Other users of the machine can reach a port; the token is in a file that only the user can read."""
    token, port = folder / "token", folder / "port"
    files = ("--token-file", token, "--port-file", port, "--lock", folder / "lock")
    wanted = command("--model", tiny_model, "--port", "0", *files)
    with subprocess.Popen(wanted, cwd=ROOT) as process:
        try:
            while not port.exists():
                assert process.poll() is None
                time.sleep(0.02)
            assert [it.stat().st_mode & 0o777 for it in (token, port)] == [0o600, 0o600]
            right = {"authorization": f"Bearer {token.read_text()}"}
            with httpx.Client(base_url=f"http://127.0.0.1:{port.read_text()}", timeout=PATIENCE_S) as client:
                for wrong in ({}, {"authorization": "Bearer x"}, {"authorization": token.read_text()}):
                    for path in ("/health", "/metrics", "/none"):
                        assert client.get(path, headers=wrong).status_code == 401
                    assert client.post(COMPLETIONS, json={"prompt": "x"}, headers=wrong).status_code == 401
                assert client.get("/health", headers=right).status_code == 200
                assert client.post(COMPLETIONS, json={"prompt": "x"}, headers=right).status_code == 200
            process.terminate()
            assert process.wait(PATIENCE_S) == 0
            assert not token.exists()
            assert not port.exists()
        finally:
            process.kill()


BAD_MODELS: dict[str, Callable[[bytes], bytes]] = {
    "is not a GGUF model file.": lambda _: b"",
    "is incomplete: 0.2 of 0.5 MB are there; fetch it again.": lambda data: data[: len(data) // 2],
    "is damaged or incomplete; fetch it again.": lambda data: data[:1000],
    "is GGUF version 9; versions 2 and 3 are supported.": lambda data: data[:4] + b"\x09\0\0\0" + data[8:],
}


@pytest.mark.parametrize("sentence", BAD_MODELS)
def test_a_file_that_is_no_model(tiny_model: Path, folder: Path, sentence: str) -> None:
    """One sentence on stderr, exit code 3, no socket."""
    path = folder / "model.gguf"
    path.write_bytes(BAD_MODELS[sentence](tiny_model.read_bytes()))
    ended = run("--model", path, "--socket", folder / "s")
    assert (ended.returncode, ended.stdout) == (3, "")
    assert ended.stderr == f"hearth engine: model.gguf {sentence}\n"
    assert not (folder / "s").exists()


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("{folder}", "There is no model file at {folder}."),
        ("{folder}/none.gguf", "There is no model file at {folder}/none.gguf."),
        ("none", "No model is called 'none'; known: starter, or the path of a .gguf file."),
        ("/proc/self/mem", "cannot be read: Input/output error."),
    ],
)
def test_a_name_of_no_model(folder: Path, name: str, sentence: str) -> None:
    """The same for a folder, nothing, and a file that cannot be read."""
    if name.startswith("/proc") and not Path(name).exists():
        pytest.skip("this system has no such file")
    ended = run("--model", name.format(folder=folder), "--socket", folder / "s")
    assert (ended.returncode, ended.stdout) == (3, "")
    assert ended.stderr.startswith("hearth engine: ")
    assert ended.stderr.endswith(f"{sentence.format(folder=folder)}\n")


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--port", "0"),
        ("--port", "99999", "--token-file", "t"),
        ("--socket", "s", "--port", "1"),
        ("--socket", "s", "--threads", "0"),
        ("--socket", "s", "--threads", "-3"),
        ("--socket", "s", "--context", "-1"),
        ("--socket", "s", "--linger", "nan"),
        ("--socket", "s", "--idle-unload", "inf"),
        ("--socket", "s", "--linger", "-1"),
        ("--socket", "s", "--what"),
    ],
)
def test_arguments_that_make_no_sense(arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    """They are refused before anything begins."""
    monkeypatch.setattr("sys.argv", ["hearth engine", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2


@pytest.mark.parametrize("socket", ["none/engine.sock", "x" * 200])
def test_a_socket_that_cannot_be(tiny_model: Path, folder: Path, socket: str) -> None:
    """A folder that is not there, a path too long."""
    ended = run("--model", tiny_model, "--socket", folder / socket)
    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1].startswith("hearth engine: cannot serve: ")
    assert "Traceback" not in ended.stderr


def test_a_file_in_the_socket_s_place_is_kept(tiny_model: Path, folder: Path) -> None:
    """It was somebody's slip, and nothing of ours."""
    (folder / "thesis.txt").write_text("precious")
    ended = run("--model", tiny_model, "--socket", folder / "thesis.txt")
    assert ended.returncode == 1
    assert ended.stderr.endswith("Address already in use\n")
    assert (folder / "thesis.txt").read_text() == "precious"
