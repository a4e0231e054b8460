"""`hearth index`: the code index of a project, on disk: make it, look at it, check it, clean it up."""

from __future__ import annotations

import json
import time
from collections import Counter
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from lsp_server.cli import FAILED, INTERRUPTED
from lsp_server.commands.indexed import (
    built,
    console,
    fail,
    interruptible,
    megabytes,
    place_of,
    plainly,
    warn,
)
from lsp_server.commands.options import Json

if TYPE_CHECKING:
    from codeindex.build_report import BuildReport

SHOWN = 10  # Sentences of each kind that are printed; programs get all.
BUSY = "Another process is writing to this index, probably an editor; it keeps it up to date."

Root = Annotated[
    Path | None,
    typer.Argument(metavar="[ROOT]", help="The project's folder; without it, that of the folder you are in."),
]


class _BuildsByDefault(TyperGroup):
    """`hearth index` alone builds, and so does `hearth index FOLDER`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if not args or (args[0] not in self.commands and args[0] not in ("-h", "--help")):
            args = ["build", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    name="index",
    cls=_BuildsByDefault,
    help="The code index of a project, on disk: make it, look at it, check it, clean it up."
    " Without a command, it is built or brought up to date.",
)


@app.command("build")
def build(
    root: Root = None,
    anew: Annotated[bool, typer.Option("--anew", help="Put what there is aside first.")] = False,
    as_json: Json = False,
) -> None:
    """Build the index, or bring it up to date: only what is new or has changed is read."""
    place = place_of(root)
    with plainly():
        if anew:
            _put_aside(place.folder)
        report = built(place, quiet=as_json, is_all=True)
    _say(report, as_json=as_json, root=place.root)


@app.command("update")
def update(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Files or folders of one project.")],
    as_json: Json = False,
) -> None:
    """Look at some files or folders only, also at those that are gone."""
    from codeindex import build as building
    from lsp_server.commands.folders import project_of

    place = place_of(project_of(paths[0]) or (paths[0] if paths[0].is_dir() else paths[0].absolute().parent))
    full = [it.absolute() for it in paths]
    with plainly():
        report = interruptible(
            lambda _: building.update(place.root, place.cache, place.options.config, full), is_all=True
        )
    _say(report, as_json=as_json, root=place.root, how="looked at")


@app.command("status")
def status(root: Root = None, as_json: Json = False) -> None:
    """Say how much is indexed, in which languages, where that lies, and who keeps it up to date."""
    place = place_of(root)
    with plainly():
        found = facts(place.root, place.folder)
    if as_json:
        typer.echo(json.dumps(found, indent=2))
    elif found["problem"]:
        typer.echo(f"{place.root}: {found['problem']}")
    else:
        _show(found)
    if found["problem"] and not found["missing"]:
        raise typer.Exit(FAILED)


@app.command("why")
def why(
    paths: Annotated[list[Path] | None, typer.Argument(metavar="[PATH]...", help="Files.")] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Everything of the project that is left out, with the reason.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Say whether files are in the index, and if not, by which rule."""
    from codeindex.why import left_out
    from codeindex.why import why as explain
    from lsp_server.commands.folders import project_of

    if bool(paths) == everything:
        raise typer.BadParameter("either files or --all", param_hint="PATH")
    said: list[dict[str, str]] = []
    if everything:
        place = place_of(None)
        rows = left_out(place.root, place.options.config)
        said = [{"path": it.path, "reason": str(it.reason), "says": it.says} for it in rows]
    for path in paths or ():
        top = project_of(path.parent) or project_of(Path.cwd()) or path.absolute().parent
        place = place_of(top if top.is_dir() else None)
        said.append({"path": str(path), "says": explain(place.root, path.absolute(), place.options.config)})
    typer.echo(json.dumps(said, indent=2) if as_json else "\n".join(it["says"] for it in said))


@app.command("verify")
def verify(root: Root = None, as_json: Json = False) -> None:
    """Look at everything in the index, whether it agrees with itself; takes seconds for a large one."""
    from codeindex.lease import take
    from codeindex.store import Writer
    from codeindex.store.connect import open_to_write
    from codeindex.store.read import why_not

    place = place_of(root)
    with plainly():
        found = [it for it in (why_not(place.folder),) if it]
        if not found:
            lease = take(place.folder)
            if lease is None:
                fail(BUSY)
            with lease, closing(Writer(open_to_write(place.folder), place.folder)) as writer:
                found = writer.verify()
    if as_json:
        typer.echo(json.dumps({"root": str(place.root), "sound": not found, "problems": found}, indent=2))
    elif not found:
        typer.echo("The index is sound.")
    for it in () if as_json else found:
        typer.echo(it)
    if found:
        if not as_json:
            warn("hearth index build --anew makes it again.")
        raise typer.Exit(FAILED)


