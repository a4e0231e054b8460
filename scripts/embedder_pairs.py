"""Cut the training corpus into questions and the code that answers them: what the embedder learns from.

    python -m scripts.embedder_pairs --work DIR

Reads what ``python -m models.train pack`` wrote into DIR and writes ``pairs.jsonl.gz``: a row is a chunk as
the index embeds it and the questions it answers: its documentation's sentences, a comment in it, its name as
words, lines that call it, what its module says of itself. Whatever a question was taken from does not stand
in its code any more. Projects on which rankings are judged or fitted give nothing, nor does code like theirs.
"""

from __future__ import annotations

import argparse
import ast
import gzip
import hashlib
import json
import random
import re
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.heldout.projects import LIST
from benchmarks.retrieval.sources import listed
from codeindex import identifiers
from codeindex.embedding import embedded_text
from codeindex.parse import parse
from codeindex.types import Chunk, Kind, Parsed
from models.train.clean import TELLING_LINE, SourceFile
from models.train.pack import read_corpus

WORKERS = 2
FEWEST, MOST = 3, 40  # Words of a question.
SENTENCES = 3  # Of one documentation.
COMMENTS = 2  # Of one chunk.
CALLS = 3  # Lines that call one definition.
OF_MODULE = 2  # Chunks that a module's documentation is asked of.
COPIED = 0.5  # Of the telling lines: from here on a chunk is somebody's copy of what is judged on.
LONGEST = 6_000  # Characters of a chunk; what is beyond is not read anyway.

