"""`hearth search QUERY`: code by words, names, paths or an error message, in a terminal."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lsp_server.commands.complete import CONTROL
from lsp_server.commands.indexed import AsIs, Root, asked, console, dense_of, reranking_of, warn
from lsp_server.commands.options import Json

if TYPE_CHECKING:
    from rich.console import Console

    from codeindex.store import Reader
    from codeindex.types import Filters, Hit

LINES = 4  # Of each hit.
LONGEST_LINE = 160
AGE = re.compile(r"(\d+(?:\.\d+)?)\s*([smhdw])")
LATEST_NS = (1 << 63) - 1
SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}


def command(
    query: Annotated[list[str], typer.Argument(metavar="QUERY", help="Words, a name, a path, an error.")],
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=1_000, help="The most hits.")] = 10,
    path: Annotated[
        list[str] | None, typer.Option("--path", metavar="GLOB", help="Only such files, as in a .gitignore.")
    ] = None,
    language: Annotated[
        list[str] | None, typer.Option("--language", help="Only this language: python, ts …")
    ] = None,
    kind: Annotated[
        list[str] | None, typer.Option("--kind", help="Only this: function, class, method, section …")
    ] = None,
    changed_since: Annotated[
        str, typer.Option("--changed-since", metavar="AGE", help="Only files changed since: 30m, 2d, a date.")
    ] = "",
    why: Annotated[bool, typer.Option("--why", help="Show every signal of every hit.")] = False,
    root: Root = None,
    as_is: AsIs = False,
    as_json: Json = False,
) -> None:
    """Find code. The index is brought up to date first."""
    from codeindex.protocol import hit_json
    from codeindex.query import read
    from codeindex.search import search

    text = " ".join(query).strip()
    if not text:
        raise typer.BadParameter("it is empty: say what to look for.", param_hint="QUERY")
    where = filters(path or (), language or (), kind or (), changed_since, time.time())
    with asked(root, as_is=as_is, quiet=as_json) as (place, reader):
        hits = search(
            reader,
            text,
            root=place.root,
            limit=limit,
            where=where,
            dense=dense_of(place, reader),
            config=place.options.config,
            reranking=reranking_of(place),
        )
        generation = reader.generation()
        nothing = "" if hits else _why_nothing(reader, where)
    if as_json:
        said = [hit_json(it, why=why) for it in hits]
        found = {"root": str(place.root), "query": text, "generation": generation, "hits": said}
        typer.echo(json.dumps(found, indent=2))
        return
    if not hits:
        warn(nothing)
    _show(hits, read(text).terms, why=why)


def filters(
    paths: Sequence[str], languages: Sequence[str], kinds: Sequence[str], changed_since: str, now: float
) -> Filters:
    """What is asked for. Raises BadParameter for what makes no sense."""
    from codeindex.languages import language_of
    from codeindex.types import Filters, Kind

    known = [it.value for it in Kind]
    for it in kinds:
        if it not in known:
            raise typer.BadParameter(f"{it!r} is none of {', '.join(known)}.", param_hint="--kind")
    since = since_ns(changed_since, now) if changed_since else 0
    kept = tuple(Kind(it) for it in kinds)
    spoken = tuple(language_of(f"x.{it.lower()}") or it.lower() for it in languages)  # Also `py`, `ts`, `rs`.
    return Filters(paths=tuple(paths), languages=spoken, kinds=kept, changed_since_ns=since)


def _why_nothing(reader: Reader, where: Filters) -> str:
    """What to say where there is no hit: a filter may be what lets nothing pass."""
    from codeindex.store.asked import matching

    files = list(reader.files())
    spoken = sorted({it.language for it in files})
    absent = [it for it in where.languages if it not in spoken]
    if files and absent:
        return f"No file here is in {', '.join(absent)}; there are files in {', '.join(spoken)}."
    if files and where.paths and not matching(where.paths, [it.path for it in files]):
        return f"No file here fits --path {' --path '.join(where.paths)}; a pattern is as in a .gitignore."
    return "Nothing was found."


def since_ns(text: str, now: float) -> int:
    """A moment in nanoseconds of the epoch: so long before now, or a date, with or without a time."""
    if match := AGE.fullmatch(text.strip()):
        return max(0, int((now - float(match[1]) * SECONDS[match[2]]) * 1e9))
    try:
        since = int(datetime.fromisoformat(text.strip()).timestamp() * 1e9)
        return min(max(0, since), LATEST_NS)
    except (ValueError, OverflowError, OSError):
        raise typer.BadParameter(
            f"{text!r} is neither an age (30m, 12h, 2d, 1w) nor a date (2025-01-31).",
            param_hint="--changed-since",
        ) from None


def best_lines(lines: Sequence[str], terms: Iterable[str], most: int = LINES) -> list[int]:
    """Which lines of a hit to show, by their places: those with the most of the words, in their order."""
    wanted = [it for it in terms if 1 < len(it)]
    counts = [(sum(word in line.lower() for word in wanted), -place) for place, line in enumerate(lines)]
    with_words = [(count, place) for count, place in counts if count and lines[-place].strip()]
    with_text = [(0, -place) for place, line in enumerate(lines) if line.strip()]
    return sorted(-place for _, place in (sorted(with_words, reverse=True) or with_text)[:most])


def _show(hits: Sequence[Hit], terms: Sequence[str], *, why: bool) -> None:
    out = console()
    for number, hit in enumerate(hits):
        if number:
            out.print()
        _show_hit(out, hit, terms)
        if why:
            _show_why(out, hit)


def _show_hit(out: Console, hit: Hit, terms: Sequence[str]) -> None:
    from rich.text import Text

    name = f"{hit.scope}.{hit.name}" if hit.scope and hit.name else hit.name or hit.scope
    lines = hit.text.split("\n")
    places = best_lines(lines, terms)
    line = hit.first_line + (places[0] if places else 0)
    head = Text.assemble((f"{_safe(hit.path)}:{line}", "bold cyan"))
    if name:
        head.append(f"  {_safe(name)}")
    if hit.kind:
        head.append(f"  {hit.kind}", "dim")
    out.print(head)
    width = len(str(hit.last_line))
    wanted = [re.escape(it) for it in terms if 1 < len(it)]
    for place in places:
        code = Text(_safe(lines[place])[:LONGEST_LINE])
        if wanted:
            code.highlight_regex(re.compile("|".join(wanted), re.I), "bold yellow")
        out.print(Text.assemble((f"  {hit.first_line + place:>{width}}  ", "dim"), code))


def _show_why(out: Console, hit: Hit) -> None:
    from rich.text import Text

    out.print(Text(f"  score {hit.score:.4f}", "dim"))
    for it in hit.why:
        out.print(Text(f"    {it.name:<16} {it.value:>9.4f} -> {it.score:.4f}  {_safe(it.reason)}", "dim"))


def _safe(text: str) -> str:
    return CONTROL.sub("·", text.expandtabs(4))


def shown(value: Any) -> str:
    """A text from a file, fit for a terminal."""
    return _safe(str(value))
