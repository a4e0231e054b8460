"""`hearth chat`: a conversation about the code, in a terminal."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from lsp_server.cli import FAILED
from lsp_server.commands.indexed import AsIs, Root, warn
from lsp_server.commands.page import Page, page
from lsp_server.commands.subjects import Nothing
from lsp_server.commands.talk import Asked, Choice, Talk, talk
from lsp_server.commands.typed import Typist

if TYPE_CHECKING:
    from chat.conversation import Conversation
    from chat.history import History
    from lsp_server.commands.said import Said

SHORT = 8  # Characters of an id, as in the list of conversations.
HELP = """\
Ask in words. `@shop/cart.py`, `@shop/cart.py:3-9`, `@Cart`, `@diff` and `@docs` say what it is about.

{commands}
- `/again`: another answer to the last question
- `/edit` *question*: the last question anew, in other words; `/edit 2` *question* goes back to the second
- `/choice` *who*: who answers from now on: `local`, `cloud`, `extractive`, a server's name; nothing: as usual
- `/why`: who gave the last answer, and why
- `/new`: another conversation
- `/quit`: end, like Ctrl-D

A line that ends with a backslash goes on in the next one, and so does all between two `\"\"\"`.
Ctrl-C stops an answer. Tab completes commands, files and names.
"""
OWN = ("again", "edit", "choice", "why", "new", "help", "quit")


@dataclass(slots=True)
class Room:
    """One conversation at a prompt."""

    talk: Talk
    runner: asyncio.Runner
    choice: str = ""
    history: History | None = None
    said: Said | None = None
    """What came of it."""
    has_failed: bool = False


def command(
    question: Annotated[
        list[str] | None, typer.Argument(metavar="[QUESTION]", help="The first question, if you like.")
    ] = None,
    go_on: Annotated[
        bool, typer.Option("--continue", "-c", help="Go on with the last conversation about this project.")
    ] = False,
    conversation: Annotated[
        str, typer.Option("--conversation", metavar="ID", help="Go on with this one: see hearth history.")
    ] = "",
    choice: Choice = "",
    root: Root = None,
    as_is: AsIs = False,
) -> None:
    """Talk about the code. What is said is kept on this machine; /help says what can be typed."""
    if go_on and conversation:
        raise typer.BadParameter("either the last one or one by its id.", param_hint="--conversation")
    with asyncio.Runner() as runner:
        entered = talk(root, as_is=as_is, quiet=False)
        room = Room(runner.run(entered.__aenter__()), runner, choice=choice)
        try:
            _open(room, conversation, go_on=go_on)
            _converse(room, " ".join(question or ()).strip())
        finally:
            runner.run(entered.__aexit__(None, None, None))
    if room.has_failed and not sys.stdin.isatty():
        raise typer.Exit(FAILED)


def _open(room: Room, identity: str, *, go_on: bool) -> None:
    """The history, and the conversation to go on with, if one is meant."""
    from chat import converse
    from lsp_server.commands.history import known, opened

    with opened() as history:
        room.history, room.talk.keeps = history, converse.keeping(history)
        if go_on:
            listed = history.list(root=str(room.talk.root), limit=1)
            identity = listed[0].id if listed else ""
            if not identity:
                warn("There is no conversation about this project yet; this is the first.")
        if identity:
            room.talk.conversation = known(history, identity)


def _converse(room: Room, first: str) -> None:
    """Ask and answer until there is no more to ask."""
    sheet = page(room.talk.root)
    own = (it.command.name for it in room.talk.recipes.now().all)
    typist = Typist(room.runner, room.talk.code, (*own, *OWN))
    if typist.is_person:
        _greet(room, sheet)
    line: str | None = first
    while line is not None:
        if line.strip() and not _line(room, sheet, line.strip()):
            break
        line = typist.read()
    if typist.is_person and room.talk.conversation:
        short = room.talk.conversation.id[:SHORT]
        sheet.note(f"Kept on this machine: hearth chat --conversation {short} goes on with it.")


def _line(room: Room, sheet: Page, line: str) -> bool:
    """Do what a line says; False if it is the last one."""
    word, _, rest = line.removeprefix("/").partition(" ") if line.startswith("/") else ("", "", line)
    if word in ("quit", "exit", "q"):
        return False
    if word == "help":
        _show(sheet, HELP.format(commands=_commands(room)))
    elif word == "new":
        room.talk.conversation, room.said = None, None
    elif word == "choice":
        room.choice = rest.strip()
        sheet.note(f"From now on: {room.choice or 'whoever is to answer by your settings'}.")
    elif word == "why":
        sheet.note(room.said.line if room.said else "Nothing has been answered yet.")
    elif word in ("again", "edit"):
        _anew(room, sheet, rest.strip() if word == "edit" else "")
    else:
        _ask(room, sheet, Asked(text=line, choice=room.choice))
    return True


def _ask(room: Room, sheet: Page, asked: Asked, *, again: bool = False) -> None:
    try:
        said = room.runner.run(room.talk.answer(asked, sheet, again=again))
    except Nothing as problem:
        room.has_failed = True
        warn(str(problem))
        return
    except KeyboardInterrupt:  # Before there was anything to stop.
        return
    room.said = said
    room.has_failed |= said.refused or not said.is_whole
    if said.line and not said.refused:
        sheet.note(said.line)
    if said.problem:
        warn(said.problem)


def _anew(room: Room, sheet: Page, text: str) -> None:
    """The last question once more, or another in its place, or in that of an earlier one."""
    number, _, rest = text.partition(" ")
    turn, text = (int(number) - 1, rest.strip()) if number.isdigit() else (None, text)
    turns = room.talk.conversation.turns if room.talk.conversation else ()
    at = len(turns) - 1 if turn is None else turn
    if not 0 <= at < len(turns):
        warn(f"There is no question {at + 1}." if turns else "Nothing has been asked yet.")
        return
    assert room.talk.conversation
    room.talk.conversation = _back(room, room.talk.conversation, at)
    asked = Asked(text=text or turns[at].asked, task=turns[at].task, choice=room.choice)
    _ask(room, sheet, asked, again=not text)


def _back(room: Room, conversation: Conversation, turn: int) -> Conversation:
    """The conversation before a turn; what came then is forgotten."""
    from chat.converse import resend
    from chat.history import NoHistory

    before, dropped = resend(conversation, turn)
    try:
        if room.history is not None:
            room.history.drop(conversation.id, dropped)
    except NoHistory as problem:
        room.talk.tell(str(problem))
    return before


def _greet(room: Room, sheet: Page) -> None:
    """Where we are, and who will answer."""
    from chat.router import Request, decide

    desk = room.talk.desk()
    decision = decide(Request(task="ask", tokens_in=0, choice=room.choice), desk.places, desk.policy)
    sheet.note(f"{room.talk.root} · {decision.reason} /help says what can be typed.")
    turns = room.talk.conversation.turns if room.talk.conversation else ()
    if turns:
        last = turns[-1]
        _show(sheet, f"> {' '.join(last.asked.split())}\n\n{last.shown}")


def _show(sheet: Page, text: str) -> None:
    sheet.add(text)
    sheet.end()


def _commands(room: Room) -> str:
    from chat.commands import rows

    own = (it.command for it in room.talk.recipes.now().all)
    return "\n".join(f"- `{it.slash}`: {it.says or it.title}" for it in (*rows(), *own))
