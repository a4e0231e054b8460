"""A language server that answers from a script file: fixed ghost text for the editor tests.

Run as ``python scripted_lsp.py SCRIPT.json LOG.jsonl``. The script is read again for every request, so that a
test can change it at any moment; every request is written to the log as one line of JSON.

A script's ``blocks`` are lists of alternatives. Where the text before the cursor ends with the beginning of
one, the rest of it is offered, as a server with a type-through cache would. ``answer`` is ``items``,
``null``, ``empty`` or ``error``; ``replaces`` is how much behind the cursor an item takes the place of;
``newline`` is the line break in what is offered.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from lsprotocol import types as lsp
from pygls.lsp.server import LanguageServer

LEAST_TYPED = 2  # One character matches too much.
COMMANDS = ("hearth.accepted", "hearth.dismissed", "hearth.pause", "hearth.resume", "hearth.suggestionSource")

SCRIPT, LOG = (Path(argument) for argument in sys.argv[1:3])

server = LanguageServer("scripted", "1")


def log(method: str, **values: Any) -> None:
    """Add a line to the log."""
    with LOG.open("a", encoding="utf-8") as file:
        file.write(json.dumps({"method": method, **values}) + "\n")


def rest_of(alternative: str, before: str) -> str:
    """What follows the longest beginning of ``alternative`` that the text ends with."""
    for length in range(len(alternative) - 1, LEAST_TYPED - 1, -1):
        if before.endswith(alternative[:length]):
            return alternative[length:]
    return ""


@server.feature(lsp.INITIALIZED)
def initialized(params: lsp.InitializedParams) -> None:
    """Say what Hearth's server says once it is up."""
    options = server.workspace.position_encoding
    log("initialized", encoding=str(getattr(options, "value", options)))
    status = {"model": "scripted", "state": "ready", "progress": 1, "tokensPerSecond": 50, "problem": ""}
    memory = {"state": "ready", "files": 812, "megabytes": 24.5, "progress": 0}
    server.protocol.notify(
        "hearth/status", {**status, "paused": False, "shown": 0, "accepted": 0, "memory": memory}
    )


@server.feature(lsp.TEXT_DOCUMENT_INLINE_COMPLETION, lsp.InlineCompletionOptions())
def inline_completion(params: lsp.InlineCompletionParams) -> list[lsp.InlineCompletionItem] | None:
    """Offer the rest of every alternative that has been begun."""
    script = json.loads(SCRIPT.read_text(encoding="utf-8"))
    document = server.workspace.get_text_document(params.text_document.uri)
    before = document.source[: document.offset_at_position(params.position)].replace("\r\n", "\n")
    position, kind = [params.position.line, params.position.character], int(params.context.trigger_kind)
    log("inlineCompletion", position=position, before=before, kind=kind)
    answer = script.get("answer", "items")
    if answer == "error":
        raise RuntimeError("the script asks for an error")
    if answer == "null":
        return None
    if answer == "empty":
        return []
    end = lsp.Position(params.position.line, params.position.character + script.get("replaces", 0))
    rests = [rest_of(text, before) for block in script["blocks"] for text in block]
    return [
        lsp.InlineCompletionItem(
            insert_text=rest.replace("\n", script.get("newline", "\n")),
            range=lsp.Range(params.position, end),
            command=lsp.Command(title="Accepted", command="hearth.accepted", arguments=[rest]),
        )
        for rest in rests
        if rest
    ]


@server.feature("hearth/cursor")
def cursor(params: Any) -> None:
    """Log where the cursor rests."""
    log("cursor", position=[params.position.line, params.position.character])


def add_command(name: str) -> None:
    """Log the command's arguments when it is run."""

    @server.command(name)
    def run(ls: LanguageServer, *arguments: Any) -> None:
        log(name, arguments=list(arguments))


if __name__ == "__main__":
    for command in COMMANDS:
        add_command(command)
    server.start_io()
