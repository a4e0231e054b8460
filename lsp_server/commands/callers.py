"""`hearth callers NAME`: who calls what has this name, or what it calls, and how sure that is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lsp_server.commands.indexed import AsIs, Root, asked, console, fail, warn
from lsp_server.commands.options import Json
from lsp_server.commands.search import shown

if TYPE_CHECKING:
    from codeindex.graph import Answer
    from codeindex.graph_values import Definition
    from codeindex.graph_view import Edge
    from codeindex.store import Reader

NEAR = 5
STYLES = {"certain": "green", "likely": "yellow", "by name only": "dim"}


def command(
    name: Annotated[str, typer.Argument(help="A function, a class …; also with its scope: Reader.files.")],
    path: Annotated[str, typer.Option(metavar="PATH", help="The one that is defined in this file.")] = "",
    line: Annotated[int | None, typer.Option(min=1, help="The one that is defined at this line.")] = None,
    callees: Annotated[bool, typer.Option("--callees", help="What it calls instead.")] = False,
    uses: Annotated[bool, typer.Option("--uses", help="Also uses that are no calls.")] = False,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=100_000, help="The most lines.")] = 100,
    root: Root = None,
    as_is: AsIs = False,
    as_json: Json = False,
) -> None:
    """Say who calls what has this name, the surest first."""
    from codeindex import graph
    from codeindex.graph_view import view

    with asked(root, as_is=as_is, quiet=as_json) as (place, reader):
        seen = view(reader)
        scope, _, last = name.replace("::", ".").rpartition(".")
        file = _file(place.root, path)
        if file and file not in seen.files:
            fail(f"{path} is not in the index; hearth index why says why.")
        ask = graph.callees if callees else graph.callers
        answer = ask(
            *(reader, last),
            path=file or None,
            line=line,
            scope=scope or None,
            limit=limit,
            calls_only=not uses,
            seen=seen,
        )
        if not answer.definitions:
            fail(_nothing(reader, name, last))
    if as_json:
        said = {
            "root": str(place.root),
            "name": name,
            "callees": callees,
            "more": answer.more,
            "partly": answer.partly,
        }
        definitions = [_definition_json(it) for it in answer.definitions]
        edges = [edge_json(it) for it in answer.edges]
        typer.echo(json.dumps({**said, "definitions": definitions, "edges": edges}, indent=2))
        return
    _show(answer, callees=callees)


def edge_json(edge: Edge) -> dict[str, Any]:
    """An edge, for programs."""
    from codeindex.graph_view import qualified

    return {
        "path": edge.path,
        "line": edge.line,
        "caller": qualified(edge.caller),
        "is_call": edge.is_call,
        "target": _definition_json(edge.target),
        "confidence": str(edge.confidence),
        "reason": edge.reason,
        "among": edge.among,
    }


def _definition_json(it: Definition) -> dict[str, Any]:
    from codeindex.graph_view import qualified

    said = {"path": it.path, "line": it.row.line, "name": qualified(it.row), "kind": str(it.row.kind)}
    return {**said, "signature": it.row.signature}


def _file(root: Path, path: str) -> str:
    """A file as the index has it, typed from here or from the root."""
    if not path:
        return ""
    full = (Path.cwd() / path).resolve()
    if full.is_relative_to(root) and full.exists():
        return full.relative_to(root).as_posix()
    return Path(path).as_posix()


def _nothing(reader: Reader, name: str, last: str) -> str:
    near = [it for it in reader.names_near(last, NEAR) if it != last]
    hint = f" There is: {', '.join(near)}." if near else ""
    return f"Nothing called {name} is defined in this project, or not there.{hint}"


def _show(answer: Answer, *, callees: bool) -> None:
    from rich.text import Text

    from codeindex.graph_view import qualified

    out = console()
    for it in answer.definitions:
        said = it.row.signature or qualified(it.row)
        out.print(Text.assemble((f"{shown(it.path)}:{it.row.line}", "bold cyan"), f"  {shown(said)}"))
    for edge in answer.edges:
        row = edge.target.row
        there = f"{qualified(row)} ({edge.target.path}:{row.line})"
        who = there if callees else qualified(edge.caller) or "the top of the file"
        doubt = f", one of {edge.among}" if 1 < edge.among else ""
        if not callees and 1 < len(answer.definitions):
            doubt += f" -> {edge.target.path}:{row.line}"
        sure = str(edge.confidence)
        out.print(
            Text.assemble(
                (f"  {shown(edge.path)}:{edge.line}", "cyan"),
                f"  {shown(who)}  ",
                (sure, STYLES[sure]),
                (f": {shown(edge.reason)}{doubt}", "dim"),
            )
        )
    if not answer.edges:
        warn("It calls nothing of this project." if callees else "Nobody in this project calls it.")
    if answer.more:
        warn(f"{answer.more:,} more are beyond the limit.")
    if answer.partly:
        warn(answer.partly)
