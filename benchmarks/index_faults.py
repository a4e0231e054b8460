"""What the index survives: its writer killed again and again, several services at once on one folder."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
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
CHECK_EVERY = 10
EMBEDS_S = 1.5  # How long the writer may embed before all is looked at: not all have vectors then.
SOAK_LINES = 60_000
SAVE_EVERY_S = 0.5
SAME_S = 1.0


def kills(folder: Path, source: Path, times: int, seed: int) -> Found:
    """End the writer at random moments while files change, and look again and again whether all is well."""
    root, cache = folder / "project", folder / "cache"
    copy_source(source, root, KILL_LINES)
    write(folder / "model", "static", tokenizer(sources(20)))
    vectors = _Followed(folder / "model")
    chance = random.Random(seed)
    faults: list[str] = []
    checks = 0
    for number in range(1, times + 1):
        _change(root, chance)
        _live(root, cache, folder / "model", chance.random() ** 2 * LONGEST_LIFE_S)
        if number % CHECK_EVERY == 0 or number == times:
            checks += 1
            run_writer(root, cache, {"embedder": str(folder / "model")}, linger_s=EMBEDS_S)
            faults += [f"after {number} kills: {it}" for it in _faults(root, cache, vectors)]
            print(f"{number} kills, {checks} checks, {len(faults)} faults", file=sys.stderr, flush=True)
    return {
        "kills": times,
        "checks": checks,
        "vectors": len(vectors.vectors),
        "faults": "; ".join(faults[:10]),
    }


def _live(root: Path, cache: Path, model: Path, seconds: float) -> None:
    """A writer that is killed after a while."""
    options = f'{{"embedder": "{model}"}}'
    process = subprocess.Popen(
        [
            *(sys.executable, "-P", "-m", "codeindex", "write", "--root", str(root)),
            *("--cache", str(cache), "--options", options),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    time.sleep(0.25 + seconds)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert process.stdin is not None
    process.stdin.close()


def _change(root: Path, chance: random.Random) -> None:
    """Some files are edited, renamed, copied, deleted."""
    files = sorted(root.rglob("*.py"))
    for path in chance.sample(files, min(12, len(files))):
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


class _Followed:
    """Vectors in memory that follow the store from check to check, as a service's do."""

    def __init__(self, model: Path) -> None:
        embedder = open_embedder(model)
        self.vectors = Vectors(embedder.model, embedder.dimensions)

    def faults(self, stored: StoredVectors) -> list[str]:
        """Where memory and store are not the same."""
        self.vectors.refresh(stored)
        return self.vectors.check(stored)


def _faults(root: Path, cache: Path, vectors: _Followed) -> list[str]:
    """What is wrong with an index that should be complete: in itself, and beside the files."""
    folder = store_folder(root, cache)
    with open_writer(folder, rules=rules()) as writer:
        faults = writer.verify()
    there = {
        it.relative: text for it in walk(root, DEFAULTS) if (text := read_text(it, DEFAULTS)) is not None
    }
    reader = open_reader(folder)
    assert reader is not None
    with reader:
        rows = {it.path: it for it in reader.files()}
        faults += [f"{path} is lost" for path in there.keys() - rows.keys()]
        faults += [f"{path} is a ghost" for path in rows.keys() - there.keys()]
        for path, row in rows.items():
            if path in there and reader.text(row.content) != there[path]:
                faults.append(f"{path} has another text")
            if path in there and there[path].strip() and not reader.chunks_of(path):
                faults.append(f"{path} has no chunks")
        faults += vectors.faults(StoredVectors(reader))
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
