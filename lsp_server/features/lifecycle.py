"""The beginning and the end of a connection."""

from __future__ import annotations

from lsprotocol import types as lsp

from lsp_server import settings
from lsp_server.features import configuration
from lsp_server.server import Assistant


def initialize(ls: Assistant, params: lsp.InitializeParams) -> None:
    """Keep the editor's settings for when the connection is ready."""
    ls.initial_settings = settings.section(params.initialization_options)


async def initialized(ls: Assistant, params: lsp.InitializedParams) -> None:
    """Settle the settings, then read the project and warm the engine up while the user is still reading."""
    _watch(ls)
    try:
        await configuration.use(ls, await configuration.pull(ls))
    finally:
        ls.settled.set()
    ls.remember()
    ls.warm()


async def shutdown(ls: Assistant, params: None) -> None:
    """Give the engine back; requests in flight are answered as cancelled."""
    await ls.chats.close()
    await ls.workbench.close()


def _watch(ls: Assistant) -> None:
    """Ask to be told of changed settings and files, in editors that tell those who ask."""
    workspace = ls.client_capabilities.workspace
    settings_watched = workspace and workspace.did_change_configuration
    files_watched = workspace and workspace.did_change_watched_files
    wanted = []
    if settings_watched and settings_watched.dynamic_registration:
        wanted.append(
            lsp.Registration(
                id="hearth-configuration",
                method=lsp.WORKSPACE_DID_CHANGE_CONFIGURATION,
                register_options=lsp.DidChangeConfigurationRegistrationOptions(section=settings.SECTION),
            )
        )
    if files_watched and files_watched.dynamic_registration:
        ls.workbench.memory.is_watched = True
        wanted.append(
            lsp.Registration(
                id="hearth-files",
                method=lsp.WORKSPACE_DID_CHANGE_WATCHED_FILES,
                register_options=lsp.DidChangeWatchedFilesRegistrationOptions(
                    watchers=[lsp.FileSystemWatcher(glob_pattern="**/*")]
                ),
            )
        )
    if wanted:
        ls.client_register_capability(lsp.RegistrationParams(registrations=wanted))