@app.command("gc")
def gc(
    root: Root = None,
    now: Annotated[bool, typer.Option("--now", help="Also what may be of use again soon.")] = False,
    as_json: Json = False,
) -> None:
    """Take away what no file needs any more: texts of other branches after a week, their vectors."""
    from codeindex.lease import take
    from codeindex.store import Writer
    from codeindex.store.collect import DEFAULTS, Collecting
    from codeindex.store.connect import open_to_write
    from codeindex.store.disk import size_on_disk
    from codeindex.store.read import why_not

    place = place_of(root)
    before = size_on_disk(place.folder)
    with plainly():
        if said := why_not(place.folder):
            fail(said)
        lease = take(place.folder)
        if lease is None:
            fail(BUSY)
        how = Collecting(grace_s=-1.0, least_s=-1.0, share=0.0) if now else DEFAULTS
        with lease, closing(Writer(open_to_write(place.folder), place.folder)) as writer:
            count = interruptible(lambda stop: writer.collect(how, stop=stop), is_all=True)
            writer.checkpoint()
    after = size_on_disk(place.folder)
    if as_json:
        typer.echo(json.dumps({"root": str(place.root), "texts": count, "before": before, "after": after}))
    else:
        texts = f"{count:,} text{'' if count == 1 else 's'} taken away"
        typer.echo(f"{texts}; {megabytes(after)} on disk, {megabytes(before)} before.")


def facts(root: Path, folder: Path) -> dict[str, Any]:
    """What there is to know of an index."""
    from codeindex.lease import holder
    from codeindex.store import open_reader
    from codeindex.store.disk import size_on_disk
    from codeindex.store.read import why_not

    problem = why_not(folder)
    reader = None if problem else open_reader(folder)
    size, writer = size_on_disk(folder), holder(folder)
    found: dict[str, Any] = {
        "root": str(root),
        "folder": str(folder),
        "problem": problem,
        "missing": not size,
        "disk_bytes": size,
        "writer": asdict(writer) if writer else None,
    }
    if reader is None:
        return found
    with reader, reader.snapshot():
        lines: Counter[str] = Counter()
        files: Counter[str] = Counter()
        for it in reader.files():
            lines[it.language] += it.lines
            files[it.language] += 1
        languages = [
            {"language": it, "files": files[it], "lines": count}
            for it, count in sorted(lines.items(), key=lambda it: (-it[1], it[0]))
        ]
        counts = asdict(reader.counts())
        generation = reader.generation()
    return {**found, "generation": generation, **counts, "languages": languages}


def _say(report: BuildReport, *, as_json: bool, root: Path, how: str = "indexed") -> None:
    from codeindex.build_report import Outcome

    if as_json:
        typer.echo(json.dumps({"root": str(root), **asdict(report)}, indent=2))
    elif report.outcome is Outcome.DONE:
        typer.echo(_done(report, how))
        for it in report.problems[:SHOWN]:
            warn(it)
        if SHOWN < len(report.problems):
            warn(f"… and {len(report.problems) - SHOWN} more like these.")
    if report.outcome is Outcome.BUSY:
        fail(BUSY)
    if report.outcome is Outcome.NO_ROOT:
        fail(f"{root} is not there any more; its index is kept.")
    if report.outcome is Outcome.STOPPED:
        files = "1 file" if report.read == 1 else f"{report.read:,} files"
        fail(f"Stopped after {files}; hearth index goes on from there.", INTERRUPTED)


def _done(report: BuildReport, how: str) -> str:
    files = "1 file is" if report.files == 1 else f"{report.files:,} files are"
    parts = [f"{files} {how}", f"{report.read:,} read now"]
    if report.gone:
        parts.append(f"{report.gone:,} gone")
    if report.lines and report.seconds:
        parts.append(f"{report.lines:,} lines in {report.seconds:.1f} s")
    return f"{', '.join(parts)}."


def _show(found: dict[str, Any]) -> None:
    from rich.table import Table

    out = console()
    out.print(f"{found['root']}: {found['files']:,} files, {found['lines']:,} lines.")
    out.print(
        f"{found['chunks']:,} chunks, {found['symbols']:,} symbols, {found['vectors']:,} vectors;"
        f" generation {found['generation']}."
    )
    share = f", {found['disk_bytes'] / found['bytes']:.2f} times the source" if found["bytes"] else ""
    out.print(f"On disk: {megabytes(found['disk_bytes'])}{share}, in {found['folder']}.")
    out.print(_writer(found["writer"]))
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name, justify in (("language", "left"), ("files", "right"), ("lines", "right")):
        table.add_column(name, justify=justify)  # type: ignore[arg-type]  # one of the two words it knows
    for it in found["languages"]:
        table.add_row(it["language"], f"{it['files']:,}", f"{it['lines']:,}")
    if found["languages"]:
        out.print(table, soft_wrap=False)


def _writer(writer: dict[str, Any] | None) -> str:
    if writer is None:
        return "Nobody keeps it up to date at the moment; an open editor does, and so does hearth index."
    since = f" for {max(0, time.time() - writer['since']):.0f} s" if writer["since"] else ""
    return f"Process {writer['pid']} keeps it up to date{since}."


def _put_aside(folder: Path) -> None:
    from codeindex.lease import take
    from codeindex.store.disk import move_aside_in

    lease = take(folder)
    if lease is None:
        fail(BUSY)
    with lease:
        move_aside_in(folder)
