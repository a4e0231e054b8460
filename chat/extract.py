"""`answer`: a question about the code, answered from the code itself, without any model.

``chat/extract_asked.py`` says what kind of question it is; for each kind there is one page, of links that
resolve and lines that stand there now. What no page fits is searched for.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from chat import extract_file, extract_lists
from chat.code import Code, Symbol
from chat.extract_asked import Asked, asked
from chat.extract_error import error
from chat.extract_page import Page, code, count, prose
from chat.extract_phrases import Kind
from chat.extract_search import search
from chat.extract_symbol import (
    BODY,
    CLASSES,
    Shown,
    about,
    code_of,
    documented,
    examples,
    find,
    how,
    made,
    members,
    near,
    others,
    qualified,
    show,
)
from chat.types import Place, Problem, Question

PROSE = "*Found in the code itself. For an answer in words, set `chat.model`.*"
"""The last line of every answer: how to get more."""
NOTHING = "Nothing was found for this in the workspace."
CALLS = (Kind.HOW, Kind.CALLERS, Kind.USES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Extract:
    """An answer."""

    markdown: str
    places: tuple[Place, ...]
    """What it links, in order."""
    complete: bool
    """Whether what was asked for was found, and all of it; else it is the nearest there is."""


async def answer(question: Question, code_: Code) -> Extract:
    """The best that can be said. Raises nothing for what is not there."""
    page = Page()
    it = asked(question)
    complete = await _PAGES[it.kind](page, code_, question, it)
    if not page.markdown:
        page.add(NOTHING)
        complete = False
    problem = await code_.problem()
    if problem:
        page.add(f"*{prose(problem)}*")
    page.add(PROSE)
    return Extract(markdown=page.markdown, places=page.places, complete=complete and not problem)


Write = Callable[[Page, Code, Question, Asked], Awaitable[bool]]
"""Writes a page; whether it says all that was asked for."""


async def _of_symbol(page: Page, code_: Code, question: Question, it: Asked) -> bool:
    """A page about one definition, or what is nearest to what was meant."""
    if it.is_selected:
        return await _selected(page, code_, question, it)
    found = await find(code_, it.names, path=question.path, text=it.text)
    shown = await _first(code_, found)
    if shown is None:
        return await _missing(page, code_, question, it)
    return await _about(page, code_, it.kind, found, shown)


async def _about(page: Page, code_: Code, kind: Kind, found: tuple[Symbol, ...], it: Shown) -> bool:
    """Write it; whether it is all that was asked for."""
    is_all = True
    match kind:
        case Kind.CALLERS:
            is_all = await extract_lists.callers(page, code_, it)
        case Kind.TESTS:
            await extract_lists.tests(page, code_, it)
        case Kind.CALLEES:
            await extract_lists.callees(page, code_, it)
        case Kind.USES:
            is_all = await extract_lists.uses(page, code_, it)
        case Kind.BELOW:
            await extract_lists.below(page, code_, it.row.name, it)
        case Kind.WHERE:
            await extract_lists.where(page, code_, found, it)
            return True
        case Kind.HOW:
            await how(page, code_, it)
        case _:
            await _what(page, code_, it)
    others(page, found, it)
    return is_all


async def _what(page: Page, code_: Code, it: Shown) -> None:
    """What it is and does: documentation, code, calls in both directions."""
    calls, callees = await asyncio.gather(
        code_.callers(it.row.name, path=it.path, line=it.row.line, limit=60),
        code_.callees(it.row.name, path=it.path, line=it.row.line, limit=60),
    )
    about(page, it)
    documented(page, it)
    if it.row.kind in CLASSES:
        outline = await code_.outline(it.path)
        page.code("\n".join((it.row.signature, *made(it, outline))), it.row.language)
        members(page, it, outline)
    else:
        code_of(page, it, BODY)
    known = {
        one.name: one for one in reversed(callees) if one.target is not None and one.sure != "by name only"
    }
    if known and it.row.kind not in CLASSES:
        links = [
            page.link(one.target.path, one.target.row.line, label=code(qualified(one.target.row)))
            for one in list(known.values())[::-1][:10]
            if one.target is not None
        ]
        page.add(f"It calls {', '.join(links)}.")
    await examples(page, code_, it, calls)


async def _missing(page: Page, code_: Code, question: Question, it: Asked) -> bool:
    """No definition has the name: a module may, or it is words."""
    path, inside = await extract_file.resolve(code_, it.paths, it.names)
    if path and (it.is_named or it.paths):
        return await _file_or_folder(page, code_, path, inside)
    if it.kind is Kind.WHAT and it.names and path:
        return await _file_or_folder(page, code_, path, inside)
    name = it.names[0].rstrip("()") if it.names else ""
    last = re.split(r"[.:#>]+", name)[-1]
    if last and it.kind is Kind.BELOW and await extract_lists.below(page, code_, last, None):
        return True
    if last and it.kind in CALLS and await extract_lists.called_by_name(page, code_, last):
        return True
    if not it.names or not it.is_named:
        await search(page, code_, question.text)
        return False
    like = await near(code_, name)
    close = ", ".join(f"{code(one.row.name)} ({page.link(one.path, one.row.line)})" for one in like)
    page.add(f"Nothing in this workspace is called {code(name)}." + (f" There is {close}." if close else ""))
    stands = await code_.lines(rf"(?<!\w){re.escape(last)}(?!\w)", words=(last,), limit=20)
    if stands.lines:
        page.add(f"{code(last)} stands in these lines:")
        extract_lists.grouped(page, stands.lines)
    elif it.kind is Kind.SEARCH:
        await search(page, code_, question.text, head="The nearest code to the question:")
    return False


async def _selected(page: Page, code_: Code, question: Question, it: Asked) -> bool:
    """What the selection is in, or what it names."""
    selection = question.selection
    if selection is None:
        await search(page, code_, question.text)
        return False
    word = selection.text.strip()
    if word.isidentifier():
        found = await find(code_, [word], path=selection.path)
        shown = await _first(code_, found)
        if shown is not None:
            await _about(page, code_, Kind.WHAT, found, shown)
            return True
    rows = [
        row
        for row in await code_.outline(selection.path)
        if row.first_line <= selection.first_line and selection.last_line <= row.last_line
    ]
    inside = min(rows, key=lambda row: row.last_line - row.first_line, default=None)
    shown = await show(code_, Symbol(path=selection.path, row=inside)) if inside is not None else None
    if shown is None:
        return await _file(page, code_, question, replace(it, paths=(selection.path,)))
    if selection.last_line - selection.first_line < shown.row.last_line - shown.row.first_line:
        where = page.link(selection.path, selection.first_line, selection.last_line)
        page.add(f"The selection ({where}) is part of:")
    await _about(page, code_, Kind.WHAT, (), shown)
    return True


async def _file(page: Page, code_: Code, question: Question, it: Asked) -> bool:
    """The file or folder that is named, else the one that is open."""
    path, inside = await extract_file.resolve(code_, it.paths, it.names)
    if not path and it.paths:
        page.add(f"There is no {code(it.paths[0])} in this workspace, or it is left out of it.")
        await search(page, code_, it.paths[0], head="The nearest:")
        return False
    path = path or question.path or (question.selection.path if question.selection else "")
    if not path:
        page.add("No file is open: name one, as in *what does path/to/file do?*")
        return False
    return await _file_or_folder(page, code_, path, inside)


async def _file_or_folder(page: Page, code_: Code, path: str, inside: tuple[str, ...]) -> bool:
    if inside:
        await extract_file.folder(page, code_, path, inside)
        return True
    if not await extract_file.file(page, code_, path):
        page.add(f"{code(path)} cannot be read, or does not belong to the workspace.")
        return False
    return True


async def _project(page: Page, code_: Code, question: Question, it: Asked) -> bool:
    return await extract_file.project(page, code_)


async def _all(page: Page, code_: Code, question: Question, it: Asked) -> bool:
    found = await extract_lists.everything(page, code_, it.text, it.names if it.is_named else ())
    if found is not None:
        return found
    await search(
        page,
        code_,
        question.text,
        head="No single sign in the code says this; by meaning and words these are nearest:",
    )
    return False


async def _error(page: Page, code_: Code, question: Question, it: Asked) -> bool:
    return await error(page, code_, question.text)


async def _changes(page: Page, code_: Code, question: Question, it: Asked) -> bool:
    diff = await code_.diff()
    if not diff:
        page.add("Nothing has changed since the last commit, or git does not know this folder.")
        return True
    await extract_file.changes(page, code_, diff)
    return True


async def _problems(page: Page, code_: Code, question: Question, it: Asked) -> bool:
    found = await code_.problems(question.path if "this file" in it.text.lower() else "")
    if not found:
        page.add("The editor tells of no problems.")
        return True
    page.add(f"{count(len(found), 'problem')}:")
    page.items(_problem(page, one) for one in found[:40])
    return len(found) <= 40


def _problem(page: Page, it: Problem) -> str:
    name = f" {code(it.code)}" if it.code else ""
    return f"{page.link(it.path, it.first_line)} {it.severity}{name}: {prose(it.message)}"


async def _search(page: Page, code_: Code, question: Question, it: Asked) -> bool:
    words = it.text.split()
    if len(words) == 1 or it.is_named:
        found = await find(
            code_, [*it.names, *(words if len(words) == 1 else [])], path=question.path, text=it.text
        )
        shown = await _first(code_, found)
        if shown is not None:
            if len(words) <= 3:
                await _about(page, code_, Kind.WHAT, found, shown)
                return True
            about(page, shown)
            documented(page, shown)
    await search(
        page,
        code_,
        question.text,
        paths=tuple(one.value for one in question.mentions if one.kind in ("file", "folder")),
    )
    return False


async def _first(code_: Code, found: tuple[Symbol, ...]) -> Shown | None:
    """The first that is there."""
    for it in found[:3]:
        shown = await show(code_, it)
        if shown is not None:
            return shown
    return None


_PAGES: dict[Kind, Write] = {
    **dict.fromkeys((Kind.HOW, Kind.WHERE, Kind.WHAT, Kind.BELOW, Kind.USES), _of_symbol),
    **dict.fromkeys((Kind.CALLERS, Kind.CALLEES, Kind.TESTS), _of_symbol),
    Kind.FILE: _file,
    Kind.PROJECT: _project,
    Kind.ALL: _all,
    Kind.ERROR: _error,
    Kind.CHANGES: _changes,
    Kind.PROBLEMS: _problems,
    Kind.SEARCH: _search,
}
