"""Pure: what a folder's index answers about code -> the values of chat, with paths of the workspace."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

from chat.code import Call, Line, Occurrence, Symbol
from codeindex.protocol import symbol_in
from codeindex.types import SymbolRow
from lsp_server.chat_paths import Roots

Json = Mapping[str, Any]
Sure = Literal["certain", "likely", "by name only"]
SURE: Mapping[str, Sure] = {"certain": "certain", "likely": "likely", "by name only": "by name only"}


def symbol_of(row: SymbolRow, path: str) -> Symbol:
    """A definition in a file."""
    return Symbol(path=path, row=replace(row, paths=(path,)))


def occurrence_of(said: Json, name: str, roots: Roots, folder: str) -> Occurrence:
    """A place where a name stands."""
    return Occurrence(
        path=roots.shown(folder, said["path"]),
        line=said["line"],
        column=said["column"],
        length=len(name),
        sure=SURE[said["confidence"]],
        is_definition=said["is_definition"],
    )


def call_of(said: Json, roots: Roots, folder: str, *, is_out: bool) -> Call:
    """An edge of the graph."""
    target = symbol_in(said["target"])
    around = symbol_in(said["caller"]) if said["caller"] else None
    scope = f"{around.scope}." if around and around.scope else ""
    return Call(
        path=roots.shown(folder, said["path"]),
        line=said["line"],
        text=said["text"],
        name=target.name if is_out else f"{scope}{around.name}" if around else "",
        sure=SURE[said["confidence"]],
        target=symbol_of(target, roots.shown(folder, target.paths[0])),
    )


def import_of(said: Json, roots: Roots, folder: str) -> Call:
    """An import."""
    target = said["target"]
    return Call(
        path=roots.shown(folder, said["path"]),
        line=said["line"],
        text=said["text"],
        name=roots.shown(folder, target) if target else said["module"],
        sure="certain" if target else "by name only",
    )


def line_of(said: Json, roots: Roots, folder: str) -> Line:
    """A line that was found."""
    path = roots.shown(folder, said["path"])
    return Line(path=path, line=said["line"], text=said["text"], around=said["around"])
