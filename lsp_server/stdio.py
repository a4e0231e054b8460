"""Carry messages between this process's pipes and the server, until the editor is done or gone.

The reader thread only moves bytes (it blocks, and so must not be the event loop). Everything else happens
on the loop, one message after the other, so that a request always sees the document it was asked about.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import threading
from typing import Any

from pygls.exceptions import JsonRpcException

from lsp_server import logs, wiring
from lsp_server.convert import agreed_encoding
from lsp_server.features import register
from lsp_server.frames import Frames, NotAClient, error, frame
from lsp_server.greeting import INVALID_REQUEST, READ_BYTES, write_all
from lsp_server.server import Assistant

logger = logging.getLogger(__name__)

PARENT_SECONDS = 2.0  # How long the server may outlive an editor that died without closing its pipe.
CLOSE_SECONDS = 3.0  # Giving back the engine takes milliseconds; one that hangs must not keep us.
INVALID_PARAMS = -32602


def run(first: dict[str, Any], frames: Frames, wire: int, model: str | None = None) -> int:
    """Serve the client whose `initialize` has been answered; the exit code."""
    logs.start()
    try:
        return asyncio.run(_serve(first, frames, wire, model))
    except KeyboardInterrupt:
        return 130


async def _serve(first: dict[str, Any], frames: Frames, wire: int, model: str | None) -> int:
    assistant = Assistant(wiring.Workbench(model))
    register(assistant)
    connection = Connection(assistant, wire)
    connection.initialize(first)
    arrivals: asyncio.Queue[bytes] = asyncio.Queue()
    _start_reader(arrivals)
    parent = asyncio.create_task(_parent_death(assistant.process_id))
    pump = asyncio.create_task(connection.pump(frames, arrivals))
    gone = asyncio.create_task(connection.gone.wait())
    try:
        await asyncio.wait({parent, pump, gone}, return_when=asyncio.FIRST_COMPLETED)
        return pump.result() if pump.done() else 1
    finally:
        for task in (parent, pump, gone):
            task.cancel()
        await _close(assistant)


class Connection:
    """One client: its messages in, its answers out."""

    def __init__(self, assistant: Assistant, wire: int) -> None:
        self.gone = asyncio.Event()
        """Set when the client no longer reads."""
        self._assistant = assistant
        self._wire = wire
        assistant.protocol.set_writer(self)

    def write(self, data: bytes) -> None:
        """Send bytes; a client that is gone is not an error here."""
        if self.gone.is_set():
            return
        try:
            write_all(self._wire, data)
        except OSError as exc:
            logger.info("client gone cause=%s", type(exc).__name__)
            self.gone.set()

    def close(self) -> None:
        """Part of the writer's interface; the pipe lives as long as the process."""

    def initialize(self, first: dict[str, Any]) -> None:
        """Tell the server what has been answered already."""
        protocol = self._assistant.protocol
        protocol.answered = first["id"]
        try:
            message = protocol.structure_message(first)
        except JsonRpcException:
            logger.warning("initialize is malformed: only its position encodings are used")
            message = protocol.structure_message(_least(first))
        protocol.handle_message(message)

    async def pump(self, frames: Frames, arrivals: asyncio.Queue[bytes]) -> int:
        """Handle messages until the client says `exit` or closes its end; the exit code."""
        try:
            while True:
                while (body := frames.take()) is not None:
                    code = self._handle(body)
                    if code is not None:
                        return code
                    await asyncio.sleep(0)  # A request looks at its document before the next change comes.
                data = await arrivals.get()
                if not data:
                    return 0 if self._assistant.protocol.is_shut_down else 1
                frames.feed(data)
        except NotAClient as exc:
            logger.error("this is no language client: %s", exc)
            return 1

    def _handle(self, body: bytes) -> int | None:
        try:
            message = json.loads(body)
        except (ValueError, RecursionError):
            message = None
        if not isinstance(message, dict) or message.get("jsonrpc") != "2.0":
            logger.warning("ignored a message that is no JSON-RPC bytes=%d", len(body))
            return None
        protocol = self._assistant.protocol
        if message.get("method") == "exit":
            return 0 if protocol.is_shut_down else 1
        asks = "id" in message and "method" in message
        if protocol.is_shut_down or message.get("method") == "initialize":
            if asks:
                self.write(frame(error(message["id"], INVALID_REQUEST, "Not in this state.")))
            return None
        if "method" in message and protocol.get_message_type(message["method"]) is None:
            message.setdefault("params", None)  # The library wants them, the protocol does not.
        try:
            protocol.handle_message(protocol.structure_message(message))
        except JsonRpcException:
            logger.warning("malformed method=%s", message.get("method"))
            if asks:
                self.write(frame(error(message["id"], INVALID_PARAMS, "The parameters are malformed.")))
        return None


def _least(first: dict[str, Any]) -> dict[str, Any]:
    """The part of `initialize` nothing works without, for a client whose other parts are malformed."""
    encoding = agreed_encoding(first["params"].get("capabilities"))
    params = {"processId": None, "capabilities": {"general": {"positionEncodings": [encoding]}}}
    return {**first, "params": params}


def _start_reader(arrivals: asyncio.Queue[bytes]) -> None:
    loop = asyncio.get_running_loop()

    def read() -> None:
        data = b"-"
        while data:
            try:
                data = os.read(0, READ_BYTES)
            except OSError:
                data = b""
            try:
                loop.call_soon_threadsafe(arrivals.put_nowait, data)
            except RuntimeError:  # The loop has ended.
                return

    # A daemon, and reading the descriptor itself: it may be waiting for bytes when the process ends.
    threading.Thread(target=read, name="stdin", daemon=True).start()


async def _parent_death(pid: int | None) -> None:
    """Return when the editor's process ends, if it is one that can be seen from here."""
    import psutil

    if pid is None or not psutil.pid_exists(pid):
        await asyncio.Event().wait()  # It lives elsewhere (a container, a remote host): its pipe must do.
        return
    try:
        parent = psutil.Process(pid)
        while parent.is_running() and parent.status() != psutil.STATUS_ZOMBIE:  # noqa: ASYNC110  # no event
            await asyncio.sleep(PARENT_SECONDS)
    except psutil.Error:
        pass
    logger.info("the editor's process has ended")


async def _close(assistant: Assistant) -> None:
    try:
        async with asyncio.timeout(CLOSE_SECONDS):
            await assistant.workbench.close()
    except Exception:
        logger.exception("closing failed")
