"""What the mentions of a question name -> pieces; what names nothing is a sentence."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import unquote, urlparse

from chat import documents
from chat.code import Code
from chat.documents_rank import ranked
from chat.gather_files import BODIES, cut_file, lines_piece, problem_piece, symbol_piece
from chat.mentions import lines_in
from chat.types import Mention, Piece, Question

# Scores: the more exactly it was asked for, the higher; all above 1.
LINES, FILE, SYMBOL, CHANGES, PROBLEMS, DOCUMENT, FOLDER, SAME_NAME = 2.4, 2.0, 1.9, 1.8, 1.8, 1.6, 1.5, 3
INSIDE = 1.4  # Of a folder's hits the best count as named, the others as found.
FOLDER_HITS = 20
FOLDER_FILES = 60
SYMBOLS_OF_A_FILE = 8
DEFINITIONS = 3
DOCUMENTS = 40  # Files that ``@docs`` alone looks at.
SECTIONS = 24  # Of all documents together: the best.
AROUND_A_PROBLEM = 8  # Lines before and behind.
PROBLEMS_SHOWN = 4
TEXTS = tuple(f"*{it}" for it in documents.TEXTS)
PAPERS = (".pdf", ".docx")
FOLDERS_OF_PAPERS = ("", "docs", "doc", "documentation")


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """What was found for one of the things asked for."""

    pieces: tuple[Piece, ...] = ()
    problems: tuple[str, ...] = ()


async def named(mention: Mention, question: Question, code: Code, roots: Sequence[Path]) -> Named:
    """The pieces of one mention."""
    match mention.kind:
        case "codebase":
            return Named()
        case "selection":
            has = question.selection is not None and question.selection.text.strip()
            return Named() if has else _nothing("Nothing is selected.")
        case "file":
            return await _file(mention.value, question, code, roots)
        case "folder":
            return await _folder(mention.value, question, code, roots)
        case "symbol":
            return await _symbol(mention.value, question, code, roots)
        case "diff":
            return await _diff(code)
        case "problems":
            return await _problems(question, code)
        case "docs":
            return await _docs(mention.value, question, code, roots)


def _nothing(sentence: str) -> Named:
    return Named(problems=(sentence,))


async def _file(value: str, question: Question, code: Code, roots: Sequence[Path]) -> Named:
    wanted, first, last = lines_in(value or question.path)
    if not wanted:
        return _nothing("No file is open.")
    paths = await _called(wanted, code)
    if not paths:
        if wanted.lower().endswith(documents.ENDINGS):
            return await _paper(wanted, question, roots)
        return _nothing(f"There is no file {wanted} here, or it must not be read.")
    found: list[Piece] = []
    asked = question.text.replace(wanted, " ")  # A path's words are those of the imports at its top.
    for path in paths[:SAME_NAME]:
        text = await code.text(path) or ""
        if first:
            lines = text.rstrip("\n").split("\n")
            if len(lines) < first:
                return _nothing(f"{path} has no line {first}: it has {len(lines)}.")
            part = "\n".join(lines[first - 1 : last])
            found.append(lines_piece(path, first, part, LINES, "lines that were named"))
        elif path.lower().endswith(documents.TEXTS):
            found += await asyncio.to_thread(documents.pieces, path, text, asked, in_file=True, score=FILE)
        else:
            rows = await code.outline(path)
            why = "a file that was named"
            found += await asyncio.to_thread(cut_file, path, text, rows, asked, FILE, why)
    problems = []
    if len(paths) > 1:
        shown = ", ".join(paths[:SAME_NAME])
        problems.append(f"{len(paths)} files are called {wanted}: these are used: {shown}.")
    return Named(pieces=tuple(found), problems=tuple(problems))


async def _called(wanted: str, code: Code) -> tuple[str, ...]:
    """The file of this path, else those whose path ends so."""
    if await code.text(wanted) is not None:
        return (wanted,)
    name = wanted.rpartition("/")[2]
    found = [
        it for it in await code.files(name) if f"/{it}".lower().endswith(f"/{wanted.lower().lstrip('/')}")
    ]
    readable = [it for it in found if await code.text(it) is not None]
    return tuple(sorted(readable, key=lambda it: (not f"/{it}".endswith(f"/{wanted}"), it.count("/"), it)))


async def _folder(value: str, question: Question, code: Code, roots: Sequence[Path]) -> Named:
    wanted = value.strip("/")
    if not wanted or wanted == ".":
        files = await code.files(limit=FOLDER_FILES)
    else:
        files = tuple(it for it in await code.files(wanted) if f"/{it}".startswith(f"/{wanted}/"))
        if not files:  # Only the end of its path may have been named.
            some = await code.files(wanted)
            inside = sorted(
                {it[: f"/{it}".index(f"/{wanted}/")] + wanted for it in some if f"/{wanted}/" in f"/{it}"}
            )
            if inside:
                return await _folder(inside[0], question, code, roots)
    if not files:
        if await _called(wanted, code):  # `@Makefile`, `@bin/run`: a file without an ending
            return await _file(value, question, code, roots)
        return _nothing(f"There is no folder {value} here, or nothing in it that can be read.")
    outlines = await asyncio.gather(*(code.outline(it) for it in files[:FOLDER_FILES]))
    lines = []
    for path, rows in zip(files, outlines, strict=False):
        names = [it.name for it in rows if it.kind in BODIES and not it.scope][:SYMBOLS_OF_A_FILE]
        lines.append(f"{path}: {', '.join(names)}" if names else path)
    if FOLDER_FILES < len(files):
        lines.append(f"and {len(files) - FOLDER_FILES} more files")
    outline = Piece(
        place=None,
        text="\n".join(lines),
        title=wanted,
        kind="outline",
        why="a folder that was named",
        score=FOLDER,
    )
    pattern = re.sub(r"([\[\]*?\\])", r"\\\1", wanted)
    hits = await code.search(question.text, limit=FOLDER_HITS, paths=(pattern,) if wanted else ())
    inside_it = [it for it in hits if not wanted or it.path.startswith(f"{wanted}/")]
    top = max((it.score for it in inside_it), default=0.0) or 1.0
    pieces = [
        replace(
            lines_piece(
                it.path, it.first_line, it.text, INSIDE * it.score / top, "in a folder that was named"
            ),
            signature=it.signature,
            doc=it.doc,
            title=f"{it.scope}.{it.name}" if it.scope and it.name else "",
            language=it.language,
        )
        for it in inside_it
    ]
    return Named(pieces=(outline, *pieces))


async def _symbol(value: str, question: Question, code: Code, roots: Sequence[Path]) -> Named:
    wanted = re.sub(r"::|#|->", ".", value)
    name = wanted.rpartition(".")[2]
    found = await code.symbols(wanted, limit=40)
    exact = [it for it in found if it.row.name == name] or [
        it for it in found if it.row.name.lower() == name.lower()
    ]
    if not exact:
        if await _called(value, code):
            return await _file(value, question, code, roots)
        return _nothing(f"Nothing here is called {value}.")
    # The one in front of them first; then functions and classes before variables.
    exact.sort(key=lambda it: (it.path != question.path, it.row.kind not in BODIES))
    pieces = []
    for number, it in enumerate(exact[:DEFINITIONS]):
        text = await code.text(it.path)
        if text is not None:
            pieces.append(symbol_piece(it, text, SYMBOL - number / 20, f"defines {name}, which was named"))
    return Named(pieces=tuple(pieces))


async def _diff(code: Code) -> Named:
    text = await code.diff()
    if not text.strip():
        return _nothing("Nothing has changed since the last commit.")
    parts = (
        re.split(r"(?m)^(?=diff --git )", text) if "diff --git " in text else re.split(r"(?m)^(?=--- )", text)
    )
    pieces = []
    for number, part in enumerate(it for it in parts if it.strip()):
        path = re.search(r"^\+\+\+ (?:b/)?(\S.*)$", part, re.MULTILINE)
        title = path[1].strip() if path and path[1] != "/dev/null" else ""
        pieces.append(
            Piece(
                place=None,
                text=part.strip("\n"),
                title=title,
                kind="diff",
                why="changed",
                score=CHANGES - number / 1000,
            )
        )
    return Named(pieces=tuple(pieces))


async def _problems(question: Question, code: Code) -> Named:
    found = question.problems or await code.problems(question.path) or await code.problems()
    if not found:
        return _nothing("The editor shows no problems.")
    pieces = [] if question.problems else [problem_piece(found, PROBLEMS + 0.1)]
    for it in found[:PROBLEMS_SHOWN]:
        text = await code.text(it.path)
        lines = [] if text is None else text.rstrip("\n").split("\n")
        first = max(1, it.first_line - AROUND_A_PROBLEM)
        part = "\n".join(lines[first - 1 : it.last_line + AROUND_A_PROBLEM])
        if part.strip():
            pieces.append(lines_piece(it.path, first, part, PROBLEMS, "there is a problem in it"))
    return Named(pieces=tuple(pieces))


async def _docs(value: str, question: Question, code: Code, roots: Sequence[Path]) -> Named:
    """One document, or the best sections of all."""
    if value:
        if value.lower().endswith(PAPERS) or urlparse(value).scheme == "file":
            return await _paper(value, question, roots)
        if await _called(lines_in(value)[0], code):
            return await _file(value, question, code, roots)
        return await _paper(value, question, roots)
    lists = await asyncio.gather(*(code.files(it, limit=DOCUMENTS) for it in TEXTS))
    paths = sorted({path for it in lists for path in it}, key=lambda it: (it.count("/"), it))[:DOCUMENTS]
    texts = [(path, await code.text(path)) for path in paths]
    papers, problems = await asyncio.to_thread(_papers, roots)
    sources = [(path, text, True) for path, text in texts if text] + [
        (name, text, False) for name, text in papers
    ]
    if not sources:
        return Named(problems=("There are no documents here.", *problems))
    return Named(pieces=await asyncio.to_thread(_best_of, sources, question.text), problems=tuple(problems))


def _best_of(sources: Sequence[tuple[str, str, bool]], question: str) -> tuple[Piece, ...]:
    """The best sections of all documents: judged together, as what is rare in one may be common in all."""
    sections = [(name, in_file, it) for name, text, in_file in sources for it in documents.sections(text)]
    worth = ranked([it for _, _, it in sections], question)
    order = sorted(range(len(sections)), key=lambda it: (-worth[it], it))[:SECTIONS]
    top = max(worth, default=0.0) or 1.0
    return tuple(
        documents.piece(*sections[it], score=DOCUMENT * (0.7 + 0.3 * worth[it] / top)) for it in order
    )


async def _paper(value: str, question: Question, roots: Sequence[Path]) -> Named:
    """A document that the index does not have: PDF, DOCX, or one from elsewhere that was dropped."""
    path = await asyncio.to_thread(_found, value, roots)
    if path is None:
        return _nothing(f"There is no document {value} here.")
    try:
        text = await asyncio.to_thread(documents.read, path)
    except documents.CannotRead as problem:
        return _nothing(str(problem))
    made = await asyncio.to_thread(
        documents.pieces, path.name, text, question.text, in_file=False, score=FILE
    )
    return Named(pieces=made[:SECTIONS])


def _found(value: str, roots: Sequence[Path]) -> Path | None:
    """Where a document is: below a root, or where a whole path says, if that is what was written."""
    if urlparse(value).scheme == "file":
        value = unquote(urlparse(value).path)
    given = Path(value).expanduser()
    if given.is_absolute():
        return given if given.is_file() else None
    for root in roots:
        top = root.resolve()
        for candidate in (top / given, top.parent / given if given.parts[:1] == (top.name,) else top / given):
            real = candidate.resolve()
            if real.is_relative_to(top) and real.is_file():
                return real
    return None


def _papers(roots: Sequence[Path]) -> tuple[list[tuple[str, str]], list[str]]:
    """What stands in PDF and DOCX files at the top of the folders and of their documentation."""
    found: list[tuple[str, str]] = []
    problems: list[str] = []
    for root in roots:
        for folder in FOLDERS_OF_PAPERS:
            place = root / folder
            files = sorted(place.iterdir()) if place.is_dir() else []
            for it in [it for it in files if it.suffix.lower() in PAPERS and not it.is_symlink()][:DOCUMENTS]:
                try:
                    found.append((it.relative_to(root).as_posix(), documents.read(it)))
                except documents.CannotRead as problem:
                    problems.append(str(problem))
    return found, problems
