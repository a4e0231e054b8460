"""A question -> the pieces that may answer it: what it names, what is selected, what is found and called."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol, runtime_checkable

from chat.code import Code
from chat.gather_files import cut_file, lines_piece, problem_piece, symbol_piece
from chat.gather_named import Named, named
from chat.types import Piece, Question, Selection
from codeindex.query import read as read_query
from codeindex.types import Hit, SymbolRow
from models.estimate import tokens

MOST_TOKENS = 8_000
HITS = 30
FEW_HITS = 8  # Where the question names what it is about, search only adds to that.
MOST_OF_ONE = 400  # Tokens that one piece is counted for: a longer one is cut when it is packed.
CALLED = 12  # Signatures of what a selection calls.
NAMES, OF_A_NAME = 3, 2
OVERVIEW_TOKENS = 900
# Scores: what was asked for by name is above 1, the rest below.
SELECTED, WRONG, OPEN = 3.0, 2.5, 1.2
DEFINED, FOUND, AROUND, CALLED_SCORE, BESIDE = 0.92, 0.9, 0.85, 0.5, 0.45

_HERE = re.compile(
    r"\b(?:this|the (?:current|open))\s+"
    r"(?:file|module|class|function|method|code|component|script|page|test)s?\b|\bhere\b|^\W*$",
    re.IGNORECASE,
)
_WHOLE = re.compile(
    r"\b(?:architecture|overview|structured?|organi[sz]ed|big picture|entry points?|code ?base|repository)\b"
    r"|\b(?:what|how) (?:is|does|are) (?:this|the) (?:project|app|application|program|package|library)\b",
    re.IGNORECASE,
)
# What commands are made of, and says nothing of what the code is about.
_COMMANDS = (
    "add better bug change check class clean code comment comments convert current describe docs docstring "
    "document documentation error errors explain extract file find fix function good help implement improve "
    "issue line make method module name please problem problems refactor rename review rewrite selection "
    "simplify step summarise summarize summary test tests tidy type types understand unit wrong write "
)
COMMANDS = frozenset(_COMMANDS.split())


@runtime_checkable
class OnDisk(Protocol):
    """Code that says in which folders it lies: documents that no index reads are looked for there."""

    def roots(self) -> tuple[Path, ...]:
        """The workspace's folders."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """What may go into a prompt, and what was asked for and is not there."""

    pieces: tuple[Piece, ...]
    """The best first."""
    problems: tuple[str, ...] = ()
    """A sentence each."""


async def gather(
    question: Question, code: Code, *, most_tokens: int = MOST_TOKENS, roots: Sequence[Path] = ()
) -> Gathered:
    """The pieces for a question, in about so many tokens.

    ``roots`` are the workspace's folders, if the code itself does not say so: documents that the index does
    not read, PDF and DOCX, are looked for there when they are mentioned.
    """
    folders = roots or (code.roots() if isinstance(code, OnDisk) else ())
    found = await asyncio.gather(
        *(named(it, question, code, folders) for it in dict.fromkeys(question.mentions)),
        _searched(question, code),
        _defined(question, code),
        _selected(question.selection, code),
        _open(question, code),
        _overview(question, code),
        _wrong(question),
    )
    trouble = await code.problem()
    problems = [sentence for it in found for sentence in it.problems] + ([trouble] if trouble else [])
    pieces = [piece for it in found for piece in it.pieces if piece.text.strip()]
    return Gathered(pieces=_enough(pieces, most_tokens), problems=tuple(dict.fromkeys(problems)))


def hit_piece(hit: Hit, score: float) -> Piece:
    """What search found."""
    return replace(
        lines_piece(hit.path, hit.first_line, hit.text, score, hit.why[0].reason if hit.why else "found"),
        title=f"{hit.scope}.{hit.name}" if hit.scope and hit.name else "",
        signature=hit.signature,
        doc=hit.doc,
        language=hit.language,
    )


def _enough(pieces: Iterable[Piece], most_tokens: int) -> tuple[Piece, ...]:
    """The best pieces, each place once, until there are enough."""
    kept: dict[object, Piece] = {}
    left = most_tokens
    for it in sorted(pieces, key=lambda it: -it.score):
        key = it.place or (it.kind, it.title, it.text)
        if key in kept:
            continue
        left -= min(MOST_OF_ONE, tokens(it.text[: 8 * MOST_OF_ONE]))
        if left < 0 and kept:
            break
        kept[key] = it
    return tuple(kept.values())


