"""What an editor can tell the server to do. Arguments that make no sense are ignored."""

from __future__ import annotations

from typing import Any

from lsp_server.server import Assistant


async def accepted(ls: Assistant, *arguments: Any) -> None:
    """A suggestion was accepted: it is counted, and nothing else is kept of it."""
    ls.reporter.accepted += 1
    ls.reporter.changed()


async def pause(ls: Assistant, *arguments: Any) -> None:
    """No ghost text until ``resume``."""
    ls.workbench.paused = True
    ls.reporter.changed()


async def resume(ls: Assistant, *arguments: Any) -> None:
    """Ghost text again."""
    ls.workbench.paused = False
    ls.reporter.changed()


async def restart_engine(ls: Assistant, *arguments: Any) -> None:
    """Stop the shared engine and start it again, as after a driver or model update."""
    await ls.workbench.restart()
    ls.reporter.problem("")
