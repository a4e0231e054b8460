"""The backend over real sockets: what it asks, what it makes of the answers, and how it fails."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from models.backend import Backend
from models.errors import BackendError, Broken, Overloaded, Refused, TooLong, Unreachable
from models.spec import BackendSpec
from models.wire import (
    ChatMessage,
    ChatRequest,
    CompletionRequest,
    Health,
    Piece,
    Sampling,
    usage_json,
)
from tests.models.peer import DONE, GOOD, STREAM, USAGE, chunk, plain, serving, sse, text

REQUEST = CompletionRequest(model="m", prompt="a = ", suffix="\n")
CHAT = ChatRequest(model="m", messages=(ChatMessage(role="user", content="Why?"),))
HEALTH = Health(version="1.2.3", pid=1, executable="/python", state="ready", model="m")


async def pieces(backend: Backend, request: CompletionRequest | ChatRequest = REQUEST) -> list[Piece]:
    stream = backend.chat(request) if isinstance(request, ChatRequest) else backend.complete(request)
    try:
        return [it async for it in stream]
    finally:
        await backend.close()


async def test_a_stream_becomes_pieces_and_the_last_one_has_finish_and_usage() -> None:
    """The engine's dialect, as the contract has it."""
    with_logprobs = {
        "choices": [{"text": "b", "logprobs": {"token_logprobs": [-0.5]}, "finish_reason": None}]
    }
    async with serving(sse(with_logprobs, text("c", "length", usage=usage_json(USAGE)), DONE)) as peer:
        assert await pieces(peer.backend()) == [
            Piece(text="b", logprobs=(-0.5,)),
            Piece(text="c", finish="length", usage=USAGE),
        ]


async def test_what_is_asked_is_the_body_of_wire() -> None:
    """The suffix, the sampling and our own key arrive as they were given."""
    request = CompletionRequest(
        model="m", prompt="é\ud800", suffix="z", sampling=Sampling(logprobs=True, max_tokens=3)
    )
    async with serving(GOOD) as peer:
        await pieces(peer.backend(), request)
        line, headers, body = peer.requests[0]
    sent = json.loads(body)
    assert line == "POST /v1/completions"
    assert headers["content-type"] == "application/json"
    assert sent["prompt"] == "é?", "half of a surrogate pair has no UTF-8 form"
    assert (sent["suffix"], sent["max_tokens"], sent["logprobs"], sent["stream"]) == ("z", 3, 1, True)
    assert sent["hearth"]["priority"] == "typing"


async def test_chat_reads_deltas() -> None:
    """The first delta has a role and no content; logprobs stand elsewhere than in completions."""
    first = {"choices": [{"delta": {"role": "assistant", "content": None}, "finish_reason": None}]}
    second = {
        "choices": [
            {
                "delta": {"content": "Because"},
                "logprobs": {"content": [{"logprob": -1.0}]},
                "finish_reason": None,
            }
        ]
    }
    last = {"choices": [{"delta": {}, "finish_reason": "stop"}], "usage": usage_json(USAGE)}
    async with serving(sse(first, second, last, DONE)) as peer:
        assert await pieces(peer.backend(), CHAT) == [
            Piece(text="Because", logprobs=(-1.0,)),
            Piece(text="", finish="stop", usage=USAGE),
        ]


async def test_usage_may_come_alone_after_the_last_choice() -> None:
    """Other servers of the dialect send it so; the piece with ``finish`` waits for it."""
    async with serving(
        sse(text("b"), text("", "stop"), {"choices": [], "usage": usage_json(USAGE)}, DONE)
    ) as peer:
        assert await pieces(peer.backend()) == [Piece(text="b"), Piece(text="", finish="stop", usage=USAGE)]


async def test_a_server_that_sends_no_usage_and_no_done_is_understood() -> None:
    """Neither is needed to know that the answer is whole."""
    async with serving(sse(text("b", "stop"))) as peer:
        assert await pieces(peer.backend()) == [Piece(text="b", finish="stop")]


async def test_events_may_be_cut_anywhere_between_bytes() -> None:
    """A chunk of HTTP is not an event, and a character may be cut in two."""
    raw = (
        b": hello\r\n\r\nevent: x\nid: 1\ndata: "
        + json.dumps(text("é€😀"), ensure_ascii=False).encode()
        + b"\n\n"
    )
    raw += b"data: " + json.dumps(text("", "stop")).encode() + b"\r\n\r\n"
    async with serving(sse(*(raw[n : n + 1] for n in range(len(raw))), DONE)) as peer:
        assert await pieces(peer.backend()) == [Piece(text="é€😀"), Piece(text="", finish="stop")]


