"""Documents open, change, are saved and close; files change on disk; workspace folders come and go."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from lsprotocol import types as lsp

from lsp_server.context import RULES
from lsp_server.server import Assistant

logger = logging.getLogger(__name__)


def opened(ls: Assistant, params: lsp.DidOpenTextDocumentParams) -> None:
    """The editor has a document; from now on it, and not the disk, is the truth."""
    document = ls.documents.put(params.text_document)
    ls.workbench.memory.opened(document)
    ls.workbench.index.opened(document)
    ls.workbench.context.within(ls.roots)
    ls.workbench.context.opened(document)
    if len(ls.documents) == 1:
        ls.warm()
    ls.hint(document.uri)


def changed(ls: Assistant, params: lsp.DidChangeTextDocumentParams) -> None:
    """Follow an edit."""
    document = ls.documents.get(params.text_document.uri)
    if document is None:
        logger.warning("changed but not open version=%s", params.text_document.version)
        return
    for change in params.content_changes:
        document.apply([change], params.text_document.version, ls.encoding)
        ls.workbench.context.edited(document, document.last_change)
    document.version = params.text_document.version
    ls.workbench.memory.changed(document)
    ls.workbench.index.changed(document)


def saved(ls: Assistant, params: lsp.DidSaveTextDocumentParams) -> None:
    """The file says what the document says."""
    document = ls.documents.get(params.text_document.uri)
    if document is not None:
        ls.workbench.memory.saved(document)
        ls.workbench.index.saved(document)
        at = ls.cursors.get(document.uri)
        ls.workbench.around.look(document, at.line if at else 0, saved=True)
        _rules_may_differ(ls, [document.uri])


def closed(ls: Assistant, params: lsp.DidCloseTextDocumentParams) -> None:
    """From now on the file is the truth again."""
    document = ls.documents.get(params.text_document.uri)
    if document is not None:
        ls.documents.drop(document.uri)
        ls.problems.forget(document.uri)
        ls.workbench.memory.closed(document)
        ls.workbench.index.closed(document)
        ls.workbench.around.forget(document.uri)
        ls.workbench.sessions.forget(document.uri)
        ls.workbench.context.closed(document.uri)


def files_changed(ls: Assistant, params: lsp.DidChangeWatchedFilesParams) -> None:
    """The editor watches the workspace's files for us."""
    deleted = [it.uri for it in params.changes if it.type == lsp.FileChangeType.Deleted]
    changed = [it.uri for it in params.changes if it.type != lsp.FileChangeType.Deleted]
    ls.workbench.memory.files_changed(changed, deleted)
    ls.workbench.index.files_changed([*changed, *deleted])
    ls.workbench.context.withdraw([*changed, *deleted])
    _rules_may_differ(ls, [*changed, *deleted])
    if deleted:
        ls.workbench.forget_shown()


def folders_changed(ls: Assistant, params: lsp.DidChangeWorkspaceFoldersParams) -> None:
    """A folder was added to the workspace, or taken out."""
    ls.remember()
    ls.workbench.context.within(ls.roots)


def _rules_may_differ(ls: Assistant, uris: Sequence[str]) -> None:
    """A file of ignore rules has changed: other documents may be shown now."""
    if any(it.rpartition("/")[2] in RULES for it in uris):
        ls.workbench.context.judge_again()
