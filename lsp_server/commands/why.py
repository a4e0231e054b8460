"""`hearth why`: which model answered the last questions, and why it was that one."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from lsp_server.commands.indexed import console, warn
from lsp_server.commands.options import Json
from lsp_server.commands.search import shown

if TYPE_CHECKING:
    from chat.why import Noted

NOTHING = "Nothing has been asked yet; hearth ask is how to begin."
TIERS = {"extractive": "cyan", "local": "green", "cloud": "yellow"}
"""The colors of the tiers: what leaves this machine stands out."""


def command(
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=10_000, help="The most decisions.")] = 20,
    clear: Annotated[bool, typer.Option("--clear", help="Forget all of them.")] = False,
    as_json: Json = False,
) -> None:
    """Say which model answered, and why, the newest first. No word of what was asked is kept for this."""
    from chat import why
    from models import paths

    data = paths.data_dir()
    found = why.decisions(data, limit=limit)
    if clear:
        why.clear(data)
        typer.echo("Forgotten which models answered." if found else "There was nothing to forget.")
        return
    if as_json:
        typer.echo(json.dumps([asdict(it) for it in found], indent=2))
        return
    if not found:
        warn(NOTHING)
    for it in found:
        _show(it)


def moment(at: float) -> str:
    """A moment as people write it; a question mark for what is none."""
    try:
        return f"{datetime.fromtimestamp(at):%Y-%m-%d %H:%M:%S}"
    except (OverflowError, ValueError, OSError):
        return "?"


def money(amount: float, currency: str) -> str:
    """An amount of which a hundredth may be much."""
    return f"{amount:.4f} {currency}".rstrip()


def _show(it: Noted) -> None:
    from rich.text import Text

    head = Text.assemble(
        (moment(it.at), "dim"),
        "  ",
        (shown(it.tier), TIERS.get(it.tier, "")),
        f"  {shown(it.server or it.task)}",
    )
    out = console()
    out.print(head)
    out.print(Text(f"  {shown(it.reason)}"))
    if it.tier != "extractive":
        cost = "" if it.cost is None else f", {money(it.cost, shown(it.currency))} at most"
        about = f"{it.tokens_in:,} tokens to read, {it.tokens_out:,} to write at most{cost}"
        out.print(Text(f"  {shown(it.task)}: {about}", "dim"))
