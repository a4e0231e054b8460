"""A progress bar while a folder is read for the first time, in editors that have them; cancelling pauses."""

from __future__ import annotations

import asyncio
import logging
import uuid
from contextlib import suppress
from typing import TYPE_CHECKING

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException

from lsp_server.protocol import IndexStatus

if TYPE_CHECKING:
    from lsp_server.server import Assistant

logger = logging.getLogger(__name__)

PATIENCE_SECONDS = 1.5  # What is read faster than this needs no bar.
REPORT_SECONDS = 0.5
TITLE = "Hearth: indexing"


class Bar:
    """The bar of one connection."""

    def __init__(self, assistant: Assistant) -> None:
        self._ls = assistant
        self._task: asyncio.Task[None] | None = None
        self._done = asyncio.Event()

    def index_changed(self) -> None:
        """Show the bar, move it, or take it away."""
        building = self._ls.workbench.index.is_first_build
        if not building:
            self._done.set()
        elif self._task is None:
            self._done.clear()
            self._task = asyncio.get_running_loop().create_task(self._show())

    async def _show(self) -> None:
        try:
            if await self._is_done(PATIENCE_SECONDS):
                return
            window = self._ls.client_capabilities.window
            if window and window.work_done_progress:
                await self._fill()
            else:
                await self._done.wait()
        except Exception:
            logger.exception("index bar bug")
        finally:
            self._task = None

    async def _fill(self) -> None:
        progress, token = self._ls.work_done_progress, f"hearth-index-{uuid.uuid4()}"
        try:
            await progress.create_async(token)
        except JsonRpcException as exc:
            logger.info("progress refused cause=%s", type(exc).__name__)
            await self._done.wait()
            return
        begin = lsp.WorkDoneProgressBegin(title=TITLE, cancellable=True, percentage=0)
        progress.begin(token, begin)
        shown = 0
        while not await self._is_done(REPORT_SECONDS):
            if progress.tokens[token].cancelled():
                self._ls.workbench.index.pause()
                break
            status = self._ls.workbench.index.status
            shown = max(shown, min(100, int(100 * status.progress)))  # A bar never goes back.
            progress.report(token, lsp.WorkDoneProgressReport(percentage=shown, message=says(status)))
        state = self._ls.workbench.index.status.state
        message = "paused" if progress.tokens.pop(token).cancelled() else state
        progress.end(token, lsp.WorkDoneProgressEnd(message=message))
        if not self._done.is_set():  # It is being paused: until it is, no other bar.
            await self._done.wait()

    async def _is_done(self, seconds: float) -> bool:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._done.wait(), seconds)
        return self._done.is_set()


def says(status: IndexStatus) -> str:
    """How far it is, in words."""
    files = f"{status.files:,} files"
    left = status.seconds_left
    if left is None:
        return files
    return f"{files}, about {left / 60:.0f} min left" if 90 <= left else f"{files}, about {left:.0f} s left"
