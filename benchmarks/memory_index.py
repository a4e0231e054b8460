"""Measure the project memory: building, updating, asking, disk and resident memory, beside an n-gram table.

    python -m benchmarks.memory_index [--project-mb 10] [--dependencies-mb 100] [--peer-mb 2] [--json]

Without sizes: a copy of this project, with this environment's packages and standard library. With sizes, both
are put together from the environment's packages, which are repeated under other names if they are too few.
What is built is built by the real program in a process of its own, at low priority as always. The peer is
what one would write first: a dictionary from the last one to four tokens to what followed. It gets the first
megabytes of the same text, and the memory is built of the same for that comparison.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from statistics import quantiles
from typing import Any, TypeVar

import psutil

from codeindex.config import DEFAULTS
from codeindex.environment import dependencies, files
from codeindex.memory.buffers import Buffers
from codeindex.memory.coded import coded, coded_context
from codeindex.memory.occurrence import Source
from codeindex.memory.segment import Written, build_segment
from codeindex.memory.shelf import read_shelf
from codeindex.memory.snapshot import Layer, Snapshot
from codeindex.walk import read_text, walk
from completion.config import CompletionConfig
from completion.memory.predict import predict
from completion.spot import spot_at

T = TypeVar("T")

ROOT = Path(__file__).resolve().parent.parent
MB = 1_000_000
QUESTIONS = 1_000
KEYSTROKES = 60
LONG = 400_000  # Characters of the document that is typed in.
ORDERS = (4, 3, 2, 1)
TOKEN = re.compile(rb"\w+|[^\w\s]|\s+")
IN_ITS_OWN_PROCESS = """
import sys
from pathlib import Path
from benchmarks import memory_index
memory_index.ask_alone(Path(sys.argv[1]), Path(sys.argv[2]))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What was measured, in the units of the names; MB are millions of bytes."""

    project_mb: float
    libraries_mb: float
    segments: int
    cold_mb_per_s: float
    """Of coded text, from the process's start to its end: walking, reading and judging files included."""
    cold_s: float
    cold_mb_per_cpu_s: float
    """The same by processor time: at low priority, a busy machine makes it wait."""
    project_usable_s: float
    saved_file_on_disk_s: float
    """A process from start to end, that deletes the old text from the disk too."""
    keystroke_p50_ms: float
    """In a document of 400 KB: from the changed text to a snapshot that knows it."""
    keystroke_p95_ms: float
    near_p50_us: float
    near_p95_us: float
    near_p99_us: float
    near_again_p50_us: float
    """The same questions asked at once again, when what they look at is in the processor's caches."""
    suggestion_p50_us: float
    """The whole answer, as the product asks for it: looking up, voting, the beam, the ranking."""
    suggestion_p95_us: float
    suggestion_p99_us: float
    context_p50_us: float
    disk_per_text: float
    resident_mb: float
    """Of a process that has asked a thousand questions: Python, numpy, and pages of the mapped segments."""
    private_mb: float
    """Of that, what is not mapped from files and would not be given back for the asking."""
    peer_text_mb: float
    peer_build_mb_per_s: float
    same_build_mb_per_s: float
    peer_memory_per_text: float
    same_memory_per_text: float
    peer_query_p50_us: float
    """For one next token; to write a line takes as many as it has tokens."""
    same_query_p50_us: float
    """For 64 places and the 400 bytes that follow each."""


def measure(project_mb: float, dependencies_mb: float, peer_mb: float) -> Report:
    """All numbers, in temporary folders."""
    with tempfile.TemporaryDirectory(prefix="hearth-memory-") as folder:
        cache, root = Path(folder) / "cache", Path(folder) / "project"
        prefix = make_project(root, Path(folder) / "environment", project_mb, dependencies_mb)
        lines, cold, processor = run_sync(root, cache, prefix)
        built = [it for it in lines if "step" in it]
        size = {step: sum(it["bytes"] for it in built if it["step"] == step) for step in STEPS}
        total = sum(size.values())
        saved = min(root.rglob("*.py"), key=lambda it: it.stat().st_size)
        saved.write_text(saved.read_text("utf-8", "replace") + "\nadded = 1\n", "utf-8")
        _, update, _ = run_sync(root, cache, prefix)
        from benchmarks.heldout.answers import open_config  # Not for ``ask_alone``: its memory is measured.

        near, again, context, whole = ask(root, cache, open_config())
        keys = type_in(root, cache)
        on_disk = sum(it.stat().st_size for it in cache.rglob("*") if it.is_file())
        alone = _alone(root, cache)
        texts = list(itertools.islice(_texts(root, prefix), 10_000))
        return Report(
            project_mb=round(size["project"] / MB, 2),
            libraries_mb=round((total - size["project"]) / MB, 2),
            segments=len(read_shelf(root, cache).layers),
            cold_mb_per_s=round(total / MB / cold, 2),
            cold_s=round(cold, 1),
            cold_mb_per_cpu_s=round(total / MB / processor, 2),
            project_usable_s=built[0]["seconds"],
            saved_file_on_disk_s=round(update, 2),
            keystroke_p50_ms=_part(keys, 50, 1e3),
            keystroke_p95_ms=_part(keys, 95, 1e3),
            near_p50_us=_part(near, 50, 1e6),
            near_p95_us=_part(near, 95, 1e6),
            near_p99_us=_part(near, 99, 1e6),
            near_again_p50_us=_part(again, 50, 1e6),
            suggestion_p50_us=_part(whole, 50, 1e6),
            suggestion_p95_us=_part(whole, 95, 1e6),
            suggestion_p99_us=_part(whole, 99, 1e6),
            context_p50_us=_part(context, 50, 1e6),
            disk_per_text=round(on_disk / total, 2),
            **alone,
            **beside_peer(texts, peer_mb),
        )


