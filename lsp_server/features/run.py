"""`hearth.run`: do a command of the table, or one of the user's own, about a place in a document."""

from __future__ import annotations

from typing import Any

from chat.edits_types import Refusal
from lsp_server.run_request import read
from lsp_server.server import Assistant

FAILED = {"refusal": "Hearth could not do this: the log says more."}


async def handle(ls: Assistant, *arguments: Any) -> dict[str, Any] | None:
    """What came of it; ``None`` at once where the argument says that nobody waits."""
    await ls.until_settled()
    request = read(arguments)
    if isinstance(request, Refusal):
        return {"refusal": request.reason}
    for problem in ls.recipes.now().problems:
        ls.reporter.warn(problem)
    return await ls.runs.run(request)
