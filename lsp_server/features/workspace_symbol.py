"""Definitions of the workspace by name, from the index: for editors that have nobody better to ask."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import partial

from lsprotocol import types as lsp

from lsp_server import convert
from lsp_server.documents import split_lines
from lsp_server.index_items import KNOWN_TO_ALL, symbol_item, uri_of
from lsp_server.server import Assistant

MOST = 128  # What an editor's list can show; it asks again with every key.
LARGEST_FILE = 4_000_000  # Bytes.


async def handle(ls: Assistant, params: lsp.WorkspaceSymbolParams) -> list[lsp.WorkspaceSymbol]:
    """What begins with, contains or abbreviates what is typed; nothing where the user does not want it."""
    await ls.until_settled()
    index = ls.workbench.index
    if not index.workspace_symbols:
        return []
    found = await index.symbols(params.query, MOST)
    foreign = {uri_of(folder, it.paths[0]) for folder, it in found.symbols if not it.signature.isascii()}
    lines = {uri: it.lines for uri in foreign if (it := ls.documents.get(uri))}
    if foreign - lines.keys() and ls.encoding != "utf-32":
        lines |= await asyncio.to_thread(_read, foreign - lines.keys())
    line_of = partial(_line, lines)
    known = _known(ls)
    return [symbol_item(folder, it, ls.encoding, known, line_of) for folder, it in found.symbols]


def _known(ls: Assistant) -> frozenset[lsp.SymbolKind]:
    workspace = ls.client_capabilities.workspace
    kinds = workspace.symbol.symbol_kind if workspace and workspace.symbol else None
    return frozenset(kinds.value_set) if kinds and kinds.value_set else KNOWN_TO_ALL


def _line(lines: Mapping[str, list[str]], uri: str, line: int) -> str:
    known = lines.get(uri, [])
    return known[line] if line < len(known) else ""


def _read(uris: set[str]) -> dict[str, list[str]]:
    """In the thread: the lines of files whose columns cannot be counted without them."""
    found = {}
    for uri in uris:
        try:
            with open(convert.file_path(uri), "rb") as file:
                text = file.read(LARGEST_FILE).decode("utf-8-sig", "replace")
        except OSError:
            continue
        found[uri] = split_lines(text)
    return found
