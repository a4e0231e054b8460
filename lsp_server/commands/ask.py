"""`hearth ask "…"`: one question about the code, and its answer with links to where it stands."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from lsp_server.cli import FAILED, INTERRUPTED
from lsp_server.commands.indexed import AsIs, Root, fail, warn
from lsp_server.commands.options import Json
from lsp_server.commands.page import Nowhere, Page, page
from lsp_server.commands.said import Said
from lsp_server.commands.subjects import Nothing
from lsp_server.commands.talk import Asked, Choice, talk

TASKS = ("ask", "explain", "document", "tests", "fix", "refactor", "review", "summarize", "architecture")
MOST_TYPED = 1_000_000  # Characters that come through a pipe: more than any model reads.


def command(
    question: Annotated[
        list[str], typer.Argument(metavar="QUESTION", help="In words, or - to read it from a pipe.")
    ],
    file: Annotated[
        str, typer.Option("--file", metavar="FILE[:A-B]", help="What it is about: a file, or lines of it.")
    ] = "",
    task: Annotated[
        str, typer.Option("--task", metavar="TASK", help=f"What is asked for: {', '.join(TASKS)}.")
    ] = "ask",
    choice: Choice = "",
    root: Root = None,
    as_is: AsIs = False,
    as_json: Json = False,
) -> None:
    """Ask about the code. Without a model the code itself answers; /explain, /tests … are commands."""
    text = " ".join(question).strip()
    if text == "-":
        text = sys.stdin.read(MOST_TYPED).strip()
    if not text:
        raise typer.BadParameter("it is empty: say what you want to know.", param_hint="QUESTION")
    if task not in TASKS:
        raise typer.BadParameter(f"{task!r} is none of {', '.join(TASKS)}.", param_hint="--task")
    asked = Asked(text=text, task=task, file=file, choice=choice)
    with asyncio.Runner() as runner:
        said = runner.run(_ask(asked, root, as_is=as_is, as_json=as_json))
    if as_json:
        typer.echo(json.dumps(said.json(), indent=2, ensure_ascii=False))
    if said.problem:
        warn(said.problem)
    if said.is_stopped:
        raise typer.Exit(INTERRUPTED)
    if said.refused or not said.is_whole:
        raise typer.Exit(FAILED)


async def _ask(asked: Asked, root: Path | None, *, as_is: bool, as_json: bool) -> Said:
    async with talk(root, as_is=as_is, quiet=as_json) as it:
        sheet: Page = Nowhere() if as_json else page(it.root)
        try:
            said = await it.answer(asked, sheet)
        except Nothing as problem:
            fail(str(problem))
        if said.line and not said.refused:
            sheet.note(said.line)
        return said
