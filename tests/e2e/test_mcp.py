"""`hearth mcp` as another assistant uses it: the protocol's own client, over the pipes of a real process."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters, stdio_client

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).resolve().parent.parent.parent
CART = "def total(prices):\n    return sum(prices)\n"
TILL = "from cart import total\n\n\ndef pay(prices):\n    return total(prices)\n"
PATIENCE_S = 60.0  # Far above what anything here takes.


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "shop"
    root.mkdir()
    (root / "cart.py").write_text(CART)
    (root / "till.py").write_text(TILL)
    (root / ".env").write_text("PASSWORD=hunter2hunter2\n")
    (tmp_path / "outside.py").write_text("SECRET = 1\n")
    (root / "link.py").symlink_to(tmp_path / "outside.py")
    return root


def environment(home: Path) -> dict[str, str]:
    """What the process gets beside what the client gives by itself."""
    return {"HEARTH_HOME": str(home), "PYTHONPATH": str(ROOT), "HOME": os.environ["HOME"]}


@asynccontextmanager
async def connected(project: Path, home: Path) -> AsyncIterator[Client]:
    arguments = ["-m", "lsp_server.cli", "mcp", "--root", str(project)]
    server = StdioServerParameters(
        command=sys.executable, args=arguments, env=environment(home), cwd=str(project)
    )
    async with Client(stdio_client(server)) as client:
        yield client


async def said(client: Client, tool: str, **arguments: Any) -> tuple[str, bool]:
    """The text of a call, and whether it is an error."""
    result = await client.call_tool(tool, arguments)
    assert [it.type for it in result.content] == ["text"]
    return result.content[0].text, result.is_error  # type: ignore[union-attr]  # a text, as just seen


async def test_what_another_assistant_gets(project: Path, hearth_home: Path) -> None:
    """Six tools that say they only read, and their answers from an index that is made first."""
    async with connected(project, hearth_home) as client:
        listed = (await client.list_tools()).tools
        assert [it.name for it in listed] == ["search", "symbols", "callers", "callees", "map", "read_lines"]
        assert all(it.annotations and it.annotations.read_only_hint for it in listed)
        assert all(it.input_schema["additionalProperties"] is False for it in listed)
        text, is_error = await said(client, "callers", name="total")
        assert (text.startswith("till.py:5  in pay  (certain)"), is_error) == (True, False)
        assert (await said(client, "search", query="sum of prices"))[0].startswith("cart.py:1-2  total\ndef")
        assert "cart.py:1  function" in (await said(client, "symbols", query="total"))[0]
        assert "total -> cart.py:1" in (await said(client, "callees", name="pay"))[0]
        assert "def pay(prices)" in (await said(client, "map", tokens=500))[0]
        assert (await said(client, "read_lines", path="cart.py"))[0] == (
            "cart.py, lines 1-2 of 2:\ndef total(prices):\n    return sum(prices)"
        )


async def test_it_follows_the_files(project: Path, hearth_home: Path) -> None:
    """What was written before it started is known at once, and what is written meanwhile soon after."""
    async with connected(project, hearth_home) as client:
        assert "total" in (await said(client, "symbols", query="total"))[0]
    (project / "later.py").write_text("def refund(prices):\n    return -sum(prices)\n")
    async with connected(project, hearth_home) as client:
        assert "later.py:1" in (await said(client, "symbols", query="refund"))[0]
        (project / "now.py").write_text("def discount(prices):\n    return 1\n")
        await until(client, "now.py:1", is_there=True)
        (project / "now.py").unlink()
        await until(client, "now.py:1", is_there=False)


async def until(client: Client, place: str, *, is_there: bool) -> None:
    """Ask until the answer has the place, or has it no more."""
    async with asyncio.timeout(PATIENCE_S):
        for _ in itertools.count():
            if (place in (await said(client, "symbols", query="discount"))[0]) == is_there:
                return
            await asyncio.sleep(0.1)


async def test_what_it_does_not_do(project: Path, hearth_home: Path) -> None:
    """Secrets, links and paths that lead outside, unknown tools and wrong arguments: a sentence each."""
    async with connected(project, hearth_home) as client:
        for path in (
            ".env",
            "../outside.py",
            "link.py",
            str(project.parent / "outside.py"),
            "/etc/passwd",
            "no",
        ):
            text, is_error = await said(client, "read_lines", path=path)
            assert is_error, path
            assert "is no file of this project that may be read" in text
            assert "SECRET" not in text
        for tool, arguments, sentence in (
            ("rm", {"path": "cart.py"}, "There is no tool 'rm'"),
            ("diff", {}, "There is no tool 'diff'"),
            ("search", {}, "search needs the argument 'query'"),
            ("search", {"query": 1}, "is a text"),
            ("map", {"tokens": 10**9}, "is a whole number from 50 to 20000"),
        ):
            text, is_error = await said(client, tool, **arguments)
            assert (is_error, sentence in text) == (True, True)


async def test_big_answers_have_their_bounds(project: Path, hearth_home: Path) -> None:
    """No assistant is flooded."""
    (project / "big.py").write_text("".join(f"x{it} = {it}  # {'y' * 80}\n" for it in range(9000)))
    async with connected(project, hearth_home) as client:
        text, _ = await said(client, "read_lines", path="big.py")
        assert len(text) < 21_000
        assert "go on from line" in text


def test_nothing_but_the_protocol_is_on_its_output(project: Path, hearth_home: Path) -> None:
    """Nonsense between the messages ends nothing, and every line that it writes is a message."""
    hello = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}
    lines = [
        json.dumps({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": hello}),
        json.dumps({"jsonrpc": "2.0", "method": "notifications/initialized"}),
        "this is no json",
        '{"jsonrpc": "2.0"}',
        json.dumps({"jsonrpc": "2.0", "id": 2, "method": "no/such/method"}),
        json.dumps(
            {
                "jsonrpc": "2.0",
                "id": 3,
                "method": "tools/call",
                "params": {"name": "read_lines", "arguments": {"path": "cart.py"}},
            }
        ),
    ]
    command = [sys.executable, "-m", "lsp_server.cli", "mcp"]
    running = subprocess.Popen(
        command,
        cwd=project,
        env=os.environ | environment(hearth_home),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with running:
        assert running.stdin
        assert running.stdout
        for it in lines:
            running.stdin.write(it + "\n")
            running.stdin.flush()
        answers: list[dict[str, Any]] = []
        while not any(it.get("id") == 3 for it in answers):
            answers.append(json.loads(running.stdout.readline()))
        running.stdin.close()
        answers += [json.loads(it) for it in running.stdout]
    assert running.returncode == 0
    assert {it["id"] for it in answers if it.get("id") is not None} >= {1, 2, 3}
    assert all(it["jsonrpc"] == "2.0" for it in answers)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [({"index": {"enabled": False}}, "hearth: The setting index.enabled is false: nothing is indexed.\n")],
)
def test_without_an_index_it_says_so(
    project: Path, hearth_home: Path, settings: dict[str, Any], sentence: str
) -> None:
    """One sentence beside the output, and an exit code."""
    (hearth_home / "config").mkdir(parents=True)
    (hearth_home / "config" / "settings.json").write_text(json.dumps(settings))
    command = [sys.executable, "-m", "lsp_server.cli", "mcp", "--root", str(project)]
    ended = subprocess.run(
        command,
        capture_output=True,
        text=True,
        input="",
        env=os.environ | environment(hearth_home),
        check=False,
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (1, "", sentence)


def test_without_the_extra_it_says_so(project: Path, hearth_home: Path) -> None:
    """One sentence that names it."""
    hide = (
        "import importlib.util as u, sys; find = u.find_spec;"
        "u.find_spec = lambda name, *rest: None if name == 'mcp' else find(name, *rest);"
        "sys.argv[1:] = ['mcp']; from lsp_server.cli import main; main()"
    )
    ended = subprocess.run(
        [sys.executable, "-c", hide],
        cwd=project,
        capture_output=True,
        text=True,
        input="",
        env=os.environ | environment(hearth_home),
        check=False,
    )
    assert ended.stderr == (
        "hearth: hearth mcp needs the package mcp; "
        "install Hearth with its extra, as in hearth-assistant[mcp].\n"
    )
    assert (ended.returncode, ended.stdout) == (1, "")
