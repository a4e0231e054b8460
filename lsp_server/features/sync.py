"""Documents open, change and close."""

from __future__ import annotations

import logging

from lsprotocol import types as lsp

from lsp_server.server import Assistant

logger = logging.getLogger(__name__)


def opened(ls: Assistant, params: lsp.DidOpenTextDocumentParams) -> None:
    """The editor has a document; from now on it, and not the disk, is the truth."""
    ls.documents.put(params.text_document)
    if len(ls.documents) == 1:
        ls.warm()


def changed(ls: Assistant, params: lsp.DidChangeTextDocumentParams) -> None:
    """Follow an edit."""
    document = ls.documents.get(params.text_document.uri)
    if document is None:
        logger.warning("changed but not open version=%s", params.text_document.version)
        return
    document.apply(params.content_changes, params.text_document.version, ls.encoding)


def closed(ls: Assistant, params: lsp.DidCloseTextDocumentParams) -> None:
    """Forget a document."""
    ls.documents.drop(params.text_document.uri)
