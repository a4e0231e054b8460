"""`hearth/notes`: what the user has noted about the workspace: list, add, edit, remove."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from typing import Any

from lsp_server.chat_request import value
from lsp_server.server import Assistant

NO_FOLDER = "No folder is open, so there is no project to note something about."


async def handle(ls: Assistant, params: Any) -> dict[str, Any]:
    """Do what ``action`` says with the notes of ``root``, usually the first folder; and list them."""
    from lsp_server import chat_notes

    folders = chat_notes.folders_of(ls.roots)
    root = value(params, "root", str) or next(iter(folders), "")
    if root not in folders:
        return {"root": "", "notes": [], "problem": NO_FOLDER if not folders else f"{root} is not open."}
    problem = await asyncio.to_thread(
        chat_notes.change,
        root,
        value(params, "action", str) or "list",
        value(params, "id", int) or 0,
        value(params, "text", str) or "",
    )
    found = await asyncio.to_thread(chat_notes.listed, root)
    return {"root": root, "notes": [asdict(it) for it in found], "problem": problem}
