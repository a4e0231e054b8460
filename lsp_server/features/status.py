"""`hearth/status`: how the engine is, for a status line."""

from __future__ import annotations

from typing import Any

from lsp_server.server import Assistant


async def handle(ls: Assistant, params: Any) -> dict[str, Any]:
    """The same as the notification, for an editor that asks."""
    return ls.reporter.status.json()
