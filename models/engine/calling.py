"""Pure: calls of tools in what a model writes. It knows no events for them: it writes them as text.

Qwen and many others write ``<tool_call>{"name": …, "arguments": {…}}</tool_call>``; small ones forget the
marks, or put the object into a fence. What is no call stays text, and is told as it comes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from models.wire import Piece, ToolCall, ToolSpec, call_value

MARKS = {"<tool_call>": "</tool_call>", "<tools>": "</tools>"}
LONGEST = 100_000
"""Characters that are held back for a call that does not end; then they are text."""
KEYS = ("name", "arguments", "parameters", "type", "function")
# Where the whole answer may be a call without marks: an object with one of a call's keys, or its beginning.
_BARE = re.compile(r"(?:```\w*\s*)?[\[{\s]*(?:\"(?P<key>\w*)(?P<quote>\"?))?")
_FENCE = re.compile(r"\s*```\w*\s*\n(?P<inside>.*?)(?:\n\s*```)?\s*", re.DOTALL)
_NAME = re.compile(r"\"name\"\s*:\s*\"([\w.-]{1,64})\"")


class CallReader:
    """The text of one answer as it comes -> the text to tell, and in the end the calls."""

    def __init__(self, tools: Sequence[ToolSpec], identity: str) -> None:
        """``identity`` begins the ids of the calls, which are to be unique in a conversation."""
        self.calls: list[ToolCall] = []
        self._names = frozenset(it.name for it in tools)
        self._identity = identity
        self._held = ""
        self._close = ""
        """The mark that ends the call that has begun."""
        self._has_told = False

    def feed(self, text: str) -> str:
        """Text that follows what was told before."""
        self._held += text
        told = ""
        while (more := self._next()) is not None:
            told += more
        return self._told(told)

    def end(self) -> str:
        """What was held back and is no call, once the answer is over."""
        held, self._held = self._held, ""
        if self._close:
            self._take(held)  # It was cut off: its arguments are not whole.
            return ""
        if not self._has_told and not self.calls and self._is_bare_call(held):
            return ""
        return self._told(held)

    def _next(self) -> str | None:
        """What is clear of what is held; ``None`` if nothing is."""
        held = self._held
        if self._close:
            at = held.find(self._close)
            if at < 0:
                return self._give_up() if LONGEST < len(held) else None
            self._held, self._close = held[at + len(self._close) :], ""
            self._take(held[:at])
            return ""
        if not self._has_told and not self.calls and _may_be_bare(held):
            return None
        found = [(at, mark) for mark in MARKS if 0 <= (at := held.find(mark))]
        if found:
            at, mark = min(found)
            self._held, self._close = held[at + len(mark) :], MARKS[mark]
            return held[:at]
        cut = len(held) - max(_overlap(held, it) for it in MARKS)
        self._held = held[cut:]
        return held[:cut] or None

    def _give_up(self) -> str:
        held, self._held, self._close = self._held, "", ""
        return held

    def _told(self, text: str) -> str:
        """Blanks between calls are nobody's answer."""
        if self.calls and not text.strip():
            return ""
        self._has_told = self._has_told or bool(text.strip())
        return text

    def _take(self, text: str) -> None:
        found = list(_calls_in(text))
        if found:
            for name, arguments in found:
                self._add(name, arguments)
        else:  # Whoever asked for it is told that it makes no sense.
            named = _NAME.search(text)
            self._add(named[1] if named else "", text.strip() or "-")

    def _is_bare_call(self, text: str) -> bool:
        fenced = _FENCE.fullmatch(text)
        found = list(_calls_in(fenced["inside"] if fenced else text))
        if not found or any(name not in self._names for name, _ in found):
            return False
        for name, arguments in found:
            self._add(name, arguments)
        return True

    def _add(self, name: str, arguments: str) -> None:
        self.calls.append(call_value(f"{self._identity}-{len(self.calls)}", name, arguments))


class Calling:
    """Pieces of an answer on their way: the calls leave its text, and come with the last piece."""

    def __init__(self, tell: Callable[[Piece], None], tools: Sequence[ToolSpec], identity: str) -> None:
        self._tell = tell
        self._reader = CallReader(tools, identity)

    def piece(self, piece: Piece) -> None:
        """Some more of the answer."""
        text = self._reader.feed(piece.text)
        if piece.finish is None:
            if text or piece.logprobs:
                self._tell(replace(piece, text=text))
            return
        text += self._reader.end()
        self._tell(replace(piece, text=text, calls=tuple(self._reader.calls)))


def _calls_in(text: str) -> Iterator[tuple[str, str]]:
    """Names and arguments of the calls that a text is; what follows an object, as a brace, is dropped."""
    try:
        found, _ = json.JSONDecoder().raw_decode(text.strip())
    except (ValueError, RecursionError):
        return
    for it in found if isinstance(found, list) else [found]:
        inner = it.get("function") if isinstance(it, dict) and isinstance(it.get("function"), dict) else it
        if not isinstance(inner, dict) or not isinstance(inner.get("name"), str):
            return
        arguments: Any = inner.get("arguments", inner.get("parameters", {}))
        yield inner["name"], arguments if isinstance(arguments, str) else json.dumps(arguments)


def _may_be_bare(text: str) -> bool:
    """Whether a whole answer may still turn out to be a call without marks."""
    text = text.lstrip()
    if LONGEST < len(text):
        return False
    if "```".startswith(text[:3]) and len(text) < 3:
        return True
    found = _BARE.match(text)
    if not text.startswith(("{", "[", "```")) or found is None:
        return not text
    if found["key"] is None:
        return found.end() == len(text)
    return found["key"] in KEYS if found["quote"] else any(it.startswith(found["key"]) for it in KEYS)


def _overlap(text: str, mark: str) -> int:
    """How many characters at the end of ``text`` could be the beginning of ``mark``."""
    return next(
        (size for size in range(min(len(mark) - 1, len(text)), 0, -1) if text.endswith(mark[:size])), 0
    )
