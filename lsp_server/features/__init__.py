"""`FEATURES`: everything this server does for an editor, one row each. What is not here, it does not do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lsprotocol import types as lsp

from lsp_server import protocol
from lsp_server.features import (
    chat,
    code_action,
    commands,
    configuration,
    hints,
    index,
    inline_completion,
    lifecycle,
    notes,
    run,
    search,
    status,
    sync,
    workspace_symbol,
)
from lsp_server.fence import fence, fence_now
from lsp_server.server import Assistant


@dataclass(frozen=True, slots=True)
class Feature:
    """One method of the protocol and who handles it."""

    method: str
    handle: Callable[..., Any]
    options: Any = None
    """What is advertised; without options the library advertises some methods not at all."""
    degraded: Any = None
    """The answer when it fails."""
    at_once: bool = False
    """Whether it is done before the next message is read."""


FEATURES = (
    Feature(lsp.INITIALIZE, lifecycle.initialize, at_once=True),
    Feature(lsp.INITIALIZED, lifecycle.initialized),
    Feature(lsp.SHUTDOWN, lifecycle.shutdown),
    Feature(lsp.WORKSPACE_DID_CHANGE_CONFIGURATION, configuration.handle),
    Feature(lsp.TEXT_DOCUMENT_DID_OPEN, sync.opened, at_once=True),
    Feature(lsp.TEXT_DOCUMENT_DID_CHANGE, sync.changed, at_once=True),
    Feature(lsp.TEXT_DOCUMENT_DID_SAVE, sync.saved, at_once=True),
    Feature(lsp.TEXT_DOCUMENT_DID_CLOSE, sync.closed, at_once=True),
    Feature(lsp.WORKSPACE_DID_CHANGE_WATCHED_FILES, sync.files_changed, at_once=True),
    Feature(lsp.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS, sync.folders_changed, at_once=True),
    Feature(
        lsp.TEXT_DOCUMENT_INLINE_COMPLETION,
        inline_completion.handle,
        lsp.InlineCompletionOptions(),
        degraded=[],
    ),
    Feature(
        lsp.TEXT_DOCUMENT_CODE_ACTION,
        code_action.handle,
        lsp.CodeActionOptions(code_action_kinds=protocol.CODE_ACTION_KINDS),
        degraded=[],
    ),
    Feature(lsp.WORKSPACE_SYMBOL, workspace_symbol.handle, lsp.WorkspaceSymbolOptions(), degraded=[]),
    Feature(protocol.SEARCH, search.handle, degraded=search.NOTHING),
    Feature(protocol.INDEX, index.handle, degraded={"folders": []}),
    Feature(protocol.CHAT, chat.handle, degraded=chat.NOTHING),
    Feature(protocol.CHAT_HISTORY, chat.history, degraded={"conversations": [], "problem": chat.FAILED}),
    Feature(protocol.CHAT_OPEN, chat.open_, degraded={"conversation": None, "problem": chat.FAILED}),
    Feature(protocol.CHAT_RENAME, chat.rename, degraded={"isRenamed": False, "problem": chat.FAILED}),
    Feature(protocol.CHAT_DELETE, chat.delete, degraded={"deleted": 0, "problem": chat.FAILED}),
    Feature(protocol.CHAT_EXPORT, chat.export, degraded={"text": None, "problem": chat.FAILED}),
    Feature(protocol.CHAT_SUGGEST, chat.suggest, degraded={"items": [], "word": ""}),
    Feature(protocol.WHY, chat.why, degraded={"decisions": []}),
    Feature(protocol.SENT, chat.sent, degraded={"entries": [], "problem": chat.FAILED}),
    Feature(protocol.CLEAR_SENT, chat.clear_sent, degraded={"cleared": 0, "problem": chat.FAILED}),
    Feature(protocol.NOTES, notes.handle, degraded={"root": "", "notes": [], "problem": chat.FAILED}),
    Feature(protocol.CURSOR, hints.cursor, at_once=True),
    Feature(protocol.STATUS, status.handle),
)

COMMANDS = {
    protocol.ACCEPTED: commands.accepted,
    protocol.DISMISSED: commands.dismissed,
    protocol.PAUSE: commands.pause,
    protocol.RESUME: commands.resume,
    protocol.RESTART_ENGINE: commands.restart_engine,
    protocol.SUGGESTION_SOURCE: commands.suggestion_source,
    protocol.PAUSE_INDEX: index.pause,
    protocol.RESUME_INDEX: index.resume,
    protocol.RESCAN_INDEX: index.rescan,
    protocol.RUN: run.handle,
}


def register(assistant: Assistant) -> None:
    """Give the server all it can do."""
    for it in FEATURES:
        fenced = fence_now(it.handle) if it.at_once else fence(it.handle, it.degraded)
        assistant.feature(it.method, it.options)(fenced)
    for name, handle in COMMANDS.items():
        assistant.command(name)(fence(handle))
