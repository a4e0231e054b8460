"""Pure: what an editor says to `hearth/chat` -> a question, or one sentence about what makes no sense."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, get_args

from lsprotocol import types as lsp

from chat.types import Selection, Task
from lsp_server.convert import Encoding
from lsp_server.documents import Document

LONGEST = 1_000_000  # Characters of a question: a log that somebody has pasted, and no more.
TASKS: tuple[str, ...] = get_args(Task)
MODES = ("", "agent")

Token = int | str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatRequest:
    """One question on its way."""

    text: str
    """Empty to ask again what the turn asked."""
    conversation: str = ""
    """Its id; empty for a new one."""
    turn: int | None = None
    """Ask anew from this turn on, from 0: what came behind it is dropped."""
    task: Task = "ask"
    choice: str = ""
    uri: str = ""
    range: lsp.Range | None = None
    stream: Token | None = None
    """Where the words go as they come."""
    bar: Token | None = None
    """Where it is said what is being done."""
    mode: str = ""
    """``agent``: a model may look around by itself before it answers."""


def read(params: Any) -> ChatRequest | str:
    """The request; or why it cannot be answered."""
    said, turn, task = (
        value(params, "text", str) or "",
        value(params, "turn", int),
        value(params, "task", str),
    )
    conversation = value(params, "conversation", str) or ""
    if not said.strip() and turn is None:
        return "There is nothing to answer: text must say something."
    if LONGEST < len(said):
        return f"The question is longer than {LONGEST:,} characters."
    if turn is not None and (turn < 0 or not conversation):
        return "turn counts the turns of a conversation, from 0."
    if task and task not in TASKS:
        return f"There is no task {task[:40]!r}; there are {', '.join(TASKS)}."
    mode = value(params, "mode", str) or ""
    if mode not in MODES:
        return f"There is no mode {mode[:40]!r}; there is agent."
    document = getattr(params, "textDocument", None)
    return ChatRequest(
        text=said,
        conversation=conversation,
        turn=turn,
        task=task or "ask",
        choice=value(params, "choice", str) or "",
        uri=value(document, "uri", str) or "",
        range=_range(getattr(params, "selection", None)),
        stream=_token(getattr(params, "partialResultToken", None)),
        bar=_token(getattr(params, "workDoneToken", None)),
        mode=mode,
    )


def value(params: Any, name: str, kind: type[Any]) -> Any:
    """What stands under a name, if it is of this very type."""
    found = getattr(params, name, None)
    return found if type(found) is kind else None


def selection_of(document: Document, path: str, where: lsp.Range, encoding: Encoding) -> Selection | None:
    """The whole lines of a selection; nothing if nothing is selected, or the document has fewer lines."""
    first, last = document.locate(where.start, encoding), document.locate(where.end, encoding)
    if first is None or last is None or last <= first:
        return None
    end = last[0] - 1 if last[1] == 0 and first[0] < last[0] else last[0]
    lines = [it.rstrip("\r\n") for it in document.lines[first[0] : end + 1]]
    return Selection(
        path=path,
        language=document.language,
        first_line=first[0] + 1,
        last_line=end + 1,
        text="\n".join(lines) + "\n",
        version=document.version,
    )


def _token(said: Any) -> Token | None:
    return said if type(said) in (int, str) else None


def _range(said: Any) -> lsp.Range | None:
    start, end = _position(getattr(said, "start", None)), _position(getattr(said, "end", None))
    return lsp.Range(start=start, end=end) if start and end else None


def _position(said: Any) -> lsp.Position | None:
    line, character = value(said, "line", int), value(said, "character", int)
    if line is None or character is None or line < 0 or character < 0:
        return None
    return lsp.Position(line=line, character=character)
