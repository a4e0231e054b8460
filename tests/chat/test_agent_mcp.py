"""Servers of the user's settings, as real processes: started with little, bounded, and gone at the end."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest

from chat import tools
from chat.agent_mcp import Limits, Tools, opened
from chat.agent_process import environment
from chat.agent_server import ServerSpec
from tests.chat import mcp_servers

pytestmark = pytest.mark.e2e

SCRIPT = Path(mcp_servers.__file__)
PATIENT = Limits(start_s=60.0, call_s=60.0)
SHORT = Limits(start_s=60.0, call_s=0.5)
HURRIED = Limits(start_s=0.5, call_s=0.5)


def spec(mode: str = "good", *more: str, name: str = "test", **env: str) -> ServerSpec:
    return ServerSpec(name=name, command=sys.executable, args=(str(SCRIPT), mode, *more), env=env)


@asynccontextmanager
async def running(
    folder: Path, *specs: ServerSpec, limits: Limits = PATIENT, allowed: tuple[str, ...] = ()
) -> AsyncIterator[Tools]:
    async with opened(
        specs or (spec(),), allowed, workspace="/some/project", folder=folder, limits=limits
    ) as box:
        yield box
    left = [it for it in psutil.Process().children(recursive=True) if is_ours(it)]
    assert left == []


def is_ours(process: psutil.Process) -> bool:
    try:
        return str(SCRIPT) in process.cmdline() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


async def test_its_tools_are_called(tmp_path: Path) -> None:
    """By names that are none of ours; what has no room is counted."""
    async with running(tmp_path) as box:
        names = [it.name for it in box.specs]
        assert names[:3] == ["test__echo", "test__where", "test__fail"]
        assert "test__odd_name_" in names
        assert not set(names) & set(tools.TOOLS)
        assert all(len(it.description) == 1000 for it in box.specs)
        said = await box.call("test__echo", {"a": [1, "é"]}, 8000)
        assert (json.loads(said.text), said.is_error) == ({"a": [1, "é"]}, False)
        assert (await box.call("test__fail", {}, 8000)).is_error
        big = (await box.call("test__big", {}, 8000)).text
        assert big == "x" * 8000 + "…\n(92,000 more characters have no room here.)"
        assert (await box.call("test__odd_name_", {}, 8000)).text == "(It said nothing.)"


async def test_all_of_a_call_is_shown(tmp_path: Path) -> None:
    """With the server's own name, and nothing for a tool that is not there."""
    async with running(tmp_path, allowed=("test/echo", "other/where", "test/*")) as box:
        asking = box.asking("test__echo", {"path": "/x", "text": "y" * 9000})
        assert asking
        assert (asking.name, json.loads(asking.arguments)["text"]) == ("test/echo", "y" * 9000)
        assert box.asking("search", {}) is None
        assert box.asking("test__nothing", {}) is None
        assert box.is_allowed(asking)
        where = box.asking("test__where", {})
        assert where
        assert not box.is_allowed(where)  # Of another server, or by a pattern: neither allows it.


async def test_it_is_started_with_little(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No key of ours, no folder of the project, no way into it by a relative path."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    monkeypatch.setenv("PYTHONPATH", "node_modules")
    monkeypatch.setenv("PATH", f".:node_modules/.bin:{Path(sys.executable).parent}:/usr/bin:/bin")
    async with running(tmp_path, spec("good", "--root=${workspace}", MY_TOKEN="t")) as box:
        said = json.loads((await box.call("test__where", {}, 100_000)).text)
    assert said["cwd"] == str(tmp_path)
    assert said["args"] == ["good", "--root=/some/project"]
    assert said["env"]["MY_TOKEN"] == "t"
    assert not {"OPENAI_API_KEY", "PYTHONPATH", "HEARTH_HOME"} & said["env"].keys()
    assert said["env"]["PATH"] == f"{Path(sys.executable).parent}:/usr/bin:/bin"
    assert environment({})["PATH"] == said["env"]["PATH"]


@pytest.mark.parametrize(
    ("bad", "limits", "says"),
    [
        (spec("exits"), PATIENT, "MCP server test "),
        (spec("silent"), HURRIED, "The MCP server test did not start in time."),
        (
            ServerSpec(name="test", command="/no/such/program"),
            PATIENT,
            "The MCP server test does not start (FileNotFoundError).",
        ),
        (
            ServerSpec(name="test", command="a\0b"),
            PATIENT,
            "The MCP server test does not start (ValueError).",
        ),
        (
            ServerSpec(name="test", command="/bin/sh", args=("-c", "yes")),
            PATIENT,
            "MCP server test ",
        ),
        (
            ServerSpec(name="test", command="/bin/cat", args=("/dev/zero",)),
            PATIENT,
            "MCP server test ",
        ),
    ],
)
async def test_one_that_does_not_start(tmp_path: Path, bad: ServerSpec, limits: Limits, says: str) -> None:
    """One sentence; the others are there all the same."""
    async with running(tmp_path, bad, limits=limits) as box:
        assert box.specs == ()
        assert says in box.problems[0]
    if limits is PATIENT:
        async with running(tmp_path, bad, spec(name="good")) as box:
            assert [it.name for it in box.specs][:1] == ["good__echo"]
            assert len(box.problems) == 1


async def test_one_that_prints_what_is_no_message(tmp_path: Path) -> None:
    """It is passed over."""
    async with running(tmp_path, spec("nonsense")) as box:
        assert (await box.call("test__echo", {}, 8000)).text == "{}"


@pytest.mark.parametrize(
    ("tool", "limits", "says"),
    [
        ("die", PATIENT, "The MCP server test has ended."),
        ("slow", SHORT, "The MCP server test did not answer in time and was ended."),
        ("flood", PATIENT, "The MCP server test has ended."),
        ("endless", PATIENT, "The MCP server test has ended."),
    ],
)
async def test_one_that_dies_hangs_or_floods(tmp_path: Path, tool: str, limits: Limits, says: str) -> None:
    """The call ends with a sentence, later ones too, and the process is gone."""
    async with running(tmp_path, limits=limits) as box:
        said = await box.call(f"test__{tool}", {}, 8000)
        assert (said.text, said.is_error) == (says, True)
        again = await box.call("test__echo", {}, 8000)
        assert (again.text, again.is_error) == (says, True)


@pytest.mark.parametrize("mode", ["good", "stays"])
async def test_nothing_is_left_behind(tmp_path: Path, mode: str) -> None:
    """Neither the server, also where it does not want to end, nor what it has started."""
    async with running(tmp_path, spec(mode)) as box:
        child = psutil.Process(int((await box.call("test__child", {}, 8000)).text))
        assert child.is_running()
    gone, alive = psutil.wait_procs([child], timeout=30)
    assert (len(gone), alive) == (1, [])


async def test_a_question_that_is_stopped_ends_them(tmp_path: Path) -> None:
    """Whoever waits for an answer is cancelled, and the server goes."""
    ready = asyncio.Event()

    async def work() -> None:
        async with running(tmp_path) as box:
            ready.set()
            await box.call("test__slow", {}, 8000)

    task = asyncio.create_task(work())
    await ready.wait()
    await asyncio.sleep(0.1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [it for it in psutil.Process().children(recursive=True) if is_ours(it)] == []


async def test_calls_side_by_side(tmp_path: Path) -> None:
    """Each gets its own answer."""
    async with running(tmp_path) as box:
        said = await asyncio.gather(*(box.call("test__echo", {"n": it}, 8000) for it in range(20)))
    assert [json.loads(it.text)["n"] for it in said] == list(range(20))
