"""Where the cursor is, before anything is typed: `hearth/cursor`, and code actions, of which there are none.

Editors ask for code actions wherever the cursor comes to rest; that is all that is taken from it.
"""

from __future__ import annotations

from typing import Any

from lsprotocol import types as lsp

from lsp_server.server import Assistant


def cursor(ls: Assistant, params: Any) -> None:
    """The cursor rests here; a message that makes no sense is ignored."""
    document, position = getattr(params, "textDocument", None), getattr(params, "position", None)
    uri = getattr(document, "uri", None)
    line, character = getattr(position, "line", None), getattr(position, "character", None)
    if isinstance(uri, str) and isinstance(line, int) and isinstance(character, int):
        ls.hint(uri, lsp.Position(line=max(line, 0), character=max(character, 0)))


async def code_action(ls: Assistant, params: lsp.CodeActionParams) -> list[lsp.CodeAction]:
    """The cursor rests here, if nothing is selected."""
    if params.range.start == params.range.end:
        ls.hint(params.text_document.uri, params.range.end)
    return []
