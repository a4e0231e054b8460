"""The wire: messages arrive in any pieces, and what is no message is known as such."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.frames import MAX_HEADER_BYTES, Frames, NotAClient, frame
from lsp_server.greeting import greet


@given(texts=st.lists(st.text(), max_size=4), size=st.integers(1, 50))
def test_messages_survive_being_cut_anywhere(texts: list[str], size: int) -> None:
    """A pipe gives bytes as it likes."""
    wire = b"".join(frame({"text": it}) for it in texts)
    frames, got = Frames(), []
    for at in range(0, len(wire), size):
        frames.feed(wire[at : at + size])
        while (body := frames.take()) is not None:
            got.append(json.loads(body)["text"])
    assert got == texts


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"Content-Length: -5\r\n\r\n",
        b"Content-Length: 99999999999999\r\n\r\n",
        b"Content-Length: two\r\n\r\n{}",
        b"x" * (MAX_HEADER_BYTES + 1),
    ],
)
def test_what_is_no_message_is_refused(data: bytes) -> None:
    """A shell, a browser, a binary: none of them is waited for."""
    frames = Frames()
    frames.feed(data)
    with pytest.raises(NotAClient):
        frames.take()


def greeted(*messages: bytes) -> tuple[object, list[dict[str, object]]]:
    """What the greeting makes of these messages, and what it sends."""
    arriving, frames, sent = [*messages, b""], Frames(), Frames()
    first = greet(lambda: arriving.pop(0), sent.feed, frames)
    answers = []
    while (body := sent.take()) is not None:
        answers.append(json.loads(body))
    return first and first["id"], answers


def test_initialize_is_answered_and_handed_on() -> None:
    """Whatever comes before it is answered or passed over, as the protocol wants."""
    first, answers = greeted(
        frame([1, 2]),
        frame({"jsonrpc": "2.0", "method": "initialized"}),
        frame({"jsonrpc": "2.0", "id": 1, "method": "hearth/status"}),
        frame({"jsonrpc": "2.0", "id": 2, "method": "initialize"}),
        frame({"jsonrpc": "2.0", "id": "x", "method": "initialize", "params": {"capabilities": 5}}),
    )
    assert first == "x"
    assert [(it["id"], "result" in it) for it in answers] == [(1, False), (2, False), ("x", True)]


@pytest.mark.parametrize("messages", [(), (frame({"method": "exit"}),), (b"Content-Length: 9\r\n\r\n{",)])
def test_a_client_that_leaves_before_the_greeting(messages: tuple[bytes, ...]) -> None:
    """There is nothing to do, and nothing to complain about."""
    assert greeted(*messages) == (None, [])
