"""`hearth notes`: what you have noted about a project; it goes into every question about it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from lsp_server.commands.folders import chosen_or_here
from lsp_server.commands.indexed import Root, fail, warn
from lsp_server.commands.options import Json
from lsp_server.commands.search import shown

NOTHING = 'Nothing is noted about this project; hearth notes add "tests run with make" notes something.'

Number = Annotated[int, typer.Argument(metavar="NUMBER", min=1, help="As hearth notes list shows it.")]
Words = Annotated[list[str], typer.Argument(metavar="TEXT", help="One sentence or two.")]

app = typer.Typer(
    name="notes",
    help="What you have noted about a project: list it, add to it, change it. It goes into every question.",
    invoke_without_command=True,
)


@app.callback()
def _by_default(context: typer.Context) -> None:
    """What you have noted about a project: list it, add to it, change it. It goes into every question."""
    if context.invoked_subcommand is None:
        list_all()


@app.command("list")
def list_all(root: Root = None, as_json: Json = False) -> None:
    """List the notes of a project, the oldest first."""
    from chat import notes
    from models import paths

    folder = _folder(root)
    found = notes.read(paths.data_dir(), folder)
    if as_json:
        said = {"root": folder, "notes": [asdict(it) for it in found]}
        typer.echo(json.dumps(said, indent=2))
        return
    if not found:
        warn(NOTHING)
    for it in found:
        typer.echo(f"{it.id:>3}  {shown(it.text)}")


@app.command("add")
def add(text: Words, root: Root = None) -> None:
    """Note something about a project."""
    from chat import notes
    from models import paths

    with _plainly():
        note = notes.add(paths.data_dir(), _folder(root), " ".join(text))
    typer.echo(f"Noted as {note.id}.")


@app.command("edit")
def edit(number: Number, text: Words, root: Root = None) -> None:
    """Give a note another text."""
    from chat import notes
    from models import paths

    with _plainly():
        notes.edit(paths.data_dir(), _folder(root), number, " ".join(text))
    typer.echo(f"Changed note {number}.")


@app.command("remove")
def remove(number: Number, root: Root = None) -> None:
    """Forget a note."""
    from chat import notes
    from models import paths

    with _plainly():
        note = notes.remove(paths.data_dir(), _folder(root), number)
    typer.echo(f"Removed: {shown(note.text)}")


def _folder(root: Path | None) -> str:
    folder = chosen_or_here(root)
    if not folder.is_dir():
        raise typer.BadParameter(f"{str(folder)!r} is no folder.", param_hint="ROOT")
    return str(folder.resolve())


@contextmanager
def _plainly() -> Iterator[None]:
    from chat.notes import NotNoted

    try:
        yield
    except NotNoted as exc:
        fail(str(exc))
