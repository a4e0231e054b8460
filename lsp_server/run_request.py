"""Pure: what an editor says to `hearth.run` -> what is to be done, or why that makes no sense."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from lsprotocol import types as lsp

from chat.act_types import Subject
from chat.edits_types import Refusal
from lsp_server.convert import Encoding
from lsp_server.documents import Document
from lsp_server.seen_problems import problems_of

NAME = re.compile(r"[^\W\d][\w$]*|\$[\w$]+")
LONGEST_INSTRUCTION = 20_000  # characters
MOST_DIAGNOSTICS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """One command on its way."""

    command: str
    uri: str
    version: int | None = None
    """Of the document that the user looked at."""
    range: lsp.Range | None = None
    diagnostics: tuple[lsp.Diagnostic, ...] = ()
    instruction: str = ""
    choice: str = ""
    name: str = ""
    wait: bool = True
    """Whether somebody reads the result; otherwise it is shown."""


def read(arguments: tuple[Any, ...]) -> RunRequest | Refusal:
    """The request in a command's arguments: one object."""
    said = arguments[0] if arguments else None
    if not isinstance(said, dict) or not isinstance(command := said.get("command"), str) or not command:
        return Refusal(reason="There is nothing to run: the argument must name a command.")
    document = said.get("textDocument")
    uri = document.get("uri") if isinstance(document, dict) else None
    if not isinstance(uri, str) or not uri:
        return Refusal(reason=f"`{command}` needs a document: textDocument.uri must be given.")
    version = document.get("version") if isinstance(document, dict) else None
    found = said.get("diagnostics")
    diagnostics = [_diagnostic(it) for it in found[:MOST_DIAGNOSTICS]] if isinstance(found, list) else []
    return RunRequest(
        command=command,
        uri=uri,
        version=version if type(version) is int else None,
        range=_range(said.get("range")),
        diagnostics=tuple(it for it in diagnostics if it is not None),
        instruction=_text(said, "instruction")[:LONGEST_INSTRUCTION].strip(),
        choice=_text(said, "choice"),
        name=_text(said, "name"),
        wait=said.get("wait") is not False,
    )


def subject(request: RunRequest, document: Document, path: str, encoding: Encoding) -> Subject:
    """What the request is about, in our own lines.

    A selection that ends before a line's first column does not mean that line.
    """
    where = request.range or lsp.Range(start=lsp.Position(0, 0), end=lsp.Position(0, 0))
    last_line = len(document.lines) - 1
    first = document.locate(where.start, encoding) or (last_line, 0)
    last = max(document.locate(where.end, encoding) or (last_line, len(document.lines[-1])), first)
    is_selected = request.range is not None and first != last
    end = last[0] - 1 if is_selected and last[1] == 0 and first[0] < last[0] else last[0]
    return Subject(
        path=path,
        first_line=first[0] + 1,
        last_line=end + 1,
        language=document.language,
        is_selected=is_selected and not request.diagnostics,
        version=document.version,
        problems=tuple(problems_of(request.diagnostics, path)),
        name=request.name,
        word=_word(document.lines[first[0]], first[1]),
    )


def _word(line: str, index: int) -> str:
    """The name at a place, or right before it."""
    return next((it[0] for it in NAME.finditer(line) if it.start() <= index <= it.end()), "")


def _text(said: dict[str, Any], key: str) -> str:
    value = said.get(key)
    return value if isinstance(value, str) else ""


def _diagnostic(said: Any) -> lsp.Diagnostic | None:
    if not isinstance(said, dict) or (where := _range(said.get("range"))) is None:
        return None
    severity = said.get("severity")
    code = said.get("code")
    return lsp.Diagnostic(
        range=where,
        message=_text(said, "message"),
        severity=lsp.DiagnosticSeverity(severity) if severity in (1, 2, 3, 4) else None,
        source=_text(said, "source") or None,
        code=code if isinstance(code, str | int) and code != "" else None,
    )


def _range(said: Any) -> lsp.Range | None:
    start, end = (said.get("start"), said.get("end")) if isinstance(said, dict) else (None, None)
    first, last = _position(start), _position(end)
    return lsp.Range(start=first, end=last) if first and last else None


def _position(said: Any) -> lsp.Position | None:
    line, character = (said.get("line"), said.get("character")) if isinstance(said, dict) else (None, None)
    if type(line) is not int or type(character) is not int or line < 0 or character < 0:
        return None
    return lsp.Position(line=line, character=character)
