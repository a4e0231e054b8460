"""What chat works with in this process: who may be asked by the user's settings, and the way to them."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from chat.code import Code
from chat.desk import Desk
from chat.router import Places
from lsp_server import resolve_chat
from lsp_server.settings import Settings
from models import paths, registry
from models.errors import ModelError
from models.spec import BackendSpec

if TYPE_CHECKING:  # It imports httpx, which takes a quarter of a second.
    from lsp_server.wiring import Workbench
    from models.client import Client

ENGINE_CONTEXT = 8192  # Tokens: what the engine takes unless it is told otherwise.
MEGABYTE = 1_000_000


class Clients:
    """The model servers that were asked before, each with its open connections."""

    def __init__(self) -> None:
        self._known: dict[tuple[BackendSpec, bool], Client] = {}

    def client(self, spec: BackendSpec, *, cloud_allowed: bool) -> Client:
        """For this server; raises ``Refused`` where it is not allowed."""
        from models.client import open_client

        key = spec, cloud_allowed is True
        if key not in self._known:
            self._known[key] = open_client(spec, cloud_allowed=cloud_allowed)
        return self._known[key]

    async def close(self) -> None:
        """Close all connections."""
        known, self._known = self._known, {}
        await asyncio.gather(*(it.close() for it in known.values()))


def make_desk(workbench: Workbench, code: Code, *, notes: tuple[str, ...] = ()) -> Desk:
    """A desk by the settings as they are now; make one for each question."""
    settings = workbench.settings
    policy = resolve_chat.policy(settings)

    async def connect(spec: BackendSpec) -> Client:
        if spec.dialect == "hearth":
            return await workbench.backend(load=False)
        return workbench.clients.client(spec, cloud_allowed=policy.cloud_allowed)

    return Desk(
        code=code,
        places=_places(settings)[0],
        policy=policy,
        connect=connect,
        data=paths.data_dir(),
        notes=notes,
        kept_bytes=settings.cloud_kept_megabytes * MEGABYTE,
    )


def problems(settings: Settings) -> list[str]:
    """What keeps servers of the settings from being asked, one sentence each."""
    return _places(settings)[1]


def _places(settings: Settings) -> tuple[Places, list[str]]:
    """Who may answer; our own engine is there as soon as its model is."""
    context = settings.engine_context_tokens or ENGINE_CONTEXT
    # Where it really is, is known once it is asked: it may have to be started first.
    engine = BackendSpec(
        model="",
        url="http://localhost",
        context_tokens=min(context, settings.chat_context_tokens or context),
    )
    places, problems = resolve_chat.places(settings, engine)
    servers = []
    for it in places.servers:
        is_ready = True
        if it.spec.dialect == "hearth":
            try:
                registry.find(it.spec.model)
            except ModelError as exc:
                problems.append(str(exc))
                is_ready = False
        servers.append(replace(it, is_ready=is_ready))
    return Places(servers=tuple(servers)), problems
