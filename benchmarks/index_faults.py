"""What the index survives: its writer killed again and again, several services at once on one folder."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from benchmarks.index_client import ROOT, Client, NoAnswer
from benchmarks.index_measures import Found, copy_source, milliseconds, run_writer
from benchmarks.shape_onnx import sources, tokenizer, write
from codeindex.build_rules import rules
from codeindex.config import DEFAULTS
from codeindex.embed import open_embedder
from codeindex.embed_stored import StoredVectors
from codeindex.store import open_reader, open_writer, store_folder
from codeindex.vectors import Vectors
from codeindex.walk import read_text, walk

KILL_LINES = 40_000
LONGEST_LIFE_S = 3.0
READS_S = 0.5  # A little longer than it takes to read what has changed.
CHECK_EVERY = 5
ANEW_EVERY = 20
STARTS = "starts"
MOMENTS = {"": STARTS, "building": "reads", "ready": "embeds or rests"}
"""What a writer is at, by the last that it has said."""
EMBEDS_S = 1.5  # How long the writer may embed before all is looked at: not all have vectors then.
SOAK_LINES = 60_000
SAVE_EVERY_S = 0.5
SAME_S = 1.0


def kills(folder: Path, source: Path, times: int, seed: int) -> Found:
    """End the writer at random moments while files change, and look after each whether all is well."""
    root, cache = folder / "project", folder / "cache"
    copy_source(source, root, KILL_LINES)
    write(folder / "model", "static", tokenizer(sources(20)))
    vectors = _Followed(folder / "model")
    chance = random.Random(seed)
    faults: list[str] = []
    moments: Counter[str] = Counter()
    checks = 0
    for number in range(1, times + 1):
        if number % ANEW_EVERY == 1:
            shutil.rmtree(cache, ignore_errors=True)  # The first build is killed, too.
        _change(root, chance, chance.random() ** 2)
        moments[_life(root, cache, folder / "model", chance)] += 1
        found = _faults_within(root, cache, vectors)
        if number % CHECK_EVERY == 0 or number == times:
            checks += 1
            run_writer(root, cache, {"embedder": str(folder / "model")}, linger_s=EMBEDS_S)
            found += _faults_within(root, cache, vectors, words=True) + _faults_beside(root, cache)
        faults += [f"after {number} kills: {it}" for it in found]
        if found or number % CHECK_EVERY == 0:
            print(f"{number} kills, {checks} checks, {len(faults)} faults", file=sys.stderr, flush=True)
    return {
        "kills": times,
        **{f"kills while it {what}": moments[what] for what in MOMENTS.values()},
        "looks at everything after the next one": checks,
        "vectors": len(vectors.vectors),
        "faults": "; ".join(faults[:10]),
    }


def _life(root: Path, cache: Path, model: Path, chance: random.Random) -> str:
    """A writer that is killed: three of four while they read, the others at any moment; what it was at."""
    process = subprocess.Popen(
        [
            *(sys.executable, "-P", "-m", "codeindex", "write", "--root", str(root)),
            *("--cache", str(cache), "--options", json.dumps({"embedder": str(model)})),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert process.stdin is not None
    assert process.stdout is not None
    heard = b""
    if chance.randrange(4):
        heard = process.stdout.readline()
        time.sleep(chance.random() * READS_S)
    else:
        time.sleep(chance.random() ** 2 * LONGEST_LIFE_S / 2)
        _change(root, chance, 0.0)
        time.sleep(chance.random() * LONGEST_LIFE_S / 2)
    process.send_signal(signal.SIGKILL)
    heard += process.stdout.read()
    process.wait()
    process.stdin.close()
    process.stdout.close()
    lines = [it for it in heard.splitlines(keepends=True) if it.endswith(b"\n")]
    states = [str(json.loads(it).get("state", "")) for it in lines]
    return MOMENTS.get(states[-1], STARTS) if states else STARTS


def _change(root: Path, chance: random.Random, share: float) -> None:
    """Some files are edited, renamed, copied, deleted; so many of the others get a line more."""
    files = sorted(root.rglob("*.py"))
    changed = chance.sample(files, min(12, len(files)))
    for path in changed:
        match chance.randrange(5):
            case 0 if 40 < len(files):
                path.unlink()
            case 1:
                path.rename(path.with_name(f"r{chance.randrange(10**9)}.py"))
            case 2:
                path.with_name(f"c{chance.randrange(10**9)}.py").write_bytes(
                    path.read_bytes() + b"\ncopied = 1\n"
                )
            case _:
                path.write_bytes(path.read_bytes() + b"\n\ndef f%d():\n    pass\n" % chance.randrange(10**9))
    for path in sorted(set(files).difference(changed)):
        if chance.random() < share:
            path.write_bytes(path.read_bytes() + b"\nn%d = 1\n" % chance.randrange(10**9))


class _Followed:
    """Vectors in memory that follow the store from check to check, as a service's do."""

    def __init__(self, model: Path) -> None:
        embedder = open_embedder(model)
        self.vectors = Vectors(embedder.model, embedder.dimensions)

    def faults(self, stored: StoredVectors) -> list[str]:
        """Where memory and store are not the same."""
        self.vectors.refresh(stored)
        return self.vectors.check(stored)


