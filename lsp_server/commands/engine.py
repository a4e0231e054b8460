"""`hearth engine`: run the engine in this terminal."""

from __future__ import annotations

import asyncio

import typer

from lsp_server.commands.options import Model


def command(model: Model = None) -> None:
    """Run the shared engine in the foreground, until it is interrupted. Editors start one by themselves."""
    from dataclasses import replace

    from lsp_server import resolve, wiring
    from lsp_server.commands.status import sentence
    from models import launch

    bench = wiring.Workbench(model)
    for problem in bench.problems:
        typer.echo(f"hearth: {problem}", err=True)
    running = asyncio.run(bench.health())
    if running is not None:
        typer.echo(f"There is one already. {sentence(running)}")
        raise typer.Exit
    options = resolve.engine_options(bench.settings)
    launch.start_engine_foreground(replace(options, linger_s=0.0))  # Whoever started it ends it.
