"""Tools of MCP servers that the user's own settings name, for agent mode.

A server is a program on this machine that speaks over its pipes. It is started for one question, with little
of our environment and in a folder of ours, never in the repository; it is killed at the end. It cannot ask
the model or the user anything: it answers calls. Which calls are made, the user decides (``chat/agent.py``).
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import anyio
import mcp_types as types
from mcp import Client
from mcp.client._transport import TransportStreams
from mcp.shared.exceptions import MCPError
from mcp.shared.message import SessionMessage

from chat.agent_process import Spoken
from chat.agent_server import ServerSpec
from chat.agent_types import Asking
from chat.tools_values import SHORTEST, Result
from models.wire import ToolSpec

logger = logging.getLogger(__name__)

START_SECONDS = 30.0
CALL_SECONDS = 60.0
END_SECONDS = 8.0
MOST_TOOLS = 64  # Of one server: a model cannot choose among more.
MOST_PAGES = 20
LONGEST_SAYS = 1_000  # Characters of a tool's description.
LONGEST_SCHEMA = 8_000
WORKSPACE = "${workspace}"
"""In the arguments of a server's command line: the project's folder."""
NAMED = re.compile(r"[^A-Za-z0-9_-]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long to wait, in seconds."""

    start_s: float = START_SECONDS
    call_s: float = CALL_SECONDS


class Server:
    """One running server: a task of its own holds the connection, as it has to end where it began."""

    def __init__(self, spec: ServerSpec, folder: Path, limits: Limits) -> None:
        self.spec = spec
        self.tools: tuple[types.Tool, ...] = ()
        self.problem = ""
        """Why it cannot be called: one sentence, or empty."""
        self._folder = folder
        self._limits = limits
        self._client: Client | None = None
        self._started = asyncio.Event()
        self._closing = asyncio.Event()
        self._task = asyncio.create_task(self._run())

    async def started(self) -> None:
        """Wait until it can be called, or ``problem`` says why not."""
        try:
            async with asyncio.timeout(self._limits.start_s):
                await self._started.wait()
        except TimeoutError:
            self._is_over(f"The MCP server {self.spec.name} did not start in time.")
            self._task.cancel()

    async def call(self, tool: str, arguments: Mapping[str, Any], most: int) -> Result:
        """What a tool says; what fails is said as well."""
        client = self._client
        if client is None or self.problem:
            return Result(text=self.problem or f"The MCP server {self.spec.name} has ended.", is_error=True)
        calling = asyncio.ensure_future(client.call_tool(tool, dict(arguments)))
        ending = asyncio.ensure_future(self._closing.wait())
        try:
            await asyncio.wait(
                (calling, ending), timeout=self._limits.call_s, return_when=asyncio.FIRST_COMPLETED
            )
            if calling.done():
                return _result(await calling, most)
            if not self.problem:
                self._is_over(f"The MCP server {self.spec.name} did not answer in time and was ended.")
        except MCPError as exc:
            if self.problem:  # It ended meanwhile.
                return Result(text=self.problem, is_error=True)
            return Result(text=f"{self.spec.name} says: {exc}"[: max(most, SHORTEST)], is_error=True)
        except Exception as exc:
            logger.warning("mcp call failed server=%s cause=%s", self.spec.name, type(exc).__name__)
            self._is_over(f"The answer of the MCP server {self.spec.name} makes no sense, so it was ended.")
        finally:
            ending.cancel()
            calling.cancel()
            await asyncio.gather(calling, ending, return_exceptions=True)
        return Result(text=self.problem, is_error=True)

    async def close(self) -> None:
        """End it, and wait for the process to be gone."""
        self._closing.set()
        with suppress(TimeoutError):
            async with asyncio.timeout(END_SECONDS):
                await asyncio.gather(self._task, return_exceptions=True)
        self._task.cancel()

    def _is_over(self, problem: str) -> None:
        self.problem = self.problem or problem
        self._started.set()
        self._closing.set()

    async def _run(self) -> None:
        name = self.spec.name
        try:
            async with Client(self._streams()) as client:
                self.tools = await _tools_of(client)
                self._client = client
                self._started.set()
                await self._closing.wait()
        except (OSError, ValueError) as exc:
            self._is_over(f"The MCP server {name} does not start ({type(exc).__name__}).")
        except Exception as exc:
            logger.warning("mcp server failed server=%s cause=%s", name, type(exc).__name__)
            self._is_over(f"The MCP server {name} does not speak as it should, or has ended.")
        finally:
            self._client = None
            self._is_over(f"The MCP server {name} has ended.")

    @asynccontextmanager
    async def _streams(self) -> AsyncIterator[TransportStreams]:
        """The process, as the messages that go to and fro."""
        process = await Spoken.start((self.spec.command, *self.spec.args), self.spec.env, self._folder)
        said_writer, said = anyio.create_memory_object_stream[SessionMessage | Exception](0)
        asked, asked_reader = anyio.create_memory_object_stream[SessionMessage](0)

        async def hear() -> None:
            async with said_writer:
                while (line := await process.line()) is not None:
                    try:
                        message = types.jsonrpc_message_adapter.validate_json(line, by_name=False)
                    except ValueError:  # Some print what is no message. That is skipped.
                        logger.debug("mcp server says nonsense bytes=%d", len(line))
                        continue
                    await said_writer.send(SessionMessage(message))
            self._is_over(f"The MCP server {self.spec.name} has ended.")

        async def tell() -> None:
            async with asked_reader:
                async for it in asked_reader:
                    text = it.message.model_dump_json(by_alias=True, exclude_unset=True)
                    await process.say(text.encode())

        tasks = [asyncio.create_task(_quietly(hear)), asyncio.create_task(_quietly(tell))]
        try:
            yield said, asked
        finally:
            for it in tasks:
                it.cancel()
            closing = asyncio.ensure_future(process.close())
            try:
                await asyncio.shield(closing)
            except asyncio.CancelledError:
                await closing  # Whoever cancels us waits for the process to be gone.
                raise
            await asyncio.gather(*tasks, return_exceptions=True)
            for stream in (said_writer, said, asked, asked_reader):
                stream.close()


