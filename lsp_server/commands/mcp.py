"""`hearth mcp`: Hearth's search, symbols, callers and map as tools for other assistants."""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress
from importlib.util import find_spec

import typer

from lsp_server.cli import USAGE
from lsp_server.commands.indexed import Root, fail, place_of

FOR_PEOPLE = """\
hearth mcp is started by another assistant, which speaks the Model Context Protocol on standard input.
Typed by hand it has nobody to talk to: docs/agent.md has the lines for an assistant's configuration.
To search here: hearth search WORDS, hearth callers NAME, hearth map.
"""
NOT_THERE = "hearth mcp needs the package mcp; install Hearth with its extra, as in hearth-assistant[mcp]."


def command(root: Root = None) -> None:
    """Serve search, symbols, callers and map to another assistant (MCP over standard input and output)."""
    place = place_of(root)
    if find_spec("mcp") is None:
        fail(NOT_THERE)
    if sys.stdin is None or sys.stdin.isatty():
        sys.stderr.write(FOR_PEOPLE)
        raise typer.Exit(USAGE)
    from lsp_server.mcp_server import serve

    with suppress(KeyboardInterrupt):
        asyncio.run(serve(place.root))
