"""Pure: the bytes a model server sends -> the values of ``models/wire.py``, or why they make no sense."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, replace
from typing import Any, Concatenate, ParamSpec, TypeVar

from models.wire import Finish, Health, Piece, ToolCall, call_value, usage_value

T = TypeVar("T")
P = ParamSpec("P")

MAX_EVENT_BYTES = 4 * 1024 * 1024  # No piece is larger; a server gone mad must not fill our memory.
MAX_SENTENCE = 300  # Characters of a server's own error message that a user is shown.
MAX_CALLS = 32  # In one answer: more than anybody would look through.
MAX_ARGUMENTS = 1_000_000  # Characters of one answer's calls together.
IGNORED_FIELDS = frozenset({b"event", b"id", b"retry"})  # Server-sent events have them; the dialect not.
HEALTH_TYPES: dict[str, type | tuple[type, ...]] = {
    "int": int,
    "float": (int, float),
}  # The others are strings.
# Reasons to end that leave an answer unfinished, and the status that says the same.
FAILED: Mapping[str, int] = {
    "content_filter": 400,
    "sensitive": 400,
    "abort": 500,
    "error": 500,
    "network_error": 502,
    "insufficient_system_resource": 503,
}
STATES = ("idle", "loading", "ready", "failed")


class Nonsense(ValueError):
    """An answer that is not in the dialect; the message says where, never what it contained."""


class Reported(Exception):
    """An error that the server sent, with its status or inside a stream."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str = "",
        parameter: str = "",
        wait_s: float | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        """The server's own name or number for what is wrong."""
        self.parameter = parameter
        """The parameter that it does not take."""
        self.wait_s = wait_s
        """How long it asks to wait."""


class SseReader:
    """Bytes as they arrive -> the data of each complete event."""

    def __init__(self) -> None:
        self._line = b""
        self._data: list[bytes] = []

    @property
    def in_the_middle(self) -> bool:
        """Whether the bytes so far end inside an event."""
        return bool(self._line or self._data)

    def feed(self, chunk: bytes) -> list[bytes]:
        """The events that this chunk completes."""
        lines = (self._line + chunk).split(b"\n")
        self._line = lines.pop()
        if len(self._line) > MAX_EVENT_BYTES:
            raise Nonsense("one event is too long")
        events = []
        for line in lines:
            name, _, value = line.removesuffix(b"\r").partition(b":")
            if name == b"data":
                self._data.append(value.removeprefix(b" "))
            elif name:
                if name not in IGNORED_FIELDS:
                    events.append(_stray_error(line))
            elif not value and self._data:  # An empty line ends the event; ":" starts a comment.
                events.append(b"\n".join(self._data))
                self._data = []
        return events

    def rest(self) -> list[bytes]:
        """What a stream that has ended leaves behind, if that is an error without a line's end."""
        if not self._line.startswith(b"{"):
            return []
        line, self._line = self._line, b""
        return [_stray_error(line)]


def _stray_error(line: bytes) -> bytes:
    """An error as Ollama sends it (plain JSON) or llama-server once did (a field of its own)."""
    if line.startswith(b"{") and b'"error"' in line:
        return line
    if line.startswith(b"error:"):
        return b'{"error":' + line.removeprefix(b"error:") + b"}"
    raise Nonsense("a line is no server-sent event")


def json_object(data: bytes) -> Mapping[str, Any]:
    """One JSON object; raises ``Nonsense`` for anything else."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as exc:
        raise Nonsense("not JSON") from exc
    if not isinstance(value, dict):
        raise Nonsense("not a JSON object")
    return value


def event_error(event: Mapping[str, Any]) -> Reported:
    """The error that an event of our engine is."""
    error = event.get("error")
    code = error.get("code") if isinstance(error, dict) else None
    return Reported(code if isinstance(code, int) else 500, error_message(event))


def message_in(body: bytes) -> str:
    """Our engine's own words in the body of an error; nothing if it has none."""
    try:
        return error_message(json_object(body))
    except Nonsense:
        return ""


def error_message(body: Mapping[str, Any]) -> str:
    """The server's own words for an error, on one line; servers differ in where they put them."""
    error = body.get("error") or body.get("detail") or body.get("message")
    message = error.get("message") if isinstance(error, dict) else error
    line = " ".join(message.split()) if isinstance(message, str) else ""
    return line if len(line) <= MAX_SENTENCE else line[: MAX_SENTENCE - 1] + "…"


