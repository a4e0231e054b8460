"""Ask every local server there is, and print every address that this process tried to reach."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

tried: list[str] = []


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "socket.connect":
        tried.append(repr(arguments[1]))
    elif event in ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"):
        tried.append(repr(arguments[0]))
    elif event in ("socket.sendto", "socket.sendmsg"):
        tried.append(repr(arguments[-1]))


sys.addaudithook(_watch)  # Before anything of the product is imported.


async def main(folder: Path) -> dict[str, object]:
    """Each local provider, a socket of our own engine's, and clouds that were not allowed."""
    from models.backend import Backend
    from models.client import open_client
    from models.errors import BackendError
    from models.providers import PROVIDERS, backend_spec
    from models.spec import BackendSpec
    from models.wire import ChatMessage, ChatRequest
    from tests.models.loopback import shapes
    from tests.models.loopback.server import plain, serving

    request = ChatRequest(model="m", messages=(ChatMessage(role="user", content="Why?"),))
    said: dict[str, object] = {}
    for provider, row in PROVIDERS.items():
        if row.dialect == "hearth":
            continue
        answer = shapes.ANTHROPIC if row.dialect == "anthropic" else shapes.OPENAI
        async with serving(answer, plain(200, {"data": [{"id": "m"}]})) as server:
            client = open_client(backend_spec(provider, "m", url=server.url))
            text = "".join([it.text async for it in client.chat(request)])
            said[provider] = [text, await client.models()]
            await client.close()
        for url in filter(None, (row.url, "http://engine.test", "http://192.0.2.1:8000")):
            spec = backend_spec(provider, "m", url=url)
            if not spec.is_local:
                try:
                    open_client(spec)
                except BackendError as exc:
                    said[url] = str(exc)
    missing = Backend(BackendSpec(model="m", socket=folder / "none"))
    try:
        await missing.health()
    except BackendError as exc:
        said["socket"] = str(exc)
    return said


if __name__ == "__main__":
    os.environ |= {name: "http://proxy.test:3128" for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")}
    print(json.dumps({"said": asyncio.run(main(Path(sys.argv[1]))), "tried": tried}))  # noqa: T201 - its answer
