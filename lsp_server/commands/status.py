"""`hearth status`: whether there is an engine, and how it is."""

from __future__ import annotations

import asyncio
import dataclasses
import json

import typer

from lsp_server.cli import NO_MODEL
from lsp_server.commands.options import Json
from models.wire import Health


def command(as_json: Json = False) -> None:
    """Say how the shared engine is. It is never started by this; exit code 3 if there is none."""
    from lsp_server.wiring import Workbench

    health = asyncio.run(Workbench().health())
    if as_json:
        typer.echo(json.dumps(dataclasses.asdict(health) if health else None, indent=2))
    else:
        typer.echo(sentence(health))
    if health is None:
        raise typer.Exit(NO_MODEL)


def sentence(health: Health | None) -> str:
    """The engine's state for people."""
    if health is None:
        return "No engine is running; the next request starts one."
    state = {
        "idle": "runs, with no model in memory",
        "loading": f"is loading {health.model} ({health.progress:.0%})",
        "ready": f"is ready with {health.model}",
        "failed": f"cannot use {health.model}: {health.problem.removesuffix('.')}",
    }[health.state]
    speed = f", {health.tokens_per_second:.0f} tokens/s" if health.tokens_per_second else ""
    return f"The engine (process {health.pid}, version {health.version}) {state}{speed}."
