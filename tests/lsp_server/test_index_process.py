"""The index's process as its client sees it: small real processes that speak its protocol, or do not."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any

import psutil
import pytest

from lsp_server import index_process as module
from lsp_server.index_process import NoAnswer, Service, command

HEAD = """
import json, os, pathlib, sys, time
def say(**it): print(json.dumps(it), flush=True)
def lines():
    with open("journal", "a") as journal:
        for line in sys.stdin:
            print(line, end="", file=journal, flush=True)
            yield json.loads(line)
def first_time():
    try:
        pathlib.Path("ran").touch(exist_ok=False)
    except FileExistsError:
        return False
    return True
"""
ECHOES = """
for it in lines():
    if "id" in it: say(id=it["id"], result=it["params"])
"""
BACKWARDS = """
held = []
for it in lines():
    if "id" in it: held.append(it)
    if len(held) == 3:
        for it in reversed(held): say(id=it["id"], result=it["params"])
"""
DIES_ONCE = """
for it in lines():
    if "id" in it:
        if first_time(): os.kill(os.getpid(), 9)
        say(id=it["id"], result="from the second")
"""
HANGS_ONCE = """
for it in lines():
    if "id" in it and it["method"] != "hang": say(id=it["id"], result="quick")
"""
REFUSES = """
for it in lines():
    if "id" in it: say(id=it["id"], error="There is no such kind.")
"""
NONSENSE = """
print("no json", flush=True); print("[]", flush=True); say(id="x", result=1); say(id=77, result=1); say(id=[])
say(event="status", state="ready")
for it in lines():
    if "id" in it: say(id=it["id"], result="all the same")
"""
STUBBORN = """
say(event="up")
while True: time.sleep(600)
"""
BROKEN = "raise ModuleNotFoundError('No module named faiss')"

Start = Callable[..., Service]


@pytest.fixture
async def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Start]:
    """Start a service that is this script."""
    monkeypatch.setattr(module, "PAUSES_SECONDS", (0.0,))
    started: list[Service] = []

    async def greet(service: Service) -> None:
        service.tell("hello")

    def run(
        script: str,
        on_event: Callable[[Mapping[str, Any]], None] = lambda said: None,
        is_busy: Callable[[], bool] = lambda: False,
    ) -> Service:
        it = Service([sys.executable, "-c", HEAD + script], tmp_path, greet, on_event, is_busy)
        started.append(it)
        return it

    yield run
    await asyncio.gather(*(it.close() for it in started))


def journal(path: Path) -> list[Any]:
    """What the processes were told, by method."""
    return [json.loads(line) for line in (path / "journal").read_text().splitlines()]


async def test_answers_come_in_any_order(start: Start) -> None:
    """Each goes to the one who asked."""
    it = start(BACKWARDS)
    said = await asyncio.gather(*(it.ask("search", {"query": name}, 30) for name in "abc"))
    assert said == [{"query": "a"}, {"query": "b"}, {"query": "c"}]


async def test_it_is_greeted_before_it_is_asked(start: Start, tmp_path: Path) -> None:
    """What is not saved is known before anything is looked for in it."""
    it = start(ECHOES)
    await it.ask("search", {}, 30)
    assert [said["method"] for said in journal(tmp_path)] == ["hello", "search"]


async def test_a_death_is_not_noticed_by_who_asks(start: Start, tmp_path: Path) -> None:
    """Its successor is greeted, and asked again."""
    it = start(DIES_ONCE)
    assert await it.ask("search", {}, 30) == "from the second"
    assert [said["method"] for said in journal(tmp_path)] == ["hello", "search", "hello", "search"]


async def test_who_waits_too_long_gets_a_sentence(start: Start, tmp_path: Path) -> None:
    """And the process is told that nobody waits any more; it answers the next one."""
    it = start(HANGS_ONCE)
    await it.ask("quick", {}, 30)
    with pytest.raises(NoAnswer, match=r"did not answer in time\.$"):
        await it.ask("hang", {}, 0.05)
    assert await it.ask("quick", {}, 30) == "quick"
    told = journal(tmp_path)
    (hung,) = (said["id"] for said in told if said["method"] == "hang")
    assert [said["params"] for said in told if said["method"] == "cancel"] == [{"id": hung}]


async def test_what_it_refuses_is_a_sentence(start: Start) -> None:
    """Its own words are for the user."""
    with pytest.raises(NoAnswer, match=r"^There is no such kind\.$"):
        await start(REFUSES).ask("search", {}, 30)


async def test_nonsense_is_no_answer_and_no_end(start: Start) -> None:
    """Lines that make no sense, and answers to nobody, are passed over; events are heard."""
    heard: list[Any] = []
    it = start(NONSENSE, heard.append)
    assert await it.ask("search", {}, 30) == "all the same"
    assert heard == [{"event": "status", "state": "ready"}]


async def test_one_that_always_dies_is_given_up_and_says_why(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Five deaths in a minute are enough; why is said once, and who asks then is answered at once."""
    monkeypatch.setattr(module, "START_SECONDS", 0.0)
    heard: list[Any] = []
    it = start(BROKEN, heard.append)
    with pytest.raises(NoAnswer) as caught:
        await it.ask("search", {}, 60)
    sentence = "The index is off: its process ended 5 times in a minute (ModuleNotFoundError)."
    assert (str(caught.value), it.problem, it.pid) == (sentence, sentence, None)
    with pytest.raises(NoAnswer, match="off"):
        await it.ask("search", {}, 60)
    assert heard == [{"event": "problem", "says": sentence}]


