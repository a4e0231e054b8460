"""The editor's settings, whenever they change."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException

from lsp_server import logs, settings
from lsp_server.server import Assistant

logger = logging.getLogger(__name__)

ANSWER_SECONDS = 3.0  # An editor knows its settings; one that never answers must not keep us from starting.


async def handle(ls: Assistant, params: lsp.DidChangeConfigurationParams) -> None:
    """Use what was sent, or ask, if the editor answers such questions."""
    asked = await pull(ls)
    await use(ls, params.settings if asked is None else asked)
    ls.warm()


async def pull(ls: Assistant) -> Any | None:
    """What the editor's settings say in our section; ``None`` if it cannot be asked or does not know."""
    workspace = ls.client_capabilities.workspace
    if workspace is None or not workspace.configuration:
        return None
    question = lsp.ConfigurationParams(items=[lsp.ConfigurationItem(section=settings.SECTION)])
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            answers = await ls.workspace_configuration_async(question)
    except (JsonRpcException, TimeoutError) as exc:
        logger.warning("configuration refused cause=%s", type(exc).__name__)
        return None
    return answers[0] if answers else None


async def use(ls: Assistant, raw: Any) -> None:
    """Settle the settings and say what could not be used; ``raw`` stands above what ``initialize`` said."""
    for problem in await ls.workbench.configure({**ls.initial_settings, **settings.section(raw)}):
        ls.reporter.warn(problem)
    ls.reporter.problem("")  # It may have been about a setting; the next request will tell.
    logs.set_level(ls.workbench.settings.log_level)
    ls.reporter.changed()
