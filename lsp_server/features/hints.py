"""Where the cursor is, before anything is typed: `hearth/cursor`; a question for code actions is one too."""

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
