"""Connections to a model server: used again, closed to cancel, never lost."""

from __future__ import annotations

import asyncio
import json
from contextlib import aclosing, suppress
from dataclasses import asdict

import pytest

from models.backend import Backend
from models.errors import Unreachable
from models.wire import CompletionRequest, Health, Piece
from tests.models.peer import GOOD, STREAM, chunk, plain, serving, text

REQUEST = CompletionRequest(model="m", prompt="a = ", suffix="\n")
HEALTH = Health(version="1.2.3", pid=1, executable="/python", state="ready", model="m")


async def test_a_connection_that_the_server_closed_is_not_used_again() -> None:
    """Servers close idle connections; a keystroke after a pause must not fail for it."""
    async with serving(GOOD, GOOD, GOOD, hangs_up=True) as peer:
        backend = peer.backend()
        for _ in range(3):
            assert [it async for it in backend.complete(REQUEST)]
            async with asyncio.timeout(10):
                while peer.open:  # noqa: ASYNC110 - the peer hangs up in its own time
                    await asyncio.sleep(0.01)
        await backend.close()
        assert peer.connections == 3


async def test_an_old_connection_is_not_used_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server may be about to close it."""
    monkeypatch.setattr("models.transport.KEEP_SECONDS", 0.0)
    async with serving(GOOD, GOOD) as peer:
        backend = peer.backend()
        for _ in range(2):
            assert [it async for it in backend.complete(REQUEST)]
        await backend.close()
        assert peer.connections == 2


async def test_a_server_may_end_the_connection_with_the_answer() -> None:
    """HTTP 1.0 and `connection: close`, without a length: the end of the stream is the end of the body."""
    body = b"data: " + json.dumps(text("b", "stop")).encode() + b"\n\n"
    answer = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n" + body
    async with serving(answer, GOOD, hangs_up=True) as peer:
        backend = peer.backend()
        assert [it async for it in backend.complete(REQUEST)] == [Piece(text="b", finish="stop")]
        assert [it.text async for it in backend.complete(REQUEST)] == ["b", ""]
        await backend.close()


async def test_closing_the_backend_ends_its_streams() -> None:
    """Whoever still reads is told, and does not wait for ever."""
    async with serving(endless) as peer:
        backend = peer.backend()
        stream = backend.complete(REQUEST)
        await anext(stream)
        reading = asyncio.ensure_future(anext(stream))
        await asyncio.sleep(0)
        await backend.close()
        with pytest.raises(Unreachable, match="broke"):
            await reading


async def test_finished_answers_share_one_connection() -> None:
    """Connecting anew for each keystroke would be felt."""
    async with serving(GOOD, GOOD, GOOD, plain(200, asdict(HEALTH))) as peer:
        backend = peer.backend()
        for _ in range(3):
            assert [it async for it in backend.complete(REQUEST)]
        assert await backend.health() == HEALTH
        await backend.close()
        assert peer.connections == 1


async def endless(writer: asyncio.StreamWriter) -> None:
    """One piece, then nothing."""
    writer.write(STREAM + chunk(text("b")))


async def test_closing_the_generator_hangs_up() -> None:
    """That is the cancel message."""
    async with serving(endless) as peer:
        backend = peer.backend()
        async with aclosing(backend.complete(REQUEST)) as stream:
            assert await anext(stream) == Piece(text="b")
        await asyncio.wait_for(peer.hung_up.wait(), 10)
        await backend.close()


@pytest.mark.parametrize("begins", [False, True], ids=["while the prompt is read", "after a piece"])
async def test_cancelling_the_task_hangs_up(begins: bool) -> None:
    """Also before the first byte of the answer, while the engine still reads the prompt."""
    asked, got = asyncio.Event(), asyncio.Event()

    async def begin(writer: asyncio.StreamWriter) -> None:
        if begins:
            await endless(writer)
        asked.set()

    async def read(backend: Backend) -> None:
        async for _ in backend.complete(REQUEST):
            got.set()

    async with serving(begin) as peer:
        backend = peer.backend()
        reading = asyncio.create_task(read(backend))
        await asyncio.wait_for(got.wait() if begins else asked.wait(), 10)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        await asyncio.wait_for(peer.hung_up.wait(), 10)
        await backend.close()


async def test_a_cancelled_stream_does_not_harm_the_next() -> None:
    """The newest request cancels the one before, at every keystroke."""
    async with serving(endless, GOOD) as peer:
        backend = peer.backend()
        async with aclosing(backend.complete(REQUEST)) as stream:
            await anext(stream)
        assert [it.text async for it in backend.complete(REQUEST)] == ["b", ""]
        await backend.close()


async def test_a_cancel_at_any_moment_leaves_no_connection_behind() -> None:
    """A day of typing cancels tens of thousands of requests, at every stage of their lives."""
    async with serving(*[GOOD] * 300) as peer:
        backend = peer.backend()
        for moment in range(120):
            asking = asyncio.create_task(_read(backend))
            for _ in range(moment):
                await asyncio.sleep(0)
            asking.cancel()
            with suppress(asyncio.CancelledError):
                await asking
        assert not asking.cancelled(), "the last ones were left to finish"
        async with asyncio.timeout(10):
            while 1 < peer.open:  # noqa: ASYNC110 - the peer notices in its own time
                await asyncio.sleep(0.01)
        await backend.close()


async def _read(backend: Backend) -> None:
    async for _ in backend.complete(REQUEST):
        pass
