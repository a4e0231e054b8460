"""`hearth complete FILE:LINE:COL`: the editor's ghost text, in a terminal."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import typer

from lsp_server.commands.folders import project_of
from lsp_server.commands.options import Json, Model

CONTEXT_LINES = 6
CONTEXT_CHARACTERS = 4000  # The same for lines that fill the terminal by themselves.
READ_SECONDS = 2.0  # How long a project may be read that no editor has had read yet.
DEADLINE_MS = 60_000  # Who types a command waits for the engine to start and a model to load.
PLACE = re.compile(r"(?P<file>.+?):(?P<line>\d+)(?::(?P<column>\d+))?", re.DOTALL)
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")  # A file must not command the terminal.
LANGUAGES = {
    "bash": "shellscript",
    "c": "c",
    "cc": "cpp",
    "cpp": "cpp",
    "cs": "csharp",
    "cxx": "cpp",
    "go": "go",
    "h": "c",
    "hpp": "cpp",
    "htm": "html",
    "java": "java",
    "js": "javascript",
    "jsx": "javascriptreact",
    "kt": "kotlin",
    "md": "markdown",
    "mjs": "javascript",
    "php": "php",
    "py": "python",
    "pyi": "python",
    "rb": "ruby",
    "rs": "rust",
    "sh": "shellscript",
    "ts": "typescript",
    "tsx": "typescriptreact",
    "txt": "plaintext",
    "yml": "yaml",
}
"""The language an editor would name, where it is not the file's ending itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A place as people write it: line and column count from 1; no column means the end of the line."""

    path: str
    line: int
    column: int | None = None


def command(
    place: Annotated[
        str, typer.Argument(metavar="FILE:LINE:COL", help="Where; without COL at the line's end.")
    ],
    model: Model = None,
    as_json: Json = False,
    explicit: Annotated[
        bool, typer.Option("--explicit/--auto", help="As if asked for by hand, or as while typing.")
    ] = True,
) -> None:
    """Show what an editor would suggest at a place, dimmed, with a few lines around it."""
    target = parse(place)
    if target is None:
        raise typer.BadParameter(f"{place!r} is not FILE:LINE or FILE:LINE:COL.", param_hint="FILE:LINE:COL")
    path = Path(target.path).absolute()
    asyncio.run(_complete(target, path, model, as_json=as_json, explicit=explicit))


def parse(text: str) -> Target | None:
    """Read ``FILE:LINE:COL``. A drive letter is part of the file, because no number follows it."""
    match = PLACE.fullmatch(text)
    if match is None:
        return None
    line, column = int(match["line"]), match["column"]
    if line < 1 or (column is not None and int(column) < 1):
        return None
    return Target(path=match["file"], line=line, column=None if column is None else int(column))


def language_of(path: str) -> str:
    """The language identifier an editor would send for this file."""
    ending = Path(path).suffix.lstrip(".").lower()
    return LANGUAGES.get(ending, ending or "plaintext")


def _read(path: str) -> str:
    """The file as an editor holds it, with its own line breaks; what is no UTF-8 is replaced."""
    with open(path, encoding="utf-8", errors="replace", newline="") as file:
        return file.read()


async def _complete(target: Target, path: Path, model: str | None, *, as_json: bool, explicit: bool) -> None:
    from lsp_server import wiring
    from lsp_server.convert import content_length
    from lsp_server.documents import Document

    document = Document(path.as_uri(), language_of(target.path), None, _read(target.path))
    line = min(target.line, len(document.lines)) - 1
    end = content_length(document.lines[line])
    index = end if target.column is None else min(target.column - 1, end)
    bench = wiring.Workbench(model, builds=False)
    bench.settings = replace(bench.settings, completion_deadline_ms=DEADLINE_MS)
    for problem in bench.problems:
        typer.echo(f"hearth: {problem}", err=True)
    try:
        spot, trigger = wiring.look(
            document.window(line, index),
            bench.settings,
            path=target.path,
            language=document.language,
            explicit=explicit,
            previous=None,
        )
        project = project_of(path)
        bench.memory.configure(bench.settings)
        bench.memory.start([str(project)] if project else [], [document])
        read = await bench.memory.read_now(READ_SECONDS)
        suggestion = await wiring.suggest(bench, spot, trigger, document.uri, anchored=False)
        memory = {**bench.memory.status.json(), "root": str(project) if project else None, "read": read}
    finally:
        await bench.close()
    if as_json:
        typer.echo(json.dumps(_json(suggestion, trigger.shape, line + 1, index + 1, memory), indent=2))
    else:
        _show(document.lines, line, index, suggestion, bench.model_name)
        if suggestion.problem:
            typer.echo(f"hearth: {suggestion.problem}", err=True)


def _json(suggestion: Any, shape: str, line: int, column: int, memory: dict[str, Any]) -> dict[str, Any]:
    usage, origin = suggestion.usage, suggestion.origin
    return {
        "suggestion": suggestion.text,
        "replaces": suggestion.replace_after,
        "others": [it.text for it in suggestion.others],
        "line": line,
        "column": column,
        "trigger": shape,
        "reason": suggestion.reason,
        "source": suggestion.source,
        "origin": {"path": origin.path, "line": origin.line} if origin else None,
        "cached": suggestion.cached,
        "memory": memory,
        "problem": suggestion.problem,
        "confidence": round(suggestion.confidence, 4),
        "min_confidence": round(suggestion.min_confidence, 4),
        "prompt_tokens": usage.prompt_tokens if usage else None,
        "cached_tokens": usage.cached_tokens if usage else None,
        "completion_tokens": usage.completion_tokens if usage else None,
        "ms": round(suggestion.ms, 1),
        "first_ms": round(suggestion.first_ms, 1),
    }


def _show(lines: list[str], line: int, index: int, suggestion: Any, model: str) -> None:
    from rich.console import Console
    from rich.text import Text

    from lsp_server.items import source_sentence

    console = Console(highlight=False, soft_wrap=True)
    shown = Text()
    for style, text in _pieces(lines, line, index, suggestion):
        shown.append(CONTROL.sub("·", text.replace("\r\n", "\n").replace("\r", "\n")), style)
    console.print(shown, end="")
    if suggestion.text:
        source = source_sentence(suggestion, model)
        said = f"{suggestion.confidence:.0%} sure, {suggestion.ms:.0f} ms. {source}"
    else:
        said = f"nothing to suggest ({suggestion.reason})"
    console.print(Text(said, "italic"))


def _pieces(lines: list[str], line: int, index: int, suggestion: Any) -> Iterator[tuple[str, str]]:
    """The text around the cursor with the suggestion in its place: style and text."""
    first = max(0, line - CONTEXT_LINES)
    yield "", ("".join(lines[first:line]) + lines[line][:index])[-CONTEXT_CHARACTERS:]
    yield "dim cyan", suggestion.text
    rest = lines[line][index + suggestion.replace_after :] + "".join(
        lines[line + 1 : line + 1 + CONTEXT_LINES]
    )
    rest = rest[:CONTEXT_CHARACTERS]
    yield "", rest if rest.endswith(("\n", "\r")) else rest + "\n"
    yield "", "\n"
