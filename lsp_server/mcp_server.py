"""Hearth's search, symbols, callers and map as tools for other assistants, over the Model Context Protocol.

The tools read, and none writes, sends or runs anything; what they read are files of the project that belong
to its index: nothing ignored, no secret, nothing outside of the folder. The index is a process of its own,
which follows the files as long as this one runs.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from pathlib import Path
from typing import Any

import mcp_types as types
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server

from chat import tools
from chat.code import Code
from codeindex.protocol import State
from lsp_server.chat_code import make_code
from lsp_server.index import Index
from lsp_server.wiring import Workbench
from models.version import VERSION

logger = logging.getLogger(__name__)

FIRST_SECONDS = 25.0
"""How long the first answers wait for an index that is being made; assistants wait for a minute, or half."""
ABOUT = (
    "Tools of Hearth about the code of one project, {name}, on this machine. They read its index, which "
    "follows the files, and change nothing. Lines are counted from 1, paths are from the project's root. "
    "Begin with search or map; go on with callers, callees and read_lines."
)


def server(code: Code, name: str, index: Index | None = None) -> Server[Any]:
    """The server for a project's code; answers wait a while for ``index`` to be brought up to date first."""
    changed = asyncio.Event()
    if index is not None:
        index.on_change = changed.set

    async def list_tools(_context: Any, _params: Any) -> types.ListToolsResult:
        return types.ListToolsResult(tools=[_described(tools.TOOLS[it]) for it in tools.FOR_OTHERS])

    async def call_tool(_context: Any, params: types.CallToolRequestParams) -> types.CallToolResult:
        if params.name not in tools.FOR_OTHERS:
            known = ", ".join(tools.FOR_OTHERS)
            return _said(f"There is no tool {params.name[:40]!r}; there are {known}.", is_error=True)
        if index is not None:
            await _until_ready(index, changed)
        result = await tools.call(code, params.name, params.arguments or {})
        logger.info("mcp tool=%s characters=%d error=%s", params.name, len(result.text), result.is_error)
        return _said(result.text, is_error=result.is_error)

    return Server(
        "hearth",
        version=VERSION,
        instructions=ABOUT.format(name=name),
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )


async def serve(root: Path) -> None:
    """Serve on standard input and output until the input ends."""
    workbench = Workbench(builds=False)
    try:
        workbench.index.configure(workbench.settings)
        workbench.index.start([str(root)], ())
        code = make_code(workbench, (), lambda: [str(root)], lambda: ())
        running = server(code, root.name, workbench.index)
        async with stdio_server() as (read, write):
            await running.run(read, write, running.create_initialization_options())
    finally:
        await workbench.close()


async def _until_ready(index: Index, changed: asyncio.Event) -> None:
    """Wait until all is read that is there now, or as long as somebody waits."""
    with suppress(TimeoutError):
        async with asyncio.timeout(FIRST_SECONDS):
            while _is_being_made(index):
                changed.clear()
                await changed.wait()


def _is_being_made(index: Index) -> bool:
    """Whether nobody has looked at all files yet: neither our writer nor that of another window."""
    return any(
        it.state in (State.EMPTY, State.BUILDING) or (it.writer == "none" and not it.problem)
        for it in index.folders.values()
    )


def _described(tool: tools.Tool) -> types.Tool:
    return types.Tool(
        name=tool.name,
        description=tool.says,
        input_schema=dict(tool.spec.schema),
        annotations=types.ToolAnnotations(read_only_hint=True, open_world_hint=False),
    )


def _said(text: str, *, is_error: bool) -> types.CallToolResult:
    return types.CallToolResult(content=[types.TextContent(text=text)], is_error=is_error)
