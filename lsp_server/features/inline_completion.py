"""Ghost text: an editor's request -> one suggestion, or several where somebody asks by hand.

``None`` (null) leaves what the editor shows as it is: for a request that a newer one has overtaken, and for
a document that has moved on. An empty list takes the ghost text away: there is nothing to suggest here.
"""

from __future__ import annotations

import logging

from lsprotocol import types as lsp

from completion.latest import Superseded
from completion.spot import Spot
from completion.suggestion import Suggestion
from completion.trigger import Edit, Trigger
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
    ls.cursors[document.uri] = params.position
    if ls.dismissals.is_silent(document, place.line) and not explicit:
        return []
    spot, trigger = wiring.look(
        place.window,
        ls.workbench.settings,
        path=convert.path_of(document.uri, ls.roots),
        language=document.language,
        explicit=explicit,
        previous=_previous(document, place),
    )
    suggestion = await _suggest(ls, spot, trigger, document.uri)
    if suggestion is None or document.version != version or ls.documents.get(document.uri) is not document:
        return None
    shown = [it for it in (suggestion, *suggestion.others) if it.text]
    items = [item for it in shown if (item := item_for(place, it, ls.encoding))]
    if items:
        ls.reporter.shown(suggestion)
        ls.dismissals.shown(document, place.line)
        wiring.look_ahead(ls.workbench, spot, suggestion, document.uri)
    return items


async def _suggest(ls: Assistant, spot: Spot, trigger: Trigger, uri: str) -> Suggestion | None:
    """The newest request's suggestion; ``None`` for one that has been overtaken."""

    async def work() -> Suggestion:
        try:
            suggestion = await wiring.suggest(ls.workbench, spot, trigger, uri)
        except (BackendError, ModelError) as exc:
            ls.reporter.problem(str(exc))
            raise
        if suggestion.usage or suggestion.problem:  # A model has answered, or could not.
            ls.reporter.problem(suggestion.problem)
        return suggestion

    try:
        return await ls.workbench.latest.run(uri, work)
    except Superseded:
        return None


def _previous(document: Document, place: Place) -> Edit | None:
    change = document.change_at(place.line, place.index)
    return Edit(removed=change.removed, inserted=change.inserted) if change else None
