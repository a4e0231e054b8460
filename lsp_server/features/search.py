"""`hearth/search`: code of the workspace that answers a question, as it is on screen or on disk now."""

from __future__ import annotations

from typing import Any

from lsp_server.index_items import hit_item
from lsp_server.server import Assistant

USUAL, MOST = 20, 200  # Hits.
NOTHING = {
    "hits": [],
    "state": "failed",
    "isComplete": False,
    "problem": "The search failed; the log says more.",
}


async def handle(ls: Assistant, params: Any) -> dict[str, Any]:
    """The best hits; where there are none, or not all, ``problem`` says why."""
    await ls.until_settled()
    index = ls.workbench.index
    query, limit = getattr(params, "query", None), getattr(params, "limit", None)
    if not isinstance(query, str):
        return _answer(ls, [], "There is nothing to search for: query must be text.")
    why = getattr(params, "why", None) is True
    asked = {
        "query": query,
        "limit": min(limit, MOST) if type(limit) is int and 0 < limit else USUAL,
        "why": why,
        **{key: _texts(getattr(params, key, None)) for key in ("paths", "languages", "kinds")},
    }
    within = getattr(getattr(params, "textDocument", None), "uri", "")
    found = await index.search(asked, within if isinstance(within, str) else "")
    return _answer(ls, [hit_item(*it, ls.encoding, why=why) for it in found.hits], found.problem)


def _answer(ls: Assistant, hits: list[dict[str, Any]], problem: str) -> dict[str, Any]:
    state = ls.workbench.index.status.state
    return {"hits": hits, "state": state, "isComplete": state == "ready" and not problem, "problem": problem}


def _texts(given: Any) -> list[str]:
    return [it for it in given if isinstance(it, str)] if isinstance(given, list | tuple) else []
