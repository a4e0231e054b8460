"""`hearth memory`: what is remembered of a project, on disk: look at it, make it, delete it."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from lsp_server.cli import FAILED
from lsp_server.commands.folders import chosen_or_here
from lsp_server.commands.options import Json

if TYPE_CHECKING:
    from codeindex.memory.sync import Progress

MEGABYTE = 1_000_000
AGES = ((86400.0, "day"), (3600.0, "hour"), (60.0, "minute"), (1.0, "second"))

Root = Annotated[
    Path | None,
    typer.Argument(metavar="[ROOT]", help="The project's folder; without it, that of the folder you are in."),
]

app = typer.Typer(
    name="memory",
    help="What Hearth remembers of a project, on disk: look at it, make it, delete it.",
    no_args_is_help=True,
)


@app.command("status")
def status(root: Root = None, as_json: Json = False) -> None:
    """Say how much is remembered of a project, how old that is, and where it lies."""
    found = facts(_folder(root))
    if as_json:
        typer.echo(json.dumps(found, indent=2))
        return
    if not found["generation"]:
        typer.echo(f"Nothing of {found['root']} is remembered on disk yet; hearth memory build reads it.")
        return
    own, libraries = found["project"], found["dependencies"]
    typer.echo(f"{found['root']}: {_much(own)}, read {_age(found['age_seconds'])} ago.")
    typer.echo(f"What it builds on: {_much(libraries)}.")
    typer.echo(f"On disk: {found['disk_megabytes']:.1f} MB, in {found['folder']} and, shared, beside it.")
    for problem in found["problems"]:
        typer.echo(f"hearth: {problem}", err=True)


@app.command("build")
def build(root: Root = None) -> None:
    """Read a project and what it builds on now, as editors have it done in the background."""
    from codeindex.memory.config import DEFAULTS
    from codeindex.memory.sync import Outcome, sync
    from lsp_server.builder import Limits
    from lsp_server.wiring import Workbench
    from models import paths

    folder, settings = _folder(root), Workbench().settings
    if not settings.memory_enabled:
        _fail("The setting memory.enabled is false: nothing is remembered.")
    limits = Limits.of(settings)
    config = replace(DEFAULTS, project_bytes=limits.project_bytes, dependency_bytes=limits.dependency_bytes)
    with _bar() as tell:
        report = sync(folder, paths.cache_dir(), config, os.environ, tell)
    if report.outcome is Outcome.BUSY:
        _fail("Another process is reading this project right now.")
    if report.outcome is Outcome.NEWER:
        _fail("A newer version of Hearth has written this memory; it is left alone.")
    left_out = f" {report.left_out} are over the limit and left out." if report.left_out else ""
    typer.echo(f"{report.files} files were new or had changed.{left_out}")


@app.command("forget")
def forget(
    root: Root = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Of all projects, and what they build on.")
    ] = False,
) -> None:
    """Delete what is remembered of a project on disk. An open editor on it makes it again."""
    from codeindex.memory import disk
    from codeindex.memory.shelf import shelf_folder
    from models import paths

    if everything and root:
        raise typer.BadParameter("either one project or --all", param_hint="ROOT")
    top = paths.cache_dir() / "memory"
    folder = top if everything else shelf_folder(chosen_or_here(root), paths.cache_dir())
    size = sum(size for _, size in _files(folder))
    if folder.exists():
        disk.remove([folder])
    whose = "all projects" if everything else chosen_or_here(root)
    typer.echo(f"Forgot {whose}: {size / MEGABYTE:.1f} MB deleted.")


def facts(root: Path) -> dict[str, Any]:
    """What is remembered of a project on disk."""
    from codeindex.memory.occurrence import Source
    from codeindex.memory.shelf import read_shelf, shared_folder, shelf_folder
    from models import paths

    cache = paths.cache_dir()
    state, folder = read_shelf(root, cache), shelf_folder(root, cache)
    own = [it for it in state.layers if it.source is Source.PROJECT]
    libraries = [it for it in state.layers if it.source is not Source.PROJECT]
    shared = [it for it in _files(shared_folder(cache)) if it[0].name in state.opened]
    return {
        "root": str(root),
        "generation": state.generation,
        "project": _count(own),
        "dependencies": _count(libraries),
        "age_seconds": round(time.time() - state.stamp[0] / 1e9) if state.stamp else None,
        "folder": str(folder),
        "disk_megabytes": round(sum(size for _, size in (*_files(folder), *shared)) / MEGABYTE, 1),
        "problems": list(state.problems),
    }


@contextmanager
def _bar() -> Iterator[Callable[[Progress], None]]:
    """A bar on standard error that is told what has been done; how much there is, is known at the end."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    from lsp_server.builder import STEPS

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[done]}"))
    start = time.monotonic()
    read = files = 0
    with Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True)) as bar:
        task = bar.add_task("project", total=1.0, done="")

        def tell(progress: Any) -> None:
            nonlocal read, files
            files += progress.files
            read += progress.bytes if progress.files else 0
            speed = read / MEGABYTE / max(0.001, time.monotonic() - start)
            done = f"{files} files, {read / MEGABYTE:.1f} MB, {speed:.1f} MB/s"
            bar.update(task, description=progress.step, completed=STEPS.get(progress.step, 0.0), done=done)

        yield tell
        bar.update(task, description="done", completed=1.0)


def _folder(root: Path | None) -> Path:
    folder = chosen_or_here(root)
    if not folder.is_dir():
        raise typer.BadParameter(f"{str(folder)!r} is no folder.", param_hint="ROOT")
    return folder


def _files(folder: Path) -> list[tuple[Path, int]]:
    """The files below a folder, with their sizes."""
    found = [it for it in folder.rglob("*") if it.is_file()] if folder.is_dir() else []
    return [(it, it.stat().st_size) for it in found]


def _count(layers: list[Any]) -> dict[str, Any]:
    files = sum(len(it.segment.documents) - len(it.dead) for it in layers)
    return {"files": files, "megabytes": round(sum(it.segment.size for it in layers) / MEGABYTE, 1)}


def _much(count: dict[str, Any]) -> str:
    return f"{count['files']} files, {count['megabytes']:.1f} MB of text"


def _age(seconds: float) -> str:
    length, name = next((it for it in AGES if it[0] <= seconds), AGES[-1])
    count = int(seconds // length)
    return f"{count} {name}{'' if count == 1 else 's'}"


def _fail(sentence: str) -> NoReturn:
    typer.echo(f"hearth: {sentence}", err=True)
    raise typer.Exit(FAILED)
