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
    """Settle the settings, then warm the engine up while the user is still reading."""
    _watch_configuration(ls)
    try:
        await configuration.use(ls, await configuration.pull(ls))
    finally:
        ls.settled.set()
    ls.warm()


async def shutdown(ls: Assistant, params: None) -> None:
    """Give the engine back; requests in flight are answered as cancelled."""
    await ls.workbench.close()


def _watch_configuration(ls: Assistant) -> None:
    """Ask to be told of changes, in editors that tell only who asks."""
    workspace = ls.client_capabilities.workspace
    watched = workspace and workspace.did_change_configuration
    if not watched or not watched.dynamic_registration:
        return
    wanted = lsp.Registration(
        id="hearth-configuration",
        method=lsp.WORKSPACE_DID_CHANGE_CONFIGURATION,
        register_options=lsp.DidChangeConfigurationRegistrationOptions(section=settings.SECTION),
    )
    ls.client_register_capability(lsp.RegistrationParams(registrations=[wanted]))