async def test_what_was_given_up_can_be_started_again(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """By hand: it has five tries again."""
    it = start(BROKEN)
    with pytest.raises(NoAnswer):
        await it.ask("search", {}, 60)
    monkeypatch.setattr(it, "_command", [sys.executable, "-c", HEAD + ECHOES])
    it.again()
    assert await it.ask("search", {"query": "x"}, 60) == {"query": "x"}


async def test_what_cannot_be_started_is_given_up(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """No interpreter, no rights: the same sentence."""
    it = start(ECHOES)
    monkeypatch.setattr(it, "_command", ["/no/such/program"])
    with pytest.raises(NoAnswer, match=r"\(FileNotFoundError\)"):
        await it.ask("search", {}, 60)


async def test_nothing_runs_before_its_time(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """The editor comes first; a question does not wait for that."""
    monkeypatch.setattr(module, "START_SECONDS", 3600.0)
    it = start(ECHOES)
    await asyncio.sleep(0.1)
    assert it.pid is None
    assert await it.ask("search", {}, 30) == {}


async def test_it_gives_way_to_who_waits_for_something_else(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first suggestion comes before it, but not for ever; a question does not wait for that."""
    monkeypatch.setattr(module, "START_SECONDS", 0.0)
    monkeypatch.setattr(module, "POLL_SECONDS", 0.01)
    is_busy = True
    one, asked = (start(ECHOES, is_busy=lambda: is_busy) for _ in range(2))
    await asyncio.sleep(0.2)
    assert (one.pid, asked.pid) == (None, None)
    assert await asked.ask("search", {}, 30) == {}
    assert one.pid is None
    is_busy = False
    while one.pid is None:  # noqa: ASYNC110  # it is being started
        await asyncio.sleep(0.01)
    monkeypatch.setattr(module, "MOST_SECONDS", 0.1)
    tired = start(ECHOES, is_busy=lambda: True)
    while tired.pid is None:  # noqa: ASYNC110  # it is being started
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("script", [ECHOES, STUBBORN])
async def test_closing_ends_it(start: Start, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """It ends when its input closes, and if it does not, it is made to."""
    monkeypatch.setattr(module, "START_SECONDS", 0.0)
    monkeypatch.setattr(module, "END_SECONDS", 0.2)
    it = start(script)
    while it.pid is None:  # noqa: ASYNC110  # it is being started
        await asyncio.sleep(0.01)
    running = psutil.Process(it.pid)
    await it.close()
    psutil.wait_procs([running])
    assert not running.is_running()


def test_the_command_line_is_the_services() -> None:
    """No folder called codeindex in a project is run in its place; options are one argument."""
    given = command("/project", Path("/cache"), {"embedder": ""})
    assert given[:5] == [sys.executable, "-P", "-m", "codeindex", "serve"]
    assert given[-1] == '{"embedder": ""}'
