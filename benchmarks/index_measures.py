"""What is measured of the index's service and its writer: real processes on a copy of real code."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import psutil

from benchmarks.index_client import ROOT, Client, megabytes
from codeindex.build_rules import rules
from codeindex.config import DEFAULTS
from codeindex.embed_card import read_card
from codeindex.store import open_reader, open_writer, store_folder
from codeindex.store.disk import size_on_disk
from codeindex.walk import walk

SAVES = 40
AT_REST_S = 10.0  # By then the writer has let go of what it does not need.
QUERIES = 150
MANY_FILES = 10_000
PEER_LINES = 150_000
QUESTIONS = (
    "parse command line arguments", "where is the socket closed", "OrderedDict", "read_text", "json decoder",
    "http/client.py", "ValueError: invalid literal for int() with base 10", "how are threads joined",
    "class that compresses data", "decode utf-8 surrogates", "normalize a path", "walk a directory tree",
    "tokenize", "retry on timeout", "ast.NodeVisitor", "cache with a maximum size", "format a traceback",
    "asyncio event loop policy", "pickle protocol", "regular expression compiler", "email header encoding",
)  # fmt: skip
Found = dict[str, float | str]


def standard_library() -> Path:
    """The folder of the running Python's own modules."""
    return Path(sysconfig.get_paths()["stdlib"])


def copy_source(source: Path, target: Path, most: int = 1 << 60) -> tuple[int, int, int]:
    """Copy what belongs of a folder, up to so many lines; files, lines and bytes that were copied."""
    files = lines = size = 0
    for it in walk(source, DEFAULTS):
        if most <= lines or "site-packages" in it.relative:
            continue
        place = target / it.relative
        place.parent.mkdir(parents=True, exist_ok=True)
        data = it.path.read_bytes()
        place.write_bytes(data)
        files, lines, size = files + 1, lines + data.count(b"\n"), size + len(data)
    return files, lines, size


def cold(root: Path, cache: Path) -> Found:
    """The writer alone, from the start of its process until everything is indexed."""
    began = time.monotonic()
    seconds, cpu, peak = run_writer(root, cache)
    reader = open_reader(store_folder(root, cache))
    assert reader is not None
    with reader:
        counts = reader.counts()
    assert time.monotonic() - began >= seconds
    return {
        "cold: files": counts.files,
        "cold: lines": counts.lines,
        "cold: chunks": counts.chunks,
        "cold: seconds": seconds,
        "cold: lines/s": counts.lines / seconds,
        "cold: lines per processor second": counts.lines / cpu,
        "cold: memory of all its processes, MB": peak,
        **_on_disk("disk", root, cache, counts.bytes),
    }


def _on_disk(name: str, root: Path, cache: Path, source: int) -> Found:
    """What the index takes, as it is and after a rest."""
    folder = store_folder(root, cache)
    at_once = size_on_disk(folder)
    with open_writer(folder, rules=rules()) as writer:
        writer.collect()  # As the writer itself does after twenty quiet seconds.
    return {
        f"{name}: bytes per byte of source, at once": at_once / source,
        f"{name}: bytes per byte of source, after a rest": size_on_disk(folder) / source,
    }


def cold_vectors(root: Path, cache: Path, model: Path) -> Found:
    """The same until each chunk has a vector, too."""
    name = read_card(model).identity

    def is_embedded() -> bool:
        reader = open_reader(store_folder(root, cache))
        assert reader is not None
        with reader:
            return not reader.missing_vectors(name, 1)

    seconds, cpu, peak = run_writer(root, cache, {"embedder": str(model)}, then=is_embedded)
    reader = open_reader(store_folder(root, cache))
    assert reader is not None
    with reader:
        counts = reader.counts()
    return {
        "cold with vectors: seconds": seconds,
        "cold with vectors: lines/s": counts.lines / seconds,
        "cold with vectors: lines per processor second": counts.lines / cpu,
        "cold with vectors: memory of all its processes, MB": peak,
        **_on_disk("disk with vectors", root, cache, counts.bytes),
    }


