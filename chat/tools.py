"""The tools with which a model looks around in the code: they read, and none writes, sends or runs anything.

A row says what a tool is called and takes, and which function answers. What a tool gives is data from files:
whoever hands it to a model marks it as such.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from chat.code import Call, Code
from chat.tools_values import MOST_CHARACTERS, Argument, Result, Wrong, bounded, cut_lines, read, schema
from chat.types import Place
from codeindex.types import Hit
from models.wire import ToolSpec

logger = logging.getLogger(__name__)

NEAR = 5  # Names that look alike, for who has asked for one that there is not.
LINES_OF_A_HIT = 60
LONGEST_LINE = 400  # Characters; code that people write has shorter ones.
MOST_LINES = 1_000_000_000

Run = Callable[[Code, Mapping[str, Any], int], Awaitable[Result]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """One thing that can be asked."""

    name: str
    says: str
    arguments: Mapping[str, Argument]
    run: Run

    @property
    def spec(self) -> ToolSpec:
        """As models are told of it."""
        return ToolSpec(name=self.name, description=self.says, schema=schema(self.arguments))


async def call(
    code: Code, name: str, given: Mapping[str, Any], *, most: int = MOST_CHARACTERS, raw: str = ""
) -> Result:
    """Use a tool. Whatever is wrong is a result that says so in one sentence; nothing is raised.

    ``raw`` are arguments that were no JSON object.
    """
    tool = TOOLS.get(name)
    if tool is None:
        return Result(text=f"There is no tool {name[:40]!r}; there are {', '.join(TOOLS)}.", is_error=True)
    if raw:
        return Result(text=f"The arguments of {name} were no JSON object; write them again.", is_error=True)
    try:
        found = await tool.run(code, read(name, tool.arguments, given), most)
    except Wrong as wrong:
        return Result(text=str(wrong), is_error=True)
    except Exception:
        logger.exception("tool bug tool=%s", name)
        return Result(text=f"{name} met a problem; Hearth's log says which.", is_error=True)
    problem = await code.problem()
    return Result(
        text=f"{found.text}\n\nNote: {problem}" if problem else found.text,
        places=found.places,
        is_error=found.is_error,
    )


async def _search(code: Code, given: Mapping[str, Any], most: int) -> Result:
    hits = await code.search(given["query"], limit=given["limit"], paths=given["paths"])
    if not hits:
        return Result(text="Nothing was found. Try other words, a name, or fewer of them.")
    return Result(
        text=bounded(map(_hit, hits), most, lambda left: f"({left} more hits have no room here.)"),
        places=tuple(Place(path=it.path, first_line=it.first_line, last_line=it.last_line) for it in hits),
    )


async def _symbols(code: Code, given: Mapping[str, Any], most: int) -> Result:
    found = await code.symbols(given["query"], limit=given["limit"])
    if not found:
        return Result(text="No definition has such a name.")
    lines = [
        f"{it.path}:{it.row.line}  {it.row.kind}  {it.row.signature or it.row.name}"
        + (f"  (in {it.row.scope})" if it.row.scope else "")
        for it in found
    ]
    return Result(
        text=bounded(lines, most, lambda left: f"({left} more have no room here.)", "\n"),
        places=tuple(
            Place(path=it.path, first_line=it.row.first_line, last_line=it.row.last_line) for it in found
        ),
    )


def _calls(is_out: bool) -> Run:
    async def run(code: Code, given: Mapping[str, Any], most: int) -> Result:
        ask = code.callees if is_out else code.callers
        name, rest = given["name"], {key: given[key] for key in ("path", "line", "limit")}
        found = await ask(name, **rest)
        last = name.replace("::", ".").rpartition(".")[2]
        if not found and last != name:
            found = await ask(last, **rest)
        if not found:
            return await _no_calls(code, name, last, is_out=is_out)
        lines = [_line(it, is_out=is_out) for it in found]
        return Result(
            text=bounded(lines, most, lambda left: f"({left} more have no room here.)", "\n"),
            places=tuple(Place(path=it.path, first_line=it.line, last_line=it.line) for it in found),
        )

    return run


async def _no_calls(code: Code, name: str, last: str, *, is_out: bool) -> Result:
    near = await code.symbols(last, limit=NEAR)
    if any(it.row.name == last for it in near):
        says = f"{name} calls nothing of this project." if is_out else f"Nobody in this project calls {name}."
        return Result(text=says)
    hint = f" There is: {', '.join(dict.fromkeys(it.row.name for it in near))}." if near else ""
    return Result(text=f"Nothing called {name} is defined in this project.{hint}", is_error=True)


async def _map(code: Code, given: Mapping[str, Any], most: int) -> Result:
    text = await code.overview(given["tokens"], given["focus"])
    if not text.strip():
        return Result(text="There is nothing to show: no code, or nothing at these paths.")
    lines, left = cut_lines(text.rstrip("\n").split("\n"), most)
    return Result(text="\n".join([*lines, *([f"({left} more lines have no room here.)"] if left else [])]))


async def _read_lines(code: Code, given: Mapping[str, Any], most: int) -> Result:
    path, first, last = given["path"], given["first_line"], given["last_line"]
    if first > last:
        raise Wrong("The argument 'last_line' of read_lines is before 'first_line'.")
    text = await code.text(path)
    if text is None:
        near = await code.files(path.rpartition("/")[2], limit=NEAR) if path else ()
        hint = f" There is: {', '.join(near)}." if near else ""
        return Result(text=f"{path} is no file of this project that may be read.{hint}", is_error=True)
    every = text.removesuffix("\n").split("\n")
    if len(every) < first:
        return Result(text=f"{path} has only {len(every)} lines.", is_error=True)
    wanted = every[first - 1 : last]
    shown, left = cut_lines(wanted, most - len(path) - 60)
    end = first + len(shown) - 1
    more = [f"({left} more lines have no room here; go on from line {end + 1}.)"] if left else []
    return Result(
        text="\n".join([f"{path}, lines {first}-{end} of {len(every)}:", *shown, *more]),
        places=(Place(path=path, first_line=first, last_line=end),),
    )


async def _files(code: Code, given: Mapping[str, Any], most: int) -> Result:
    found = await code.files(given["pattern"], limit=given["limit"])
    if not found:
        return Result(text="No file of this project fits.")
    return Result(text=bounded(found, most, lambda left: f"({left} more have no room here.)", "\n"))


async def _problems(code: Code, given: Mapping[str, Any], most: int) -> Result:
    found = await code.problems(given["path"])
    if not found:
        return Result(text="The editor knows of no problems there.")
    lines = [
        f"{it.path}:{it.first_line}  {it.severity}: {' '.join(it.message.split())}"
        + (f" ({' '.join(filter(None, (it.source, it.code)))})" if it.source or it.code else "")
        for it in found
    ]
    return Result(text=bounded(lines, most, lambda left: f"({left} more have no room here.)", "\n"))


async def _diff(code: Code, given: Mapping[str, Any], most: int) -> Result:
    text = await code.diff()
    if not text.strip():
        return Result(text="Nothing has changed since the last commit, or there is no git here.")
    lines, left = cut_lines(text.rstrip("\n").split("\n"), most)
    return Result(text="\n".join([*lines, *([f"({left} more lines have no room here.)"] if left else [])]))


def _hit(hit: Hit) -> str:
    name = f"{hit.scope}.{hit.name}" if hit.scope and hit.name else hit.name or hit.scope
    lines = [it[:LONGEST_LINE] for it in hit.text.split("\n")]
    left = len(lines) - LINES_OF_A_HIT
    more = [f"({left} more lines; read_lines shows them.)"] if 0 < left else []
    head = f"{hit.path}:{hit.first_line}-{hit.last_line}" + (f"  {name}" if name else "")
    return "\n".join([head, *lines[:LINES_OF_A_HIT], *more])


def _line(it: Call, *, is_out: bool) -> str:
    target = f" -> {it.target.path}:{it.target.row.line}" if is_out and it.target else ""
    around = f"{it.name}{target}" if is_out else f"in {it.name or 'the top of the file'}"
    return f"{it.path}:{it.line}  {around}  ({it.sure})  {it.text.strip()[:LONGEST_LINE]}"


def _text(says: str, default: str | None = None) -> Argument:
    return Argument(kind="string", says=says, default=default)


def _number(says: str, default: int, least: int, most: int) -> Argument:
    return Argument(kind="integer", says=says, default=default, least=least, most=most)


_OF = {
    "name": _text("A function, a method or a class; also with its scope, as in Reader.files."),
    "path": _text("Only the one that is defined in this file; a path from the project's root.", ""),
    "line": _number("Only the one that is defined at this line; 0 for any.", 0, 0, MOST_LINES),
    "limit": _number("The most lines.", 50, 1, 500),
}

TOOLS: Mapping[str, Tool] = {
    it.name: it
    for it in (
        Tool(
            name="search",
            says="Find the pieces of this project's code and documents that fit words, a name, a path or an "
            "error message; the best first, with their paths and lines.",
            arguments={
                "query": _text("What to look for."),
                "paths": Argument(
                    kind="strings", says="Only files that fit one of these glob patterns.", default=()
                ),
                "limit": _number("The most hits.", 8, 1, 50),
            },
            run=_search,
        ),
        Tool(
            name="symbols",
            says="Find definitions (functions, classes, methods …) by their name or a part of it.",
            arguments={
                "query": _text("A name, or how it begins."),
                "limit": _number("The most lines.", 20, 1, 200),
            },
            run=_symbols,
        ),
        Tool(
            name="callers",
            says="Say who calls a function, method or class, with the line of each call and how sure it is.",
            arguments=_OF,
            run=_calls(is_out=False),
        ),
        Tool(
            name="callees",
            says="Say what a function or method calls, and where that is defined.",
            arguments=_OF,
            run=_calls(is_out=True),
        ),
        Tool(
            name="map",
            says="Draw the project on a page: its most important files and what they define.",
            arguments={
                "tokens": _number("How long it may be, in tokens.", 1_000, 50, 20_000),
                "focus": Argument(
                    kind="strings", says="Files or folders from which it is drawn.", default=()
                ),
            },
            run=_map,
        ),
        Tool(
            name="read_lines",
            says="Read lines of one file of this project.",
            arguments={
                "path": _text("The file, as a path from the project's root."),
                "first_line": _number("The first line, counted from 1.", 1, 1, MOST_LINES),
                "last_line": _number("The last line.", MOST_LINES, 1, MOST_LINES),
            },
            run=_read_lines,
        ),
        Tool(
            name="files",
            says="List the files of this project that fit a glob pattern, a folder or a part of a path.",
            arguments={
                "pattern": _text("A pattern, a folder, or a part of a path; empty for all.", ""),
                "limit": _number("The most files.", 100, 1, 1_000),
            },
            run=_files,
        ),
        Tool(
            name="problems",
            says="List the errors and warnings that the editor shows.",
            arguments={"path": _text("Only of this file.", "")},
            run=_problems,
        ),
        Tool(
            name="diff",
            says="Show what has changed since the last commit, as a unified diff.",
            arguments={},
            run=_diff,
        ),
    )
}
"""All that a model can ask of the code."""
FOR_OTHERS = ("search", "symbols", "callers", "callees", "map", "read_lines")
"""What other assistants get: what they have no better way to than ours."""
