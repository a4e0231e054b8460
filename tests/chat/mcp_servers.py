"""An MCP server for tests, a real process: good, and bad in all the ways that servers can be."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import mcp_types as types
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server

NAMES = ("echo", "where", "fail", "big", "slow", "die", "flood", "endless", "child", "odd name!", "echo__")


def described(name: str) -> types.Tool:
    """A tool that takes anything."""
    return types.Tool(name=name, description=f"Does {name}. " + "y" * 3000, input_schema={"type": "object"})


async def called(_context: Any, params: types.CallToolRequestParams) -> types.CallToolResult:
    """What a tool does; most of them something bad."""
    does = DOES.get(params.name)
    text = str(await asyncio.to_thread(does, params.arguments)) if does else ""
    is_error = params.name == "fail"
    return types.CallToolResult(content=[types.TextContent(text=text)], is_error=is_error)


def where(_: Any) -> str:
    """What it was started with."""
    return json.dumps({"cwd": os.getcwd(), "args": sys.argv[1:], "env": dict(os.environ)})


def flood(block: bytes) -> None:
    """Write the same for ever."""
    while True:
        os.write(WIRE, block)


def child(_: Any) -> int:
    """Leave a process behind."""
    return subprocess.Popen([sys.executable, "-c", "import time; time.sleep(3600)"]).pid


DOES: dict[str, Callable[[Any], object]] = {
    "echo": json.dumps,
    "where": where,
    "fail": lambda _: "it failed",
    "big": lambda _: "x" * 100_000,
    "slow": lambda _: time.sleep(3600),
    "die": lambda _: os._exit(3),
    "flood": lambda _: flood(b'{"jsonrpc": "2.0", "method": "notifications/nothing", "params": {}}\n' * 1000),
    "endless": lambda _: flood(b"x" * 65536),
    "child": child,
}


async def listed(_context: Any, _params: Any) -> types.ListToolsResult:
    """All of them."""
    return types.ListToolsResult(tools=[described(it) for it in NAMES])


async def main(mode: str) -> None:
    """Serve, or what the mode says instead."""
    if mode == "exits":
        return
    if mode == "silent":
        await asyncio.sleep(3600)
    if mode == "nonsense":
        os.write(1, b"Welcome!\n{}\n[1]\n\xff\xfe\n")
    server = Server("test", on_list_tools=listed, on_call_tool=called)
    async with stdio_server() as (read, write):
        await server.run(read, write, server.create_initialization_options())
    if mode == "stays":  # It does not end when its input does.
        await asyncio.sleep(3600)


if __name__ == "__main__":
    WIRE = os.dup(1)
    asyncio.run(main(sys.argv[1]))
