"""What an editor can tell the server to do. Arguments that make no sense are ignored."""

from __future__ import annotations

from typing import Any

from lsp_server import protocol
from lsp_server.items import origin_json, source_sentence
from lsp_server.server import Assistant


async def accepted(ls: Assistant, *arguments: Any) -> None:
    """A suggestion was accepted: it is counted by its source, and nothing else is kept of it."""
    said = arguments[0] if arguments and isinstance(arguments[0], dict) else {}
    source = said.get("source")
    ls.reporter.accepted(source if source in protocol.SOURCES else "model")


async def dismissed(ls: Assistant, *arguments: Any) -> None:
    """What was shown last was sent away: its line stays without, as long as it stays as it is."""
    ls.workbench.ahead.stop()
    ls.dismissals.dismiss(ls.documents)


async def pause(ls: Assistant, *arguments: Any) -> None:
    """No ghost text until ``resume``."""
    ls.workbench.paused = True
    ls.reporter.changed()


async def resume(ls: Assistant, *arguments: Any) -> None:
    """Ghost text again."""
    ls.workbench.paused = False
    ls.reporter.changed()


async def restart_engine(ls: Assistant, *arguments: Any) -> None:
    """Stop the shared engine and start it again, as after a driver or model update."""
    await ls.workbench.restart()
    ls.reporter.problem("")


async def suggestion_source(ls: Assistant, *arguments: Any) -> dict[str, Any]:
    """Say where the last suggestion came from, to the user and to whoever asked."""
    last = ls.reporter.last
    sentence = source_sentence(last, ls.workbench.model_name)
    ls.reporter.say(sentence)
    return {"sentence": sentence, **(origin_json(last) if last else {})}