DEFINED = frozenset({Kind.FUNCTION, Kind.METHOD, Kind.CLASS, Kind.INTERFACE, Kind.TYPE, Kind.ENUM})
COMMENT = re.compile(r"\s*(?:///?!?|//|/\*|\*|#(?!!))")
MARKS = re.compile(r"^\s*(?:/\*+|\*+/?|//[/!]?|#+)\s?|\*/\s*$", re.MULTILINE)
MARKUP = re.compile(r":\w+:(?=`)|[`*{}]|\{@\w+|https?://\S+|\[([^\]]+)\]\([^)]+\)")
STOP = re.compile(r"(?<=[.!?])\s+(?=[A-Z])|\n\s*\n|\n\s*[:@\-*>]|\n\s*\w+:\s*\n")
FIELDS = re.compile(
    r"\n\s*(?:Args|Arguments|Parameters|Returns?|Raises|Yields|Examples?|Attributes|Notes?|See Also|"
    r"References)\s*:?\s*\n|\n\s*[:@]\w+|\n\s*\.\. |\n\s*>>> "
)
NO_QUESTION = re.compile(
    r"^(?:deprecated|see |note|eslint|@|copyright|internal|type: |pragma|pylint|noqa|fmt:|mypy|ruff|https?:)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Code, and what is asked that it answers."""

    project: str
    at: str
    """Where it was cut: rows of the same place are no wrong answers to each other's questions."""
    code: str
    questions: tuple[tuple[str, str], ...]
    """Kind and text."""


def main() -> None:
    """Write the rows of all projects that may be learned from."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--work", type=Path, required=True, help="where `python -m models.train` works")
    parser.add_argument("--out", type=Path, help="the file of rows; by default in the same folder")
    arguments = parser.parse_args()
    judged = judged_projects()
    by_project: dict[str, list[SourceFile]] = defaultdict(list)
    kept_back = read_corpus(arguments.work / "heldout.jsonl.gz")
    for it in read_corpus(arguments.work / "train.jsonl.gz"):
        if it.project in judged:
            kept_back.append(it)
        else:
            by_project[it.project].append(it)
    known = telling_lines(it.text for it in kept_back)
    counts: Counter[str] = Counter()
    out = arguments.out or arguments.work / "pairs.jsonl.gz"
    with (
        gzip.open(out, "wt", encoding="utf-8", compresslevel=3) as file,
        ProcessPoolExecutor(WORKERS) as pool,
    ):
        for rows in pool.map(rows_of_project, by_project.values(), chunksize=1):
            for row in rows:
                if is_copy(row.code, known):
                    counts["copies left out"] += 1
                    continue
                counts["rows"] += 1
                counts.update(kind for kind, _ in row.questions)
                file.write(json.dumps(asdict(row), ensure_ascii=False) + "\n")
    print(f"projects={len(by_project)} kept_back={len(judged)} {dict(counts)}")


def judged_projects() -> frozenset[str]:
    """The projects that rankings or suggestions are judged on, or numbers of theirs fitted to."""
    of_suggestions = {it["name"] for it in tomllib.loads(LIST.read_text("utf-8"))["project"]}
    of_rankings = {re.split(r"==|(?<=.)@", part["package"])[0] for it in listed() for part in it["parts"]}
    return frozenset(of_suggestions | of_rankings | {it["name"] for it in listed()})


def telling_lines(texts: Iterable[str]) -> frozenset[int]:
    """What code is recognized by when it comes again."""
    return frozenset(hash(line) for text in texts for line in _telling(text))


def is_copy(code: str, known: frozenset[int]) -> bool:
    """Whether this code is, for the most part, code that must not be learned."""
    lines = [hash(it) for it in _telling(code)]
    return bool(lines) and COPIED * len(lines) < sum(it in known for it in lines)


def _telling(text: str) -> Iterator[str]:
    return (it.strip() for it in text.split("\n") if TELLING_LINE <= len(it.strip()))


def rows_of_project(files: Sequence[SourceFile]) -> list[Row]:
    """All rows of one project; the same files give the same rows."""
    draw = random.Random(files[0].project)
    seen: set[bytes] = set()
    rows = []
    parsed = [(it, parse(it.text, it.language)) for it in files]
    called = _calls(parsed)
    for file, found in parsed:
        for row in (*_of_documentation(file, draw), *_of_text(file, found, called, draw)):
            key = hashlib.blake2b(repr((row.code, row.questions)).encode(), digest_size=12).digest()
            if key not in seen:
                seen.add(key)
                rows.append(row)
    return rows


def _of_documentation(file: SourceFile, draw: random.Random) -> Iterator[Row]:
    """What documentation says, and the code with none of it left in the file."""
    bare, said, of_module = without_documentation(file.text, file.language)
    if not said and not of_module:
        return
    parsed = parse(bare, file.language)
    asked: dict[int, list[tuple[str, str]]] = defaultdict(list)
    for documentation, line in said:
        number = _chunk_at(parsed, line)
        if number is not None:
            asked[number] += [("documentation", it) for it in sentences(documentation)[:SENTENCES]]
    about = sentences(of_module)[:1]
    if about and parsed.chunks:
        for number in draw.sample(range(len(parsed.chunks)), min(OF_MODULE, len(parsed.chunks))):
            asked[number].append(("module", about[0]))
    lines = bare.split("\n")
    for number, questions in asked.items():
        it = parsed.chunks[number]
        if questions:
            yield Row(
                project=file.project,
                at=f"{file.path}:{it.scope}.{it.name}",
                code=_embedded(it, lines),
                questions=tuple(questions),
            )


def _of_text(
    file: SourceFile, parsed: Parsed, called: Mapping[str, Sequence[str]], draw: random.Random
) -> Iterator[Row]:
    """Names, calls and comments, and the code as it is without them."""
    lines = file.text.split("\n")
    for it in parsed.chunks:
        at = f"{file.path}:{it.scope}.{it.name}"
        words = identifiers.split(it.name)
        code = _embedded(it, lines)
        if it.kind in DEFINED and 2 <= len(words):
            hidden = re.sub(rf"\b{re.escape(it.name)}\b", "_", code)
            yield Row(project=file.project, at=at, code=hidden, questions=(("name", " ".join(words)),))
        calls = [line for line in called.get(it.name, ()) if line not in code]
        if calls and it.kind in DEFINED:
            some = draw.sample(calls, min(CALLS, len(calls)))
            yield Row(
                project=file.project, at=at, code=code, questions=tuple(("call", line) for line in some)
            )
        comments = list(_comments(lines, it))
        for text, first, last in draw.sample(comments, min(COMMENTS, len(comments))):
            left = lines[it.first_line - 1 : first - 1] + lines[last : it.last_line]
            code = embedded_text(it, "\n".join(left))[:LONGEST]
            yield Row(project=file.project, at=at, code=code, questions=(("comment", text),))


def _embedded(chunk: Chunk, lines: Sequence[str]) -> str:
    return embedded_text(chunk, "\n".join(lines[chunk.first_line - 1 : chunk.last_line]))[:LONGEST]


def _chunk_at(parsed: Parsed, line: int) -> int | None:
    return next(
        (number for number, it in enumerate(parsed.chunks) if it.first_line <= line <= it.last_line), None
    )


def _calls(parsed: Sequence[tuple[SourceFile, Parsed]]) -> dict[str, list[str]]:
    """Lines that call what is defined once in the project, by its name."""
    defined = Counter(it.name for _, found in parsed for it in found.symbols if it.kind in DEFINED)
    calls: dict[str, list[str]] = defaultdict(list)
    for file, found in parsed:
        lines = file.text.split("\n")
        for it in found.references:
            if it.is_call and defined[it.name] == 1 and 4 < len(it.name):
                line = lines[it.line - 1].strip()
                if 20 <= len(line) <= 160 and line not in calls[it.name]:
                    calls[it.name].append(line)
    return calls


def _comments(lines: Sequence[str], chunk: Chunk) -> Iterator[tuple[str, int, int]]:
    """What comments between a chunk's lines say, and which lines that are; 1-based and inclusive."""
    number = chunk.first_line + 1  # One at the very top is documentation.
    while number < chunk.last_line:
        last = number
        while last <= chunk.last_line and COMMENT.match(lines[last - 1]):
            last += 1
        if number < last:
            said = sentences(MARKS.sub("", "\n".join(lines[number - 1 : last - 1])))
            if said:
                yield said[0], number, last - 1
        number = max(last, number) + 1


def without_documentation(text: str, language: str) -> tuple[str, list[tuple[str, int]], str]:
    """The text with no documentation, what that said with the line that it is about, and the module's."""
    pieces, of_module = _of_python(text) if language == "python" else (_of_comments(text, language), "")
    removed = {line for _, lines, _ in pieces for line in lines}
    before, kept = [0], []
    for number, line in enumerate(text.split("\n"), 1):
        before.append(before[-1] + (number in removed))
        if number not in removed:
            kept.append(line)
    said = [(it, line - before[line]) for it, _, line in pieces if line]
    return "\n".join(kept), said, of_module


Piece = tuple[str, range, int]
"""Documentation, the lines that it takes, and the line of what it is about; 0 for the module."""


def _of_python(text: str) -> tuple[list[Piece], str]:
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return [], ""
    found: list[Piece] = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        doc = ast.get_docstring(node)
        if doc is None or len(node.body) == 1:  # Without it, nothing would be left.
            continue
        first, last = node.body[0].lineno, node.body[0].end_lineno or node.body[0].lineno
        if last < node.body[1].lineno:
            found.append((doc, range(first, last + 1), 0 if isinstance(node, ast.Module) else node.lineno))
    return found, next((doc for doc, _, line in found if not line), "")


def _of_comments(text: str, language: str) -> list[Piece]:
    lines = text.split("\n")
    found: list[Piece] = []
    for it in parse(text, language).symbols:
        taken = [number for number in range(it.first_line, it.line) if COMMENT.match(lines[number - 1])]
        if taken and it.kind in DEFINED and taken == list(range(taken[0], taken[-1] + 1)):
            said = MARKS.sub("", "\n".join(lines[number - 1] for number in taken))
            found.append((said, range(taken[0], taken[-1] + 1), it.line))
    return found


def sentences(documentation: str) -> list[str]:
    """What it says before it comes to parameters, sentence by sentence, each on one line without markup."""
    head = FIELDS.split("\n" + documentation.strip(), maxsplit=1)[0].strip()
    plain = [" ".join(MARKUP.sub(r"\1", it).split()).rstrip(".") for it in STOP.split(head)]
    return [
        it
        for it in plain
        if FEWEST <= len(it.split()) <= MOST
        and it.isascii()
        and not NO_QUESTION.match(it)
        and 0.7 * len(it) < sum(map(str.isalpha, it)) + it.count(" ")
    ]


if __name__ == "__main__":
    main()
