"""`hearth sent`: what was sent to other machines, as a list and byte for byte, and how to clear it."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from lsp_server.commands.indexed import console, fail, warn
from lsp_server.commands.options import Json
from lsp_server.commands.search import shown
from lsp_server.commands.why import moment

if TYPE_CHECKING:
    from pathlib import Path

    from chat.sent import Entry

NOTHING = "Nothing was sent to another machine, or it was cleared."

Number = Annotated[
    int | None,
    typer.Argument(metavar="NUMBER", help="Show this one byte for byte; 1 is the newest.", min=1),
]


def command(
    number: Number = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=100_000, help="The most requests.")] = 20,
    text: Annotated[
        bool, typer.Option("--text", help="With NUMBER: its messages as a person reads them.")
    ] = False,
    clear: Annotated[bool, typer.Option("--clear", help="Delete all of them.")] = False,
    as_json: Json = False,
) -> None:
    """List what was sent to other machines, the newest first, or show one of the requests."""
    from chat import sent
    from models import paths

    where = sent.folder(paths.data_dir())
    if text and number is None:
        raise typer.BadParameter("it needs the NUMBER of a request.", param_hint="--text")
    if clear:
        if number is not None:
            raise typer.BadParameter("all of them are deleted or none.", param_hint="NUMBER")
        count = sent.clear(where)
        typer.echo(f"Deleted {_many(count)}." if count else "There was nothing to delete.")
        return
    entries = sent.entries(where)
    if number is not None:
        _show_one(where, entries, number, text=text, as_json=as_json)
        return
    kept = entries[:limit]
    if as_json:
        said = [{"number": place, **_facts(where, it)} for place, it in enumerate(kept, 1)]
        typer.echo(json.dumps(said, indent=2))
        return
    if not entries:
        warn(NOTHING)
        return
    _list(kept)
    size = sum(it.head.bytes for it in entries)
    rest = f", of which {len(kept)} are shown" if len(kept) < len(entries) else ""
    warn(f"{_many(len(entries))} of {size:,} bytes{rest}; hearth sent NUMBER shows one, --clear deletes all.")


def _facts(where: Path, entry: Entry) -> dict[str, object]:
    """What is known of a request, for programs."""
    return {"file": str(where / entry.name), **asdict(entry.head)}


def _list(entries: tuple[Entry, ...]) -> None:
    from rich.text import Text

    out, width = console(), len(str(len(entries)))
    for number, it in enumerate(entries, 1):
        head = it.head
        line = Text.assemble(
            (f"{number:>{width}}", "bold"),
            ("  " + moment(head.at), "dim"),
            f"  {shown(head.server)}",
            (f"  {shown(head.url)}", "cyan"),
            (f"  {shown(head.task)}, {head.bytes:,} bytes", "dim"),
        )
        out.print(line)
        out.print(Text(f"{'':{width}}  {shown(head.reason)}", "dim"))
        if head.removed:
            said = ", ".join(shown(kind) for kind in dict.fromkeys(head.removed))
            out.print(Text(f"{'':{width}}  Taken out before: {said}.", "yellow"))


def messages(body: bytes) -> str:
    """What a request says, message by message; one that is no chat is shown as it is."""
    try:
        raw = json.loads(body)
    except (ValueError, RecursionError):
        raw = None
    said = raw.get("messages") if isinstance(raw, dict) else None
    if not isinstance(raw, dict) or not isinstance(said, list):
        return body.decode(errors="backslashreplace")
    turns = [it for it in said if isinstance(it, dict)]
    system = [{"role": "system", "content": raw["system"]}] if raw.get("system") else []
    return "\n\n".join(f"{it.get('role', '?')}:\n{_words(it.get('content'))}" for it in (*system, *turns))


def _words(content: object) -> str:
    """Text, or the blocks that some dialects cut it into."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "\n".join(_words(it.get("text", it) if isinstance(it, dict) else it) for it in content)
    return json.dumps(content, ensure_ascii=False)


def _show_one(where: Path, entries: tuple[Entry, ...], number: int, *, text: bool, as_json: bool) -> None:
    """To a program the very bytes; to a terminal nothing that would command it."""
    from chat import sent

    if len(entries) < number:
        fail(f"There is no request {number}; {_many(len(entries))} {_is(len(entries))} kept.")
    entry = entries[number - 1]
    body = sent.body(where, entry.name)
    if body is None:
        fail(f"Request {number} has just been deleted.")
    if as_json:
        said = body.decode(errors="surrogateescape")
        typer.echo(json.dumps({"number": number, **_facts(where, entry), "body": said}, indent=2))
    elif text or sys.stdout.isatty():
        head = entry.head
        warn(f"{head.bytes:,} bytes to {shown(head.url)} at {moment(head.at)}: {shown(head.reason)}")
        said = messages(body) if text else body.decode(errors="backslashreplace")
        typer.echo("\n".join(shown(it) for it in said.split("\n")))
    else:
        sys.stdout.buffer.write(body)
        sys.stdout.buffer.flush()


def _many(count: int) -> str:
    return f"{count:,} request{'' if count == 1 else 's'}"


def _is(count: int) -> str:
    return "is" if count == 1 else "are"
