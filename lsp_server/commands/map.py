"""`hearth map`: a project on a page: its most important files and definitions, or who builds on whom."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

from lsp_server.commands.indexed import AsIs, Place, Root, asked, fail, warn
from lsp_server.commands.options import Json
from lsp_server.commands.search import shown

NOTHING = "There is nothing to show: no code, or too few tokens for it."
NO_IMPORTS = "There is nothing to show: no file of this project imports another."

Focus = Annotated[
    list[str] | None,
    typer.Option(metavar="PATH", help="Draw it from here: a file or a folder, several times if you like."),
]


def command(
    tokens: Annotated[int, typer.Option(min=1, max=1_000_000, help="How long it may be at most.")] = 2_000,
    focus: Focus = None,
    dependencies: Annotated[
        bool, typer.Option("--dependencies", help="Who builds on whom, and what goes in circles, by folders.")
    ] = False,
    files: Annotated[bool, typer.Option("--files", help="With --dependencies: file by file.")] = False,
    root: Root = None,
    as_is: AsIs = False,
    as_json: Json = False,
) -> None:
    """Draw a map of the project. It is as good for a model as for a person."""
    from codeindex import graph
    from codeindex.graph_dependencies import by_folder
    from codeindex.outline import dependency_text, outline

    with asked(root, as_is=as_is, quiet=as_json) as (place, reader):
        if dependencies:
            found = graph.dependencies(reader)
            found = found if files else by_folder(found)
            text = dependency_text(found)
            said: dict[str, Any] = {
                "own": dict(found.own),
                "others": dict(found.others),
                "cycles": found.cycles,
            }
        else:
            known = [it.path for it in reader.files()]
            seen_from = [_within(place, it, known) for it in focus or ()]
            page = outline(reader, tokens, focus=seen_from)
            text, said = page.text, {"text": page.text, "files": page.files, "tokens": page.tokens}
    if as_json:
        typer.echo(json.dumps({"root": str(place.root), **said}, indent=2))
        return
    if not text:
        warn(NO_IMPORTS if dependencies else NOTHING)
    typer.echo("\n".join(map(shown, text.split("\n"))), nl=False)


def _within(place: Place, path: str, known: Iterable[str]) -> str:
    """A path as the index has it: from the root; typed from here or from there."""
    for base in (Path.cwd(), place.root):
        full = (base / path).resolve()
        if full.is_relative_to(place.root):
            relative = full.relative_to(place.root).as_posix()
            if relative == "." or any(it == relative or it.startswith(f"{relative}/") for it in known):
                return relative
    fail(f"{path} is not in the index; hearth index why says why.")