def _strict(
    read: Callable[Concatenate[Mapping[str, Any], P], T],
) -> Callable[Concatenate[Mapping[str, Any], P], T]:
    def read_strictly(event: Mapping[str, Any], /, *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return read(event, *args, **kwargs)
        except Nonsense:
            raise
        except (AttributeError, LookupError, TypeError, ValueError) as exc:
            raise Nonsense("a value is of the wrong type") from exc

    return read_strictly


@_strict
def completion_piece(event: Mapping[str, Any]) -> Piece:
    """Read one chunk of ``/v1/completions``."""
    choice = _choice(event)
    logprobs = (choice.get("logprobs") or {}).get("token_logprobs") or ()
    return _piece(event, choice, choice.get("text"), logprobs)


@_strict
def chat_piece(event: Mapping[str, Any]) -> Piece:
    """Read one chunk of ``/v1/chat/completions``."""
    choice = _choice(event)
    delta = choice.get("delta") or choice.get("message") or {}
    text = delta.get("content")
    if isinstance(text, list):  # What is thought may stand there too, in a part of another type.
        text = "".join(it["text"] for it in text if it.get("type") == "text")
    text = text or delta.get("refusal")  # It says no in words of its own.
    logprobs = [it.get("logprob") for it in (choice.get("logprobs") or {}).get("content") or ()]
    return _piece(event, choice, text, logprobs)


class CallParts:
    """Calls that come in parts, several at once, in the order in which they began."""

    def __init__(self) -> None:
        self._found: dict[int, tuple[str, str, list[str]]] = {}
        self._size = 0

    def begin(self, index: int, identity: str, name: str) -> None:
        """A call begins."""
        if MAX_CALLS <= len(self._found):
            raise Nonsense("it calls too many tools at once")
        self._found[index] = (identity, name, [])

    def more(self, index: int, text: str) -> None:
        """Some more of a call's arguments."""
        self._size += len(text)
        if MAX_ARGUMENTS < self._size:
            raise Nonsense("a call is too long")
        self._found[index][2].append(text)

    def openai(self, part: Mapping[str, Any]) -> None:
        """One item of OpenAI's ``tool_calls``; servers leave out its index, or give all of them the same."""
        function = part.get("function") or {}
        identity, name = str(part.get("id") or ""), str(function.get("name") or "")
        last = max(self._found, default=-1)
        index = part.get("index")
        at = index if isinstance(index, int) else last
        known = self._found.get(at)
        if known is None or (name and known[0] not in ("", identity) and identity):
            at = at if known is None and isinstance(index, int) else last + 1
            self.begin(at, identity, name)
        elif name and not isinstance(index, int):
            at = last + 1
            self.begin(at, identity, name)
        elif identity or name:
            self._found[at] = (known[0] or identity, known[1] or name, known[2])
        arguments = function.get("arguments")
        if isinstance(arguments, dict):
            arguments = json.dumps(arguments)
        if arguments is not None and not isinstance(arguments, str):
            raise TypeError
        self.more(at, arguments or "")

    def whole(self) -> tuple[ToolCall, ...]:
        """All of them; each has an id of its own, also where the server gave none."""
        calls: list[ToolCall] = []
        for number, (identity, name, texts) in enumerate(self._found.values()):
            taken = {it.id for it in calls}
            own = identity if identity and identity not in taken else f"call_{number}"
            calls.append(call_value(own, name, "".join(texts)))
        return tuple(calls)


class ChatReader:
    """The chunks of one streamed answer, in their order -> its pieces."""

    def __init__(self) -> None:
        self._calls = CallParts()

    def read(self, event: Mapping[str, Any]) -> Piece:
        """What this chunk adds; the calls come with the end, when they are whole."""
        piece = chat_piece(event)
        _take_calls(event, self._calls)
        return replace(piece, calls=self._calls.whole()) if piece.finish else piece


@_strict
def _take_calls(event: Mapping[str, Any], calls: CallParts) -> None:
    choice = _choice(event)
    delta = choice.get("delta") or choice.get("message") or {}
    for part in delta.get("tool_calls") or ():
        calls.openai(part)


@_strict
def model_names(body: Mapping[str, Any]) -> tuple[str, ...]:
    """Read ``/v1/models``, in the server's order."""
    return tuple(dict.fromkeys(str(it["id"]) for it in body.get("data") or ()))


def health_value(body: Mapping[str, Any]) -> Health:
    """Read ``/health``. Fields of a newer version are left out; a server that is not ours is ``Nonsense``."""
    known: dict[str, Any] = {}
    for it in fields(Health):
        if it.name not in body:
            if it.default is MISSING:
                raise Nonsense(f"its health has no {it.name}")
            continue
        value = body[it.name]
        if not isinstance(value, HEALTH_TYPES.get(str(it.type), str)) or isinstance(value, bool):
            raise Nonsense(f"the {it.name} of its health is of the wrong type")
        known[it.name] = value
    if known["state"] not in STATES:
        raise Nonsense("the state of its health is unknown")
    return Health(**known)


def _choice(event: Mapping[str, Any]) -> Mapping[str, Any]:
    choices = event.get("choices")
    if not isinstance(choices, list):
        raise Nonsense("a piece has no choices")
    if not choices:  # Some servers send the usage alone, after the last choice.
        return {}
    if not isinstance(choices[0], dict):
        raise Nonsense("a choice is not an object")
    return choices[0]


def _piece(event: Mapping[str, Any], choice: Mapping[str, Any], text: Any, logprobs: Any) -> Piece:
    if text is not None and not isinstance(text, str):
        raise Nonsense("the text of a piece is not a string")
    index, usage = choice.get("index"), event.get("usage")
    if index is not None and not isinstance(index, int):
        raise Nonsense("the index of a choice is not a number")
    return Piece(
        text=text or "",
        choice=index or 0,
        logprobs=tuple(float(it) for it in logprobs if it is not None),
        finish=_finish(choice),
        usage=usage_value(usage) if usage else None,
    )


def _finish(choice: Mapping[str, Any]) -> Finish | None:
    reason = choice.get("finish_reason")
    if reason is None:
        return None
    if (choice.get("hearth") or {}).get("unsure"):
        return "unsure"
    if reason in FAILED:
        raise Reported(FAILED[reason], "", code=reason)
    return "length" if reason == "length" else "stop"
