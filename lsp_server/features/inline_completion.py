"""Ghost text: an editor's request -> at most one suggestion.

``None`` (null) leaves what the editor shows as it is: for a request that a newer one has overtaken, and for
a document that has moved on. An empty list takes the ghost text away: there is nothing to suggest here.
"""

from __future__ import annotations

import logging

from lsprotocol import types as lsp

from completion.latest import Superseded
from completion.suggestion import Suggestion
from completion.trigger import Edit
from lsp_server import convert, wiring
from lsp_server.documents import Document
from lsp_server.items import Place, item_for, place_at
from lsp_server.server import Assistant
from models.errors import BackendError, ModelError

logger = logging.getLogger(__name__)


async def handle(ls: Assistant, params: lsp.InlineCompletionParams) -> list[lsp.InlineCompletionItem] | None:
    """Answer for the document as it is now, or not at all."""
    await ls.until_settled()
    document = ls.documents.get(params.text_document.uri)
    if document is None:
        return None
    place = place_at(document, params.position, params.context.selected_completion_info, ls.encoding)
    if place is None or ls.workbench.paused:
        return []
    version = document.version
    explicit = params.context.trigger_kind == lsp.InlineCompletionTriggerKind.Invoked
    suggestion = await _suggest(ls, document, place, explicit=explicit)
    if suggestion is None or document.version != version or ls.documents.get(document.uri) is not document:
        return None
    item = item_for(place, suggestion, ls.encoding)
    if item is None:
        return []
    ls.reporter.shown(suggestion)
    return [item]


async def _suggest(ls: Assistant, document: Document, place: Place, *, explicit: bool) -> Suggestion | None:
    """The newest request's suggestion; ``None`` for one that has been overtaken."""
    spot, trigger = wiring.look(
        place.window,
        ls.workbench.settings,
        path=convert.path_of(document.uri, ls.roots),
        language=document.language,
        explicit=explicit,
        previous=_previous(document, place),
    )

    async def work() -> Suggestion:
        try:
            suggestion = await wiring.suggest(ls.workbench, spot, trigger, document.uri)
        except (BackendError, ModelError) as exc:
            ls.reporter.problem(str(exc))
            raise
        if suggestion.usage or suggestion.problem:  # A model has answered, or could not.
            ls.reporter.problem(suggestion.problem)
        return suggestion

    try:
        return await ls.workbench.latest.run(document.uri, work)
    except Superseded:
        return None


def _previous(document: Document, place: Place) -> Edit | None:
    change = document.change_at(place.line, place.index)
    return Edit(removed=change.removed, inserted=change.inserted) if change else None