@pytest.mark.parametrize(
    ("answer", "error", "sentence"),
    [
        (plain(400, {"error": {"message": "top_k is not whole."}}), Refused, "top_k is not whole."),
        (plain(413, {"error": {"message": "It has 9 tokens."}}), TooLong, "It has 9 tokens."),
        (plain(404, {"error": {"message": "No model is\n called 'x'."}}), Refused, "No model is called 'x'."),
        (plain(422, {"error": {"message": "No GGUF."}}), Refused, "No GGUF."),
        (plain(401, b""), Refused, "The engine answered 401."),
        (plain(429, {"error": "slow down"}), Overloaded, "slow down"),
        (plain(503, {"error": {"message": "Busy."}}), Overloaded, "Busy."),
        (plain(500, b"<html>"), Broken, "The engine answered 500."),
        (plain(302, b""), Broken, "The engine answered 302."),
        (plain(400, {"error": {"message": 7}}), Refused, "The engine answered 400."),
        (plain(200, {"choices": []}), Broken, "makes no sense: not a stream of events."),
        (sse(text("b"), {"error": {"message": "It broke.", "code": 500}}), Broken, "It broke."),
        (sse({"error": {"message": "Busy.", "code": 503}}), Overloaded, "Busy."),
        (sse({"error": {"message": "No.", "type": "x", "code": "no"}}), Broken, "No."),
        (sse({"error": "No."}), Broken, "No."),
        (sse(b'data: {"choices": [\n\n'), Broken, "makes no sense: not JSON."),
        (sse(b"data: [1]\n\n"), Broken, "makes no sense: not a JSON object."),
        (sse(b"data: \xff\n\n"), Broken, "makes no sense: not JSON."),
        (sse(b'data: {"choices": []}'), Broken, "makes no sense: half an event."),
        (sse(b'{"choices": []}\n\n'), Broken, "makes no sense: a line is no server-sent event."),
        (sse({"choices": 1}), Broken, "makes no sense: a piece has no choices."),
        (sse({"choices": [1]}), Broken, "makes no sense: a choice is not an object."),
        (sse({"choices": [{"text": 1}]}), Broken, "makes no sense: the text of a piece is not a string."),
        (sse({"choices": [{"text": "", "logprobs": 1}]}), Broken, "a value is of the wrong type."),
        (
            sse({"choices": [{"text": "", "logprobs": {"token_logprobs": ["x"]}}]}),
            Broken,
            "of the wrong type.",
        ),
        (sse(text("b", "stop", usage=[1])), Broken, "a value is of the wrong type."),
        (sse(text("b"), DONE), Broken, "The engine stopped in the middle of its answer."),
        (sse(text("b")), Broken, "The engine stopped in the middle of its answer."),
        (STREAM + chunk(text("b")), Unreachable, "The connection to the engine broke."),
        (b"", Unreachable, "The connection to the engine broke."),
        (b"SSH-2.0-OpenSSH\r\n", Unreachable, "The connection to the engine broke."),
    ],
)
async def test_every_failure_is_one_sentence_with_its_cause(
    answer: bytes, error: type[BackendError], sentence: str
) -> None:
    """The user reads the sentence; the log has the cause."""
    async with serving(answer) as peer:
        with pytest.raises(error) as caught:
            await pieces(peer.backend())
    assert type(caught.value) is error
    assert str(caught.value).endswith(sentence)
    assert caught.value.__cause__ is not None or "middle of its answer" in sentence


async def test_a_very_long_message_is_cut() -> None:
    """A page of text is no sentence."""
    async with serving(plain(500, {"error": {"message": "x" * 5000}})) as peer:
        with pytest.raises(Broken, match=r"^x{299}…$"):
            await pieces(peer.backend())


async def test_an_endless_event_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that sends no line end cannot fill our memory."""
    monkeypatch.setattr("models.answers.MAX_EVENT_BYTES", 1000)
    async with serving(sse(b"data: " + b"x" * 2000)) as peer:
        with pytest.raises(Broken, match="too long"):
            await pieces(peer.backend())


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "nonsense", "ftp://x", "http://[::1", "http://a:b"])
async def test_nobody_at_the_address(url: str) -> None:
    """A wrong or dead address is one sentence that names it."""
    with pytest.raises(Unreachable) as caught:
        await pieces(Backend(BackendSpec(model="m", url=url)))
    assert url in str(caught.value)


async def test_a_missing_and_a_stale_socket_are_unreachable(tmp_path: Path) -> None:
    """A socket file that nobody listens on is what a crash leaves behind."""
    async with serving() as peer:
        pass
    peer.socket.parent.mkdir()
    for prepare in (lambda: None, peer.socket.touch):
        prepare()
        backend = peer.backend()
        with pytest.raises(Unreachable, match="Nobody answers at"):
            await backend.health()
        assert backend.suspect
        await backend.close()
    peer.socket.unlink()
    peer.socket.parent.rmdir()


async def test_health_answers_in_two_seconds_or_not_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine that hangs must not hang its callers."""
    monkeypatch.setattr("models.backend.HEALTH_SECONDS", 0.05)

    async def silence(writer: asyncio.StreamWriter) -> None:
        pass

    async with serving(silence) as peer:
        backend = peer.backend()
        with pytest.raises(Unreachable, match="has stopped answering"):
            await backend.health()
        await asyncio.wait_for(peer.hung_up.wait(), 10)
        await backend.close()


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"version": None}, "the version of its health is of the wrong type"),
        ({"pid": True}, "the pid of its health is of the wrong type"),
        ({"state": "bored"}, "the state of its health is unknown"),
        ({"progress": "half"}, "the progress of its health is of the wrong type"),
    ],
)
async def test_health_is_read_strictly(change: dict[str, Any], why: str) -> None:
    """Another server on our socket, or a version that changed the meaning, is noticed."""
    async with serving(plain(200, asdict(HEALTH) | change)) as peer:
        backend = peer.backend()
        with pytest.raises(Broken, match=why):
            await backend.health()
        await backend.close()


