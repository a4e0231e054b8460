"""`hearth history`: conversations that were kept: list, search, read, rename, export and delete them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lsp_server.commands.indexed import console, fail, warn
from lsp_server.commands.options import Json
from lsp_server.commands.search import shown
from lsp_server.commands.why import moment

if TYPE_CHECKING:
    from chat.conversation import Conversation
    from chat.history import History, Listed

NOTHING = "No conversation is kept; hearth chat begins one."
SHORT = 8  # Characters of an id: enough to tell some thousand apart.

Id = Annotated[str, typer.Argument(metavar="ID", help="Of the conversation, or the beginning of it.")]
Limit = Annotated[int, typer.Option("--limit", "-n", min=1, max=1_000, help="The most of them.")]

app = typer.Typer(
    name="history",
    help="Conversations that were kept: list, search, read, rename, export and delete them.",
    invoke_without_command=True,
)


class Form(StrEnum):
    """What a conversation is exported as."""

    MARKDOWN = "markdown"
    JSON = "json"


@app.callback()
def _by_default(context: typer.Context) -> None:
    """Conversations that were kept: list, search, read, rename, export and delete them."""
    if context.invoked_subcommand is None:
        list_all()


@app.command("list")
def list_all(
    limit: Limit = 20,
    here: Annotated[bool, typer.Option("--here", help="Only those about the project you are in.")] = False,
    as_json: Json = False,
) -> None:
    """List the conversations, the latest first."""
    from lsp_server.commands.folders import chosen_or_here

    root = str(chosen_or_here(None).resolve()) if here else ""
    with opened() as history:
        found = history.list(root=root, limit=limit)
    if as_json:
        typer.echo(json.dumps([asdict(it) for it in found], indent=2))
        return
    if not found:
        warn(NOTHING)
    for it in found:
        _show(it)


@app.command("search")
def search(
    words: Annotated[list[str], typer.Argument(metavar="WORDS", help="All of them; the last may be cut.")],
    limit: Limit = 20,
    as_json: Json = False,
) -> None:
    """Find conversations by words of their questions and answers, the best first."""
    with opened() as history:
        found = history.search(" ".join(words), limit=limit)
    if as_json:
        typer.echo(json.dumps([asdict(it) for it in found], indent=2))
        return
    if not found:
        warn("No conversation has all of these words.")
    for it in found:
        _show(it.conversation)
        console().print(f"  {shown(it.excerpt)}")


@app.command("show")
def show(identity: Id, as_json: Json = False) -> None:
    """Read a conversation again."""
    from lsp_server.commands.page import page

    with opened() as history:
        it = known(history, identity)
        text = history.export(it.id, "json" if as_json else "markdown") or ""
    if as_json:
        typer.echo(text, nl=False)
        return
    sheet = page(Path(it.root) if it.root else None)
    sheet.add(text)
    sheet.end()


@app.command("export")
def export(
    identity: Id, form: Annotated[Form, typer.Option("--as", help="What to make of it.")] = Form.MARKDOWN
) -> None:
    """Print all of a conversation, to be kept elsewhere."""
    with opened() as history:
        text = history.export(known(history, identity).id, form.value) or ""
    typer.echo(text, nl=False)


@app.command("rename")
def rename(
    identity: Id, title: Annotated[list[str], typer.Argument(metavar="NAME", help="Its name from now on.")]
) -> None:
    """Give a conversation a name."""
    name = " ".join(" ".join(title).split())
    if not name:
        raise typer.BadParameter("it is empty.", param_hint="NAME")
    with opened() as history:
        history.rename(known(history, identity).id, name)


@app.command("delete")
def delete(
    identities: Annotated[
        list[str] | None, typer.Argument(metavar="[ID]...", help="Of conversations, or their beginnings.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="All of them.")] = False,
) -> None:
    """Delete conversations, also what the disk still has of them."""
    if everything == bool(identities):
        raise typer.BadParameter("either conversations or --all", param_hint="ID")
    with opened() as history:
        if everything:
            count = history.delete_all()
        else:
            found = {known(history, it).id for it in identities or ()}
            count = sum(history.delete(it) for it in found)
    typer.echo(f"Deleted {count:,} conversation{'' if count == 1 else 's'}.")


@contextmanager
def opened() -> Iterator[History]:
    """The user's history; what cannot be done with it ends the command with one sentence."""
    from chat.history import History, NoHistory, located
    from models import paths

    history = History(located(paths.data_dir()))
    try:
        yield history
    except NoHistory as problem:
        fail(str(problem))
    if history.problem:
        warn(history.problem)


def known(history: History, identity: str) -> Conversation:
    """A conversation by its id or the beginning of it; ends the command if there is none, or several."""
    found = history.get(identity)
    if found is None:
        many = [it for it in history.list(limit=1_000) if it.id.startswith(identity)]
        if identity and many:
            fail(f"{len(many)} conversations begin with {shown(identity)}; some more of its id tells which.")
        fail(f"There is no conversation {shown(identity)}; hearth history list shows what there is.")
    return found


def _show(it: Listed) -> None:
    from rich.text import Text

    many = f"{it.turns:,} question{'' if it.turns == 1 else 's'}"
    console().print(
        Text.assemble(
            (it.id[:SHORT], "bold"),
            ("  " + moment(it.touched), "dim"),
            f"  {shown(it.title) or '(no name)'}",
            (f"  {many}  {shown(it.root)}", "dim"),
        )
    )
