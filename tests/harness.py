"""What the tests share: a model that answers from a script, behind a real ``Backend``.

The script stands where the socket would be: request building, SSE parsing and error mapping are real.
It is strict: a request nobody scripted, or one the engine would not take, fails the test.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import httpx

from models.backend import Backend
from models.spec import BackendSpec
from models.wire import Usage, usage_json

MODEL = "scripted"
PATHS = {"/v1/completions": "text_completion", "/v1/chat/completions": "chat.completion.chunk"}
FIELDS = frozenset(
    {"model", "prompt", "suffix", "messages", "stream", "max_tokens", "temperature", "stop"}
    | {"top_p", "top_k", "seed", "logprobs", "n", "hearth"}
)
TOKEN = re.compile(r"\w+|[^\w\s]|\n|[^\S\n]+")  # Near enough to how a model cuts code into tokens.


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One scripted answer, for when the text alone does not say enough."""

    text: str = ""
    others: tuple[str, ...] = ()
    """The further choices, where more than one is asked for; what is not here says nothing."""
    unsure: bool = False
    """Whether the engine stops there because nobody would be shown it."""
    logprob: float = -0.05
    """The log-probability of every token."""
    logprobs: tuple[float, ...] = ()
    """The log-probabilities of the first tokens, where they differ from ``logprob``."""
    status: int = 200
    problem: str = ""
    """Why the engine says no: with status 200 it says so inside the stream, after ``text``."""
    dropped: bool = False
    """The connection breaks after ``text``, as when the engine is killed."""
    delay: float = 0.0
    """Seconds before the first piece, as while a model is being loaded."""
    endless: bool = False
    """Nothing comes after ``text``: only closing the stream ends it."""


def scripted(*answers: str | Answer) -> Backend:
    """A real ``Backend`` whose engine gives these answers, one per request, in this order."""
    return Script(*answers).backend()


class Script(httpx.AsyncBaseTransport):
    """Answers from a script and remembers what was asked."""

    def __init__(self, *answers: str | Answer) -> None:
        self.requests: list[dict[str, Any]] = []
        """The body of every request, in order."""
        self.typed = 0
        """How often the engine was told that somebody types."""
        self.cancelled = 0
        """How many streams were closed before they ended."""
        self.ahead: list[dict[str, Any]] = []
        """The body of every request for what may be asked next, in order; they are not in ``requests``."""
        self.ahead_answers: list[Answer] = []
        """What these are given, first to last; nothing is said to those behind the last one."""
        self._answers = [it if isinstance(it, Answer) else Answer(text=it) for it in answers]

    def backend(self) -> Backend:
        """A real ``Backend`` that talks to this script."""
        return Backend(BackendSpec(url="http://scripted", model=MODEL), self)

    @property
    def left(self) -> int:
        """How many answers nobody has asked for yet."""
        return len(self._answers) - len(self.requests)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Give the next answer."""
        assert request.method == "POST", f"{request.method} {request.url.path} is not in the script"
        if request.url.path == "/hearth/typing":
            self.typed += 1
            return httpx.Response(200, json={})
        assert request.url.path in PATHS, f"{request.url.path} is not in the script"
        body = json.loads(await request.aread())
        assert body.keys() <= FIELDS, f"the engine does not know {sorted(body.keys() - FIELDS)}"
        assert body["stream"] is True, "the engine is asked to stream"
        if body.get("hearth", {}).get("priority") == "prefill":
            self.ahead.append(body)
            is_said = 0 < body["max_tokens"] and self.ahead_answers
            answer = self.ahead_answers.pop(0) if is_said else Answer()
        else:
            assert len(self.requests) < len(self._answers), "one request more than the script has answers"
            answer = self._answers[len(self.requests)]
            self.requests.append(body)
        if answer.status != 200:
            error = {"message": answer.problem, "type": "scripted", "code": answer.status}
            return httpx.Response(answer.status, json={"error": error})
        return httpx.Response(
            200,
            headers={"content-type": "text/event-stream; charset=utf-8"},
            stream=_Stream(self, answer, body, PATHS[request.url.path]),
        )


class _Stream(httpx.AsyncByteStream):
    """The server-sent events of one answer."""

    def __init__(self, script: Script, answer: Answer, body: dict[str, Any], kind: str) -> None:
        self._script = script
        self._answer = answer
        self._events = _events(answer, body, kind)
        self._over = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        await asyncio.sleep(self._answer.delay)
        for event in self._events:
            await asyncio.sleep(0)  # As on a socket, other tasks run between two pieces.
            yield event
        if self._answer.dropped:
            self._over = True
            raise httpx.RemoteProtocolError("peer closed connection without sending complete message body")
        if self._answer.endless:
            await asyncio.Event().wait()
        self._over = True

    async def aclose(self) -> None:
        """Count a stream that is closed while there was more to come."""
        self._script.cancelled += not self._over
        self._over = True


def _events(answer: Answer, body: dict[str, Any], kind: str) -> Iterator[bytes]:
    texts = [answer.text, *answer.others, *("" for _ in range(body.get("n", 1)))][: body.get("n", 1)]
    spoken = [_tokens(it, body) for it in texts]
    for choice, (tokens, _) in enumerate(spoken):
        for n, token in enumerate(tokens):
            logprob = answer.logprobs[n] if n < len(answer.logprobs) else answer.logprob
            yield _event(_chunk(kind, choice, token, [logprob] if body.get("logprobs") else None, None))
    if answer.dropped or answer.endless:
        return
    if answer.problem:
        yield _event({"error": {"message": answer.problem, "type": "scripted", "code": 500}})
        return
    prompt = sum(len(TOKEN.findall(str(body.get(it) or ""))) for it in ("prompt", "suffix", "messages"))
    said = sum(len(tokens) for tokens, _ in spoken)
    usage = Usage(prompt_tokens=prompt, cached_tokens=0, completion_tokens=said, decode_ms=1.0)
    for choice, (_, finish) in enumerate(spoken):
        chunk = _chunk(kind, choice, "", None, "stop" if answer.unsure else finish)
        if answer.unsure:
            chunk["choices"][0]["hearth"] = {"unsure": True}
        yield _event(chunk | {"usage": usage_json(usage)})
    yield b"data: [DONE]\n\n"


def _tokens(text: str, body: dict[str, Any]) -> tuple[list[str], str]:
    """What a model would send of ``text``: it honors ``stop`` and ``max_tokens``."""
    for stop in body.get("stop", ()):
        text = text.split(stop, 1)[0]
    tokens = TOKEN.findall(text)
    if body["max_tokens"] < len(tokens):
        return tokens[: body["max_tokens"]], "length"
    return tokens, "stop"


def _chunk(
    kind: str, index: int, text: str, logprobs: list[float] | None, finish: str | None
) -> dict[str, Any]:
    choice: dict[str, Any] = {"index": index, "finish_reason": finish}
    if kind == "text_completion":
        choice["text"] = text
        choice["logprobs"] = logprobs and {"tokens": [text], "token_logprobs": logprobs}
    else:
        choice["delta"] = {"content": text}
        choice["logprobs"] = logprobs and {"content": [{"token": text, "logprob": logprobs[0]}]}
    return {"id": "scripted", "object": kind, "created": 0, "model": MODEL, "choices": [choice]}


def _event(value: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(value).encode() + b"\n\n"
