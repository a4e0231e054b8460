"""Docstrings as questions: the first sentence of a function's documentation has to find it, with none there.

Projects come from the list of held-out code: those that other numbers were fitted on are for tuning here too,
the others decide. All documentation is taken out of the code before it is indexed.
"""

from __future__ import annotations

import ast
import hashlib
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.heldout.projects import ENDINGS, Project, projects
from benchmarks.retrieval.annotated import Corpus, Question, Target
from benchmarks.retrieval.sources import listed
from codeindex.parse import parse
from codeindex.types import Kind

SPLITS = {"tune": "fit", "decide": "heldout"}
FEWEST, MOST = 4, 30  # Words: less says too little, more is a paragraph without a full stop.
FUNCTIONS = frozenset({Kind.FUNCTION, Kind.METHOD})
COMMENT = re.compile(r"\s*(?:///?!?|//|/\*|\*|#(?!\[)|--)")
MARKS = re.compile(r"^\s*(?:/\*+|\*+/?|//[/!]?|#+|--+)\s?|\*/\s*$", re.M)
SENTENCE = re.compile(r"(.+?)(?:[.!?](?:\s|$)|\n\s*\n|\n\s*[:@\\-]|\Z)", re.S)
MARKUP = re.compile(r":\w+:(?=`)|[`*{}]|\{@\w+|https?://\S+|\[([^\]]+)\]\([^)]+\)")
NO_QUESTION = re.compile(
    r"^(?:deprecated|see |todo|note|eslint|@|copyright|internal|this (?:method|function) is)", re.I
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Documented:
    """A function in a text without its documentation, and what that said first."""

    sentence: str
    first_line: int
    last_line: int


def documented(cache: Path, split: str, languages: tuple[str, ...], most: int) -> Iterator[Corpus]:
    """The projects of a split with at most so many questions each, drawn the same way every time."""
    annotated = {part["package"].split("==")[0].split("@")[0] for row in listed() for part in row["parts"]}
    for wanted, of_list in SPLITS.items():
        if split not in ("all", wanted):
            continue
        for project in projects(of_list, languages):
            if project.name not in annotated:
                corpus = _corpus(cache / "documented", project, wanted, most)
                if len(corpus.questions) >= min(most, 5):
                    yield corpus


def _corpus(folder: Path, project: Project, split: str, most: int) -> Corpus:
    root = folder / re.sub(r"\W+", "-", project.name)
    shutil.rmtree(root, ignore_errors=True)
    drawn = []
    for file in project.files:
        text, found = without_documentation(file.text, project.language)
        place = root / file.path.removeprefix("./")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, "utf-8")
        for it in found:
            lot = hashlib.sha256(f"{project.name} {file.path} {it.sentence}".encode()).hexdigest()
            path = file.path.removeprefix("./")
            drawn.append(
                (lot, it.sentence, Target(path=path, first_line=it.first_line, last_line=it.last_line))
            )
    answers: dict[str, list[Target]] = {}
    for _, sentence, target in sorted(drawn, key=lambda it: it[0]):
        answers.setdefault(sentence, []).append(target)
    # A sentence that documents several functions is a poor question about any of them.
    alone = [(it, targets) for it, targets in answers.items() if len(targets) == 1]
    return Corpus(
        name=project.name,
        split=split,
        root=root,
        questions=tuple(
            Question(text=it, kind=project.language, targets=tuple(targets)) for it, targets in alone[:most]
        ),
        left_out=(),
    )


def without_documentation(text: str, language: str) -> tuple[str, list[Documented]]:
    """The text without any documentation of functions and classes, and what it said."""
    found = _of_python(text) if language == "python" else _of_comments(text, language)
    removed = {line for _, lines, _ in found for line in lines}
    lines = text.split("\n")
    kept = [it for number, it in enumerate(lines, 1) if number not in removed]
    before = [0]
    for number in range(1, len(lines) + 1):
        before.append(before[-1] + (number in removed))
    functions = []
    for documentation, _, span in found:
        sentence = first_sentence(documentation)
        if span and sentence:
            first, last = (it - before[it] for it in span)
            functions.append(Documented(sentence=sentence, first_line=first, last_line=last))
    return "\n".join(kept), functions


Piece = tuple[str, range, tuple[int, int] | None]
"""Documentation, the lines it takes, and the lines of the function it is of (None: of something else)."""


def _of_python(text: str) -> list[Piece]:
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return []
    found: list[Piece] = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        doc = ast.get_docstring(node)
        if doc is None or len(node.body) == 1:  # without it, nothing would be left
            continue
        string = node.body[0]
        if node.body[1].lineno <= (string.end_lineno or 0):
            continue
        span = None
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            span = (node.lineno, node.end_lineno or node.lineno)
        found.append((doc, range(string.lineno, (string.end_lineno or string.lineno) + 1), span))
    return found


def _of_comments(text: str, language: str) -> list[Piece]:
    lines = text.split("\n")
    found: list[Piece] = []
    for it in parse(text, language).symbols:
        taken = [number for number in range(it.first_line, it.line) if COMMENT.match(lines[number - 1])]
        if not taken or taken != list(range(taken[0], taken[-1] + 1)):
            continue
        comment = MARKS.sub("", "\n".join(lines[number - 1] for number in taken))
        span = (it.line, it.last_line) if it.kind in FUNCTIONS else None
        found.append((comment, range(taken[0], taken[-1] + 1), span))
    return found


def first_sentence(documentation: str) -> str:
    """What it says first, on one line and without markup; empty if that is no question to ask."""
    match = SENTENCE.match(documentation.strip())
    plain = " ".join(MARKUP.sub(r"\1", match[1]).split()) if match else ""
    fits = FEWEST <= len(plain.split()) <= MOST and plain.isascii() and not NO_QUESTION.match(plain)
    return plain if fits else ""


LANGUAGES = tuple(ENDINGS)
