"""`hearth lsp`: serve an editor."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from lsp_server.cli import USAGE
from lsp_server.commands.options import Model

FOR_PEOPLE = """\
hearth lsp is started by your editor, which speaks the language server protocol with it on standard input.
Typed by hand it has nobody to talk to: see the README for the lines that connect Neovim, VS Code and Helix.
To try Hearth here: hearth complete FILE:LINE:COL, or hearth doctor.
"""


def command(
    model: Model = None,
    stdio: Annotated[bool, typer.Option("--stdio", hidden=True, help="What it does anyway.")] = False,
) -> None:
    """Serve an editor over standard input and output. Editors start this; you need not."""
    if sys.stdin is None or sys.stdin.isatty():
        sys.stderr.write(FOR_PEOPLE)
        raise typer.Exit(USAGE)
    from lsp_server.greeting import serve

    raise typer.Exit(serve(model))
