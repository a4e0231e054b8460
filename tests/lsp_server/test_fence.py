"""Failures stay inside the feature they happen in, and no library puts code into the log."""

from __future__ import annotations

import asyncio
import logging

import pytest

from lsp_server.fence import fence, fence_now
from lsp_server.logs import WithoutContent
from models.errors import ModelError, Unreachable


@pytest.mark.parametrize(
    ("failure", "level"),
    [(Unreachable("No engine."), "WARNING"), (ModelError("No model."), "WARNING"), (KeyError("x"), "ERROR")],
)
async def test_a_failure_becomes_the_degraded_answer(
    failure: Exception, level: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Expected ones are a line; others are a bug, with a traceback in the log. Both are answered."""

    async def handle(ls: object, params: object) -> list[int]:
        raise failure

    nothing: list[int] = []
    assert await fence(handle, nothing)(None, None) is nothing
    assert [it.levelname for it in caplog.records] == [level]
    assert bool(caplog.records[0].exc_info) == (level == "ERROR")


async def test_a_cancel_passes_the_fence() -> None:
    """It is no failure: the client is told that its request was cancelled."""

    async def handle(ls: object) -> None:
        await asyncio.Event().wait()

    task: asyncio.Task[None] = asyncio.create_task(fence(handle)(None))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_what_is_done_at_once_is_fenced_too(caplog: pytest.LogCaptureFixture) -> None:
    """A document that makes no sense must not take the connection down."""

    def handle(ls: object) -> None:
        raise IndexError

    fence_now(handle)(None)
    assert [it.levelname for it in caplog.records] == ["ERROR"]


def test_a_librarys_log_line_loses_its_content() -> None:
    """Libraries log whole messages, and a message holds the user's code."""
    logger = logging.getLogger("pygls.protocol.json_rpc")
    record = logger.makeRecord(
        logger.name, logging.ERROR, "file.py", 1, "Sending data: %s", ("password = 1",), None, "_send_data"
    )
    WithoutContent().filter(record)
    assert record.getMessage() == "in=_send_data"
