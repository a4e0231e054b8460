"""Answer `initialize` before the server is loaded, then load it.

The protocol library takes about a second to import on a slow machine, and an editor that waits for
`initialize` shows nothing of us until then. What we offer does not depend on it: so the answer is written
here, with the standard library alone, and the library is loaded while the editor goes on. A test holds
that this answer is the one the library would have given.
"""

from __future__ import annotations

import gc
import json
import os
import sys
from collections.abc import Callable
from typing import Any

from lsp_server import protocol
from lsp_server.convert import agreed_encoding
from lsp_server.frames import Frames, NotAClient, error, frame
from models.version import VERSION

READ_BYTES = 64 * 1024  # What a pipe holds.
NOT_INITIALIZED = -32002
INVALID_REQUEST = -32600

Send = Callable[[bytes], None]


def capabilities(client: Any) -> dict[str, Any]:
    """What this server offers to a client with these capabilities."""
    return {
        "positionEncoding": agreed_encoding(client),
        "textDocumentSync": {"openClose": True, "change": 2, "save": True},
        "inlineCompletionProvider": {},
        "codeActionProvider": {"codeActionKinds": list(protocol.CODE_ACTION_KINDS)},
        "workspaceSymbolProvider": {"resolveProvider": False},
        "executeCommandProvider": {"commands": list(protocol.COMMANDS)},
        "workspace": {
            "workspaceFolders": {"supported": True, "changeNotifications": True},
            "fileOperations": {},
        },
    }


def greet(read: Callable[[], bytes], send: Send, frames: Frames) -> dict[str, Any] | None:
    """Read up to the `initialize` request and answer it; ``None`` if the client leaves before that."""
    while True:
        while (body := frames.take()) is None:
            data = read()
            if not data:
                return None
            frames.feed(data)
        message = _message(body)
        if message.get("method") == "exit":
            return None
        if "id" not in message:
            continue
        if message.get("method") != "initialize":
            send(frame(error(message["id"], NOT_INITIALIZED, "The first request must be initialize.")))
            continue
        params = message.get("params")
        if not isinstance(params, dict):
            send(frame(error(message["id"], INVALID_REQUEST, "The parameters of initialize are missing.")))
            continue
        send(frame({"jsonrpc": "2.0", "id": message["id"], "result": result(params)}))
        return message


def result(params: dict[str, Any]) -> dict[str, Any]:
    """The result of `initialize`."""
    return {
        "capabilities": capabilities(params.get("capabilities")),
        "serverInfo": {"name": "hearth", "version": VERSION},
    }


def serve(model: str | None = None) -> int:
    """Speak the protocol on this process's standard input and output; the exit code."""
    frames = Frames()
    try:
        wire = take_stdout()
        first = greet(lambda: os.read(0, READ_BYTES), lambda data: write_all(wire, data), frames)
    except OSError:  # The editor is gone already.
        return 1
    except NotAClient as exc:
        sys.stderr.write(f"hearth: this is no language client: {exc}.\n")
        return 2
    if first is None:
        return 1
    gc.disable()  # Nothing of what is imported now ever goes away.
    from lsp_server.stdio import run

    gc.freeze()  # Or a full collection looks at all of it again, for a tenth of a second, between two keys.
    gc.enable()
    return run(first, frames, wire, model)


def take_stdout() -> int:
    """Standard output for the protocol alone: what anything else prints goes to standard error."""
    wire = os.dup(1)
    try:
        os.dup2(2, 1)
    except OSError:  # There is no standard error.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
    return wire


def write_all(fd: int, data: bytes) -> None:
    """Write it all, however little the pipe takes at once."""
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def _message(body: bytes) -> dict[str, Any]:
    try:
        message = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return message if isinstance(message, dict) else {}