def _faults_within(root: Path, cache: Path, vectors: _Followed, *, words: bool = False) -> list[str]:
    """Where an index does not agree with itself, or the vectors in memory with it."""
    folder = store_folder(root, cache)
    with open_writer(folder, rules=rules()) as writer:
        faults = [writer.notice] if writer.notice else []
        faults += writer.verify(words=words)
    reader = open_reader(folder)
    assert reader is not None
    with reader:
        return faults + vectors.faults(StoredVectors(reader))


def _faults_beside(root: Path, cache: Path) -> list[str]:
    """Where an index that should be complete is not what the files are."""
    there = {
        it.relative: text for it in walk(root, DEFAULTS) if (text := read_text(it, DEFAULTS)) is not None
    }
    reader = open_reader(store_folder(root, cache))
    assert reader is not None
    with reader:
        rows = {it.path: it for it in reader.files()}
        faults = [f"{path} is lost" for path in there.keys() - rows.keys()]
        faults += [f"{path} is a ghost" for path in rows.keys() - there.keys()]
        for path, row in rows.items():
            if path in there and reader.text(row.content) != there[path]:
                faults.append(f"{path} has another text")
            if path in there and there[path].strip() and not reader.chunks_of(path):
                faults.append(f"{path} has no chunks")
    return faults


def soak(folder: Path, source: Path, servers: int, seconds: float, seed: int) -> Found:
    """Services on one folder, saves all the time: each finds what was saved, within a second."""
    root, cache = folder / "project", folder / "cache"
    copy_source(source, root, SOAK_LINES)
    chance = random.Random(seed)
    times: list[float] = []
    late, refused = 0, []
    clients = [Client(root, cache) for _ in range(servers)]
    try:
        for it in clients:
            it.until_ready(120)
        end = time.monotonic() + seconds
        files = sorted(root.rglob("*.py"))
        number = 0
        while time.monotonic() < end:
            number += 1
            path, name = chance.choice(files), f"soaked_{number}"
            path.write_text(f"def {name}():\n    return {number}\n", encoding="utf-8")
            saver = chance.choice(clients)
            saver.tell("saved", paths=[path.relative_to(root).as_posix()])
            began = time.monotonic()
            waiting = list(clients)
            while waiting and time.monotonic() < began + 10:
                for it in list(waiting):
                    try:
                        if any(hit["name"] == name for hit in it.hits(name, limit=3)):
                            waiting.remove(it)
                    except NoAnswer as problem:
                        refused.append(str(problem))
            times.append(time.monotonic() - began)
            late += SAME_S < times[-1]
            time.sleep(SAVE_EVERY_S * chance.random())
        problems = [str(it["says"]) for one in clients for it in one.events if it["event"] == "problem"]
    finally:
        for it in clients:
            it.close()
    faults = [*dict.fromkeys([*refused, *problems]), *([f"{late} saves took longer"] if late else [])]
    return {
        "servers": servers,
        "saves": len(times),
        **milliseconds("save -> all answer the same", times),
        "save -> all answer the same: longest ms": max(times, default=0.0) * 1e3,
        "faults": "; ".join(faults[:10]),
    }
