"""Options that several commands have."""

from __future__ import annotations

from typing import Annotated

import typer

Model = Annotated[
    str | None,
    typer.Option(metavar="NAME_OR_PATH", help="The model: a name, or a .gguf file. Wins over the settings."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