class Tools:
    """The tools of all servers of one question: a ``chat.agent_types.Toolbox``."""

    def __init__(self, servers: Sequence[Server], allowed: Iterable[str]) -> None:
        self._allowed = frozenset(allowed)
        self._found: dict[str, tuple[Server, types.Tool]] = {}
        for server in servers:
            for it in server.tools[:MOST_TOOLS]:
                self._found.setdefault(_name(server.spec.name, it.name), (server, it))
        self.specs = tuple(_spec(name, it) for name, (_, it) in self._found.items())
        self.problems = tuple(it.problem for it in servers if it.problem)
        """Why some of them are not there."""

    def asking(self, name: str, arguments: Mapping[str, Any]) -> Asking | None:
        """All of the call."""
        found = self._found.get(name)
        if found is None:
            return None
        server, tool = found
        return Asking(
            server=server.spec.name,
            tool=tool.name,
            arguments=json.dumps(dict(arguments), ensure_ascii=False, indent=2),
            says=(tool.description or "")[:LONGEST_SAYS],
        )

    def is_allowed(self, asking: Asking) -> bool:
        """By its full name alone: there are no patterns that could allow more than was meant."""
        return asking.name in self._allowed

    async def call(self, name: str, arguments: Mapping[str, Any], most: int) -> Result:
        """Call it. Whether that is allowed, has been asked before."""
        server, tool = self._found[name]
        return await server.call(tool.name, arguments, most)


@asynccontextmanager
async def opened(
    specs: Sequence[ServerSpec],
    allowed: Iterable[str],
    *,
    workspace: str,
    folder: Path,
    limits: Limits = Limits(),
) -> AsyncIterator[Tools]:
    """The servers of the settings, started side by side, for as long as the block takes."""
    servers = [Server(_placed(it, workspace), folder, limits) for it in specs]
    try:
        await asyncio.gather(*(it.started() for it in servers))
        yield Tools(servers, allowed)
    finally:
        closing = asyncio.gather(*(it.close() for it in servers))
        try:
            await asyncio.shield(closing)
        except asyncio.CancelledError:
            await closing
            raise


async def _tools_of(client: Client) -> tuple[types.Tool, ...]:
    found: list[types.Tool] = []
    cursor: str | None = None
    for _ in range(MOST_PAGES):
        page = await client.list_tools(cursor=cursor)
        found += page.tools
        cursor = page.next_cursor
        if not cursor or MOST_TOOLS <= len(found):
            break
    return tuple(found[:MOST_TOOLS])


async def _quietly(work: Any) -> None:
    """A pipe that breaks is how a process ends; whoever waits for it is told elsewhere."""
    with suppress(OSError, TimeoutError, anyio.BrokenResourceError, anyio.ClosedResourceError):
        await work()


def _placed(spec: ServerSpec, workspace: str) -> ServerSpec:
    return replace(spec, args=tuple(it.replace(WORKSPACE, workspace) for it in spec.args))


def _name(server: str, tool: str) -> str:
    """As models are told it: no name of ours has two low lines in a row."""
    return NAMED.sub("_", f"{server}__{tool}")[:64]


def _spec(name: str, tool: types.Tool) -> ToolSpec:
    schema = tool.input_schema if isinstance(tool.input_schema, dict) else {}
    if LONGEST_SCHEMA < len(json.dumps(schema)):
        schema = {"type": "object"}
    return ToolSpec(name=name, description=(tool.description or "")[:LONGEST_SAYS], schema=schema)


def _result(said: types.CallToolResult, most: int) -> Result:
    """The text of an answer; what is no text is named."""
    parts = [
        it.text if isinstance(it, types.TextContent) else f"({it.type}, which is not shown)"
        for it in said.content
    ]
    text = "\n".join(parts)
    if not text.strip() and said.structured_content is not None:
        text = json.dumps(said.structured_content, ensure_ascii=False)
    room = max(most, SHORTEST)
    if room < len(text):
        text = f"{text[:room]}…\n({len(text) - room:,} more characters have no room here.)"
    return Result(text=text or "(It said nothing.)", is_error=said.is_error)