async def _searched(question: Question, code: Code) -> Named:
    kinds = {it.kind for it in question.mentions}
    words = [it for it in read_query(question.text).terms if it not in COMMANDS]
    if not words and "codebase" not in kinds:
        return Named()
    is_named = bool(question.selection or kinds - {"codebase"}) and "codebase" not in kinds
    hits = await code.search(question.text, limit=FEW_HITS if is_named else HITS)
    top = max((it.score for it in hits), default=0.0) or 1.0
    factor = BESIDE if is_named else FOUND
    return Named(pieces=tuple(hit_piece(it, factor * it.score / top) for it in hits))


async def _defined(question: Question, code: Code) -> Named:
    """The definitions of the names in a question that look like code."""
    names = dict.fromkeys((it.scope, it.name) for it in read_query(question.text).names)
    mentioned = {
        it.value.replace("::", ".").rpartition(".")[2] for it in question.mentions if it.kind == "symbol"
    }
    found: list[Piece] = []
    for scope, name in [it for it in names if it[1] not in mentioned][:NAMES]:
        rows = await code.symbols(f"{scope}.{name}" if scope else name, limit=4 * OF_A_NAME)
        exact = [it for it in rows if it.row.name == name][:OF_A_NAME]
        for number, it in enumerate(exact):
            text = await code.text(it.path)
            if text is not None:
                found.append(symbol_piece(it, text, DEFINED - number / 100, f"defines {name}"))
    return Named(pieces=tuple(found))


async def _selected(selection: Selection | None, code: Code) -> Named:
    """What is selected, what stands around it, and the signatures of what that calls."""
    if selection is None or not selection.text.strip():
        return Named()
    own = replace(
        lines_piece(selection.path, selection.first_line, selection.text.rstrip("\n"), SELECTED, "selected"),
        language=selection.language,
    )
    rows = await code.outline(selection.path)
    around = _around(rows, selection)
    if around is None:
        return Named(pieces=(own,))
    text = await code.text(selection.path)
    lines = [] if text is None else text.split("\n")[around.first_line - 1 : around.last_line]
    body = lines_piece(
        selection.path, around.first_line, "\n".join(lines), AROUND, "what is selected is in it"
    )
    body = replace(body, signature=around.signature, doc=around.doc)
    calls = await code.callees(around.name, path=selection.path, line=around.line, limit=4 * CALLED)
    inside = [
        it
        for it in calls
        if it.path != selection.path or selection.first_line <= it.line <= selection.last_line
    ]
    targets = {(it.target.path, it.target.row.line): it.target for it in inside or calls if it.target}
    found = [own, body]
    for number, target in enumerate(list(targets.values())[:CALLED]):
        text = await code.text(target.path)
        if text is not None:
            found.append(symbol_piece(target, text, CALLED_SCORE - number / 100, f"{around.name} calls it"))
    return Named(pieces=tuple(found))


def _around(rows: Sequence[SymbolRow], selection: Selection) -> SymbolRow | None:
    """The innermost symbol around the lines, else the first that begins in them."""
    outer = [
        it for it in rows if it.first_line <= selection.first_line and selection.last_line <= it.last_line
    ]
    within = [it for it in rows if selection.first_line <= it.line <= selection.last_line]
    return min(outer, key=lambda it: it.last_line - it.first_line) if outer else next(iter(within), None)


async def _open(question: Question, code: Code) -> Named:
    """The file in front of them, if the question is about it and about nothing smaller."""
    is_asked = question.task in ("summarize", "review", "explain", "document", "tests") or _HERE.search(
        question.text
    )
    others = {it.kind for it in question.mentions} - {"selection"}
    if not question.path or question.selection or others or not is_asked:
        return Named()
    text = await code.text(question.path)
    if text is None:
        return Named()
    rows = await code.outline(question.path)
    cut = await asyncio.to_thread(cut_file, question.path, text, rows, question.text, OPEN, "it is open")
    return Named(pieces=cut)


async def _overview(question: Question, code: Code) -> Named:
    if question.task != "architecture" and (question.selection or not _WHOLE.search(question.text)):
        return Named()
    if {it.kind for it in question.mentions} - {"codebase"}:
        return Named()
    focus = (question.path,) if question.path and question.task != "architecture" else ()
    text = await code.overview(OVERVIEW_TOKENS, focus)
    piece = Piece(
        place=None, text=text, kind="outline", title="the most important files", score=1.1, why="overview"
    )
    return Named(pieces=(piece,))


async def _wrong(question: Question) -> Named:
    if not question.problems:
        return Named()
    return Named(pieces=(problem_piece(question.problems, WRONG),))
