"""`hearth/index`: how each folder's index is; and the commands that pause it, resume it, look again."""

from __future__ import annotations

from typing import Any

from lsp_server.index_items import folder_item
from lsp_server.server import Assistant


async def handle(ls: Assistant, params: Any) -> dict[str, Any]:
    """How each folder's index is."""
    await ls.until_settled()
    return {"folders": [folder_item(*it) for it in ls.workbench.index.folders.items()]}


async def pause(ls: Assistant, *arguments: Any) -> None:
    """Nothing more is read until ``resume``; what is known is found all the same."""
    ls.workbench.index.pause()


async def resume(ls: Assistant, *arguments: Any) -> None:
    """What has changed is read again."""
    ls.workbench.index.resume()


async def rescan(ls: Assistant, *arguments: Any) -> None:
    """Every file is looked at again."""
    ls.workbench.index.rescan()