async def test_health_of_another_version_is_understood() -> None:
    """A newer engine may say more and an older one less; what is required stays."""
    body = {k: v for k, v in asdict(HEALTH).items() if k not in ("loads", "clients")} | {"new": 1}
    async with serving(plain(200, body), plain(200, {"status": "ok"})) as peer:
        backend = peer.backend()
        assert await backend.health() == HEALTH
        with pytest.raises(Broken, match="its health has no version"):
            await backend.health()
        await backend.close()


async def test_the_token_file_becomes_a_bearer_token(tmp_path: Path) -> None:
    """The token is nowhere but in the file and in the header."""
    token_file = tmp_path / "token"
    with pytest.raises(Unreachable, match="Cannot read the token"):
        await pieces(Backend(BackendSpec(model="m", token_file=token_file)))
    token_file.write_text("s3cret\n")
    async with serving(GOOD) as peer:
        await pieces(peer.backend(token_file))
        assert peer.requests[0][1]["authorization"] == "Bearer s3cret"


async def test_events_are_healths_until_the_engine_goes() -> None:
    """An end in good order ends the stream, too; a crash is an error."""
    later = asdict(HEALTH) | {"state": "loading", "progress": 0.5}
    async with serving(sse(asdict(HEALTH), later), STREAM + chunk(later)) as peer:
        backend = peer.backend()
        seen = [it async for it in backend.events()]
        crashing = backend.events()
        assert await anext(crashing) == seen[-1]
        with pytest.raises(Unreachable, match="The connection to the engine broke"):
            await anext(crashing)
        await backend.close()
    assert [(it.state, it.progress) for it in seen] == [("ready", 0.0), ("loading", 0.5)]


async def test_an_engine_that_says_nothing_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    """It speaks every few seconds; silence means that it will not answer either."""
    monkeypatch.setattr("models.backend.EVENT_SECONDS", 0.05)

    async def first_only(writer: asyncio.StreamWriter) -> None:
        writer.write(STREAM + chunk(asdict(HEALTH)))

    async with serving(first_only) as peer:
        backend = peer.backend()
        with pytest.raises(Unreachable, match="has stopped answering"):
            async for _ in backend.events():
                pass
        await backend.close()


async def test_shutdown_asks_for_it() -> None:
    """The answer may be empty of meaning, but it is an object."""
    async with serving(plain(202, {})) as peer:
        backend = peer.backend()
        await backend.shutdown()
        await backend.close()
        assert peer.requests[0][0] == "POST /hearth/shutdown"


async def test_typing_is_told_and_needs_no_answer() -> None:
    """An engine that does not know it, an older one, says so as any refusal is said."""
    async with serving(plain(200, {}), plain(404, {})) as peer:
        backend = peer.backend()
        await backend.typing()
        with pytest.raises(BackendError):
            await backend.typing()
        await backend.close()
        assert peer.requests[0][0] == "POST /hearth/typing"


async def test_several_choices_each_have_their_end() -> None:
    """They arrive in any order; a usage at the very end is that of all who have none."""

    def part(index: int, words: str, finish: str | None = None) -> dict[str, object]:
        return {"choices": [{"index": index, "text": words, "finish_reason": finish}]}

    alone = {"choices": [], "usage": usage_json(USAGE)}
    async with serving(
        sse(part(0, "a"), part(1, "b"), part(0, "", "stop"), part(1, "c", "length"), alone, DONE)
    ) as peer:
        assert await pieces(peer.backend()) == [
            Piece(text="a"),
            Piece(text="b", choice=1),
            Piece(text="", finish="stop", usage=USAGE),
            Piece(text="c", choice=1, finish="length", usage=USAGE),
        ]
