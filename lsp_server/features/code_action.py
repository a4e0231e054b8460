"""`textDocument/codeAction`: what Hearth can do at a place, from what is known without asking anybody."""

from __future__ import annotations

from lsprotocol import types as lsp

from lsp_server.code_actions import Moment, has_model, menu_of, offers
from lsp_server.server import Assistant


async def handle(ls: Assistant, params: lsp.CodeActionParams) -> list[lsp.CodeAction]:
    """The actions; and where the cursor rests with nothing selected is a hint."""
    uri, where = params.text_document.uri, params.range
    if where.start == where.end:
        ls.hint(uri, where.end)
    document = ls.documents.get(uri)
    if document is None:
        return []
    ls.problems.see(uri, document.version, where, params.context.diagnostics)
    line = document.lines[where.start.line] if where.start.line < len(document.lines) else ""
    moment = Moment(
        uri=uri,
        version=document.version,
        language=document.language,
        range=where,
        has_code=bool(line.strip()),
        diagnostics=tuple(params.context.diagnostics),
        only=tuple(str(getattr(it, "value", it)) for it in params.context.only or ()),
        has_model=has_model(ls.workbench.settings),
    )
    own = tuple(it.command for it in ls.recipes.now().all)
    return offers(moment, menu_of(ls.client_capabilities), own)