STEPS = ("project", "standard", "dependencies")


def run_sync(root: Path, cache: Path, prefix: Path) -> tuple[list[dict[str, Any]], float, float]:
    """Run the program; what it says, the seconds it took, and those of the processor."""
    command = [sys.executable, "-m", "codeindex.memory", "sync", "--root", str(root), "--cache", str(cache)]
    started, before = time.perf_counter(), _children()
    environment = {**os.environ, "VIRTUAL_ENV": str(prefix)}
    said = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    seconds = time.perf_counter() - started
    return [json.loads(it) for it in said.stdout.splitlines()], seconds, _children() - before


def _children() -> float:
    """The processor time of all processes that were started here and have ended."""
    used = os.times()
    return used.children_user + used.children_system


def make_project(root: Path, environment: Path, project_mb: float, dependencies_mb: float) -> Path:
    """Write a project to measure with; the folder of its environment."""
    if not project_mb:
        for it in walk(ROOT, DEFAULTS):
            _write(root / it.relative, read_text(it, DEFAULTS) or "")
        return Path(sys.prefix)
    packages = _packages()
    left = project_mb * MB
    for path, text in packages:
        _write(root / path, text)
        left -= len(text)
        if left <= 0:
            break
    site = environment / "lib" / "python3.11" / "site-packages"
    _write(environment / "pyvenv.cfg", "version = 3.11.0\n")
    left, number, written = dependencies_mb * MB, 0, dict[str, list[str]]()
    while 0 < left:
        for path, text in packages:
            name = path.partition("/")[0].removesuffix(".py") + (f"_{number}" if number else "")
            inner = f"{name}/{path.partition('/')[2] or '__init__.py'}"
            # Distinct, as another package would be: its names are its own.
            _write(site / inner, re.sub(r"\b([a-z]+_[a-z]+)\b", rf"\g<1>_{number}", text) if number else text)
            written.setdefault(name, []).append(inner)
            left -= len(text)
            if left <= 0:
                break
        packages, number = _packages(), number + 1
    for name, inside in written.items():
        info = site / f"{name}-1.0.dist-info"
        _write(info / "METADATA", f"Name: {name}\nVersion: 1.0\n")
        _write(info / "RECORD", "".join(f"{it},,\n" for it in inside))
    return environment


def _packages() -> Iterator[tuple[str, str]]:
    """The source files of this environment's packages: path in site-packages, text."""
    for it in dependencies(ROOT, env={**os.environ, "VIRTUAL_ENV": sys.prefix}):
        if it.kind == "package":
            top = it.root.name if it.root.is_dir() else ""
            for file in files(it, DEFAULTS, max_bytes=50 * MB):
                text = read_text(file, DEFAULTS)
                if text is not None:
                    yield f"{top}/{file.relative}".lstrip("/"), text


def _texts(root: Path, prefix: Path) -> Iterator[bytes]:
    """The coded text of the project, then of what it builds on."""
    yield from (coded(read_text(it, DEFAULTS) or "") for it in walk(root, DEFAULTS))
    for dependency in dependencies(root, env={**os.environ, "VIRTUAL_ENV": str(prefix)}):
        found = files(dependency, DEFAULTS, max_bytes=10 * MB)
        yield from (coded(read_text(it, DEFAULTS) or "") for it in found)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8", "replace")


