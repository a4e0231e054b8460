"""A bar for a command that takes a while, in editors that have them; cancelling it stops the command."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException

if TYPE_CHECKING:
    from lsp_server.server import Assistant

logger = logging.getLogger(__name__)

PATIENCE_SECONDS = 0.4  # What is done sooner needs no bar.
ANSWER_SECONDS = 3.0  # An editor that never answers must not keep a command from ending.
REPORT_SECONDS = 0.3  # Nobody reads faster.


class _Said:
    """What the bar says now."""

    def __init__(self) -> None:
        self.text = ""

    def say(self, text: str) -> None:
        self.text = text


@asynccontextmanager
async def bar(ls: Assistant, title: str, stop: Callable[[], object]) -> AsyncIterator[Callable[[str], None]]:
    """Show a bar as long as this lasts; what it gives takes the words to be shown."""
    said = _Said()
    window = ls.client_capabilities.window
    if not window or not window.work_done_progress:
        yield said.say
        return
    over = asyncio.Event()
    shown = asyncio.create_task(_show(ls, title, said, over, stop))
    try:
        yield said.say
    finally:
        over.set()
        with suppress(asyncio.CancelledError):
            await asyncio.shield(shown)


async def _show(
    ls: Assistant, title: str, said: _Said, over: asyncio.Event, stop: Callable[[], object]
) -> None:
    if await _is_over(over, PATIENCE_SECONDS):
        return
    progress, token = ls.work_done_progress, f"hearth-run-{uuid.uuid4()}"
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            await progress.create_async(token)
    except (JsonRpcException, TimeoutError) as exc:
        logger.info("progress refused cause=%s", type(exc).__name__)
        return
    progress.begin(token, lsp.WorkDoneProgressBegin(title=title, cancellable=True, message=said.text))
    before = said.text
    while not await _is_over(over, REPORT_SECONDS):
        if progress.tokens[token].cancelled():
            stop()
            break
        if said.text != before:
            before = said.text
            progress.report(token, lsp.WorkDoneProgressReport(message=before, cancellable=True))
    was_cancelled = progress.tokens.pop(token).cancelled()
    progress.end(token, lsp.WorkDoneProgressEnd(message="stopped" if was_cancelled else "done"))


async def _is_over(over: asyncio.Event, seconds: float) -> bool:
    with suppress(TimeoutError):
        await asyncio.wait_for(over.wait(), seconds)
    return over.is_set()
