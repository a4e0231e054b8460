"""The commands of `hearth`, one file each, and what they have in common."""

from __future__ import annotations

import io
import os
import sys
from typing import Annotated

import typer

from lsp_server.cli import FAILED, INTERRUPTED, NO_MODEL
from lsp_server.commands import (
    ask,
    callers,
    chat,
    complete,
    doctor,
    engine,
    history,
    index,
    lsp,
    mcp,
    memory,
    notes,
    search,
    sent,
    status,
    why,
)
from lsp_server.commands import map as overview
from models.errors import BackendError, ModelError
from models.version import VERSION

EXIT_CODES = "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 no model or no engine, 130 interrupted."

app = typer.Typer(
    name="hearth",
    help="A coding assistant for every editor that keeps your code at home.",
    epilog=EXIT_CODES,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("lsp", epilog=EXIT_CODES)(lsp.command)
app.command("engine", epilog=EXIT_CODES)(engine.command)
app.command("complete", epilog=EXIT_CODES)(complete.command)
app.command("ask", epilog=EXIT_CODES)(ask.command)
app.command("chat", epilog=EXIT_CODES)(chat.command)
app.command("search", epilog=EXIT_CODES)(search.command)
app.command("map", epilog=EXIT_CODES)(overview.command)
app.command("callers", epilog=EXIT_CODES)(callers.command)
app.command("why", epilog=EXIT_CODES)(why.command)
app.command("mcp", epilog=EXIT_CODES)(mcp.command)
app.command("sent", epilog=EXIT_CODES)(sent.command)
app.add_typer(history.app, epilog=EXIT_CODES)
app.add_typer(index.app, epilog=EXIT_CODES)
app.add_typer(memory.app, epilog=EXIT_CODES)
app.add_typer(notes.app, epilog=EXIT_CODES)
app.command("status", epilog=EXIT_CODES)(status.command)
app.command("doctor", epilog=EXIT_CODES)(doctor.command)


def run(shadowed: list[str]) -> int:
    """Run the command line; every failure is one sentence on standard error and an exit code."""
    doctor.SHADOWED[:] = shadowed
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # A terminal that has no check mark gets a question mark.
    try:
        app()
    except SystemExit as exc:
        return exc.code if isinstance(exc.code, int) else FAILED if exc.code else 0
    except (BackendError, ModelError) as exc:
        return _says(str(exc), NO_MODEL)
    except BrokenPipeError:  # As in `hearth status | head -0`; nobody is left to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return FAILED
    except OSError as exc:
        return _says(f"{exc.filename or exc}: {exc.strerror or type(exc).__name__}.", FAILED)
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as exc:
        if os.environ.get("HEARTH_DEBUG"):
            raise
        return _says(f"This is a bug: {type(exc).__name__}: {exc}. HEARTH_DEBUG=1 shows where.", FAILED)
    return 0


def _says(sentence: str, code: int) -> int:
    sys.stderr.write(f"hearth: {sentence}\n")
    return code


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"hearth {VERSION}")
        raise typer.Exit


@app.callback()
def _hearth(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say which version this is.")
    ] = False,
) -> None:
    """A coding assistant for every editor that keeps your code at home."""
