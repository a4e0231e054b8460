"""What `hearth doctor` says of chat: who answers questions, whether he is there, and what may leave."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING

from lsp_server.commands.doctor import Finding, bad, good, note
from models import keys, paths
from models.errors import BackendError, ModelError

if TYPE_CHECKING:
    from chat.router import Server
    from models.client import Client
    from models.spec import BackendSpec

ANSWER_SECONDS = 3.0  # Who takes longer to say which models he has, is no joy to ask.
NO_MODEL = "no chat model is set up: questions are answered from your code itself"
OFF = "nothing may be sent to another machine (cloud.allowed)"


def looked() -> Iterable[Finding]:
    """Who would answer now. No other machine is asked to find out."""
    from lsp_server.chat_desk import make_desk, problems
    from lsp_server.wiring import Workbench

    bench = Workbench(builds=False)
    file = paths.config_dir() / "settings.json"
    for it in problems(bench.settings):
        yield bad("chat", it, f"Edit {file}.")
    desk = make_desk(bench, code=None)  # type: ignore[arg-type]  # nobody is asked anything about code
    servers = desk.places.servers
    here = [it for it in servers if it.tier == "local" and it.is_ready]
    if not bench.settings.chat_model:
        yield note("chat", NO_MODEL, f"chat.model in {file} names one.")
    for server in here:
        yield asyncio.run(_here(server))
    if desk.policy.cloud_allowed is not True:
        yield good("cloud", OFF)
        return
    away = [it for it in servers if it.tier == "cloud"]
    if not away:
        advice = f"cloud.provider and cloud.model in {file} name one."
        yield note("cloud", "allowed, but no model is set up there", advice)
    for server in away:
        yield asyncio.run(_away(server.spec))


async def _here(server: Server) -> Finding:
    """A server of this machine is asked which models it has; our engine is known by its file."""
    from models.client import open_client

    spec = server.spec
    if spec.dialect == "hearth":
        return good("chat", f"{server.name} answers, in Hearth's own engine")
    client: Client | None = None
    try:
        client = open_client(spec)
        async with asyncio.timeout(ANSWER_SECONDS):
            known = await client.models()
    except TimeoutError:
        return bad("chat", f"{server.name} at {spec.url} does not answer", "Start it, or look at its log.")
    except (BackendError, ModelError) as exc:
        return bad("chat", str(exc), "Start it, or change chat.provider and chat.url.")
    finally:
        if client is not None:
            await client.close()
    if known and spec.model not in known and f"{spec.model}:latest" not in known:
        says = f"{server.name} at {spec.url} has no model {spec.model}"
        return bad("chat", says, f"It has {', '.join(sorted(known)[:10])}.")
    return good("chat", f"{spec.model} answers at {spec.url}")


async def _away(spec: BackendSpec) -> Finding:
    """Whether there is a key; it is not tried."""
    title = spec.name or spec.model
    try:
        if spec.key is not None:
            await keys.find(spec.key, title)
    except (BackendError, ModelError) as exc:
        return bad("cloud", str(exc), "docs/models.md tells where keys are looked for.")
    return note("cloud", f"allowed: {spec.model} at {spec.url}", "hearth sent shows what was sent there.")