def run_writer(
    root: Path,
    cache: Path,
    options: dict[str, Any] | None = None,
    linger_s: float = 0.0,
    then: Callable[[], bool] = lambda: True,
) -> tuple[float, float, float]:
    """Seconds until it is ready, and ``then`` so, processor seconds of it and its workers, most memory."""
    command = [sys.executable, "-P", "-m", "codeindex", "write", "--root", str(root), "--cache", str(cache)]
    began = time.monotonic()
    process = subprocess.Popen(
        [*command, "--options", json.dumps(options or {})],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert process.stdout is not None
    assert process.stdin is not None
    peak = 0.0
    for line in process.stdout:
        if json.loads(line).get("state") == "ready":
            break
        peak = max(peak, sum(_memory(it) for it in _family(process.pid)))
    while not then():
        time.sleep(0.05)
        peak = max(peak, sum(_memory(it) for it in _family(process.pid)))
    seconds = time.monotonic() - began
    cpu = sum(sum(it.cpu_times()[:2]) for it in _family(process.pid))
    time.sleep(linger_s)
    process.stdin.close()
    process.stdout.close()
    process.wait()
    return seconds, cpu, peak


def no_change(root: Path, cache: Path, source: Path) -> Found:
    """A start with nothing to do: many files, copies of real ones under other names."""
    texts = [it.path.read_bytes() for it, _ in zip(walk(source, DEFAULTS), range(500), strict=False)]
    for number in range(MANY_FILES):
        place = root / f"d{number // 50}" / f"f{number}.py"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(texts[number % len(texts)])
    run_writer(root, cache)
    time.sleep(2.2)  # What changed in the last two seconds is read once more.
    run_writer(root, cache)
    seconds = [run_writer(root, cache)[0] for _ in range(3)]
    return {f"start without a change, {MANY_FILES:,} files: s": median(seconds)}


def freshness(client: Client) -> Found:
    """How long until a save or an edit is found, asked again and again."""
    source = sorted((client.root).rglob("*.py"))
    told, untold, edits = list[float](), list[float](), list[float]()
    for number in range(SAVES):
        path = source[number * 37 % len(source)]
        text = path.read_text(encoding="utf-8", errors="replace")
        for times, tell in ((told, True), (untold, False)):
            name = f"zyx_{number}_{tell}".lower()
            path.write_text(f"{text}\n\ndef {name}():\n    pass\n", encoding="utf-8")
            began = time.monotonic()
            if tell:
                client.tell("saved", paths=[path.relative_to(client.root).as_posix()])
            client.until(lambda it=name: _finds(client, it), every=0.004)  # type: ignore[misc]
            times.append(time.monotonic() - began)
            time.sleep(0.05)
        began = time.monotonic()
        relative = path.relative_to(client.root).as_posix()
        client.tell("buffer", path=relative, text=f"{text}\n\ndef xyz_{number}():\n    pass\n")
        client.until(lambda it=number: _finds(client, f"xyz_{it}"), every=0.004)  # type: ignore[misc]
        edits.append(time.monotonic() - began)
        client.tell("buffer", path=relative, text=None)
    return {
        **milliseconds("save -> searchable", told),
        **milliseconds("save by another program -> searchable", untold),
        **milliseconds("unsaved edit -> searchable", edits),
    }


def _finds(client: Client, name: str) -> bool:
    return any(f"def {name}(" in it["text"] for it in client.hits(name, limit=3))


def take_over(client: Client) -> Found:
    """How long after a writer and its service were killed another window's service writes."""
    with Client(client.root, client.cache) as other:
        other.until(lambda: other.ask("status")["writer"] == "elsewhere")
        writer = client.writer()
        assert writer is not None
        psutil.Process(writer).kill()
        client.kill()
        began = time.monotonic()
        other.until(lambda: other.ask("status")["writer"] == "here")
        return {"take-over after a writer's death: s": time.monotonic() - began}


def queries(client: Client, label: str) -> Found:
    """Searches one after the other, each question several times among the others."""
    for it in QUESTIONS:
        client.hits(it)
    times = []
    for number in range(QUERIES):
        began = time.monotonic()
        client.hits(QUESTIONS[number % len(QUESTIONS)])
        times.append(time.monotonic() - began)
    return milliseconds(f"query, {label}", times)


def memory(client: Client) -> Found:
    """Of service, writer and its helper at rest; with and without what they share with the disk's cache."""
    time.sleep(AT_REST_S)
    writer = client.writer()
    status = client.ask("status")
    found: Found = {"memory: chunks": status["chunks"]}
    helpers = [it.pid for it in _family(writer)[1:]] if writer else []
    for name, pids in (("service", [client.process.pid]), ("writer", [writer]), ("helper", helpers)):
        if pids and pids[0]:
            found[f"memory: {name}, MB resident"] = sum(megabytes(it) for it in pids if it)
            found[f"memory: {name}, MB of its own"] = sum(megabytes(it, private=True) for it in pids if it)
    return found


def grow(client: Client, sources: Sequence[Path], chunks: int) -> Found:
    """Put more code into the folder, until there are enough chunks; meanwhile the service is asked."""
    times: list[float] = []
    ended = threading.Event()

    def ask() -> None:
        turns = _turns()
        while not ended.is_set():
            method, params = next(turns)
            began = time.monotonic()
            client.ask(method, **params)
            times.append(time.monotonic() - began)
            ended.wait(0.05)

    status = client.ask("status")
    wanted = chunks * 1.03 * status["lines"] / status["chunks"]
    client.tell("pause")
    for copy in range(20):
        for number, it in enumerate(sources):
            copy_source(it, client.root / f"more{copy}_{number}", min(400_000, int(wanted)))
            if copy:
                _differ(client.root / f"more{copy}_{number}", copy)
        lines = sum(it.read_bytes().count(b"\n") for it in client.root.rglob("*.py"))
        if wanted <= lines:
            break
    asking = threading.Thread(target=ask)
    client.tell("resume")
    asking.start()
    client.until(lambda: client.ask("status")["state"] == "building", 20)
    began = time.monotonic()
    client.until_ready(300)
    ended.set()
    asking.join()
    return {
        "while it indexes: seconds": time.monotonic() - began,
        **milliseconds("while it indexes: request", times),
    }


def _differ(folder: Path, number: int) -> None:
    """Make copies that are other texts."""
    for it in folder.rglob("*.py"):
        it.write_bytes(it.read_bytes().replace(b"self", b"self%d" % number).replace(b"return", b"return  "))


def _turns() -> Iterator[tuple[str, dict[str, Any]]]:
    while True:
        for number, it in enumerate(QUESTIONS):
            yield "search", {"query": it}
            yield "symbols", {"query": it[: 3 + number % 5]}
            yield "status", {}


def vectors(client: Client, began: float) -> Found:
    """Until each chunk has a vector."""
    reader = open_reader(store_folder(client.root, client.cache))
    assert reader is not None
    with reader:
        wanted = reader.rows(
            "SELECT count(DISTINCT chunk.hash) FROM content JOIN chunk ON content.id = chunk.content"
            " WHERE unused_since IS NULL"
        )[0][0]
    client.until(lambda: bool(wanted <= client.ask("status")["vectors"]), 300, every=0.1)
    return {"vectors: chunks/s, static table": wanted / (time.monotonic() - began)}


def saved_vectors(client: Client) -> Found:
    """How long until what was saved has its vector in memory, seen by the reasons of a hit."""
    times = []
    source = sorted((client.root).rglob("*.py"))
    for number in range(SAVES):
        path = source[number * 41 % len(source)]
        name = f"vwx_{number}"
        path.write_text(f"def {name}():\n    pass\n", encoding="utf-8")
        began = time.monotonic()
        client.tell("saved", paths=[path.relative_to(client.root).as_posix()])

        def seen(it: str = name) -> bool:
            hits = client.hits(f"def {it}():\n    pass", why=True, limit=3)
            return any(it in hit["text"] and any(s["name"] == "dense" for s in hit["why"]) for hit in hits)

        try:
            client.until(seen, 5, every=0.01)
        except TimeoutError:
            continue
        times.append(time.monotonic() - began)
    found = {"save -> searchable by meaning: not within 5 s": SAVES - len(times)}
    return (milliseconds("save -> searchable by meaning", times) if times else {}) | found


def bm25s_peer(root: Path) -> Found:
    """What bm25s takes to index the same text, in pieces of twelve lines, in memory."""
    try:
        import bm25s  # type: ignore[import-not-found,import-untyped,unused-ignore]
    except ImportError:
        return {"peer: bm25s": "not installed"}
    pieces, lines = [], 0
    for it in walk(root, DEFAULTS):
        text = it.path.read_text(encoding="utf-8", errors="replace").split("\n")
        pieces += ["\n".join(text[place : place + 12]) for place in range(0, len(text), 12)]
        lines += len(text)
        if PEER_LINES <= lines:
            break
    began = time.monotonic()
    retriever = bm25s.BM25()
    retriever.index(bm25s.tokenize(pieces, show_progress=False), show_progress=False)
    return {"peer: bm25s, lines/s, words only, in memory": lines / (time.monotonic() - began)}


def semble_peer(root: Path) -> Found:
    """What semble's own indexer takes, where it is installed with its model."""
    command = shutil.which("semble", path=os.path.dirname(sys.executable))
    if command is None:
        return {"peer: semble": "not installed"}
    began = time.monotonic()
    done = subprocess.run(
        [command, "search", "socket", str(root)], capture_output=True, check=False, timeout=120
    )
    if done.returncode != 0:
        return {"peer: semble": "does not run offline"}
    return {"peer: semble, seconds for index and one search": time.monotonic() - began}


def milliseconds(name: str, seconds: Sequence[float]) -> Found:
    """The median and what 95 of 100 stay below."""
    if len(seconds) < 2:
        return {}
    return {
        f"{name}: p50 ms": median(seconds) * 1e3,
        f"{name}: p95 ms": quantiles(seconds, n=20)[-1] * 1e3,
    }


def _family(pid: int) -> list[psutil.Process]:
    try:
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    except psutil.Error:
        return []


def _memory(process: psutil.Process) -> float:
    try:
        return float(process.memory_info().rss) / 1e6
    except psutil.Error:
        return 0.0
