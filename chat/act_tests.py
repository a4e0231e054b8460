"""Pure: a model's tests in place of the empty ones: a new file of them, or more of them in a file."""

from __future__ import annotations

import re
from collections import Counter

from chat import act_edits, edits
from chat.act_edits import Made
from chat.edits_types import Code, NewFile, Refusal, Source
from chat.prompts import fenced
from chat.scaffold import Scaffold
from chat.scaffold_types import FILL, SAY_CHANGED, SAY_EXPECTED

GAPS = (FILL, SAY_CHANGED, SAY_EXPECTED)
IMPORT = re.compile(r"\s*(?:import|from|use|package|using|#include)\b|\s*(?:const|let|var)\b.*\brequire\(")
HEAD = re.compile(r"\s*(?:package\b|from __future__\b|[\"']use strict)")
TEST = re.compile(
    r"\bdef test|\bfunc (?:Test|Benchmark)|@Test\b|#\[(?:\w+::)?test\]|\b(?:test|it)(?:\.\w+)*\s*\("
)
NAME = re.compile(r"\w+")


def new_file(answer: str, finished: bool | None, frame: NewFile, language: str) -> Made | Refusal:
    """The file with a model's tests, and with what the frame imports."""
    text = _code(answer, finished, language)
    if isinstance(text, Refusal):
        return text
    lines = text.strip("\n").split("\n")
    there = [it for it in lines if IMPORT.match(it)]
    missing = [
        it
        for it in frame.text.split("\n")
        if IMPORT.match(it) and it not in there and not _is_imported(it, there)
    ]
    at = next((number + 1 for number in reversed(range(len(lines))) if HEAD.match(lines[number])), 0)
    gap = [""] if missing and lines[at : at + 1] and not IMPORT.match(lines[at]) else []
    whole = [*lines[:at], *missing, *gap, *lines[at:]]
    return Made(files=(NewFile(path=frame.path, text="\n".join(whole) + "\n", says=frame.says),))


def more(answer: str, finished: bool | None, source: Source, found: Scaffold) -> Made | Refusal:
    """The edits that put a model's tests where the empty ones would go."""
    text = _code(answer, finished, source.language)
    if isinstance(text, Refusal):
        return text
    imports = [it for it in found.edits if not any(gap in it.new_text for gap in GAPS)]
    frame = Source(
        path=source.path, text=edits.apply(source.text, imports), version=None, language=source.language
    )
    known = [it for it in frame.text.split("\n") if IMPORT.match(it)]
    new = [
        it
        for it in text.split("\n")
        if not (IMPORT.match(it) and (it in known or _is_imported(it, known))) and not HEAD.match(it)
    ]
    block = fenced("\n".join(new).strip("\n"), source.language)
    placed = act_edits.proposed(block, {frame.path: frame}, task="tests", says="", finished=True)
    if isinstance(placed, Refusal):
        return placed
    after = edits.apply(frame.text, placed.edits)
    if lost := Counter(_lasting(source.text)) - Counter(_lasting(after)):
        return Refusal(reason=f"The answer would take something away: `{next(iter(lost)).strip()}`.")
    return Made(edits=act_edits.between(source, after, found.edits[0].says))


def _lasting(text: str) -> list[str]:
    """The lines that must all be there afterwards: imports may be put together."""
    return [it for it in text.split("\n") if it.strip() and not IMPORT.match(it)]


def _code(answer: str, finished: bool | None, language: str) -> str | Refusal:
    """The tests that an answer has; they must be tests, and finished ones."""
    read = edits.read(answer, language=language, task="tests", finished=finished)
    if isinstance(read, Refusal):
        return read
    texts = [it.text for it in read if isinstance(it, Code) and not it.minor]
    text = "\n\n\n".join(texts) or "\n".join(it.whole for it in read if not isinstance(it, Code))
    if not TEST.search(text):
        return Refusal(reason="The answer has no test.")
    if any(it in text for it in GAPS):
        return Refusal(reason="The answer leaves tests to be filled in.")
    return text


def _is_imported(line: str, there: list[str]) -> bool:
    """Whether what a line imports, by its last name, is imported by another line too."""
    names = NAME.findall(line)
    return bool(names) and any(names[-1] in NAME.findall(it) for it in there)
