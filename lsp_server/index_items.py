"""Pure: what the index finds -> what an editor is told: URIs, and ranges in the editor's own units."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any

from lsprotocol import types as lsp

from codeindex.protocol import Status
from codeindex.types import Hit, Kind, SymbolRow
from lsp_server.convert import Encoding, units_in

SYMBOL_KINDS: Mapping[Kind, lsp.SymbolKind] = {
    Kind.CLASS: lsp.SymbolKind.Class,
    Kind.CONSTANT: lsp.SymbolKind.Constant,
    Kind.ENUM: lsp.SymbolKind.Enum,
    Kind.FUNCTION: lsp.SymbolKind.Function,
    Kind.INTERFACE: lsp.SymbolKind.Interface,
    Kind.MACRO: lsp.SymbolKind.Function,
    Kind.METHOD: lsp.SymbolKind.Method,
    Kind.MODULE: lsp.SymbolKind.Module,
    Kind.SECTION: lsp.SymbolKind.String,
    Kind.TYPE: lsp.SymbolKind.Struct,
    Kind.VARIABLE: lsp.SymbolKind.Variable,
}
KNOWN_TO_ALL = frozenset(lsp.SymbolKind(it) for it in range(1, 19))
"""What a client knows that does not say which kinds it knows."""

LineOf = Callable[[str, int], str]
"""A URI and a line -> what stands there; empty if that is not known."""


def uri_of(folder: str, path: str) -> str:
    """Of a file in a folder."""
    whole = f"{folder.rstrip('/')}/{path}"
    pure = PureWindowsPath(whole) if whole[1:2] == ":" else PurePosixPath(whole)
    return pure.as_uri()


def hit_item(folder: str, hit: Hit, encoding: Encoding, *, why: bool) -> dict[str, Any]:
    """A hit with its range: from the start of its first line to the end of its last."""
    last = hit.text.rpartition("\n")[2]
    item: dict[str, Any] = {
        "uri": uri_of(folder, hit.path),
        "range": {
            "start": {"line": hit.first_line - 1, "character": 0},
            "end": {"line": hit.last_line - 1, "character": units_in(last, encoding)},
        },
        "text": hit.text,
        "score": round(hit.score, 4),
        "language": hit.language,
        "kind": hit.kind.value if hit.kind else None,
        "name": hit.name,
        "container": hit.scope,
        "unsaved": hit.unsaved,
    }
    if why:
        item["why"] = [
            {"name": it.name, "value": it.value, "score": round(it.score, 4), "reason": it.reason}
            for it in hit.why
        ]
    return item


def symbol_item(
    folder: str, row: SymbolRow, encoding: Encoding, known: Collection[lsp.SymbolKind], line_of: LineOf
) -> lsp.WorkspaceSymbol:
    """A definition; its range is its name."""
    uri = uri_of(folder, row.paths[0])
    start, end = row.column, row.column + len(row.name)
    if encoding != "utf-32" and not row.signature.isascii():  # Else what stands before it is ASCII, too.
        before = line_of(uri, row.line - 1)[: row.column]
        start = units_in(before, encoding) if len(before) == row.column else row.column
        end = start + units_in(row.name, encoding)
    kind = SYMBOL_KINDS[row.kind]
    line = row.line - 1
    return lsp.WorkspaceSymbol(
        name=row.name,
        kind=kind if kind in known else lsp.SymbolKind.Class,
        location=lsp.Location(uri, lsp.Range(lsp.Position(line, start), lsp.Position(line, end))),
        container_name=row.scope or row.paths[0],
    )


def folder_item(folder: str, status: Status) -> dict[str, Any]:
    """How one folder's index is."""
    return {
        "uri": uri_of(folder, "").rstrip("/"),
        "state": status.state.value,
        "files": status.files,
        "chunks": status.chunks,
        "symbols": status.symbols,
        "lines": status.lines,
        "vectors": status.vectors,
        "generation": status.generation,
        "progress": round(status.progress, 2),
        "secondsLeft": None if status.seconds_left is None else round(status.seconds_left),
        "embedder": status.embedder,
        "writer": status.writer,
        "problem": status.problem,
    }
