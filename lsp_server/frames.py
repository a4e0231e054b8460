"""The messages on the wire: a `Content-Length` header, an empty line, a JSON body. Standard library only."""

from __future__ import annotations

import json
from typing import Any

MAX_HEADER_BYTES = 8 * 1024  # A header has two short lines; more than this is no language client.
MAX_BODY_BYTES = 256 * 1024 * 1024  # Larger than any document an editor opens as text.


class NotAClient(ValueError):
    """What arrives is not the language server protocol."""


class Frames:
    """Bytes as they arrive -> the body of each complete message."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._wanted: int | None = None

    def feed(self, data: bytes) -> None:
        """Take what has arrived."""
        self._bytes += data

    def take(self) -> bytes | None:
        """The next complete body, if there is one."""
        if self._wanted is None:
            end = self._bytes.find(b"\r\n\r\n")
            if end < 0:
                if len(self._bytes) > MAX_HEADER_BYTES:
                    raise NotAClient("the header never ends")
                return None
            self._wanted = _content_length(bytes(self._bytes[:end]))
            del self._bytes[: end + 4]
        if len(self._bytes) < self._wanted:
            return None
        body = bytes(self._bytes[: self._wanted])
        del self._bytes[: self._wanted]
        self._wanted = None
        return body


def frame(message: Any) -> bytes:
    """A message as it goes out."""
    body = json.dumps(message, separators=(",", ":")).encode()
    return b"Content-Length: %d\r\n\r\n%b" % (len(body), body)


def error(message_id: Any, code: int, sentence: str) -> dict[str, Any]:
    """The answer to a request that cannot be served."""
    return {"jsonrpc": "2.0", "id": message_id, "error": {"code": code, "message": sentence}}


def _content_length(header: bytes) -> int:
    for line in header.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length":
            if not value.strip().isdigit() or int(value) > MAX_BODY_BYTES:
                raise NotAClient("a message has no usable length")
            return int(value)
    raise NotAClient("a message has no length")
