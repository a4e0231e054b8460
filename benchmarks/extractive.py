"""Measure answers made without a model: how long each kind of question takes, and whether its links resolve.

    python -m benchmarks.extractive [--source FOLDER] [--lines N] [--each N] [--seed N] [--json]

The source is the running Python's standard library, copied up to so many lines. It is indexed and asked as
`hearth lsp` does it: by the service's process, through ``lsp_server/chat_code.py``. The service is warm: each
kind of question was asked once before. Questions are about functions, classes and files drawn at random, and
every link of every answer is followed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import tempfile
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from statistics import median, quantiles

from benchmarks.index_measures import QUESTIONS, copy_source, standard_library
from chat.code import Symbol
from chat.extract import answer
from chat.extract_concepts import CONCEPTS
from chat.types import Question
from codeindex.types import Kind
from lsp_server.chat_code import WorkspaceCode, make_code
from lsp_server.settings import Settings
from lsp_server.wiring import Workbench

TARGET_MS = 300.0
"""What 95 of 100 answers should take at most, of all kinds together."""
READY_S = 300.0
ALL = (
    "find all database queries", "find all HTTP requests", "find all environment variables",
    "where are files written?", "find all places that raise ValueError", "list all regular expressions",
    "which files import socket?", "find all subprocesses", "list all threads and locks", "list all tests",
)  # fmt: skip
Found = dict[str, list[float]]


async def measured(root: Path, each: int, seed: int) -> tuple[Found, int, int]:
    """Milliseconds of the answers, by kind; the links, and those that led nowhere."""
    bench = Workbench(builds=False)
    bench.index.configure(Settings())
    bench.index.start([str(root)], ())
    code = make_code(bench, (), lambda: [str(root)], lambda: ())
    try:
        async with asyncio.timeout(READY_S):
            while bench.index.status.state != "ready":  # noqa: ASYNC110  # another process
                await asyncio.sleep(0.05)
        questions = [it async for it in _questions(code, each, random.Random(seed))]
        for kind in dict.fromkeys(kind for kind, _ in questions):
            await answer(next(it for one, it in questions if one == kind), code)
        found: Found = {}
        links = broken = 0
        for kind, question in questions:
            began = time.perf_counter()
            said = await answer(question, code)
            found.setdefault(kind, []).append(1000 * (time.perf_counter() - began))
            for it in said.places:
                links += 1
                text = await code.text(it.path)
                broken += text is None or text.count("\n") + 1 < it.last_line
        return found, links, broken
    finally:
        await bench.close()


async def _questions(
    code: WorkspaceCode, each: int, chance: random.Random
) -> AsyncIterator[tuple[str, Question]]:
    """So many of each kind."""
    files = [it for it in await code.files(limit=100_000) if it.endswith(".py")]
    drawn = [await _symbol(code, files, chance) for _ in range(each)]
    forms = {
        "how": "How do I call `{}`?",
        "where": "Where is {} defined?",
        "what": "What does `{}` do?",
        "callers": "Who calls {}?",
        "callees": "What does `{}` call?",
        "uses": "Find all usages of `{}`",
    }
    for kind, form in forms.items():
        for it in drawn:
            yield kind, Question(text=form.format(it.row.name))
    for _ in range(each):
        yield "file", Question(text="What does this module do?", path=chance.choice(files))
    folders = sorted({it.rpartition("/")[0] for it in files if "/" in it})
    for _ in range(each // 2):
        yield "folder", Question(text=f"What is in {chance.choice(folders)}/?")
    for _ in range(each // 4):
        yield "project", Question(text="What does this project do?")
    for text in [*ALL, *(f"find all {one.name.lower()}" for one in CONCEPTS)][: max(each, len(ALL))]:
        yield "all", Question(text=text)
    for it in drawn[: each // 2]:
        where = f'File "/x/{it.path}", line {it.row.line + 1}, in {it.row.name}'
        stack = f"Traceback (most recent call last):\n  {where}\n"
        yield (
            "error",
            Question(text=f"{stack}    pass\nValueError: invalid literal for int() with base 10: 'x'"),
        )
    for text in (QUESTIONS * (1 + each // len(QUESTIONS)))[:each]:
        yield "search", Question(text=text)
    yield "huge", Question(text="how is a file read and written, and by whom? " * 2_000)
    yield "other language", Question(text="Wie rufe ich `urlopen` auf?")


async def _symbol(code: WorkspaceCode, files: Sequence[str], chance: random.Random) -> Symbol:
    """A function, method or class, drawn by its file."""
    while True:
        path = chance.choice(files)
        rows = [it for it in await code.outline(path) if it.kind in (Kind.FUNCTION, Kind.METHOD, Kind.CLASS)]
        if rows:
            return Symbol(path=path, row=chance.choice(rows))


def report(found: Mapping[str, Sequence[float]], links: int, broken: int) -> dict[str, dict[str, float]]:
    """The numbers by kind and of all."""
    every = [it for few in found.values() for it in few]
    table = {
        kind: {"answers": len(few), "p50": median(few), "p95": _p95(few), "max": max(few)}
        for kind, few in (*found.items(), ("all together", every))
    }
    return {**table, "links": {"answers": links, "broken": broken}}


def _p95(values: Sequence[float]) -> float:
    return quantiles(values, n=20, method="inclusive")[-1] if 1 < len(values) else values[0]


def main() -> int:
    """The exit code: 1 if the target is missed, or a link leads nowhere."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--source", type=Path, default=standard_library())
    parser.add_argument("--lines", type=int, default=100_000)
    parser.add_argument("--each", type=int, default=40, help="questions of each kind")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="hearth-extractive-") as name:
        root = Path(name) / "project"
        files, lines, _ = copy_source(given.source, root, given.lines)
        found, links, broken = asyncio.run(measured(root, given.each, given.seed))
    table = report(found, links, broken)
    if given.json:
        print(json.dumps({"files": files, "lines": lines, "ms": table}, indent=1))
    else:
        print(f"{files:,} files, {lines:,} lines; {links:,} links, {broken} of them broken\n")
        print(f"{'kind':16}{'answers':>8}{'p50 ms':>10}{'p95 ms':>10}{'max ms':>10}")
        for kind, it in table.items():
            if kind != "links":
                print(f"{kind:16}{it['answers']:>8}{it['p50']:>10.1f}{it['p95']:>10.1f}{it['max']:>10.1f}")
    return 1 if broken or TARGET_MS < table["all together"]["p95"] else 0


if __name__ == "__main__":
    raise SystemExit(main())
