"""A model server of the OpenAI dialect on a loopback port that says what a test tells it to, in a thread."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

WAIT = "<wait>"
"""A word that is not said: there the answer stops until it is let go on."""
BREAK = "<break>"
"""There the connection breaks."""


@dataclass(slots=True)
class TalkingModel:
    """What it is to say, and what it was asked."""

    answers: list[Sequence[str]]
    """Each in words; the last one is given to every further question."""
    port: int = 0
    bodies: list[bytes] = field(default_factory=list)
    go_on: threading.Event = field(default_factory=threading.Event)
    hung_up: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        """Where it is, as this machine."""
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def asked(self) -> list[dict[str, Any]]:
        """The requests."""
        return [json.loads(it) for it in self.bodies]


@contextmanager
def talking(*answers: str | Sequence[str], address: str = "127.0.0.1") -> Iterator[TalkingModel]:
    """A model that gives these answers; a text is said word by word."""
    model = TalkingModel([it.split(" ") if isinstance(it, str) else it for it in answers])

    server = ThreadingHTTPServer((address, 0), type("Handler", (_Handler,), {"model": model}))
    server.daemon_threads = True
    model.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield model
    finally:
        model.go_on.set()
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    """Serves one connection."""

    model: TalkingModel
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._whole({"data": [{"id": "m"}]})

    def do_POST(self) -> None:
        self.model.bodies.append(self.rfile.read(int(self.headers["content-length"])))
        answers = self.model.answers
        words = answers.pop(0) if 1 < len(answers) else answers[0]
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        with suppress(BrokenPipeError, ConnectionResetError):
            self._say(words)
            return
        self.model.hung_up.set()
        self.close_connection = True

    def _say(self, words: Sequence[str]) -> None:
        for number, word in enumerate(words):
            if word == WAIT:
                while not self.model.go_on.wait(0.05):
                    self._event(": still there")
            elif word == BREAK:
                self.close_connection = True
                return
            else:
                self._event(_delta(f"{' ' if number else ''}{word}"))
        self._event(_delta("", finish="stop"))
        usage = {"prompt_tokens": 9, "completion_tokens": len(words), "total_tokens": 9 + len(words)}
        self._event({"choices": [], "usage": usage})
        self._event("data: [DONE]")
        self._chunk(b"")

    def _event(self, value: dict[str, Any] | str) -> None:
        line = value if isinstance(value, str) else f"data: {json.dumps(value)}"
        self._chunk(f"{line}\n\n".encode())

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()

    def _whole(self, value: dict[str, Any]) -> None:
        body = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Tests are quiet."""


def _delta(text: str, finish: str | None = None) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": {"content": text} if text else {}, "finish_reason": finish}]}