def ask(
    root: Path, cache: Path, config: CompletionConfig | None = None
) -> tuple[list[float], list[float], list[float], list[float]]:
    """Seconds at random places, one by one: the nearest places, again, the context, a whole suggestion.

    The last only with a ``config``.
    """
    rng = random.Random(1)
    state = read_shelf(root, cache)
    buffers = Buffers()
    near, again, context, whole = [], [], [], []
    documents = [it for it in walk(root, DEFAULTS) if it.language == "python" and 1_000 < it.size]
    for it in rng.sample(documents, min(20, len(documents))):
        text = read_text(it, DEFAULTS) or ""
        buffers.put(it.relative, text)
        snapshot = Snapshot([*buffers.segments(), *state.layers], hidden=buffers.paths)
        for _ in range(QUESTIONS // 20):
            place = rng.randrange(len(text))
            before, line = text[:place], text.count("\n", 0, place) + 1
            asked, seconds = _timed(partial(snapshot.context, before))
            context.append(seconds)
            question = partial(snapshot.near, asked, path=it.relative, line=line)
            near.append(_timed(question)[1])
            again.append(_timed(question)[1])
            if config is None:
                continue
            rest = text.find("\n", place)
            unfinished = before + (text[rest:] if 0 <= rest else "")
            spot = spot_at(unfinished, place, path=it.relative, language="python", config=config)
            whole.append(_timed(partial(predict, snapshot, spot, path=it.relative))[1])
    return near, again, context, whole


def type_in(root: Path, cache: Path) -> list[float]:
    """Seconds from a keystroke in a long document to a snapshot that knows it."""
    layers = read_shelf(root, cache).layers
    texts = (read_text(it, DEFAULTS) or "" for it in walk(root, DEFAULTS) if it.language == "python")
    text = ""
    while len(text) < LONG:
        text += next(texts)
    buffers = Buffers()
    place, found = LONG // 2, []
    for number in range(KEYSTROKES):
        text = f"{text[: place + number]}x{text[place + number :]}"

        def known(text: str = text) -> Snapshot:
            buffers.put("typed.py", text)
            return Snapshot([*buffers.segments(), *layers], hidden=buffers.paths)

        found.append(_timed(known)[1])
    return found[1:]


def ask_alone(root: Path, cache: Path) -> None:
    """What a process needs that does nothing else; printed, as this is run in a process of its own."""
    ask(root, cache)
    memory = psutil.Process().memory_full_info()
    print(json.dumps({"resident_mb": round(memory.rss / MB), "private_mb": round(memory.uss / MB)}))


def _alone(root: Path, cache: Path) -> dict[str, float]:
    command = [sys.executable, "-c", IN_ITS_OWN_PROCESS, str(root), str(cache)]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(said.stdout)
    return found


def beside_peer(texts: list[bytes], peer_mb: float) -> dict[str, float]:
    """The same text in the memory and in a dictionary."""
    taken: list[bytes] = []
    while texts and sum(map(len, taken)) < peer_mb * MB:
        taken.append(texts.pop(0))
    size = sum(map(len, taken)) / MB
    process = psutil.Process()
    before = process.memory_info().rss
    documents = [Written(path=str(number), text=it) for number, it in enumerate(taken)]
    segment, same_s = _timed(lambda: build_segment(documents))
    after = process.memory_info().rss
    table, peer_s = _timed(lambda: ngrams(taken))
    peer_after = process.memory_info().rss
    rng = random.Random(2)
    snapshot = Snapshot([Layer(segment=segment, source=Source.PROJECT)])
    same, peer = [], []
    for _ in range(QUESTIONS):
        text = rng.choice(taken).decode("utf-8", "replace")
        before_cursor = text[: rng.randrange(len(text) + 1)]
        context = coded_context(before_cursor)
        same.append(_timed(partial(snapshot.near, context, path="", line=1))[1])
        peer.append(_timed(partial(next_token, table, context))[1])
    return {
        "peer_text_mb": round(size, 2),
        "peer_build_mb_per_s": round(size / peer_s, 2),
        "same_build_mb_per_s": round(size / same_s, 2),
        "peer_memory_per_text": round((peer_after - after) / MB / size, 1),
        "same_memory_per_text": round((after - before) / MB / size, 1),
        "peer_query_p50_us": _part(peer, 50, 1e6),
        "same_query_p50_us": _part(same, 50, 1e6),
    }


Table = dict[tuple[bytes, ...], Counter[bytes]]


def ngrams(texts: list[bytes]) -> Table:
    """What followed the last one to four tokens, and how often."""
    table: Table = {}
    for text in texts:
        tokens = TOKEN.findall(text)
        for place in range(1, len(tokens)):
            for order in ORDERS:
                if order <= place:
                    key = tuple(tokens[place - order : place])
                    table.setdefault(key, Counter())[tokens[place]] += 1
    return table


def next_token(table: Table, context: bytes) -> bytes:
    """What most often followed the longest ending that was ever seen."""
    tokens = TOKEN.findall(context)
    for order in ORDERS:
        if found := table.get(tuple(tokens[-order:])):
            return found.most_common(1)[0][0]
    return b""


def _timed(function: Callable[[], T]) -> tuple[T, float]:
    started = time.perf_counter()
    result = function()
    return result, time.perf_counter() - started


def _part(values: list[float], percent: int, unit: float) -> float:
    return round(quantiles(values, n=100)[percent - 1] * unit, 1)


def main() -> None:
    """Print what was measured."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--project-mb", type=float, default=0.0)
    parser.add_argument("--dependencies-mb", type=float, default=0.0)
    parser.add_argument("--peer-mb", type=float, default=2.0)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    report = asdict(measure(given.project_mb, given.dependencies_mb, given.peer_mb))
    if given.json:
        print(json.dumps(report, indent=2))
        return
    for name, value in report.items():
        print(f"  {name:24} {value}")


if __name__ == "__main__":
    main()
